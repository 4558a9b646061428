"""What Google RBM's answers mean, as tables: status → our code, its fate, the reason in words.

Sources: developers.google.com …/guides/build/messages/send (errors), …/guides/build/capabilities; (r) = recalled.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.core.channel import Capability, Reach
from heliograph.core.ports import Response
from heliograph.errors import Blame, Fate, SendError

WHO = "Google RBM"

# A gateway's word that what stands behind it did not answer in time: it may have taken the message all the same.
_SILENT = Row(
    "no_answer", Fate.UNKNOWN, "no answer came from behind its gateway; a repeat with the same id is harmless."
)

# Google's answers that are not 2xx. What a 400 means depends on its words, see refused().
ERRORS = {
    300: Row("wrong_address", Fate.CONFIG, "a redirect. base_url or region is wrong; nothing was sent.", Blame.US),
    400: Row("invalid_message", Fate.PERMANENT, "the message is not valid for RCS.", Blame.CALLER),
    401: Row(
        "credentials_refused",
        Fate.CONFIG,
        "the access token was refused, a new one too. Check the service account and its RBM permission.",
        Blame.US,
    ),
    403: Row(
        "sender_not_allowed",
        Fate.NEXT_CHANNEL,
        "this agent may not send to this recipient: the service account is not the agent's, or the agent is not "
        "launched on the recipient's network. Until it is, it reaches testers who accepted its invitation.",
        Blame.US,
    ),
    404: Row(
        "cannot_reach",
        Fate.NEXT_CHANNEL,
        "the recipient cannot be reached by RCS, or the agent is not launched on the recipient's network. Until it is, "
        "it reaches testers who accepted its invitation.",
        Blame.RECIPIENT,
    ),
    408: _SILENT,
    413: Row("too_large", Fate.PERMANENT, "the message or file is too large for RCS.", Blame.CALLER),
    429: Row("throttled", Fate.RETRY, "the traffic limit is reached."),
    500: Row("provider_fault", Fate.RETRY, "a fault on its side; a repeat with the same id is harmless."),
    502: _SILENT,
    504: _SILENT,
}
# The same for /files. No answer there speaks of a recipient, and a repeat of an upload is always harmless.
UPLOADS = {
    300: ERRORS[300],
    400: Row("upload_refused", Fate.PERMANENT, "the file is not valid for RCS.", Blame.CALLER),
    401: ERRORS[401],
    403: Row(
        "upload_not_allowed",
        Fate.CONFIG,
        "the service account may not upload for this agent. Check its RBM permission and the agent's id.",
        Blame.US,
    ),
    413: ERRORS[413],
    429: ERRORS[429],
    500: Row("upload_failed", Fate.RETRY, "a fault on its side; the file is uploaded again."),
    408: Row("upload_failed", Fate.RETRY, "it was too slow; the file is uploaded again."),
}
UNSUPPORTED = Row(
    "feature_unsupported",
    Fate.NEXT_CHANNEL,
    "the recipient's phone does not support what the message uses.",
    Blame.RECIPIENT,
)
WRONG_ADDRESS = ERRORS[300]
# Words of a 400 that speak of the phone and not of the message (r): Google gives no code of its own for it.
_OF_THE_PHONE = re.compile(r"unsupported|(?:not|n't) support|(?:not|n't) capable|lacks? .*(?:feature|capabilit)", re.I)
TAKEN = 409  # an id that was used before (r): Google has the message

# A capability check answered with these statuses: (reach, our reason, does it say more about the sender).
CAPABILITIES = {
    401: (Reach.UNKNOWN, "config", False),
    403: (Reach.NO, "sender_not_allowed", True),
    404: (Reach.NO, "cannot_reach", False),
    429: (Reach.UNKNOWN, "throttled", False),
}
# The same of a bulk question: nothing of it speaks of one recipient. A 400 comes where the numbers are not all of the
# region that the host serves.
MANY = {
    400: (Reach.UNKNOWN, "wrong_region", False),
    401: CAPABILITIES[401],
    403: (Reach.UNKNOWN, "config", False),
    404: (Reach.UNKNOWN, "config", False),
    429: CAPABILITIES[429],
}


class _Fault(msgspec.Struct):
    message: str = ""
    status: str = ""


class _Refusal(msgspec.Struct):
    error: _Fault = msgspec.field(default_factory=_Fault)


def refused(response: Response) -> SendError:
    """The error that an answer other than 2xx means."""
    words = _words(response)
    if _no_api(response):
        return kit.error(WRONG_ADDRESS, response, who=WHO)
    if response.status == 400 and _OF_THE_PHONE.search(words):
        return kit.error(UNSUPPORTED, response, who=WHO, detail=words)
    return kit.error_from(response, ERRORS, who=WHO, detail=words)


def upload_refused(response: Response) -> SendError:
    """The same for an upload."""
    if _no_api(response):
        return kit.error(WRONG_ADDRESS, response, who=WHO)
    return kit.error_from(response, UPLOADS, who=WHO, detail=_words(response))


def not_capable(response: Response, now: int) -> Capability:
    """What a capability check answered other than 2xx means; what is not in the table is unknown, and is tried."""
    return _answer(response, CAPABILITIES, now)


def many_not_capable(response: Response, now: int) -> Capability:
    """The same of a bulk question, for every recipient of it."""
    return _answer(response, MANY, now)


def _answer(response: Response, table: dict[int, tuple[Reach, str, bool]], now: int) -> Capability:
    known = table.get(response.status)
    if _no_api(response) or response.status // 100 == 3:
        known = (Reach.UNKNOWN, "config", False)
    reach, reason, mark = known or (Reach.UNKNOWN, "provider_fault", False)
    return Capability(reach=reach, asked=now, reason=reason, mark=mark)


def _words(response: Response) -> str:
    """Google's own words, "" where there are none to read."""
    try:
        return msgspec.json.decode(response.body, type=_Refusal).error.message
    except kit.UNREADABLE:
        return ""


def _no_api(response: Response) -> bool:
    """A 404 in HTML is a web server that does not know the path. Google's own 404 is JSON, and taking the one for the
    other would let a wrong base_url pass for recipients without RCS."""
    return response.status == 404 and response.headers.get("content-type", "").startswith("text/html")
