"""The schema's version: read at every start, brought up to date by Alembic when somebody asks for it.

Alembic and SQLAlchemy are imported inside the functions that migrate (0.4 s that no start has to pay).
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.errors import SetupError
from heliograph.store.url import Address

if TYPE_CHECKING:
    from sqlalchemy import Connection

HEAD = "0008"  # the newest revision in migrations/versions (a test holds the two together)
PLACE = Path(__file__).parent / "migrations"


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """`current`: the database's version, empty before the first migration. `wanted`: what this program needs."""

    engine: str
    current: str
    wanted: str

    @property
    def up_to_date(self) -> bool:
        return self.current == self.wanted


def check(status: Status) -> None:
    """Raises SetupError with the next step unless the schema is the one that this program needs."""
    if status.up_to_date:
        return
    if status.current > status.wanted:
        raise SetupError(
            f"The database's schema is version {status.current}, this program knows versions up to {status.wanted}. "
            "Start the newer heliograph that migrated it.",
            code="schema_too_new",
        )
    has = f"version {status.current}" if status.current else "not there yet"
    raise SetupError(
        f"The database's schema is {has}, this program needs version {status.wanted}. "
        "Run `heliograph db migrate`, then start again.",
        code="schema_too_old",
    )


async def upgrade(address: Address) -> None:
    """Bring the schema to HEAD. Two processes that migrate at once wait for each other; the second finds it done."""
    if address.engine == "sqlite":
        await asyncio.to_thread(_upgrade_sqlite, address)
    else:
        await _upgrade_postgresql(address)


def run_script(name: str) -> None:
    """Run a migration's plain SQL for the engine at hand (called by migrations/versions/*.py)."""
    from alembic import op

    connection = op.get_bind()
    script = (PLACE / connection.dialect.name / f"{name}.sql").read_text()
    lines = (line for line in script.splitlines() if not line.lstrip().startswith("--"))
    for statement in "\n".join(lines).split(";\n"):
        if statement.strip():
            connection.exec_driver_sql(statement)


def _upgrade_sqlite(address: Address) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import StaticPool

    from heliograph.store.engine_sqlite import connect

    raw = connect(address.path, wait=60)
    try:
        with create_engine("sqlite://", creator=lambda: raw, poolclass=StaticPool).connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # a second process waits here and then finds the work done
            _run(connection)
            connection.commit()
    finally:
        raw.close()


async def _upgrade_postgresql(address: Address) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from heliograph.store.engine_postgresql import connect

    async def creator() -> Any:
        return await connect(address)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            # One lock for all who migrate this database; it is freed with the transaction. Any constant number serves.
            await connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4870233)")
            await connection.run_sync(_run)
    finally:
        await engine.dispose()


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(PLACE).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
