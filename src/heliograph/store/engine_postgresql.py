"""PostgreSQL: the only file that knows asyncpg. A verb is a transaction on a connection of its own.

Connections are kept in a pile of our own, the last one used on top: asyncpg's pool sends a reset query after each use,
a round trip more for every verb. A verb keeps nothing on its connection, so there is nothing to reset.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import asyncpg  # type: ignore[import-untyped]

from heliograph.errors import SetupError, StoreAway
from heliograph.store import statements
from heliograph.store.url import Address
from heliograph.store.verb import T, Verb

CONNECTIONS = 10  # per process; PostgreSQL takes 100 in all unless told otherwise
LISTS = 3  # of them at most for lists, which may walk far: the others are for alerts
CONNECT_WITHIN = 5.0  # seconds
ANSWER_WITHIN = 10.0  # seconds for one statement
WRITE = "BEGIN"
AGAIN = 5  # times that a verb is begun anew after a deadlock with another
_ANEW = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
# The connection or the server is at fault, not what was asked.
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what a connection that was cut in the middle may say
    asyncpg.PostgresConnectionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,  # a password that was changed, too
    asyncpg.InvalidCatalogNameError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.PostgresSystemError,
)
# Before a verb's first statement no word of the server's can be about what was asked.
_NOT_BEGUN = (*_AWAY, asyncpg.PostgresError)


class Postgresql:
    """verb.Engine on one database."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._statements = statements.load("postgresql")
        self._idle: list[asyncpg.Connection] = []
        self._places = asyncio.Semaphore(CONNECTIONS)
        self._lists = asyncio.Semaphore(LISTS)
        self._closed = False

    @classmethod
    async def open(cls, address: Address) -> Postgresql:
        engine = cls(address)
        engine._idle.append(await connect(address))
        return engine

    async def write(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        # Shielded: a waiter that is cancelled leaves the transaction to come to its end.
        return await asyncio.shield(asyncio.ensure_future(self._run(verb, args, WRITE)))

    async def read(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        return await self._run(verb, args, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")

    async def look(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        async with self._lists:
            return await self.read(verb, *args)

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        raise SetupError(
            "heliograph does not back PostgreSQL up by itself: run `pg_dump --format=custom --file=PATH` with the "
            "address in HELIOGRAPH_DATABASE_URL, or use your server's own backups.",
            code="backup_by_pg_dump",
        )

    async def close(self) -> None:
        """Waits for the transactions under way."""
        self._closed = True
        for _ in range(CONNECTIONS):
            await self._places.acquire()
        while self._idle:
            await self._idle.pop().close()

    # A COMMIT whose answer was lost is told as StoreAway too, though the verb may have been written: the server alone
    # knows. An alert accepted so has its due row and is found by its claims when the call comes again.
    async def _run(self, verb: Callable[..., Verb[T]], args: tuple[Any, ...], begin: str) -> T:
        async with self._places:
            if self._closed:
                raise StoreAway("The store is closed; nothing was written.", code="store_closed")
            for left in reversed(range(AGAIN)):
                connection = await self._begun(begin)
                committing = False
                try:
                    value = await self._steps(connection, verb(*args))
                    committing = begin == WRITE
                    await connection.execute("COMMIT")
                except BaseException as error:
                    connection.terminate()  # in an unknown state: the server undoes what was not committed
                    if isinstance(error, _ANEW) and left:
                        await asyncio.sleep(random.uniform(0, 0.05))
                        continue
                    told = _told(error, verb.__name__, committing)
                    if told is error:
                        raise
                    raise told from error
                self._idle.append(connection)
                return value
        raise AssertionError("unreachable")

    async def _begun(self, begin: str) -> asyncpg.Connection:
        """A connection with a transaction begun. Those on the pile that the server has cut meanwhile are dropped; only
        when a new one cannot be had is the database away."""
        try:
            while self._idle:
                connection = self._idle.pop()
                try:
                    await connection.execute(begin)
                    return connection
                except _NOT_BEGUN:
                    connection.terminate()
            connection = await connect(self._address)
            await connection.execute(begin)
        except _NOT_BEGUN as error:
            raise _away(error) from error
        return connection

    async def _steps(self, connection: asyncpg.Connection, steps: Verb[T]) -> T:
        fetch, texts = connection.fetch, self._statements
        try:
            name, values = next(steps)
            while True:
                name, values = steps.send(await fetch(texts[name], *values))
        except StopIteration as stop:
            value: T = stop.value
            return value


async def connect(address: Address) -> asyncpg.Connection:
    """A connection, or the driver's error."""
    return await asyncpg.connect(
        address.dsn, timeout=CONNECT_WITHIN, command_timeout=ANSWER_WITHIN, statement_cache_size=256
    )


async def version(address: Address) -> str:
    """The schema's version, empty where there is no schema. Raises SetupError where the database cannot be opened."""
    try:
        connection = await connect(address)
    except (*_NOT_BEGUN, ValueError) as error:
        raise SetupError(
            f"The database of HELIOGRAPH_DATABASE_URL cannot be opened ({type(error).__name__}: {error}). "
            "Check host, name, user and password, and that the server runs.",
            code="database_away",
        ) from error
    try:
        return str(await connection.fetchval("SELECT version_num FROM alembic_version") or "")
    except asyncpg.UndefinedTableError:
        return ""
    finally:
        await connection.close()


def _told(error: BaseException, verb: str, committing: bool) -> BaseException:
    """The error as it leaves this room: no driver's exception does."""
    if isinstance(error, ValueError):  # of a value; asyncpg's own complaint is an InterfaceError too
        return error if type(error).__module__ == "builtins" else ValueError(f"No such value in {verb}: {error}")
    if isinstance(error, (*_AWAY, *_ANEW)):
        return _away(error, "Whether it was written is not known" if committing else "Nothing was written")
    if isinstance(error, asyncpg.PostgresError):
        return ValueError(f"PostgreSQL takes no such value in {verb}: {error}.")
    return error


def _away(error: BaseException, written: str = "Nothing was written") -> StoreAway:
    return StoreAway(
        f"The database does not answer ({type(error).__name__}: {error}). {written}; try again.",
        code="store_away",
    )
