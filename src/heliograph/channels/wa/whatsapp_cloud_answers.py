"""What WhatsApp's errors mean: ONE table, Meta's code → our reason, its fate, the reason in words. It serves refused
calls and failed messages in webhooks alike.

Meta says to act on the code and never on the title or the status. Source: developers.facebook.com
…/business-messaging/whatsapp/support/error-codes (15 May 2026); (r) = recalled.
"""

from __future__ import annotations

import msgspec

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.core.ports import Response
from heliograph.errors import Blame, Fate, SendError

WHO = "WhatsApp"
PAIR = 131056  # too many messages to one recipient
ALL = frozenset({4, 80007, 130429, 131048})  # too many of the number's, the account's or the app's: all wait

_TOKEN = Row(
    "credentials_refused",
    Fate.CONFIG,
    "the access token is not valid or has ended. Give the sender a new one and apply the site.",
    Blame.US,
)
_PERMISSION = Row(
    "credentials_refused",
    Fate.CONFIG,
    "the access token lacks a permission; it needs whatsapp_business_messaging for this account.",
    Blame.US,
)
_SENDER = Row(
    "sender_not_usable",
    Fate.CONFIG,
    "the phone number id is not known, not registered, or not this token's. Check phone_number_id.",
    Blame.US,
)
_ACCOUNT = Row("sender_not_usable", Fate.CONFIG, "the account is locked or restricted; see WhatsApp Manager.", Blame.US)
_BUSY = Row("provider_fault", Fate.RETRY, "a fault on its side; the message was not taken.")
_WRONG = Row("invalid_message", Fate.PERMANENT, "the message is not valid for WhatsApp.", Blame.CALLER)
_PARAMETERS = Row(
    "template_parameters", Fate.PERMANENT, "the values do not fit the template as it is at Meta.", Blame.CALLER
)
_PAUSED = Row(
    "template_paused", Fate.PERMANENT, "Meta has paused or disabled the template for its quality.", Blame.CALLER
)

ERRORS: dict[int, Row] = {
    0: _TOKEN,
    1: _BUSY,
    2: _BUSY,
    3: _PERMISSION,
    4: Row("throttled", Fate.RETRY, "the app makes too many calls."),
    10: _PERMISSION,
    33: _SENDER,
    100: _WRONG,
    190: _TOKEN,
    368: Row("policy", Fate.CONFIG, "the account is blocked for breaking a policy; see WhatsApp Manager.", Blame.US),
    80007: Row("throttled", Fate.RETRY, "the account makes too many calls."),
    130429: Row("throttled", Fate.RETRY, "the number's messages per second are used up."),
    130472: Row(
        "recipient_cap",
        Fate.NEXT_CHANNEL,
        "the recipient is in an experiment of Meta's and gets none.",
        Blame.RECIPIENT,
    ),
    # Not sender_not_allowed, three of which in a row pause a sender: it is one country, the others are reached.
    130497: Row("policy", Fate.NEXT_CHANNEL, "the account may not write to the recipient's country.", Blame.US),
    131000: _BUSY,
    131005: _PERMISSION,
    131008: _WRONG,
    131009: _WRONG,
    131016: _BUSY,
    131021: Row("invalid_recipient", Fate.NEXT_CHANNEL, "the recipient is the sending number itself.", Blame.RECIPIENT),
    131026: Row(
        "cannot_reach",
        Fate.NEXT_CHANNEL,
        "the recipient is not on WhatsApp, has an old version or has not accepted its terms.",
        Blame.RECIPIENT,
    ),
    131030: Row(
        "sender_not_allowed", Fate.NEXT_CHANNEL, "a test number writes only to the recipients on its list.", Blame.US
    ),
    131031: _ACCOUNT,
    131037: Row("sender_not_usable", Fate.CONFIG, "the number's display name is not approved.", Blame.US),
    131042: Row("payment", Fate.CONFIG, "the account has no valid payment method.", Blame.US),
    131045: _SENDER,
    131047: Row(
        "outside_window",
        Fate.NEXT_CHANNEL,
        "the recipient has not written within 24 hours; only a template may be sent.",
        Blame.RECIPIENT,
    ),
    131048: Row("throttled", Fate.RETRY, "too many of the number's messages were blocked or called spam."),
    131049: Row(
        "recipient_cap",
        Fate.NEXT_CHANNEL,
        "Meta holds it back, since this recipient got enough of such messages; not again within 24 hours.",
        Blame.RECIPIENT,
    ),
    131050: Row("opted_out", Fate.NEXT_CHANNEL, "the recipient wants no marketing messages.", Blame.RECIPIENT),
    131051: Row("unsupported", Fate.PERMANENT, "WhatsApp has no such type of message.", Blame.CALLER),
    131052: Row("media_unreachable", Fate.PERMANENT, "Meta could not fetch the medium.", Blame.CALLER),
    131053: Row("media_unsupported", Fate.PERMANENT, "the medium's type or content is not what it says.", Blame.CALLER),
    PAIR: Row("throttled", Fate.RETRY, "this recipient got too many messages in too short a time."),
    131057: Row("provider_fault", Fate.RETRY, "the account is in maintenance, for a minute at most."),
    132000: _PARAMETERS,
    132001: Row(
        "template_unknown", Fate.PERMANENT, "there is no approved template of this name in this language.", Blame.CALLER
    ),
    132005: Row("too_large", Fate.PERMANENT, "the template is too long with these values.", Blame.CALLER),
    132007: Row("policy", Fate.PERMANENT, "the template's content breaks a policy.", Blame.CALLER),
    132012: _PARAMETERS,
    132015: _PAUSED,
    132016: _PAUSED,
    132018: _PARAMETERS,  # (r)
    132068: Row("unsupported", Fate.PERMANENT, "the template's flow is blocked.", Blame.CALLER),
    132069: Row("throttled", Fate.RETRY, "the template's flow is throttled."),
    133004: _BUSY,
    133010: _SENDER,
    133016: Row("throttled", Fate.RETRY, "the number was registered and deregistered too often."),
    135000: _WRONG,
}

