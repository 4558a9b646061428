"""One server per SQLite file, whatever name the file is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.errors import SetupError
from heliograph.lock import FileLock


async def test_another_name_of_the_same_file_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "other.db").symlink_to(tmp_path / "heliograph.db")
    first, second = (FileLock(f"sqlite:///{tmp_path}/{name}.db") for name in ("heliograph", "other"))
    first.take()
    with pytest.raises(SetupError, match="Another heliograph serves this database"):
        second.take()
    await first.free()
    second.take()
    await second.free()
