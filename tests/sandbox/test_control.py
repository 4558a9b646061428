"""The control API: phones, the change feed, log and counts, reset, limits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.core.twin import Arrival
from heliograph.errors import PlugError, SetupError
from heliograph.sandbox import Pace, Running, World, serve
from heliograph.sandbox import world as world_module

PHONE = "+12025550100"


async def event(stream: Any) -> tuple[int, str]:
    """The next change: (id, data)."""
    number = 0
    async with asyncio.timeout(5):
        async for line in stream.content:
            if line.startswith(b"id: "):
                number = int(line[4:])
            if line.startswith(b"data: "):
                return number, line[6:].decode().strip()
    raise AssertionError("the stream ended")


async def test_changes_are_told_live_and_resumed(caller: Any) -> None:
    address = f"{caller.sandbox.url}/sandbox/events"
    async with caller.http.get(address) as stream:
        assert stream.content_type == "text/event-stream"
        await stream.content.readline()
        await caller.create(PHONE, "m1")
        first, data = await event(stream)
        assert data == '{"number":"+12025550100"}'
    for number in ("+12025550101", "+12025550102", "+12025550101"):
        await caller.do(number, "", {"name": "Ann"})
    async with caller.http.get(address, headers={"last-event-id": str(first + 1_000)}) as stream:
        # an id of the future: this is another sandbox than the page knew, so it is told of every phone
        heard = [(await event(stream))[1] for _ in range(3)]
        assert sorted(heard) == [f'{{"number":"+1202555010{n}"}}' for n in range(3)]
    await caller.do(PHONE, "", {"reads": False})
    _, overview = await caller.sandbox_call("GET", "/sandbox/handsets")
    assert overview["handsets"][0]["number"] == PHONE
    async with caller.http.get(address, headers={"last-event-id": str(first)}) as stream:
        told = [(await event(stream))[1] for _ in range(3)]
        assert told[-1] == '{"number":"+12025550100"}'
        assert len(set(told)) == 3  # each phone once, however often it changed


async def test_a_phone_nobody_used_is_there_and_can_be_made(caller: Any) -> None:
    phone = await caller.phone("+442079460000")
    assert (phone["has_rcs"], phone["messages"]) == (True, [])
    assert (await caller.sandbox_call("GET", "/sandbox/handsets"))[1]["handsets"] == []
    phone = await caller.do("+442079460000", "", {"name": "Ann", "muted": True})
    assert (phone["name"], phone["muted"]) == ("Ann", True)
    assert len((await caller.sandbox_call("GET", "/sandbox/handsets"))[1]["handsets"]) == 1


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/sandbox/handsets/12", None, 400),
        ("POST", f"/sandbox/handsets/{PHONE}", {"colour": "red"}, 400),
        ("POST", f"/sandbox/handsets/{PHONE}", {"online": "yes"}, 400),
        ("POST", f"/sandbox/handsets/{PHONE}/sing", {}, 404),
        ("POST", "/sandbox/agents", {"agent": ""}, 400),
        ("POST", "/sandbox/agents", {"agent": "a", "provider": "pigeon"}, 400),
        ("POST", "/sandbox/agents", {"agent": "a", "refusal": 500}, 400),
        ("POST", "/sandbox/agents/nobody/verify", None, 404),
        ("GET", "/sandbox/log?since=x", None, 400),
        ("GET", "/sandbox/nothing", None, 404),
        ("PUT", "/sandbox/behaviour", {}, 405),
        ("POST", "/", {}, 405),
        ("GET", "/nowhere", None, 404),
        ("GET", "/media/none", None, 404),
    ],
)
async def test_wrong_calls_get_a_sentence(caller: Any, method: str, path: str, body: Any, status: int) -> None:
    code, answer = await caller.sandbox_call(method, path, body)
    assert code == status
    assert len(answer["error"]) > 20


async def test_a_body_without_end_is_413(caller: Any) -> None:
    for path in ("/sandbox/behaviour", "/v1/files"):
        async with caller.http.post(caller.sandbox.url + path, data=b" " * 1_100_000) as answer:
            assert answer.status == 413


async def test_log_and_counts(caller: Any, webhook: Any) -> None:
    await caller.create(PHONE, "m1")
    await caller.create("+12025550180", "m2")
    await webhook.wait(2)
    log: dict[str, Any] = {"entries": []}
    while sum(line["kind"] == "callback" for line in log["entries"]) < 2:
        _, log = await caller.sandbox_call("GET", "/sandbox/log")
    kinds = [line["kind"] for line in log["entries"]]
    assert [kind for kind in kinds if kind != "callback"] == ["token", "taken", "delivered", "refused"]
    assert (await caller.sandbox_call("GET", f"/sandbox/log?since={log['next']}"))[1]["entries"] == []
    first = log["entries"][0]["n"]
    later = (await caller.sandbox_call("GET", f"/sandbox/log?since={first}"))[1]["entries"]
    assert later == log["entries"][1:]
    _, counts = await caller.sandbox_call("GET", "/sandbox/counts")
    assert counts["messages"] == {"m1": {"creates": 1, "deliveries": 1}, "m2": {"creates": 1, "deliveries": 0}}
    _, one = await caller.sandbox_call("GET", "/sandbox/counts?message=m2")
    assert list(one["messages"]) == ["m2"]


async def test_reset_empties_phones_and_keeps_accounts(caller: Any) -> None:
    await caller.create(PHONE, "m1")
    await caller.misbehave(do="error")
    await caller.sandbox_call("POST", "/sandbox/reset")
    assert (await caller.sandbox_call("GET", "/sandbox/handsets"))[1]["handsets"] == []
    assert (await caller.sandbox_call("GET", "/sandbox/counts"))[1]["totals"]["creates"] == 0
    assert (await caller.create(PHONE, "m1"))[0] == 200
    assert len((await caller.phone(PHONE))["messages"]) == 1


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_module, "HANDSETS", 5)
    world = World([google_rbm_twin], clock=SystemClock(), pace=Pace(receipts=False), messages=50)
    for n in range(2_000):
        number = PHONE if n < 1_200 else f"+1202556{n % 7:04d}"
        world.received("acme", f"m{n}")
        world.take(Arrival(id=f"m{n}", sender="acme", provider="google-rbm", number=number, resource=b"{}"))
        if n == 1_199:
            assert len(world.handsets[PHONE].messages) == 1_000
    assert len(world.handsets) == 5
    assert len(world.ledger.known) == 50
    assert len(world.feed.since(0)) == 5
    assert world.ledger.totals["deliveries"] == 2_000


async def test_an_address_that_is_taken_is_a_setup_error(sandbox: Running) -> None:
    with pytest.raises(SetupError, match=str(sandbox.port)):
        await serve(World([google_rbm_twin], clock=SystemClock()), port=sandbox.port)


async def test_a_module_that_is_no_twin_is_refused() -> None:
    with pytest.raises(PlugError, match="keyword"):
        World([asyncio], clock=SystemClock())
