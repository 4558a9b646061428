"""The demo's story, checked from outside: what is not right is told by its name, and what follows is left out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from heliograph import rehearsal
from heliograph.channels.rcs import google_rbm_twin, google_rbm_wire
from heliograph.clock import SystemClock
from heliograph.core.content import Content
from heliograph.core.ports import Call
from heliograph.core.twin import Arrival, KnownDesk, KnownSender
from heliograph.sandbox import Pace, Running, World, serve
from sandbox import bureau_twin

MATT = "+17703101414"
INFO = {"Sky Miles": "1234567890", "T-Shirt Size": "Large"}


class Stand:
    """A sandbox with a desk and a phone, and no server between them: a test does what that would do."""

    def __init__(self, running: Running) -> None:
        self.world = running.world
        self.url = running.url

    def arrives(self, content: dict[str, Any]) -> None:
        now = self.world.now()
        body = google_rbm_wire.message(
            msgspec.convert(content, Content), expires=now + 60_000, now=now, traffic="transaction"
        )
        id = self.world.new_id()
        self.world.take(Arrival(id=id, sender="acme", provider="google-rbm", number=MATT, resource=body))

    def card(self) -> None:
        self.arrives({"type": "text", "text": "Late", "suggestions": [{"type": "reply", "text": rehearsal.TAP}]})

    def asks(self, text: str = rehearsal.TAP, **facts: str) -> None:
        body = msgspec.json.encode({"customer": "Matt", "skill": "service", "text": text, "facts": facts or INFO})
        call = Call(method="POST", url="http://x/bureau/1/open", headers={"authorization": "Seal s"}, body=body)
        assert bureau_twin.answer(call, self.world).status == 200

    async def plays(self) -> dict[str, str]:
        """Scene → its fault."""
        story = rehearsal.at_desk(self.url, desk="The bureau", account="bureau/1", number=MATT, who="Matt")
        return {scene.name: scene.fault for scene in await asyncio.to_thread(list, story)}


@pytest.fixture
async def stand(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stand]:
    monkeypatch.setattr(rehearsal, "PATIENCE", 0.3)
    pace = Pace(receipts=False)
    world = World([google_rbm_twin], desk_twins=[bureau_twin], clock=SystemClock(), pace=pace)
    world.add_sender(KnownSender(id="acme", provider="google-rbm", name="Acme Air"))
    world.add_desk(KnownDesk(id="1", desk="bureau", credentials={"seal": "s"}))
    async with await serve(world) as running:
        yield Stand(running)


async def test_a_phone_without_the_card_ends_the_story(stand: Stand) -> None:
    stand.asks()
    (seen,) = (await stand.plays()).items()
    assert seen[0] == "Matt's tap" and "status 409" in seen[1]


async def test_a_desk_that_hears_nothing_is_named(stand: Stand) -> None:
    stand.card()
    assert await stand.plays() == {
        "Matt's tap": "",
        "The bureau": "no conversation is open there in which anything was said",
    }


@pytest.mark.parametrize(
    ("text", "facts", "lacks"),
    [
        ("Learn More", {"Sky Miles": "1234567890"}, "T-Shirt Size, Large"),
        ("Menu", INFO, "Tapped: Learn More"),
    ],
)
async def test_what_the_agent_does_not_see_is_named(stand: Stand, text: str, facts: dict[str, str], lacks: str) -> None:
    stand.card()
    stand.asks(text, **facts)
    assert (await stand.plays())["The bureau context"] == f"it lacks {lacks}"


async def test_an_answer_that_does_not_arrive_is_named_and_one_that_does_is_right(stand: Stand) -> None:
    stand.card()
    stand.asks()
    assert (await stand.plays())["the answer from The bureau"] == "it is not on the phone"
    stand.arrives({"type": "text", "text": rehearsal.ANSWER})
    stand.card()
    assert not any((await stand.plays()).values())


async def test_a_console_that_nobody_answers_at_is_named(stand: Stand) -> None:
    stand.card()
    story = rehearsal.in_console(
        "http://127.0.0.1:9", stand.url, site="1", number=MATT, who="Matt", user="demo", password="none"
    )
    seen = {scene.name: scene.fault for scene in await asyncio.to_thread(list, story)}
    assert seen == {"Matt's tap": "", "log-in": "status 0 after the form; 200 is right"}
