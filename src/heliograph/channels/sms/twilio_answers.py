"""What Twilio's answers mean, as tables: its codes → our reason, fate and blame in words; its statuses → our states.

One table of codes serves both ways in which Twilio says them: as the answer to a call, and as `ErrorCode` of a receipt
(a receipt has no fate; its reason is what counts). Source: twilio.com/docs/api/errors/<code>; (r) = recalled.
"""

from __future__ import annotations

import msgspec

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.core.ports import Response
from heliograph.core.states import AttemptState
from heliograph.errors import Blame, Fate, SendError

WHO = "Twilio"

_CREDENTIALS = Row(
    "credentials_refused",
    Fate.CONFIG,
    "the credentials were refused. Check account_sid with auth_token, or api_key with api_secret.",
    Blame.US,
)
_ACCOUNT = Row("sender_not_usable", Fate.CONFIG, "the account is suspended or not active.", Blame.US)
_NO_ACCOUNT = Row(
    "sender_not_usable", Fate.CONFIG, "no such account at this address. Check account_sid and base_url.", Blame.US
)
_FROM = Row(
    "sender_not_usable",
    Fate.CONFIG,
    "the number in `from` is not the account's, or cannot send SMS. Check it in Twilio's console.",
    Blame.US,
)
_POOL = Row(
    "sender_not_usable",
    Fate.CONFIG,
    "the Messaging Service is unknown or has no number that can send. Check messaging_service_sid.",
    Blame.US,
)
_REGISTRATION = Row(
    "sender_not_usable",
    Fate.CONFIG,
    "the number is not registered or not verified for this traffic (10DLC, toll-free).",
    Blame.US,
)
_BAD_NUMBER = Row("invalid_recipient", Fate.NEXT_CHANNEL, "the recipient's number cannot receive SMS.", Blame.RECIPIENT)
_NOT_THERE = Row("cannot_reach", Fate.NEXT_CHANNEL, "the phone could not be reached.", Blame.RECIPIENT)
_UNKNOWN_NUMBER = Row(
    "unknown_recipient", Fate.NEXT_CHANNEL, "the number is unknown or no longer in service.", Blame.RECIPIENT
)
_NO_ROUTE = Row(
    "cannot_reach", Fate.NEXT_CHANNEL, "Twilio has no route from this sender to the recipient.", Blame.RECIPIENT
)
_NOT_FOR_US = Row(
    "sender_not_allowed",
    Fate.NEXT_CHANNEL,
    "the account may not send to this recipient: the country is not enabled, or a trial account and the number is not "
    "verified.",
    Blame.US,
)
_STOPPED = Row(
    "opted_out", Fate.PERMANENT, "the recipient has written STOP to this sender; only START lifts it.", Blame.RECIPIENT
)
_BLOCKED = Row("blocked", Fate.NEXT_CHANNEL, "the recipient or the network blocks this sender.", Blame.RECIPIENT)
_FILTERED = Row("policy", Fate.PERMANENT, "Twilio or a network filtered the message.", Blame.CALLER)
_TOO_MUCH = Row("throttled", Fate.RETRY, "too many messages at once, or the sender's queue is full.")
_DAY_IS_FULL = Row("throttled", Fate.NEXT_CHANNEL, "the sender's daily limit is reached.", Blame.US)
_NETWORK = Row("channel_fault", Fate.NEXT_CHANNEL, "the network behind Twilio failed.")
_NO_REASON = Row("rejected", Fate.NEXT_CHANNEL, "the network gave no reason.")
_INVALID = Row("invalid_message", Fate.PERMANENT, "the message is not valid for SMS.", Blame.CALLER)
_TOO_LONG = Row("too_large", Fate.PERMANENT, "the message is longer than 1,600 characters.", Blame.CALLER)
_MEDIA_SIZE = Row("too_large", Fate.PERMANENT, "a medium is too large.", Blame.CALLER)
_MEDIA_TYPE = Row("media_unsupported", Fate.PERMANENT, "a medium has a type that cannot be sent.", Blame.CALLER)
_MEDIA_AWAY = Row("media_unreachable", Fate.PERMANENT, "Twilio could not fetch a medium.", Blame.CALLER)
_NO_MMS = Row("unsupported", Fate.NEXT_CHANNEL, "MMS cannot be sent from this sender to this number.", Blame.US)
_LATE = Row("expired", Fate.PERMANENT, "the validity period ended before the message left.", Blame.PROVIDER)
_NO_CONTENT = Row("template_unknown", Fate.PERMANENT, "there is no such Content (HX…).", Blame.CALLER)
_VALUES = Row("template_parameters", Fate.PERMANENT, "the values do not fit the Content's variables.", Blame.CALLER)
_CALLBACK = Row(
    "sender_not_usable",
    Fate.CONFIG,
    "the StatusCallback is not an address that Twilio can call. Set HELIOGRAPH_PUBLIC_URL to the public one.",
    Blame.US,
)

