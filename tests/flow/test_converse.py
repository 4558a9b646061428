"""A reply, the desk, the answer: the story of a conversation with a provider and a desk that do as they are told."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from flow.world import SITE, Plug, ask, refusal
from heliograph.core.alert import alert_of
from heliograph.core.channel import Carries
from heliograph.core.content import Named, Text
from heliograph.core.conversation import By, Closer, Conversation, State, Turn
from heliograph.core.desk import AgentSaid, Context, DeskClosed, Opened, SiteDesk
from heliograph.core.event import Attached, Inbound, Receipt
from heliograph.core.optout import OptOut
from heliograph.core.ports import DeskHeard, Due, Handed, Heard
from heliograph.core.site import Kind
from heliograph.core.states import AttemptState
from heliograph.core.template import Template, Variable
from heliograph.errors import DeskGone, Fate, SendError, StoreAway
from heliograph.flow import converse, desk_heard, due
from heliograph.flow.context import context
from heliograph.flow.desk import hand_over
from heliograph.flow.leave import Shift
from heliograph.flow.receive import receive
from heliograph.flow.registry import OpenDesk
from heliograph.flow.send import send

MATT = "+17703101414"
ANSWERS, DESK = 1, 2  # lanes
IDS = {"external_customer_id": "c1", "external_customer_id_descriptor": "CustomerId"}


class ScriptedDesk:
    """A desk of the outside world. `script`: what each call meets, an error or None (taken). `knows`: what it says
    when it is asked whether it has a turn."""

    courtesies = True

    def __init__(self) -> None:
        self.script: list[Exception | None] = []
        self.opened: list[tuple[str, Context]] = []
        self.lines: list[tuple[str, str]] = []
        self.abouts: list[Context | None] = []
        self.closed: list[str] = []
        self.knows: bool | None = None
        self.said_with_open = False
        self.marks: list[tuple[int, bool]] = []

    def _step(self) -> None:
        step = self.script.pop(0) if self.script else None
        if step is not None:
            raise step

    async def open(self, conversation: Conversation, turn: Turn, context: Context, deadline: float) -> Opened:
        self._step()
        self.opened.append((conversation.id, context))
        reference = f"desk-{len(self.opened)}"
        if self.said_with_open:
            self.lines.append((reference, turn.text))
        return Opened(reference=reference, said=self.said_with_open)

    async def say(self, conversation: Conversation, turn: Turn, about: Context | None, deadline: float) -> Handed:
        self._step()
        self.lines.append((conversation.reference, turn.text))
        self.abouts.append(about)
        return Handed()

    async def taken(self, conversation: Conversation, turn: Turn, deadline: float) -> bool | None:
        return self.knows

    async def close(self, conversation: Conversation, deadline: float) -> None:
        self._step()
        self.closed.append(conversation.reference)

    async def typing(self, conversation: Conversation, deadline: float) -> None:
        pass

    async def mark(self, conversation: Conversation, turn: Turn, read: bool, deadline: float) -> None:
        self.marks.append((turn.number, read))

    async def shut(self) -> None:
        pass


def at_desk(house: Any, desk: ScriptedDesk) -> None:
    house.means.registry._open_desk = lambda setup: OpenDesk(setup=setup, desk=desk)  # type: ignore[arg-type]


async def to_desk(house: Any, desk: ScriptedDesk) -> None:
    at_desk(house, desk)
    await house.store.put_desk(SiteDesk(site=SITE, desk="scripted"))
    await house.means.registry.refresh(house.store)


async def alerted(house: Any, **more: Any) -> str:
    if not house.means.registry.site(SITE):
        await house.set_up()
    result = await send(ask(**more), (), house.means, request_id=house.clock.new_id())
    return str(result.alert)


async def says(house: Any, text: str, sender: str = "a-rcs", **more: Any) -> Conversation:
    opened = house.means.registry.sender(SITE, sender)
    event = Inbound(event=house.clock.new_id(), recipient=MATT, kind="text", text=text, **more)
    await receive(opened, Heard(events=(event,)), house.means)
    return (await house.store.conversations_of(SITE, MATT))[0]


async def answer(house: Any, there: Conversation, text: str = "We are looking.", **words: Any) -> Any:
    asked = converse.Words(text=text, **words)
    return await converse.answer(SITE, there.id, asked, agent="ann", author="Ann", means=house.means)


async def newest(house: Any, there: Conversation) -> Turn:
    return (await house.store.turns(SITE, there.id, newest=True, limit=1))[0]


async def again(house: Any, lane: int, ahead: int = 400_000) -> None:
    """Does what is due within `ahead` ms."""
    now = house.clock.now()
    for row in await house.store.claim_due(now + ahead, now + due.LEASE, "test", 20, lane):
        await due._do(row, house.means)


async def test_an_answer_reaches_the_recipient_and_its_receipt_the_agent(house):
    await alerted(house)
    there = await says(house, "Where is my bag?")
    listener = house.means.live.listen()
    turn = await answer(house, there)
    await due.once(house.means, ANSWERS)
    assert house.providers["rcs"].delivered[turn.id].content == Text(text="We are looking.")
    assert house.providers["rcs"].delivered[turn.id].traffic == "service_request"
    assert (await newest(house, there)).state is AttemptState.SENT
    receipt = Receipt(event="r1", state=AttemptState.READ, attempt=turn.id)
    await receive(house.means.registry.sender(SITE, "a-rcs"), Heard(events=(receipt,)), house.means)
    assert (await newest(house, there)).state is AttemptState.READ
    assert {change.what for change in await listener.changes(0.1)} == {"answered"}


async def test_answers_leave_in_order_and_wait_for_each_other(house):
    await alerted(house)
    there = await says(house, "hello")
    house.providers["rcs"].script = [refusal(Fate.RETRY, retry_after=400.0)]
    first, second = await answer(house, there, "one"), await answer(house, there, "two")
    house.providers["rcs"].seen.clear()
    await due.once(house.means, ANSWERS)
    assert house.providers["rcs"].seen == [first.id], "the second waits behind the first"
    await again(house, ANSWERS, ahead=500_000)
    assert house.providers["rcs"].seen == [first.id, first.id, second.id]


async def test_an_answer_without_a_word_is_in_doubt_where_repeats_count(house):
    await alerted(house)
    there = await says(house, "hello")
    house.providers["rcs"].repeats_are_ignored = False
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN, code="lost_answer")]
    turn = await answer(house, there)
    await due.once(house.means, ANSWERS)
    await again(house, ANSWERS)
    assert (await newest(house, there)).state is AttemptState.IN_DOUBT
    assert house.providers["rcs"].seen.count(turn.id) == 1


@pytest.mark.parametrize("ignored", [True, False], ids=["repeatable", "not"])
async def test_a_crash_while_an_answer_leaves(house, ignored):
    await alerted(house)
    there = await says(house, "hello")
    turn = await answer(house, there)
    house.providers["rcs"].repeats_are_ignored = ignored
    await house.store.claim_due(house.clock.now(), house.clock.now() + 1, "dead", 9, ANSWERS)
    await house.store.leaving(SITE, there.id, turn.number, house.clock.now())
    await again(house, ANSWERS)
    assert (await newest(house, there)).state is (AttemptState.SENT if ignored else AttemptState.IN_DOUBT)
    assert (turn.id in house.providers["rcs"].delivered) is ignored


async def test_a_second_agent_is_told_whose_it_is(house):
    await alerted(house)
    there = await says(house, "hello")
    assert (await converse.claim(SITE, there.id, agent="bob", by="Bob", means=house.means)).agent == "bob"
    refused = await answer(house, there)
    assert (refused.code, refused.conversation.agent) == ("anothers", "bob")
    assert (await converse.claim(SITE, there.id, agent="ann", by="Ann", means=house.means)).code == "anothers"
    taken = await converse.claim(SITE, there.id, agent="ann", by="Ann", means=house.means, expects=None)
    assert taken.agent == "ann"
    assert (await converse.release(SITE, there.id, by="Ann", means=house.means)).agent == ""
    assert (
        await converse.transfer(SITE, there.id, skill="nowhere", by="Ann", means=house.means)
    ).code == "unknown_skill"
    closed = await converse.close(SITE, there.id, closer=Closer.AGENT, by="Ann", means=house.means)
    assert closed.state is State.CLOSED
    assert (await answer(house, there)).code == "closed"
    assert (await converse.close(SITE, there.id, closer=Closer.AGENT, by="Ann", means=house.means)).code == "closed"
    assert (await converse.claim(SITE, "no such", agent="ann", by="Ann", means=house.means)).code == "gone"


async def windowed(house) -> Conversation:
    plug = Plug()
    plug.CARRIES = Carries(named=True, window=3600)
    house.plugs["wa"] = plug
    await house.set_up(channels=("wa",))
    await house.store.put_template(
        Template(
            site=SITE,
            name="back",
            version="1",
            variables=(Variable(name="Time"),),
            languages={"en": {"wa": Named(name="back", language="en", shown="Back at @Time")}},
        )
    )
    await house.means.registry.refresh(house.store)
    opened = house.means.registry.sender(SITE, "a-wa")
    said = Inbound(event="old", recipient=MATT, kind="text", text="hi", at=house.clock.now() - 3_600_001)
    await receive(opened, Heard(events=(said,)), house.means)
    return (await house.store.conversations_of(SITE, MATT))[0]


async def test_a_closed_window_is_told_with_the_templates_that_may_go(house):
    there = await windowed(house)
    refused = await answer(house, there)
    assert refused.code == "window_closed"
    bounds = await converse.limits(there, house.means)
    assert not bounds.may and [one.name for one in bounds.templates] == ["back"]
    lacking = await answer(house, there, "", template="back")
    assert lacking.code == "missing_variables" and "@Time" in lacking.sentence
    turn = await answer(house, there, "", template="back", variables={"Time": "8 pm"})
    await due.once(house.means, ANSWERS)
    assert house.providers["wa"].delivered[turn.id].content.shown == "Back at 8 pm"
    assert (await answer(house, there, "", template="none")).code == "unknown_template"


async def test_who_said_no_is_not_answered_until_they_write_again(house):
    await alerted(house)
    there = await says(house, "hello")
    no = OptOut(site=SITE, recipient=MATT, at=house.clock.now(), how="api")
    waiting = await answer(house, there)
    await house.store.put_opt_outs((no,))
    assert (await answer(house, there, "more")).code == "opted_out"
    await due.once(house.means, ANSWERS)
    assert waiting.id not in house.providers["rcs"].delivered, "it is looked at again right before it leaves"
    turns = await house.store.turns(SITE, there.id)
    assert [(turn.state, turn.reason) for turn in turns if turn.id == waiting.id] == [("failed", "opted_out")]
    await asyncio.sleep(0.002)
    there = await says(house, "well, one question")
    turn = await answer(house, there, "Yes?")
    await due.once(house.means, ANSWERS)
    assert turn.id in house.providers["rcs"].delivered


async def test_the_context_holds_what_the_brand_passed_along(house):
    info = b'{"Sky Miles":"1234567890","b":[1,{"x":1.10}]}'
    alert = await alerted(house, alert_info=msgspec.Raw(info), first_name="Matt", **IDS)
    older = await alerted(house, external_alert_id="two", alert_info=msgspec.Raw(b"{}"))
    there = await says(house, "hello")
    about = await context(SITE, alert, MATT, house.means, conversation=there.id)
    assert bytes(about.alert.alert_info) == info
    assert (about.alert.first_name, about.alert.external_customer_id) == ("Matt", "c1")
    assert (about.words, about.channel, about.path[0].state) == ("Flight at 7:35 pm", "rcs", "sent")
    assert [one.id for one in about.earlier] == [older] and about.conversations == ()
    assert (await context("another", alert, MATT, house.means)).alert is None


# ── The desk ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_turns_go_to_the_desk_in_order_and_once(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")
    await says(house, "two")
    await again(house, DESK)
    await again(house, DESK)
    assert desk.lines == [("desk-1", "one"), ("desk-1", "two")] and len(desk.opened) == 1
    assert desk.opened[0][1].alert.template == "delay"
    there = await house.store.conversation(SITE, there.id)
    assert (there.reference, there.handed, there.trouble) == ("desk-1", 2, "")


async def test_a_desk_that_is_down_loses_nothing_and_its_trouble_is_seen(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    down = SendError("The desk does not answer.", code="no_connection", fate=Fate.RETRY)
    desk.script = [down, down, None, down]
    there = await says(house, "one")
    await again(house, DESK)
    assert (await house.store.conversation(SITE, there.id)).trouble == "The desk does not answer."
    await says(house, "two")
    for _ in range(4):
        await again(house, DESK)
    assert desk.lines == [("desk-1", "one"), ("desk-1", "two")]
    assert (await house.store.conversation(SITE, there.id)).trouble == ""


@pytest.mark.parametrize("knows", [True, False, None])
async def test_after_a_lost_answer_the_desk_is_asked(house, knows):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    desk.knows = knows
    desk.script = [None, SendError("No answer came.", code="lost_answer", fate=Fate.UNKNOWN)]
    there = await says(house, "one")
    await again(house, DESK)
    assert (await house.store.conversation(SITE, there.id)).doubt == 1
    await again(house, DESK)
    assert desk.lines == ([] if knows else [("desk-1", "one")])
    there = await house.store.conversation(SITE, there.id)
    assert (there.doubt, there.handed, there.trouble) == (0, 1, "")


async def test_a_node_that_dies_when_the_desk_has_said_yes(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    await says(house, "one")
    await again(house, DESK)
    store, desk.knows = house.store, True

    class Dying:
        """The store of a node that dies before it writes what the desk has."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        async def handed(self, taken: Any, now: int) -> Any:
            if taken.handed > 1:
                raise StoreAway("The node is dead.", code="store_away")
            return await store.handed(taken, now)

    house.means.store = Dying()
    await says(house, "two")
    await again(house, DESK)
    house.means.store = store
    await store.push_due(Due(site=SITE, kind="desk", ref=(await store.conversations_of(SITE, MATT))[0].id, at=0))
    await again(house, DESK)
    assert [text for _, text in desk.lines] == ["one", "two"]
    assert (await store.conversations_of(SITE, MATT))[0].handed == 2


