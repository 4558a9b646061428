"""The secret key of an embedded installation: made once, kept private, told of, never made where it must be shared."""

from __future__ import annotations

import stat
import threading

import pytest

from heliograph.errors import SetupError
from heliograph.firstrun import key_file, secret_key_for
from heliograph.settings import Settings


def settings(tmp_path, **fields):
    return Settings(database_url=f"sqlite:///{tmp_path}/a.db", **fields)


def test_made_once_with_a_warning_and_0600(tmp_path):
    told: list[str] = []
    first = secret_key_for(settings(tmp_path), told.append)
    assert secret_key_for(settings(tmp_path), told.append) == first
    assert len(told) == 1
    path = key_file(settings(tmp_path))
    assert str(path) in told[0]
    assert first not in told[0]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["a.db.secret-key"]


def test_the_setting_wins_and_nothing_is_written(tmp_path):
    assert secret_key_for(settings(tmp_path, secret_key="k" * 40), pytest.fail) == "k" * 40
    assert not list(tmp_path.iterdir())


def test_postgresql_never_makes_one():
    with pytest.raises(SetupError, match="every node needs the same"):
        secret_key_for(Settings(database_url="postgresql://h/d"), pytest.fail)


def test_not_made_where_it_must_be_there(tmp_path):
    with pytest.raises(SetupError, match="HELIOGRAPH_SECRET_KEY"):
        secret_key_for(settings(tmp_path), pytest.fail, make=False)
    assert not list(tmp_path.iterdir())


def test_an_empty_file_is_a_fault_and_stays(tmp_path):
    key_file(settings(tmp_path)).touch()
    with pytest.raises(SetupError, match="empty"):
        secret_key_for(settings(tmp_path), pytest.fail)


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be"):
        secret_key_for(Settings(database_url=f"sqlite:///{tmp_path}/file/a.db"), pytest.fail)


def test_first_starts_at_once_get_one_key(tmp_path):
    found: list[str] = []
    barrier = threading.Barrier(8)

    def start():
        barrier.wait()
        found.append(secret_key_for(settings(tmp_path), lambda _: None))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
