"""The only room that knows SQL. `open` gives core.ports.Store on SQLite or PostgreSQL; which one is in the address.

sqlite:///relative.db    sqlite:////absolute.db    postgresql://user@host/name
"""

from __future__ import annotations

import time
from collections.abc import Callable

from heliograph.core.ports import Store
from heliograph.store import schema, url
from heliograph.store.database import Database
from heliograph.store.schema import Status
from heliograph.store.url import Address
from heliograph.store.verb import Engine

__all__ = ["Status", "migrate", "open", "status"]


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


async def open(address: str, *, migrate: bool, now: Callable[[], int] = _wall_clock) -> Store:
    """The store at `address`, its schema checked. `migrate`: bring it up to date first, where it is not.

    `now` (ms since the epoch) is the clock for what a verb is given no time for; tests in virtual time bring theirs.
    Raises SetupError (no such database, a schema that is too old or too new), StoreAway.
    """
    place = url.read(address)
    found = await _status(place)
    if migrate and not found.current > found.wanted and not found.up_to_date:
        await schema.upgrade(place)
        found = await _status(place)
    schema.check(found)
    return Database(await _engine(place), now)


async def migrate(address: str) -> Status:
    """Bring the schema up to date; safe to repeat, and safe while another process does the same."""
    place = url.read(address)
    found = await _status(place)
    if not found.up_to_date:
        if found.current > found.wanted:
            schema.check(found)
        await schema.upgrade(place)
    return await _status(place)


async def status(address: str) -> Status:
    """The version of the schema there, and the one that this program needs."""
    return await _status(url.read(address))


async def _status(place: Address) -> Status:
    if place.engine == "sqlite":
        from heliograph.store import engine_sqlite

        current = engine_sqlite.version(place)
    else:
        from heliograph.store import engine_postgresql

        current = await engine_postgresql.version(place)
    return Status(engine=place.engine, current=current, wanted=schema.HEAD)


async def _engine(place: Address) -> Engine:
    if place.engine == "sqlite":
        from heliograph.store.engine_sqlite import Sqlite

        return Sqlite(place.path)
    from heliograph.store.engine_postgresql import Postgresql

    return await Postgresql.open(place)
