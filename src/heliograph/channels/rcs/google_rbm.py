"""RCS through Google's RBM API, REST v1 (RCS for Business).

Facts that shape this file: Google ignores a message whose id was used before, so a repeat reaches nobody twice; no
call reads a message back; a revoke answered 404 means "delivered, or never had it".
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid4, uuid5

import msgspec

from heliograph.channels import files, kit
from heliograph.channels.kit import Row
from heliograph.channels.rcs import google_rbm_callback, google_rbm_wire
from heliograph.channels.rcs.google_rbm_answers import (
    TAKEN,
    WHO,
    many_not_capable,
    not_capable,
    refused,
    upload_refused,
)
from heliograph.channels.rcs.google_rbm_check import check
from heliograph.channels.rcs.google_rbm_token import Tokens, endpoint
from heliograph.core import phone
from heliograph.core.channel import Capability, Carries, Reach, Reached, Size
from heliograph.core.content import Content, Media, media_of
from heliograph.core.event import Attached, Receipt
from heliograph.core.ports import Call, Fetched, Heard, Message, Out, Response, Revoked, Taken, Uploaded, Ways
from heliograph.core.site import Sender
from heliograph.errors import Blame, Fate, SendError, SetupError

__all__ = [
    "ASKS",
    "CARRIES",
    "LONGEST",
    "NAME",
    "SECRETS",
    "GoogleRbm",
    "Settings",
    "check",
    "hosts",
    "lacks",
    "measure",
    "open",
]

NAME = "google-rbm"
SECRETS = frozenset({"key", "webhook_token"})
ASKS = True
CARRIES = Carries(
    cards=True,
    carousels=True,
    files=True,
    suggestions=frozenset({"reply", "open_url", "dial", "view_location", "calendar_event", "share_location"}),
    most=11,
)

LONGEST = 3_072  # characters of a text
HOST = "rcsbusinessmessaging.googleapis.com"
# Where recipients' files are (seen: rcs-copper-us.googleapis.com). The address comes from a phone, so that no other
# host is asked.
FILE_HOSTS = (".googleapis.com", ".googleusercontent.com")
REGIONS = ("us", "europe", "asia")  # the agent's hosting region, fixed when it is made; the host is <region>-HOST
FILE_BYTES = 100 * 1024 * 1024
MANY = 10_000  # numbers in one bulk question, of which Google takes 600 a minute
FILE_LIVES_MS = 59 * 86_400_000  # Google keeps uploads 60 days; a day is kept back for messages under way


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A sender: one RBM agent.

    `agent`: its id, with or without "@rbm.goog". `key`: the service account's key file as text (secret); in a site's
    file `key_file` names the file instead, which is read when the site is applied. `region`: us | europe | asia, the
    agent's hosting region; empty = the global host. `base_url`: another host (the sandbox). `token_url`: another token
    endpoint than the key file's. `webhook_token`: the client token of the agent's webhook (secret); without it no
    callback is taken. `partner`: the partner's id, for people only.
    """

    agent: str
    key: str = ""
    key_file: str = ""
    region: str = ""
    base_url: str = ""
    token_url: str = ""
    webhook_token: str = ""
    partner: str = ""

    def __post_init__(self) -> None:
        if not google_rbm_callback.bare(self.agent):
            raise ValueError("agent is empty; give the RBM agent's id")
        if self.region and self.region not in REGIONS:
            raise ValueError(f"region {self.region!r} is not one of {', '.join(REGIONS)}")
        if self.region and self.base_url:
            raise ValueError("give region or base_url, not both")


def open(sender: Sender, settings: msgspec.Struct, ways: Ways) -> GoogleRbm:
    """The agent, ready to send. Raises SetupError for a key that cannot be used."""
    if not isinstance(settings, Settings):
        settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
    if not settings.key:
        raise SetupError(
            f"Sender {sender.name} has no service-account key. Set key_file (or key) in the site's file and apply it "
            "again.",
            code="no_key",
        )
    return GoogleRbm(settings, ways.out)


def hosts(settings: Settings) -> tuple[str, ...]:
    """Google's, or the sandbox's: of the API and of the token endpoint."""
    return _base(settings), endpoint(settings.key, settings.token_url)


def lacks(settings: Settings, public: bool) -> tuple[str, ...]:
    """Google calls one address per agent, which is set there: `public` changes nothing that is told."""
    if not settings.webhook_token:
        return ("webhook_token is not set: no receipt and no reply is taken.",)
    return ()


def measure(content: Content) -> Size:
    """Google bills and counts messages, whatever their length."""
    return Size()


def _base(settings: Settings) -> str:
    host = f"{settings.region}-{HOST}" if settings.region else HOST
    return settings.base_url.rstrip("/") or f"https://{host}"


class _Name(msgspec.Struct):
    name: str = ""


class _Features(msgspec.Struct):
    features: list[str] = []


