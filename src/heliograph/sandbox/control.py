"""The sandbox's own API under /sandbox: phones, senders, misbehaviour, log, counts, reset."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from heliograph.core.ports import Answer
from heliograph.core.twin import KnownSender
from heliograph.sandbox import person, phone_json
from heliograph.sandbox.handset import Handset, Switches
from heliograph.sandbox.magic import MAGIC
from heliograph.sandbox.post import NoAnswer
from heliograph.sandbox.rule import Rule
from heliograph.sandbox.world import World

_PARTS = ("handsets", "agents", "senders", "behaviour", "lines", "log", "counts", "reset", "events")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


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


class Wrong(Exception):
    """A call of the control API that cannot be done."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


async def control(method: str, path: str, query: dict[str, str], body: bytes, world: World) -> Answer:
    """Answers one call; `path` is what follows /sandbox/."""
    try:
        return _json(await _route(method, path.rstrip("/"), query, body, world))
    except Wrong as wrong:
        return _json({"error": wrong.sentence}, wrong.status)
    except person.NotPossible as fault:
        return _json({"error": str(fault)}, 409)
    except msgspec.DecodeError as fault:
        return _json({"error": f"The body cannot be read: {fault}."}, 400)


async def _route(method: str, path: str, query: dict[str, str], body: bytes, world: World) -> Any:
    match method, path.split("/"):
        case "GET", ["handsets"]:
            return phone_json.overview(world)
        case "GET", ["handsets", number]:
            return phone_json.phone(world.reach(_number(number)), world)
        case "POST", ["handsets", number]:
            return _switch(world.handset(_number(number)), _read(body, Switches), world)
        case "POST", ["handsets", number, action] if action in _ACTIONS:
            handset = world.handset(_number(number))
            shape, do = _ACTIONS[action]
            do(world, handset, _read(body, shape))
            return phone_json.phone(handset, world)
        case "GET", ["agents" | "senders" as word]:
            return {word: [_sender(sender, world) for sender in world.senders.values()]}
        case "POST", ["agents" | "senders"]:
            return await _register(_read(body, SenderBody), world)
        case "POST", ["agents" | "senders", sender_id, "verify"]:
            return await _verify_again(sender_id, world)
        case "GET", ["behaviour"]:
            return _behaviour(world)
        case "POST", ["behaviour"]:
            return world.behaviour.add(_read(body, Rule)).shown()
        case "DELETE", ["behaviour"]:
            world.behaviour.reset()
            return _behaviour(world)
        case "DELETE", ["behaviour", key] if key.isdecimal():
            world.behaviour.remove(int(key))
            return _behaviour(world)
        case "POST", ["lines", provider, "cut"]:
            return _cut(provider, world)
        case "GET", ["log"]:
            at, lines = world.ledger.since(_whole(query, "since"))
            return {"next": at, "entries": msgspec.to_builtins(lines)}
        case "GET", ["counts"]:
            return world.ledger.counts(query.get("message", ""))
        case "POST", ["reset"]:
            await world.reset()
            return {"reset": True}
    if path.split("/")[0] in _PARTS:
        raise Wrong(405 if method not in ("GET", "POST") else 404, f"{method} /sandbox/{path} does nothing.")
    raise Wrong(404, f"/sandbox/{path[:80]} is not a part of the sandbox; README.md of the sandbox lists them.")


def _switch(handset: Handset, switches: Switches, world: World) -> dict[str, Any]:
    for name, value in msgspec.structs.asdict(switches).items():
        if value is not None:
            setattr(handset, name, value)
    world.note("switched", number=handset.number, detail=msgspec.json.encode(switches).decode())
    world.delivery.deliver_waiting(handset)
    world.feed.changed(handset.number)
    return phone_json.phone(handset, world)


async def _register(body: SenderBody, world: World) -> dict[str, Any]:
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
    return {**_sender(sender, world), "credentials": credentials, **({"detail": detail} if detail else {})}


async def _verify_again(sender_id: str, world: World) -> dict[str, Any]:
    for sender in world.senders.values():
        if sender_id in (sender.id, f"{sender.provider}/{sender.id}") and sender.webhook:
            detail = await verify(sender, world)
            return {**_sender(sender, world), **({"detail": detail} if detail else {})}
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


def _cut(provider: str, world: World) -> dict[str, Any]:
    line = world.lines.get(provider)
    if line is None:
        raise Wrong(404, f"Provider {provider[:40]!r} has no line here; with one: {', '.join(world.lines) or 'none'}.")
    line.cut()
    world.note("cut", detail=provider)
    return {"cut": provider}


def _sender(sender: KnownSender, world: World) -> dict[str, Any]:
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


def _behaviour(world: World) -> dict[str, Any]:
    numbers = {f"+1 ??? 555 01{ending}": f"{row.channel}: {row.says}" for ending, row in MAGIC.items()}
    return {"rules": [active.shown() for active in world.behaviour.rules], "magic_numbers": numbers}


def _unsubscribe(world: World, handset: Handset, to: person.ToSender) -> None:
    person.subscribe(world, handset, to, wanted=False)


def _subscribe(world: World, handset: Handset, to: person.ToSender) -> None:
    person.subscribe(world, handset, to, wanted=True)


_ACTIONS: dict[str, tuple[type[msgspec.Struct], Callable[[World, Handset, Any], None]]] = {
    "say": (person.Saying, person.say),
    "tap": (person.Tapping, person.tap),
    "read": (person.Reading, person.read),
    "typing": (person.ToSender, person.typing),
    "location": (person.Place, person.location),
    "file": (person.Sending, person.file),
    "unsubscribe": (person.ToSender, _unsubscribe),
    "subscribe": (person.ToSender, _subscribe),
    "accept": (person.ToSender, person.accept),
}


def _number(text: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise Wrong(
            400, f"{text[:30]!r} is not a number in E.164, e.g. +12025550100 (in an address: %2B for the plus)."
        )
    return text


def _whole(query: dict[str, str], name: str) -> int:
    text = query.get(name, "0")
    if not text.isdecimal():
        raise Wrong(400, f"{name} is {text[:20]!r}; it must be a whole number.")
    return int(text)


def _read(body: bytes, shape: type[msgspec.Struct]) -> Any:
    return msgspec.json.decode(body or b"{}", type=shape)


def _json(value: Any, status: int = 200) -> Answer:
    headers = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}
    return Answer(status=status, body=msgspec.json.encode(value), headers=headers)
