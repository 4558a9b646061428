"""Runs the steps of a decision: hand over, write the outcome, go to the next channel while nothing was taken.

An alert leaves a channel only when that channel said no; an attempt in doubt is never followed by another channel
here, because the first may still arrive.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heliograph.core.alert import Alert, Attempt
from heliograph.core.channel import Capability, Reach
from heliograph.core.content import Content
from heliograph.core.event import Entry
from heliograph.core.plan import Step
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import detail
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import Fate, SendError, StoreAway
from heliograph.flow import facts
from heliograph.flow.handover import Handed, Verdict, hand_over
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender
from heliograph.flow.result import IN_DOUBT, Result, from_record

AFTER_EXPIRY = 60_000  # ms past the end in which a late receipt may still come before the alert is called expired
FIRST_SETTLE = 5_000  # ms until a message in doubt is repeated, or a held alert that failed is tried again
LONGEST_PAUSE = 900_000  # ms between two tries of a held alert
STATES = {
    Verdict.TAKEN: AttemptState.SENT,
    Verdict.FAILED: AttemptState.FAILED,
    Verdict.NOT_SENT: AttemptState.FAILED,
    Verdict.IN_DOUBT: AttemptState.IN_DOUBT,
}


def new_attempt(
    alert: Alert, step: Step, contents: Mapping[str, Content], traffic: str, means: Means, number: int = 1
) -> Attempt:
    """The intent to try a channel; its id travels with the message."""
    return Attempt(
        id=means.clock.new_id(),
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
    outcome = _outcome(alert, attempt, handed, follow, means, deadline, keep)
    try:
        return await means.store.outcome(outcome)
    except StoreAway:
        means.log("error", "The outcome could not be written.", action="outcome.lost", alert=alert.id)
        return None


def _outcome(
    alert: Alert,
    attempt: Attempt,
    handed: Handed,
    follow: Attempt | None,
    means: Means,
    deadline: float,
    keep: int | None,
) -> Outcome:
    now = means.clock.now()
    verdict, error = handed.verdict, handed.error
    taken = verdict is Verdict.TAKEN
    failed = verdict in (Verdict.FAILED, Verdict.NOT_SENT)
    reason = "" if taken else "not_sent" if verdict is Verdict.NOT_SENT else error.code if error else ""
    again = _again(attempt, error, now) if failed and follow is None and keep is None else None
    due: tuple[Due, ...] = ()
    if not failed:
        at = attempt.expires + AFTER_EXPIRY
        if verdict is Verdict.IN_DOUBT:
            at = min(at, now + FIRST_SETTLE * 2 ** min(handed.tries, 6))
        due = (Due(site=alert.site, kind="attempt", ref=attempt.id, at=at),)
    elif follow is not None:
        lease = now + int(max(0.0, deadline - means.clock.loop_time()) * 1000) + FIRST_SETTLE
        due = (Due(site=alert.site, kind="attempt", ref=follow.id, at=now, lease=lease),)
    elif again is not None:
        due = (Due(site=alert.site, kind="alert", ref=alert.id, at=again),)
    ends = failed and follow is None and again is None
    entry = Entry(
        at=now,
        kind=STATES[verdict].value,
        attempt=attempt.id,
        detail=detail(
            reason=reason,
            sentence=error.sentence if error and not taken else "",
            tries=handed.tries,
            again_at=again,
            exchanges=handed.exchanges,
        ),
    )
    return Outcome(
        site=alert.site,
        alert=alert.id,
        attempt=attempt.id,
        state=STATES[verdict],
        reason=reason,
        tries=handed.tries,
        references=handed.taken.references if handed.taken else (),
        raw=handed.taken.raw if handed.taken else b"",
        end=AlertState.FAILED if ends else None,
        alert_state=AlertState.SCHEDULED if again is not None else None,
        send_at=again,
        next=follow,
        due=due,
        done=(("attempt", attempt.id),) if failed else (),
        entries=(entry,),
        keep_until=keep if not failed else None,
        release=ends,
        gives_way=failed,
    )


def _again(attempt: Attempt, error: SendError | None, now: int) -> int | None:
    """When an alert that nobody waits for is tried once more (ms), with a new message: nothing was taken. None where
    that would not help, or would come after the alert's end."""
    if error is not None and error.fate not in (Fate.RETRY, Fate.CONFIG):
        return None
    pause = min(LONGEST_PAUSE, FIRST_SETTLE * 2 ** min(attempt.number, 10))
    if error is not None and error.retry_after is not None:
        pause = max(pause, int(error.retry_after * 1000))
    return now + pause if now + pause < attempt.expires else None


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