# A code that the table does not know says no all the same. Whether of the message or of the recipient cannot be told,
# so the alert goes to the next channel and the code is kept in the record.
UNKNOWN = Row("unknown", Fate.NEXT_CHANNEL, "a code that this version does not know; nothing was sent.")
UNKNOWN_FAULT = Row("provider_fault", Fate.RETRY, "a fault on its side; the message was not taken.")

# Answers without Meta's error in them, by status: a proxy's, a gateway's, or another server's. What stands behind a
# gateway may have taken the message, and WhatsApp takes a repeat for another message: in doubt.
_SILENT = Row("no_answer", Fate.UNKNOWN, "no answer came from behind its gateway; it may have been taken.")
STATUSES = {
    300: Row("wrong_address", Fate.CONFIG, "a redirect. base_url or version is wrong; nothing was sent.", Blame.US),
    400: _WRONG,
    401: _TOKEN,
    403: _PERMISSION,
    404: Row("wrong_address", Fate.CONFIG, "no such address. Check base_url and version.", Blame.US),
    408: _SILENT,
    413: Row("too_large", Fate.PERMANENT, "the message or file is too large for WhatsApp.", Blame.CALLER),
    429: Row("throttled", Fate.RETRY, "too many calls."),
    500: _SILENT,
}
_UPLOAD_FAILED = Row("upload_failed", Fate.RETRY, "a fault on its side; the file is uploaded again.")

# Seconds to wait where the answer does not say (r): a second's messages are free again within a second, calls are
# counted by the hour.
_WAITS = {4: 60.0, 80007: 60.0, 130429: 1.0, 131048: 60.0, 131057: 20.0, 132069: 60.0, 133016: 3600.0}
_WAIT = 2.0  # for a 429 without a code

_MISSING_OBJECT = (100, 33)  # code and subcode of "no such object, or not yours"


class _Data(msgspec.Struct):
    details: str = ""


class Fault(msgspec.Struct):
    """Meta's error, in an answer or in a webhook."""

    code: int = -1
    error_subcode: int = 0
    message: str = ""
    title: str = ""
    error_data: _Data = msgspec.field(default_factory=_Data)


class _Refusal(msgspec.Struct):
    error: Fault | None = None


_read = msgspec.json.Decoder(_Refusal, strict=False).decode


def fault_in(body: bytes) -> Fault | None:
    """Meta's error in an answer's body; None where there is none to read."""
    try:
        return _read(body).error
    except kit.UNREADABLE:
        return None


def refused(response: Response) -> SendError:
    """The error that an answer to a message means."""
    fault = fault_in(response.body)
    if fault is None:
        error = kit.error_from(response, STATUSES, who=WHO)
    else:
        error = kit.error(_row(fault, response.status), response, who=WHO, detail=_words(fault))
    if error.code == "throttled" and error.retry_after is None:
        error.retry_after = _WAITS.get(fault.code if fault else -1, _WAIT)
    return error


def upload_refused(response: Response) -> SendError:
    """The same for an upload. A repeat makes another copy and does no harm, so that nothing is in doubt."""
    error = refused(response)
    if error.fate in (Fate.UNKNOWN, Fate.NEXT_CHANNEL) or error.code == "provider_fault":
        fault = fault_in(response.body)
        return kit.error(_UPLOAD_FAILED, response, who=WHO, detail=_words(fault) if fault else "")
    return error


def reason(code: int) -> str:
    """Our reason for a code in a webhook."""
    row = ERRORS.get(code)
    return row.code if row else _PERMISSION.code if 200 <= code < 300 else UNKNOWN.code


def _row(fault: Fault, status: int) -> Row:
    if (fault.code, fault.error_subcode) == _MISSING_OBJECT:
        return _SENDER
    row = ERRORS.get(fault.code)
    if row is not None:
        return row
    if 200 <= fault.code < 300:
        return _PERMISSION
    if status == 429:
        return STATUSES[429]
    return UNKNOWN_FAULT if status >= 500 else UNKNOWN


def _words(fault: Fault) -> str:
    """Meta's own words. `message` begins with the code; the details are what helps."""
    details = fault.error_data.details
    message = fault.message or f"(#{fault.code}) {fault.title}"
    return f"{message}: {details}" if details and details not in message else message
