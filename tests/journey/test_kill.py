"""kill -9 under load, some dozens of times, counted at the sandbox: no answered alert lost, none sent twice.

Every alert goes to a number of its own, so that the messages on its handset are what was sent for it. A caller whose
connection broke calls again with the same externalAlertId until it is answered, as callers do.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from oauthlib.oauth1 import Client

from journey.outside import Outside

KILLS = int(os.environ.get("HELIOGRAPH_KILLS", "24"))
CALLERS = 16


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    made = Outside(tmp_path, {"HELIOGRAPH_LOG_LEVEL": "warning"}, receipts=False)
    yield made
    made.close()


class Load:
    def __init__(self, outside: Outside, key: dict[str, str], base: dict[str, Any]) -> None:
        self.url = f"{outside.base_url}/api/proactiveAlert"
        self.signer = Client(key["consumer_key"], key["consumer_secret"], key["token"], key["token_secret"])
        self.base = base
        self.answered: dict[str, str] = {}  # number → the message's name
        self.begun: set[str] = set()
        self.odd: list[str] = []
        self.broken = 0
        self.over = False
        self._numbers = iter(range(1_000_000))

    async def caller(self, session: aiohttp.ClientSession) -> None:
        while not self.over:
            n = next(self._numbers)
            number = f"+1404{2_000_000 + n}"
            self.begun.add(number)
            body = json.dumps(
                {**self.base, "externalAlertId": f"kill-{n}", "customerPhoneNumber": number.removeprefix("+1")}
            )
            await self._until_answered(session, number, body)

    async def _until_answered(self, session: aiohttp.ClientSession, number: str, body: str) -> None:
        while True:
            _, headers, _ = self.signer.sign(self.url, "POST", headers={"Content-Type": "application/json"}, body=body)
            try:
                async with session.post(self.url, data=body.encode(), headers=headers) as response:
                    answer = await response.json()
            except (aiohttp.ClientError, TimeoutError, ConnectionError, json.JSONDecodeError):
                self.broken += 1
                await asyncio.sleep(0.05)
                continue
            if answer.get("success") is True:
                self.answered[number] = answer["response"]["name"]
            else:
                self.odd.append(f"{response.status} {str(answer)[:200]}")
            return


async def test_nothing_answered_is_lost_and_nothing_is_sent_twice(
    outside: Outside, example_request: dict[str, Any]
) -> None:
    key = outside.apply()
    outside.start()
    load = Load(outside, key, example_request)
    chance = random.Random(7)
    timeout = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        callers = [asyncio.ensure_future(load.caller(session)) for _ in range(CALLERS)]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.15, 0.6))
            await asyncio.to_thread(outside.kill)
            await asyncio.to_thread(outside.start)
        load.over = True
        await asyncio.gather(*callers)
        await _quiet(outside, session)
        messages = await _messages(outside, session, sorted(load.begun))

    assert not load.odd, load.odd[:5]
    assert len(load.answered) == len(load.begun) > KILLS
    assert load.broken > KILLS, "the kills met no call under way"
    sent = Counter({number: len(found) for number, found in messages.items()})
    assert {number: count for number, count in sent.items() if count != 1} == {}
    for number, name in load.answered.items():
        assert name == f"phones/{number}/agentMessages/{messages[number][0]}"
    print(f"\n{KILLS} kills, {len(load.begun)} alerts, {load.broken} calls broken, none lost, none twice")


async def _quiet(outside: Outside, session: aiohttp.ClientSession) -> None:
    """What a crash left behind is followed up within moments; wait until nothing more is under way."""
    for _ in range(200):
        listed = await asyncio.to_thread(outside.run, "alerts", "list", "--state", "sending", "--json")
        if not json.loads(listed.stdout):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("alerts are still sending")


async def _messages(outside: Outside, session: aiohttp.ClientSession, numbers: list[str]) -> dict[str, list[str]]:
    found = {}
    for number in numbers:
        async with session.get(f"{outside.sandbox_url}/sandbox/handsets/{quote(number, safe='')}") as response:
            phone = await response.json()
            found[number] = [message["id"] for message in phone["messages"]]
    return found