CODES: dict[int, Row] = {
    # The account and its credentials
    10001: _ACCOUNT,
    20003: _CREDENTIALS,
    20005: _ACCOUNT,
    20006: _CREDENTIALS,
    20403: _CREDENTIALS,
    20404: _NO_ACCOUNT,
    20429: _TOO_MUCH,
    # The recipient
    21211: _BAD_NUMBER,
    21265: _BAD_NUMBER,  # a short code
    21266: _BAD_NUMBER,  # the sender itself
    21408: _NOT_FOR_US,
    21604: Row("invalid_message", Fate.PERMANENT, "the message has no recipient.", Blame.US),
    21608: _NOT_FOR_US,
    21610: _STOPPED,
    21612: _NO_ROUTE,
    21614: _BAD_NUMBER,
    21635: _BAD_NUMBER,  # a landline
    # The sender
    21212: _FROM,
    21601: _FROM,
    21603: Row("sender_not_usable", Fate.CONFIG, "the message has no sender. Set from.", Blame.US),
    21606: _FROM,
    21607: _FROM,
    21609: _CALLBACK,
    21611: _TOO_MUCH,
    21659: _FROM,
    21660: _FROM,
    21661: _FROM,
    21701: _POOL,
    21702: _POOL,
    21703: _POOL,
    21704: _POOL,
    21705: _POOL,
    # The message
    21602: _INVALID,
    21605: _TOO_LONG,
    21617: _TOO_LONG,
    21619: _INVALID,
    21620: _MEDIA_AWAY,
    21623: _INVALID,  # more than ten media
    21624: Row("invalid_message", Fate.PERMANENT, "the validity period is not 1 to 36,000 s.", Blame.US),
    21654: _NO_CONTENT,
    21655: _NO_CONTENT,
    21656: _VALUES,
    # What receipts say
    30001: _TOO_MUCH,  # ten hours in the queue
    30002: _ACCOUNT,
    30003: _NOT_THERE,
    30004: _BLOCKED,
    30005: _UNKNOWN_NUMBER,
    30006: _BAD_NUMBER,  # a landline, or a network that the sender does not reach
    30007: _FILTERED,
    30008: _NO_REASON,
    30009: Row("part_lost", Fate.PERMANENT, "a part of the message was lost."),
    30011: _NO_MMS,  # (r)
    30017: _NETWORK,  # congestion
    30019: _MEDIA_SIZE,
    30022: _TOO_MUCH,
    30023: _DAY_IS_FULL,
    30024: Row("sender_not_allowed", Fate.NEXT_CHANNEL, "the network does not take this sender.", Blame.US),
    30027: _DAY_IS_FULL,
    30032: _REGISTRATION,
    30034: _REGISTRATION,
    30036: _LATE,  # (r)
    30410: _NETWORK,  # the next provider did not answer in time
    # Content API and channels behind it
    63001: Row("credentials_refused", Fate.CONFIG, "the channel behind Twilio refused the sender.", Blame.US),
    63003: _UNKNOWN_NUMBER,
    63005: _INVALID,
    63012: _NETWORK,
    63013: _FILTERED,
    63014: _BLOCKED,
    63015: Row("not_opted_in", Fate.NEXT_CHANNEL, "the recipient has not joined Twilio's sandbox.", Blame.RECIPIENT),
    63016: Row("outside_window", Fate.NEXT_CHANNEL, "the recipient's window is closed.", Blame.CALLER),
    63018: _TOO_MUCH,
    63019: _MEDIA_AWAY,
    63024: _BAD_NUMBER,
    63027: Row("template_language", Fate.PERMANENT, "the Content has no such language.", Blame.CALLER),
    63028: _VALUES,
    63032: Row("recipient_cap", Fate.NEXT_CHANNEL, "the recipient gets no more for now.", Blame.RECIPIENT),
    63034: _MEDIA_SIZE,
    63035: Row("sender_not_allowed", Fate.NEXT_CHANNEL, "the RCS sender is not launched there.", Blame.US),
    63036: _NOT_THERE,
    63038: _DAY_IS_FULL,
    63041: Row("template_paused", Fate.PERMANENT, "the Content is paused.", Blame.CALLER),
}

