"""A site's webhook: where the brand is told what happens, of which types, and when it is told again.

Signed as the Standard Webhooks specification has it (core.standard_webhooks). Of one **subject** (an alert, a
conversation, a recipient's opt-out) the events have numbers from 1 without a gap and are delivered in that order. An
event is kept until the brand has taken it, at least once: the same one may come twice and then has the same id.

Times are milliseconds since the epoch, UTC, unless they are said to be in seconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from urllib.parse import urlsplit

import msgspec

from heliograph.core.event import Attached, Place

ALERT_TYPES = frozenset(
    f"alert.{state}"
    for state in ("accepted", "scheduled", "sent", "delivered", "read", "failed", "expired", "refused", "cancelled")
)
TYPES = ALERT_TYPES | {
    "reply.received",
    "opt_out.added",
    "opt_out.removed",
    "conversation.opened",
    "conversation.answered",
    "conversation.closed",
    "turn.sent",
    "turn.delivered",
    "turn.read",
    "turn.failed",
}
NOTHING: frozenset[str] = frozenset()
Tell = frozenset[str] | None  # of which types a site's brand is told; None: not known here, the store looks it up

# Seconds after a failure until the next try, as the specification's example has them: three days in all.
PAUSES = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
KEPT = 76 * 3_600_000  # after which an event that nobody took is given up, however often it was tried
JITTER = 0.1  # a pause is longer or shorter by at most this share
LONGEST_WISH = 86_400  # seconds; a longer Retry-After is cut to this
LATE = 600_000  # an event that has waited for so long is worth an operator's look


class Webhook(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A site's webhook, a document of the registry (`[webhook]` in the site's file). `secrets`: the newest first, each
    sealed; every one signs, so that they can be rotated. `events`: the types, empty = all. `allow_private`: it may be
    at a private address. `disabled`: why nothing is posted to it any more, `disabled_at` since when."""

    site: str
    url: str
    secrets: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    allow_private: bool = False
    disabled: str = ""
    disabled_at: int = 0

    @property
    def tells(self) -> frozenset[str]:
        return frozenset(self.events) or TYPES


class SentFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """A file that the recipient sent. `url` where anybody who knows it may fetch it; `size` in bytes."""

    url: str = ""
    content_type: str = ""
    name: str = ""
    size: int = 0


class Words(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """A turn: what was said. `by`: recipient | agent | heliograph. `kind`: text | tap | location | file | template |
    other. `rule`: how the alert that a reply answers was found (quoted | offered | option | newest | none)."""

    number: int = 0
    by: str = ""
    kind: str = ""
    text: str = ""
    postback: str = ""
    rule: str = ""
    author: str = ""
    attached: tuple[SentFile, ...] = ()
    place: Place | None = None


class Data(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, gc=False):
    """What an event says. Fields that mean nothing for its type are left out. Times are RFC 3339. `sequence`: its
    number in its subject. `state`: of the alert, the conversation or the turn that the event is about. What the caller
    passed along for agents (alertInfo) and the values of variables are not repeated."""

    site: str
    sequence: int = 0
    alert_id: str = ""
    external_alert_id: str = ""
    conversation_id: str = ""
    recipient: str = ""
    channel: str = ""
    template: str = ""
    state: str = ""
    reason: str = ""
    created: str = ""
    send_at: str = ""
    provider_time: str = ""
    scope: str = ""
    how: str = ""
    since: str = ""
    skill: str = ""
    desk: str = ""
    closed_by: str = ""
    turn: Words | None = None
    test: bool = False


class Body(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it is posted."""

    type: str
    timestamp: str
    data: Data


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An event as it is kept. `body`: the bytes that are posted, the same each time. `since`: from when on it waits (a
    replay begins anew). `state`: waiting | taken | failed. `tries`: how often it was posted in vain; `why`: what came
    of the last time, without personal data. `until`: when it is removed, 0 while it waits."""

    site: str
    subject: str
    number: int
    type: str
    at: int
    since: int
    state: str = "waiting"
    tries: int = 0
    why: str = ""
    until: int = 0
    body: bytes = b""

    @property
    def id(self) -> str:
        return event_id(self.subject, self.number)


class Waiting(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of one site: how many events wait and how many were given up (10,000 are counted at most), and since when the
    oldest waits; None where none does."""

    site: str
    waiting: int = 0
    failed: int = 0
    oldest: int | None = None


def sent_files(attached: Iterable[Attached]) -> tuple[SentFile, ...]:
    return tuple(SentFile(url=one.url, content_type=one.content_type, name=one.name, size=one.size) for one in attached)


def event_id(subject: str, number: int) -> str:
    """The webhook-id: the same however often an event is posted."""
    return f"msg_{subject}_{number}"


def subject_of(id: str) -> tuple[str, int] | None:
    """The subject and the number in a webhook-id; None for any other text."""
    subject, _, number = id.removeprefix("msg_").rpartition("_")
    sound = id.startswith("msg_") and subject and number.isascii() and number.isdigit() and len(number) < 16
    return (subject, int(number)) if sound else None


def opt_out_subject(site: str, recipient: str, scope: str) -> str:
    """Subjects are named in ids: this one holds no number."""
    told = repr((site, recipient, scope)).encode()
    return f"optout-{blake2b(told, digest_size=16).hexdigest()}"


def next_try(event: Event, now: int, drawn: float, wish: float | None) -> int | None:
    """When an event that was not taken just now is posted again; None: never. `drawn`: a random number from 0 to 1.
    `wish`: the seconds that the endpoint asked for."""
    if event.tries >= len(PAUSES) or now - event.since >= KEPT:
        return None
    pause = PAUSES[event.tries] * (1 + JITTER * (2 * drawn - 1))
    return min(now + round(1000 * max(pause, min(wish or 0.0, LONGEST_WISH))), event.since + KEPT)


def wish_of(header: str, now: int) -> float | None:
    """The seconds that a Retry-After header asks for; None where it cannot be read."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return max(0.0, (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now / 1000)


def url_fault(url: str) -> str:
    """Why this cannot be an endpoint's address, in a sentence; empty where it can."""
    try:
        split = urlsplit(url)
        host = split.hostname
    except ValueError:
        split, host = urlsplit(""), None
    if split.scheme not in ("http", "https") or not host or split.username or any(one.isspace() for one in url):
        return "url needs scheme and host, as in https://crm.acme.example/heliograph."
    return "url has a fragment (#…), which is never sent; leave it out." if split.fragment else ""


def rfc3339(ms: int | None) -> str:
    """Milliseconds since the epoch as "2026-11-25T03:00:43.120Z"; empty for None."""
    if ms is None:
        return ""
    return f"{datetime.fromtimestamp(ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"
