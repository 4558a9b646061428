"""Misbehaviour on demand: magic numbers, rules of the control API, the seed."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import aiohttp
import pytest

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.sandbox import MAGIC, Match, Pace, Rule, World

PHONE = "+12025550100"


def magic(ending: str) -> str:
    return f"+131255501{ending}"


async def ids(caller: Any, number: str) -> list[str]:
    return [message["id"] for message in (await caller.phone(number))["messages"]]


@pytest.mark.parametrize(
    ("ending", "statuses"),
    [
        ("80", [404, 404]),
        ("82", [429, 429]),
        ("83", [429, 200]),
        ("84", [500, 500]),
        ("85", [500, 200]),
        ("86", [403, 403]),
        ("87", [400, 400]),
        ("96", [404, 404]),
        ("97", [200, 200]),
        ("99", [503, 200]),
        ("00", [200, 200]),
        ("79", [200, 200]),
    ],
)
async def test_magic_numbers_that_answer(caller: Any, ending: str, statuses: list[int]) -> None:
    number = magic(ending)
    assert [(await caller.create(number, "m1"))[0] for _ in range(2)] == statuses
    assert len(await ids(caller, number)) == (1 if 200 in statuses else 0)


async def test_throttling_says_when(caller: Any) -> None:
    path = f"/v1/phones/{magic('82')}/agentMessages"
    body = {"contentMessage": {"text": "hi"}}
    status, answer, headers = await caller.call("POST", path, body, messageId="m", agentId="acme-air")
    assert (status, answer["error"]["status"], headers["retry-after"]) == (429, "RESOURCE_EXHAUSTED", "2")


async def test_capability_and_create_may_disagree(caller: Any) -> None:
    def path(ending: str) -> str:
        return f"/v1/phones/{magic(ending)}/capabilities"

    query = {"requestId": "r", "agentId": "acme-air"}
    answers = [(await caller.call("GET", path(ending), **query))[0] for ending in ("80", "84", "96", "97", "00")]
    assert answers == [404, 200, 200, 500, 200]


async def test_taken_and_never_answered_then_the_repeat_is(caller: Any) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await caller.create(magic("88"), "m1")
    assert await ids(caller, magic("88")) == ["m1"]
    assert (await caller.create(magic("88"), "m1"))[0] == 200
    assert await ids(caller, magic("88")) == ["m1"]


@pytest.mark.parametrize(("ending", "taken"), [("89", ["m1"]), ("95", [])])
async def test_a_connection_closed_without_an_answer(caller: Any, ending: str, taken: list[str]) -> None:
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await caller.create(magic(ending), "m1")
    assert await ids(caller, magic(ending)) == taken


async def test_slow_answers_late_and_takes_at_once(caller: Any) -> None:
    await caller.misbehave(do="slow", seconds=0.3)
    begun = time.monotonic()
    sending = asyncio.ensure_future(caller.create(PHONE, "m1"))
    await asyncio.sleep(0.1)
    assert await ids(caller, PHONE) == ["m1"]
    assert (await sending)[0] == 200
    assert time.monotonic() - begun >= 0.3


async def test_lost_receipts(caller: Any, webhook: Any) -> None:
    await caller.create(magic("90"), "m1")
    await caller.create(PHONE, "m2")
    heard = await webhook.wait(2)
    assert {event["messageId"] for event in heard} == {"m2"}
    assert (await caller.phone(magic("90")))["messages"][0]["state"] == "read"


async def test_doubled_receipts_are_one_event_told_twice(caller: Any, webhook: Any) -> None:
    await caller.create(magic("92"), "m1")
    heard = await webhook.wait(4)
    assert webhook.kinds() == ["DELIVERED", "DELIVERED", "READ", "READ"]
    assert heard[0]["eventId"] == heard[1]["eventId"] != heard[2]["eventId"] == heard[3]["eventId"]


async def test_reordered_receipts(caller: Any, webhook: Any) -> None:
    await caller.create(magic("93"), "m1")
    await webhook.wait(2)
    assert webhook.kinds() == ["READ", "DELIVERED"]


async def test_late_receipts(caller: Any, webhook: Any) -> None:
    await caller.misbehave(do="late_receipts", seconds=0.4, match={"number": PHONE})
    await caller.create(PHONE, "m1")
    await caller.create("+12025550101", "m2")
    await webhook.wait(4)
    assert [event["messageId"] for event in webhook.heard] == ["m2", "m2", "m1", "m1"]


async def test_an_offline_phone_gets_its_messages_later_in_order(caller: Any, webhook: Any) -> None:
    number = magic("94")
    for name in ("m1", "m2", "m3"):
        assert (await caller.create(number, name))[0] == 200
    phone = await caller.phone(number)
    assert (phone["messages"], phone["waiting"], phone["online"]) == ([], 3, False)
    await caller.do(number, "", {"online": True})
    await webhook.wait(6)
    assert await ids(caller, number) == ["m1", "m2", "m3"]


async def test_rules_match_count_down_and_are_listed(caller: Any) -> None:
    await caller.misbehave(do="error", status=502, times=2, match={"number": PHONE})
    await caller.misbehave(do="refuse", match={"agent": "another"})
    _, listed = await caller.sandbox_call("GET", "/sandbox/behaviour")
    assert [(rule["do"], rule["applied"]) for rule in listed["rules"]] == [("refuse", 0), ("error", 0)]
    assert len(listed["magic_numbers"]) == len(MAGIC) == 60
    assert [(await caller.create(PHONE, f"m{n}"))[0] for n in range(3)] == [502, 502, 200]
    assert (await caller.create("+12025550101", "m9"))[0] == 200
    _, listed = await caller.sandbox_call("GET", "/sandbox/behaviour")
    assert [rule["do"] for rule in listed["rules"]] == ["refuse"]
    await caller.sandbox_call("DELETE", "/sandbox/behaviour")
    assert (await caller.sandbox_call("GET", "/sandbox/behaviour"))[1]["rules"] == []


async def test_a_rule_can_be_about_another_call(caller: Any) -> None:
    await caller.misbehave(do="error", match={"call": "revoke"})
    await caller.do(PHONE, "", {"online": False})
    assert (await caller.create(PHONE, "m1"))[0] == 200
    status, _, _ = await caller.call("DELETE", f"/v1/phones/{PHONE}/agentMessages/m1", agentId="acme-air")
    assert status == 500
    assert (await caller.phone(PHONE))["waiting"] == 1


async def test_the_token_endpoint_misbehaves_too(caller: Any) -> None:
    await caller.misbehave(do="error", status=503, times=1, match={"call": "token"})
    assert (await caller.ask_token(caller.assertion()))[0] == 503
    await caller.misbehave(do="slow", seconds=0.2, match={"call": "token"})
    begun = time.monotonic()
    assert (await caller.ask_token(caller.assertion()))[0] == 200
    assert time.monotonic() - begun >= 0.2


async def test_a_stop_lets_go_of_calls_that_are_never_answered(caller: Any) -> None:
    await caller.misbehave(do="silent")
    sending = asyncio.ensure_future(caller.create(PHONE, "m1"))
    while not await ids(caller, PHONE):
        pass  # each look is a request
    begun = time.monotonic()
    await caller.sandbox.stop()
    with pytest.raises(aiohttp.ClientError):
        await sending
    assert time.monotonic() - begun < 1


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"do": "explode"},
        {"do": "slow", "seconds": -1},
        {"do": "error", "status": 200},
        {"do": "slow", "who": "all"},
    ],
)
async def test_a_rule_that_is_none_is_400(caller: Any, rule: dict[str, Any]) -> None:
    status, answer = await caller.sandbox_call("POST", "/sandbox/behaviour", rule)
    assert status == 400
    assert "cannot be read" in answer["error"]
    assert ("What may be done: slow, throttle, " in answer["error"]) == (rule.get("do") == "explode")


def story(seed: int) -> list[bool]:
    """Which of 60 creates a rule with a share hits."""
    world = World([google_rbm_twin], clock=SystemClock(), seed=seed, pace=Pace(receipts=False))
    world.behaviour.add(Rule(do="error", share=0.4, match=Match(agent="acme-air")))
    return [world.misbehaviour("create", PHONE, "acme-air", f"m{n}") is not None for n in range(60)]


async def test_the_same_seed_gives_the_same_story() -> None:
    assert story(7) == story(7)
    assert story(7) != story(8)
    assert 10 < sum(story(7)) < 40
