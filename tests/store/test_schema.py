"""Migrations from nothing, the version's check, addresses, and the two engines' schemas side by side."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from heliograph import store
from heliograph.errors import SetupError
from heliograph.store import schema, statements, url


async def test_from_nothing(empty):
    before = await store.status(empty)
    assert (before.current, before.wanted, before.up_to_date) == ("", schema.HEAD, False)
    with pytest.raises(SetupError, match=r"not there yet.*heliograph db migrate"):
        await store.open(empty, migrate=False)
    assert (await store.migrate(empty)).up_to_date
    assert (await store.migrate(empty)).up_to_date
    opened = await store.open(empty, migrate=False)
    await opened.ready()
    await opened.close()


async def test_two_that_migrate_at_once(empty):
    done = await asyncio.gather(store.migrate(empty), store.migrate(empty))
    assert all(status.up_to_date for status in done)


async def test_open_migrates_where_it_is_asked_to(empty):
    opened = await store.open(empty, migrate=True)
    assert await opened.next_due() is None
    await opened.close()


async def test_a_newer_schema_is_left_alone(address, engine):
    if engine == "postgresql":
        import asyncpg

        connection = await asyncpg.connect(address)
        await connection.execute("UPDATE alembic_version SET version_num = '9999'")
        await connection.close()
    else:
        with sqlite3.connect(address.removeprefix("sqlite:///")) as file:
            file.execute("UPDATE alembic_version SET version_num = '9999'")
        file.close()
    for migrate in (True, False):
        with pytest.raises(SetupError, match=r"version 9999.*newer heliograph"):
            await store.open(address, migrate=migrate)
    with pytest.raises(SetupError, match="newer heliograph"):
        await store.migrate(address)


def test_head_is_alembics_head():
    config = Config()
    config.set_main_option("script_location", str(schema.PLACE))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_both_engines_have_the_same_tables_and_columns():
    tables = {}
    for engine in ("sqlite", "postgresql"):
        script = "\n".join(file.read_text() for file in sorted((schema.PLACE / engine).glob("*.sql")))
        script = script.replace("BIGINT", "INTEGER").replace("BYTEA", "BLOB")
        tables[engine] = {
            name: re.findall(r"^    (\w+) +(TEXT|INTEGER|BLOB)( NOT NULL)?,$", body, re.M)
            for name, body in re.findall(r"^CREATE TABLE (\w+) \((.*?)^\)", script, re.M | re.S)
        }
    assert tables["sqlite"] == tables["postgresql"]
    assert all(tables["sqlite"].values())


def test_every_statement_is_used_and_every_used_one_is_there():
    loaded = {engine: set(statements.load(engine)) for engine in ("sqlite", "postgresql")}
    assert loaded["sqlite"] == loaded["postgresql"]
    code = "\n".join(file.read_text() for file in Path(store.__file__).parent.glob("*.py"))
    assert {name for name in loaded["sqlite"] if f'"{name}"' not in code} == set()


def test_a_start_does_not_import_what_migrates(tmp_path):
    address = f"sqlite:///{tmp_path}/a.db"
    asyncio.run(store.migrate(address))
    script = (
        "import asyncio, sys, heliograph.store as store\n"
        f"async def main():\n    await (await store.open({address!r}, migrate=True)).close()\n"
        "asyncio.run(main())\n"
        "print([name for name in ('alembic', 'sqlalchemy', 'asyncpg') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("address", "engine", "path"),
    [
        ("sqlite:///heliograph.db", "sqlite", "heliograph.db"),
        ("sqlite:////var/lib/heliograph.db", "sqlite", "/var/lib/heliograph.db"),
        ("sqlite:///a%20b/c.db", "sqlite", "a b/c.db"),
        ("postgresql://u:p@h/d", "postgresql", ""),
        ("postgres://u:p@h/d", "postgresql", ""),
    ],
)
def test_addresses(address, engine, path):
    read = url.read(address)
    assert (read.engine, read.path) == (engine, path)


@pytest.mark.parametrize(
    "address",
    ["", "heliograph.db", "sqlite://", "sqlite:///", "sqlite://a.db", "mysql://u:hunter2@h/d", "postgresql://h"],
)
def test_what_is_no_address_is_told_so_without_its_password(address):
    with pytest.raises(SetupError, match="HELIOGRAPH_DATABASE_URL") as caught:
        url.read(address)
    assert "hunter2" not in caught.value.sentence


async def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(SetupError, match="folder must exist"):
        await store.open(f"sqlite:///{tmp_path}/no/such/folder.db", migrate=True)
    (tmp_path / "text.db").write_text("This is no database, it is a text that is long enough to be read as a header.")
    with pytest.raises(SetupError, match="not a database"):
        await store.open(f"sqlite:///{tmp_path}/text.db", migrate=False)


async def test_a_server_that_is_not_there(tmp_path):
    with pytest.raises(SetupError, match="cannot be opened"):
        await store.open(f"postgresql://postgres@/x?host={tmp_path}", migrate=False)
