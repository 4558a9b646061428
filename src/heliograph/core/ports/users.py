"""The store's verbs of users, their sessions and the audit log."""

from __future__ import annotations

from typing import Protocol

from heliograph.core.user import Audited, Session, User


class UserStore(Protocol):
    """Every verb that changes something writes the line of the audit log in the same transaction."""

    async def users(self) -> list[User]: ...  # by name
    async def user(self, name: str) -> User | None: ...
    # `expects`: as it stood when it was read, None = it is new; False: somebody else wrote it meanwhile. `ends`: its
    # sessions end with it, but for the one with the digest `but`
    async def put_user(
        self, user: User, audited: Audited, *, expects: User | None, ends: bool = False, but: str = ""
    ) -> bool: ...

    # False: the user was changed since `expects` was read
    async def begin_session(self, session: Session, expects: User, audited: Audited) -> bool: ...
    # one that is not over at `now`, and its user
    async def session(self, digest: str, now: int) -> tuple[Session, User] | None: ...
    async def touch_session(self, digest: str, seen: int, until: int) -> None: ...
    async def end_session(self, digest: str, audited: Audited) -> bool: ...
    async def end_sessions(self, user: str, audited: Audited) -> int: ...  # how many

    # Counts one more try for each key, before its password is looked at; `keys`: key → how many are allowed within
    # `window` ms. Until when (ms) no more are taken, 0 = this one may go on
    async def count_login(self, keys: tuple[tuple[str, int], ...], now: int, window: int) -> int: ...
    # a try that was right: `keys` begin anew, it does not count for `less`
    async def forget_logins(self, keys: tuple[str, ...], less: tuple[str, ...]) -> None: ...

    async def audit(self, audited: Audited) -> None: ...
    # the newest first, those before the id `before`; `who`, `what`: "" = all
    async def audit_log(self, *, who: str = "", what: str = "", before: str = "", limit: int = 50) -> list[Audited]: ...
