"""What an operator says of an attempt that stays in doubt: it was sent, it failed, or it shall be sent again.

Only the record is changed here, in one transaction that nobody can come between. What follows from it (the next
channel, the end, the new message) a running server does, by the due row, as if it had found out by itself.
"""

from __future__ import annotations

from typing import Literal

from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.ports import Due, Outcome, Record, Store
from heliograph.core.record import detail
from heliograph.core.states import ENDS, AlertState, AttemptState, doubtful
from heliograph.errors import SetupError
from heliograph.flow.outcome import done_with, wake_at

As = Literal["sent", "failed", "resend"]
SETTLED_SENT = "settled_sent"  # reasons, see core.reason
SETTLED_FAILED = "settled_failed"
SENT_AGAIN = "sent_again"


async def settle(alert: str, what: As, store: Store, *, by: str, why: str, now: int) -> Attempt:
    """Settles the newest attempt of an alert that is in doubt, or passes for sent by the site's rule, and gives it back
    as it was. Raises SetupError where there is none, where a node is asking the provider at this moment, and for
    `resend` where the alert has ended, got through otherwise, or went on to another channel."""
    record = await store.record(alert)
    if record is None:
        raise SetupError(f"There is no alert {alert}. `heliograph alerts list` shows the newest.", code="unknown_alert")
    attempt = _doubted(record)
    if what == "resend":
        _may_resend(record, attempt, now)
    if not await store.outcome(_outcome(record.alert, attempt, what, by, why, now)):
        now_is = await store.attempt(attempt.id)
        if now_is is not None and now_is.state is not attempt.state:
            raise SetupError(
                f"The attempt was settled in this moment: it is {now_is.state.value}. Nothing was changed.",
                code="settled_already",
            )
        raise SetupError(
            "The server is asking the provider about this attempt at this moment. Nothing was changed; look again in a "
            f"minute: `heliograph alerts show {alert}`.",
            code="being_settled",
        )
    return attempt


def _doubted(record: Record) -> Attempt:
    for attempt in reversed(record.attempts):
        if doubtful(attempt.state, attempt.reason):
            return attempt
    raise SetupError(
        f"Nothing of the alert {record.alert.id} is in doubt: it is {record.alert.state.value}. "
        "`heliograph alerts list --state in_doubt` shows those that are.",
        code="not_in_doubt",
    )


def _may_resend(record: Record, attempt: Attempt, now: int) -> None:
    alert = record.alert
    if alert.state in ENDS or now >= alert.expires:
        raise SetupError(
            f"The alert {alert.id} is past its end, and a stale alert is worse than none. Send a new one.",
            code="past_its_end",
        )
    if alert.state in (AlertState.DELIVERED, AlertState.READ):
        raise SetupError(
            f"The alert {alert.id} is {alert.state.value}: it got through otherwise, and sending it again would be a "
            "second message. Settle the attempt with `sent` or `failed`.",
            code="got_through",
        )
    if record.attempts[-1].id != attempt.id:
        raise SetupError(
            f"The alert {alert.id} went on to {record.attempts[-1].channel} after this attempt. Settle the attempt "
            "with `sent` or `failed`; what it is on now goes on by itself.",
            code="went_on",
        )


def _outcome(alert: Alert, attempt: Attempt, what: As, by: str, why: str, now: int) -> Outcome:
    entry = Entry(at=now, kind="settled", by=by, attempt=attempt.id, detail=detail(settled=what, why=why))
    state, reason, alert_state, send_at = AttemptState.FAILED, SETTLED_FAILED, None, None
    due: tuple[Due, ...] = ()
    done: tuple[tuple[str, str], ...] = ()
    if what == "sent":
        state, reason = AttemptState.SENT, SETTLED_SENT
        due = (Due(site=alert.site, kind="attempt", ref=attempt.id, at=wake_at(attempt, state, now)),)
    elif what == "failed":
        due = (Due(site=alert.site, kind="attempt", ref=attempt.id, at=now),)
    else:
        reason, alert_state, send_at = SENT_AGAIN, AlertState.SCHEDULED, now
        due = (Due(site=alert.site, kind="alert", ref=alert.id, at=now),)
        done = done_with(attempt)
    return Outcome(
        site=alert.site,
        alert=alert.id,
        attempt=attempt.id,
        state=state,
        reason=reason,
        tries=attempt.tries,
        expects=attempt.state,
        alert_state=alert_state,
        send_at=send_at,
        due=due,
        done=done,
        entries=(entry,),
    )
