"""A desk's adapter, its twin in a running sandbox, and our callback that listens: what every desk's tests stand on.

A desk's folder says in a file of `cases/` what is special to it (one with an `account`; others are its own tests').
`${name}` in its settings is filled in:

    desk       its name                       account   {"id", "skills": {queue's name: the desk's id of it}}
    settings   as a site would set them; ${sandbox} is the sandbox's address, ${<credential>} what the twin's
               `credentials` made
    callbacks  [{"name", "body", "events"}]   what its callback says, signed by the twin's `signed(body, desk, world)`
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
from aiohttp import web

from heliograph import plugs
from heliograph.core.alert import Alert
from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.desk import Context, DeskEvent, Opened, SiteDesk, Step
from heliograph.core.desk_twin import DeskCase
from heliograph.core.ports import Call, Desk, DeskPlug, DeskWays, Out
from heliograph.core.twin import KnownDesk
from heliograph.errors import Fate, SendError
from heliograph.sandbox import Rule, World
from heliograph.sandbox.desks import AgentDeed, do

SITE = "acme"
RECIPIENT = "+12025550143"
DIGITS = RECIPIENT.removeprefix("+")
INFO = {"Sky Miles": 1234567890, "T-Shirt Size": "Large", "Seat": {"row": 12}}
ALERT = Alert(
    id="0199f2a0-0000-7000-8000-0000000a1000",
    site=SITE,
    created=1_764_090_180_000,
    expires=1_764_176_580_000,
    recipient=RECIPIENT,
    template="FlightDelay",
    template_version="2",
    language="en",
    language_asked="english",
    variables={},
    skill="Delays",
    external_customer_id="C-0042",
    external_customer_id_descriptor="VIP",
    external_alert_id="alert-77",
    first_name="Matt",
    last_name="Fanning",
    alert_info=msgspec.Raw(msgspec.json.encode(INFO)),
)
STEP = Step(channel="rcs", provider="google-rbm", sender="acme-rcs", state="delivered")
CONTEXT = Context(alert=ALERT, words="Your flight AA100 is late.", channel="rcs", path=(STEP,))
OTHER = Context(
    alert=msgspec.structs.replace(
        ALERT, id="0199f2a0-0000-7000-8000-0000000a2000", template="GateChange", external_alert_id="alert-78"
    ),
    words="Your gate is B7.",
    channel="sms",
)
CONVERSATION = Conversation(
    id="0199f2a0-0000-7000-8000-0000000c1000",
    site=SITE,
    recipient=RECIPIENT,
    skill="Delays",
    alert=ALERT.id,
    alerts=(ALERT.id,),
    opened=1_764_090_300_000,
    touched=1_764_090_300_000,
    channel="rcs",
    sender="acme-rcs",
    name="Matt Fanning",
)


def turn(number: int, text: str, **more: Any) -> Turn:
    """A recipient's turn."""
    return Turn(
        conversation=CONVERSATION.id,
        site=SITE,
        number=number,
        at=1_764_090_300_000 + number * 1000,
        by=more.pop("by", By.RECIPIENT),
        text=text,
        alert=ALERT.id,
        rule="newest",
        channel="rcs",
        sender="acme-rcs",
        **more,
    )


def answer_of_agent(event: str) -> Turn:
    """An agent's turn that came by the desk's event."""
    return turn(9, "Gate B7.", by=By.AGENT, event=event)


def documents() -> list[dict[str, Any]]:
    """The cases of every desk that has a twin."""
    found = []
    for _, package in plugs.desk_packages():
        for path in sorted(Path(next(iter(package.__path__))).glob("cases/*.json")):
            found.append(json.loads(path.read_text("utf-8")))
    return [document for document in found if "account" in document]


