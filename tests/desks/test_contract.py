"""One contract for every desk: its adapter against its twin in a running sandbox, over the real wire both ways.

A desk's folder plugs in by its `cases/*.json` (desks/floor.py says what stands there).
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from channels.conftest import Stub
from desks.floor import (
    CONTEXT,
    CONVERSATION,
    DIGITS,
    OTHER,
    RECIPIENT,
    Floor,
    answer_of_agent,
    documents,
    turn,
    until,
)
from heliograph import plugs
from heliograph.core.desk import AgentSaid, AgentSaw, AgentTyping, DeskClosed, DeskEvent, DeskMoved, DeskUnknown
from heliograph.core.event import Place
from heliograph.core.ports import Call, Desk
from heliograph.errors import CallRefused, DeskGone, Fate, SendError
from heliograph.out import HttpOut

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVERY = documents()
every_desk = pytest.mark.parametrize("document", EVERY, ids=lambda document: document["desk"])


@pytest_asyncio.fixture(loop_scope="module")
async def floor(document: dict[str, Any], standing: Any) -> Floor:
    made: Floor = await standing(document)
    return made


@pytest.fixture
def desk(floor: Floor, way_out: HttpOut) -> Desk:
    return floor.opened(way_out)


def private(floor: Floor, *kept: object) -> None:
    """Fails where a secret or a number beyond its last four digits is in what is kept."""
    told = " ".join(map(repr, kept))
    for secret in [*floor.secrets, DIGITS, DIGITS[:-4]]:
        assert secret not in told


async def test_every_desk_with_a_twin_has_cases():
    assert {document["desk"] for document in EVERY} == set(plugs.desk_twins())
    assert set(plugs.desk_twins()) < set(plugs.desks())  # the console has neither


@every_desk
async def test_its_plug(floor):
    plug = floor.plug
    settings = floor.settings(floor.url)
    assert plug.KEEPS is False
    assert plug.SECRETS and set(plug.Settings.__struct_fields__) >= plug.SECRETS
    assert all(host.startswith("http") for host in plug.hosts(settings))
    assert {host.split("/")[2] for host in plug.hosts(settings)} == {floor.url.split("/")[2]}
    assert all(origin.startswith(("https://", "http://")) for origin in plug.framed(settings))


@every_desk
async def test_a_conversation_is_opened_with_its_context_and_turns_follow_in_order(floor, desk):
    there = await floor.begin(desk, "Where do I go?")
    await desk.say(there, turn(2, "Anybody?"), None, until())
    await desk.say(there, turn(3, "And my bag?"), None, until())
    [case] = floor.cases()
    assert (case.id, case.open) == (there.reference, True)
    assert case.skill.lower() == "delays"
    first, *rest = floor.said(there.reference)
    assert "Where do I go?" in first
    assert rest[-2:] == ["Anybody?", "And my bag?"]
    words = floor.words(there.reference)
    assert words.count("Where do I go?") == 1
    for known in ("C-0042", "alert-77", "VIP", "Matt", "Fanning", "1234567890", "Large", "12"):
        assert known in words, known
    await desk.shut()


@every_desk
async def test_a_turn_that_answers_another_alert_says_which(floor, desk):
    there = await floor.begin(desk)
    assert OTHER.words not in floor.words(there.reference)
    await desk.say(there, turn(2, "Which gate?"), OTHER, until())
    assert OTHER.words in floor.words(there.reference)
    assert sum("Which gate?" in line for line in floor.said(there.reference)) == 1


@every_desk
async def test_what_is_no_text_says_what_it_is(floor, desk):
    there = await floor.begin(desk)
    place = Place(latitude=52.52, longitude=13.405)
    await desk.say(there, turn(2, "", kind="location", place=place), None, until())
    assert "52.52" in floor.said(there.reference)[-1]


@every_desk
async def test_an_agents_words_come_once_and_ours_never_come_back(floor, desk):
    there = await floor.begin(desk)
    floor.does("say", there.reference, text="Gate B7, Matt.", agent="Ann")
    events = await floor.events(desk, AgentSaid)
    [said] = [event for event in events if isinstance(event, AgentSaid)]
    assert (said.conversation, said.text) == (there.reference, "Gate B7, Matt.")
    assert said.event
    floor.does("say", there.reference, text="Anything else?", agent="Ann")
    floor.does("close", there.reference)
    events = await floor.events(desk, DeskClosed)
    texts = [event.text for event in events if isinstance(event, AgentSaid)]
    assert texts == ["Gate B7, Matt.", "Anything else?"]
    assert not any(isinstance(event, DeskUnknown) for event in events)
    ids = [event.event for event in events if isinstance(event, AgentSaid | AgentSaw | DeskClosed | DeskMoved)]
    assert all(ids) and len(set(ids)) == len(ids)


@every_desk
async def test_typing_reading_taking_and_moving_are_told_in_our_words_where_they_are_told(floor, desk):
    there = await floor.begin(desk)
    for deed in ("type", "read", "take"):
        floor.does(deed, there.reference)
    other = next(skill for skill in floor.known.skills if skill != "Delays")
    floor.does("transfer", there.reference, to=other)
    floor.does("close", there.reference)
    events = await floor.events(desk, DeskClosed)
    known = (AgentTyping, AgentSaw, DeskMoved, DeskClosed)
    assert all(isinstance(event, known) and event.conversation == there.reference for event in events)
    moved = {event.skill.lower() for event in events if isinstance(event, DeskMoved) and event.skill}
    assert moved - {"delays"} in (set(), {other.lower()})
    assert floor.case(there.reference).skill == other


@every_desk
async def test_it_is_closed_and_a_second_time_does_no_harm(floor, desk):
    there = await floor.begin(desk)
    await desk.close(there, until())
    assert not floor.case(there.reference).open
    with suppress(DeskGone):
        await desk.close(there, until())
    assert not floor.case(there.reference).open


@every_desk
async def test_a_conversation_that_was_closed_there_is_gone_and_another_opens(floor, desk):
    there = await floor.begin(desk)
    floor.does("close", there.reference)
    with pytest.raises(DeskGone) as gone:
        await desk.say(there, turn(2, "One more thing"), None, until())
    private(floor, gone.value.sentence, gone.value.exchange)
    assert "One more thing" not in floor.words(there.reference)
    again = await desk.open(CONVERSATION, turn(2, "One more thing"), CONTEXT, until())
    if not again.said:
        await desk.say(
            msgspec.structs.replace(there, reference=again.reference), turn(2, "One more thing"), None, until()
        )
    assert floor.case(again.reference).open
    assert "One more thing" in floor.words(again.reference)


@every_desk
async def test_a_conversation_that_nobody_knows_there_is_gone(floor, desk):
    await floor.begin(desk)
    nowhere = msgspec.structs.replace(CONVERSATION, reference="4711")
    with pytest.raises((DeskGone, SendError)) as caught:
        await desk.say(nowhere, turn(2, "Hello?"), None, until())
    assert isinstance(caught.value, DeskGone) or caught.value.fate is not Fate.CONFIG


def spoiled(call: Call) -> list[Call]:
    """The call with another body, and without what might sign it."""
    replaced = msgspec.structs.replace
    at = len(call.body) // 2
    changed = call.body[:at] + (b"7" if call.body[at : at + 1] != b"7" else b"8") + call.body[at + 1 :]
    bare = {name: value for name, value in call.headers.items() if name in ("content-type", "content-length", "host")}
    return [
        replaced(call, body=changed),
        replaced(call, body=call.body + b" "),
        replaced(call, headers=bare, url=call.url.split("?")[0]),
    ]


@every_desk
async def test_a_callback_is_read_the_same_twice_and_believed_only_as_it_was_signed(floor, desk):
    there = await floor.begin(desk)
    floor.does("say", there.reference, text="Gate B7.")
    floor.does("close", there.reference)
    await floor.events(desk, DeskClosed)
    told = [call for call in floor.calls if desk.read(call).events]
    assert len(told) >= 2
    for call in told:
        heard = desk.read(call)
        assert desk.read(call) == heard
        assert 200 <= heard.answer.status < 300
        for wrong in spoiled(call):
            with pytest.raises(CallRefused) as refused:
                desk.read(wrong)
            private(floor, refused.value.sentence)


NONSENSE = [
    b"",
    b"null",
    b"[]",
    b"{}",
    b"{",
    b'{"event": 7, "type": [], "body": "x"}',
    b"\xff\xfe",
    b"[" * 2000,
    b'"x"',
]


@every_desk
async def test_a_signed_callback_that_cannot_be_read_is_counted_and_never_an_error(floor, desk):
    for body in NONSENSE:
        events = desk.read(floor.twin.signed(body, floor.known, floor.world)).events
        assert all(isinstance(event, DeskUnknown) and event.event for event in events)


@pytest.mark.parametrize(
    ("document", "case"),
    [
        pytest.param(document, case, id=f"{document['desk']}: {case['name']}")
        for document in EVERY
        for case in document.get("callbacks", [])
    ],
)
async def test_a_callback_as_the_desk_writes_it(floor, desk, case):
    call = floor.twin.signed(msgspec.json.encode(case["body"]), floor.known, floor.world)
    told = [
        {**msgspec.to_builtins(event), "event": "*"} if wanted.get("event") == "*" else msgspec.to_builtins(event)
        for event, wanted in zip(desk.read(call).events, case["events"], strict=True)
    ]
    defaults = [msgspec.to_builtins(msgspec.convert(wanted, DeskEvent)) for wanted in case["events"]]
    assert told == defaults


LOST = ["drop", "drop_before", "silent", "error", "throttle"]


@every_desk
@pytest.mark.parametrize("what", LOST)
async def test_a_turn_is_there_once_whatever_became_of_the_answer(floor, desk, what, caplog):
    caplog.set_level(logging.INFO)
    there = await floor.begin(desk)
    floor.misbehaves(what, "desk_say", seconds=0)
    fates = await floor.hand(desk, there, turn(2, "Am I late?"), seconds=0.3)
    assert fates and fates[0] in (Fate.UNKNOWN, Fate.RETRY)
    assert sum("Am I late?" in line for line in floor.said(there.reference)) == 1
    # What libraries log from `info` on is written without its arguments (telemetry.take_over).
    private(floor, *floor.exchanges, *(str(one.msg) for one in caplog.records))


@every_desk
@pytest.mark.parametrize("what", LOST)
async def test_a_conversation_is_opened_once_whatever_became_of_the_answer(floor, desk, what):
    floor.misbehaves(what, "desk_open", seconds=0)
    with pytest.raises(SendError) as failed:
        await desk.open(CONVERSATION, turn(1, "Hello?"), CONTEXT, until(0.3))
    assert failed.value.fate in (Fate.UNKNOWN, Fate.RETRY)
    private(floor, failed.value.sentence, failed.value.exchange)
    there = await floor.begin(desk, "Hello?")
    [case] = floor.cases()
    assert case.id == there.reference
    assert sum("Hello?" in line.text for line in case.lines) == 1
    assert sum("alert-77" in line.text for line in case.lines) <= 1


@every_desk
async def test_refused_credentials_are_our_set_up(floor, way_out):
    desk, secrets = floor.opened(way_out), floor.secrets
    floor.known.credentials = dict(floor.twin.credentials(floor.world.secret))  # others than ours now
    with pytest.raises(SendError) as failed:
        await desk.open(CONVERSATION, turn(1, "Hello?"), CONTEXT, until())
    assert failed.value.fate is Fate.CONFIG
    private(floor, failed.value.sentence, failed.value.exchange)
    assert not any(secret in repr(failed.value.exchange) for secret in secrets)


ANSWERS: list[dict[str, Any]] = [
    *({"status": 200, "body": body} for body in ("", "null", "[]", "{}", "<html>Welcome</html>", '{"id": {}}', "[[[")),
    *({"status": status, "body": ""} for status in (204, 301, 400, 401, 403, 404, 408, 409, 413, 422, 429, 500, 503)),
    {"status": 500, "body": {"error": f"no such person {RECIPIENT}"}},
    {"silent": True},
]


@every_desk
@pytest.mark.parametrize(
    "reply", ANSWERS, ids=lambda reply: str(reply.get("status", "silent")) + str(reply.get("body", ""))
)
async def test_every_answer_has_a_fate(floor, way_out, stub: Stub, reply):
    """Whatever a desk (or what stands before it) answers, it ends in a yes, a fate, or a conversation that is gone."""
    stub.reply = reply
    desk = floor.opened(way_out, stub.url)
    there = msgspec.structs.replace(CONVERSATION, reference="17")
    kept: list[object] = []

    async def tried(step: Any) -> None:
        try:
            await step
        except SendError as error:
            assert error.sentence.rstrip('"').endswith((".", "!")) or "says" in error.sentence
            assert isinstance(error.fate, Fate) and error.fate is not Fate.NEXT_CHANNEL
            kept.extend((error.sentence, error.exchange))
        except DeskGone as gone:
            kept.extend((gone.sentence, gone.exchange))

    seconds = 0.1 if reply.get("silent") else 5.0
    await tried(desk.open(CONVERSATION, turn(1, "Hello?"), CONTEXT, until(seconds)))
    await tried(desk.say(there, turn(2, "Hello?"), OTHER, until(seconds)))
    await tried(desk.close(there, until(seconds)))
    assert await desk.taken(there, turn(2, "Hello?"), until(seconds)) in (True, False, None)
    await desk.typing(there, until(seconds))
    await desk.mark(there, answer_of_agent("message:7"), True, until(seconds))
    assert stub.asked
    private(floor, *kept)


@every_desk
async def test_courtesies_reach_the_desk_or_are_never_offered(floor, desk):
    there = await floor.begin(desk)
    floor.does("say", there.reference, text="Gate B7.")
    events = await floor.events(desk, AgentSaid)
    said = next(event for event in events if isinstance(event, AgentSaid))
    if desk.courtesies:
        await desk.typing(there, until())
        await desk.mark(there, answer_of_agent(said.event), False, until())
        await desk.mark(there, answer_of_agent(said.event), True, until())
    assert floor.said(there.reference)[-1].endswith("Where do I go?")
