"""Desks' twins are found by looking, for the sandbox."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import heliograph.desks
from heliograph import plugs


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder beside ours, for desks."""
    monkeypatch.setattr(heliograph.desks, "__path__", [*heliograph.desks.__path__, str(tmp_path)])
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(("heliograph.desks.drawer", "heliograph.desks.bell"))]:
        vars(heliograph.desks).pop(name.split(".")[2], None)
        del sys.modules[name]


def test_a_twin_beside_its_desk_is_enough(folder: Path) -> None:
    for desk, file in (("drawer", "twin.py"), ("bell", "bell_twin.py")):
        (folder / desk).mkdir()
        (folder / desk / "__init__.py").write_text("")
        (folder / desk / file).write_text(f'NAME = "{desk}"\n')
        (folder / desk / "twin_pages.py").write_text("raise RuntimeError('a part of the twin, not a twin')\n")
    found = plugs.desk_twins()
    assert {"drawer", "bell"} <= set(found)
    assert found["bell"].__name__ == "heliograph.desks.bell.bell_twin"
    assert "console" not in found  # agents work there without any wire
