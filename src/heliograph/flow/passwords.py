"""Passwords as Argon2id hashes, made and checked in two threads of their own, so that no alert waits for them.

The cost is one of those that OWASP's Password Storage Cheat Sheet calls equal: 46 MiB, one pass, one lane; some 40 ms.
Two threads bound both the memory and the share of the machine that people who guess passwords can take.
"""

from __future__ import annotations

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_ONCE = 2
MOST_WAITING = 100  # checks; as many take some 2 s
_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
_threads = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="password")
_waiting = 0
# The hash of 256 random bits that nobody has. Who does not exist is checked against it, so that the answer takes as
# long as for one who does.
NOBODY = "$argon2id$v=19$m=47104,t=1,p=1$VzjsbRIvMn5hTpGYL0b2TA$YpW8ISCi0MENKrej7ZXsz8WWTb9d2DqO45zUKimTSKo"


async def hashed(password: str) -> str:
    """In the PHC form, salt and cost included."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, _plain(password))


async def right(kept: str, password: str) -> bool:
    """Whether this is the password of that hash; an empty hash is nobody's and takes as long."""
    global _waiting
    _waiting += 1
    try:
        found = await asyncio.get_running_loop().run_in_executor(_threads, _check, kept or NOBODY, _plain(password))
    finally:
        _waiting -= 1
    return found and bool(kept)


def busy() -> bool:
    """Whether so many checks wait that another would only make the line longer: guesses from many networks at once."""
    return _waiting >= MOST_WAITING


def _check(kept: str, password: str) -> bool:
    try:
        return _hasher.verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


def _plain(password: str) -> str:
    """One form for what keyboards write in several (NIST SP 800-63B section 5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)
