"""The contracts between the rooms: Protocols, small on purpose. flow/ is written against these alone.

`deadline` is a moment of the event loop's own clock (seconds, `loop.time()`); all other times are milliseconds since
the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

from heliograph.core.alert import Alert, Attempt
from heliograph.core.channel import Capability, Carries, Reached, Size
from heliograph.core.content import Content, Media
from heliograph.core.event import Entry, ProviderEvent, Receipt
from heliograph.core.optout import OptOut
from heliograph.core.site import Key, Sender, SenderReport, Site
from heliograph.core.states import AlertState, AttemptState
from heliograph.core.template import Template

# ── HTTP as plugs see it ────────────────────────────────────────────────────────────────────────────────────────────


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An HTTP request that came in. `url` is the public one as the caller wrote it; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An HTTP response that goes out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Exchange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The redacted note of one HTTP exchange: no credential, and of a phone number the last four digits at most.

    `milliseconds`: how long it took; `response`: the first 4 KiB of a body that is no success, as text, redacted;
    `failure`: what broke where there is no status.
    """

    method: str
    url: str
    status: int | None = None
    milliseconds: float = 0.0
    response: str = ""
    failure: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the outside answered to one of our requests. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    exchange: Exchange


class Out(Protocol):
    """The only HTTP client (out/). Raises SendError alone: fate `retry` where nothing was written (refused, no
    connection in time, no such host), `unknown` where the request may have been read and no answer came, `config`
    where the address is not allowed."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        secrets: Sequence[str] = (),
    ) -> Response: ...

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Where a provider with a line of its own may connect to, by the same rules. Raises SendError."""
        ...


# ── Channels ────────────────────────────────────────────────────────────────────────────────────────────────────────


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

    Two more may be left out. `lacks(settings, public)`: one sentence for each thing without which something never
    arrives, for `heliograph doctor`; `public`: whether our own address is set. `CALLBACKS`: false where the provider
    posts none, since its receipts come down a line of its own.
    """

    NAME: str
    Settings: type[msgspec.Struct]
    SECRETS: frozenset[str]
    CARRIES: Carries

    def open(self, sender: Sender, settings: msgspec.Struct, ways: Ways) -> Provider: ...
    def check(self, content: Content) -> list[str]: ...
    def measure(self, content: Content) -> Size: ...


# ── The store ───────────────────────────────────────────────────────────────────────────────────────────────────────


class Claim(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A thing that may be used once: a nonce, the identity of a call. `owner` is the caller's own id (the alert's, or
    the request's); a claim already owned by the same owner is granted again. After `until` (ms) it is free. One that is
    `released` from the start is free for the next at once: it only asks whether somebody else has it, and leaves its
    owner to be read as `former`."""

    site: str
    scope: str  # "nonce" | "call" | "key" …
    key: str
    until: int
    owner: str
    value: str = ""  # kept with it (the hash of a body; of a nonce its timestamp, s)
    released: bool = False


