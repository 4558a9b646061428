"""The adapter and its twin, each on its side of real HTTP: the sandbox with one number, registered and verified."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from channels.wa.far import NUMBER_ID, Far
from heliograph import out
from heliograph.channels.wa import whatsapp_cloud, whatsapp_cloud_twin
from heliograph.clock import SystemClock
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Ways
from heliograph.core.site import Sender
from heliograph.sandbox import Pace, World, serve


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    world = World([whatsapp_cloud_twin], clock=SystemClock(), seed=7, pace=Pace(delivered=0.02, read=0.03))
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    async with await serve(world) as running, aiohttp.ClientSession() as session:
        one = Far(running, session)
        app.router.add_route("*", "/callbacks", one.receive)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        hook = f"http://{host}:{port}/callbacks"
        one.credentials = whatsapp_cloud_twin.credentials(lambda digits: "0123456789abcdef" * 4)
        settings = whatsapp_cloud.Settings(
            phone_number_id=NUMBER_ID,
            access_token=one.credentials["access_token"],
            app_secret=one.credentials["app_secret"],
            verify_token=one.credentials["verify_token"],
            waba_id=one.credentials["waba_id"],
            base_url=running.url,
        )
        client = out.open(allowed=[running.url.removeprefix("http://")], only_allowed=True)

        async def hears(events: tuple[ProviderEvent, ...]) -> None:
            one.heard.extend(events)

        sender = Sender(site="acme", name="wa", channel="wa", provider="whatsapp-cloud")
        one.provider = whatsapp_cloud.open(sender, settings, Ways(out=client, callback=lambda: hook, heard=hears))
        registered = await one.own(
            "POST",
            "senders",
            {
                "provider": "whatsapp-cloud",
                "sender": NUMBER_ID,
                "name": "Acme Air",
                "address": "+12025550111",
                "webhook": hook,
                "credentials": one.credentials,
            },
        )
        assert registered["verified"], registered
        yield one
        await one.provider.close()
        await client.close()
    await runner.cleanup()
