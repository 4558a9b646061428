"""What providers tell us, written down in one commit before their callback is answered. It calls nobody: whatever has
to be done about it is a due row."""

from __future__ import annotations

from heliograph.core.event import Inbound, OptOutHeard, Receipt
from heliograph.core.ports import Heard, Joined
from heliograph.core.states import SAID_NO, AttemptState
from heliograph.flow import courtesies
from heliograph.flow.live import Change
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

ARRIVED = frozenset({AttemptState.DELIVERED, AttemptState.READ})
USUAL = frozenset({"sent", "delivered", "read", "duplicate"})


async def receive(opened: OpenSender, heard: Heard, means: Means) -> None:
    """Writes the events of one callback. Raises StoreAway: the provider then delivers them again."""
    if not heard.events:
        return
    sender = opened.sender
    tell = means.registry.tells(sender.site)
    joined = await means.store.hear(
        sender.site, sender.channel, sender.name, heard.events, means.clock.now(), tell=tell
    )
    for event, place in zip(heard.events, joined, strict=True):
        match event:
            case Receipt(state=state):
                kind = state.value
            case Inbound(kind=what):
                kind = f"inbound_{what}"
            case OptOutHeard(wanted=wanted):
                kind = "subscribe" if wanted else "unsubscribe"
            case _:
                kind = "unknown"
        if place.state in SAID_NO or place.turn:
            means.wake.set()  # its due row was made due at once
        if place.conversation and not place.duplicate:
            _tell(sender.site, event, place, means)
        if place.duplicate:
            kind = "duplicate"
        elif not (place.alert or place.turn) and isinstance(event, Receipt):
            kind = "unmatched"
        if kind == "unknown":
            means.meters.unknown_word(sender.provider, "event")
        elif isinstance(event, Receipt) and event.reason == "unknown" and not place.duplicate:
            means.meters.unknown_word(sender.provider, "reason")
        means.meters.event(sender.channel, kind)
        # What is usual stands in the record; a line each would cost 9 of its microseconds.
        level = "debug" if kind in USUAL else "info"
        means.log(level, "An event was heard.", action="event", kind=kind, alert=place.alert, channel=sender.channel)


def _tell(site: str, event: object, place: Joined, means: Means) -> None:
    """A conversation changed: whoever looks at it sees it at once."""
    match event:
        case Inbound(kind="typing"):
            means.live.tell([Change(site, place.conversation, 0, "typing")])
            means.behind(_typed(site, place.conversation, means))
        case Inbound():
            means.live.tell([Change(site, place.conversation, place.turn, "said")])
        case Receipt() if place.state is not None:
            means.live.tell([Change(site, place.conversation, place.turn, "answered")])
            if place.state in ARRIVED:
                read = place.state is AttemptState.READ
                means.behind(courtesies.marked(site, place.conversation, place.turn, read, means))


async def _typed(site: str, conversation: str, means: Means) -> None:
    there = await means.store.conversation(site, conversation)
    if there is not None:
        await courtesies.typed(there, means)
