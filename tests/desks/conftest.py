"""Every desk that has cases, with its twin in a running sandbox; and a server that answers what it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from channels.conftest import Stub
from desks.floor import SITE, Floor
from heliograph import out, plugs
from heliograph.clock import SystemClock
from heliograph.core.twin import KnownDesk
from heliograph.sandbox import World, serve

Standing = Callable[[dict[str, Any]], Awaitable[Floor]]


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    server = await made.start()
    yield made
    made.end()
    server.close()


@pytest.fixture
async def standing() -> AsyncIterator[Standing]:
    """`standing(document)`: the floor of one desk."""
    ends: list[Callable[[], Awaitable[object]]] = []

    async def stand(document: dict[str, Any]) -> Floor:
        plug = plugs.desks()[document["desk"]]
        twin = plugs.desk_twins()[document["desk"]]
        world = World([], desk_twins=[twin], clock=SystemClock(), seed=7)
        running = await serve(world)
        await running.__aenter__()
        ends.append(lambda: running.__aexit__(None, None, None))
        account = document["account"]
        known = KnownDesk(
            id=account["id"],
            desk=plug.NAME,
            name="Acme Air",
            credentials=dict(twin.credentials(world.secret)),
            skills=account["skills"],
        )
        floor = Floor(document, plug, twin, world, known, running.url)
        app = web.Application()
        app.router.add_route("*", "/callbacks/{tail:.*}", floor.ear.receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ends.append(runner.cleanup)
        host, port = runner.addresses[0][:2]
        floor.ear.url = known.webhook = f"http://{host}:{port}/callbacks/desk/{plug.NAME}/{SITE}"
        world.add_desk(known)
        return floor

    yield stand
    for end in reversed(ends):
        await end()


@pytest.fixture
async def way_out() -> AsyncIterator[out.HttpOut]:
    """The real client; it speaks to the loopback address and to nobody else."""
    client = out.open(allowed=["127.0.0.1"], only_allowed=True)
    yield client
    await client.close()
