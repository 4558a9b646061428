"""Desks: accounts, what agents do, what is posted to our callback, misbehaviour, scenarios."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.errors import PlugError, SetupError
from heliograph.sandbox import World, read_scenario, serve
from sandbox import bureau_twin

ACCOUNT = "32106792"


class Bureau:
    """One account, its callback that listens, and a caller who opens conversations there as an adapter would.
    `answers`: what the callback says to the next posts (then 204). `heard`: (what, conversation, text) of each."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.http = session
        self.url = url
        self.callback = ""
        self.seal = ""
        self.answers: list[int] = []
        self.heard: list[tuple[str, str, str]] = []
        self.seals: set[str] = set()

    async def receive(self, request: web.Request) -> web.Response:
        status = self.answers.pop(0) if self.answers else 204
        if status == 204:
            card = await request.json()
            self.heard.append((card["what"], card["id"], card["text"]))
            self.seals.add(request.headers["seal"])
        return web.Response(status=status)

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body)
        async with self.http.request(method, f"{self.url}/sandbox/{path}", data=data) as answer:
            return answer.status, await answer.json()

    async def call(self, what: str, **body: Any) -> tuple[int, Any]:
        headers = {"authorization": f"Seal {self.seal}"}
        async with self.http.post(f"{self.url}/bureau/{ACCOUNT}/{what}", json=body, headers=headers) as answer:
            return answer.status, await answer.read()

    async def register(self, **more: Any) -> Any:
        body = {"desk": "bureau", "id": ACCOUNT, "webhook": self.callback, "skills": {"service": "7"}, **more}
        status, answer = await self.control("POST", "desks", body)
        assert status == 200, answer
        self.seal = answer["credentials"]["seal"]
        return answer

    async def open(self, **more: Any) -> str:
        status, body = await self.call("open", **{"customer": "+12025550100", "skill": "service", **more})
        assert status == 200
        return str(json.loads(body)["id"])

    async def does(self, **deed: Any) -> tuple[int, Any]:
        return await self.control("POST", f"desks/bureau/{ACCOUNT}/deeds", deed)

    async def shown(self) -> Any:
        return (await self.control("GET", f"desks/bureau/{ACCOUNT}"))[1]["conversations"]

    async def settle(self) -> None:
        assert await self.control("GET", "idle?timeout=5") == (200, {"idle": True})


