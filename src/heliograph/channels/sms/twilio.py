"""SMS through Twilio's Programmable Messaging, REST API 2010-04-01.

Facts that shape this file: Twilio takes a repeated create for a second message, so a lost answer is in doubt and never
repeated; our attempt's id travels in the query of the StatusCallback, so that the receipt finds the attempt all the
same; a message can be read back by its SID alone.
"""

from __future__ import annotations

import time
from base64 import b64encode
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlsplit

import msgspec

from heliograph.channels import files, kit
from heliograph.channels.pace import Pace
from heliograph.channels.sms import twilio_callback, twilio_wire
from heliograph.channels.sms.twilio_answers import WHO, became, knows_no_such, refused
from heliograph.channels.sms.twilio_wire import check, measure
from heliograph.core.channel import Capability, Carries, Reach
from heliograph.core.content import File, Media
from heliograph.core.event import Attached, Receipt
from heliograph.core.ports import Call, Fetched, Heard, Message, Response, Revoked, Taken, Uploaded, Ways
from heliograph.core.site import Sender
from heliograph.errors import Blame, Fate, SendError, SetupError

__all__ = ["CARRIES", "LONGEST", "NAME", "SECRETS", "Settings", "Twilio", "check", "hosts", "lacks", "measure", "open"]

NAME = "twilio"
SECRETS = frozenset({"auth_token", "api_secret"})
CARRIES = Carries(named=True)

LONGEST = twilio_wire.BODY
HOST = "https://api.twilio.com"
# Twilio answers for a file with a redirect to where it really is, whose address proves itself.
FILE_HOSTS = (".twiliocdn.com", ".twilio.com", ".amazonaws.com")
# Without these Twilio repeats a callback only where no connection was made. They are taken off before it signs.
# (Five more times within the 15 s that it gives a callback altogether; after that the message can be asked for.)
REPEATS = "#rc=5&rp=ct,rt,5xx"
BACK_OFF = 1.0  # seconds of silence after a 429 that names none


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender: one number, or one Messaging Service.

    `account_sid`: "AC…". `auth_token`: the account's (secret); it signs the callbacks, and without it none is taken.
    `api_key` and `api_secret` (secret): calls are made with these instead, where they are given. `from`: a number in
    E.164, a short code or an alphanumeric sender; or `messaging_service_sid`: "MG…"; exactly one of the two.
    `base_url`: another host (a region, the sandbox). `messages_per_second`: parts a second that are sent at most, 0 =
    no limit of ours. `mms`: a file is sent as MMS; without it, not at all. `answers_keywords`: Twilio answers STOP,
    START and HELP to long codes itself, as it does unless its support turned that off.
    """

    account_sid: str
    auth_token: str = ""
    api_key: str = ""
    api_secret: str = ""
    from_: str = msgspec.field(default="", name="from")
    messaging_service_sid: str = ""
    base_url: str = ""
    messages_per_second: float = 0.0
    mms: bool = False
    answers_keywords: bool = True

    def __post_init__(self) -> None:
        if not self.account_sid.startswith("AC"):
            raise ValueError("account_sid is the account's id and begins with AC")
        if bool(self.from_) == bool(self.messaging_service_sid):
            raise ValueError("give either from or messaging_service_sid")
        if self.messaging_service_sid and not self.messaging_service_sid.startswith("MG"):
            raise ValueError("messaging_service_sid is a Messaging Service's id and begins with MG")
        if bool(self.api_key) != bool(self.api_secret):
            raise ValueError("api_key and api_secret belong together; give both or none")
        if self.messages_per_second < 0:
            raise ValueError("messages_per_second is 0 or more")


def hosts(settings: Settings) -> tuple[str, ...]:
    """Twilio's, or the sandbox's."""
    return (_base(settings),)


def lacks(settings: Settings, public: bool) -> tuple[str, ...]:
    """Each message tells Twilio where its receipts belong, and the signature covers that address."""
    told = []
    if not settings.auth_token:
        told.append("auth_token is not set: no receipt and no reply is believed.")
    if not public and (urlsplit(_base(settings)).hostname or "").endswith(".twilio.com"):
        told.append(
            "HELIOGRAPH_PUBLIC_URL is not set: Twilio is told an address that it cannot call, so no receipt comes."
        )
    return tuple(told)


def open(sender: Sender, settings: msgspec.Struct, ways: Ways) -> Twilio:
    """The number or service, ready to send. Raises SetupError where there is nothing to sign in with."""
    if not isinstance(settings, Settings):
        settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
    if not (settings.auth_token or settings.api_secret):
        raise SetupError(
            f"Sender {sender.name} has neither auth_token nor api_key with api_secret. Set one of them in the site's "
            "file and apply it again.",
            code="no_key",
        )
    return Twilio(sender.name, settings, ways)


def _base(settings: Settings) -> str:
    return settings.base_url.rstrip("/") or HOST


class _Resource(msgspec.Struct):
    """What we read of a message's JSON."""

    sid: str = ""
    status: str = ""
    to: str | None = None
    error_code: int | None = None
    date_updated: str | None = None


_read = msgspec.json.Decoder(_Resource).decode


