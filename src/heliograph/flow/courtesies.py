"""Typing and read marks, where channel and desk have them. They are courtesies: what goes wrong is counted and
forgotten, and nothing waits for them."""

from __future__ import annotations

from typing import cast

from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.ports import Courteous
from heliograph.errors import HeliographError
from heliograph.flow.limits import sender_for
from heliograph.flow.means import Means

PATIENCE = 5.0  # seconds
LOOKED_AT = 20  # newest turns among which the recipient's last one is looked for


async def typing(there: Conversation, means: Means) -> None:
    """To the recipient: an agent types."""
    provider = opened.provider if (opened := sender_for(there, means)) else None
    if provider is None or not getattr(provider, "can_type", False):
        return
    last = await _last(there, means)
    try:
        await cast(Courteous, provider).typing(there.recipient, last.event if last else "", _deadline(means))
    except HeliographError:
        means.meters.event(there.channel, "typing_failed")


async def seen(there: Conversation, number: int, means: Means) -> None:
    """To the recipient: an agent has read up to this turn."""
    provider = opened.provider if (opened := sender_for(there, means)) else None
    if provider is None or not getattr(provider, "can_mark_read", False):
        return
    last = await _last(there, means, number)
    if last is None or not last.event or last.sender != there.sender:
        return
    try:
        await cast(Courteous, provider).seen(there.recipient, last.event, _deadline(means))
    except HeliographError:
        means.meters.event(there.channel, "seen_failed")


async def typed(there: Conversation, means: Means) -> None:
    """To the desk: the recipient types."""
    opened = means.registry.desk(there.site)
    if opened.desk is not None and opened.desk.courtesies and there.reference:
        await opened.desk.typing(there, _deadline(means))


async def marked(site: str, conversation: str, number: int, read: bool, means: Means) -> None:
    """To the desk: an agent's turn was delivered, or read."""
    opened = means.registry.desk(site)
    if opened.desk is None or not opened.desk.courtesies:
        return
    there = await means.store.conversation(site, conversation)
    turns = await means.store.turns(site, conversation, after=number - 1, limit=1)
    if there is not None and there.reference and turns and turns[0].by is By.AGENT:
        await opened.desk.mark(there, turns[0], read, _deadline(means))


async def _last(there: Conversation, means: Means, number: int = 0) -> Turn | None:
    """The recipient's last turn, up to `number` where it is given."""
    turns = await means.store.turns(there.site, there.id, newest=True, limit=LOOKED_AT)
    said = [turn for turn in turns if turn.by is By.RECIPIENT and (not number or turn.number <= number)]
    return said[-1] if said else None


def _deadline(means: Means) -> float:
    return means.clock.loop_time() + PATIENCE