class Due(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something to be done at or after `at`. One row per (site, kind, ref); writing it again re-dates it and sets its
    lease. `kind`: "attempt" (follow it up: resume, settle, leave, expire) | "step" (leave an attempt's channel: what
    was delivered is not read, or the next channel was not to be used yet) | "alert" (held: send it). `ref` is the
    attempt's or the alert's id. `lease`: until then (ms) it belongs to the node that wrote or claimed it, nobody else
    gets it; an acceptance is born leased to the node that sends it, so that a crash leaves it to another."""

    site: str
    kind: str
    ref: str
    at: int
    lease: int = 0
    tries: int = 0


class Acceptance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that accepting an alert writes, in one transaction: nothing leaves before it is on disk. `opted_out`: the
    scopes that the decision knew of."""

    alert: Alert
    decision: bytes  # the decision record, JSON
    attempt: Attempt | None = None
    claims: tuple[Claim, ...] = ()
    due: tuple[Due, ...] = ()
    entries: tuple[Entry, ...] = ()
    opted_out: frozenset[str] = frozenset()


class Accepted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Written. `former`: owner of a released claim of scope "call" that this one took over, if any; it is written into
    the alert's record (Alert.former) in the same transaction."""

    former: str = ""


class Taker(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Not written, none of it: this claim belongs to somebody else."""

    scope: str
    owner: str
    value: str


class Barred(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Not written, none of it: the recipient has opted out of `scopes` (a channel, "all") and the decision did not know
    of all of them. Looked up inside the transaction of `accept` where something is sent or held: the hot path reads
    nothing before."""

    scopes: frozenset[str]


class Outcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of an attempt, in one transaction: attempt, alert, timeline, due rows, claims.

    The attempt's state is changed only as `core.states.moved` allows (a receipt may have come first), the alert's by
    `core.states.shown`. `end` and `reason`: the alert comes to this end, unless a delivery was heard. `next`: a further
    attempt to be written; only where nobody has written one of its number, the alert is open and has not come as far as
    `unless`, and the recipient has not opted out: else nothing at all is written. `revoke_asked` likewise: only where
    nobody has asked before and nothing was delivered. `until` (ms): later nothing is written, since another node may
    have the attempt by then. `gives_way`: a hand-over that failed; where the attempt was taken meanwhile (by a node
    that had its lease) it is history and nothing more. `expects`: nothing is written unless the attempt is in this
    state and in nobody's lease. `release` frees this alert's claims of scope "call" and "key", leaving the owner
    readable as `former`. `begun`: the attempt as it was accepted together with its alert, where it was simply taken:
    unless somebody changed the alert since, its row is written without being read.
    """

    site: str
    alert: str
    attempt: str = ""
    state: AttemptState | None = None
    reason: str = ""
    tries: int = 0
    references: tuple[str, ...] = ()
    raw: bytes = b""
    end: AlertState | None = None
    alert_state: AlertState | None = None  # e.g. scheduled
    send_at: int | None = None
    next: Attempt | None = None
    decision: bytes | None = None
    due: tuple[Due, ...] = ()
    done: tuple[tuple[str, str], ...] = ()  # due rows (kind, ref) that are finished
    entries: tuple[Entry, ...] = ()
    begun: Attempt | None = None
    release: bool = False
    gives_way: bool = False
    expects: AttemptState | None = None
    revoke_asked: int | None = None  # ms, when the provider was asked to take the attempt back
    unless: AlertState = AlertState.DELIVERED
    until: int | None = None


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that is known of one alert."""

    alert: Alert
    attempts: tuple[Attempt, ...]
    entries: tuple[Entry, ...]
    decision: bytes


class AlertRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert in a list."""

    id: str
    site: str
    created: int
    recipient: str
    template: str
    language: str
    state: AlertState
    reason: str
    channel: str
    external_alert_id: str
    test: bool = False


class Changes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What changed in the registry since a revision; removed documents are named as (kind, site, name), where the name
    is a site's own id, a sender's name, `template@version` or `consumer_key/token`."""

    revision: int
    sites: tuple[Site, ...] = ()
    senders: tuple[Sender, ...] = ()
    templates: tuple[Template, ...] = ()
    keys: tuple[Key, ...] = ()
    removed: tuple[tuple[str, str, str], ...] = ()


class Joined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one heard event: `duplicate` (seen before), `alert` it belongs to ("" = unmatched, kept).
    `state`: the attempt's new state where this event changed it."""

    alert: str = ""
    attempt: str = ""
    duplicate: bool = False
    state: AttemptState | None = None


class Written(StrEnum):
    """What became of an opt-out that was to be written: `newer` = the recipient said otherwise later."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NEWER = "newer"


class LooseEnds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of one sender: how many attempts are in doubt, how many receipts belong to no attempt that is known."""

    site: str
    sender: str
    in_doubt: int = 0
    unmatched: int = 0


class Unmatched(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A receipt whose attempt nobody knows. `at`: when it was heard (ms)."""

    site: str
    sender: str
    channel: str
    reference: str
    at: int
    receipt: Receipt


class Store(Protocol):
    """Verbs of the domain, each one transaction. Every verb raises StoreAway if the database is away."""

    # the life of an alert
    async def accept(self, acceptance: Acceptance) -> Accepted | Taker | Barred: ...
    async def outcome(self, outcome: Outcome) -> bool: ...  # False: it gave way, or came too late
    async def spend(self, claims: tuple[Claim, ...]) -> Taker | None: ...
    async def keep(self, site: str, owner: str, until: int) -> None: ...
    # `lease` (ms) is the moment until which the rows are `node`'s own; oldest first
    async def claim_due(self, now: int, lease: int, node: str, limit: int) -> list[Due]: ...
    # a row that a receipt asked for anew while it was being done stays, and is due at once
    async def finish_due(self, site: str, kind: str, ref: str) -> None: ...
    async def push_due(self, due: Due) -> None: ...
    async def next_due(self) -> int | None: ...
    async def break_leases(self) -> None: ...  # one process alone on its file: nobody else can hold them
    # what providers tell; one commit for all events of a callback
    async def hear(
        self, site: str, channel: str, sender: str, events: tuple[ProviderEvent, ...], now: int
    ) -> list[Joined]: ...
    # reading
    async def record(self, alert: str) -> Record | None: ...
    async def alerts(
        self,
        *,
        site: str = "",
        state: str = "",
        recipient: str = "",
        external: str = "",
        before: str = "",
        test: bool = False,  # those of test keys alone
        limit: int = 50,
    ) -> list[AlertRow]: ...
    async def attempt(self, attempt: str) -> Attempt | None: ...
    async def inbound(self, site: str, recipient: str, limit: int = 50) -> list[ProviderEvent]: ...
    # when (ms) the recipient last wrote to this sender, None where that was before `since` or never
    async def last_inbound(self, site: str, sender: str, recipient: str, since: int) -> int | None: ...
    # facts for a decision
    async def capability(self, site: str, sender: str, recipient: str) -> Capability | None: ...
    async def keep_capability(self, site: str, sender: str, recipient: str, capability: Capability) -> None: ...
    # the scopes that bar an alert of this skill: "all", channels (core.optout.concerning)
    async def opted_out(self, site: str, recipient: str, skill: str) -> frozenset[str]: ...
    # `test`: of the alerts of test keys, else of the live ones
    async def count_alerts(self, site: str, recipient: str, since: int, *, test: bool = False) -> int: ...
    # opt-outs as people and files write them
    async def put_opt_outs(self, rows: tuple[OptOut, ...]) -> list[Written]: ...
    # those in force, by (site, recipient, scope), from the one after `after` on
    async def opt_outs(
        self,
        *,
        site: str = "",
        recipient: str = "",
        scope: str = "",
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 50,
    ) -> list[OptOut]: ...
    # what operators look at
    async def loose_ends(self, before: int) -> list[LooseEnds]: ...
    async def unmatched(self, before: int, limit: int) -> list[Unmatched]: ...
    async def report_senders(self, reports: tuple[SenderReport, ...]) -> None: ...
    async def sender_reports(self, since: int) -> list[SenderReport]: ...
    # media
    async def put_media(self, site: str, digest: str, content_type: str, data: bytes) -> bool: ...
    async def media(self, site: str, digest: str) -> tuple[str, bytes] | None: ...
    async def upload(self, site: str, sender: str, digest: str, now: int) -> str | None: ...
    async def keep_upload(self, site: str, sender: str, digest: str, uploaded: Uploaded) -> None: ...
    # the registry
    async def changes(self, since: int) -> Changes: ...
    async def put_site(self, site: Site) -> bool: ...
    async def put_sender(self, sender: Sender) -> bool: ...
    # why "" = it runs again; `by`: the operator, "" = heliograph, which undoes no operator's pause
    async def pause_sender(self, site: str, name: str, why: str, by: str = "") -> bool: ...
    async def put_template(self, template: Template) -> bool: ...
    async def put_key(self, key: Key) -> bool: ...
    async def remove(self, kind: str, site: str, name: str) -> bool: ...
    # housekeeping
    async def purge(self, now: int) -> int: ...  # a bite of a few thousand rows; how many
    async def ready(self) -> None: ...
    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None: ...
    async def close(self) -> None: ...


class Clock(Protocol):
    """Time, ids and waiting, so that ten thousand schedules run in virtual time."""

    def now(self) -> int: ...
    def loop_time(self) -> float: ...
    def new_id(self) -> str: ...
    async def sleep(self, seconds: float) -> None: ...
