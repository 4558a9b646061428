"""A desk against canned replies, and a desk against the sandbox with its webhooks back."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from channels.conftest import Stub
from heliograph import out
from heliograph.clock import SystemClock
from heliograph.core.alert import Alert
from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.desk import AgentSaid, Context, DeskEvent, SiteDesk
from heliograph.core.desk_twin import Deed, DeskCase
from heliograph.core.ports import Call, DeskWays
from heliograph.core.twin import KnownDesk
from heliograph.desks import liveperson
from heliograph.desks.liveperson import twin, twin_agents
from heliograph.desks.liveperson.desk import LivePerson
from heliograph.errors import CallRefused
from heliograph.sandbox import Running, World, serve

ACCOUNT = "12345678"
PHONE = "+17705550123"
SECRET = "a-case-client-secret"
KEY = {"api_key": "k1", "api_secret": "a-case-api-secret", "api_token": "a-case-api-token"}
KEY |= {"api_token_secret": "a-case-api-token-secret"}
NOW = 1_795_402_843_120
INFO = b'{"Sky Miles":12345678901234567890,"T-Shirt Size":"Large","Seat":{"row":12}}'

ALERT = Alert(
    id="01934d6e-7c1a-7000-8000-00000000a000",
    site="acme",
    created=NOW,
    expires=NOW + 86_400_000,
    recipient=PHONE,
    template="FlightDelay",
    template_version="2",
    language="en-US",
    language_asked="english",
    variables={},
    skill="Delays",
    external_customer_id="4711",
    external_customer_id_descriptor="VIP",
    external_alert_id="A-7",
    first_name="Matt",
    last_name="Fanning",
    alert_info=msgspec.Raw(INFO),
)
CONTEXT = Context(alert=ALERT, words="Your flight leaves at 7:35 pm.", channel="rcs")
TALK = Conversation(
    id="01934d6e-7c1a-7000-a000-00000000b000",
    site="acme",
    recipient=PHONE,
    skill="Delays",
    desk="liveperson",
    alert=ALERT.id,
    opened=NOW,
    touched=NOW,
)


def turn(text: str = "Which gate?", number: int = 1, **more: Any) -> Turn:
    return Turn(
        conversation=TALK.id, site="acme", number=number, at=NOW, by=more.pop("by", By.RECIPIENT), text=text, **more
    )


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def jwt(**claims: Any) -> str:
    """A token as LivePerson's look, its claims readable by anybody."""
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (*parts, b"signature"))


def settings(**more: Any) -> liveperson.Settings:
    told = {"account": ACCOUNT, "client_id": "c1", "client_secret": SECRET, "skills": {"Delays": "77"}, **more}
    return msgspec.convert(told, liveperson.Settings)


def ways(client: out.HttpOut) -> DeskWays:
    return DeskWays(
        out=client,
        callback=lambda: "https://alerts.acme.example/callbacks/desk/liveperson/acme",
        page=lambda path: f"https://alerts.acme.example{path}",
    )


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    server = await made.start()
    made.replies = {
        f"POST /sentinel/api/account/{ACCOUNT}/app/token": [
            {"status": 200, "body": {"access_token": jwt(iat=1000, exp=4600, n=n), "token_type": "Bearer"}}
            for n in range(3)
        ],
        f"POST /api/account/{ACCOUNT}/consumer": [
            {"status": 201, "body": {"token": jwt(ext_consumer_id=PHONE, lp_consumer_id="c" * 64)}}
        ],
    }
    yield made
    made.end()
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
async def open_desk(stub: Stub) -> AsyncIterator[Callable[..., LivePerson]]:
    """`open_desk(**settings)`: a desk that may speak to the stub and to nobody else."""
    client = out.open(allowed=[stub.url.removeprefix("http://")], only_allowed=True)
    opened: list[LivePerson] = []

    def open_it(**more: Any) -> LivePerson:
        told = settings(**{"base_url": stub.url, **more})
        opened.append(liveperson.open(SiteDesk(site="acme", desk="liveperson"), told, ways(client)))
        return opened[-1]

    yield open_it
    for desk in opened:
        await desk.shut()
    await client.close()


class Far:
    """Both ends: the sandbox with its twin, and a webhook that the desk reads. `heard`: what it understood."""

    def __init__(self, sandbox: Running, known: KnownDesk) -> None:
        self.sandbox = sandbox
        self.world = sandbox.world
        self.known = known
        self.heard: list[DeskEvent] = []
        self.refused: list[str] = []
        self.news = asyncio.Event()
        self.desk: Any = None
        self.open_more: Callable[..., LivePerson] = lambda **_: self.desk

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(method=request.method, url=str(request.url), headers=headers, body=await request.read())
        try:
            self.heard += self.desk.read(call).events
        except CallRefused as error:
            self.refused.append(error.code)
            return web.Response(status=401)
        self.news.set()
        return web.Response(status=200)

    async def wait(self, kind: type, count: int = 1) -> list[Any]:
        async with asyncio.timeout(5):
            while len(found := [event for event in self.heard if isinstance(event, kind)]) < count:
                self.news.clear()
                await self.news.wait()
        return found

    def do(self, do: Any, talk: Conversation, **more: Any) -> None:
        deed = Deed(do=do, conversation=talk.reference, **more)
        calls = twin_agents.act(deed, self.known, self.world)
        self.world.desk_tells(self.known, calls, talk.reference)

    async def says(self, talk: Conversation, text: str) -> AgentSaid:
        known = len([event for event in self.heard if isinstance(event, AgentSaid)])
        self.do("say", talk, text=text)
        said: AgentSaid = (await self.wait(AgentSaid, known + 1))[-1]
        return said

    def shown(self) -> list[DeskCase]:
        return twin.shown(self.known, self.world)

    async def misbehave(self, **rule: Any) -> None:
        url = f"{self.sandbox.url}/sandbox/behaviour"
        async with aiohttp.ClientSession() as http, http.post(url, json=rule) as answer:
            assert answer.status == 200, await answer.text()

    async def open(self, talk: Conversation = TALK, context: Context = CONTEXT) -> Conversation:
        opened = await self.desk.open(talk, turn(), context, soon())
        return msgspec.structs.replace(talk, reference=opened.reference)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    world = World([], desk_twins=[twin], clock=SystemClock())
    sandbox = await serve(world, "127.0.0.1", 0)
    credentials = {"client_id": "c1", "client_secret": SECRET, **KEY, "ccs_user": "u", "ccs_password": "a-ccs-password"}
    known = KnownDesk(
        id=ACCOUNT,
        desk="liveperson",
        name="Acme Air",
        credentials=credentials,
        skills={"Delays": "77", "Baggage": "78"},
    )
    made = Far(sandbox, known)
    app = web.Application()
    app.router.add_post("/callback", made.receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    known.webhook = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    world.add_desk(known)
    client = out.open(allowed=[sandbox.url.removeprefix("http://")], only_allowed=True)
    opened: list[LivePerson] = []

    def open_it(**more: Any) -> LivePerson:
        told = settings(**{"base_url": sandbox.url, **more})
        opened.append(liveperson.open(SiteDesk(site="acme", desk="liveperson"), told, ways(client)))
        return opened[-1]

    made.open_more = open_it
    made.desk = open_it()
    yield made
    for desk in opened:
        await desk.shut()
    await client.close()
    await sandbox.stop()
    await runner.cleanup()
