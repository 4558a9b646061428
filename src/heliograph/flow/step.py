"""Runs the steps of a decision: hand over, write the outcome, go to the next channel while nothing was taken.

Here an alert leaves a channel only when that channel said no; an attempt in doubt is never followed by another one,
because the first may still arrive. What was taken and does not arrive is left later (follow.py, leave.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.channel import Capability, Reach
from heliograph.core.content import Content
from heliograph.core.plan import Step
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import Fate, SendError, StoreAway
from heliograph.flow import facts, senders
from heliograph.flow.handover import Handed, Verdict, hand_over
from heliograph.flow.means import Means
from heliograph.flow.onward import Way, onward
from heliograph.flow.outcome import may_work_later, outcome_of
from heliograph.flow.registry import OpenSender
from heliograph.flow.result import IN_DOUBT, Result, from_record

LOOKS = 3  # times that a decision is made again because something came between
OPEN = frozenset({AttemptState.INTENDED, AttemptState.SENDING, AttemptState.IN_DOUBT, AttemptState.SENT})


def new_attempt(
    alert: Alert,
    step: Step,
    contents: Mapping[str, Content],
    traffic: str,
    means: Means,
    number: int = 1,
    passed: tuple[str, ...] = (),
) -> Attempt:
    """The intent to try a channel; its id travels with the message. `passed`: the channels that the alert has left."""
    now = means.clock.now()
    leave_at = now + step.within * 1000 if step.within is not None else None
    return Attempt(
        id=attempt_id(alert.id, number),
        alert=alert.id,
        site=alert.site,
        number=number,
        channel=step.channel,
        provider=step.provider,
        sender=step.sender,
        recipient=alert.recipient,
        content=contents[step.sender],
        expires=alert.expires,
        created=now,
        traffic=traffic,
        state=AttemptState.SENDING,
        test=alert.test,
        need=step.need,
        leave_at=leave_at if leave_at is not None and leave_at < alert.expires else None,
        overlap=step.overlap,
        passed=passed,
        window_ends=step.window_ends,
    )


async def run(
    alert: Alert,
    attempt: Attempt,
    means: Means,
    *,
    deadline: float,
    keep: int | None,
    in_doubt: bool = False,
) -> Result:
    """Hands over `attempt`, and where it is refused the next step, until one is taken. `keep` (ms): how long a success
    is given back to the same call; None where no caller waits, and then what may still work is tried again until the
    alert's end."""
    tried: set[str] = set()
    while True:
        opened = means.registry.sender_of(attempt)
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
        tried.add(attempt.sender)
        written = await _settle(alert, attempt, handed, tried, means, deadline, keep)
        if isinstance(written, Result):
            return written
        if written is None:
            means.meters.alert(handed.verdict.value, attempt.channel)
            return _result(alert, attempt, handed)
        if isinstance(written, Handed):
            means.meters.alert(written.verdict.value, attempt.channel)
            return _result(alert, attempt, written)
        attempt, in_doubt = written, False


async def _settle(
    alert: Alert, attempt: Attempt, handed: Handed, tried: set[str], means: Means, deadline: float, keep: int | None
) -> Attempt | Result | Handed | None:
    """Writes what became of the hand-over, and with a no the intent to take the next step. That one; or what the record
    says instead; or what is true where the store is away; or None: nothing comes after it."""
    if handed.verdict is Verdict.TAKEN:
        try:
            tell = means.registry.tells(alert.site)
            taken = outcome_of(alert, attempt, handed, None, means.clock.now(), 0.0, keep, tell=tell)
            await means.store.outcome(taken)
        except StoreAway:  # what the provider said stands all the same: the attempt's due row is there and settles it
            means.log("error", "The outcome could not be written.", action="outcome.lost", alert=alert.id)
        return None
    for _ in range(LOOKS):
        way = Way()
        if handed.verdict is Verdict.FAILED and means.clock.loop_time() < deadline:
            way = await _way(alert, attempt, handed, tried, means, deadline)
        elif handed.verdict is Verdict.FAILED and keep is None:
            way = Way(hold=means.clock.now())  # there is no time left to look now, and no caller to be told
        now = means.clock.now()
        follow = None
        if way.step is not None:
            follow = new_attempt(alert, way.step, way.contents, way.traffic, means, attempt.number + 1, way.passed)
        left = deadline - means.clock.loop_time()
        earlier = keep is None and attempt.number > 1
        try:
            others = earlier and await others_open(attempt, means)
            tell = means.registry.tells(alert.site)
            outcome = outcome_of(
                alert, attempt, handed, follow, now, left, keep, hold=way.hold, others_open=others, tell=tell
            )
            if await means.store.outcome(outcome):
                if keep is not None and outcome.alert_state is AlertState.SCHEDULED:
                    means.meters.alert("scheduled", "")
                    return Result(kind="scheduled", site=alert.site, alert=alert.id, send_at=outcome.send_at)
                return follow
            record = await means.store.record(alert.id)
        except StoreAway:
            # What the provider said stands all the same: the attempt's due row is still there and settles it. A failure
            # that is not on disk cannot be promised, since that row may send it later.
            means.log("error", "The outcome could not be written.", action="outcome.lost", alert=alert.id)
            return Handed(verdict=Verdict.IN_DOUBT, tries=handed.tries, error=handed.error)
        # Something came between: a yes (its lease was lost, and the node that took it over heard it), an opt-out, or
        # the same decision of another node.
        told = from_record(record) if record else None
        if told is not None:
            return told
        if record is None or record.attempts[-1].id != attempt.id:
            break
    return Handed(verdict=Verdict.IN_DOUBT, tries=handed.tries, error=handed.error)


async def _way(alert: Alert, attempt: Attempt, handed: Handed, tried: set[str], means: Means, deadline: float) -> Way:
    """After a failure of the sender's own another sender of the channel may be tried, else only another channel."""
    passed = attempt.passed if may_work_later(handed.error) else (*attempt.passed, attempt.channel)
    try:
        return await onward(alert, passed, means, deadline=deadline, tried=tried)
    except StoreAway:
        return Way()  # then the outcome cannot be written either


async def others_open(attempt: Attempt, means: Means) -> bool:
    """Whether an earlier attempt of the alert may still arrive: one that was left and not taken back."""
    record = await means.store.record(attempt.alert)
    return record is not None and any(one.id != attempt.id and one.state in OPEN for one in record.attempts)


def _learn(alert: Alert, attempt: Attempt, opened: OpenSender, handed: Handed, means: Means) -> None:
    """What this exchange says of the sender and of the recipient's capability."""
    senders.note(opened, handed.verdict is Verdict.TAKEN, handed.error, means)
    if handed.verdict is Verdict.TAKEN:
        senders.succeeded(opened, means)
        return
    error = handed.error
    if error is None or handed.verdict is Verdict.IN_DOUBT:
        return
    if error.fate is Fate.CONFIG:
        senders.pause(opened, f"config: {error.code}", means)
    elif error.code == "sender_not_allowed":
        senders.marked(opened, attempt.recipient, means)
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
