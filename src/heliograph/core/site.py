"""A site (a brand's account) as it is configured, and what belongs to it: senders and API keys.

All of these are documents of the registry: written by `heliograph apply` and `heliograph keys`, read by every node.
Times are milliseconds since the epoch, UTC; durations are seconds.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

import msgspec

from heliograph.core.fallback import Fallback

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
    fallback: Fallback = Fallback()
    prices: Prices = Prices()


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An identity at a provider. `settings` is the provider's own table as applied; the values of its secret fields
    are sealed. `paused`: why an operator or heliograph stopped it, empty while it runs."""

    site: str
    name: str
    channel: str
    provider: str
    settings: dict[str, object] = {}
    weight: int = 1
    paused: str = ""


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
