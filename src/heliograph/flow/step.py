"""Runs the steps of a decision: hand over, write the outcome, go to the next channel while nothing was taken.

An alert leaves a channel only when that channel said no; an attempt in doubt is never followed by another channel
here, because the first may still arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.channel import Capability, Reach
from heliograph.core.content import Content
from heliograph.core.plan import Step
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError, StoreAway
from heliograph.flow import facts
from heliograph.flow.handover import Handed, Verdict, hand_over
from heliograph.flow.means import Means
from heliograph.flow.outcome import outcome_of
from heliograph.flow.registry import OpenSender
from heliograph.flow.result import IN_DOUBT, Result, from_record


def new_attempt(
    alert: Alert, step: Step, contents: Mapping[str, Content], traffic: str, means: Means, number: int = 1
) -> Attempt:
    """The intent to try a channel; its id travels with the message."""
    return Attempt(
        id=attempt_id(alert.id, number),
        alert=alert.id,
        site=alert.site,
        number=number,
        channel=step.channel,
        provider=step.provider,
        sender=step.sender,
        recipient=alert.recipient,
        content=contents[step.channel],
        expires=alert.expires,
        created=means.clock.now(),
        traffic=traffic,
        state=AttemptState.SENDING,
    )


async def run(
    alert: Alert,
    attempt: Attempt,
    rest: Sequence[Step],
    contents: Mapping[str, Content],
    means: Means,
    *,
    deadline: float,
    keep: int | None,
    in_doubt: bool = False,
) -> Result:
    """Hands over `attempt`, then the `rest` in order while each says no. `keep` (ms): how long a success is given back
    to the same call; None where no caller waits, and then what may still work is tried again until the alert's end."""
    while True:
        opened = means.registry.sender(attempt.site, attempt.sender)
        if opened is None:
            gone = SendError(
                f"The sender {attempt.sender} was removed while the alert was on its way.",
                code="sender_not_usable",
                fate=Fate.CONFIG,
            )
            handed = Handed(verdict=Verdict.IN_DOUBT if in_doubt else Verdict.FAILED, tries=attempt.tries, error=gone)
        else:
            handed = await hand_over(attempt, opened, means, deadline=deadline, in_doubt=in_doubt)
            _learn(alert, attempt, opened, handed, means)
        follow = None
        if handed.verdict is Verdict.FAILED and rest and means.clock.loop_time() < deadline:
            rest = await _still_wanted(alert, rest, means)
            if rest:
                follow = new_attempt(alert, rest[0], contents, attempt.traffic, means, attempt.number + 1)
        counted = await _write(alert, attempt, handed, follow, means, deadline, keep)
        if counted is False:
            # Its lease was lost, and the node that took it over heard a yes: that is the truth.
            record = await means.store.record(alert.id)
            told = from_record(record) if record else None
            if told is not None:
                return told
        if counted is None and handed.verdict is not Verdict.TAKEN:
            # A failure that is not on disk cannot be promised: the due row still stands and may send it later.
            handed = Handed(verdict=Verdict.IN_DOUBT, tries=handed.tries, error=handed.error)
            follow = None
        if follow is None:
            means.meters.alert(handed.verdict.value, attempt.channel)
            return _result(alert, attempt, handed)
        attempt, rest, in_doubt = follow, rest[1:], False


async def _still_wanted(alert: Alert, rest: Sequence[Step], means: Means) -> Sequence[Step]:
    """The steps that the recipient has not opted out of while the first one was tried."""
    scopes = await means.store.opted_out(alert.site, alert.recipient)
    return () if "all" in scopes else [one for one in rest if one.channel not in scopes]


async def _write(
    alert: Alert,
    attempt: Attempt,
    handed: Handed,
    follow: Attempt | None,
    means: Means,
    deadline: float,
    keep: int | None,
) -> bool | None:
    """Commits the outcome. False: another node heard a yes meanwhile. None: the store is away; what the provider said
    stands all the same, since the attempt's due row is still there and settles it by repeating the message id."""
    left = max(0.0, deadline - means.clock.loop_time())
    outcome = outcome_of(alert, attempt, handed, follow, means.clock.now(), left, keep)
    try:
        return await means.store.outcome(outcome)
    except StoreAway:
        means.log("error", "The outcome could not be written.", action="outcome.lost", alert=alert.id)
        return None


def _learn(alert: Alert, attempt: Attempt, opened: OpenSender, handed: Handed, means: Means) -> None:
    """What this exchange says of the sender and of the recipient's capability."""
    if handed.verdict is Verdict.TAKEN:
        facts.succeeded(opened, means)
        return
    error = handed.error
    if error is None or handed.verdict is Verdict.IN_DOUBT:
        return
    if error.fate is Fate.CONFIG:
        facts.pause(opened, f"config: {error.code}", means)
    elif error.code == "sender_not_allowed":
        facts.marked(opened, attempt.recipient, means)
    elif error.fate is Fate.NEXT_CHANNEL:
        answer = Capability(reach=Reach.NO, asked=means.clock.now(), reason=error.code)
        facts.remember(alert, opened, answer, means)


def _result(alert: Alert, attempt: Attempt, handed: Handed) -> Result:
    if handed.verdict is Verdict.TAKEN:
        assert handed.taken is not None
        return Result(kind="taken", site=alert.site, alert=alert.id, channel=attempt.channel, raw=handed.taken.raw)
    error = handed.error
    if handed.verdict is Verdict.IN_DOUBT:
        return Result(
            kind="in_doubt",
            site=alert.site,
            alert=alert.id,
            channel=attempt.channel,
            code="in_doubt",
            detail=IN_DOUBT,
            provider_raw=error.raw if error else b"",
        )
    if handed.verdict is Verdict.NOT_SENT:
        return Result(
            kind="not_sent",
            site=alert.site,
            alert=alert.id,
            channel=attempt.channel,
            code="not_sent",
            detail="Nothing could be handed to the provider in time, and nothing will be sent later. "
            + (error.sentence if error else ""),
            retryable=True,
            provider_raw=error.raw if error else b"",
        )
    assert error is not None
    return Result(
        kind="failed",
        site=alert.site,
        alert=alert.id,
        channel=attempt.channel,
        code=error.code,
        detail=error.sentence,
        retryable=error.fate in (Fate.RETRY, Fate.CONFIG),
        provider_raw=error.raw,
    )
