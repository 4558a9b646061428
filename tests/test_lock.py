"""One server per SQLite file, whatever name the file is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.errors import SetupError
from heliograph.lock import FileLock


async def test_another_name_of_the_same_file_is_the_same_lock(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "other").symlink_to(tmp_path / "data")
    first, second = (FileLock(f"sqlite:///{tmp_path}/{folder}/heliograph.db") for folder in ("data", "other"))
    first.take()
    with pytest.raises(SetupError, match="Another heliograph serves this database"):
        second.take()
    await first.free()
    second.take()
    await second.free()