@pytest.fixture
async def bureau() -> AsyncIterator[Bureau]:
    world = World([google_rbm_twin], desk_twins=[bureau_twin], clock=SystemClock(), seed=7)
    async with await serve(world) as running, aiohttp.ClientSession() as session:
        one = Bureau(session, running.url)
        app = web.Application()
        app.router.add_post("/callbacks/desk/bureau/1", one.receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        one.callback = f"http://{host}:{port}/callbacks/desk/bureau/1"
        await one.register()
        yield one
    await runner.cleanup()  # after the sandbox, which may still be posting


async def test_an_account_is_registered_and_its_credentials_are_made_and_told_once(bureau: Bureau) -> None:
    again = await bureau.register(name="Acme Air", skills={})
    assert again["credentials"] == {"seal": bureau.seal} and len(bureau.seal) == 16  # kept, as the skills are
    _, listed = await bureau.control("GET", "desks")
    assert listed == {
        "desks": [
            {
                "desk": "bureau",
                "id": ACCOUNT,
                "name": "Acme Air",
                "webhook": bureau.callback,
                "skills": {"service": "7"},
            }
        ]
    }
    assert bureau.seal not in json.dumps((await bureau.control("GET", f"desks/bureau/{ACCOUNT}"))[1])


async def test_what_a_recipient_says_is_shown_and_what_agents_do_is_posted_in_order(bureau: Bureau) -> None:
    first = await bureau.open(text="Where do I go?", facts={"Sky Miles": "1234567890"})
    second = await bureau.open(customer="+12025550101", text="Hello")
    await asyncio.sleep(0.002)
    await bureau.call("say", id=first, text="Anybody?")
    newest, older = await bureau.shown()
    assert (newest["id"], newest["facts"], newest["open"]) == (first, {"Sky Miles": "1234567890"}, True)
    assert [line["text"] for line in newest["lines"]] == ["Where do I go?", "Anybody?"]
    assert older["id"] == second
    bureau.answers = [500, 404]  # what is not taken is repeated, and holds up what stands behind it
    for deed in ({"do": "take"}, {"do": "say", "text": "Gate C35"}, {"do": "close"}):
        status, answer = await bureau.does(conversation=first, agent="Ada", **deed)
        assert status == 200, answer
    await bureau.settle()
    assert bureau.heard == [
        ("echo", first, "Where do I go?"), ("echo", second, "Hello"), ("echo", first, "Anybody?"),
        ("take", first, ""), ("say", first, "Gate C35"), ("close", first, ""),
    ]  # fmt: skip
    assert bureau.seals == {bureau.seal}
    newest, _ = await bureau.shown()
    assert (newest["agent"], newest["open"], newest["lines"][-1]["author"]) == ("Ada", False, "Ada")
    status, _ = await bureau.does(do="say", text="Where are you?")  # no conversation named: the open one
    assert status == 200
    assert (await bureau.shown())[0]["id"] == second


async def test_callbacks_that_wait_go_to_the_webhook_of_now(bureau: Bureau) -> None:
    await bureau.register(webhook="http://127.0.0.1:1/nowhere")
    id = await bureau.open(text="Hello")
    await asyncio.sleep(0.05)
    assert bureau.heard == []
    await bureau.register()
    await bureau.settle()
    assert bureau.heard == [("echo", id, "Hello")]


@pytest.mark.parametrize(
    ("deed", "status", "says"),
    [
        ({"do": "say", "text": " "}, 400, "say needs a text"),
        ({"do": "sing"}, 400, "sing"),
        ({"do": "say", "text": "Hello", "colour": "red"}, 400, "colour"),
        ({"do": "transfer", "to": "sales"}, 400, "the account's skills are: service"),
        ({"do": "say", "text": "Hello", "conversation": "B9"}, 404, "No conversation 'B9'"),
        ({"do": "say", "text": "Hello"}, 409, "No conversation is open"),
        ({"do": "say", "text": "Hello", "conversation": "B1"}, 409, "is closed"),
        ({"do": "transfer", "to": "service", "conversation": "B2"}, 409, "Only who has taken"),
    ],
)
async def test_what_cannot_be_done_gets_a_sentence(
    bureau: Bureau, deed: dict[str, str], status: int, says: str
) -> None:
    await bureau.open()
    await bureau.does(do="close")
    if deed.get("conversation") == "B2":
        await bureau.open()
    code, answer = await bureau.does(**deed)
    assert code == status and says in answer["error"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("desks", {"desk": "drawer", "id": "1"}, 400),
        ("desks", {"desk": "bureau", "id": "../1"}, 400),
        ("desks", {"desk": "bureau"}, 400),
        ("desks/bureau/1/deeds", {"do": "say", "text": "Hello"}, 404),
        ("desks/bureau", {}, 404),
    ],
)
async def test_who_is_not_there_is_told(bureau: Bureau, path: str, body: Any, status: int) -> None:
    code, answer = await bureau.control("POST", path, body)
    assert code == status and len(answer["error"]) > 20


