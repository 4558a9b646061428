"""A store on a real SQLite file, and the story on it (flow/world.py)."""

from __future__ import annotations

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
