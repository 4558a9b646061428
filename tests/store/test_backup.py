"""A backup while others write: one consistent copy of SQLite, a sentence that names pg_dump for PostgreSQL."""

from __future__ import annotations

import asyncio
import stat

import pytest

from heliograph import store
from heliograph.errors import SetupError, StoreAway


async def test_a_backup_under_writing(opened, engine, made, tmp_path):
    if engine == "postgresql":
        with pytest.raises(SetupError, match="pg_dump"):
            await opened.backup(str(tmp_path / "copy"), lambda done, total: None)
        return
    before = [made.acceptance() for _ in range(300)]
    await asyncio.gather(*map(opened.accept, before))
    seen: list[tuple[int, int]] = []
    writing = asyncio.gather(*(opened.accept(made.acceptance()) for _ in range(300)))
    await opened.backup(str(tmp_path / "copy.db"), lambda done, total: seen.append((done, total)))
    await writing
    assert seen[-1][0] == seen[-1][1] > 0
    copy = await store.open(f"sqlite:///{tmp_path}/copy.db", migrate=False)
    for accepted in before:
        assert (await copy.record(accepted.alert.id)).attempts[0].id == accepted.attempt.id
    await copy.close()
    with pytest.raises(StoreAway, match=r"backup to .* failed"):
        await opened.backup(str(tmp_path / "no" / "folder.db"), lambda done, total: None)


async def test_database_and_backup_are_their_owners_alone(tmp_path):
    opened = await store.open(f"sqlite:///{tmp_path}/new.db", migrate=True)
    await opened.backup(str(tmp_path / "copy.db"), lambda done, total: None)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    await opened.close()
    assert modes == dict.fromkeys(("new.db", "new.db-wal", "new.db-shm", "copy.db"), 0o600)


async def test_a_file_that_is_there_keeps_its_mode(tmp_path):
    (tmp_path / "shared.db").touch(0o660)
    (tmp_path / "shared.db").chmod(0o660)
    await store.migrate(f"sqlite:///{tmp_path}/shared.db")
    assert stat.S_IMODE((tmp_path / "shared.db").stat().st_mode) == 0o660
