"""What the contract offers twins beyond Google's: ids of their own, sent and failed, an address per message, lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.core.twin import Delivered, Failed, Happening, KnownSender, Line, Said
from heliograph.errors import SetupError
from heliograph.sandbox import Pace, Running, World, serve
from sandbox import pigeon_twin

PHONE = "+12025550100"
LANDLINE = "+12025550140"


class Loft:
    """A sandbox with the pigeons in it, and the webhook that they fly to. `heard`: (path, document)."""

    def __init__(self, session: aiohttp.ClientSession, sandbox: Running, hook: str) -> None:
        self.http = session
        self.sandbox = sandbox
        self.hook = hook
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.statuses: list[int] = []
        self.says = ""

    async def receive(self, request: web.Request) -> web.Response:
        status = self.statuses.pop(0) if self.statuses else 204
        if status < 300:
            self.heard.append((request.path, await request.json()))
        return web.Response(status=status, text=self.says if status == 200 else None)

    async def wait(self, count: int) -> list[dict[str, Any]]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)
        return [document for _, document in self.heard]

    async def own(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, f"{self.sandbox.url}/sandbox/{path}", data=data) as answer:
            return await answer.json()

    async def send(self, number: str = PHONE, text: str = "late", **more: Any) -> tuple[int, str]:
        body = {"to": number, "text": text, "post_to": f"{self.hook}/status", **more}
        seed = self.sandbox.world.senders[("pigeon", "loft")].credentials["seed"]
        address = f"{self.sandbox.url}/pigeons/loft"
        headers = {"authorization": f"Seed {seed}"}
        async with self.http.post(address, data=json.dumps(body), headers=headers) as answer:
            return answer.status, await answer.text()


@pytest.fixture
async def loft() -> AsyncIterator[Loft]:
    world = World([google_rbm_twin, pigeon_twin], clock=SystemClock(), seed=7, pace=Pace(delivered=0.02, read=0.05))
    app = web.Application()
    runner = web.AppRunner(app, access_log=None)
    async with await serve(world) as running, aiohttp.ClientSession() as session:
        one = Loft(session, running, "")
        app.router.add_post("/{tail:.*}", one.receive)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        one.hook = f"http://{host}:{port}"
        told = await one.own("POST", "senders", {"provider": "pigeon", "sender": "loft", "webhook": f"{one.hook}/in"})
        assert len(told["credentials"]["seed"]) == 16
        assert told["verified"]
        yield one
    await runner.cleanup()


async def test_a_message_is_counted_by_our_id_and_told_by_the_providers(loft: Loft) -> None:
    status, answer = await loft.send(ours="a1")
    heard = await loft.wait(3)
    message = json.loads(answer)["id"]
    assert status == 201
    assert [(one["kind"], one["message"]) for one in heard] == [
        (kind, message) for kind in ("sent", "delivered", "read")
    ]
    assert {path for path, _ in loft.heard} == {"/status"}
    assert (await loft.own("GET", "counts"))["messages"] == {"a1": {"creates": 1, "deliveries": 1}}
    log = (await loft.own("GET", "log"))["entries"]
    assert {line["message"] for line in log if line["kind"] in ("taken", "delivered")} == {"a1"}
    (bubble,) = (await loft.own("GET", f"handsets/{PHONE}"))["messages"]
    assert (bubble["id"], bubble["ours"], bubble["content"]["text"], bubble["footer"]) == (
        message,
        "a1",
        "late",
        "by pigeon",
    )
    assert bubble["sender"] == {"id": "loft", "name": "loft", "address": "loft-2"}
    kept = loft.sandbox.world.kept("loft", message)
    assert kept is not None
    assert (kept.state, kept.ours, kept.answer) == ("read", "a1", answer.encode())


async def test_sent_twice_is_two_messages_of_one_count(loft: Loft) -> None:
    await loft.send(ours="a1")
    await loft.send(ours="a1")
    assert (await loft.own("GET", "counts"))["messages"] == {"a1": {"creates": 2, "deliveries": 2}}


async def test_a_number_without_the_channel_is_taken_and_told_as_failed(loft: Loft) -> None:
    assert (await loft.send(LANDLINE))[0] == 201
    (told,) = await loft.wait(1)
    assert (told["kind"], told["code"]) == ("failed", "no-roof")
    assert (await loft.own("GET", f"handsets/{LANDLINE}"))["messages"] == []


@pytest.mark.parametrize(("code", "told"), [("", "hawk"), ("wind", "wind")])
async def test_a_rule_fails_the_receipt_with_its_code(loft: Loft, code: str, told: str) -> None:
    await loft.own("POST", "behaviour", {"do": "fail_receipt", "code": code, "match": {"channel": "sms"}})
    assert (await loft.send())[0] == 201
    assert [(one["kind"], one["code"]) for one in await loft.wait(1)] == [("failed", told)]


async def test_taken_and_then_nothing(loft: Loft) -> None:
    await loft.own("POST", "behaviour", {"do": "vanish", "match": {"number": PHONE}})
    await loft.send(ours="a1")
    await loft.send("+12025550101", ours="a2")
    heard = await loft.wait(3)
    assert {one["number"] for one in heard} == {"+12025550101"}
    assert (await loft.own("GET", "counts?message=a1"))["messages"] == {"a1": {"creates": 1, "deliveries": 0}}


async def test_a_rule_names_its_provider_and_code(loft: Loft) -> None:
    await loft.own("POST", "behaviour", {"do": "refuse", "code": "30", "match": {"provider": "pigeon"}})
    assert await loft.send() == (403, "30")
    await loft.own("POST", "behaviour", {"do": "error", "match": {"provider": "google-rbm"}})
    assert await loft.send() == (403, "30")


async def test_magic_numbers_are_about_one_channel(loft: Loft) -> None:
    assert [(await loft.send(f"+13125550{ending}"))[0] for ending in (144, 164, 184)] == [500, 201, 201]
    assert [(await loft.send(f"+13125550{ending}"))[0] for ending in (158, 178)] == [410, 201]


async def test_a_phone_without_signal_is_told_as_sent_and_gets_it_later(loft: Loft) -> None:
    await loft.own("POST", f"handsets/{PHONE}", {"signal": False})
    await loft.send()
    assert [one["kind"] for one in await loft.wait(1)] == ["sent"]
    await loft.own("POST", f"handsets/{PHONE}", {"signal": True})
    assert [one["kind"] for one in await loft.wait(3)] == ["sent", "delivered", "read"]


async def test_being_offline_does_not_keep_sms_away(loft: Loft) -> None:
    await loft.own("POST", f"handsets/{PHONE}", {"online": False})
    await loft.send()
    assert len((await loft.own("GET", f"handsets/{PHONE}"))["messages"]) == 1


async def test_the_person_answers_the_address_that_wrote_and_quotes(loft: Loft) -> None:
    loft.says, loft.statuses = "coo", [204, 204, 204, 200]
    _, answer = await loft.send()
    await loft.wait(3)
    message = json.loads(answer)["id"]
    await loft.own("POST", f"handsets/{PHONE}/say", {"text": "thanks", "in_reply_to": message})
    said = (await loft.wait(4))[-1]
    assert said == {"kind": "said", "number": PHONE, "to": "loft-2", "text": "thanks", "quotes": message}
    assert loft.heard[-1][0] == "/in"
    assert loft.sandbox.world.last_said(PHONE, "pigeon", "loft") is not None
    async with asyncio.timeout(5):
        while "answered" not in [line["kind"] for line in (await loft.own("GET", "log"))["entries"]]:
            await asyncio.sleep(0.01)


async def test_a_provider_may_give_up_early(loft: Loft) -> None:
    loft.statuses = [500, 500]
    await loft.send()
    assert [one["kind"] for one in await loft.wait(2)] == ["delivered", "read"]
    lost = [line["detail"] for line in (await loft.own("GET", "log"))["entries"] if line["kind"] == "callback_lost"]
    assert lost == ["sent: not taken in 2 tries: answered 500; a 2xx counts"]


async def test_parts_that_come_one_by_one_are_shown_as_one(loft: Loft) -> None:
    for part, text in ((2, "and two"), (1, "one ")):
        assert (await loft.own("GET", f"handsets/{PHONE}"))["messages"] == []
        await loft.send(text=text, part=part, parts=2, group="7")
    (bubble,) = (await loft.own("GET", f"handsets/{PHONE}"))["messages"]
    assert (bubble["content"]["text"], bubble["parts"]) == ("one and two", 2)


class Wire:
    """A line of the tests' own."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard: list[Happening] = []
        self.cuts = self.clears = self.stops = 0

    def told(self, happening: Happening, sender: KnownSender, taken: Callable[[], None]) -> None:
        self.heard.append(happening)
        taken()

    def cut(self) -> None:
        self.cuts += 1

    def clear(self) -> None:
        self.clears += 1

    async def stop(self) -> None:
        self.stops += 1


