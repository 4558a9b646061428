"""What a desk tells, written down in one commit before its callback is answered."""

from __future__ import annotations

from heliograph.core.conversation import By, Turn
from heliograph.core.desk import AgentSaid, AgentSaw, AgentTyping, DeskClosed, DeskMoved, DeskUnknown
from heliograph.core.ports import DeskHeard, DeskJoined
from heliograph.flow import courtesies
from heliograph.flow.live import Change
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenDesk


async def receive(opened: OpenDesk, heard: DeskHeard, means: Means) -> None:
    """Raises StoreAway: the desk then delivers it again."""
    if not heard.events:
        return
    site, kind = opened.setup.site, opened.setup.desk
    joined = await means.store.hear_desk(site, kind, heard.events, means.clock.now())
    for event, place in zip(heard.events, joined, strict=True):
        what = _kind(event, place)
        means.meters.desk(kind, what)
        there = place.conversation
        if there is None or place.duplicate:
            continue
        match event:
            case AgentTyping(on=True):
                means.behind(courtesies.typing(there, means))
            case AgentSaw(read=True):
                means.behind(courtesies.seen(there, there.turns, means))
        if place.turn is not None:
            means.live.tell([Change(site, there.id, place.turn.number, _change(place.turn))])
    means.wake.set()


def _kind(event: object, place: DeskJoined) -> str:
    if place.duplicate:
        return "duplicate"
    if isinstance(event, DeskUnknown):
        return "unknown"
    if place.conversation is None:
        return "unmatched"
    match event:
        case AgentSaid():
            return "said"
        case AgentTyping():
            return "typing"
        case AgentSaw():
            return "saw"
        case DeskClosed():
            return "closed"
        case DeskMoved():
            return "moved"
        case _:
            return "unknown"


def _change(turn: Turn) -> str:
    if turn.by is By.AGENT:
        return "answered"
    return "closed" if turn.kind == "closed" else "moved"
