"""core.ports.UserStore on an engine: one line each, the work is in store/users.py."""

from __future__ import annotations

from heliograph.core.user import Audited, Session, User
from heliograph.store import users
from heliograph.store.verb import Engine


class Users:
    """The part of store.database.Database that holds the console's users."""

    _engine: Engine

    async def users(self) -> list[User]:
        return await self._engine.look(users.listed)

    async def user(self, name: str) -> User | None:
        return await self._engine.read(users.one, name)

    async def put_user(
        self, user: User, audited: Audited, *, expects: User | None, ends: bool = False, but: str = ""
    ) -> bool:
        return await self._engine.write(users.put, user, audited, expects, ends, but)

    async def begin_session(self, session: Session, expects: User, audited: Audited) -> bool:
        return await self._engine.write(users.begin, session, expects, audited)

    async def session(self, digest: str, now: int) -> tuple[Session, User] | None:
        return await self._engine.read(users.session, digest, now)

    async def touch_session(self, digest: str, seen: int, until: int) -> None:
        await self._engine.write(users.touch, digest, seen, until)

    async def end_session(self, digest: str, audited: Audited) -> bool:
        return await self._engine.write(users.end, digest, audited)

    async def end_sessions(self, user: str, audited: Audited) -> int:
        return await self._engine.write(users.end_all, user, audited)

    async def count_login(self, keys: tuple[tuple[str, int], ...], now: int, window: int) -> int:
        return await self._engine.write(users.count, keys, now, window)

    async def forget_logins(self, keys: tuple[str, ...], less: tuple[str, ...]) -> None:
        await self._engine.write(users.forget, keys, less)

    async def audit(self, audited: Audited) -> None:
        await self._engine.write(users.say, audited)

    async def audit_log(self, *, who: str = "", what: str = "", before: str = "", limit: int = 50) -> list[Audited]:
        return await self._engine.look(users.log, who, what, before, limit)