async def test_a_line_is_opened_told_cut_and_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire(0)

    async def listen(world: World, host: str, port: int) -> Line:
        wire.port = port
        return wire

    monkeypatch.setattr(pigeon_twin, "listen", listen, raising=False)
    world = World([pigeon_twin], clock=SystemClock(), pace=Pace(delivered=0.02, read=0.05))
    async with (
        await serve(world, line_ports={"pigeon": 2_775}) as sandbox,
        aiohttp.ClientSession() as session,
    ):
        loft = Loft(session, sandbox, "")
        assert wire.port == 2_775
        await loft.own("POST", "senders", {"provider": "pigeon", "sender": "loft"})
        await loft.send()
        await loft.own("POST", f"handsets/{PHONE}/say", {"text": "thanks"})
        async with asyncio.timeout(5):
            while len(wire.heard) < 4:
                await asyncio.sleep(0.01)
        kinds = {type(happening) for happening in wire.heard}
        assert {Delivered, Said} < kinds and Failed not in kinds
        assert (await loft.own("GET", f"handsets/{PHONE}"))["messages"][-1]["state"] == "sent"
        assert (await loft.own("GET", "counts"))["totals"]["callbacks"] == 4
        assert await loft.own("POST", "lines/pigeon/cut") == {"cut": "pigeon"}
        await loft.own("POST", "reset")
    assert (wire.cuts, wire.clears, wire.stops) == (1, 1, 1)


