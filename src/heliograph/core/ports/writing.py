"""What the life of an alert writes, one struct for each transaction, and what came of it."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert, Attempt
from heliograph.core.event import Entry
from heliograph.core.states import AlertState, AttemptState
from heliograph.core.webhook import Tell


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
    was delivered is not read, or the next channel was not to be used yet) | "alert" (held: send it) | "answer" (turns
    of a conversation wait to leave) | "desk" (a recipient's turns wait for the desk) | "webhook" (the brand is to be
    told). `ref` is the attempt's, the alert's or the conversation's id. `lease`: until then (ms) it belongs to the
    node that wrote or claimed it, nobody else gets it; an acceptance is born leased to the node that sends it, so
    that a crash leaves it to another."""

    site: str
    kind: str
    ref: str
    at: int
    lease: int = 0
    tries: int = 0


# What is to be done is done in lanes, each with its own places, so that a desk or a brand's endpoint that hangs holds
# up no alert. A kind that is not named here is of the first lane.
LANES = {"answer": 1, "desk": 2, "webhook": 3}


def lane(kind: str) -> int:
    """The lane of a due row's kind."""
    return LANES.get(kind, 0)


class Acceptance(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that accepting an alert writes, in one transaction: nothing leaves before it is on disk. `opted_out`: the
    scopes that the decision knew of. `tell`: the types of events that the site's brand is told of, written in the same
    transaction; None: the store looks them up (a statement more)."""

    alert: Alert
    decision: bytes  # the decision record, JSON
    attempt: Attempt | None = None
    claims: tuple[Claim, ...] = ()
    due: tuple[Due, ...] = ()
    entries: tuple[Entry, ...] = ()
    opted_out: frozenset[str] = frozenset()
    tell: Tell = None


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
    unless somebody changed the alert since, its row is written without being read. `tell`: as in an Acceptance.
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
    tell: Tell = None
