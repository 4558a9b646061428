"""What LivePerson's answers mean, as tables: status → our code, its fate, the reason in words.

Sources: developers.liveperson.com, Connector API: API reference, "Authorization Error Responses"; (r) = recalled.

The Send API answers with `{"reqId", "code": "OK" | "BAD_REQUEST", "body": {…}}`, one for each request of a batch, and
with `{"kind": "resp", "code": 401, "body": {"title", "details", "errorCode"}}` where it refuses the call as a whole.
"""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Response
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.errors import Blame, Fate, SendError

WHO = "LivePerson"
BACK_OFF = 1.0  # seconds of silence after a 429 that names none: "back off at least a second"

# 401's errorCode: about the consumer's token; every other is about the app's (the page's own sample pairs 40104 with
# the app's, so that both are fetched anew where it comes).
CONSUMER = frozenset({40103, 40104})
BOTH = 40104

_SILENT = Row("no_answer", Fate.UNKNOWN, "no answer came from behind its gateway; it may have been taken.")
# Of a conversation's calls.
ERRORS: dict[int, Row] = {
    300: Row("wrong_address", Fate.CONFIG, "a redirect. domain or base_url is wrong; nothing was taken.", Blame.US),
    400: Row("refused", Fate.PERMANENT, "it does not take this."),
    401: Row(
        "credentials_refused",
        Fate.CONFIG,
        "the app's token was refused, a new one too. Check client_id, client_secret and that the app is installed.",
        Blame.US,
    ),
    403: Row("not_allowed", Fate.CONFIG, "the app may not do this for the account. Check its installation.", Blame.US),
    404: Row("wrong_address", Fate.CONFIG, "nothing is there. Check account and domain.", Blame.US),
    408: _SILENT,
    413: Row("too_large", Fate.PERMANENT, "the call is larger than it takes."),
    429: Row("throttled", Fate.RETRY, "too many calls."),
    500: Row("no_answer", Fate.UNKNOWN, "a fault on its side; it may have been taken."),
}
# Of its own 5xx with its own envelope: the request was read and not taken.
FAULT = Row("desk_fault", Fate.RETRY, "a fault on its side; nothing was taken.")
NONSENSE = Row("bad_answer", Fate.UNKNOWN, "that is not its answer to this call; it may have been taken.")
# Of calls that have no effect which could be doubled: tokens, consumers, skills, domains, context, history.
TOKEN: dict[int, Row] = {
    300: ERRORS[300],
    400: Row("token_refused", Fate.CONFIG, "no token is given. Check account, client_id and client_secret.", Blame.US),
    401: Row("token_refused", Fate.CONFIG, "client_id or client_secret is wrong.", Blame.US),
    404: ERRORS[404],
    408: Row("away", Fate.RETRY, "it was too slow; it is asked again."),
    429: ERRORS[429],
    500: Row("away", Fate.RETRY, "a fault on its side; it is asked again."),
}
READING: dict[int, Row] = {
    **TOKEN,
    400: Row("refused", Fate.CONFIG, "it does not answer this question. Check account and domain.", Blame.US),
    401: Row(
        "credentials_refused",
        Fate.CONFIG,
        "the API key is not valid there. Check api_key and the three parts that belong to it (or bearer).",
        Blame.US,
    ),
    403: Row("not_allowed", Fate.CONFIG, "the API key lacks a permission. Give it the one to read this.", Blame.US),
}


class Body(msgspec.Struct, rename="camel"):
    """What is read of any answer's body."""

    msg: str = ""
    conversation_id: str = ""
    sequence: int | None = None
    title: str = ""
    details: str = ""
    error_code: int = 0


class Said(msgspec.Struct):
    """One answer. `code`: "OK", "BAD_REQUEST", or a status."""

    code: str | int = ""
    body: Body = msgspec.field(default_factory=Body)

    @property
    def fine(self) -> bool:
        return self.code == "OK"

    @property
    def words(self) -> str:
        return self.body.msg or " ".join(part for part in (self.body.title, self.body.details) if part)


_one = msgspec.json.Decoder(Said, strict=False).decode
_many = msgspec.json.Decoder(list[Said], strict=False).decode


def one(response: Response) -> Said | None:
    """The answer to a single request; None where it cannot be read as one."""
    try:
        return _one(response.body)
    except kit.UNREADABLE:
        return None


def many(response: Response) -> list[Said]:
    """The answers to a batch, in order; a call that is refused as a whole has one."""
    try:
        return _many(response.body)
    except kit.UNREADABLE:
        single = one(response)
        return [] if single is None else [single]


def refused(response: Response, said: Said | None) -> SendError:
    """The error that an answer other than OK means."""
    if said is not None and said.code != "" and response.status // 100 == 2 and not said.fine:
        return kit.error(ERRORS[400], response, who=WHO, detail=said.words)
    if response.status // 100 == 2:
        return kit.error(NONSENSE, response, who=WHO)
    if said is not None and said.code != "" and response.status in (500, 503):
        return kit.error(FAULT, response, who=WHO, detail=said.words)
    return waited(kit.error_from(response, who=WHO, rows=ERRORS, detail=said.words if said else ""))


def not_opened(response: Response, said: Said | None) -> SendError:
    """The same of the call that opens a conversation. Nothing in it is the recipient's, so that a refusal is about the
    account's set-up: the turn waits until that is mended."""
    error = harmless(refused(response, said))
    if error.fate is Fate.PERMANENT:
        error.fate, error.blame = Fate.CONFIG, Blame.US
    return error


def harmless(error: SendError) -> SendError:
    """The same of a call whose repeat does no harm: what is in doubt is tried again."""
    if error.fate is Fate.UNKNOWN:
        error.fate = Fate.RETRY
    return error


def waited(error: SendError) -> SendError:
    if error.code == "throttled" and error.retry_after is None:
        error.retry_after = BACK_OFF
    return error


def closed(said: Said) -> bool:
    """ "Bad Request, Conversation is close"; the spelling is LivePerson's, and may be mended there one day."""
    words = said.words.lower()
    return not said.fine and "conversation is close" in words


def open_already(said: Said) -> bool:
    return not said.fine and "already has open conversation" in said.words.lower()
