"""The house when something in it breaks: the stop goes on to its end, a broken task ends the server."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
from typing import Any

import pytest

from heliograph import app, telemetry
from heliograph.app import House
from heliograph.core.site import Key
from heliograph.errors import StoreAway
from heliograph.seal import Sealer
from heliograph.settings import Settings
from heliograph.store.housekeeping import MANY


class Said(House):
    """A house whose log is kept."""

    def __init__(self) -> None:
        self.lines = io.BytesIO()
        super().__init__(Settings(), log=telemetry.logger("debug", "json", self.lines))

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda process, number: signals.append(number))
    return signals


async def test_no_step_of_the_stop_keeps_a_later_one_from_being_taken() -> None:
    house, taken = Said(), []

    def step(error: Exception | None) -> Any:
        async def take() -> None:
            taken.append(error)
            if error is not None:
                raise error

        return take

    errors = [None, ValueError("Matt"), StoreAway("Matt is away.", code="store_away"), None]
    house._stops = [step(error) for error in errors]
    await house.stop()
    assert taken == errors[::-1]
    assert [(line["action"], line["error"]) for line in house.said()] == [
        ("stop.failed", "StoreAway"),
        ("stop.failed", "ValueError"),
    ]
    assert b"Matt" not in house.lines.getvalue()


async def test_a_task_that_broke_ends_the_server_once_and_not_its_stop(killed: list[int]) -> None:
    house, closed = Said(), []

    async def breaks() -> None:
        raise LookupError("Matt")

    async def close() -> None:
        closed.append(True)

    house._stops.append(close)
    house._task(breaks(), "due")
    await asyncio.sleep(0.01)
    await house.stop()
    assert (killed, closed) == ([signal.SIGTERM], [True])
    assert [(line["action"], line["error"]) for line in house.said()] == [("task.broke", "LookupError")]
    assert b"Matt" not in house.lines.getvalue()


async def test_a_log_that_breaks_too_does_not_keep_a_broken_server_alive(killed: list[int]) -> None:
    def log(*words: object, **facts: object) -> None:
        raise OSError("the disk is full")

    async def breaks() -> None:
        raise LookupError

    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)  # what the log said
    House(Settings(), log=log)._task(breaks(), "due")
    await asyncio.sleep(0.01)
    assert killed == [signal.SIGTERM]


async def test_a_key_that_breaks_while_it_is_opened_is_unknown_and_not_quoted() -> None:
    class Broken(Sealer):
        def open(self, sealed: str) -> str:
            raise UnicodeError("sesame")

    house = Said()
    key = Key(site="acme", consumer_key="ck", consumer_secret="s")
    assert house._open_key(key, Broken(["a secret key of a server, long enough"])) is None
    assert house.said()[0]["error"] == "UnicodeError"
    assert b"sesame" not in house.lines.getvalue()


async def test_a_purge_goes_on_only_while_its_bites_are_full() -> None:
    bites = [MANY + 3, MANY, MANY - 1, 1]

    class Store:
        async def purge(self, now: int) -> int:
            return bites.pop(0)

    purging = asyncio.ensure_future(Said()._purge(Store()))  # type: ignore[arg-type]  # nothing else is asked of it
    await asyncio.sleep(0.3)
    purging.cancel()
    assert bites == [1]


async def test_a_task_that_does_not_end_does_not_keep_the_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "SPARE", 0.05)
    house, asked, let_go = Said(), [], asyncio.Event()
    house.settings = Settings(stop_timeout=0.05)

    async def deaf() -> None:
        while not let_go.is_set():
            try:
                await let_go.wait()
            except asyncio.CancelledError:
                asked.append("deaf")

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.08)
            asked.append("slow")

    house._task(slow(), "slow")
    house._task(deaf(), "deaf")
    house._task(slow(), "slow")
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await house.stop()
    assert sorted(asked) == ["deaf", "deaf", "slow", "slow"]
    (line,) = house.said()
    assert (line["action"], "deaf" in line["message"], "slow" in line["message"]) == ("stop.left", True, False)
    let_go.set()
