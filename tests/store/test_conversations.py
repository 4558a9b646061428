"""Conversations on both engines: who joins which, in what order, who may speak, and what a receipt does to a turn."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from heliograph import store
from heliograph.core.content import Reply, Text
from heliograph.core.conversation import FULL, By, Closer, State, Turn
from heliograph.core.desk import AgentSaid, DeskClosed, DeskMoved, DeskUnknown, SiteDesk
from heliograph.core.event import Inbound, Receipt
from heliograph.core.ports import DeskTaken, Inbox, TurnOutcome
from heliograph.core.site import Site
from heliograph.core.states import AttemptState
from heliograph.store import conversations as rows

MATT = "+17703101414"


def said(made, text="hello", **fields):
    return Inbound(event=fields.pop("event", None) or made.id(), recipient=MATT, kind="text", text=text, **fields)


async def hear(opened, made, *events, sender=None, channel="rcs"):
    return await opened.hear(made.site, channel, sender or made.sender, events, made.now)


async def told(opened, made, **alert):
    accepted = made.acceptance(alert=made.alert(**alert))
    await opened.accept(accepted)
    return accepted


async def words(opened, made, place):
    return [turn.text for turn in await opened.turns(made.site, place.conversation) if turn.by is By.RECIPIENT]


def answer(made, there, text="We are looking.", **fields):
    return Turn(conversation=there, site=made.site, number=0, at=made.now, by=By.AGENT, text=text, **fields)


async def test_the_first_words_open_one_on_the_alerts_skill(opened, made, clock):
    accepted = await told(opened, made, first_name="Matt", last_name="Fanning")
    clock.now += 1000
    (place,) = await hear(opened, made, said(made, "Where is my bag?"))
    there = await opened.conversation(made.site, place.conversation)
    assert (there.skill, there.alert, there.desk, there.state) == ("service", accepted.alert.id, "console", State.OPEN)
    assert (there.name, there.preview, there.waiting) == ("Matt Fanning", "Where is my bag?", made.now)
    (turn,) = await opened.turns(made.site, there.id)
    assert (turn.number, turn.by, turn.alert, turn.rule) == (1, By.RECIPIENT, accepted.alert.id, "newest")
    assert [one.id for one in await opened.conversations_about(made.site, accepted.alert.id)] == [there.id]
    assert [row.kind for row in await opened.claim_due(made.now, made.now + 1, "n", 9, 2)] == ["desk"]
    assert not [row for row in await opened.claim_due(made.now, made.now + 1, "n", 9) if row.kind == "desk"]


async def test_further_words_join_and_a_repeated_event_is_one_turn(opened, made):
    await told(opened, made)
    first = said(made, "one")
    (place,) = await hear(opened, made, first)
    again, second = await hear(opened, made, first, said(made, "two"))
    assert again.duplicate and second.conversation == place.conversation and second.turn == 2
    assert await words(opened, made, place) == ["one", "two"]


async def test_two_skills_are_two_conversations_and_a_reference_finds_its_own(opened, made, clock):
    sales = made.alert(skill="sales")
    offer = Text(text="A seat?", suggestions=(Reply(text="Buy", postback="buy"),))
    await opened.accept(made.acceptance(alert=sales, attempt=made.attempt(sales, content=offer)))
    clock.now += 1000
    service = await told(opened, made)
    (newest,) = await hear(opened, made, said(made, "which one?"))
    (tapped,) = await hear(opened, made, said(made, "Buy", postback="buy"))
    (quoted,) = await hear(opened, made, said(made, "this", in_reply_to=service.attempt.id))
    assert newest.conversation == quoted.conversation != tapped.conversation
    there = await opened.conversation(made.site, tapped.conversation)
    assert (there.skill, there.alert) == ("sales", sales.id)
    assert [turn.rule for turn in await opened.turns(made.site, newest.conversation)] == ["newest", "quoted"]
    assert len(await opened.conversations_of(made.site, MATT)) == 2, "the agent sees both"


async def test_a_desk_with_one_per_person_gets_one(opened, made, clock):
    await opened.put_desk(SiteDesk(site=made.site, desk="liveperson", one_per_recipient=True))
    first = await told(opened, made)
    (one,) = await hear(opened, made, said(made))
    clock.now += 1000
    second = await told(opened, made, skill="sales")
    (two,) = await hear(opened, made, said(made))
    assert one.conversation == two.conversation
    there = await opened.conversation(made.site, two.conversation)
    assert (there.desk, there.alerts) == ("liveperson", (first.alert.id, second.alert.id))


async def test_words_after_the_end_open_another_with_the_former_linked(opened, made, clock):
    await told(opened, made)
    (one,) = await hear(opened, made, said(made))
    closed = await opened.close_conversation(made.site, one.conversation, Closer.AGENT, "ann", made.now)
    assert closed.conversation.state is State.CLOSED and closed.turn.kind == "closed"
    assert (await opened.close_conversation(made.site, one.conversation, Closer.AGENT, "bob", made.now)).turn is None
    clock.now += 86_400_000
    (two,) = await hear(opened, made, said(made))
    there = await opened.conversation(made.site, two.conversation)
    assert two.conversation != one.conversation and there.former == one.conversation


async def test_words_that_answer_nothing_are_kept_on_the_sites_own_skill(opened, made):
    await opened.put_site(Site(id=made.site, default_skill="front"))
    (place,) = await hear(opened, made, said(made))
    there = await opened.conversation(made.site, place.conversation)
    (turn,) = await opened.turns(made.site, there.id)
    assert (there.skill, there.alert, turn.rule) == ("front", "", "none")


async def test_turns_of_one_recipient_have_one_order_on_all_nodes(address, opened, made, clock):
    await told(opened, made)
    nodes = [opened, await store.open(address, migrate=False, now=clock)]
    every = [said(made, f"{n}") for n in range(40)]
    places = await asyncio.gather(*(hear(nodes[n % 2], made, event) for n, event in enumerate(every)))
    assert len({place[0].conversation for place in places}) == 1, "two first replies open one"
    turns = await opened.turns(made.site, places[0][0].conversation)
    assert [turn.number for turn in turns] == list(range(1, 41))
    assert sorted(turn.event for turn in turns) == sorted(event.event for event in every)
    by_place = {place[0].turn: event.event for place, event in zip(places, every, strict=True)}
    assert [turn.event for turn in turns] == [by_place[turn.number] for turn in turns]
    await nodes[1].close()


async def test_who_claims_first_has_it(opened, made):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    take = [opened.assign(made.site, place.conversation, agent=who, by=who, expects="", now=made.now) for who in "ab"]
    both = await asyncio.gather(*take)
    (won,) = [one for one in both if one.turn]
    (lost,) = [one for one in both if not one.turn]
    assert lost.conversation.agent == won.conversation.agent
    other = "b" if won.conversation.agent == "a" else "a"
    refused = await opened.say(answer(made, place.conversation), agent=other, now=made.now)
    assert refused.turn is None and refused.conversation.agent == won.conversation.agent
    assert (await opened.say(answer(made, place.conversation), agent=won.conversation.agent, now=made.now)).turn


async def test_an_answer_claims_and_is_due_to_leave(opened, made):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    spoken = await opened.say(answer(made, place.conversation, author="Ann"), agent="ann", now=made.now)
    assert spoken.turn.state is AttemptState.INTENDED and spoken.turn.id.endswith(f"{spoken.turn.number:03x}")
    assert (spoken.conversation.agent, spoken.conversation.waiting) == ("ann", None)
    kinds = [turn.kind for turn in await opened.turns(made.site, place.conversation)]
    assert kinds == ["text", "claimed", "text"]
    assert [row.kind for row in await opened.claim_due(made.now, made.now + 1, "n", 9, 1)] == ["answer"]


@pytest.mark.parametrize("early", [False, True], ids=["after", "before"])
async def test_a_receipt_moves_a_turn_by_our_id_or_by_theirs(opened, made, early):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    turn = (await opened.say(answer(made, place.conversation), agent="ann", now=made.now)).turn
    await opened.leaving(made.site, place.conversation, turn.number, made.now)
    taken = TurnOutcome(
        site=made.site,
        conversation=place.conversation,
        number=turn.number,
        state=AttemptState.SENT,
        references=("wamid.1",),
        sender=made.sender,
    )
    receipt = made.receipt(AttemptState.DELIVERED, reference="wamid.1")
    if early:
        assert (await hear(opened, made, receipt))[0].turn == 0
        after = await opened.turn_outcome(taken, made.now)
    else:
        await opened.turn_outcome(taken, made.now)
        (joined,) = await hear(opened, made, receipt)
        assert (joined.conversation, joined.turn, joined.state) == (place.conversation, turn.number, "delivered")
        (after,) = await opened.turns(made.site, place.conversation, after=turn.number - 1)
    assert after.state is AttemptState.DELIVERED
    (read,) = await hear(opened, made, made.receipt(AttemptState.READ, attempt=turn.id))
    assert (read.turn, read.state, read.alert) == (turn.number, AttemptState.READ, "")
    (late,) = await hear(opened, made, made.receipt(AttemptState.FAILED, attempt=turn.id))
    assert late.state is None, "a no never beats a delivery"
    (quoting,) = await hear(opened, made, said(made, "yes, that", in_reply_to=turn.id))
    assert quoting.conversation == place.conversation


async def test_a_lost_turn_is_named_and_the_desk_is_told(opened, made):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    turn = (await opened.say(answer(made, place.conversation), agent="ann", now=made.now)).turn
    failed = TurnOutcome(
        site=made.site,
        conversation=place.conversation,
        number=turn.number,
        state=AttemptState.FAILED,
        reason="window_closed",
        note="Not sent.",
    )
    await opened.turn_outcome(failed, made.now)
    *_, last = await opened.turns(made.site, place.conversation)
    assert (last.kind, last.text, last.by) == ("undelivered", "Not sent.", By.HELIOGRAPH)


async def test_what_a_desk_tells_counts_once(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    taken = DeskTaken(site=made.site, conversation=place.conversation, handed=1, reference="77")
    assert (await opened.handed(taken, made.now)).reference == "77"
    events = (
        AgentSaid(event="m1", conversation="77", text="Hello", author="Ann"),
        AgentSaid(event="m1", conversation="77", text="Hello", author="Ann"),
        AgentSaid(event="m2", conversation="no such", text="Hello"),
        DeskUnknown(event="m3", kind="weather"),
        DeskMoved(event="m4", conversation="77", skill="sales"),
        DeskClosed(event="m5", conversation="77"),
        AgentSaid(event="m6", conversation="77", text="One more thing"),
    )
    joined = await opened.hear_desk(made.site, "chatwoot", events, made.now)
    assert [one.duplicate for one in joined] == [False, True, False, False, False, False, False]
    assert [bool(one.turn) for one in joined] == [True, False, False, False, True, True, True]
    there = await opened.conversation(made.site, place.conversation)
    assert (there.skill, there.state, there.closed_by, there.told_closed) == ("sales", "closed", "desk", True)
    assert await opened.hear_desk("another", "chatwoot", events[:1], made.now), "another site's desk"
    assert [turn.text for turn in await opened.turns(made.site, there.id) if turn.leaves] == ["Hello", "One more thing"]


async def test_lists_walk_by_the_last_change(opened, made, clock):
    for skill in ("a", "b", ""):
        for n in range(3):
            clock.now += 1
            recipient = f"+1770310{len(skill)}{n}{ord(skill[0]) if skill else 0:03}"
            await told(opened, made, skill=skill, recipient=recipient)
            event = Inbound(event=made.id(), recipient=recipient, kind="text", text=f"{skill}{n}")
            await hear(opened, made, event)
    every = await opened.conversations(Inbox(site=made.site))
    assert [one.preview for one in every] == ["2", "1", "0", "b2", "b1", "b0", "a2", "a1", "a0"]
    page = await opened.conversations(Inbox(site=made.site, limit=4))
    rest = await opened.conversations(Inbox(site=made.site, before=(page[-1].touched, page[-1].id)))
    assert page + rest == every
    some = await opened.conversations(Inbox(site=made.site, skills=("a", "b"), limit=4))
    assert [one.preview for one in some] == ["b2", "b1", "b0", "a2"]
    await opened.assign(made.site, every[0].id, agent="ann", by="Ann", expects="", now=made.now)
    assert [one.id for one in await opened.conversations(Inbox(site=made.site, agent="ann"))] == [every[0].id]
    assert len(await opened.conversations(Inbox(site=made.site, agent="-"))) == 8
    queues = await opened.queues(made.site, ())
    assert {(one.skill, one.open, one.unclaimed) for one in queues} == {("", 3, 2), ("a", 3, 3), ("b", 3, 3)}
    await opened.close_conversation(made.site, every[1].id, Closer.AGENT, "ann", made.now)
    closed = await opened.conversations(Inbox(site=made.site, state=State.CLOSED))
    assert [one.id for one in closed] == [every[1].id]
    assert every[1].id in {one.id for one in await opened.touched(made.now)}


async def test_ids_of_turns_never_overflow(opened, made):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    there = await opened.conversation(made.site, place.conversation)
    await opened.handed(DeskTaken(site=made.site, conversation=there.id, handed=1, reference="77"), made.now)
    await _grown(opened, made, there.id, FULL - 1)
    refused = await opened.say(answer(made, there.id), agent="ann", now=made.now)
    assert refused.turn is None and refused.conversation.agent == ""
    first, second = (AgentSaid(event=made.id(), conversation="77", text=text) for text in ("goes", "stays"))
    (one,) = await opened.hear_desk(made.site, "console", (first,), made.now)
    (two,) = await opened.hear_desk(made.site, "console", (second,), made.now)
    assert (len(one.turn.id), two.turn.leaves) == (36, False)
    *_, words_, note = await opened.turns(made.site, there.id, newest=True)
    assert (words_.text, note.kind) == ("stays", "undelivered"), "the desk is told, and nothing is lost"


async def _grown(opened, made, id, turns):
    """As if it had so many turns already."""

    def grow():
        there = yield from rows.lock(made.site, id)
        yield from rows.put(msgspec.structs.replace(there, turns=turns))

    await opened._engine.write(grow)


async def test_a_turn_that_another_node_hands_over_is_not_handed_over_again(opened, made):
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    turn = (await opened.say(answer(made, place.conversation), now=made.now)).turn
    where = (made.site, place.conversation, turn.number, made.now)
    begun = await opened.leaving(*where, tries=turn.tries)
    assert await opened.leaving(*where, tries=turn.tries) is None, "what it saw was before the other began"
    assert (await opened.leaving(*where, tries=begun.tries)).tries == 2, "after a crash it is repeated"


async def test_one_recipients_list_is_read_page_by_page(opened, made, clock):
    ids = []
    for number in range(5):
        await told(opened, made, skill=("odd", "even")[number % 2 == 0])
        (place,) = await hear(opened, made, said(made))
        ids.append(place.conversation)
        await opened.close_conversation(made.site, place.conversation, Closer.AGENT, "ann", made.now)
        clock.now += 1000
    await told(opened, made)
    await hear(opened, made, said(made))
    wanted = Inbox(site=made.site, recipient=MATT, state=State.CLOSED, limit=2)
    seen, before = [], None
    while page := await opened.conversations(msgspec.structs.replace(wanted, before=before)):
        seen += [one.id for one in page]
        before = (page[-1].touched, page[-1].id)
        assert len(seen) <= 5, "a page comes once"
    assert seen == ids[::-1]
    even = msgspec.structs.replace(wanted, skills=("even",), limit=3)
    assert [one.id for one in await opened.conversations(even)] == ids[::-2], "those of other skills do not fill it"


async def test_receipts_for_turns_lock_in_one_order(opened, made, clock, monkeypatch):
    turns = []
    for skill in ("sales", "service"):
        await told(opened, made, skill=skill)
        (place,) = await hear(opened, made, said(made))
        turns.append((await opened.say(answer(made, place.conversation), now=made.now)).turn)
        clock.now += 1000
    order: list[list[str]] = []

    def locked(site, id):
        order[-1].append(id)
        return (yield from kept(site, id))

    kept = rows.lock
    monkeypatch.setattr(rows, "lock", locked)
    for some in (turns, turns[::-1]):
        order.append([])
        receipts = tuple(Receipt(event=made.id(), state=AttemptState.DELIVERED, attempt=turn.id) for turn in some)
        await hear(opened, made, *receipts)
    assert order[0][:2] == order[1][:2] == sorted(order[0][:2])


@pytest.mark.parametrize("closes", [False, True])
async def test_a_bot_that_answers_before_the_desks_name_is_written_down(opened, made, closes):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    hello = AgentSaid(event="m1", conversation="77", text="Hello, I am a bot")
    (early,) = await opened.hear_desk(made.site, "chatwoot", (hello,), made.now)
    assert early.turn is None and early.conversation is None
    if closes:
        await opened.hear_desk(made.site, "chatwoot", (DeskClosed(event="m2", conversation="77"),), made.now)
    there = await opened.handed(
        DeskTaken(site=made.site, conversation=place.conversation, handed=1, reference="77"), made.now
    )
    assert (there.state is State.CLOSED) is closes
    turns = await opened.turns(made.site, place.conversation)
    assert [turn.text for turn in turns if turn.leaves] == ["Hello, I am a bot"]
    assert (await opened.hear_desk(made.site, "chatwoot", (hello,), made.now))[0].duplicate
    assert [row.kind for row in await opened.claim_due(made.now, made.now + 1, "n", 9, 1)] == ["answer"]


async def test_a_desks_other_conversations_are_not_kept(opened, made):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    other = AgentSaid(event="m1", conversation="not ours", text="Hello")
    await opened.hear_desk(made.site, "chatwoot", (other,), made.now)
    await told(opened, made)
    (place,) = await hear(opened, made, said(made))
    taken = DeskTaken(site=made.site, conversation=place.conversation, handed=1, reference="not ours")
    await opened.handed(taken, made.now)
    assert not [turn for turn in await opened.turns(made.site, place.conversation) if turn.leaves]


async def test_the_name_and_the_early_words_at_once_on_two_nodes(address, opened, made, clock):
    await opened.put_desk(SiteDesk(site=made.site, desk="chatwoot"))
    await told(opened, made)
    other = await store.open(address, migrate=False, now=clock)
    for n in range(12):
        (place,) = await hear(opened, made, said(made))
        taken = DeskTaken(site=made.site, conversation=place.conversation, handed=99, reference=f"r{n}")
        words = AgentSaid(event=f"m{n}", conversation=f"r{n}", text=f"words {n}")
        await asyncio.gather(opened.handed(taken, made.now), other.hear_desk(made.site, "chatwoot", (words,), made.now))
        turns = await opened.turns(made.site, place.conversation)
        assert [turn.text for turn in turns if turn.leaves] == [f"words {n}"]
        await opened.close_conversation(made.site, place.conversation, Closer.AGENT, "ann", made.now)
    await other.close()
