"""SMS by 46elks: one form posted to /a1/sms. Reports and replies come back as forms (46elks.com/docs).

Facts that shape this file: a repeated call is a second message, so a lost answer is in doubt and never repeated; 46elks
signs nothing, but posts to the very address that it was given: our attempt's id and a key of ours stand in its query.
"""

from base64 import b64encode
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.core import sms
from heliograph.core.channel import Capability, Carries, Reach, Size
from heliograph.core.content import Content, Media, Text
from heliograph.core.event import Inbound, Receipt, UnknownEvent
from heliograph.core.ports import Call, Heard, Message, Revoked, Taken, Uploaded, Ways
from heliograph.core.site import Sender
from heliograph.core.states import AttemptState
from heliograph.errors import Blame, CallRefused, Fate, SendError

NAME = "46elks"
SECRETS = frozenset({"password", "callback_key"})
CARRIES = Carries()  # plain text: all other content is made to fit, by rules that the preview shows
HOST = "https://api.46elks.com"

# Answers that are not 2xx; 300, 400 and 500 stand for the rest of their class. (r) = recalled, not documented.
ANSWERS = {
    300: Row("wrong_address", Fate.CONFIG, "a redirect. base_url is wrong.", Blame.US),
    400: Row("invalid_message", Fate.PERMANENT, "the number, the sender or the text is not valid.", Blame.CALLER),
    401: Row("credentials_refused", Fate.CONFIG, "username or password is wrong.", Blame.US),
    403: Row("payment", Fate.CONFIG, "the account has no credit, or may not send this.", Blame.US),  # (r)
    404: Row("wrong_address", Fate.CONFIG, "nothing is at this address. base_url is wrong.", Blame.US),
    429: Row("throttled", Fate.RETRY, "too many calls."),  # (r)
    500: Row("provider_fault", Fate.UNKNOWN, "a fault on its side; it may have taken the message."),
}
# status of a report → (the attempt's state, our reason). 46elks does not say why a message failed.
REPORTS = {
    "sent": (AttemptState.SENT, ""),
    "delivered": (AttemptState.DELIVERED, ""),
    "failed": (AttemptState.FAILED, "rejected"),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender. `from`: a number in E.164, or a name that people cannot answer to. `callback_key`: a word of your own;
    without it no reports are asked for and none are believed."""

    username: str
    password: str
    from_: str = msgspec.field(name="from")
    callback_key: str = ""
    base_url: str = HOST


def open(sender: Sender, settings: Settings, ways: Ways) -> "Elks":
    return Elks(settings, ways)


def hosts(settings: Settings) -> tuple[str, ...]:
    return (settings.base_url,)


def check(content: Content) -> list[str]:
    if not isinstance(content, Text):
        return [f"SMS carries text, not a {type(content).__name__.lower()}."]
    return [] if content.text else ["text is empty; an SMS needs at least one character."]


def measure(content: Content) -> Size:
    return sms.measure(content.text) if isinstance(content, Text) else Size()


class _Created(msgspec.Struct):
    id: str = ""


class Elks:
    """One sender, opened (core.ports.Provider)."""

    repeats_are_ignored = False
    can_revoke = False
    can_ask = False
    asks_capability = False
    asks_many = 0

    def __init__(self, settings: Settings, ways: Ways) -> None:
        self._settings, self._ways = settings, ways
        self._url = f"{settings.base_url.rstrip('/')}/a1/sms"
        credential = b64encode(f"{settings.username}:{settings.password}".encode()).decode()
        self._secrets = (settings.password, credential)
        self._headers = {
            "authorization": f"Basic {credential}",
            "content-type": "application/x-www-form-urlencoded",
        }

    async def send(self, message: Message, deadline: float) -> Taken:
        """Raises SendError; `unknown` where 46elks may have taken it. It takes no time to live: its own is used."""
        if message.expires <= message.now:
            raise _ours("expired", "The alert's time ended before it was sent.")
        assert isinstance(message.content, Text)  # check() let nothing else through
        form = {"from": self._settings.from_, "to": message.recipient, "message": message.content.text}
        if key := self._settings.callback_key:
            form["whendelivered"] = f"{self._ways.callback()}?attempt={quote(message.id)}&key={quote(key, safe='')}"
        response = await self._ways.out.request(
            "POST",
            self._url,
            deadline=deadline,
            headers=self._headers,
            body=urlencode(form).encode(),
            secrets=self._secrets,
        )
        if response.status // 100 != 2:
            words = response.body.decode("utf-8", "replace")[:200]
            raise kit.error_from(response, ANSWERS, who="46elks", detail=words)
        try:
            created = msgspec.json.decode(response.body, type=_Created).id
        except kit.UNREADABLE:
            created = ""  # taken all the same; the report brings our own id
        return Taken(references=(created,) if created else (), raw=response.body, exchange=response.exchange)

    def read(self, call: Call) -> Heard:
        """A report (the query has our attempt's id) or a reply. Raises CallRefused without the key."""
        pairs = parse_qsl(urlsplit(call.url).query, keep_blank_values=True)
        query = dict(pairs)
        ours = len(pairs) == len(query) and query.keys() <= {"attempt", "key"}
        if not ours or not kit.same(query.get("key", ""), self._settings.callback_key):
            raise CallRefused("The address of a callback does not end with this sender's key.", code="bad_signature")
        form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
        raw, event = msgspec.Raw(msgspec.json.encode(form)), form.get("id") or kit.fingerprint(call.body)
        if form.get("direction") == "incoming":
            at = kit.milliseconds(form.get("created", ""))
            said = Inbound(
                event=event, recipient=form.get("from", ""), kind="text", text=form.get("message", ""), at=at, raw=raw
            )
            return Heard(events=(said,))
        status = form.get("status", "")
        if status not in REPORTS:
            return Heard(events=(UnknownEvent(event=event, kind=status or "unnamed", raw=raw),))
        state, reason = REPORTS[status]
        report = Receipt(
            event=f"{event}:{status}",
            state=state,
            attempt=query.get("attempt", ""),
            reference=form.get("id", ""),
            at=kit.milliseconds(form.get("delivered", "")),
            reason=reason,
            raw=raw,
        )
        return Heard(events=(report,))

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        return Capability(reach=Reach.UNKNOWN, asked=now)

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        raise _ours("unsupported", "46elks takes no message back.")

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        return None

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        raise _ours("unsupported", "An SMS has no files.")

    async def close(self) -> None:
        return None


def _ours(code: str, sentence: str) -> SendError:
    return SendError(f"{sentence} Nothing was sent.", code=code, fate=Fate.PERMANENT, blame=Blame.CALLER)