class SlowWire(Wire):
    """Its other side acknowledges after a while, and what is said to it less late than what is delivered."""

    def told(self, happening: Happening, sender: KnownSender, taken: Callable[[], None]) -> None:
        if isinstance(happening, Delivered | Said):
            asyncio.get_running_loop().call_later(0.06 if isinstance(happening, Delivered) else 0.01, taken)


async def test_a_scenario_waits_for_what_is_told_over_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = SlowWire(0)

    async def listen(world: World, host: str, port: int) -> Line:
        return wire

    monkeypatch.setattr(pigeon_twin, "listen", listen, raising=False)
    world = World([pigeon_twin], clock=SystemClock(), pace=Pace(delivered=0.02, read=0.03))
    async with await serve(world) as sandbox, aiohttp.ClientSession() as session:
        loft = Loft(session, sandbox, "")
        await loft.own("POST", "senders", {"provider": "pigeon", "sender": "loft"})
        act = {"on": {"kind": "delivered"}, "after": 0.03, "do": "say", "with": {"text": "Thanks"}}
        await loft.own("POST", "scenario", {"act": [act]})
        await loft.send()
        assert await loft.own("GET", "idle?timeout=5") == {"idle": True}
        log = (await loft.own("GET", "log"))["entries"]
        # 20 ms: delivered, acknowledged 60 ms later; 30 ms: said. By the clock the words would have come first.
        told = [(line["kind"], line.get("detail", "")) for line in log if line["kind"] in ("callback", "said")]
        assert told == [("callback", "delivered"), ("said", "said"), ("callback", "said")]


async def test_a_line_that_cannot_be_opened_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen(world: World, host: str, port: int) -> Line:
        raise OSError(98, "Address already in use")

    monkeypatch.setattr(pigeon_twin, "listen", listen, raising=False)
    with pytest.raises(SetupError, match="--pigeon-port"):
        await serve(World([pigeon_twin], clock=SystemClock()), line_ports={"pigeon": 2_775})
