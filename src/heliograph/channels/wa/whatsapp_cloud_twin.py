"""Meta's side of the wire for the sandbox: the Cloud API as Meta documents it, its errors included.

Not from our adapter: from Meta's pages. Where they are silent, the comment on the line says what was chosen. This file
holds the routes and the credentials; the `whatsapp_cloud_twin_*` files beside it hold the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl, unquote, urlsplit

from heliograph.channels.wa import whatsapp_cloud_twin_media as media
from heliograph.channels.wa import whatsapp_cloud_twin_templates as templates
from heliograph.channels.wa.whatsapp_cloud_twin_answers import Dropped, Refused, given, refusal
from heliograph.channels.wa.whatsapp_cloud_twin_messages import account_of, send
from heliograph.channels.wa.whatsapp_cloud_twin_shown import content
from heliograph.channels.wa.whatsapp_cloud_twin_tell import challenge, keyword, tell
from heliograph.core.ports import Call
from heliograph.core.twin import KnownSender, TwinAnswer, World

__all__ = [
    "CHANNEL",
    "NAME",
    "PREFIXES",
    "answer",
    "body_limit",
    "challenge",
    "content",
    "credentials",
    "keyword",
    "tell",
]

NAME = "whatsapp-cloud"
CHANNEL = "wa"
# The Graph API's versions, past and to come, and the files that people sent.
PREFIXES = (*(f"/v{number}.0/" for number in range(13, 60)), media.ATTACHMENTS)


def body_limit(path: str) -> int:
    """Bytes. A little more than a file may have is read, so that the refusal is Meta's."""
    return media.MOST + media.MEGABYTE if path.endswith("/media") else media.MEGABYTE


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    """As Meta's look: a token of letters and digits, the app's secret of 32 hex digits, an account's id of digits."""
    return {
        "access_token": f"EAA{secret(64)}",
        "app_secret": secret(32),
        "verify_token": secret(16),
        "waba_id": f"1{int(secret(11), 16):014d}",
    }


def answer(call: Call, world: World) -> TwinAnswer:
    address = urlsplit(call.url)
    try:
        senders = _authorised(call, world)
        if address.path == media.ATTACHMENTS and call.method == "GET":
            return media.attachment(dict(parse_qsl(address.query)).get("mid", ""), world)
        parts = [unquote(part) for part in address.path.split("/")[2:]]
        return _route(parts, dict(parse_qsl(address.query)), call, senders, world)
    except Refused as refused:
        world.note("refused", detail=f"{call.method} {refused.status}: {refused.message} {refused.details}".rstrip())
        return refusal(refused)
    except Dropped:
        return TwinAnswer(end="drop")


def _route(parts: list[str], query: dict[str, str], call: Call, senders: list[KnownSender], world: World) -> TwinAnswer:
    match call.method, parts:
        case "POST", [number, "messages"]:
            return send(_number(number, call.method, senders), call.body, world)
        case "POST", [number, "media"]:
            return media.upload(_number(number, call.method, senders), call, world)
        case method, [account, "message_templates"] if account in map(account_of, senders):
            return templates.route(method, account, query, call.body, world)
        case "GET", [number] if any(sender.id == number for sender in senders):
            return _about(_number(number, call.method, senders))
        case method, [name]:
            return media.found(name, method, call, world)
    raise media.missing(call.method, parts[0] if parts else "")


def _about(sender: KnownSender) -> TwinAnswer:
    return given(
        {
            "verified_name": sender.name,
            "display_phone_number": sender.address or sender.id,
            "quality_rating": "GREEN",
            "id": sender.id,
        }
    )


def _number(number: str, method: str, senders: list[KnownSender]) -> KnownSender:
    for sender in senders:
        if sender.id == number:
            return sender
    raise media.missing(method, number)


def _authorised(call: Call, world: World) -> list[KnownSender]:
    """The numbers that a token may use."""
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        # Graph answers a call without a token so (r).
        raise Refused(190, message="An access token is required to request this resource.")
    found = [one for one in world.known(NAME) if one.credentials.get("access_token") == bearer.strip()]
    if not found:
        raise Refused(190, message="Invalid OAuth access token - Cannot parse access token")
    return found