class _Many(msgspec.Struct, rename="camel"):
    reachable_users: list[str] = []
    total_random_sample_user_count: int = 0
    reachable_random_sample_user_count: int = 0


_read_name = msgspec.json.Decoder(_Name).decode


class GoogleRbm:
    """One agent, opened (core.ports.Provider)."""

    repeats_are_ignored = True
    can_revoke = True
    can_ask = False  # no call reads a message back
    asks_capability = True
    asks_many = MANY
    can_type = True
    can_mark_read = True

    def __init__(self, settings: Settings, out: Out) -> None:
        self._base = _base(settings)
        self._agent = google_rbm_callback.bare(settings.agent)
        self._query = f"agentId={quote(self._agent, safe='')}"
        self._webhook_token = settings.webhook_token
        self._tokens = Tokens(settings.key, out, token_url=settings.token_url)
        self._out = out

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        """Whether the recipient has RCS and our agent is launched there. Never raises: a failed question is unknown."""
        url = f"{self._phone(recipient)}/capabilities?requestId={uuid4()}&{self._query}"
        try:
            response = await self._ask("GET", url, deadline)
        except SendError as failed:
            reason = "config" if failed.fate is Fate.CONFIG else failed.code
            return Capability(reach=Reach.UNKNOWN, asked=now, reason=reason)
        if response.status // 100 == 2:
            try:
                features = msgspec.json.decode(response.body, type=_Features).features
            except kit.UNREADABLE:
                return Capability(reach=Reach.UNKNOWN, asked=now, reason="bad_answer")
            return Capability(reach=Reach.YES, asked=now, features=tuple(features))
        return not_capable(response, now)

    async def capabilities(self, recipients: Sequence[str], now: int, deadline: float) -> Reached:
        """The same about many at once (users:batchGet), without features. Google answers from a cache, for numbers of
        one region alone, and names those that it reaches on networks where the agent is launched; others are a no. From
        500 numbers on it also tells how many of a random three quarters have RCS at all. A list of several countries
        that is refused is asked about country by country, so that those of another region are unknown and no others."""
        body = msgspec.json.encode({"users": list(recipients), "agentId": self._agent})
        try:
            response = await self._ask("POST", f"{self._base}/v1/users:batchGet", deadline, body=body)
        except SendError as failed:
            reason = "config" if failed.fate is Fate.CONFIG else failed.code
            return _all(recipients, Capability(reach=Reach.UNKNOWN, asked=now, reason=reason))
        if response.status == 400 and len(countries := _by_country(recipients)) > 1:
            return _together([await self.capabilities(some, now, deadline) for some in countries])
        if response.status // 100 != 2:
            return _all(recipients, many_not_capable(response, now))
        try:
            told = msgspec.json.decode(response.body, type=_Many)
        except kit.UNREADABLE:
            return _all(recipients, Capability(reach=Reach.UNKNOWN, asked=now, reason="bad_answer"))
        yes = Capability(reach=Reach.YES, asked=now)
        no = Capability(reach=Reach.NO, asked=now, reason="cannot_reach")
        reached = set(told.reachable_users)
        return Reached(
            answers={one: yes if one in reached else no for one in recipients},
            sampled=told.total_random_sample_user_count,
            reachable=told.reachable_random_sample_user_count,
        )

    async def send(self, message: Message, deadline: float) -> Taken:
        """Creates the agent message under our id. Raises SendError; a repeat with the same id is always safe."""
        if message.expires <= message.now:
            raise _ours("expired", "The alert's time ended before it was sent.", Blame.CALLER)
        if message.traffic not in google_rbm_wire.TRAFFIC:
            known = ", ".join(google_rbm_wire.TRAFFIC)
            raise _ours("unknown_traffic", f"Traffic {message.traffic!r} is not one of {known}.", Blame.CALLER)
        if any(media.upload and not media.reference for media in media_of(message.content)):
            raise _ours("not_uploaded", "A medium of the message was not uploaded to Google before it was sent.")
        url = f"{self._phone(message.recipient)}/agentMessages?messageId={quote(message.id, safe='')}&{self._query}"
        body = google_rbm_wire.message(
            message.content, expires=message.expires, now=message.now, traffic=message.traffic
        )
        response = await self._ask("POST", url, deadline, body=body)
        if response.status // 100 == 2:
            try:
                name = _read_name(response.body).name
            except kit.UNREADABLE:
                name = ""  # taken all the same; our own id finds its receipts
            return Taken(references=(name,) if name else (), raw=response.body, exchange=response.exchange)
        if response.status == TAKEN:
            # Google's error body is no answer to a caller; the message has the name that its creation gave it.
            name = f"phones/{message.recipient}/agentMessages/{message.id}"
            return Taken(references=(name,), raw=b"", exchange=response.exchange)
        raise refused(response)

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        """Takes a message back that no phone has fetched yet. Raises SendError where Google does not say."""
        url = f"{self._phone(recipient)}/agentMessages/{quote(message_id, safe='')}?{self._query}"
        response = await self._ask("DELETE", url, deadline)
        gone = response.status // 100 == 2
        if gone or refused(response).code == "cannot_reach":
            return Revoked(gone=gone, exchange=response.exchange)
        raise refused(response)

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        return None

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        """Gives Google the bytes, or, where `data` is empty, the URL to fetch them from. Raises SendError; a repeat
        makes another copy and does no harm, so that a lost answer is a retry here."""
        if len(data) > FILE_BYTES:
            raise _ours("too_large", f"The file is {len(data)} bytes, RCS allows {FILE_BYTES}.", Blame.CALLER)
        if data:
            url, body = f"{self._base}/upload/v1/files?{self._query}", data
        else:
            told = {"fileUrl": media.url, "thumbnailUrl": media.thumbnail_url, "contentDescription": media.description}
            url, content_type = f"{self._base}/v1/files?{self._query}", "application/json"
            body = msgspec.json.encode({name: value for name, value in told.items() if value})
        try:
            response = await self._ask("POST", url, deadline, body=body, content_type=content_type)
        except SendError as lost:
            if lost.fate is Fate.UNKNOWN:
                lost.fate = Fate.RETRY
            raise
        if response.status // 100 != 2:
            raise upload_refused(response)
        try:
            name = _read_name(response.body).name
        except kit.UNREADABLE:
            name = ""
        if not name:
            raise kit.error(Row("bad_answer", Fate.RETRY, "the upload has no name."), response, who=WHO)
        return Uploaded(reference=name, expires=now + FILE_LIVES_MS, exchange=response.exchange)

    async def fetch(self, attached: Attached, deadline: float) -> Fetched:
        """A recipient's file; its address needs no credentials and is given none. Raises SendError."""
        if not attached.url:
            raise files.missing(WHO)
        hosts = (*FILE_HOSTS, self._base)
        return await files.download(self._out, attached.url, who=WHO, hosts=hosts, deadline=deadline)

    async def typing(self, recipient: str, in_reply_to: str, deadline: float) -> bool:
        """Shows that somebody writes. Raises SendError."""
        return await self._happened(recipient, str(uuid4()), {"eventType": "IS_TYPING"}, deadline)

    async def seen(self, recipient: str, event_id: str, deadline: float) -> bool:
        """Shows the recipient's message as read. Raises SendError."""
        name = str(uuid5(NAMESPACE_URL, f"{self._agent}/{event_id}"))  # the same again is the same event
        return await self._happened(recipient, name, {"eventType": "READ", "messageId": event_id}, deadline)

    async def _happened(self, recipient: str, name: str, event: dict[str, str], deadline: float) -> bool:
        url = f"{self._phone(recipient)}/agentEvents?eventId={name}&{self._query}"
        response = await self._ask("POST", url, deadline, body=msgspec.json.encode(event))
        if response.status // 100 != 2 and response.status != TAKEN:
            raise refused(response)
        return True

    def read(self, call: Call) -> Heard:
        """Events of one callback; raises CallRefused for one that is not Google's or not this agent's."""
        return google_rbm_callback.read(call, agent=self._agent, token=self._webhook_token)

    async def close(self) -> None:
        await self._tokens.close()

    def _phone(self, recipient: str) -> str:
        return f"{self._base}/v1/phones/{quote(recipient, safe='+')}"

    async def _ask(
        self, method: str, url: str, deadline: float, *, body: bytes = b"", content_type: str = "application/json"
    ) -> Response:
        """One call with a token. A 401 (nothing was done) drops the token and tries once more with a new one."""
        token = self._tokens.ready() or await self._tokens.get(deadline)
        headers = _headers(token, content_type if body else "")
        response = await self._out.request(method, url, deadline=deadline, headers=headers, body=body)
        if response.status == 401:
            self._tokens.drop(token)
            headers = _headers(await self._tokens.get(deadline), content_type if body else "")
            response = await self._out.request(method, url, deadline=deadline, headers=headers, body=body)
        return response


def _headers(token: str, content_type: str) -> dict[str, str]:
    credential = {"authorization": f"Bearer {token}"}
    return {**credential, "content-type": content_type} if content_type else credential


def _by_country(recipients: Sequence[str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for recipient in recipients:
        found.setdefault(phone.calling_code(recipient), []).append(recipient)
    return list(found.values())


def _together(parts: Sequence[Reached]) -> Reached:
    return Reached(
        answers={one: answer for part in parts for one, answer in part.answers.items()},
        sampled=sum(part.sampled for part in parts),
        reachable=sum(part.reachable for part in parts),
    )


def _all(recipients: Sequence[str], answer: Capability) -> Reached:
    return Reached(answers=dict.fromkeys(recipients, answer))


def _ours(code: str, sentence: str, blame: Blame = Blame.US) -> SendError:
    return SendError(f"{sentence} Nothing was sent.", code=code, fate=Fate.PERMANENT, blame=blame)
