"""What changes reaches the browsers: over a real connection, once rendered for all, to whom it concerns alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from heliograph.core.conversation import Closer
from heliograph.core.event import Inbound
from heliograph.core.states import AttemptState
from heliograph.core.user import Role
from heliograph.flow import converse, users
from heliograph.flow.converse import Words
from heliograph.web.console import inbox_live, inbox_stream, inbox_view
from heliograph.web.console.inbox_live import Fan
from heliograph.web.server import Limits, Server
from web.conftest import SITE, Caller, change_site
from web.console.conftest import PASSWORD, Browser
from web.console.desk import MATT, Phone

At = Callable[[str], Awaitable[Browser]]


class Ears:
    """One browser's stream."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def piece(self) -> str:
        async with asyncio.timeout(3):
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            return (await self.reader.readexactly(size + 2))[:-2].decode()

    async def events(self, many: int) -> list[tuple[str, str, dict[str, Any]]]:
        """(id, event, data) of the next ones; comments and the like are left out."""
        found: list[tuple[str, str, dict[str, Any]]] = []
        while len(found) < many:
            for part in (await self.piece()).split("\n\n"):
                lines = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
                if "event" in lines:
                    found.append((lines.get("id", ""), lines["event"], json.loads(lines["data"])))
        return found

    async def nothing(self) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await self.reader.readuntil(b"\r\n")


Listen = Callable[..., Awaitable[Ears]]


@pytest.fixture
async def phone(people: Caller) -> Phone:
    await change_site(people, skills=("service", "sales"))
    return Phone(people)


@pytest.fixture
async def server(people: Caller) -> AsyncIterator[tuple[Server, int]]:
    one = Server(people.app, "127.0.0.1", 0, Limits())
    yield one, await one.start()
    await one.stop(0.5)


@pytest.fixture
async def listen(server: tuple[Server, int]) -> AsyncIterator[Listen]:
    opened: list[Ears] = []

    async def listens(browser: Browser, *, after: str = "", last: str = "") -> Ears:
        reader, writer = await asyncio.open_connection("127.0.0.1", server[1])
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        more = f"Last-Event-ID: {last}\r\n" if last else ""
        path = f"/console/live{f'?after={after}' if after else ''}"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: h\r\nCookie: {cookie}\r\n{more}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert head.startswith("http/1.1 200") and "content-type: text/event-stream" in head, head
        assert "cache-control: no-store" in head
        ears = Ears(reader, writer)
        assert await ears.piece() == "retry: 1000\n\n"
        opened.append(ears)
        return ears

    yield listens
    for ears in opened:
        ears.writer.close()


async def test_a_reply_is_told_with_its_words_and_its_row(phone: Phone, at: At, listen: Listen, example: Any) -> None:
    await phone.gets(example)
    ears = await listen(await at("bob"))
    there = await phone.says("Can I <rebook>?")
    ((id, kind, data),) = await ears.events(1)
    assert (kind, data["id"], data["said"], data["skill"], data["agent"]) == ("turn", there.id, True, "service", "")
    assert "." in id and data["who"] == "Matt Fanning"
    assert "Can I &lt;rebook&gt;?" in data["turns"][-1]["html"] and "Can I &lt;rebook&gt;?" in data["row"]
    assert MATT[2:] not in json.dumps(data)
    ((_, kind, queue),) = await ears.events(1)
    assert (kind, queue) == ("queue", {"site": SITE, "skill": "service", "open": 1, "unclaimed": 1})


async def test_claims_answers_marks_typing_and_the_end_are_told(
    phone: Phone, at: At, listen: Listen, example: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_live, "COUNTS", 60.0)
    await phone.gets(example)
    there = await phone.says("hello")
    means = phone.caller.doors.means
    ears = await listen(await at("bob"))
    await converse.claim(SITE, there.id, agent="ann", by="ann", means=means)
    assert (await ears.events(1))[0][2]["agent"] == "ann"
    turn = await converse.answer(SITE, there.id, Words(text="we come"), agent="ann", author="ann", means=means)
    ((_, _, data),) = await ears.events(1)
    assert "we come" in data["turns"][0]["html"] and "sending" in data["turns"][0]["html"]
    await phone.shows(turn, AttemptState.DELIVERED)
    ((_, _, data),) = await ears.events(1)
    assert data["turns"][0]["number"] == turn.number and "delivered" in data["turns"][0]["html"]
    assert data["said"] is False
    await phone.tells(Inbound(event="t", recipient=MATT, kind="typing"))
    assert (await ears.events(1))[0][1:] == ("typing", {"site": SITE, "id": there.id})
    await converse.close(SITE, there.id, closer=Closer.AGENT, by="ann", means=means)
    assert (await ears.events(1))[0][2]["state"] == "closed"


