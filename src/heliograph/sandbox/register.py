"""Senders through the control API: registering them, and asking their webhooks for proof."""

from __future__ import annotations

import hmac
import secrets
from typing import Any

import msgspec

from heliograph.core.twin import KnownSender
from heliograph.sandbox.post import NoAnswer
from heliograph.sandbox.world import World
from heliograph.sandbox.wrong import Wrong


class SenderBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender to register. `verify` False: the webhook is not asked first (it may not be up yet). `agent` and
    `client_token` are Google's words for `sender` and `secret`. Without `credentials` those of before are kept, or new
    ones are made where the provider has some; the answer to this call tells them."""

    provider: str = "google-rbm"
    sender: str = ""
    agent: str = ""
    name: str = ""
    webhook: str = ""
    secret: str = ""
    client_token: str = ""
    credentials: dict[str, str] = {}
    address: str = ""
    launched: bool = True
    refusal: int = 404
    verify: bool = True


async def register(body: SenderBody, world: World) -> dict[str, Any]:
    sender_id = body.sender or body.agent
    if body.provider not in world.twins:
        raise Wrong(400, f"provider {body.provider[:40]!r} has no twin here; there are: {', '.join(world.twins)}.")
    if not sender_id:
        raise Wrong(400, "sender must not be empty.")
    if body.refusal not in (403, 404):
        raise Wrong(400, f"refusal is {body.refusal}; a sender that is not launched answers 404 or 403.")
    former = world.sender(body.provider, sender_id)
    credentials = body.credentials or (former.credentials if former else world.new_credentials(body.provider))
    sender = KnownSender(
        id=sender_id,
        provider=body.provider,
        name=body.name or sender_id,
        webhook=body.webhook,
        secret=body.secret or body.client_token,
        credentials=credentials,
        address=body.address,
        launched=body.launched,
        refusal=body.refusal,
        testers=former.testers if former else {},
    )
    world.add_sender(sender)
    detail = await verify(sender, world) if sender.webhook and body.verify else ""
    return {**told(sender, world), "credentials": credentials, **({"detail": detail} if detail else {})}


async def verify_again(sender_id: str, world: World) -> dict[str, Any]:
    for sender in world.senders.values():
        if sender_id in (sender.id, f"{sender.provider}/{sender.id}") and sender.webhook:
            detail = await verify(sender, world)
            return {**told(sender, world), **({"detail": detail} if detail else {})}
    raise Wrong(404, f"Sender {sender_id[:80]!r} is not registered, or has no webhook.")


async def verify(sender: KnownSender, world: World) -> str:
    """Asks a sender's webhook for proof, as the provider does; sets `verified`. Empty if it was right, else what was
    wrong. Callbacks are posted to a webhook that failed as well: a real provider would not take it at all."""
    asked = world.twins[sender.provider].challenge(sender, secrets.token_hex(16))
    if asked is None:
        sender.verified = True
        return ""
    call, wanted = asked
    try:
        status, body = await world.post.send(call)
    except NoAnswer as fault:
        said = f"{sender.webhook} did not answer: {fault}"
    else:
        if status != 200:
            said = f"{sender.webhook} answered {status}; 200 with the bare secret is right."
        elif not hmac.compare_digest(body, wanted):
            said = f"{sender.webhook} answered 200 with another body than the bare secret."
        else:
            said = ""
    sender.verified = not said
    if sender.verified:
        world.callbacks.hurry(sender.id)
    world.note("verification", sender=sender.id, detail=said or "verified")
    return said


def told(sender: KnownSender, world: World) -> dict[str, Any]:
    """A sender as JSON; what is secret of it is not told again."""
    return {
        "sender": sender.id,
        "agent": sender.id,
        "provider": sender.provider,
        "channel": world.twins[sender.provider].CHANNEL,
        "name": sender.name,
        "address": sender.address,
        "webhook": sender.webhook,
        "launched": sender.launched,
        "refusal": sender.refusal,
        "verified": sender.verified,
        "testers": sender.testers,
    }
