"""A small desk in the sandbox that speaks the format of README.md: it shows conversations with their context, and posts
what its agents do.

Signatures are made and checked here by themselves, from the text of Standard Webhooks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from heliograph.core.desk_twin import Deed, DeskCase, DeskLine
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Posting, TwinAnswer, World
from heliograph.desks.webhook import twin_state as state
from heliograph.desks.webhook.twin_events import Wrong, take

NAME = "webhook"
PREFIXES = ("/desk/",)
POSTING = Posting(any_2xx=True, kept_for=3 * 86_400_000)
TOLERANCE = 300  # seconds

__all__ = ["NAME", "POSTING", "PREFIXES", "act", "answer", "body_limit", "credentials", "shown", "signed"]


def body_limit(path: str) -> int:
    """Bytes. An alert's context may be some hundred kilobytes."""
    return 1 << 20


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    return {"secret": "whsec_" + base64.b64encode(bytes.fromhex(secret(64))).decode()}


def answer(call: Call, world: World) -> TwinAnswer:
    """`POST /desk/<account>`."""
    account = unquote(urlsplit(call.url).path.removeprefix("/desk/").strip("/"))
    desk = next((one for one in world.desks(NAME) if one.id == account), None)
    try:
        if desk is None:
            raise Wrong(404, f"No desk {account[:40]!r} is here.")
        if call.method != "POST":
            raise Wrong(405, "Events are posted.")
        if not _believed(call, desk, world):
            raise Wrong(401, "The signature does not match.")
        return take(call, desk, world)
    except Wrong as wrong:
        if wrong.end:
            return TwinAnswer(end="drop")
        world.note("refused", detail=f"{call.method} {wrong.status}: {wrong.sentence}")
        return wrong.answer()


def _believed(call: Call, desk: KnownDesk, world: World) -> bool:
    id, stamp = call.headers.get("webhook-id", ""), call.headers.get("webhook-timestamp", "")
    if not id or not stamp.isdigit() or abs(world.now() / 1000 - int(stamp)) > TOLERANCE:
        return False
    wanted = _signature(id, stamp, call.body, desk)
    given = call.headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(one, wanted) for one in given)


def _signature(id: str, stamp: str, body: bytes, desk: KnownDesk) -> str:
    key = base64.b64decode(desk.credentials["secret"].removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def signed(raw: bytes, desk: KnownDesk, world: World) -> Call:
    id, stamp = f"msg_{world.new_id()}", str(world.now() // 1000)
    headers = {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": stamp,
        "webhook-signature": _signature(id, stamp, raw, desk),
    }
    return Call(method="POST", url=desk.webhook, headers=headers, body=raw)


def act(deed: Deed, desk: KnownDesk, world: World) -> list[Call]:
    """What an agent does, and the event of it. Raises ValueError."""
    kept = state.kept(desk, deed.conversation, world)
    if kept is None:
        raise ValueError(f"The desk has no conversation {deed.conversation[:40]!r}.")
    data: dict[str, Any] = {"conversation": kept.id}
    match deed.do:
        case "say":
            kept.lines.append(DeskLine(by="agent", text=deed.text, at=world.now(), author=deed.agent))
            told = "agent.said", {**data, "text": deed.text, "author": deed.agent}
        case "type":
            told = "agent.typing", {**data, "on": True}
        case "read":
            told = "agent.saw", {**data, "read": True}
        case "take":
            kept.agent = deed.agent
            told = "conversation.moved", {**data, "author": deed.agent}
        case "transfer":
            kept.skill, kept.agent = deed.to, ""
            told = "conversation.moved", {**data, "skill": deed.to}
        case "close":
            kept.open = False
            told = "conversation.closed", {**data, "author": deed.agent}
    state.keep(desk, kept, world)
    stamp = datetime.fromtimestamp(world.now() / 1000, UTC).isoformat(timespec="milliseconds")
    return [signed(msgspec.json.encode({"type": told[0], "timestamp": stamp, "data": told[1]}), desk, world)]


def shown(desk: KnownDesk, world: World) -> list[DeskCase]:
    return [
        DeskCase(
            id=one.id,
            customer=one.customer,
            skill=one.skill,
            open=one.open,
            agent=one.agent,
            facts=one.facts,
            lines=tuple(one.lines),
        )
        for one in sorted(state.all_of(desk, world), key=lambda one: -one.order)
    ]
