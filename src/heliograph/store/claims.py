"""Claims: things that may be used once. Nonces, the identity of a call, idempotency keys."""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Claim, Taker
from heliograph.store.verb import Verb

# A claim as its alert remembers it: scope and key. The alert's id is its owner.
Mark = tuple[str, str]
_marks = msgspec.json.Decoder(tuple[Mark, ...]).decode


def take(claims: tuple[Claim, ...], now: int) -> Verb[str | Taker]:
    """Take all of them or none. The former owner of a released claim that was taken over ("" if none), or who has
    the first that is not to be had."""
    former = ""
    for taken, claim in enumerate(claims):
        rows = yield (
            "claim_nonce" if claim.scope == "nonce" else "claim_take",
            (claim.site, claim.scope, claim.key, claim.owner, claim.value, claim.until, now),
        )
        if not rows:
            for mine, grant in granted[:taken]:
                yield from _undo(mine, *grant)
            rows = yield "claim_read", (claim.site, claim.scope, claim.key)
            owner, value = rows[0] if rows else ("", "")  # no row: a nonce from before the last purge
            return Taker(scope=claim.scope, owner=owner, value=value)
        if taken == 0:
            granted = []
        granted.append((claim, (rows[0][0], rows[0][1])))
        former = rows[0][0] or former
    return former


def _undo(claim: Claim, former: str, grants: int) -> Verb[None]:
    """Put a claim back as it was before this verb took it."""
    if grants == 1:
        yield "claim_restore" if former else "claim_undo", (claim.site, claim.scope, claim.key, claim.owner)


def spend(claims: tuple[Claim, ...], now: int) -> Verb[Taker | None]:
    taken = yield from take(claims, now)
    return taken if isinstance(taken, Taker) else None


def keep(site: str, owner: str, until: int) -> Verb[None]:
    """Re-date the claims of scope "call" and "key" that the alert `owner` came with."""
    rows = yield "alert_claims", (site, owner)
    if rows:
        yield from redate(site, owner, rows[0][0], until)


def redate(site: str, owner: str, marks: bytes, until: int) -> Verb[None]:
    for scope, key in _marks(marks):
        yield "claim_keep", (site, scope, key, owner, until)


def release(site: str, owner: str, marks: bytes) -> Verb[None]:
    """Free an alert's claims; the next one who takes them is told of it."""
    for scope, key in _marks(marks):
        yield "claim_release", (site, scope, key, owner)


def marks_of(claims: tuple[Claim, ...]) -> bytes:
    """What an alert's row remembers of its claims, so that they are found without an index on the owner. Nonces are
    never re-dated."""
    return msgspec.json.encode([(claim.scope, claim.key) for claim in claims if claim.scope != "nonce"])
