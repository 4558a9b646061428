"""Scenarios: what goes wrong and what people do by a file; the same story twice; waiting until all is told."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from heliograph.errors import SetupError
from heliograph.sandbox import begin, read_scenario

PHONE, OTHER = "+12025550100", "+12025550101"

STORY = b"""
seed = 11
pace = { delivered = 0.02, read = 0.03 }

[[phone]]
number = "+12025550101"
name = "Ann"
online = false

[[rule]]
do = "error"
share = 0.4

[[rule]]
do = "double_receipts"
match = { number = "+12025550100" }
times = 2

[[rule]]
do = "lose_receipts"
at = 600

[[act]]
on = { kind = "taken", number = "+12025550101" }
do = "switch"
with = { online = true }

[[act]]
on = { kind = "callback", detail = "read", every = true }
after = 0.01
do = "say"
with = { text = "Thanks" }

[[act]]
on = { kind = "delivered", nth = 2 }
do = "tap"
with = { text = "Rebook" }
"""

CHIPS = {"text": "Late", "suggestions": [{"reply": {"text": "Rebook", "postbackData": "r"}}]}


async def settle(caller: Any) -> None:
    status, answer = await caller.sandbox_call("GET", "/sandbox/idle?timeout=5")
    assert (status, answer) == (200, {"idle": True})


def normal(entries: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """The log without times and with ids replaced by the order in which they came."""
    names: dict[str, str] = {}
    pattern = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")

    def plain(text: str) -> str:
        return pattern.sub(lambda found: names.setdefault(found[0], f"id{len(names)}"), text)

    fields = ("kind", "number", "sender", "message", "detail")
    return [tuple(plain(str(line.get(field, ""))) for field in fields) for line in entries]


async def run(caller: Any, seed: int | None = None) -> list[tuple[str, ...]]:
    """The scenario from its beginning, with the same calls; its log."""
    scenario = STORY if seed is None else STORY.replace(b"seed = 11", b"seed = %d" % seed)
    since = (await caller.sandbox_call("GET", "/sandbox/log"))[1]["next"]
    async with caller.http.post(f"{caller.sandbox.url}/sandbox/scenario", data=scenario) as answer:
        assert answer.status == 200, await answer.text()
    for n in range(12):
        number = PHONE if n % 2 else OTHER
        await caller.create(number, f"m{n}", CHIPS)
        await settle(caller)
    return normal((await caller.sandbox_call("GET", f"/sandbox/log?since={since}"))[1]["entries"])


async def test_the_same_scenario_seed_and_calls_give_the_same_log(caller: Any) -> None:
    first, second, other = await run(caller), await run(caller), await run(caller, seed=12)
    assert first == second
    assert first != other
    kinds = [line[0] for line in first]
    assert {"misbehaviour", "taken", "delivered", "callback", "said", "switched", "misbehaves"} <= set(kinds)
    assert len(kinds) > 40


async def test_acts_follow_from_the_log(caller: Any, webhook: Any) -> None:
    await run(caller)
    _, told = await caller.sandbox_call("GET", "/sandbox/scenario")
    switch, say, tap = (act["done"] for act in told["acts"])
    reads = webhook.kinds().count("READ")
    assert (told["running"], told["seed"], told["failed"]) == (True, 11, [])
    assert (switch, tap) == (1, 1)
    assert say == reads > 3
    assert sum("suggestionResponse" in event for event in webhook.heard) == 1


async def test_rules_and_acts_have_their_moment(caller: Any, webhook: Any) -> None:
    scenario = {
        "rule": [{"do": "refuse", "at": 0.2, "until": 0.4}],
        "act": [{"at": 0.1, "number": PHONE, "do": "say", "with": {"text": "Anybody?", "sender": "acme-air"}}],
    }
    await caller.sandbox_call("POST", "/sandbox/scenario", scenario)
    assert (await caller.create(PHONE, "m1"))[0] == 200
    statuses = []
    while not statuses or statuses[-1] != statuses[0] or 403 not in statuses:
        statuses.append((await caller.create(PHONE, "m1"))[0])
    assert set(statuses) == {200, 403}
    await webhook.wait(1)
    assert "Anybody?" in [event.get("text") for event in webhook.heard]


async def test_what_is_not_possible_is_told_and_the_story_goes_on(caller: Any) -> None:
    act = {"on": {"kind": "taken"}, "number": OTHER, "do": "tap", "with": {"text": "Rebook"}}
    await caller.sandbox_call("POST", "/sandbox/scenario", {"act": [act]})
    await caller.create(PHONE, "m1", CHIPS)
    await settle(caller)
    _, told = await caller.sandbox_call("GET", "/sandbox/scenario")
    assert told["failed"] == ["act[0] tap: No message came to this phone yet."]
    assert told["acts"][0]["done"] == 0


async def test_the_next_scenario_knows_nothing_of_the_former(caller: Any, world: Any) -> None:
    usual = (world.seed, world.delivery.pace)
    await caller.sandbox_call("POST", "/sandbox/scenario", {"seed": 4, "pace": {"read": 9}})
    assert (world.seed, world.delivery.pace.read, world.delivery.pace.delivered) == (4, 9, 0.02)
    await caller.sandbox_call("POST", "/sandbox/scenario", {"pace": {"delivered": 0.5}})
    assert (world.seed, world.delivery.pace.read, world.delivery.pace.delivered) == (7, 0.05, 0.5)
    await caller.sandbox_call("DELETE", "/sandbox/scenario")
    assert (world.seed, world.delivery.pace) == usual


async def test_a_reset_begins_it_again_and_a_removal_ends_it(caller: Any) -> None:
    await caller.sandbox_call("POST", "/sandbox/scenario", {"rule": [{"do": "error", "times": 1}]})
    assert [(await caller.create(PHONE, f"m{n}"))[0] for n in range(2)] == [500, 200]
    await caller.sandbox_call("POST", "/sandbox/reset")
    assert [(await caller.create(PHONE, f"m{n}"))[0] for n in range(2)] == [500, 200]
    assert await caller.sandbox_call("DELETE", "/sandbox/scenario") == (200, {"running": False})
    assert (await caller.create(PHONE, "m3"))[0] == 200
    assert (await caller.sandbox_call("GET", "/sandbox/scenario"))[1] == {"running": False}


async def test_the_seed_that_is_named_wins(world: Any) -> None:
    await begin(world, read_scenario(STORY), seed=3)
    assert world.seed == 3
    await begin(world, read_scenario(STORY))
    assert world.seed == 11


async def test_waiting_ends_when_somebody_does_not_answer(caller: Any) -> None:
    body = {"agent": "acme-air", "webhook": "http://127.0.0.1:9/nowhere", "verify": False}
    await caller.sandbox_call("POST", "/sandbox/agents", body)
    await caller.create(PHONE, "m1")
    assert (await caller.sandbox_call("GET", "/sandbox/idle?timeout=1"))[1] == {"idle": False}


async def test_a_message_that_waits_for_its_phone_is_not_waited_for(caller: Any) -> None:
    await caller.do(PHONE, "", {"online": False})
    await caller.create(PHONE, "m1", ttl="600s")
    await settle(caller)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"rule = [{ do = 'explode' }]", "explode"),
        (b"colour = 1", "colour"),
        (b"[[act]]\ndo = 'say'\nnumber = '+12025550100'", "either at"),
        (b"[[act]]\ndo = 'sing'\nat = 1\nnumber = '+12025550100'", "sing"),
        (b"[[act]]\ndo = 'say'\nat = 1\nwith = { text = 'hi' }", "number of a phone"),
        (b"[[act]]\ndo = 'say'\nat = 1\nnumber = '+12025550100'\nwith = { words = 'hi' }", "words"),
        (b"[[act]]\ndo = 'cut'\nat = 1", "provider"),
        (b"[[phone]]\nnumber = '12'", "E.164"),
        (b"[[rule]]\ndo = 'error'\nat = 5\nuntil = 4", "before it begins"),
        (b"[[rule]]\ndo = 'explode'", "What may be done: slow, throttle, "),
        (b"{", "cannot be read"),
        (b"= 3", "cannot be read"),
        (b"\xff", "cannot be read"),
    ],
)
def test_a_scenario_that_is_none_says_where(text: bytes, says: str) -> None:
    with pytest.raises(SetupError, match=r"story\.toml") as fault:
        read_scenario(text, name="story.toml")
    assert says in fault.value.sentence


async def test_a_wrong_scenario_changes_nothing(caller: Any) -> None:
    await caller.misbehave(do="error")
    status, answer = await caller.sandbox_call("POST", "/sandbox/scenario", {"act": [{"do": "say"}]})
    assert status == 400 and "act[0]" in answer["error"]
    assert len((await caller.sandbox_call("GET", "/sandbox/behaviour"))[1]["rules"]) == 1


def test_toml_and_json_are_the_same() -> None:
    as_json = json.dumps({"rule": [{"do": "slow", "match": {"channel": "sms"}}]}).encode()
    assert read_scenario(as_json) == read_scenario(b"[[rule]]\ndo = 'slow'\nmatch = { channel = 'sms' }")