async def test_one_that_the_desk_has_closed_meanwhile_is_opened_anew(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")
    await again(house, DESK)
    desk.script = [DeskGone("Conversation is close.", code="desk_gone")]
    await says(house, "two")
    await again(house, DESK)
    await again(house, DESK)
    assert desk.lines == [("desk-1", "one"), ("desk-2", "two")]
    opened = OpenDesk(setup=SiteDesk(site=SITE, desk="scripted"))
    late = DeskClosed(event="c1", conversation="desk-1")
    await desk_heard.receive(opened, DeskHeard(events=(late,)), house.means)
    assert (await house.store.conversation(SITE, there.id)).state is State.OPEN, "its former reference is nobody's"


async def test_a_turn_that_the_desk_refuses_holds_up_no_other(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    desk.script = [None, SendError("Too large.", code="too_large", fate=Fate.PERMANENT)]
    await says(house, "one")
    await says(house, "two")
    await again(house, DESK)
    assert desk.lines == [("desk-1", "two")]
    assert ("desk", "scripted", "refused") in house.meters.lines


async def test_an_agents_words_at_the_desk_reach_the_recipient_once(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")
    await again(house, DESK)
    opened = house.means.registry.desk(SITE)
    said = AgentSaid(event="m1", conversation="desk-1", text="Hello Matt", author="Ann")
    for _ in range(2):
        await desk_heard.receive(opened, DeskHeard(events=(said,)), house.means)
    await due.once(house.means, ANSWERS)
    sent = [message.content.text for message in house.providers["rcs"].delivered.values()]
    assert sent.count("Hello Matt") == 1
    turn = await newest(house, there)
    receipt = Receipt(event="r9", state=AttemptState.DELIVERED, attempt=turn.id)
    await receive(house.means.registry.sender(SITE, "a-rcs"), Heard(events=(receipt,)), house.means)
    await house.means.settle()
    assert desk.marks == [(turn.number, False)]


async def test_closed_on_this_side_the_desk_hears_of_it_and_not_the_other_way_round(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")
    await again(house, DESK)
    await converse.close(SITE, there.id, closer=Closer.OPERATOR, by="api", means=house.means)
    await again(house, DESK)
    await again(house, DESK)
    assert desk.closed == ["desk-1"]
    second = await says(house, "two")
    await again(house, DESK)
    assert second.id != there.id and second.former == there.id
    closing = DeskHeard(events=(DeskClosed(event="c1", conversation="desk-2"),))
    await desk_heard.receive(house.means.registry.desk(SITE), closing, house.means)
    await again(house, DESK)
    assert desk.closed == ["desk-1"] and (await house.store.conversation(SITE, second.id)).closed_by == "desk"


async def test_words_that_cannot_leave_are_told_to_the_desk(house):
    desk = ScriptedDesk()
    await windowed(house)
    await to_desk(house, desk)
    opened = house.means.registry.sender(SITE, "a-wa")
    for there in await house.store.conversations_of(SITE, MATT):
        await converse.close(SITE, there.id, closer=Closer.AGENT, by="Ann", means=house.means)
    said = Inbound(event="o2", recipient=MATT, kind="text", text="hi", at=house.clock.now() - 3_600_001)
    await receive(opened, Heard(events=(said,)), house.means)
    await again(house, DESK)
    words = AgentSaid(event="m1", conversation="desk-1", text="Hello")
    await desk_heard.receive(house.means.registry.desk(SITE), DeskHeard(events=(words,)), house.means)
    await due.once(house.means, ANSWERS)
    await again(house, DESK)
    assert house.providers["wa"].delivered == {}
    assert desk.lines[-1][1].startswith("Not sent: the time in which free words")


async def test_an_answer_about_another_alert_says_so(house):
    desk = ScriptedDesk()
    first = await alerted(house)
    await to_desk(house, desk)
    await says(house, "one")
    await again(house, DESK)
    second = await alerted(house, external_alert_id="two")
    await says(house, "two")
    await says(house, "three")
    await again(house, DESK)
    assert desk.opened[0][1].alert.id == first
    assert [about and about.alert.id for about in desk.abouts] == [None, second, None]


async def test_nothing_of_a_test_alert_goes_to_a_real_desk(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")

    class Tested:
        """The store, in which every conversation is a test's."""

        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            return getattr(self._store, name)

        async def conversation(self, site: str, id: str) -> Conversation | None:
            found = await self._store.conversation(site, id)
            return msgspec.structs.replace(found, test=True) if found else None

    house.means.store = Tested(house.store)
    row = Due(site=SITE, kind="desk", ref=there.id, at=0)
    await hand_over(Shift(row=row, deadline=house.clock.loop_time() + 30, patience=30, lease=60_000), house.means)
    assert desk.opened == []


async def test_the_recipients_own_turns_alone_are_handed_over(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "one")
    await again(house, DESK)
    await answer(house, there, "an answer from elsewhere")
    await says(house, "two")
    await again(house, DESK)
    assert [text for _, text in desk.lines] == ["one", "two"]
    assert By.AGENT in {turn.by for turn in await house.store.turns(SITE, there.id)}


async def test_an_answer_leaves_behind_hundreds_of_the_recipients_turns(house):
    await alerted(house)
    for number in range(201):  # more than one look at the store finds
        there = await says(house, f"hello {number}")
    turn = await answer(house, there)
    await due.once(house.means, ANSWERS)
    assert turn.id in house.providers["rcs"].delivered


async def test_the_recipients_words_reach_the_desk_behind_hundreds_of_agents_turns(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    await says(house, "hello")
    await due.once(house.means, DESK)
    spoken = tuple(AgentSaid(event=f"e{n}", conversation="desk-1", text=f"{n}") for n in range(201))
    await desk_heard.receive(house.means.registry.desk(SITE), DeskHeard(events=spoken), house.means)
    await says(house, "and now?")
    await due.once(house.means, DESK)
    assert desk.lines[-1] == ("desk-1", "and now?")


async def test_an_agents_file_goes_as_its_link(house):
    desk = ScriptedDesk()
    await alerted(house)
    await to_desk(house, desk)
    there = await says(house, "hello")
    await due.once(house.means, DESK)
    file = (Attached(url="https://desk.example/pass.pdf", name="pass.pdf"),)
    nameless = (Attached(reference="f1", name="pass.pdf"),)
    spoken = (
        AgentSaid(event="e1", conversation="desk-1", text="Your pass", attached=file),
        AgentSaid(event="e2", conversation="desk-1", text="", attached=file),
        AgentSaid(event="e3", conversation="desk-1", text="", attached=nameless),
    )
    await desk_heard.receive(house.means.registry.desk(SITE), DeskHeard(events=spoken), house.means)
    await due.once(house.means, ANSWERS)
    taken = house.providers["rcs"].delivered.items()
    sent = [message.content.text for id, message in taken if alert_of(id) == there.id]
    assert sent == ["Your pass\nhttps://desk.example/pass.pdf", "https://desk.example/pass.pdf"]
    note = await newest(house, there)
    assert note.kind == "undelivered" and "no link" in note.text


async def test_the_desk_is_told_of_an_answer_that_could_not_leave_in_time(house, monkeypatch):
    await alerted(house)
    there = await says(house, "hello")
    monkeypatch.setattr(converse, "EXPIRES", -1)
    await answer(house, there)
    await due.once(house.means, ANSWERS)
    note = await newest(house, there)
    assert note.kind == "undelivered" and "within its time" in note.text


async def test_a_node_whose_lease_ran_out_leaves_the_turn_to_the_other(house, monkeypatch):
    await alerted(house)
    there = await says(house, "hello")
    turn = await answer(house, there)
    leaving = house.store.leaving

    async def overtaken(site, conversation, number, now, **seen):
        await leaving(site, conversation, number, now)  # the other node begins in this moment
        return await leaving(site, conversation, number, now, **seen)

    monkeypatch.setattr(type(house.store), "leaving", lambda self, *place, **seen: overtaken(*place, **seen))
    await due.once(house.means, ANSWERS)
    assert turn.id not in house.providers["rcs"].delivered
    assert (await newest(house, there)).state is AttemptState.SENDING, "the other node tells what became of it"


async def test_what_is_live_and_what_came_of_a_test_key_do_not_stand_beside_each_other(house):
    live = await alerted(house)
    there = await says(house, "live")
    opened = house.means.registry.sender(SITE, "a-rcs")
    house.means.registry._senders[SITE, "a-rcs"] = msgspec.structs.replace(opened, sandbox=True)
    house.means.registry._index(SITE)
    test = await alerted(house, kind=Kind.TEST, external_alert_id="t")
    for alert, strange in ((test, live), (live, test)):
        about = await context(SITE, alert, MATT, house.means)
        assert strange not in [one.id for one in about.earlier]
    assert not (await context(SITE, test, MATT, house.means)).conversations
    assert [one.id for one in (await context(SITE, live, MATT, house.means)).conversations] == [there.id]
