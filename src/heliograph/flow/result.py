"""What a caller is told of an alert, and how it is read back from the record for a repeat of the call."""

from __future__ import annotations

from typing import Literal

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.ports import Record
from heliograph.core.states import ASSUMED_SENT, AlertState, AttemptState

Kind = Literal["taken", "scheduled", "failed", "not_sent", "in_doubt", "begun"]

TAKEN = frozenset({AttemptState.SENT, AttemptState.DELIVERED, AttemptState.READ})


class Result(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`kind` is a row of the outcome table. `raw`: the provider's success body, unchanged; `provider_raw`: its error
    body. `code`, `detail`, `retryable` say why it failed. `send_at` (ms) where it is held. `replayed`: given back to
    a repeat of the call, nothing was sent. `transient`: the call has no id of its own. `begun`: nobody waited for
    the outcome; the record tells it."""

    kind: Kind
    site: str
    alert: str
    channel: str = ""
    raw: bytes = b""
    send_at: int | None = None
    code: str = ""
    detail: str = ""
    retryable: bool = False
    provider_raw: bytes = b""
    replayed: bool = False
    transient: bool = False


NO_RECEIPT = "no_receipt"  # the reason of an attempt that was taken and never heard of until its alert ended
NOT_IN_TIME = "not_in_time"  # the reason of an attempt that was taken back, since its step's time was over
NEVER_SETTLED = "never_settled"  # the reason of an attempt that was in doubt when its alert ended
IN_DOUBT = "The provider did not answer in time. The alert stays open and is settled by its receipt; do not repeat it."


def from_record(record: Record) -> Result | None:
    """The answer that the record gives now; None while the alert is still on its way to the provider."""
    alert = record.alert
    newest: Attempt | None = record.attempts[-1] if record.attempts else None
    # The first that was taken gave the call its answer; what came after it was on our own account.
    taken = next((attempt for attempt in record.attempts if _was_taken(attempt)), None)
    if taken is not None:
        return Result(kind="taken", site=alert.site, alert=alert.id, channel=taken.channel, raw=taken.raw)
    if alert.state is AlertState.SCHEDULED:
        return Result(kind="scheduled", site=alert.site, alert=alert.id, send_at=alert.send_at)
    # One that stayed in doubt to its end is still in doubt for its caller: the message may have arrived.
    if newest is not None and (newest.state is AttemptState.IN_DOUBT or newest.reason in (NEVER_SETTLED, ASSUMED_SENT)):
        return Result(
            kind="in_doubt",
            site=alert.site,
            alert=alert.id,
            channel=newest.channel,
            code="in_doubt",
            detail=IN_DOUBT,
        )
    return None


def _was_taken(attempt: Attempt) -> bool:
    if attempt.reason == ASSUMED_SENT:
        return False  # its answer was lost: nobody has it to give
    return attempt.state in TAKEN or bool(attempt.references) or attempt.reason == NO_RECEIPT
