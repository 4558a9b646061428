"""Claims: things that may be used once. Nonces, the identity of a call, idempotency keys."""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Claim, Taker
from heliograph.store.outside import short
from heliograph.store.verb import Verb

_NEW = ("", 1)  # former and grants of a claim that nobody had

# A claim as its alert remembers it: scope, key, until. The alert's id is its owner.
Mark = tuple[str, str, int]
_marks = msgspec.json.Decoder(tuple[Mark, ...]).decode


def take(claims: tuple[Claim, ...], now: int) -> Verb[str | Taker]:
    """Take all of them or none. The former owner of a released claim that was taken over ("" if none), or who has
    the first that is not to be had."""
    former = ""
    granted: list[tuple[Claim, str, int]] = []
    for claim in claims:
        place, until = _place(claim), (claim.until, now)
        if claim.scope == "nonce":
            new = yield "nonce_new", (*place, claim.owner, claim.until)
            rows = [_NEW] if new else (yield "nonce_take", (*place, claim.owner, *until))
        else:
            what = (claim.owner, claim.value, claim.until)
            new = yield "claim_new", (*place, *what, int(claim.released))
            rows = [_NEW] if new else (yield "claim_take", (*place, *what, now, int(claim.released)))
        if not rows:
            for mine, its_former, grants in granted:
                yield from _undo(mine, its_former, grants)
            rows = yield "nonce_read" if claim.scope == "nonce" else "claim_read", place
            owner, value = rows[0] if rows else ("", "")  # no row: a nonce from before the last purge
            return Taker(scope=claim.scope, owner=owner, value=value)
        granted.append((claim, *rows[0]))
        former = rows[0][0] or former
    return former


def _place(claim: Claim) -> tuple[str, str, str]:
    """The key of a claim. A nonce's begins with its timestamp (`value`): those of one second lie together, so a commit
    writes fewer pages for them, and the oldest are found without an index."""
    return claim.site, short(claim.value) if claim.scope == "nonce" else claim.scope, short(claim.key)


def _undo(claim: Claim, former: str, grants: int) -> Verb[None]:
    """Put a claim back as it was before this verb took it."""
    if grants > 1:
        return
    if claim.scope == "nonce":
        yield "nonce_undo", (*_place(claim), claim.owner)
    else:
        yield "claim_restore" if former else "claim_undo", (*_place(claim), claim.owner)


def spend(claims: tuple[Claim, ...], now: int) -> Verb[Taker | None]:
    taken = yield from take(claims, now)
    return taken if isinstance(taken, Taker) else None


def keep(site: str, owner: str, until: int) -> Verb[None]:
    """Re-date the claims of scope "call" and "key" that the alert `owner` came with."""
    rows = yield "alert_claims", (site, owner)
    if rows:
        for scope, key, _ in _marks(rows[0][0]):
            yield "claim_keep", (site, scope, key, owner, until)


def release(site: str, owner: str, marks: bytes) -> Verb[None]:
    """Free an alert's claims; the next one who takes them is told of it."""
    for scope, key, _ in _marks(marks):
        yield "claim_release", (site, scope, key, owner)


def forget(site: str, owner: str, marks: bytes) -> Verb[None]:
    """An alert is no longer there: a call like its own is a new one."""
    for scope, key, _ in _marks(marks):
        yield "claim_undo", (site, scope, key, owner)


def marks_of(claims: tuple[Claim, ...]) -> bytes:
    """What an alert's row remembers of its claims, so that they are found without an index on the owner. Nonces are
    never re-dated."""
    return msgspec.json.encode(
        [(claim.scope, short(claim.key), claim.until) for claim in claims if claim.scope != "nonce"]
    )
