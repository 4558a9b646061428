"""A store on a real SQLite file, and the story on it (flow/world.py)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import heliograph.store
from flow.world import House
from heliograph.flow.means import Limits


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    store = await heliograph.store.open(f"sqlite:///{tmp_path}/story.db", migrate=True)
    made = House(store, Limits(call_deadline=2.0))
    yield made
    await made.means.settle()
    await store.close()


@pytest.fixture(scope="session")
def migrated_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "story.db"
    asyncio.run(heliograph.store.migrate(f"sqlite:///{path}"))
    return path


@pytest.fixture
def migrated_file(migrated_once: Path, tmp_path: Path) -> Path:
    """A database with an up-to-date schema and nothing in it."""
    return Path(shutil.copy(migrated_once, tmp_path / "story.db"))
