"""Explaining is deciding without sending: equal to a send byte for byte, and it leaves no trace anywhere."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from flow.world import SITE, House, Plug, Scripted, ask, refusal
from heliograph.core import sms
from heliograph.core.channel import Capability, Carries, Reach, Size
from heliograph.core.content import Card, CardBody, Content, OpenUrl, Reply, Text
from heliograph.core.event import OptOutHeard
from heliograph.core.ports import Changes, Claim
from heliograph.core.site import Cap, Hours, Kind, Prices, QuietHours, Sender, Site
from heliograph.core.template import Template, Variable
from heliograph.errors import AlertRefused, Fate, FieldFaults
from heliograph.flow.explain import Explanation, explain
from heliograph.flow.facts import NOT_ASKED
from heliograph.flow.registry import OpenSender
from heliograph.flow.send import send

CHANNELS = ("rcs", "wa", "sms")
START = 1_900_000_000_000  # ahead of the store's own clock, for which no outcome may come late
encode = msgspec.json.encode


class Still:
    """A clock that stands until it is set."""

    def __init__(self) -> None:
        self.at, self.ids = START, 0

    def now(self) -> int:
        return self.at

    def loop_time(self) -> float:
        return self.at / 1000

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:08x}-0000-7000-8000-000000000000"

    async def sleep(self, seconds: float) -> None:
        self.at += int(seconds * 1000)


class Sms(Plug):
    CARRIES = Carries()

    def measure(self, content: Content) -> Size:
        return sms.measure(content.text) if isinstance(content, Text) else Size()


class Strict(Plug):
    """Takes short texts alone."""

    def check(self, content: Content) -> list[str]:
        return ["The text is too long."] if len(encode(content)) > 260 else []


PLUGS = {"rcs": Plug(), "wa": Strict(), "sms": Sms()}


class World:
    """A house whose registry is set anew for each case, with a clock that stands."""

    def __init__(self, house: House) -> None:
        self.house, self.means, self.clock = house, house.means, Still()
        self.means.clock = self.clock
        self.means.channels = frozenset(CHANNELS)
        self.opened: dict[str, OpenSender] = {}
        self.means.registry._open_sender = lambda sender: self.opened[sender.name]
        self.revision = 0

    def set(self, site: Site, senders: list[OpenSender], template: Template) -> None:
        self.revision += 1
        self.opened = {one.sender.name: one for one in senders}
        there = [("sender", SITE, one.sender.name) for one in self.means.registry.all_senders()]
        self.means.registry.take(
            Changes(
                revision=self.revision,
                removed=tuple(there),
                sites=(site,),
                senders=tuple(one.sender for one in senders),
                templates=(template,),
            )
        )


def text(seeded: random.Random) -> str:
    words = ["Flight at @Time", "gate @Gate", "späť", "🛫", "[soon]", "€", "x" * 150]
    return " ".join(seeded.sample(words, seeded.randint(1, 5)))


def content(seeded: random.Random) -> Content:
    chips: tuple[Any, ...] = (
        Reply(text="Yes", postback="y"),
        Reply(text="No @Gate", postback="n"),
        OpenUrl(text="More", url="https://acme.example/@Gate"),
    )
    suggestions = chips[: seeded.randint(0, 3)]
    if seeded.random() < 0.5:
        return Text(text=text(seeded), suggestions=suggestions)
    return Card(card=CardBody(title=text(seeded)[:40], description=text(seeded), suggestions=suggestions))


def case(seeded: random.Random, world: World) -> dict[str, Any]:
    """Sets the world as the seed says; what the call says."""
    world.clock.at = START + seeded.randrange(30 * 86_400) * 1000
    senders = []
    for channel in CHANNELS:
        for number in range(seeded.choice((0, 1, 1, 1, 2))):
            provider = Scripted()
            provider.asks_capability = channel == "rcs" or seeded.random() < 0.3
            provider.reach = Capability(reach=Reach.UNKNOWN, asked=0, reason=NOT_ASKED)
            provider.script = [refusal(Fate.NEXT_CHANNEL)] if seeded.random() < 0.4 else []
            paused = "by hand" if seeded.random() < 0.1 else ""
            broken = seeded.random() < 0.05
            senders.append(
                OpenSender(
                    sender=Sender(
                        site=SITE, name=f"{channel}{number}", channel=channel, provider="scripted", paused=paused
                    ),
                    plug=PLUGS[channel],
                    provider=None if broken else provider,
                    fault="config: it has no key" if broken else "",
                    sandbox=seeded.random() < 0.5,
                )
            )
    written = {channel: content(seeded) for channel in ("any", *CHANNELS) if seeded.random() < 0.6}
    languages = {"en": written, "es": {"any": content(seeded)}}
    template = Template(
        site=SITE,
        name="delay",
        version=seeded.choice(("1", "2")),
        tags=("a",),
        variables=(Variable(name="Time"), Variable(name="Gate", required=False, default="?")),
        languages=languages,
        fallback_language="en",
        channels=tuple(seeded.sample(CHANNELS, 3)) if seeded.random() < 0.3 else (),
    )
    site = Site(
        id=SITE,
        skills=("service",),
        channels=tuple(seeded.sample(CHANNELS, seeded.randint(1, 3))),
        quiet_hours=QuietHours(start="21:00", end="08:00", rule=seeded.choice(list(Hours)), zone="Europe/Prague"),
        cap=Cap(count=seeded.choice((0, 0, 1, 3)), within=5 * 86_400),
        prices=Prices(channels={"sms": {"+1": Decimal("0.0079")}}),
    )
    world.set(site, senders, template)
    return {
        "phone": f"770310{seeded.randrange(100):04}",
        "language": seeded.choice(("english", "es", "fr")),
        "variables": {"Time": seeded.choice(("7:35 pm", "@Gate", "později"))} if seeded.random() < 0.97 else {},
        "channel": seeded.choice(("", "", "", "sms", "whatsapp", "rcs")),
        "version_tag": seeded.choice(("", "a", "b")),
        "time_to_live": seeded.choice((None, None, 600, 4 * 3600)),
        "kind": seeded.choice((Kind.LIVE, Kind.LIVE, Kind.LIVE, Kind.TEST)),
    }


async def prime(seeded: random.Random, world: World, recipient: str) -> None:
    """What is known before the call: capabilities in memory or in the store, opt-outs."""
    store, now = world.house.store, world.clock.at
    for opened in list(world.means.registry.all_senders()):
        if seeded.random() < 0.6:
            age = seeded.randrange(3_500) * 1000
            known = Capability(
                reach=seeded.choice((Reach.YES, Reach.YES, Reach.NO)),
                asked=now - age,
                features=("RICHCARD_STANDALONE",),
            )
            if seeded.random() < 0.7:
                world.means.capabilities.put(SITE, opened.known_as, recipient, known)
            else:
                await store.keep_capability(SITE, opened.known_as, recipient, known)
    if seeded.random() < 0.1:
        channel = seeded.choice(CHANNELS)
        event = OptOutHeard(event=f"o{world.clock.new_id()}", recipient=recipient, wanted=False)
        await store.hear(SITE, channel, f"{channel}0", (event,), now)


async def test_a_thousand_seeded_cases_are_decided_as_they_are_sent(house: House) -> None:
    world, seen = World(house), Counter[str]()
    for number in range(1000):
        seeded = random.Random(number)
        call = ask(external_alert_id=f"case {number}", **case(seeded, world))
        await prime(seeded, world, f"+1{call.phone}")
        id, now = world.clock.new_id(), world.clock.at
        try:
            told: Explanation | FieldFaults = await explain(call, (), world.means, request_id="explained")
        except FieldFaults as fault:
            told = fault
        world.clock.at = now  # a send may wait; the explanation must not have
        try:
            await send(call, (), world.means, request_id=id)
            refused = ""
        except FieldFaults as fault:
            if isinstance(told, FieldFaults):
                assert told.fields == fault.fields
                seen["fields"] += 1
                continue
            assert fault.code == "content_does_not_fit" and told.decision.stop == "content", number
            seen["content"] += 1
            continue
        except AlertRefused as error:
            refused = error.code
        assert isinstance(told, Explanation), number
        record = await house.store.record(id)
        assert record is not None, number
        assert told.record == record.decision, number
        assert told.would == ("refuse" if refused else "send" if record.attempts else "hold"), number
        contents = {message.sender: encode(message.content) for message in told.messages}
        for attempt in record.attempts:
            assert encode(attempt.content) == contents[attempt.sender], number
        # A channel that said no is left with all of its senders; what comes then is decided anew, from the same facts.
        steps = told.decision.steps
        assert [one.sender for one in record.attempts[:1]] == [one.sender for one in steps[:1]], number
        channels = list(dict.fromkeys(one.channel for one in steps))
        assert [one.channel for one in record.attempts] == channels[: len(record.attempts)], number
        assert bool(refused) == (told.decision.stop is not None)
        if refused:
            assert refused in {one.code for one in told.obstacles}, number
        seen[refused or told.would] += 1
        seen["attempts"] += len(record.attempts)
    # Every road was taken, and none only once.
    for road in (
        "send",
        "hold",
        "opted_out",
        "quiet_hours",
        "cap",
        "content",
        "cannot_reach",
        "not_for_test",
        "fields",
    ):
        assert seen[road] > 1, (road, seen)
    assert seen["attempts"] > seen["send"]


async def test_it_leaves_no_trace(house: House, tmp_path: Path) -> None:
    world = World(house)
    world.clock.at = START
    provider = Scripted()
    sender = Sender(site=SITE, name="rcs0", channel="rcs", provider="scripted", paused="by hand")
    template = Template(
        site=SITE, name="delay", version="1", variables=(Variable(name="Time"),),
        languages={"en": {"any": Text(text="Flight at @Time")}},
    )  # fmt: skip
    site = Site(id=SITE, skills=("service",), channels=("rcs",), cap=Cap(count=1), calls_per_second=1.0)
    opened = OpenSender(sender=sender, plug=Plug(), provider=provider)
    world.set(site, [opened], template)
    meters = len(house.meters.lines)

    def everything() -> list[Any]:
        with sqlite3.connect(tmp_path / "story.db") as database:
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return [(name, sorted(database.execute(f'SELECT * FROM "{name}"'), key=repr)) for name in tables]

    before = everything()
    claim = Claim(site=SITE, scope="nonce", key="n1", until=START + 60_000, owner="me", value="1")
    for _ in range(3):
        told = await explain(ask(), (), world.means, request_id="explained")
        # The probe of the paused sender is free, and stays free; the capability is not known, and nobody was asked.
        assert told.would == "send"
        assert told.decision.considered[0].reach is Reach.UNKNOWN
    await world.means.settle()
    assert (provider.questions, provider.seen) == (0, [])
    assert everything() == before
    assert len(house.meters.lines) == meters
    assert world.means.capabilities.peek(SITE, opened.known_as, "+17703101414") is None
    assert world.means.healths.of(SITE, "rcs0").may_probe("another", START, paused=True, take=False)
    # The call's own nonce is spent: it must not serve for another call.
    await explain(ask(), (claim,), world.means, request_id="explained")
    changed = [name for (name, rows), (_, former) in zip(everything(), before, strict=True) if rows != former]
    assert changed == ["nonces"]


async def test_what_would_stop_it_is_all_told(house: House) -> None:
    world = World(house)
    template = Template(site=SITE, name="delay", version="1", languages={"en": {"any": Text(text="späť " * 30)}})
    site = Site(
        id=SITE,
        skills=("service",),
        channels=("sms", "wa"),
        quiet_hours=QuietHours(start="00:00", end="23:59", rule=Hours.DELAY),
        cap=Cap(count=1),
        prices=Prices(currency="EUR", channels={"sms": {"default": Decimal("0.05")}}),
    )
    senders = [
        OpenSender(
            sender=Sender(site=SITE, name=f"a-{channel}", channel=channel, provider="scripted"),
            plug=Sms(),
            provider=Scripted(),
        )
        for channel in ("sms", "wa")
    ]
    world.set(site, senders, template)
    await send(ask(variables={}), (), world.means, request_id=world.clock.new_id())  # held: it counts all the same
    event = OptOutHeard(event="o1", recipient="+17703101414", wanted=False)
    await house.store.hear(SITE, "wa", "a-wa", (event,), world.clock.at)
    told = await explain(
        ask(variables={}, external_alert_id="two", time_to_live=60), (), world.means, request_id="explained"
    )
    assert told.would == "refuse" and told.decision.stop == "cap"
    found = {one.code: one for one in told.obstacles}
    assert set(found) == {"opted_out", "cap", "quiet_hours", "expired"}
    assert found["quiet_hours"].until is not None and found["quiet_hours"].until > world.clock.at
    assert found["expired"].until == told.alert.expires
    first = told.messages[0]
    assert (first.size.encoding, first.size.parts, first.size.forced_by) == ("UCS-2", 3, "ť")
    assert (first.cost, told.currency) == (Decimal("0.15"), "EUR")
    assert told.messages[1].cost is None


@pytest.mark.parametrize("wrong", [{"template": "no"}, {"phone": "1"}, {"site": "none"}])
async def test_a_call_that_is_wrong_is_wrong_here_too(house: House, wrong: dict[str, str]) -> None:
    world = World(house)
    world.set(Site(id=SITE, skills=("service",)), [], Template(site=SITE, name="delay", version="1", languages={}))
    with pytest.raises(FieldFaults) as explained:
        await explain(ask(**wrong), (), world.means, request_id="explained")
    with pytest.raises(FieldFaults) as sent:
        await send(ask(**wrong), (), world.means, request_id=world.clock.new_id())
    assert explained.value.fields == sent.value.fields
