"""WhatsApp through Meta's Cloud API (Graph API).

Facts that shape this file: there is no idempotency, so that a repeat is another message; nothing takes a message back
and no call reads one; outside 24 hours after the recipient's last message only a template goes; whether a number is on
WhatsApp is told by a webhook, after a yes.
"""

from __future__ import annotations

import asyncio
import re
from uuid import uuid4

import msgspec

from heliograph.channels import kit
from heliograph.channels.kit import Row
from heliograph.channels.pace import Pace
from heliograph.channels.wa import whatsapp_cloud_answers as answers
from heliograph.channels.wa import whatsapp_cloud_callback, whatsapp_cloud_fetch, whatsapp_cloud_wire
from heliograph.channels.wa.whatsapp_cloud_check import check
from heliograph.channels.wa.whatsapp_cloud_media import PLACES, form, place_of
from heliograph.channels.wa.whatsapp_cloud_pairs import Pairs
from heliograph.core.channel import Capability, Carries, Reach, Size
from heliograph.core.content import Content, Media, Named
from heliograph.core.event import Attached, Receipt
from heliograph.core.ports import Call, Fetched, Heard, Message, Out, Response, Revoked, Taken, Uploaded, Ways
from heliograph.core.site import Sender
from heliograph.errors import Blame, Fate, SendError, SetupError

__all__ = [
    "CARRIES",
    "LONGEST",
    "NAME",
    "SECRETS",
    "Settings",
    "WhatsAppCloud",
    "check",
    "hosts",
    "lacks",
    "measure",
    "open",
]

NAME = "whatsapp-cloud"
SECRETS = frozenset({"access_token", "app_secret", "verify_token"})
WINDOW = 86_400  # seconds after the recipient's last message in which free content may be sent
CARRIES = Carries(
    cards=True,
    files=True,
    named=True,
    suggestions=frozenset({"reply"}),
    alone=frozenset({"open_url", "share_location"}),
    most=10,
    window=WINDOW,
)

