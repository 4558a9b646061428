"""The adapter, the sandbox's Twilio and the address that callbacks come to, all over HTTP on the loopback address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from heliograph import out
from heliograph.channels.sms import twilio, twilio_twin
from heliograph.clock import SystemClock
from heliograph.core.content import Text
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Call, Message, Taken, Ways
from heliograph.core.site import Sender
from heliograph.errors import CallRefused
from heliograph.sandbox import Pace, Running, World, serve

NUMBER = "+17705550100"
PHONE = "+12025550100"


class Rig:
    """`heard`: the events that the adapter read, in order; `calls`: the callbacks themselves; `refuse`: statuses that
    the next callbacks are answered with instead."""

    def __init__(self, sandbox: Running, http: aiohttp.ClientSession, ways: Callable[[], Ways]) -> None:
        self.sandbox = sandbox
        self.http = http
        self.heard: list[ProviderEvent] = []
        self.calls: list[Call] = []
        self.refuse: list[int] = []
        self.hook = ""
        self.credentials: dict[str, str] = {}
        self.provider: twilio.Twilio
        self._ways = ways
        self._count = 0

    def open(self, **changes: object) -> twilio.Twilio:
        table = {
            "account_sid": self.credentials["account_sid"],
            "auth_token": self.credentials["auth_token"],
            "from": NUMBER,
            "base_url": self.sandbox.url,
            **changes,
        }
        settings = {name: value for name, value in table.items() if value is not None}
        sender = Sender(site="acme", name="sms", channel="sms", provider="twilio", settings=settings)
        return twilio.open(sender, msgspec.convert(settings, twilio.Settings), self._ways())

    async def send(self, number: str = PHONE, content: Any = None, *, seconds: float = 5.0, **more: Any) -> Taken:
        self._count += 1
        now = self.sandbox.world.now()
        told = {"id": f"attempt-{self._count}", "expires": now + 3_600_000, "now": now, **more}
        message = Message(recipient=number, content=content or Text(text="Gate C35"), **told)
        return await self.provider.send(message, asyncio.get_running_loop().time() + seconds)

    async def ask(self, *references: str, attempt: str = "attempt-1") -> Any:
        return await self.provider.ask(attempt, references, asyncio.get_running_loop().time() + 5)

    async def own(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, f"{self.sandbox.url}/sandbox/{path}", data=data) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def misbehave(self, do: str, **more: Any) -> None:
        await self.own("POST", "behaviour", {"do": do, **more})

    async def api(self, method: str, path: str, *, auth: str = "", **more: Any) -> Any:
        """A call of Twilio's API by hand: (status, document)."""
        known = self.credentials
        auth = auth or aiohttp.encode_basic_auth(known["account_sid"], known["auth_token"])
        headers = {"authorization": auth}
        async with self.http.request(method, f"{self.sandbox.url}{path}", headers=headers, **more) as answer:
            return answer.status, await answer.json()

    @property
    def messages(self) -> str:
        return f"/2010-04-01/Accounts/{self.credentials['account_sid']}/Messages"

    async def create(self, **fields: Any) -> Any:
        return await self.api("POST", f"{self.messages}.json", data={"To": PHONE, "From": NUMBER, **fields})

    async def until(self, count: int) -> list[ProviderEvent]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        return self.heard

    async def states(self, count: int) -> list[str]:
        return [str(event.state) for event in await self.until(count)]  # type: ignore[union-attr]

    async def receive(self, request: web.Request) -> web.Response:
        call = Call(
            method=request.method,
            url=self.hook + request.raw_path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.read(),
        )
        self.calls.append(call)
        if self.refuse:
            return web.Response(status=self.refuse.pop(0))
        try:
            heard = self.provider.read(call)
        except CallRefused as refused:
            return web.Response(status=401, text=refused.code)
        self.heard += heard.events
        answer = heard.answer
        return web.Response(status=answer.status, body=answer.body or None, headers=dict(answer.headers))


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    world = World([twilio_twin], clock=SystemClock(), seed=7, pace=Pace(delivered=0.04, read=0.05))
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    async with await serve(world) as running, aiohttp.ClientSession() as session:
        client = out.open(allowed=[running.url.removeprefix("http://")], only_allowed=True)

        async def heard(events: tuple[ProviderEvent, ...]) -> None:
            raise AssertionError("Twilio has no line of its own")

        made = Rig(running, session, lambda: Ways(out=client, callback=lambda: f"{made.hook}/cb/acme/sms", heard=heard))
        app.router.add_route("*", "/{tail:.*}", made.receive)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        made.hook = f"http://{host}:{port}"
        sender = {"provider": "twilio", "sender": NUMBER, "name": "Acme", "webhook": f"{made.hook}/cb/acme/sms#rc=5"}
        made.credentials = (await made.own("POST", "senders", sender))["credentials"]
        made.provider = made.open()
        yield made
        await client.close()
    await runner.cleanup()