async def test_who_does_not_see_the_skill_hears_nothing_and_a_transfer_leaves_their_list(
    phone: Phone, at: At, listen: Listen, example: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_live, "COUNTS", 60.0)
    caller, clock = phone.caller, phone.caller.doors.means.clock
    for name, skill in (("sal", "sales"), ("ser", "service")):
        await users.create(caller.store, name, Role.AGENT, PASSWORD, clock=clock, by="test", skills=(skill,))
    await users.create(caller.store, "oto", Role.AGENT, PASSWORD, clock=clock, by="test", sites=("999",))
    sal, ser, oto = [await listen(await at(name)) for name in ("sal", "ser", "oto")]
    await phone.gets(example)
    there = await phone.says("hello")
    assert (await ser.events(1))[0][2]["id"] == there.id
    await sal.nothing()
    await converse.transfer(SITE, there.id, skill="sales", by="ann", means=caller.doors.means)
    assert (await sal.events(1))[0][2]["skill"] == "sales"
    assert (await ser.events(1))[0][1:] == ("gone", {"site": SITE, "id": there.id})
    await phone.says("still me")
    assert (await sal.events(1))[0][2]["said"] is True
    await ser.nothing()
    await oto.nothing()


async def test_who_comes_back_gets_exactly_what_was_missed(
    phone: Phone, at: At, listen: Listen, example: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_live, "COUNTS", 60.0)
    await phone.gets(example)
    bob = await at("bob")
    await bob.get("/console/inbox")
    start = bob.page.split('data-place="')[1].split('"')[0]
    await phone.says("between the page and its stream")
    ears = await listen(bob, after=start)
    ((first, _, data),) = await ears.events(1)
    assert "between the page" in data["words"]
    ears.writer.close()
    for words in ("two", "three"):
        await phone.says(words)
        await asyncio.sleep(0.05)  # each in an event of its own
    again = await listen(bob, after=start, last=first)
    assert [data["words"] for _, _, data in await again.events(2)] == ["two", "three"]
    await again.nothing()


@pytest.mark.parametrize("last", ["nonsense", "0.5", "aaaaaaaaaaa.1", "9" * 40 + ".2"])
async def test_who_comes_back_from_another_time_is_told_to_look_again(
    phone: Phone, at: At, listen: Listen, last: str
) -> None:
    ears = await listen(await at("bob"), last=last)
    assert (await ears.events(1))[0][1] == "missed"


async def test_a_session_that_is_over_ends_its_stream(
    phone: Phone, at: At, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_stream, "BEAT", 0.1)
    bob = await at("bob")
    ears = await listen(bob)
    assert await ears.piece() == ": quiet\n\n"
    await bob.get("/console/inbox")
    await bob.post("/console/logout", {})
    while (said := await ears.piece()).startswith(":"):
        pass
    assert said == "event: ended\ndata: {}\n\n"
    assert await ears.piece() == ""  # the end of the stream
    assert len(phone.caller.doors.fan) == 0


async def test_a_browser_that_reads_nothing_is_told_to_look_again(phone: Phone, example: Any) -> None:
    means = phone.caller.doors.means
    fan = Fan(inbox_view.rendered)
    seat = fan.join(lambda site: True, (), "", means)
    await phone.gets(example)
    there = await phone.says("hello")
    for number in range(inbox_live.WAITING + 20):
        fan._put(SITE, there.skill, "turn", b"%d" % number)
    waiting = await seat.bytes(1)
    assert waiting.startswith(inbox_live.MISSED) and waiting.count(b"\n\n") < 30
    await fan.stop()


async def test_one_rendering_serves_all(phone: Phone, example: Any) -> None:
    means, count = phone.caller.doors.means, []

    def rendered(*given: Any) -> dict[str, object]:
        count.append(given)
        return inbox_view.rendered(*given)

    fan = Fan(rendered)
    seats = [fan.join(lambda site: True, (), "", means) for _ in range(50)]
    await asyncio.sleep(0)
    await phone.gets(example)
    await phone.says("hello")
    found = [await seat.bytes(2) for seat in seats]
    assert len(count) == 1 and len({id(data) for data in found}) >= 1
    assert len(set(found)) == 1 and b"hello" in found[0]
    await fan.stop()


async def test_what_another_node_did_is_told_and_our_own_is_not_told_twice(phone: Phone, example: Any) -> None:
    from heliograph.flow.live import Change

    means = phone.caller.doors.means
    await phone.gets(example)
    there = await phone.says("hello")
    fan = Fan(inbox_view.rendered)
    seat = fan.join(lambda site: True, (), "", means)
    await asyncio.sleep(0)
    means.live.tell([Change(SITE, there.id, 0, "elsewhere")])
    assert b"hello" in await seat.bytes(2)
    means.live.tell([Change(SITE, there.id, 0, "elsewhere")])
    assert b"hello" not in await seat.bytes(0.2)
    await fan.stop()


async def test_one_user_does_not_take_the_places_of_all(
    phone: Phone, at: At, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_stream, "MOST_OF_ONE", 2)
    bob, ann = await at("bob"), await at("ann")
    ears = [await listen(bob) for _ in range(2)]
    assert (await bob.get("/console/live")).status == 503
    await listen(ann)
    ears[0].writer.close()
    async with asyncio.timeout(2):
        while phone.caller.doors.fan.of("bob") == 2:
            await asyncio.sleep(0.01)
    await listen(bob)
