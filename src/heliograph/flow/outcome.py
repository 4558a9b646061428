"""What is written down of a hand-over: the attempt's state, what is due next, whether the alert has ended. Pure."""

from __future__ import annotations

from heliograph.core.alert import MOST_ATTEMPTS, Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.fallback import Need, enough, reached
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import detail
from heliograph.core.states import AlertState, AttemptState
from heliograph.core.webhook import Tell
from heliograph.errors import Fate, SendError
from heliograph.flow.handover import Handed, Verdict

AFTER_EXPIRY = 60_000  # ms past the end in which a late receipt may still come before the alert is called expired
FIRST_SETTLE = 5_000  # ms until a message in doubt is repeated, or a held alert that failed is tried again
LONGEST_PAUSE = 900_000  # ms between two tries of a held alert
_SENT = AttemptState.SENT.value
STATES = {
    Verdict.TAKEN: AttemptState.SENT,
    Verdict.FAILED: AttemptState.FAILED,
    Verdict.NOT_SENT: AttemptState.FAILED,
    Verdict.IN_DOUBT: AttemptState.IN_DOUBT,
}


def outcome_of(
    alert: Alert,
    attempt: Attempt,
    handed: Handed,
    follow: Attempt | None,
    now: int,
    left: float,
    keep: int | None,
    *,
    hold: int | None = None,
    others_open: bool = False,
    tell: Tell = None,
) -> Outcome:
    """`left`: seconds that the hand-over has left, below 0 where its time is over; the node's lease is longer by
    FIRST_SETTLE, and a failure that is not written by then is another node's to find out. `keep` (ms): how long a
    success is given back to the same call; None where no caller waits. `hold` (ms): there is another channel, but not
    before then. `others_open`: an earlier attempt may still arrive. `tell`: what the brand is told."""
    verdict, error = handed.verdict, handed.error
    if verdict is Verdict.TAKEN:
        return _taken(attempt, handed, now, tell)
    failed = verdict in (Verdict.FAILED, Verdict.NOT_SENT)
    reason = "not_sent" if verdict is Verdict.NOT_SENT else error.code if error else ""
    again: int | None = None
    retry = may_work_later(error)
    due: tuple[Due, ...] = ()
    if not failed:
        pause = FIRST_SETTLE * 2 ** min(handed.tries, 6) if verdict is Verdict.IN_DOUBT else None
        at = wake_at(attempt, STATES[verdict], now, pause)
        due = (Due(site=alert.site, kind="attempt", ref=attempt.id, at=at), *_step_row(attempt))
    elif follow is not None:
        due = rows_of(follow, now, now + int(left * 1000) + FIRST_SETTLE)
    else:
        again = _again(attempt, error, now, hold, waits=keep is not None)
        if again is not None:  # with the same channel once more, or by leaving it
            kind, ref = ("alert", alert.id) if retry else ("step", attempt.id)
            due = (Due(site=alert.site, kind=kind, ref=ref, at=again),)
        elif others_open:
            due = (Due(site=alert.site, kind="attempt", ref=attempt.id, at=end_of(attempt)),)
    ends = failed and follow is None and again is None and not others_open
    entry = Entry(
        at=now,
        kind=STATES[verdict].value,
        attempt=attempt.id,
        detail=detail(
            reason=reason,
            sentence=error.sentence if error else "",
            tries=handed.tries,
            again_at=again,
            next=follow.channel if follow else "",
            exchanges=handed.exchanges,
        ),
    )
    kept = {(row.kind, row.ref) for row in due}
    return Outcome(
        site=alert.site,
        alert=alert.id,
        attempt=attempt.id,
        state=STATES[verdict],
        reason=reason,
        tries=handed.tries,
        end=AlertState.FAILED if ends else None,
        alert_state=AlertState.SCHEDULED if again is not None else None,
        send_at=again,
        next=follow,
        unless=enough(attempt.need),
        due=due,
        done=tuple(row for row in done_with(attempt) if row not in kept) if failed else (),
        entries=(entry,),
        release=ends,
        gives_way=failed,
        until=now + int(left * 1000) + FIRST_SETTLE if failed else None,
        tell=tell,
    )


def _taken(attempt: Attempt, handed: Handed, now: int, tell: Tell) -> Outcome:
    """The usual one, without a look at what it might have been."""
    assert handed.taken is not None
    at = wake_at(attempt, AttemptState.SENT, now)
    told = detail(tries=handed.tries, exchanges=handed.exchanges)
    return Outcome(
        site=attempt.site,
        alert=attempt.alert,
        attempt=attempt.id,
        state=AttemptState.SENT,
        tries=handed.tries,
        references=handed.taken.references,
        raw=handed.taken.raw,
        due=(Due(site=attempt.site, kind="attempt", ref=attempt.id, at=at), *_step_row(attempt)),
        entries=(Entry(at=now, kind=_SENT, attempt=attempt.id, detail=told),),
        begun=attempt if attempt.number == 1 else None,
        tell=tell,
    )


def may_work_later(error: SendError | None) -> bool:
    """Whether the same sender may be tried again with a new message: nothing was taken, and the message is not at
    fault. None: the time ended before anything was handed over."""
    return error is None or error.fate in (Fate.RETRY, Fate.CONFIG)


def _again(attempt: Attempt, error: SendError | None, now: int, hold: int | None, *, waits: bool) -> int | None:
    """When an alert is looked at once more (ms): when another channel may be tried, and, where no caller `waits`, when
    the same one may work again. None where that would not help, would come after its end, or has no number left."""
    at = hold
    if attempt.number >= MOST_ATTEMPTS:
        return None
    if may_work_later(error) and not waits:
        pause = min(LONGEST_PAUSE, FIRST_SETTLE * 2 ** min(attempt.number, 10))
        if error is not None and error.retry_after is not None:
            pause = max(pause, int(error.retry_after * 1000))
        at = now + pause if hold is None else min(hold, now + pause)
    return at if at is not None and at < attempt.expires else None


def end_of(attempt: Attempt) -> int:
    """When an alert of which nothing more was heard is called expired (ms)."""
    return attempt.expires + AFTER_EXPIRY


def wake_at(attempt: Attempt, state: AttemptState, now: int, pause: int | None = None) -> int:
    """When an attempt that is now in `state` is looked at again (ms): after `pause`, when its step's time is over, or
    at its end. One that could not be left when its time was over is not looked at for that alone while in doubt."""
    times = [end_of(attempt)]
    if pause is not None:
        times.append(now + pause)
    at = attempt.leave_at if not reached(state, attempt.need) else None
    if at is not None and (at > now or state is AttemptState.SENT):
        times.append(at)
    return min(times)


def rows_of(attempt: Attempt, now: int, lease: int) -> tuple[Due, ...]:
    """The due rows that an attempt is born with. `lease` (ms): until then it belongs to the node that sends it."""
    row = Due(site=attempt.site, kind="attempt", ref=attempt.id, at=now, lease=lease)
    return (row, *_step_row(attempt, lease))


def _step_row(attempt: Attempt, lease: int = 0) -> tuple[Due, ...]:
    """For a step that needs `read`: a delivery ends the attempt's own row."""
    if attempt.need is not Need.READ or attempt.leave_at is None:
        return ()
    return (Due(site=attempt.site, kind="step", ref=attempt.id, at=attempt.leave_at, lease=lease),)


def done_with(attempt: Attempt) -> tuple[tuple[str, str], ...]:
    """The due rows of an attempt that nothing more is to be done about."""
    return (("attempt", attempt.id), *((row.kind, row.ref) for row in _step_row(attempt)))