class Ear:
    """Our callback: takes every call, in order."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[Call] = []
        self.news = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(method=request.method, url=str(request.url), headers=headers, body=await request.read()))
        self.news.set()
        return web.Response()


class Floor:
    """One desk with its twin. `desk`: opened as the registry does."""

    def __init__(
        self,
        document: dict[str, Any],
        plug: DeskPlug,
        twin: ModuleType,
        world: World,
        known: KnownDesk,
        url: str,
        ear: Ear,
    ) -> None:
        self.document, self.plug, self.twin, self.world, self.known = document, plug, twin, world, known
        self.url, self.ear = url, ear
        self.exchanges: list[object] = []

    def settings(self, url: str) -> msgspec.Struct:
        def fill(value: Any) -> Any:
            if isinstance(value, str):
                for name, given in {"sandbox": url, **self.known.credentials}.items():
                    value = value.replace("${" + name + "}", given)
                return value
            return {name: fill(part) for name, part in value.items()} if isinstance(value, dict) else value

        return msgspec.convert(fill(self.document["settings"]), self.plug.Settings)

    def opened(self, out: Out, url: str = "") -> Desk:
        settings = self.settings(url or self.url)
        setup = SiteDesk(site=SITE, desk=self.plug.NAME, settings=msgspec.to_builtins(settings))
        ways = DeskWays(
            out=out, callback=lambda: self.known.webhook, page=lambda path: f"https://alerts.acme.example{path}"
        )
        desk = self.plug.open(setup, settings, ways)
        assert desk is not None
        return desk

    @property
    def calls(self) -> list[Call]:
        """What this desk posted to our callback, in order."""
        return [call for call in self.ear.calls if call.url.startswith(self.known.webhook)]

    @property
    def secrets(self) -> list[str]:
        settings = self.settings(self.url)
        return [value for name in self.plug.SECRETS if (value := getattr(settings, name))]

    def cases(self) -> list[DeskCase]:
        return self.twin.shown(self.known, self.world)

    def case(self, reference: str) -> DeskCase:
        return next(one for one in self.cases() if one.id == reference)

    def words(self, reference: str) -> str:
        """All that an agent can read there: the lines and what stands beside them."""
        case = self.case(reference)
        facts = [f"{label}: {value}" for label, value in case.facts.items()]
        return "\n".join([case.customer, *facts, *(line.text for line in case.lines)])

    def said(self, reference: str) -> list[str]:
        """The recipient's lines."""
        return [line.text for line in self.case(reference).lines if line.by == "recipient"]

    def does(self, what: str, reference: str, **more: str) -> None:
        do(msgspec.convert({"do": what, "conversation": reference, **more}, AgentDeed), self.known, self.world)

    def misbehaves(self, what: str, call: str, **more: Any) -> None:
        self.world.behaviour.add(
            msgspec.convert({"do": what, "match": {"desk": self.plug.NAME, "call": call}, "times": 1, **more}, Rule)
        )

    async def events(self, desk: Desk, kind: type[Any], seconds: float = 3.0) -> list[DeskEvent]:
        """All that our callback heard, once one of `kind` is among it."""
        async with asyncio.timeout(seconds):
            while True:
                found = [event for call in self.calls for event in desk.read(call).events]
                if any(isinstance(event, kind) for event in found):
                    return found
                self.ear.news.clear()
                await self.ear.news.wait()

    async def begin(self, desk: Desk, text: str = "Where do I go?") -> Conversation:
        """Opened, with its first turn."""
        first = turn(1, text)
        opened: Opened = await desk.open(CONVERSATION, first, CONTEXT, until())
        there = msgspec.structs.replace(CONVERSATION, reference=opened.reference, handed=int(opened.said), turns=1)
        if not opened.said:
            self.exchanges.append((await desk.say(there, first, None, until())).exchange)
        return there

    async def hand(self, desk: Desk, there: Conversation, one: Turn, seconds: float = 5.0) -> list[Fate]:
        """Hands a turn over as flow does (flow/desk.py), until it is taken; the fates on the way. What the desk tells
        meanwhile is read, as a server would."""
        fates: list[Fate] = []
        reading = asyncio.create_task(self._read(desk))
        try:
            for _ in range(4):
                try:
                    self.exchanges.append((await desk.say(there, one, None, until(seconds))).exchange)
                    return fates
                except SendError as error:
                    self.exchanges += [error.exchange, error.sentence]
                    fates.append(error.fate)
                    assert error.fate in (Fate.RETRY, Fate.UNKNOWN), error.sentence
                    if error.fate is Fate.UNKNOWN and await desk.taken(there, one, until()):
                        return fates
            raise AssertionError(f"never taken: {fates}")
        finally:
            reading.cancel()

    async def _read(self, desk: Desk) -> None:
        read = 0
        while True:
            for call in self.calls[read:]:
                desk.read(call)
                read += 1
            self.ear.news.clear()
            await self.ear.news.wait()


def until(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds
