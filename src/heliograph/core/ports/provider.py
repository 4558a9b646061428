"""The contract of a channel's provider."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from heliograph.core.channel import Capability, Carries, Reached, Size
from heliograph.core.content import Content, Media
from heliograph.core.event import Attached, ProviderEvent, Receipt
from heliograph.core.ports.http import Answer, Call, Exchange, Out
from heliograph.core.site import Sender


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a provider is asked to send. `id` is our attempt's id and travels with the message. `expires` (ms) is the
    alert's end; `traffic`: transaction | promotion | authentication | service_request | acknowledgement. `window`: the
    recipient's window is open, so that free content may be sent (core.channel.Carries)."""

    id: str
    recipient: str
    content: Content
    expires: int
    now: int
    traffic: str = "transaction"
    window: bool = False


class Taken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The provider took the message. `raw` is its own success body, unchanged."""

    references: tuple[str, ...]
    raw: bytes
    exchange: Exchange | None = None


class Revoked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`gone`: True = removed before delivery, False = the provider does not have it (delivered, or never taken)."""

    gone: bool
    exchange: Exchange | None = None


class Uploaded(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A medium is known to the provider as `reference` until `expires` (ms)."""

    reference: str
    expires: int
    exchange: Exchange | None = None


class Fetched(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file of a recipient's, as its provider gave it: whatever a phone can send, so it is shown as a picture or film
    only where its `content_type` (lower case, without parameters) is known to be harmless."""

    content_type: str
    data: bytes


class Heard(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a callback says: `events`, and the `answer` that the provider wants."""

    events: tuple[ProviderEvent, ...]
    answer: Answer = Answer()


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """How a provider's sender reaches the world and is reached by it. `out`: the HTTP client. `callback()`: the
    public address of this sender's callbacks as it is now (`/callbacks/<channel>/<provider>/<site>/<sender>`). `heard`:
    for a provider with a line of its own (SMPP): it returns when the events are on disk, and only then they are
    acknowledged; raises StoreAway."""

    out: Out
    callback: Callable[[], str]
    heard: Callable[[tuple[ProviderEvent, ...]], Awaitable[None]]


class Provider(Protocol):
    """One sender, opened. It returns; it never writes to the store or to a response.

    `send`, `revoke`, `ask` and `upload` raise SendError with a fate. `capability` never raises: a failed question is
    `unknown`. `read` is pure; it raises CallRefused for a callback whose signature is wrong. `ask`: what became of a
    message, where the provider can be asked; None = it does not know it. One with a line of its own may have
    `trouble()`: why that is not up, without personal data; empty where it is.
    """

    repeats_are_ignored: bool  # a second send with the same message id reaches nobody twice
    can_revoke: bool
    can_ask: bool
    asks_capability: bool
    asks_many: int  # recipients that one question may be about: it is an AsksMany then. 0 = each is a question

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability: ...
    async def send(self, message: Message, deadline: float) -> Taken: ...
    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked: ...
    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None: ...
    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded: ...
    def read(self, call: Call) -> Heard: ...
    async def close(self) -> None: ...


class AsksMany(Provider, Protocol):
    """One that has `asks_many`. It answers for each recipient, all different, and never raises either."""

    async def capabilities(self, recipients: Sequence[str], now: int, deadline: float) -> Reached: ...


class Fetches(Provider, Protocol):
    """One that has the files of recipients; a provider without `fetch` has none. It gets one that stands in an event of
    its own callbacks: 16 MiB at most, from its own hosts alone. Raises SendError: `permanent` where it is gone, too
    large or elsewhere, `config` where our credentials are refused, `retry` for all else (a repeat does no harm)."""

    async def fetch(self, attached: Attached, deadline: float) -> Fetched: ...


class Courteous(Provider, Protocol):
    """One that can show a recipient what happens at our side; a flag that is absent is a no, and its function is then
    not called. Both answer whether the provider took it, or raise SendError. Neither is ever worth a second try: who
    calls counts a failure and goes on.

    `typing`: somebody writes an answer; it vanishes with the next message or after some 20 s. `in_reply_to` is the
    `Inbound.event` of the recipient's last message, which WhatsApp then also shows as read. `seen`: the message
    `event_id` was read (WhatsApp: and all before it).
    """

    can_type: bool
    can_mark_read: bool

    async def typing(self, recipient: str, in_reply_to: str, deadline: float) -> bool: ...
    async def seen(self, recipient: str, event_id: str, deadline: float) -> bool: ...


class Plug(Protocol):
    """A provider's module in a channel's folder (`channels/rcs/google_rbm.py`), found by plugs.py.

    `NAME` is the provider's name ("google-rbm"). `Settings` is a msgspec.Struct of its sender's settings;
    `SECRETS` names the fields that are sealed when applied. `CARRIES`: what its messages can be (where a sender's
    settings change that, its provider has `carries` of its own). `open` is called in
    the event loop; a provider with a line of its own begins it there. `check` returns one sentence per fault of a
    content that is to be sent, `measure` says how much it is.

    `hosts(settings)` names every host that a sender of these settings would speak to ("https://host/…", "host:port").
    Where all of them are the sandbox's, test keys may use it. A module without it speaks to real providers alone.
    `ASKS` = True: its senders have `asks_capability`; a command that only asks opens no others.

    Three more may be left out. `LONGEST`: characters of an agent's answer at most, 0 = as `check` says.
    `lacks(settings, public)`: one sentence for each thing without which something never arrives, for `heliograph
    doctor`; `public`: whether our own address is set. `CALLBACKS`: false where the provider posts none, since its
    receipts come down a line of its own.
    """

    NAME: str
    Settings: type[msgspec.Struct]
    SECRETS: frozenset[str]
    CARRIES: Carries

    def open(self, sender: Sender, settings: msgspec.Struct, ways: Ways) -> Provider: ...
    def check(self, content: Content) -> list[str]: ...
    def measure(self, content: Content) -> Size: ...
