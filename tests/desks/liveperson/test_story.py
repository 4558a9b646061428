"""The desk against LivePerson's twin in the sandbox: real HTTP both ways, webhooks included."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from desks.liveperson.conftest import ACCOUNT, ALERT, CONTEXT, KEY, PHONE, TALK, soon, turn
from heliograph.core.conversation import By
from heliograph.core.desk import AgentSaid, AgentSaw, AgentTyping, Context, DeskClosed, DeskMoved, Opened
from heliograph.desks.liveperson import twin_reading
from heliograph.errors import DeskGone, Fate, SendError

OTHER = msgspec.structs.replace(ALERT, id="01934d6e-7c1a-7000-8000-00000000c000", template="BagLost")


async def test_a_reply_becomes_a_conversation_with_all_that_the_brand_told(far) -> None:
    talk = await far.open()
    handed = await far.desk.say(talk, turn("Which gate?"), None, soon())
    (case,) = far.shown()
    assert (case.id, case.customer, case.skill, case.open) == (talk.reference, "Matt Fanning", "Delays", True)
    assert case.facts == {
        "Customer ID": "4711",
        "Customer type": "VIP",
        "Social ID": "A-7",
        "User name": PHONE,
        "First name": "Matt",
        "Last name": "Fanning",
        "Language": "en-US",
        "Phone": PHONE,
    }
    (line,) = case.lines
    first, _, words = line.text.partition("\n")
    assert words == "Which gate?"
    assert first == (
        "[Answers FlightDelay (A-7) of 2026-11-23 03:00 UTC, RCS: “Your flight leaves at 7:35 pm.” | "
        'Sky Miles: 12345678901234567890 | T-Shirt Size: Large | Seat: {"row":12}]'
    )
    assert handed.reference == f"{talk.reference}:0"


async def test_an_agents_words_come_back_and_the_consumers_echo_does_not(far) -> None:
    talk = await far.open()
    await far.desk.say(talk, turn(), None, soon())
    said = await far.says(talk, "Gate C35 👋\n")
    assert (said.conversation, said.text, said.event) == (talk.reference, "Gate C35 👋", f"{talk.reference}:1")
    assert [event.text for event in far.heard if isinstance(event, AgentSaid)] == ["Gate C35 👋"]
    assert not far.refused
    texts = [line.text for line in far.shown()[0].lines if line.by == "recipient"]
    assert len(texts) == 1


async def test_what_agents_do_is_told(far) -> None:
    talk = await far.open()
    await far.desk.say(talk, turn(), None, soon())
    far.do("take", talk, agent="Ada")
    far.do("type", talk, agent="Ada")
    far.do("read", talk, agent="Ada")
    far.do("transfer", talk, to="Baggage")
    far.do("close", talk)
    (closed,) = await far.wait(DeskClosed)
    assert closed.conversation == talk.reference
    moved = [(one.skill, bool(one.author)) for one in await far.wait(DeskMoved, 3)]
    assert moved[0] == ("Delays", False)  # as it was opened
    assert moved[1] == ("Delays", True)
    assert moved[-1][1] is False and moved[-1][0] != "Delays"
    assert [one.on for one in await far.wait(AgentTyping)] == [True]
    assert [one.read for one in await far.wait(AgentSaw)] == [True]


async def test_a_transfer_names_the_skill_where_a_key_reads_the_list(far) -> None:
    far.desk = far.open_more(skills={}, **KEY)
    talk = await far.open()
    far.do("transfer", talk, to="Baggage")
    moved = await far.wait(DeskMoved, 2)
    assert [one.skill for one in moved] == ["Delays", "Baggage"]


async def test_a_webhook_signed_with_another_secret_is_refused(far) -> None:
    talk = await far.open()
    wrong = msgspec.structs.replace(far.known, credentials={**far.known.credentials, "client_secret": "another"})
    far.known = wrong
    far.do("say", talk, text="Hello")
    async with asyncio.timeout(5):
        while not far.refused:
            await asyncio.sleep(0.01)
    assert set(far.refused) == {"bad_signature"}


async def test_sha256_is_taken_too(far) -> None:
    far.known.credentials["signature"] = "sha256"
    talk = await far.open()
    assert (await far.says(talk, "naïve — ok")).text == "naïve — ok"
    assert not far.refused


async def test_a_closed_conversation_is_gone_and_opens_anew(far) -> None:
    talk = await far.open()
    far.do("close", talk)
    with pytest.raises(DeskGone):
        await far.desk.say(talk, turn("Hello?"), None, soon())
    anew = await far.open(msgspec.structs.replace(TALK, reference=""))
    assert anew.reference != talk.reference
    await far.desk.say(anew, turn("Hello?"), None, soon())
    assert [case.open for case in far.shown()].count(True) == 1


async def test_closing_closes_there_and_twice_is_fine(far) -> None:
    talk = await far.open()
    await far.desk.close(talk, soon())
    await far.desk.close(talk, soon())
    assert not far.shown()[0].open
    (closed,) = await far.wait(DeskClosed)
    assert closed.author == "CONSUMER"


async def test_an_open_conversation_is_joined_and_says_which_alert_is_answered(far) -> None:
    """The store joins it; what is said of another alert names that alert first."""
    talk = await far.open()
    await far.desk.say(talk, turn("Which gate?"), None, soon())
    about = Context(alert=OTHER, words="Your bag is at MCI.", channel="wa")
    await far.desk.say(talk, turn("Send it home", 2), about, soon())
    await far.desk.say(talk, turn("Thanks", 3), None, soon())
    lines = [line.text for line in far.shown()[0].lines]
    assert lines[1].startswith("[Answers BagLost (A-7) of 2026-11-23 03:00 UTC, WA: “Your bag is at MCI.”")
    assert lines[1].endswith("]\nSend it home")
    assert lines[2] == "Thanks"


async def test_one_that_is_open_already_is_found_by_what_webhooks_told(far) -> None:
    talk = await far.open()
    await far.wait(DeskMoved)
    again = await far.desk.open(TALK, turn(), CONTEXT, soon())
    assert again == Opened(reference=talk.reference)


async def test_one_that_is_open_already_is_found_by_an_earlier_conversation_of_ours(far) -> None:
    far.known.webhook = ""
    talk = await far.open()
    fresh = far.open_more()  # another process: it heard no webhook
    context = msgspec.structs.replace(CONTEXT, conversations=(talk,))
    assert (await fresh.open(TALK, turn(), context, soon())).reference == talk.reference


async def test_one_that_is_open_already_is_found_by_the_history(far) -> None:
    far.known.webhook = ""
    talk = await far.open()
    fresh = far.open_more(**KEY)
    assert (await fresh.open(TALK, turn(), CONTEXT, soon())).reference == talk.reference


async def test_one_that_is_open_and_known_to_nobody_waits(far) -> None:
    far.known.webhook = ""
    await far.open()
    with pytest.raises(SendError) as caught:
        await far.open_more().open(TALK, turn(), CONTEXT, soon())
    assert (caught.value.code, caught.value.fate) == ("open_elsewhere", Fate.RETRY)
    assert PHONE[-10:] not in repr((caught.value.sentence, caught.value.exchange))


async def test_an_earlier_reference_that_proved_closed_is_not_tried_again(far) -> None:
    """Else a turn would go round: open finds the closed one, say finds it gone."""
    far.known.webhook = ""
    talk = await far.open()
    stale = msgspec.structs.replace(talk, reference="11111111-2222-4333-8444-555555555555")
    fresh = far.open_more()
    fresh._memory.closed(stale.reference)
    context = msgspec.structs.replace(CONTEXT, conversations=(stale, talk))
    assert (await fresh.open(TALK, turn(), context, soon())).reference == talk.reference


@pytest.mark.parametrize("do", ["silent", "drop"])
async def test_words_whose_answer_was_lost_are_settled_by_their_echo(far, do) -> None:
    talk = await far.open()
    await far.misbehave(do=do, match={"call": "desk_say"}, times=1)
    with pytest.raises(SendError) as caught:
        await far.desk.say(talk, turn("Which gate?"), None, soon(0.5))
    assert caught.value.fate is Fate.UNKNOWN
    assert await far.desk.taken(talk, turn("Which gate?"), soon()) is True
    assert len(far.shown()[0].lines) == 1


async def test_words_that_were_not_taken_are_not_settled_by_equal_words_of_before(far, monkeypatch) -> None:
    monkeypatch.setattr("heliograph.desks.liveperson.desk.ECHO_SECONDS", 0.1)
    talk = await far.open()
    await far.desk.say(talk, turn("ok", 1), None, soon())
    await far.desk.say(talk, turn("ok", 2), None, soon())
    await far.misbehave(do="drop_before", match={"call": "desk_say"}, times=1)
    with pytest.raises(SendError):
        await far.desk.say(talk, turn("ok", 3), None, soon())
    assert await far.desk.taken(talk, turn("ok", 3), soon()) is None
    await far.desk.say(talk, turn("ok", 3), None, soon())
    assert len(far.shown()[0].lines) == 3


@pytest.mark.parametrize(("key", "settled"), [(KEY, True), ({}, None)])
async def test_without_a_webhook_the_history_settles_where_a_key_reads_it(far, monkeypatch, key, settled) -> None:
    monkeypatch.setattr("heliograph.desks.liveperson.desk.ECHO_SECONDS", 0.05)
    far.known.webhook = ""
    far.desk = far.open_more(**key)
    talk = await far.open()
    await far.desk.say(talk, turn("Which gate?", 1), None, soon())
    await far.misbehave(do="drop", match={"call": "desk_say"}, times=1)
    with pytest.raises(SendError):
        await far.desk.say(talk, turn("Which gate?", 2), None, soon())
    assert await far.desk.taken(talk, turn("Which gate?", 2), soon()) is settled


async def test_the_history_does_not_settle_words_by_equal_words_of_before(far, monkeypatch) -> None:
    monkeypatch.setattr("heliograph.desks.liveperson.desk.ECHO_SECONDS", 0.05)
    far.known.webhook = ""
    far.desk = far.open_more(**KEY)
    talk = await far.open(context=Context())
    await far.desk.say(talk, turn("ok", 1), None, soon())
    await far.misbehave(do="drop_before", match={"call": "desk_say"}, times=1)
    with pytest.raises(SendError):
        await far.desk.say(talk, turn("ok", 2), None, soon())
    assert await far.desk.taken(talk, turn("ok", 2), soon()) is None


async def test_a_turn_that_was_taken_and_is_said_again_is_not_there_twice(far) -> None:
    """Our note of it was lost: the store was away."""
    talk = await far.open()
    first = await far.desk.say(talk, turn(), None, soon())
    again = await far.desk.say(talk, turn(), None, soon())
    assert again.reference == first.reference
    assert await far.desk.taken(talk, turn(), soon()) is True
    assert len(far.shown()[0].lines) == 1


@pytest.mark.parametrize(
    ("text", "key", "settled"),
    [
        ("Which gate do I have to go to?", KEY, True),
        ("Which gate do I have to go to?", {}, None),
        ("yes", KEY, None),  # may be another turn's
    ],
)
async def test_what_another_process_said_is_in_the_history(far, text, key, settled) -> None:
    talk = await far.open()  # with a line before the first words
    said = msgspec.structs.replace(turn(text), at=far.world.now() - 1_000)
    await far.desk.say(talk, said, None, soon())
    assert await far.open_more(**key).taken(talk, said, soon()) is settled


async def test_equal_words_of_long_ago_are_not_these(far) -> None:
    talk = await far.open()
    text = "Which gate do I have to go to?"
    await far.desk.say(talk, turn(text), None, soon())
    later = msgspec.structs.replace(turn(text, 9), at=far.world.now() + 60_000)
    assert await far.open_more(**KEY).taken(talk, later, soon()) is None


async def test_a_long_turn_is_several_messages_in_order(far) -> None:
    talk = await far.open(context=Context())
    text = " ".join(f"word{number}" for number in range(1_500)) + " 🛫 “end”"
    await far.desk.say(talk, turn(text), None, soon())
    lines = [line.text for line in far.shown()[0].lines]
    assert len(lines) > 2
    assert " ".join(lines) == text


async def test_of_a_long_turn_only_the_rest_is_said_after_a_lost_answer(far) -> None:
    talk = await far.open(context=Context())
    text = " ".join(f"word{number}" for number in range(1_500))
    await far.desk.say(talk, turn("Hello", 1), None, soon())
    await far.misbehave(do="throttle", match={"call": "desk_say"}, share=1.0, times=1)
    with pytest.raises(SendError) as caught:
        await far.desk.say(talk, turn(text, 2), None, soon())
    assert caught.value.fate is Fate.RETRY  # nothing of it was taken
    parts = far.desk._memory.turn((talk.id, 2), talk.reference).parts
    # The second part is taken and its answer lost.
    real, said = far.desk._account.say, 0

    async def slow(call: str, body: bytes, name: str, deadline: float) -> Any:
        nonlocal said
        said += 1
        if said == 2:
            await far.misbehave(do="drop", match={"call": "desk_say"}, times=1)
        return await real(call, body, name, deadline)

    far.desk._account.say = slow
    with pytest.raises(SendError) as caught:
        await far.desk.say(talk, turn(text, 2), None, soon())
    far.desk._account.say = real
    assert caught.value.fate is Fate.UNKNOWN
    assert await far.desk.taken(talk, turn(text, 2), soon()) is False  # not whole
    await far.desk.say(talk, turn(text, 2), None, soon())
    assert [line.text for line in far.shown()[0].lines] == ["Hello", *parts]


async def test_a_later_part_that_is_refused_leaves_the_turn_in_doubt(far) -> None:
    talk = await far.open(context=Context())
    text = " ".join(f"word{number}" for number in range(1_500))
    real, said = far.desk._account.say, 0

    async def then_throttled(call: str, body: bytes, name: str, deadline: float) -> Any:
        nonlocal said
        said += 1
        if said == 2:
            await far.misbehave(do="throttle", match={"call": "desk_say"}, times=1)
        return await real(call, body, name, deadline)

    far.desk._account.say = then_throttled
    with pytest.raises(SendError) as caught:
        await far.desk.say(talk, turn(text), None, soon())
    assert (caught.value.fate, caught.value.code) == (Fate.UNKNOWN, "throttled")
    assert caught.value.sentence.startswith("Of a long turn 1 of ")
    assert await far.desk.taken(talk, turn(text), soon()) is False
    await far.desk.say(talk, turn(text), None, soon())
    assert " ".join(line.text for line in far.shown()[0].lines) == text


async def test_a_conversation_whose_creation_had_no_answer_is_found_again(far) -> None:
    await far.misbehave(do="drop", match={"call": "desk_open"}, times=1)
    with pytest.raises(SendError) as caught:
        await far.desk.open(TALK, turn(), CONTEXT, soon())
    assert caught.value.fate is Fate.RETRY
    await far.wait(DeskMoved)
    talk = await far.open()
    assert [case.id for case in far.shown()] == [talk.reference]


async def test_a_slow_answer_is_waited_for(far) -> None:
    talk = await far.open()
    await far.misbehave(do="slow", seconds=0.3, match={"call": "desk_say"}, times=1)
    await far.desk.say(talk, turn(), None, soon())
    assert len(far.shown()[0].lines) == 1


@pytest.mark.parametrize(
    ("rule", "fate"),
    [
        ({"do": "throttle"}, Fate.RETRY),
        ({"do": "error"}, Fate.RETRY),
        ({"do": "error", "status": 502}, Fate.UNKNOWN),
        ({"do": "refuse"}, Fate.CONFIG),
        ({"do": "refuse", "status": 400}, Fate.PERMANENT),
        ({"do": "drop_before"}, Fate.UNKNOWN),
    ],
)
async def test_what_goes_wrong_with_words(far, rule, fate) -> None:
    talk = await far.open()
    await far.misbehave(**rule, match={"call": "desk_say"}, times=1)
    with pytest.raises(SendError) as caught:
        await far.desk.say(talk, turn(), None, soon())
    assert caught.value.fate is fate
    if rule["do"] == "throttle":
        assert caught.value.retry_after == 1.0


async def test_an_app_that_is_not_known_is_named(far) -> None:
    with pytest.raises(SendError) as caught:
        await far.open_more(client_secret="wrong").open(TALK, turn(), CONTEXT, soon())
    assert (caught.value.code, caught.value.fate) == ("token_refused", Fate.CONFIG)


async def test_a_skill_is_found_by_its_name_and_an_unknown_one_is_named(far) -> None:
    desk = far.open_more(skills={}, **KEY)
    opened = await desk.open(msgspec.structs.replace(TALK, skill="baggage"), turn(), CONTEXT, soon())
    assert next(case.skill for case in far.shown() if case.id == opened.reference) == "Baggage"
    with pytest.raises(SendError) as caught:
        await desk.open(msgspec.structs.replace(TALK, skill="Meals"), turn(), CONTEXT, soon())
    assert caught.value.fate is Fate.CONFIG
    assert "'Meals'" in caught.value.sentence and "Baggage, Delays" in caught.value.sentence


async def test_a_key_that_is_wrong_is_named(far) -> None:
    desk = far.open_more(skills={}, **{**KEY, "api_token_secret": "wrong"})
    with pytest.raises(SendError) as caught:
        await desk.open(TALK, turn(), CONTEXT, soon())
    assert (caught.value.code, caught.value.fate) == ("credentials_refused", Fate.CONFIG)


async def test_hosts_are_found_by_the_domain_api(far) -> None:
    far.desk = far.open_more(base_url="", domain=far.sandbox.url)
    talk = await far.open()
    await far.desk.say(talk, turn(), None, soon())
    assert len(far.shown()[0].lines) == 1


async def test_an_account_that_is_not_known_is_named(far) -> None:
    desk = far.open_more(base_url="", domain=far.sandbox.url, account="999")
    with pytest.raises(SendError) as caught:
        await desk.open(TALK, turn(), CONTEXT, soon())
    assert caught.value.fate is Fate.CONFIG


async def test_the_context_service_has_every_key_under_the_conversations_id(far) -> None:
    far.desk = far.open_more(alert_info=("ccs",), ccs_user="u", ccs_password="a-ccs-password", ccs_namespace="acme")
    talk = await far.open()
    await far.desk.say(talk, turn(), None, soon())
    assert far.shown()[0].lines[0].text == "Which gate?"  # no line was asked for
    answer = twin_reading.get_context(far.known, "acme", talk.reference, far.world)
    told = msgspec.json.decode(answer.body)
    assert told["payload"]["alertInfo"] == {
        "Sky Miles": 12345678901234567890,
        "T-Shirt Size": "Large",
        "Seat": {"row": 12},
    }
    assert (told["payload"]["externalAlertId"], told["accountId"]) == ("A-7", ACCOUNT)
    await far.desk.say(talk, turn("Home", 2), Context(alert=OTHER), soon())
    answer = twin_reading.get_context(far.known, "acme", talk.reference, far.world)
    assert msgspec.json.decode(answer.body)["payload"]["template"] == "BagLost"


async def test_words_do_not_wait_for_a_context_service_that_refuses(far, caplog) -> None:
    far.desk = far.open_more(alert_info=("ccs", "line"), ccs_user="u", ccs_password="wrong")
    talk = await far.open()
    await far.desk.say(talk, turn(), None, soon())
    assert len(far.shown()[0].lines) == 1
    assert "LivePerson's context service did not take a context." in caplog.messages


async def test_typing_is_shown_and_ends(far, monkeypatch) -> None:
    monkeypatch.setattr("heliograph.desks.liveperson.desk.TYPING_SECONDS", 0.1)
    talk = await far.open()
    assert far.desk.courtesies
    await far.desk.typing(talk, soon())
    found = twin_conversation(far, talk)
    assert found.typing
    async with asyncio.timeout(5):
        while twin_conversation(far, talk).typing:
            await asyncio.sleep(0.02)


async def test_a_receipt_for_an_agents_words_is_passed_on(far) -> None:
    talk = await far.open()
    said = await far.says(talk, "Gate C35")
    answer = turn("Gate C35", 2, by=By.AGENT, event=said.event)
    await far.desk.mark(talk, answer, True, soon())
    assert twin_conversation(far, talk).read == int(said.event.rpartition(":")[2])


async def test_courtesies_never_raise(far) -> None:
    talk = await far.open()
    await far.desk.close(talk, soon())
    await far.desk.typing(talk, soon())
    await far.desk.mark(talk, turn(event=f"{talk.reference}:0"), False, soon())
    await far.sandbox.stop()
    await far.desk.typing(talk, soon())


def twin_conversation(far: Any, talk: Any) -> Any:
    from heliograph.desks.liveperson.twin_kept import find

    return find(far.world, far.known, talk.reference)
