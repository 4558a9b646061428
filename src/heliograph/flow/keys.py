"""API keys of a site: made, listed, disabled, enabled, rotated. What is secret of one is shown once.

The secrets of an OAuth key are sealed, since signatures are checked with them. Of a bearer key only the SHA-256 is
kept: it is 256 random bits, which nobody guesses or finds in a table, so that a slow hash with a salt would protect it
no better and cost each call some 50 ms.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

import msgspec

from heliograph.core.ports import Store
from heliograph.core.site import Key, Kind, Scope
from heliograph.errors import SetupError
from heliograph.flow.manage import Seals

_LETTERS = string.ascii_letters + string.digits  # common OAuth libraries take nothing else in a key or a token
ROTATION = 7 * 86_400_000  # ms in which both keys are valid


class FourParts(msgspec.Struct, frozen=True, kw_only=True):
    """What a caller signs with; in clear, to be shown once."""

    consumer_key: str
    consumer_secret: str
    token: str
    token_secret: str

    def __repr__(self) -> str:
        return f"FourParts({self.consumer_key})"


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """A bearer key in clear, to be shown once. `name` is its public part, by which it is listed, disabled, rotated."""

    name: str
    bearer: str

    def __repr__(self) -> str:
        return f"Bearer({self.name})"


def _word(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def make(*, token: bool = True) -> FourParts:
    """24 characters of a key or token (oauthlib takes 20 to 30) are 142 bits, 40 of a secret 238."""
    key, secret = _word(24), _word(40)
    if not token:
        return FourParts(consumer_key=key, consumer_secret=secret, token="", token_secret="")
    return FourParts(consumer_key=key, consumer_secret=secret, token=_word(24), token_secret=_word(40))


def make_bearer(kind: Kind) -> Bearer:
    """`hg_live_` and 12 characters are its name, 43 more are 256 random bits. The prefix tells people, and programs
    that look for leaked keys, what they have in hand."""
    name = f"hg_{kind.value}_{_word(12)}"
    return Bearer(name=name, bearer=f"{name}_{_word(43)}")


def name_of(bearer: str) -> str:
    """The public name in a bearer key; of anything else whatever stands before its last underscore."""
    return bearer.rpartition("_")[0]


def digest(bearer: str) -> str:
    return hashlib.sha256(bearer.encode("utf-8", "surrogateescape")).hexdigest()


def is_bearer(key: Key, bearer: str) -> bool:
    """Whether this is that key, compared in constant time."""
    return bool(key.digest) and hmac.compare_digest(key.digest, digest(bearer))


async def create(
    store: Store,
    seals: Seals,
    site: str,
    *,
    now: int,
    note: str = "",
    parts: FourParts | None = None,
    kind: Kind = Kind.LIVE,
    scopes: tuple[Scope, ...] = (),
    expires: int | None = None,
) -> FourParts:
    """A new OAuth key of `site`. Raises SetupError where the site is not known."""
    await _known(store, site)
    parts = parts or make()
    await store.put_key(
        Key(
            site=site,
            consumer_key=parts.consumer_key,
            consumer_secret=seals.seal(parts.consumer_secret),
            token=parts.token,
            token_secret=seals.seal(parts.token_secret) if parts.token else "",
            note=note,
            created=now,
            kind=kind,
            scopes=scopes,
            expires=expires,
        )
    )
    return parts


async def create_bearer(
    store: Store,
    site: str,
    *,
    now: int,
    note: str = "",
    kind: Kind = Kind.LIVE,
    scopes: tuple[Scope, ...] = (),
    expires: int | None = None,
) -> Bearer:
    """A new bearer key of `site`. Raises SetupError where the site is not known."""
    await _known(store, site)
    made = make_bearer(kind)
    await store.put_key(
        Key(
            site=site,
            consumer_key=made.name,
            digest=digest(made.bearer),
            last_four=made.bearer[-4:],
            note=note,
            created=now,
            kind=kind,
            scopes=scopes,
            expires=expires,
        )
    )
    return made


async def _known(store: Store, site: str) -> None:
    there = await store.changes(0)
    if site not in {one.id for one in there.sites}:
        known = ", ".join(one.id for one in there.sites) or "none yet"
        raise SetupError(
            f"There is no site {site}. Apply its files first: `heliograph apply PATH` (known sites: {known}).",
            code="unknown_site",
        )


async def find(store: Store, consumer_key: str, site: str = "") -> tuple[Key, ...]:
    """Every key (one per token) with this consumer key. Raises SetupError where there is none."""
    there = await store.changes(0)
    found = tuple(key for key in there.keys if key.consumer_key == consumer_key and site in ("", key.site))
    if not found:
        raise SetupError(
            f"There is no key {consumer_key}. `heliograph keys list` shows the keys of all sites.", code="unknown_key"
        )
    return found


async def disable(store: Store, consumer_key: str, *, now: int) -> tuple[Key, ...]:
    """From now on calls with this key are refused; every node sees it within a second."""
    return await _set(store, await find(store, consumer_key), disabled=now)


async def enable(store: Store, consumer_key: str) -> tuple[Key, ...]:
    """Takes back a disabling and an end date."""
    return await _set(store, await find(store, consumer_key), disabled=None, expires=None)


async def rotate(
    store: Store, seals: Seals, consumer_key: str, *, now: int, both_for: int = ROTATION
) -> tuple[FourParts | Bearer, int]:
    """A new key of the same sort beside the old one, which ends `both_for` ms from now (an earlier end stays). Returns
    the new key and the old one's end."""
    old = await find(store, consumer_key)
    first = old[0]
    if first.disabled is not None:
        raise SetupError(
            f"The key {consumer_key} is disabled: there is nothing to hand over. Create a new one: "
            f"`heliograph keys create {first.site}`.",
            code="key_disabled",
        )
    fresh: FourParts | Bearer
    if first.digest:
        fresh = await create_bearer(store, first.site, now=now, note=first.note, kind=first.kind, scopes=first.scopes)
    else:
        parts = make(token=bool(first.token))
        fresh = await create(
            store, seals, first.site, now=now, note=first.note, parts=parts, kind=first.kind, scopes=first.scopes
        )
    ends = [key.expires for key in old if key.expires is not None]
    end = min([now + both_for, *ends])
    await _set(store, old, expires=end)
    return fresh, end


async def _set(store: Store, keys: tuple[Key, ...], **fields: int | None) -> tuple[Key, ...]:
    changed = tuple(msgspec.structs.replace(key, **fields) for key in keys)
    for key in changed:
        await store.put_key(key)
    return changed
