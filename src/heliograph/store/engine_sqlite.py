"""SQLite: the only file that knows sqlite3. One connection writes, one reads, one reads lists, each in a thread of its
own.

WAL, so that readers never wait for the writer; `synchronous = FULL`, so that a commit is on the disk when it returns
(with group commit it costs no more than NORMAL: 22 us against 21 us per row in groups of 200).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from heliograph.errors import SetupError, StoreAway
from heliograph.store import statements
from heliograph.store.commit import Group
from heliograph.store.url import Address
from heliograph.store.verb import T, Verb

BUSY = 5.0  # seconds to wait for another process's write (the command line writes to the same file)
CACHED = 256  # prepared statements per connection, more than there are
PAGE = 4096  # bytes; pages of 8192 cost an alert 8 % more CPU and 60 % more log (65 KB, not 41)
LOG = 8000  # pages (32 MB) of log before it is copied into the file: a page that changed often is copied once
CACHE = 8192  # KiB of pages in memory per connection: what the largest group writes (6 MB); 64 MiB cost 7 % more CPU
STEP = 256  # pages per step of a backup: writers get in between


_CHANGED: tuple[list[Any], list[Any]] = ([], [()])


class Session:
    """A connection as commit.py wants it. One that is in an unknown state is closed, and opened anew for the next."""

    def __init__(self, path: str, begin: str) -> None:
        self._path = path
        self._begin = begin
        self._statements = statements.load("sqlite")
        self._connection: sqlite3.Connection | None = connect(path)
        self._cursor = self._connection.cursor()

    def begin(self) -> None:
        try:
            if self._connection is None:
                self._connection = connect(self._path)
                self._cursor = self._connection.cursor()
            self._cursor.execute(self._begin)
        except (sqlite3.Error, SetupError) as error:
            raise _away(error) from error

    def run(self, verb: Callable[..., Verb[Any]], args: tuple[Any, ...]) -> Any:
        execute, texts = self._cursor.execute, self._statements
        steps = verb(*args)
        try:
            name, values = next(steps)
            while True:
                cursor = execute(texts[name], values)
                # Without rows to give (`description` is None) whether it changed anything: RETURNING costs 2.3 us more.
                name, values = steps.send(cursor.fetchall() if cursor.description else _CHANGED[cursor.rowcount > 0])
        except StopIteration as stop:
            return stop.value
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError):
                raise ValueError(f"SQLite takes no such value in {verb.__name__}: {error}.") from error
            raise _away(error) from error

    def commit(self) -> None:
        try:
            self._cursor.execute("COMMIT")
        except sqlite3.Error as error:
            raise _away(error) from error

    def rollback(self) -> None:
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:  # a full disk or an I/O error has already rolled back
                self._cursor.execute("ROLLBACK")
        except sqlite3.Error:
            self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Sqlite:
    """verb.Engine on one file."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._writer = Group(Session(path, "BEGIN IMMEDIATE"), "store-writer")
        self._reader = Group(Session(path, "BEGIN"), "store-reader")
        self._lister = Group(Session(path, "BEGIN"), "store-lister")

    async def write(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        value: T = await self._writer.submit(verb, *args)
        return value

    async def read(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        value: T = await self._reader.submit(verb, *args)
        return value

    async def look(self, verb: Callable[..., Verb[T]], *args: Any) -> T:
        value: T = await self._lister.submit(verb, *args)
        return value

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        await asyncio.to_thread(_backup, self._path, path, progress)

    async def close(self) -> None:
        await self._writer.close()
        await self._reader.close()
        await self._lister.close()


def connect(path: str, *, wait: float = BUSY) -> sqlite3.Connection:
    """A connection that commits durably, begins no transaction on its own, and waits `wait` seconds for others."""
    try:
        _make(path)
        connection = sqlite3.connect(
            path, timeout=wait, isolation_level=None, cached_statements=CACHED, check_same_thread=False
        )
        connection.execute(f"PRAGMA page_size = {PAGE}")  # of a new file; others keep theirs
        _use_wal(connection, wait)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {LOG}")
        connection.execute(f"PRAGMA cache_size = -{CACHE}")
    except (sqlite3.Error, OSError) as error:
        raise SetupError(
            f"The database file {path} cannot be opened ({error}). Its folder must exist and be writable.",
            code="database_file",
        ) from error
    return connection


def _make(path: str) -> None:
    """Makes a new file that its owner alone may read: SQLite's own are as open as the umask has it. The log and its
    index beside it get the file's mode. A file that is there is left alone: closing it would free SQLite's locks."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))


def _use_wal(connection: sqlite3.Connection, wait: float) -> None:
    """SQLite does not wait by itself for another process that is making the same new file."""
    end = time.monotonic() + wait
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(0.02)


def version(address: Address) -> str:
    """The schema's version in the file, empty where there is no file or no schema."""
    if not Path(address.path).exists():
        return ""
    connection = connect(address.path)
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""
    except sqlite3.OperationalError:
        return ""
    except sqlite3.DatabaseError as error:
        raise SetupError(f"{address.path} is not a database of heliograph ({error}).", code="database_file") from error
    finally:
        connection.close()


def _backup(source: str, target: str, progress: Callable[[int, int], None]) -> None:
    """SQLite's online backup: one consistent copy, taken while others write."""
    reading = connect(source)
    try:
        _make(target)
        writing = sqlite3.connect(target)
        try:
            reading.backup(writing, pages=STEP, progress=lambda _, left, total: progress(total - left, total))
        finally:
            writing.close()
    except (sqlite3.Error, OSError) as error:
        raise StoreAway(f"The backup to {target} failed: {error}.", code="backup_failed") from error
    finally:
        reading.close()


def _away(error: Exception) -> StoreAway:
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreAway(f"The database file does not answer ({error}; {name}). Nothing was written.", code="store_away")
