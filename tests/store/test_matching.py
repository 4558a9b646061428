"""Two alerts of two skills to one number: whose answer is it. What the person does is told by the provider's twin and
read by its adapter, so that it is matched by what the wire really carries."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.channels.rcs import google_rbm_callback, google_rbm_twin
from heliograph.channels.wa import whatsapp_cloud_callback, whatsapp_cloud_events, whatsapp_cloud_twin
from heliograph.channels.wa import whatsapp_cloud_wire as wire
from heliograph.clock import SystemClock
from heliograph.core.content import Button, Named, Parameter, Reply, Text
from heliograph.core.event import Inbound
from heliograph.core.twin import Filed, KnownSender, Located, Said, Tapped
from heliograph.sandbox import World

MATT = "+17703101414"
ACME_WA = KnownSender(
    id="106540352242922",
    provider="whatsapp-cloud",
    name="Acme Air",
    webhook="https://alerts.acme.example/w",
    credentials={"app_secret": "s", "access_token": "t", "verify_token": "v"},
)
ACME_RCS = KnownSender(
    id="acme-air", provider="google-rbm", name="Acme Air", webhook="https://alerts.acme.example/r", secret="token"
)


class Two:
    """The older alert is about bags, the newer about gates. `is_about(event)`: the skill of the conversation that the
    person's act lands in, and the rule by which it did."""

    def __init__(self, store: Any, made: Any, clock: Any, channel: str) -> None:
        self.store = store
        self.made = made
        self.clock = clock
        self.channel = channel

    async def alert(self, skill: str, content: Any, *references: str) -> Any:
        alert = self.made.alert(skill=skill)
        attempt = self.made.attempt(alert, content=content, channel=self.channel)
        accepted = self.made.acceptance(alert=alert, attempt=attempt)
        await self.store.accept(accepted)
        await self.store.outcome(self.made.outcome(accepted, references=references))
        self.clock.now += 1000
        return accepted

    async def is_about(self, event: Inbound) -> tuple[str, str]:
        self.clock.now += 1000
        (place,) = await self.store.hear(self.made.site, self.channel, self.made.sender, (event,), self.made.now)
        there = await self.store.conversation(self.made.site, place.conversation)
        turns = await self.store.turns(self.made.site, place.conversation)
        last = turns[-1]
        assert (last.kind, last.event, last.attached, last.place) == (
            event.kind,
            event.event,
            event.attached,
            event.place,
        )
        return there.skill, last.rule


def person(clock: Any, **fields: Any) -> dict[str, Any]:
    return {"number": MATT, "event": f"event-{clock.now}", "at": clock.now, **fields}


@pytest.fixture
def whatsapp(clock):
    world = World([whatsapp_cloud_twin], clock=SystemClock())
    ours = whatsapp_cloud_callback.Secrets(ACME_WA.id, "s", "v")

    def heard(happening: type, **fields: Any) -> Inbound:
        call = whatsapp_cloud_twin.tell(happening(**person(clock, **fields)), ACME_WA, world)
        (event,) = whatsapp_cloud_callback.read(call, ours).events
        return event

    return heard


@pytest.fixture
def rcs(clock):
    world = World([google_rbm_twin], clock=SystemClock())

    def heard(happening: type, **fields: Any) -> Inbound:
        call = google_rbm_twin.tell(happening(**person(clock, **fields)), ACME_RCS, world)
        (event,) = google_rbm_callback.read(call, agent="acme-air", token="token").events
        return event

    return heard


PICTURE = {"url": "https://phone.example/p.png", "content_type": "image/png", "name": "bag.png"}
PLACE = {"latitude": 39.2976, "longitude": -94.7139}


async def test_on_whatsapp_what_is_quoted_decides_and_all_else_is_the_newest(opened, made, clock, whatsapp):
    two = Two(opened, made, clock, "wa")
    yes = Reply(text="Yes", postback="yes")
    template = Named(
        name="notice",
        language="en",
        body=(Parameter(text="Matt"),),
        buttons=(Button(index=0, kind="reply", value="yes"),),
        shown="Hi Matt",
        suggestions=(yes,),
    )
    await two.alert("bags", template, "wamid.BAGS")
    await two.alert("gates", template, "wamid.GATES")
    sent = wire.message(template, id="a", recipient=MATT, window=False)
    # Both offered the same payload; the context of the tap says which one was tapped.
    tapped = whatsapp(Tapped, message="wamid.BAGS", resource=sent, suggestion=yes)
    assert (tapped.kind, tapped.postback, tapped.in_reply_to) == ("tap", "yes", "wamid.BAGS")
    assert await two.is_about(tapped) == ("bags", "quoted")
    tapped = whatsapp(Tapped, message="wamid.GATES", resource=sent, suggestion=yes)
    assert await two.is_about(tapped) == ("gates", "quoted")
    assert await two.is_about(whatsapp(Said, text="Which one?")) == ("gates", "newest")
    assert await two.is_about(whatsapp(Said, text="The red one", in_reply_to="wamid.BAGS")) == ("bags", "quoted")
    assert await two.is_about(whatsapp(Filed, **PICTURE)) == ("gates", "newest")
    assert await two.is_about(whatsapp(Located, **PLACE)) == ("gates", "newest")
    assert await two.is_about(whatsapp(Said, text="Yes", in_reply_to="wamid.SOMEBODYS")) == ("gates", "newest")