async def test_a_rule_is_about_a_desk_or_one_of_its_calls(bureau: Bureau) -> None:
    async def rule(**more: Any) -> None:
        await bureau.control("DELETE", "behaviour")
        assert (await bureau.control("POST", "behaviour", more))[0] == 200

    await rule(do="error", match={"desk": "bureau", "call": "desk_say"})
    id = await bureau.open()
    assert (await bureau.call("say", id=id, text="Hello"))[0] == 500
    await rule(do="throttle", match={"desk": "bureau"})  # without a call: all of them
    assert (await bureau.call("open", customer="+12025550100", skill="service"))[0] == 429
    await rule(do="error", match={"desk": "drawer"})
    assert (await bureau.call("say", id=id, text="Hello"))[0] == 200
    await rule(do="error")  # without a desk it is about messages, as it always was
    assert (await bureau.call("say", id=id, text="Hello"))[0] == 200
    await rule(do="garble", match={"desk": "bureau"}, times=1)
    status, body = await bureau.call("say", id=id, text="Taken, and answered with nonsense")
    assert status == 200 and body.startswith(b"<!doctype html>")
    assert (await bureau.shown())[0]["lines"][-1]["text"] == "Taken, and answered with nonsense"
    assert (await bureau.call("say", id=id, text="Hello"))[1] == b'{"id":"%s"}' % id.encode()
    await rule(do="garble_before", match={"desk": "bureau"}, times=1)
    status, body = await bureau.call("say", id=id, text="Not taken")
    assert status == 200 and body.startswith(b"<!doctype html>")
    assert (await bureau.shown())[0]["lines"][-1]["text"] == "Hello"
    await rule(do="drop", match={"desk": "bureau"})
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bureau.call("close", id=id)
    assert (await bureau.shown())[0]["open"] is False


async def test_pages_are_told_which_account_changed(bureau: Bureau) -> None:
    async with bureau.http.get(f"{bureau.url}/sandbox/events") as stream:
        await stream.content.readline()
        await bureau.open()
        async with asyncio.timeout(5):
            while (line := await stream.content.readline()) != b"event: desk\n":
                assert line
            assert await stream.content.readline() == b'data: {"account":"bureau/%s"}\n' % ACCOUNT.encode()


async def test_a_reset_forgets_conversations_and_keeps_the_account(bureau: Bureau) -> None:
    await bureau.open()
    await bureau.control("POST", "reset")
    assert await bureau.shown() == []
    assert await bureau.open() == "B1"


STORY = b"""
[[rule]]
do = "error"
match = { desk = "bureau", call = "desk_open" }
times = 1

[[act]]
on = { kind = "desk_opened", every = true }
do = "take"
desk = "bureau"
with = { agent = "Ada" }

[[act]]
on = { kind = "desk_said", every = true }
after = 0.01
do = "say"
desk = "bureau/32106792"
with = { agent = "Ada", text = "At gate C35." }

[[act]]
on = { kind = "desk_closed" }
do = "say"
desk = "bureau"
with = { text = "Too late" }
"""


async def test_a_scenario_has_agents_and_troubles_of_desks(bureau: Bureau) -> None:
    assert (await bureau.control("POST", "scenario", STORY))[0] == 200
    assert (await bureau.call("open", customer="+12025550100", skill="service"))[0] == 500
    first, second = await bureau.open(), await bureau.open()
    await bureau.call("say", id=first, text="Where?")
    await bureau.settle()
    asked, other = await bureau.shown()
    assert (asked["id"], [line["text"] for line in asked["lines"]]) == (first, ["Where?", "At gate C35."])
    assert (other["id"], other["agent"], other["lines"]) == (second, "Ada", [])  # each in its own conversation
    assert sorted(bureau.heard) == [
        ("echo", first, "Where?"), ("say", first, "At gate C35."), ("take", first, ""), ("take", second, "")
    ]  # fmt: skip
    await bureau.call("close", id=first)
    await bureau.settle()
    _, story = await bureau.control("GET", "scenario")
    assert story["failed"] == [f"act[2] say: Conversation {first!r} is closed."]


def test_a_faulty_act_at_a_desk_is_named() -> None:
    for line, says in (('do = "tap"', "tap"), ('do = "say"\nwith = { words = "x" }', "words")):
        with pytest.raises(SetupError, match=rf"act\[0\] is an agent's: .*{says}"):
            read_scenario(f'[[act]]\nat = 1\ndesk = "bureau"\n{line}'.encode())


def test_a_module_that_is_no_desks_twin_is_refused() -> None:
    with pytest.raises(PlugError, match="act, shown"):
        World([], desk_twins=[google_rbm_twin], clock=SystemClock())
