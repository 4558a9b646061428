"""The adapter against the sandbox's Google: what a person sends comes as it is, and what is shown to them is shown."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from heliograph import out
from heliograph.channels.rcs import google_rbm, google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.core.content import Reply, Text
from heliograph.core.event import Attached, Inbound
from heliograph.core.ports import Call, Message, Ways
from heliograph.core.site import Sender
from heliograph.errors import SendError
from heliograph.sandbox import KnownSender, Pace, Running, World, make_service_account, serve

AGENT, PHONE = "acme-air", "+12025550100"
ID = "01934d6e-7c1a-7000-8000-00000000a001"


class Far:
    """Both ends. `said`: what the person said, in order."""

    def __init__(self, sandbox: Running, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.http = session
        self.said: list[Inbound] = []
        self.provider: google_rbm.GoogleRbm
        self.news = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(method=request.method, url=str(request.url), headers=headers, body=await request.read())
        heard = self.provider.read(call)
        self.said += [event for event in heard.events if isinstance(event, Inbound)]
        self.news.set()
        return web.Response(status=heard.answer.status, body=heard.answer.body)

    async def does(self, what: str, **body: Any) -> Inbound:
        """The person does it; what is heard of it."""
        known = len(self.said)
        told = msgspec.json.encode({**({} if what == "tap" else {"sender": AGENT}), **body})
        async with self.http.post(f"{self.sandbox.url}/sandbox/handsets/{PHONE}/{what}", data=told) as answer:
            assert answer.status == 200, await answer.text()
        async with asyncio.timeout(5):
            while len(self.said) == known:
                self.news.clear()
                await self.news.wait()
        return self.said[known]

    async def phone(self) -> Any:
        async with self.http.get(f"{self.sandbox.url}/sandbox/handsets/{PHONE}") as answer:
            return await answer.json()

    async def send(self, content: Text) -> None:
        now = self.sandbox.world.now()
        message = Message(
            id=ID, recipient=PHONE, content=content, now=now, expires=now + 60_000, traffic="service_request"
        )
        await self.provider.send(message, soon())


def soon() -> float:
    return asyncio.get_running_loop().time() + 5


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    world = World([google_rbm_twin], clock=SystemClock(), pace=Pace(delivered=0.02, read=0.03))
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    async with await serve(world) as running, aiohttp.ClientSession() as session:
        one = Far(running, session)
        app.router.add_post("/callbacks", one.receive)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        hook = f"http://{host}:{port}/callbacks"
        key = make_service_account(world, token_uri=f"{running.url}/token")
        settings = google_rbm.Settings(agent=AGENT, key=key, base_url=running.url, webhook_token="client-token")
        client = out.open(allowed=[running.url.removeprefix("http://")], only_allowed=True)

        async def hears(events: object) -> None:
            raise AssertionError(events)

        sender = Sender(site="acme", name="rcs", channel="rcs", provider="google-rbm")
        one.provider = google_rbm.open(sender, settings, Ways(out=client, callback=lambda: hook, heard=hears))
        world.add_sender(
            KnownSender(id=AGENT, provider="google-rbm", name="Acme Air", webhook=hook, secret="client-token")
        )
        yield one
        await one.provider.close()
        await client.close()
    await runner.cleanup()


async def test_words_are_read_each_by_itself(far):
    for words in ("Late?", "How late?"):
        await far.does("say", text=words)
    assert await far.provider.seen(PHONE, far.said[1].event, soon())
    assert await far.provider.seen(PHONE, far.said[1].event, soon()), "the same again is harmless"
    assert [one["state"] for one in (await far.phone())["messages"]] == ["sent", "read"]


async def test_who_writes_is_shown_until_the_message_is_there(far):
    said = await far.does("say", text="Late?")
    assert await far.provider.typing(PHONE, said.event, soon())
    phone = await far.phone()
    assert phone["written_by"] == [f"google-rbm/{AGENT}"]
    assert [one["state"] for one in phone["messages"]] == ["sent"], "Google shows the one without the other"
    await far.send(Text(text="Two hours."))
    phone = await far.phone()
    assert phone["written_by"] == []
    assert phone["messages"][-1]["content"]["text"] == "Two hours."


async def test_a_file_is_fetched_by_its_address_alone(far):
    data = bytes(range(256)) * 5000
    said = await far.does("file", data=b64encode(data).decode(), content_type="image/png", name="bag.png")
    (attached,) = said.attached
    assert (said.kind, said.text) == ("file", "")
    assert (attached.content_type, attached.name, attached.size) == ("image/png", "bag.png", len(data))
    assert attached.thumbnail.startswith(far.sandbox.url)
    fetched = await far.provider.fetch(attached, soon())
    assert (fetched.content_type, fetched.data) == ("image/png", data)
    with pytest.raises(SendError) as caught:
        await far.provider.fetch(Attached(url=attached.url + "0"), soon())
    assert caught.value.code == "file_gone"
    sound = await far.does("file", data="eA==", content_type="audio/ogg")
    assert sound.attached[0].thumbnail == ""


async def test_a_place_and_a_tap(far):
    said = await far.does("location", latitude=39.2976, longitude=-94.7139)
    assert (said.kind, said.place.latitude, said.place.longitude) == ("location", 39.2976, -94.7139)
    await far.send(Text(text="Rebook?", suggestions=(Reply(text="Yes", postback="yes/1"),)))
    said = await far.does("tap", message=ID, suggestion="-:0")
    assert (said.kind, said.text, said.postback, said.in_reply_to) == ("tap", "Yes", "yes/1", "")
