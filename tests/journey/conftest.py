"""Journeys run from outside only: the installed program in processes of its own, spoken to over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journey.outside import ROOT, Outside


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    made = Outside(tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="session")
def example_request() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "examples" / "acme-air" / "request.json").read_text())
    return found
