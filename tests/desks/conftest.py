"""Every desk that has cases, with its twin in a running sandbox; and a server that answers what it is told to.

One sandbox serves a module, since one takes 0.2 s to stop; it forgets everything before each test. So these tests run
in a loop of their module: `pytestmark = pytest.mark.asyncio(loop_scope="module")`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count
from typing import Any

import pytest_asyncio
from aiohttp import web

from channels.conftest import Stub
from desks.floor import SITE, Ear, Floor
from heliograph import out, plugs
from heliograph.clock import SystemClock
from heliograph.core.twin import KnownDesk
from heliograph.sandbox import World, serve

ROUNDS = count(1)
Standing = Callable[[dict[str, Any]], Awaitable[Floor]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played() -> AsyncIterator[tuple[World, str, Ear]]:
    """A sandbox with every desk's twin, its address, and our callback."""
    world = World([], desk_twins=plugs.desk_twins().values(), clock=SystemClock(), seed=7)
    ear = Ear()
    app = web.Application()
    app.router.add_route("*", "/callbacks/{tail:.*}", ear.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    ear.url = f"http://{host}:{port}"
    async with await serve(world) as running:
        yield world, running.url, ear
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="module")
async def standing(played: tuple[World, str, Ear]) -> Standing:
    """`standing(document)`: the floor of one desk."""
    world, url, ear = played

    async def stand(document: dict[str, Any]) -> Floor:
        plug = plugs.desks()[document["desk"]]
        twin = plugs.desk_twins()[document["desk"]]
        await world.reset()
        world.accounts_at_desks.clear()
        site = f"{SITE}-{next(ROUNDS)}"  # what a test before left under way goes to its own address
        account = document["account"]
        known = KnownDesk(
            id=account["id"],
            desk=plug.NAME,
            name="Acme Air",
            webhook=f"{ear.url}/callbacks/desk/{plug.NAME}/{site}",
            credentials=dict(twin.credentials(world.secret)),
            skills=account["skills"],
        )
        world.add_desk(known)
        return Floor(document, plug, twin, world, known, url, ear)

    return stand


@pytest_asyncio.fixture(loop_scope="module")
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    server = await made.start()
    yield made
    made.end()
    server.close()


@pytest_asyncio.fixture(loop_scope="module")
async def way_out() -> AsyncIterator[out.HttpOut]:
    """The real client; it speaks to the loopback address and to nobody else."""
    client = out.open(allowed=["127.0.0.1"], only_allowed=True)
    yield client
    await client.close()
