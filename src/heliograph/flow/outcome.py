"""What is written down of a hand-over: the attempt's state, what is due next, whether the alert has ended. Pure."""

from __future__ import annotations

from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.ports import Due, Outcome
from heliograph.core.record import detail
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import Fate, SendError
from heliograph.flow.handover import Handed, Verdict

AFTER_EXPIRY = 60_000  # ms past the end in which a late receipt may still come before the alert is called expired
FIRST_SETTLE = 5_000  # ms until a message in doubt is repeated, or a held alert that failed is tried again
LONGEST_PAUSE = 900_000  # ms between two tries of a held alert
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
) -> Outcome:
    """`left`: seconds that the call has left. `keep` (ms): how long a success is given back to the same call; None
    where no caller waits."""
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
        lease = now + int(left * 1000) + FIRST_SETTLE
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
        begun=attempt if taken and attempt.number == 1 else None,
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