# Answers without a code of the table. After a 5xx or a 408 nobody knows whether the message was taken: Twilio takes a
# repeat for a second message, so it is in doubt. A 429 was not processed.
STATUSES: dict[int, Row] = {
    300: Row("sender_not_usable", Fate.CONFIG, "a redirect. base_url is wrong; nothing was sent.", Blame.US),
    400: Row("invalid_message", Fate.PERMANENT, "the message is not valid.", Blame.CALLER),
    401: _CREDENTIALS,
    403: _CREDENTIALS,
    404: _NO_ACCOUNT,
    408: Row("provider_fault", Fate.UNKNOWN, "it was too slow; the message may have been taken."),
    413: _TOO_LONG,
    429: _TOO_MUCH,
    500: Row("provider_fault", Fate.UNKNOWN, "a fault on its side; the message may have been taken."),
}

# MessageStatus → the state of the attempt. What Twilio holds or passes on is `sent`: it was taken. Where the word is
# an end without an ErrorCode, the second is the reason.
STATES: dict[str, tuple[AttemptState, str]] = {
    "accepted": (AttemptState.SENT, ""),
    "scheduled": (AttemptState.SENT, ""),
    "queued": (AttemptState.SENT, ""),
    "sending": (AttemptState.SENT, ""),
    "sent": (AttemptState.SENT, ""),
    "partially_delivered": (AttemptState.SENT, "part_lost"),  # some of it is there: no reason for another channel
    "delivered": (AttemptState.DELIVERED, ""),
    "read": (AttemptState.READ, ""),
    "undelivered": (AttemptState.FAILED, "rejected"),
    "failed": (AttemptState.FAILED, "unknown"),
    "canceled": (AttemptState.REVOKED, ""),
}


class _Refusal(msgspec.Struct):
    code: int | None = None
    message: str = ""


def refused(response: Response) -> SendError:
    """The error that an answer other than 2xx means."""
    said = _refusal(response)
    row = CODES.get(said.code or 0)
    # A gateway may put a code into a 5xx; what it knows of the message is still nothing.
    if row is None or response.status in (408, 429) or response.status >= 500:
        return kit.error_from(response, STATUSES, who=WHO, detail=said.message)
    return kit.error(row, response, who=WHO, detail=said.message)


def knows_no_such(response: Response) -> bool:
    """A 404 of Twilio's own; one of a web server that does not know the path is a wrong base_url."""
    return response.status == 404 and _refusal(response).code == 20404


def became(status: str, code: str) -> tuple[AttemptState, str] | None:
    """(state, our reason) of a MessageStatus and its ErrorCode ("" = none); None for a word that is not known."""
    known = STATES.get(status)
    if known is None:
        return None
    state, reason = known
    if state is AttemptState.FAILED and code not in ("", "0"):
        row = CODES.get(int(code)) if code.isascii() and code.isdigit() else None
        reason = row.code if row else "unknown"
        if reason == "expired":
            state = AttemptState.EXPIRED
    return state, reason


def _refusal(response: Response) -> _Refusal:
    try:
        return msgspec.json.decode(response.body, type=_Refusal)
    except kit.UNREADABLE:
        return _Refusal()
