"""kill -9 in the middle of writing: everything that was acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from heliograph import store
from heliograph.core.states import AlertState

ROUNDS = 6


def test_what_was_acknowledged_survives_kill_9(tmp_path):
    address = f"sqlite:///{tmp_path}/heliograph.db"
    acknowledged: dict[str, set[str]] = {"accepted": set(), "sent": set()}
    asyncio.run(store.migrate(address))
    for number in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).parent / "crashing.py"), address], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        first = process.stdout.readline()  # it writes now
        time.sleep(random.Random(number).uniform(0.02, 0.3))
        process.kill()
        for line in (first + process.stdout.read()).splitlines(keepends=True):
            if line.endswith("\n"):
                what, id = line.split()
                acknowledged[what].add(id)
        process.wait()
    assert len(acknowledged["sent"]) > 50 * ROUNDS
    asyncio.run(_check(address, acknowledged))
    with sqlite3.connect(tmp_path / "heliograph.db") as file:
        begun = """SELECT COUNT(*) FROM alerts WHERE CAST(attempts AS TEXT) LIKE '[[1,"a",%'"""
        whole = f"SELECT (SELECT COUNT(*) FROM alerts), ({begun}), (SELECT COUNT(*) FROM claims)"
        alerts, attempts, claims = file.execute(whole).fetchone()
        due = file.execute("SELECT COUNT(*) FROM due").fetchone()[0]
        first_pages = file.execute("SELECT COUNT(*) FROM journal WHERE page = 1").fetchone()[0]
        assert alerts == attempts == claims == due == first_pages >= len(acknowledged["accepted"])
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


async def _check(address: str, acknowledged: dict[str, set[str]]) -> None:
    opened = await store.open(address, migrate=False)
    for id in acknowledged["accepted"]:
        record = await opened.record(id)
        assert record is not None
        assert record.attempts and record.entries
        assert record.alert.state in (AlertState.SENDING, AlertState.SENT)
        if id in acknowledged["sent"]:
            assert record.alert.state is AlertState.SENT
    await opened.close()
