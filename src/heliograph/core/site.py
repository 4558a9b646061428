"""A site (a brand's account) as it is configured, and what belongs to it: senders and API keys.

All of these are documents of the registry: written by `heliograph apply` and `heliograph keys`, read by every node.
Times are milliseconds since the epoch, UTC; durations are seconds.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from heliograph.core.fallback import Fallback
from heliograph.core.keyword_words import Words

DAY = 86_400


class Hours(StrEnum):
    """What becomes of an alert in the recipient's quiet hours."""

    DELAY = "delay"
    REJECT = "reject"
    IGNORE = "ignore"


class QuietHours(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Local time at the recipient, "HH:MM"; `start` is included, `end` is not; a span may pass midnight. Equal times
    mean no quiet hours. `zone` (an IANA name) is used where the recipient's own cannot be told from the number."""

    start: str = "21:00"
    end: str = "08:00"
    rule: Hours = Hours.IGNORE
    zone: str = "UTC"


class Cap(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """At most `count` alerts to one recipient within `within` seconds, over all channels. 0 = no cap."""

    count: int = 0
    within: int = DAY


DEFAULT_PRICE = "default"  # the price of numbers that no other one is for


class Prices(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one part of a message costs, for estimates (core.price). `channels`: channel → beginning of a number
    ("+1", "+1809") or "default" → price in `currency` (ISO 4217)."""

    currency: str = "USD"
    channels: dict[str, dict[str, Decimal]] = {}


class Failures(StrEnum):
    """How a provider's failure is answered on the documented API: as its page shows, or with a 5xx status."""

    PAGE = "page"
    STATUS = "status"


class Kind(StrEnum):
    """What a key may reach. `test`: sandbox senders alone, so that no real provider ever hears of it; `team`: the
    recipients that the site lists; `live`: anybody."""

    LIVE = "live"
    TEST = "test"
    TEAM = "team"


class Scope(StrEnum):
    """What a key may do. `admin` may do everything of its site."""

    ALERTS_SEND = "alerts:send"
    ALERTS_READ = "alerts:read"
    EXPLAIN = "explain"
    CAPABILITIES_READ = "capabilities:read"
    OPT_OUTS_WRITE = "opt-outs:write"
    CONVERSATIONS_READ = "conversations:read"
    CONVERSATIONS_WRITE = "conversations:write"
    ADMIN = "admin"


USUAL_SCOPES = (Scope.ALERTS_SEND, Scope.ALERTS_READ, Scope.EXPLAIN)  # of a key that names none


class Team(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The recipients (E.164) that a key of kind `team` may send to."""

    recipients: tuple[str, ...] = ()


class Canned(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An answer that agents need not type. `@Name` stands for what is known beside the conversation (FirstName,
    LastName, ExternalCustomerId, ExternalAlertId, Agent, the alert's variables). `language`: a BCP 47 tag, "" = any."""

    title: str
    text: str
    language: str = ""


class Covers(StrEnum):
    """What a recipient's STOP covers: everything of the site, the channel it came on, or the skill it answered."""

    ALL = "all"
    CHANNEL = "channel"
    SKILL = "skill"


class OptOuts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How keywords are answered (core.notice). `contact`: where people find help, told to whoever writes HELP. `words`:
    the site's own, beside those of every language. `confirmation`, `resumed`, `help`: texts by language (BCP 47) that
    stand for ours."""

    scope: Covers = Covers.ALL
    contact: str = ""
    words: Words = Words()
    confirmation: dict[str, str] = {}
    resumed: dict[str, str] = {}
    help: dict[str, str] = {}


class Site(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`skills`: the allowed ones, empty = any. `channels`: the order in which they are tried.

    `calls_per_second` and `burst`: the call rate of one API key. `strict`: refuse a descriptor without its id.
    `fallback`: when a channel is left for the next; templates may say otherwise.
    `plaintext`: take OAuth PLAINTEXT over TLS. `require_body_hash`: refuse calls without `oauth_body_hash`.
    """

    id: str
    name: str = ""
    skills: tuple[str, ...] = ()
    default_skill: str | None = None
    default_language: str | None = None
    channels: tuple[str, ...] = ("rcs", "wa", "sms")
    time_to_live: int = DAY
    look_back: int = 30 * DAY
    strict: bool = False
    failures: Failures = Failures.PAGE
    plaintext: bool = False
    require_body_hash: bool = False
    calls_per_second: float = 0.0
    burst: int = 0
    quiet_hours: QuietHours = QuietHours()
    cap: Cap = Cap()
    team: Team = Team()
    prices: Prices = Prices()
    fallback: Fallback = Fallback()
    canned: tuple[Canned, ...] = ()
    opt_outs: OptOuts = OptOuts()


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An identity at a provider. `settings` is the provider's own table as applied; the values of its secret fields
    are sealed. `weight`: its share of the recipients among its channel's senders; 0 = only where the others are away.

    `paused`: why an operator or heliograph stopped it, empty while it runs; `paused_by` and `paused_at` (ms): the
    operator who did that, or who had it run again, and when; no name where it was heliograph."""

    site: str
    name: str
    channel: str
    provider: str
    settings: dict[str, object] = {}
    weight: int = 1
    paused: str = ""
    paused_by: str = ""
    paused_at: int = 0


class SenderReport(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one node says of a sender at `at`. `state`: closed | half_open | open | paused | not_open (its provider
    could not be opened). `why`: also of a closed one, where its line is not up. `since`: ms of its last change, 0 where
    it never changed. `next_try`: ms, 0 where nothing is waited for. `serves`: the share of recipients that it serves;
    `good` and `bad`: hand-overs of the breaker's window; `throttled`: hand-overs that met a rate limit, since the
    node's start."""

    site: str
    sender: str
    node: str
    at: int
    state: str
    why: str = ""
    since: int = 0
    next_try: int = 0
    serves: float = 1.0
    good: int = 0
    bad: int = 0
    throttled: int = 0


class Key(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One API key of a site.

    For OAuth 1.0a: four parts, of which the two secrets are sealed; one without a token has `token` and `token_secret`
    empty. A bearer key has its public name as `consumer_key` (`hg_live_…`) and `digest`, the SHA-256 (hex) of the whole
    key, and no secret: nothing in the database can be turned back into it. `last_four`: its last characters, by which
    its owner knows it. `scopes`: empty = USUAL_SCOPES.
    """

    site: str
    consumer_key: str
    consumer_secret: str = ""
    token: str = ""
    token_secret: str = ""
    note: str = ""
    created: int = 0
    disabled: int | None = None
    expires: int | None = None
    kind: Kind = Kind.LIVE
    scopes: tuple[Scope, ...] = ()
    digest: str = ""
    last_four: str = ""

    def may(self, scope: Scope) -> bool:
        scopes = self.scopes or USUAL_SCOPES
        return scope in scopes or Scope.ADMIN in scopes