class Twilio:
    """One sender, opened (core.ports.Provider)."""

    repeats_are_ignored = False
    can_revoke = False  # only what is scheduled at Twilio can be cancelled (30409), and nothing of ours is
    can_ask = True
    asks_capability = False
    asks_many = 0

    def __init__(self, name: str, settings: Settings, ways: Ways) -> None:
        base = _base(settings)
        self._name = name
        self._base = base
        self._messages = f"{base}/2010-04-01/Accounts/{quote(settings.account_sid, safe='')}/Messages"
        user, password = settings.api_key or settings.account_sid, settings.api_secret or settings.auth_token
        credential = b64encode(f"{user}:{password}".encode()).decode()
        self._secrets = tuple(secret for secret in (settings.auth_token, settings.api_secret, credential) if secret)
        self._headers = {"authorization": f"Basic {credential}", "accept": "application/json"}
        self._form_headers = {**self._headers, "content-type": "application/x-www-form-urlencoded"}
        if settings.from_:
            self._sender = ("From", settings.from_)
        else:
            self._sender = ("MessagingServiceSid", settings.messaging_service_sid)
        self._token = settings.auth_token
        self._answers = settings.answers_keywords
        self._mms = settings.mms
        self.carries = msgspec.structs.replace(CARRIES, files=settings.mms)
        self._pace = Pace(settings.messages_per_second)
        self._ways = ways

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        return Capability(reach=Reach.UNKNOWN, asked=now)  # nothing at Twilio says it free of charge

    async def send(self, message: Message, deadline: float) -> Taken:
        """Creates the message. Raises SendError; `unknown` where Twilio may have taken it."""
        if isinstance(message.content, File) and not self._mms:
            raise _ours("unsupported", f"Sender {self._name} sends no MMS; set mms = true, or give it a text.")
        begun = time.monotonic()
        await self._pace.take(measure(message.content).parts, deadline)
        now = message.now + round((time.monotonic() - begun) * 1000)
        if message.expires <= now:
            raise _ours("expired", "The alert's time ended before it was sent.", Blame.CALLER)
        body = twilio_wire.form(
            message.content,
            sender=self._sender,
            to=message.recipient,
            status_callback=f"{self._ways.callback()}?attempt={quote(message.id, safe='')}{REPEATS}",
            now=now,
            expires=message.expires,
        )
        response = await self._ways.out.request(
            "POST",
            f"{self._messages}.json",
            deadline=deadline,
            headers=self._form_headers,
            body=body,
            secrets=self._secrets,
        )
        if response.status // 100 == 2:
            try:
                sid = _read(response.body).sid
            except kit.UNREADABLE:
                sid = ""  # taken all the same; the receipt brings the SID with our own id
            return Taken(references=(sid,) if sid else (), raw=response.body, exchange=response.exchange)
        failed = refused(response)
        if response.status == 429:
            self._pace.back_off(failed.retry_after or BACK_OFF)
        raise failed

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        raise _ours("unsupported", "Twilio takes no message back that is not scheduled there.")

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        """Reads the message back by its SID. None: Twilio does not have it. Raises SendError; `unknown` also where no
        SID is known, since looking through the recipient's messages would be a guess."""
        if not references:
            raise SendError(
                "No SID of the message is known, and Twilio finds one by nothing else. Its receipt will name the "
                "attempt.",
                code="in_doubt",
                fate=Fate.UNKNOWN,
            )
        url = f"{self._messages}/{quote(references[0], safe='')}.json"
        response = await self._ways.out.request(
            "GET", url, deadline=deadline, headers=self._headers, secrets=self._secrets
        )
        if knows_no_such(response):
            return None
        if response.status // 100 != 2:
            raise refused(response)
        return _receipt(response, message_id)

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        raise _ours("unsupported", "Twilio takes no uploads; it fetches media from a URL.", Blame.CALLER)

    async def fetch(self, attached: Attached, deadline: float) -> Fetched:
        """A recipient's file. Its address (MediaUrl) wants the account's credentials. Raises SendError."""
        if not attached.reference:
            raise files.missing(WHO)
        return await files.download(
            self._ways.out,
            attached.reference,
            who=WHO,
            hosts=(self._base, HOST),
            then=FILE_HOSTS,
            deadline=deadline,
            headers={"authorization": self._headers["authorization"]},
            secrets=self._secrets,
        )

    def read(self, call: Call) -> Heard:
        """Events of one callback; raises CallRefused for one that is not Twilio's."""
        return twilio_callback.read(call, sender=self._name, token=self._token, answers=self._answers)

    async def close(self) -> None:
        return None


def _receipt(response: Response, message_id: str) -> Receipt:
    try:
        resource = _read(response.body)
    except kit.UNREADABLE:
        resource = _Resource()
    found = became(resource.status, str(resource.error_code or ""))
    if found is None:
        raise SendError(
            f"{WHO} answered {response.status} with a status that this version does not know.",
            code="unknown",
            fate=Fate.UNKNOWN,
            raw=response.body,
            exchange=response.exchange,
        )
    state, reason = found
    return Receipt(
        event=f"{resource.sid}:{resource.status}",  # as its callback has it, so that the two count once
        state=state,
        attempt=message_id,
        reference=resource.sid,
        sender_of_event=(resource.to or "").rpartition(":")[2],
        at=_milliseconds(resource.date_updated),
        reason=reason,
        raw=msgspec.Raw(response.body),
    )


def _milliseconds(rfc2822: str | None) -> int | None:
    try:
        return round(parsedate_to_datetime(rfc2822).timestamp() * 1000) if rfc2822 else None
    except ValueError:
        return None


def _ours(code: str, sentence: str, blame: Blame = Blame.US) -> SendError:
    return SendError(f"{sentence} Nothing was sent.", code=code, fate=Fate.PERMANENT, blame=blame)
