"""Erasing a person: all that is known of a recipient goes, his opt-outs stay under a keyed hash of the number.

The key is the installation's own, made once and kept sealed in the store: rotating the secret key only seals it anew,
since with another key nobody who was erased would be found again.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Protocol

from heliograph.core.ports import Erased, Store
from heliograph.errors import SetupError

KEY = "opt_outs"  # the secret's name in the store
_SIZE = 32  # bytes; RFC 2104 asks for the hash's length


class Seals(Protocol):
    """What seals and opens (seal.py)."""

    def seal(self, text: str) -> str: ...
    def open(self, sealed: str) -> str: ...
    def is_newest(self, sealed: str) -> bool: ...


async def open_key(store: Store, seals: Seals) -> None:
    """From here on erased people are found by their numbers. Makes the key where there is none, and a new one where it
    cannot be opened and nobody was erased yet. Raises SetupError where somebody was: without the key an erased person
    might be sent to."""
    sealed = await store.secret(KEY)
    if not sealed:
        sealed = await store.make_secret(KEY, seals.seal(_fresh()))
    try:
        key = seals.open(sealed)
    except SetupError:
        if await store.opt_outs(erased=True, limit=1):
            raise
        await store.replace_secret(KEY, sealed, seals.seal(_fresh()))
        key = seals.open(await store.secret(KEY))
    store.hide_by(urlsafe_b64decode(key))


def _fresh() -> str:
    return urlsafe_b64encode(secrets.token_bytes(_SIZE)).decode()


async def reseal(store: Store, seals: Seals) -> int:
    """Seal the key with the newest secret key; how many secrets were written."""
    sealed = await store.secret(KEY)
    if not sealed or seals.is_newest(sealed):
        return 0
    return int(await store.replace_secret(KEY, sealed, seals.seal(seals.open(sealed))))


async def erase(
    store: Store, site: str, recipient: str, *, told: Callable[[Erased], None] = lambda so_far: None
) -> Erased:
    """Removes what is there, and says how much. `told` hears it bite by bite. It may be broken off and repeated: the
    opt-outs are hidden first, so that nobody is sent to in between who did not want it."""
    total = Erased(opt_outs=await store.hide_opt_outs(site, recipient))
    empty = Erased()
    while (gone := await store.erase(site, recipient)) != empty:
        total = _sum(total, gone)
        told(total)
    after: tuple[str, str, str] | None = ("", "", "")
    while after is not None:
        receipts, after = await store.erase_unmatched(site, recipient, after)
        total = _sum(total, Erased(receipts=receipts))
        told(total)
    return total


def _sum(one: Erased, two: Erased) -> Erased:
    return Erased(**{name: getattr(one, name) + getattr(two, name) for name in Erased.__struct_fields__})
