"""What is Chatwoot's own: people, teams, inboxes, notes, and what is looked for after a lost answer."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from channels.conftest import Stub
from desks.conftest import Standing
from desks.floor import ALERT, CONTEXT, CONVERSATION, RECIPIENT, Floor, answer_of_agent, documents, turn, until
from heliograph.core.conversation import By
from heliograph.core.desk import AgentSaid, Context
from heliograph.core.ports import Desk
from heliograph.desks.chatwoot import twin_state as state
from heliograph.desks.chatwoot import wire
from heliograph.errors import DeskGone, Fate, SendError
from heliograph.out import HttpOut

pytestmark = pytest.mark.asyncio(loop_scope="module")
(DOCUMENT,) = [document for document in documents() if document["desk"] == "chatwoot"]


@pytest_asyncio.fixture(loop_scope="module")
async def floor(standing: Standing) -> Floor:
    return await standing(DOCUMENT)


@pytest.fixture
def desk(floor: Floor, way_out: HttpOut) -> Desk:
    return floor.opened(way_out)


def person(floor: Floor, **fields: Any) -> state.Contact:
    made = state.Contact(id=state.next_id(floor.known, "contact", floor.world), **fields)
    state.keep(floor.known, made, floor.world)
    return made


def kept(floor: Floor, reference: str) -> state.Conversation:
    found = state.conversation(floor.known, reference, floor.world)
    assert found is not None
    return found


async def test_a_person_who_is_known_keeps_their_name_and_gets_the_news(floor, desk):
    person(floor, name="Somebody with 12025550143 in the name")
    matt = person(floor, name="Matthew F.", phone_number=RECIPIENT, custom_attributes={"tier": "gold"})
    there = await floor.begin(desk)
    assert kept(floor, there.reference).contact == matt.id
    now = state.contact(floor.known, matt.id, floor.world)
    assert (now.name, now.custom_attributes["tier"]) == ("Matthew F.", "gold")
    assert now.custom_attributes["sky_miles"] == "1234567890"


async def test_a_person_whose_name_is_their_number_gets_the_alerts(floor, desk):
    matt = person(floor, name=RECIPIENT, phone_number=RECIPIENT)
    await floor.begin(desk)
    assert state.contact(floor.known, matt.id, floor.world).name == "Matt Fanning"


async def test_a_person_who_is_made_gets_number_name_and_attributes(floor, desk):
    there = await floor.begin(desk)
    made = state.contact(floor.known, kept(floor, there.reference).contact, floor.world)
    assert (made.phone_number, made.identifier, made.name) == (RECIPIENT, None, "Matt Fanning")
    assert made.custom_attributes == {
        "name": "Matt Fanning",
        "external_customer_id": "C-0042",
        "external_customer_id_descriptor": "VIP",
        "external_alert_id": "alert-77",
        "sky_miles": "1234567890",
        "tshirt_size": "Large",
        "seat": '{"row":12}',
    }
    assert kept(floor, there.reference).custom_attributes == {
        **made.custom_attributes,
        "heliograph_conversation": CONVERSATION.id,
        "heliograph_skill": "Delays",
    }


async def test_a_recipient_without_a_number_is_known_by_an_identifier(floor, desk):
    hidden = msgspec.structs.replace(CONVERSATION, recipient="US.13491208655302741918")
    for number in (1, 2):
        opened = await desk.open(msgspec.structs.replace(hidden, id=f"c-{number}"), turn(1, "Hi"), CONTEXT, until())
        assert kept(floor, opened.reference).contact == 1
    assert state.contact(floor.known, 1, floor.world).identifier == hidden.recipient


async def test_a_reply_that_answers_no_known_alert_opens_too(floor, desk):
    opened = await desk.open(CONVERSATION, turn(1, "Hi"), Context(), until())
    assert kept(floor, opened.reference).messages == []
    assert floor.case(opened.reference).customer == RECIPIENT


@pytest.mark.parametrize(
    ("teams", "skill", "team"),
    [({}, "Delays", 7), ({}, "delays", 7), ({"Delays": 8}, "Delays", 8), ({}, "Refunds", None)],
)
async def test_a_skill_is_a_team_by_the_setting_or_by_its_name(standing, way_out, teams, skill, team):
    floor = await standing({**DOCUMENT, "settings": {**DOCUMENT["settings"], "teams": teams}})
    there = msgspec.structs.replace(CONVERSATION, skill=skill)
    opened = await floor.opened(way_out).open(there, turn(1, "Hi"), CONTEXT, until())
    assert kept(floor, opened.reference).team == team


async def test_what_heliograph_says_is_a_note_for_agents_alone(floor, desk):
    there = await floor.begin(desk)
    await desk.say(there, turn(2, "You will get no more.", by=By.HELIOGRAPH, kind="confirmation"), None, until())
    await desk.say(there, turn(3, "It did not arrive.", by=By.HELIOGRAPH, kind="undelivered"), None, until())
    notes = [one.content for one in kept(floor, there.reference).messages if one.private][1:]
    assert notes == ["Sent by heliograph: You will get no more.", "It did not arrive."]


async def test_the_context_stands_before_the_words_and_once(floor, desk):
    there = await floor.begin(desk)
    first, second = kept(floor, there.reference).messages
    assert first.private and first.content.startswith(
        "Answers FlightDelay (version 2, en) of 2025-11-25 17:03 UTC, RCS"
    )
    assert (second.type, second.content) == (state.INCOMING, "Where do I go?")
    await desk.open(CONVERSATION, turn(1, "Where do I go?"), CONTEXT, until())  # our word of it was lost
    assert len(kept(floor, there.reference).messages) == 2


async def test_courtesies(floor, desk):
    there = await floor.begin(desk)
    await desk.typing(there, until())
    assert [line.kind for line in floor.world.ledger.since(0)[1]].count("desk_typing") == 1
    floor.does("say", there.reference, text="Gate B7.")
    said = next(one for one in await floor.events(desk, AgentSaid) if isinstance(one, AgentSaid))
    for read, status in ((False, "delivered"), (True, "read")):
        await desk.mark(there, answer_of_agent(said.event), read, until())
        assert kept(floor, there.reference).messages[-1].status == status
    await desk.mark(there, answer_of_agent("another desk's"), True, until())


async def test_a_turn_is_found_among_many_messages(floor, desk):
    there = await floor.begin(desk)
    one = kept(floor, there.reference)
    for number in range(45):
        state.add(
            floor.known, one, floor.world, content=f"note {number}", type=state.OUTGOING, private=True, agent=True
        )
    assert await desk.taken(there, turn(1, "Where do I go?"), until()) is True
    assert await desk.taken(there, turn(2, "Where do I go?"), until()) is False
    assert await desk.taken(msgspec.structs.replace(there, reference=""), turn(1, ""), until()) is True
    assert await desk.taken(msgspec.structs.replace(there, reference="99"), turn(1, ""), until()) is False


async def test_a_long_value_is_cut_for_attributes_and_refuses_nothing(floor, desk):
    info = msgspec.json.encode({"Story": "x" * 5_000, "Miles": 12345678901, "Größe": "L", "größe": "XL", "身長": "2"})
    alert = msgspec.structs.replace(ALERT, alert_info=msgspec.Raw(info))
    opened = await desk.open(CONVERSATION, turn(1, "Hi"), msgspec.structs.replace(CONTEXT, alert=alert), until())
    found = kept(floor, opened.reference).custom_attributes
    assert (len(found["story"]), found["miles"]) == (1_000, "12345678901")
    assert (found["gre"], found["gre_2"], found["身長"]) == ("L", "XL", "2")


# ── Against canned answers: what no twin of ours would say ──────────────────────────────────────────────────────────

ACCOUNT = "/api/v1/accounts/1"


def canned(stub: Stub, **replies: Any) -> None:
    stub.replies = {
        f"GET {ACCOUNT}/contacts/search": [{"status": 200, "body": {"payload": []}}],
        f"POST {ACCOUNT}/contacts": [{"status": 200, "body": {"payload": {"contact": {"id": 5}}}}],
        f"GET {ACCOUNT}/contacts/5/conversations": [{"status": 200, "body": {"payload": []}}],
        f"GET {ACCOUNT}/teams": [{"status": 200, "body": []}],
        f"POST {ACCOUNT}/conversations/9/messages": [{"status": 200, "body": {"id": 70}}],
    }
    ours = {"heliograph_conversation": CONVERSATION.id}
    made = {"id": 9, "status": "open", "custom_attributes": ours}
    stub.replies[f"POST {ACCOUNT}/conversations"] = [{"status": 200, "body": made}]
    for what, reply in replies.items():
        stub.replies[{"made": f"POST {ACCOUNT}/conversations", "contact": f"POST {ACCOUNT}/contacts"}[what]] = [reply]


async def test_an_inbox_that_is_locked_to_one_conversation_goes_on_in_it(floor, way_out, stub):
    canned(stub, made={"status": 200, "body": {"id": 9, "status": "resolved", "custom_attributes": {"tier": "gold"}}})
    for path in ("custom_attributes", "toggle_status"):
        stub.replies[f"POST {ACCOUNT}/conversations/9/{path}"] = [{"status": 200, "body": {}}]
    desk = floor.opened(way_out, stub.url)
    assert (await desk.open(CONVERSATION, turn(1, "Hi"), CONTEXT, until())).reference == "9"
    (told,) = stub.asked_for("POST", f"{ACCOUNT}/conversations/9/custom_attributes")
    body = json.loads(told.body)
    assert body["merge"] is True and body["custom_attributes"][wire.CONVERSATION] == CONVERSATION.id
    (opened,) = stub.asked_for("POST", f"{ACCOUNT}/conversations/9/toggle_status")
    assert json.loads(opened.body) == {"status": "open"}


async def test_somebody_made_the_person_meanwhile(floor, way_out, stub):
    taken = {"message": "Phone number has already been taken", "attributes": ["phone_number"]}
    canned(stub, contact={"status": 422, "body": taken})
    known = {"status": 200, "body": {"payload": [{"id": 5, "phone_number": RECIPIENT, "name": "Matt"}]}}
    stub.replies[f"GET {ACCOUNT}/contacts/search"] = [{"status": 200, "body": {"payload": []}}, known]
    stub.replies[f"PUT {ACCOUNT}/contacts/5"] = [{"status": 422, "body": {"message": "Custom attributes are wrong"}}]
    opened = await floor.opened(way_out, stub.url).open(CONVERSATION, turn(1, "Hi"), CONTEXT, until())
    assert opened.reference == "9"  # a refused attribute keeps nobody from an agent


async def test_a_person_who_is_refused_is_our_sentence(floor, way_out, stub):
    canned(stub, contact={"status": 422, "body": {"message": "Phone number should be in e164 format"}})
    with pytest.raises(SendError) as caught:
        await floor.opened(way_out, stub.url).open(CONVERSATION, turn(1, "Hi"), CONTEXT, until())
    assert caught.value.fate is Fate.PERMANENT
    assert 'Chatwoot says: "Phone number should be in e164 format"' in caught.value.sentence


async def test_the_token_is_in_a_header_and_a_message_carries_our_id(floor, way_out, stub):
    canned(stub)
    stub.replies[f"GET {ACCOUNT}/conversations/9"] = [{"status": 200, "body": {"id": 9, "status": "open"}}]
    desk = floor.opened(way_out, stub.url)
    there = msgspec.structs.replace(CONVERSATION, reference="9")
    assert (await desk.say(there, turn(3, "Hi"), None, until())).reference == "70"
    (said,) = stub.asked_for("POST", f"{ACCOUNT}/conversations/9/messages")
    assert said.headers["api_access_token"] == floor.known.credentials["api_access_token"]
    assert json.loads(said.body) == {
        "content": "Hi",
        "message_type": "incoming",
        "private": False,
        "source_id": f"heliograph:{CONVERSATION.id}:3",
    }


async def test_a_question_without_an_answer_is_asked_again(floor, way_out, stub):
    """Nothing was taken by it, whatever became of the answer."""
    stub.reply = {"silent": True}
    with pytest.raises(SendError) as caught:
        await floor.opened(way_out, stub.url).open(CONVERSATION, turn(1, "Hi"), CONTEXT, until(0.1))
    assert (caught.value.code, caught.value.fate) == ("no_answer", Fate.RETRY)


async def test_a_skill_may_have_an_inbox_of_its_own(standing, way_out, stub):
    floor = await standing({**DOCUMENT, "settings": {**DOCUMENT["settings"], "inboxes": {"Delays": 4}}})
    canned(stub)
    await floor.opened(way_out, stub.url).open(CONVERSATION, turn(1, "Hi"), CONTEXT, until())
    (made,) = stub.asked_for("POST", f"{ACCOUNT}/conversations")
    assert json.loads(made.body)["inbox_id"] == 4


async def test_a_deleted_conversation_is_gone(floor, way_out, stub):
    stub.reply = {"status": 404, "body": {"error": "Resource could not be found"}}
    there = msgspec.structs.replace(CONVERSATION, reference="9")
    desk = floor.opened(way_out, stub.url)
    with pytest.raises(DeskGone, match="is not there any more"):
        await desk.say(there, turn(2, "Hi"), None, until())
    await desk.close(there, until())