async def test_on_whatsapp_a_reaction_and_a_list_are_about_their_message(opened, made, clock, whatsapp):
    two = Two(opened, made, clock, "wa")
    flights = tuple(Reply(text=f"Flight {n}", postback=f"f{n}") for n in range(4))
    menu = Text(text="Which flight?", suggestions=flights)
    await two.alert("bags", menu, "wamid.BAGS")
    await two.alert("gates", menu, "wamid.GATES")
    sent = wire.message(menu, id="a", recipient=MATT, window=True)
    row = whatsapp(Tapped, message="wamid.BAGS", resource=sent, suggestion=flights[2])
    assert (row.kind, row.text, row.postback) == ("tap", "Flight 2", "f2")
    assert await two.is_about(row) == ("bags", "quoted")
    told = {
        "from": MATT[1:], "id": "wamid.REACTION", "timestamp": "1795402843", "type": "reaction",
        "reaction": {"message_id": "wamid.BAGS", "emoji": "👍"},
    }  # fmt: skip
    reaction = whatsapp_cloud_events.message(msgspec.Raw(msgspec.json.encode(told)), {})
    assert await two.is_about(reaction) == ("bags", "quoted")
    picture = {
        **told, "id": "wamid.PICTURE", "type": "image", "image": {"id": "27", "mime_type": "image/png"},
        "context": {"id": "wamid.BAGS"},
    }  # fmt: skip
    quoting = whatsapp_cloud_events.message(msgspec.Raw(msgspec.json.encode(picture)), {})
    assert await two.is_about(quoting) == ("bags", "quoted")


async def test_on_rcs_a_tap_is_for_the_newest_that_offered_it_and_all_else_for_the_newest(opened, made, clock, rcs):
    """Google names no message in a tap: what it offered is all that tells."""
    two = Two(opened, made, clock, "rcs")
    both = Reply(text="Call me", postback="call")
    bag, gate = Reply(text="Find it", postback="bag/1"), Reply(text="Gate map", postback="gate/2")
    older = await two.alert("bags", Text(text="Your bag is late.", suggestions=(bag, both)))
    newer = await two.alert("gates", Text(text="Your gate changed.", suggestions=(gate, both)))
    tapped = rcs(Tapped, message=older.attempt.id, suggestion=bag)
    assert (tapped.kind, tapped.postback, tapped.in_reply_to) == ("tap", "bag/1", "")
    assert await two.is_about(tapped) == ("bags", "offered")
    assert await two.is_about(rcs(Tapped, message=newer.attempt.id, suggestion=gate)) == ("gates", "offered")
    assert await two.is_about(rcs(Tapped, message=older.attempt.id, suggestion=both)) == ("gates", "offered")
    for happening, fields in ((Said, {"text": "Thanks"}), (Filed, PICTURE), (Located, PLACE)):
        assert await two.is_about(rcs(happening, **fields)) == ("gates", "newest")


async def test_the_same_message_told_to_a_second_callback_is_one_turn(opened, made, clock, whatsapp):
    two = Two(opened, made, clock, "wa")
    await two.alert("bags", Text(text="Late"), "wamid.BAGS")
    said = whatsapp(Said, text="Where is it?")
    first, again = [
        (await opened.hear(made.site, "wa", sender, (said,), made.now))[0] for sender in (made.sender, "acme-service")
    ]
    assert first.turn == 1
    assert again.duplicate
    assert len(await opened.turns(made.site, first.conversation)) == 1
    # Of another person, or at another site, it is another message, whatever its provider calls it.
    other = msgspec.structs.replace(said, recipient="+17703101415")
    assert not (await opened.hear(made.site, "wa", "acme-sales", (other,), made.now))[0].duplicate
    assert not (await opened.hear("99", "wa", made.sender, (said,), made.now))[0].duplicate
    nameless = msgspec.structs.replace(said, event="")
    for sender in (made.sender, "acme-service"):
        assert not (await opened.hear(made.site, "wa", sender, (nameless,), made.now))[0].duplicate


async def test_a_person_without_a_number_is_heard_and_obeyed(opened, made, clock):
    """Who hides behind a user name on WhatsApp has a business-scoped id instead of a number: written to and heard."""
    told = {"id": "wamid.1", "timestamp": "1795402843", "type": "text", "from_user_id": "US.13491208655302741918"}
    for number, words in enumerate(("Where is my gate?", "STOP")):
        raw = msgspec.json.encode({**told, "id": f"wamid.{number}", "text": {"body": words}})
        event = whatsapp_cloud_events.message(msgspec.Raw(raw), {})
        (place,) = await opened.hear(made.site, "wa", made.sender, (event,), made.now)
        clock.now += 1000
        there = await opened.conversation(made.site, place.conversation)
        assert there.recipient == "US.13491208655302741918"
    rows = await opened.opt_outs(site=made.site, recipient="US.13491208655302741918", limit=5)
    assert [row.wanted for row in rows] == [False]
    nobody = whatsapp_cloud_events.message(msgspec.Raw(b'{"id":"wamid.9","type":"text","text":{"body":"hi"}}'), {})
    assert nobody.kind == "message.text"
    assert (await opened.hear(made.site, "wa", made.sender, (nobody,), made.now))[0].turn == 0
