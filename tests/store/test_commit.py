"""Group commit: neighbours, failures, cancellation. The rules on a hand-made session, then on the real engine."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import threading

import pytest

from heliograph import store
from heliograph.core.ports import Accepted
from heliograph.errors import StoreAway
from heliograph.store import engine_sqlite
from heliograph.store.commit import Group, settle


class Ledger:
    """A session that keeps what was committed, in order."""

    def __init__(self) -> None:
        self.committed: list[list[str]] = []
        self.open: list[str] = []
        self.away = False
        self.gate = threading.Event()
        self.gate.set()

    def begin(self) -> None:
        self.gate.wait(5)
        self.open = []

    def run(self, verb, args):
        value = verb(*args)
        self.open.append(value)
        return value

    def commit(self) -> None:
        if self.away:
            raise StoreAway("The disk is full.", code="store_away")
        self.committed.append(self.open)

    def rollback(self) -> None:
        self.open = []

    def close(self) -> None:
        self.committed.append(["closed"])


def say(word: str) -> str:
    if word == "bad":
        raise ValueError(word)
    return word


def test_one_transaction_for_all():
    ledger = Ledger()
    assert settle(ledger, [(say, ("a",)), (say, ("b",))]) == [("a", None), ("b", None)]
    assert ledger.committed == [["a", "b"]]


def test_a_failure_stays_with_its_own():
    ledger = Ledger()
    (a, _), (none, error), (b, _) = settle(ledger, [(say, ("a",)), (say, ("bad",)), (say, ("b",))])
    assert (a, none, b) == ("a", None, "b")
    assert isinstance(error, ValueError)
    assert ledger.committed == [["a"], ["b"]]


def test_a_commit_that_fails_wrote_nothing_for_anybody():
    ledger = Ledger()
    ledger.away = True
    results = settle(ledger, [(say, ("a",)), (say, ("b",))])
    assert [type(error) for _, error in results] == [StoreAway, StoreAway]
    assert (ledger.committed, ledger.open) == ([], [])


async def test_what_waits_is_committed_together():
    ledger = Ledger()
    group = Group(ledger, "test")
    ledger.gate.clear()
    first = group.submit(say, "first")
    await asyncio.sleep(0.05)
    rest = [group.submit(say, str(number)) for number in range(50)]
    ledger.gate.set()
    await first
    assert await asyncio.gather(*rest) == [str(number) for number in range(50)]
    assert ledger.committed == [["first"], [str(number) for number in range(50)]]
    await group.close()


async def test_a_cancelled_waiter_takes_nothing_back():
    ledger = Ledger()
    group = Group(ledger, "test")
    ledger.gate.clear()
    waiting = [asyncio.ensure_future(group.submit(say, word)) for word in "abc"]
    waiting[1].cancel()
    ledger.gate.set()
    assert (await waiting[0], await waiting[2]) == ("a", "c")
    await group.close()
    assert [word for words in ledger.committed for word in words] == ["a", "b", "c", "closed"]


async def test_close_finishes_what_was_submitted():
    ledger = Ledger()
    group = Group(ledger, "test")
    ledger.gate.clear()
    waiting = [group.submit(say, str(number)) for number in range(700)]
    closing = asyncio.ensure_future(group.close())
    ledger.gate.set()
    await closing
    assert len(await asyncio.gather(*waiting)) == 700
    with pytest.raises(StoreAway):
        group.submit(say, "late")


@pytest.fixture
def address(migrated, tmp_path):
    shutil.copy(migrated("sqlite"), tmp_path / "heliograph.db")
    return f"sqlite:///{tmp_path}/heliograph.db"


async def test_a_verb_that_cannot_be_written_harms_no_neighbour(address, made):
    opened = await store.open(address, migrate=False)
    good = [made.acceptance() for _ in range(20)]
    bad = made.acceptance(alert=made.alert(template="half \ud83d"))
    answers = await asyncio.gather(
        *map(opened.accept, [*good[:10], bad, *good[10:]]), opened.put_media("s", "d", "x", b""), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [Accepted] * 10 + [UnicodeEncodeError] + [Accepted] * 10 + [bool]
    assert await opened.record(bad.alert.id) is None
    assert all([await opened.record(one.alert.id) for one in good])
    await opened.close()


async def test_a_locked_file_is_waited_for_and_then_away(address, made, monkeypatch):
    connect = engine_sqlite.connect
    monkeypatch.setattr(engine_sqlite, "connect", lambda path: connect(path, wait=0.3))
    opened = await store.open(address, migrate=False)
    other = sqlite3.connect(address.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    accepted = [made.acceptance(), made.acceptance()]
    answers = await asyncio.gather(*map(opened.accept, accepted), return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreAway, StoreAway]
    assert "locked" in answers[0].sentence
    assert await opened.record(accepted[0].alert.id) is None, "reading goes on"
    with pytest.raises(StoreAway):
        await opened.ready()
    asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
    assert await opened.accept(accepted[0]) == Accepted()
    await opened.ready()
    other.close()
    await opened.close()


async def test_a_full_disk_is_away_and_writes_nothing(address, made, monkeypatch):
    connect, room = engine_sqlite.connect, [0]

    def small(path):
        connection = connect(path)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + room[0]}")
        return connection

    monkeypatch.setattr(engine_sqlite, "connect", small)
    room[0] = 60
    opened = await store.open(address, migrate=False)
    accepted = [made.acceptance() for _ in range(400)]
    there: list[bool] = []
    for start in range(0, 400, 20):
        group = accepted[start : start + 20]
        answers = await asyncio.gather(*map(opened.accept, group), return_exceptions=True)
        assert {type(answer) for answer in answers} <= {Accepted, StoreAway}
        there += [isinstance(answer, Accepted) for answer in answers]
    assert True in there and False in there
    assert [await opened.record(one.alert.id) is not None for one in accepted] == there
    await opened.close()
    room[0] = 10_000
    opened = await store.open(address, migrate=False)
    assert await opened.accept(accepted[-1]) == Accepted(), "with room again it goes on"
    await opened.close()


async def test_a_broken_connection_is_away_once_and_opened_anew(address, made):
    opened = await store.open(address, migrate=False)
    assert await opened.accept(made.acceptance()) == Accepted()
    opened._engine._writer._session._connection.close()
    with pytest.raises(StoreAway):
        await opened.accept(made.acceptance())
    again = made.acceptance()
    assert await opened.accept(again) == Accepted()
    assert await opened.record(again.alert.id) is not None
    await opened.close()


async def test_no_alert_waits_behind_a_list(opened):
    begun, let = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def walks_far():
        loop.call_soon_threadsafe(begun.set)
        let.wait(5)
        return (yield "sites", ())

    walking = asyncio.ensure_future(opened._engine.look(walks_far))
    await begun.wait()
    assert await asyncio.wait_for(opened.capability("s", "acme", "+17705550123"), 2) is None
    assert not walking.done()
    let.set()
    assert await walking == []