LONGEST = 4_096  # characters of a text
HOST = "https://graph.facebook.com"
MEDIA_LIVES_MS = 29 * 86_400_000  # Meta keeps uploads 30 days; a day is kept back for messages under way
MESSAGE = "wamid."  # how Meta's ids of messages begin
_VERSION = re.compile(r"v[0-9]{1,3}\.[0-9]")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender: one phone number of a WhatsApp Business Account.

    `phone_number_id`: Meta's id of the number, digits (not the number itself). `access_token`: a system user's token
    with whatsapp_business_messaging (secret). `app_secret`: the app's secret, which signs callbacks (secret); without
    it no callback is taken. `verify_token`: a word of your choice that Meta gives back when the webhook is set
    (secret). `waba_id`: the account's id; with it events of other accounts of the app are passed over. `base_url`:
    another host (the sandbox). `version`: of the Graph API. `messages_per_second`: the number's own rate, 80 unless
    Meta raised it (20 beside the WhatsApp Business app); 0 = no limit of ours. `list_button`: what opens a list of
    replies, in the recipients' language, at most 20 characters.
    """

    phone_number_id: str
    access_token: str = ""
    app_secret: str = ""
    verify_token: str = ""
    waba_id: str = ""
    base_url: str = ""
    version: str = "v23.0"
    messages_per_second: float = 80.0
    list_button: str = "Options"

    def __post_init__(self) -> None:
        if not (self.phone_number_id.isascii() and self.phone_number_id.isdigit()):
            raise ValueError("phone_number_id must be Meta's id of the number, digits alone; see WhatsApp Manager")
        if not _VERSION.fullmatch(self.version):
            raise ValueError(f"version {self.version!r} is not one of the Graph API, such as v23.0")
        if self.messages_per_second < 0:
            raise ValueError("messages_per_second must be 0 or more")
        if not 0 < len(self.list_button) <= 20:
            raise ValueError("list_button must be 1 to 20 characters")


def hosts(settings: Settings) -> tuple[str, ...]:
    """Meta's, or the sandbox's."""
    return (_base(settings),)


def lacks(settings: Settings, public: bool) -> tuple[str, ...]:
    """Meta calls the address that is set there: `public` changes nothing that is told."""
    told = []
    if not settings.app_secret:
        told.append("app_secret is not set: no receipt and no reply is believed.")
    if not settings.verify_token:
        told.append("verify_token is not set: Meta cannot verify the address of the callbacks.")
    return tuple(told)


def open(sender: Sender, settings: msgspec.Struct, ways: Ways) -> WhatsAppCloud:
    """The number, ready to send. Raises SetupError where it has no token."""
    if not isinstance(settings, Settings):
        settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
    if not settings.access_token:
        raise SetupError(
            f"Sender {sender.name} has no access token. Set access_token in the site's file and apply it again.",
            code="no_key",
        )
    return WhatsAppCloud(settings, ways.out)


def _base(settings: Settings) -> str:
    return settings.base_url.rstrip("/") or HOST


def measure(content: Content) -> Size:
    """Meta bills and counts messages, whatever their length."""
    return Size()


class _Named(msgspec.Struct):
    id: str = ""


class _File(msgspec.Struct):
    id: str | int = ""


class _Answer(msgspec.Struct):
    messages: tuple[_Named, ...] = ()
    error: answers.Fault | None = None


_read_answer = msgspec.json.Decoder(_Answer).decode
_read_id = msgspec.json.Decoder(_File).decode


class WhatsAppCloud:
    """One number, opened (core.ports.Provider)."""

    repeats_are_ignored = False
    can_revoke = False
    can_ask = False
    asks_capability = False
    asks_many = 0
    can_type = True
    can_mark_read = True

    def __init__(self, settings: Settings, out: Out) -> None:
        self._base = base = _base(settings)
        self._version = settings.version
        self._number = settings.phone_number_id
        self._url = f"{base}/{settings.version}/{settings.phone_number_id}"
        self._token = settings.access_token
        self._list_button = settings.list_button
        self._ours = whatsapp_cloud_callback.Secrets(
            settings.phone_number_id, settings.app_secret, settings.verify_token, settings.waba_id
        )
        self._pace = Pace(settings.messages_per_second)
        self._pairs = Pairs()
        self._out = out

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        """Cannot be asked: Meta gave up the call that told it."""
        return Capability(reach=Reach.UNKNOWN, asked=now, reason="unsupported")

    async def send(self, message: Message, deadline: float) -> Taken:
        """Sends a message; our id comes back with each of its statuses. Raises SendError: fate `unknown` where it may
        have been taken, which must not be repeated."""
        content = whatsapp_cloud_wire.sent_as(message.content, message.window)
        if message.expires <= message.now:
            raise _ours("expired", "The alert's time ended before it was sent.", Blame.CALLER)
        if not message.window and not isinstance(content, Named):
            raise SendError(
                "The recipient has not written within 24 hours, so that only a template may be sent, and this content "
                "is none. Give the template a named message for WhatsApp. Nothing was sent.",
                code="outside_window",
                fate=Fate.NEXT_CHANNEL,
                blame=Blame.CALLER,
            )
        if any(media.upload and not media.reference for media in whatsapp_cloud_wire.media_in(content)):
            raise _ours("not_uploaded", "A medium of the message was not uploaded to Meta before it was sent.")
        # Nothing is sent after the alert's end, however long the caller would wait for the rate.
        ends = asyncio.get_running_loop().time() + (message.expires - message.now) / 1000
        await self._may_go(message.recipient, min(deadline, ends))
        body = whatsapp_cloud_wire.message(
            content,
            id=message.id,
            recipient=message.recipient,
            window=message.window,
            list_button=self._list_button,
        )
        response = await self._post("messages", deadline, "application/json", body)
        if response.status // 100 == 2:
            try:
                answer = _read_answer(response.body)
            except kit.UNREADABLE:
                answer = _Answer()  # taken all the same; our own id finds its receipts
            if answer.error is None:
                self._pairs.taken(message.recipient)
                references = tuple(one.id for one in answer.messages if one.id)
                return Taken(references=references, raw=response.body, exchange=response.exchange)
        raise self._refused(response, message.recipient)

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        raise _ours("unsupported", "WhatsApp takes no message back.")

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        return None

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        """Gives Meta the bytes. The reference is the kind of message that shows them and Meta's id (`image/1037…`).
        Raises SendError; a repeat makes another copy and does no harm."""
        place = place_of(content_type)
        if place is None:
            raise _ours(
                "media_unsupported",
                f"WhatsApp takes no files of the type {content_type or 'that is not told'}; it takes "
                f"{', '.join(sorted(PLACES))}.",
                Blame.CALLER,
            )
        if not data:
            raise _ours("media_missing", "There are no bytes to upload; a URL is sent as a link.")
        if len(data) > place.most:
            raise _ours(
                "too_large", f"The {place.kind} is {len(data)} bytes, WhatsApp allows {place.most}.", Blame.CALLER
            )
        boundary = uuid4().hex
        try:
            response = await self._post(
                "media", deadline, f"multipart/form-data; boundary={boundary}", form(place, data, boundary)
            )
        except SendError as error:
            if error.fate is Fate.UNKNOWN:
                error.fate = Fate.RETRY
            raise
        if response.status // 100 != 2:
            raise answers.upload_refused(response)
        try:
            name = str(_read_id(response.body).id)
        except kit.UNREADABLE:
            name = ""
        if not name:
            raise kit.error(Row("bad_answer", Fate.RETRY, "the upload has no id."), response, who=answers.WHO)
        return Uploaded(reference=f"{place.kind}/{name}", expires=now + MEDIA_LIVES_MS, exchange=response.exchange)

    async def fetch(self, attached: Attached, deadline: float) -> Fetched:
        """A recipient's file, by Meta's id of it. Raises SendError."""
        return await whatsapp_cloud_fetch.fetch(
            self._out, self._base, self._version, self._number, self._token, attached.reference, deadline
        )

    async def typing(self, recipient: str, in_reply_to: str, deadline: float) -> bool:
        """Shows that somebody writes, for 25 s or until the next message; the recipient's message, which must be
        named, is shown as read by the same call. Raises SendError."""
        return await self._mark(in_reply_to, deadline, {"typing_indicator": {"type": "text"}})

    async def seen(self, recipient: str, event_id: str, deadline: float) -> bool:
        """Shows the recipient's message, and all before it, as read. Raises SendError."""
        return await self._mark(event_id, deadline, {})

    async def _mark(self, message: str, deadline: float, more: dict[str, dict[str, str]]) -> bool:
        if not message.startswith(MESSAGE):
            return False  # an event without an id of Meta's, or one that was too long to be kept whole
        told = {"messaging_product": "whatsapp", "status": "read", "message_id": message, **more}
        response = await self._post("messages", deadline, "application/json", msgspec.json.encode(told))
        if response.status // 100 != 2:
            raise answers.refused(response)
        return True

    def read(self, call: Call) -> Heard:
        """Events of one callback; raises CallRefused for one that is not Meta's."""
        return whatsapp_cloud_callback.read(call, self._ours)

    async def close(self) -> None:
        """Nothing is held open."""

    async def _may_go(self, recipient: str, deadline: float) -> None:
        """Waits for the number's own rate. Raises SendError (throttled, nothing was sent) where that takes too long, or
        where WhatsApp wants to see nothing for this recipient now."""
        wait = self._pairs.wait(recipient, asyncio.get_running_loop().time())
        if wait > 0:
            raise SendError(
                f"WhatsApp refused the last messages to this recipient as too many; the next may go in {wait:.0f} s. "
                "Nothing was sent.",
                code="throttled",
                fate=Fate.RETRY,
                blame=Blame.US,
                retry_after=wait,
            )
        await self._pace.take(1, deadline)

    def _refused(self, response: Response, recipient: str) -> SendError:
        """The error that an answer means; what is too much is remembered for the recipient or for the whole number."""
        error = answers.refused(response)
        fault = answers.fault_in(response.body)
        if fault is not None and fault.code == answers.PAIR:
            now = asyncio.get_running_loop().time()
            error.retry_after = self._pairs.refused(recipient, now, kit.retry_after(response.headers))
        elif error.code == "throttled" and (fault is None or fault.code in answers.ALL or response.status == 429):
            self._pace.back_off(error.retry_after or 0.0)
        return error

    async def _post(self, what: str, deadline: float, content_type: str, body: bytes) -> Response:
        headers = {"authorization": f"Bearer {self._token}", "content-type": content_type}
        return await self._out.request("POST", f"{self._url}/{what}", deadline=deadline, headers=headers, body=body)


def _ours(code: str, sentence: str, blame: Blame = Blame.US) -> SendError:
    return SendError(f"{sentence} Nothing was sent.", code=code, fate=Fate.PERMANENT, blame=blame)
