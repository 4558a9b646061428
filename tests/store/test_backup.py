"""A backup while others write: one consistent copy of SQLite, a sentence that names pg_dump for PostgreSQL."""

from __future__ import annotations

import asyncio

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
