"""What an agent sees beside a conversation: gathered from the alert's record and from what came before."""

from __future__ import annotations

from heliograph.core.alert import Attempt
from heliograph.core.channel import Carries
from heliograph.core.content import Content, Text
from heliograph.core.conversation import Conversation
from heliograph.core.desk import Context, Earlier, Step
from heliograph.core.fit import fit
from heliograph.core.ports import Record
from heliograph.core.states import AttemptState
from heliograph.flow.means import Means

LOOKED_AT = 30  # newest alerts and conversations among which the earlier ones are looked for
EARLIER = 10  # alerts before this one, and conversations
_TOLD = ("sent", "delivered", "read")
_ARRIVED = frozenset({AttemptState.DELIVERED, AttemptState.READ})


async def context(site: str, alert: str, recipient: str, means: Means, *, conversation: str = "") -> Context:
    """All that is known beside this alert; `conversation` itself is left out of the earlier ones. An alert that is
    unknown (erased, or another site's) leaves only what concerns the recipient. What came of test keys and what is live
    never stand beside each other: they go to different desks."""
    record = await means.store.record(alert) if alert else None
    if record is not None and record.alert.site != site:
        record = None
    others: list[Conversation] = await means.store.conversations_of(site, recipient, LOOKED_AT)
    own = await means.store.conversation(site, conversation) if conversation else None
    test = own.test if own else record is not None and record.alert.test
    rows = await means.store.alerts(site=site, recipient=recipient, limit=LOOKED_AT)
    earlier = tuple(
        Earlier(id=row.id, at=row.created, template=row.template, state=row.state.value, channel=row.channel)
        for row in rows
        if row.id != alert and row.test is test
    )[:EARLIER]
    before = tuple(one for one in others if one.id != conversation and one.test is test)[:EARLIER]
    if record is None:
        return Context(earlier=earlier, conversations=before)
    seen = _seen(record)
    return Context(
        alert=record.alert,
        content=seen.content if seen else None,
        words=_words(seen.content) if seen else "",
        channel=seen.channel if seen else "",
        path=tuple(_step(attempt, record) for attempt in record.attempts),
        earlier=earlier,
        conversations=before,
    )


def _seen(record: Record) -> Attempt | None:
    """The attempt that the recipient saw: the last that arrived, else the last that was tried."""
    arrived = [attempt for attempt in record.attempts if attempt.state in _ARRIVED]
    tried = arrived or list(record.attempts)
    return tried[-1] if tried else None


def _step(attempt: Attempt, record: Record) -> Step:
    times = {entry.kind: entry.at for entry in record.entries if entry.attempt == attempt.id and entry.kind in _TOLD}
    return Step(
        channel=attempt.channel,
        provider=attempt.provider,
        sender=attempt.sender,
        state=attempt.state.value,
        reason=attempt.reason,
        **times,
    )


def _words(content: Content) -> str:
    """A content as plain text: what a channel would show that has nothing else."""
    plain = fit(content, Carries()).content
    return plain.text if isinstance(plain, Text) else ""
