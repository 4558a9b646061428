"""A site (a brand's account) as it is configured, and what belongs to it: senders and API keys.

All of these are documents of the registry: written by `heliograph apply` and `heliograph keys`, read by every node.
Times are milliseconds since the epoch, UTC; durations are seconds.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

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


class Failures(StrEnum):
    """How a provider's failure is answered on the documented API: as its page shows, or with a 5xx status."""

    PAGE = "page"
    STATUS = "status"


class Site(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`skills`: the allowed ones, empty = any. `channels`: the order in which they are tried.

    `calls_per_second` and `burst`: the call rate of one API key. `strict`: refuse a descriptor without its id.
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
    could not be opened). `since`: ms of its last change, 0 where it never changed. `next_try`: ms, 0 where nothing is
    waited for. `serves`: the share of recipients that it serves; `good` and `bad`: hand-overs of the breaker's window;
    `throttled`: hand-overs that met the provider's rate limit, since the node's start."""

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
    """One API key of a site: the four parts of OAuth 1.0a. The two secrets are sealed. A key without a token has
    `token` and `token_secret` empty."""

    site: str
    consumer_key: str
    consumer_secret: str
    token: str = ""
    token_secret: str = ""
    note: str = ""
    created: int = 0
    disabled: int | None = None
    expires: int | None = None
