"""A centre on a free port of the loopback address, and senders that are bound to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import uvloop

from heliograph import out
from heliograph.channels.sms import smpp
from heliograph.channels.sms.smpp_twin_accounts import Account, Options
from heliograph.channels.sms.smpp_twin_centre import Centre
from heliograph.core.content import Text
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Message, Ways
from heliograph.core.site import Sender
from heliograph.errors import StoreAway

SENDER = Sender(site="acme", name="sms", channel="sms", provider="smpp")
SYSTEM, PASSWORD = "acme", "pw-1"
NUMBER = "+12025550123"
NOW = 1_795_402_843_120


def message(text: str = "Your flight is late.", **changes: Any) -> Message:
    base: dict[str, Any] = {"id": "m-1", "recipient": NUMBER, "content": Text(text=text)}
    return Message(**{**base, "expires": NOW + 3_600_000, "now": NOW, **changes})


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def until(true: Callable[[], Any], seconds: float = 5.0) -> None:
    """Waits until something is so; fails after `seconds`."""
    deadline = soon(seconds)
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to be"
        await asyncio.sleep(0.005)


class Heard:
    """What the senders told. `away`: how many commits still fail; `pause`: how long one takes."""

    def __init__(self) -> None:
        self.events: list[ProviderEvent] = []
        self.commits: list[int] = []
        self.away = 0
        self.pause = 0.0

    async def __call__(self, events: tuple[ProviderEvent, ...]) -> None:
        await asyncio.sleep(self.pause)
        if self.away:
            self.away -= 1
            raise StoreAway("The store is away.", code="store_away")
        self.commits.append(len(events))
        seen = {event.event for event in self.events}
        self.events += [event for event in events if event.event not in seen]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> dict[str, Any]:
    """The loop that the server runs on: its transports are not those of asyncio."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
async def way_out() -> AsyncIterator[out.HttpOut]:
    client = out.open(allow_private=True)
    yield client
    await client.close()


@pytest.fixture
async def centre() -> AsyncIterator[Callable[..., Any]]:
    """`await centre(**what Centre takes)`: it listens. `tls`, `port`: of its start; `options`: of the account."""
    made: list[Centre] = []

    async def start(*, tls: Any = None, port: int = 0, options: Options | None = None, **given: Any) -> Centre:
        one = Centre({SYSTEM: Account(PASSWORD, options or Options())}.get, **given)
        made.append(one)
        await one.start(port=port, tls=tls)
        return one

    yield start
    for one in made:
        await one.stop()


@pytest.fixture
async def opened(way_out: out.HttpOut, heard: Heard) -> AsyncIterator[Callable[..., Any]]:
    """`await opened(port, **settings)`: a sender, bound unless `wait=False`."""
    made: list[smpp.Smpp] = []
    ways = Ways(out=way_out, callback=lambda: "https://alerts.acme.example/callbacks/x", heard=heard)

    async def open_it(port: int, *, wait: bool = True, **settings: Any) -> smpp.Smpp:
        given = {"host": "127.0.0.1", "system_id": SYSTEM, "password": PASSWORD, "address": "ACME", **settings}
        provider = smpp.open(SENDER, smpp.Settings(port=port, **given), ways)
        made.append(provider)
        if wait:
            await until(lambda: provider.health()["binds_up"] == given.get("binds", 1))
        return provider

    yield open_it
    for provider in made:
        await provider.close()
