"""A keyword in the commit of its message, on both engines: the opt-out, the turns, one confirmation."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec
import pytest

from heliograph import store
from heliograph.core.content import Reply, Text
from heliograph.core.conversation import WISH, By, Closer, State, Turn
from heliograph.core.event import Inbound, OptOutHeard
from heliograph.core.keyword_words import Words
from heliograph.core.optout import OptOut, may_answer
from heliograph.core.ports import Barred
from heliograph.core.site import Covers, OptOuts, Site
from heliograph.core.states import AttemptState

WHO = "+17703101414"
MINUTE, DAY = 60_000, 86_400_000


def said(text: str, **fields: object) -> Inbound:
    return Inbound(**{"event": uuid4().hex, "recipient": WHO, "kind": "text", "text": text, **fields})  # type: ignore[arg-type]


async def hear(opened, made, *events, channel="sms", sender=None):
    return await opened.hear(made.site, channel, sender or made.sender, events, made.now)


async def site(opened, made, **fields):
    await opened.put_site(Site(id=made.site, name="Acme Air", opt_outs=OptOuts(**fields)))


async def sent(opened, made, content=None, **fields):
    """An alert that is with the recipient."""
    alert = made.alert(recipient=WHO, **fields)
    attempt = made.attempt(alert, channel="sms", content=content or Text(text="Your flight is late."))
    accepted = made.acceptance(alert=alert, attempt=attempt)
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted))
    return alert


async def talks(opened, made):
    """Every conversation of the recipient, the newest first, with its turns."""
    found = await opened.conversations_of(made.site, WHO)
    return [(one, await opened.turns(made.site, one.id)) for one in found]


def notices(turns):
    return [turn.text for turn in turns if turn.kind == "confirmation"]


async def scopes(opened, made):
    return {row.scope for row in await opened.opt_outs(site=made.site)}


async def test_stop_from_somebody_to_whom_nothing_was_sent(opened, made):
    await site(opened, made)
    (joined,) = await hear(opened, made, said("Stop!"))
    [(there, turns)] = await talks(opened, made)
    assert (joined.conversation, joined.turn, joined.alert) == (there.id, 1, "")
    assert (there.state, there.desk, there.closed_by) == (State.CLOSED, "", Closer.HELIOGRAPH)
    assert [(turn.by, turn.kind) for turn in turns] == [
        (By.RECIPIENT, "text"),
        (By.HELIOGRAPH, "opted_out"),
        (By.HELIOGRAPH, "confirmation"),
    ]
    notice = turns[2]
    assert notice.text.startswith("Acme Air: ") and "START" in notice.text
    assert (notice.traffic, notice.state) == ("acknowledgement", AttemptState.INTENDED)
    assert (notice.expires, notice.channel, notice.sender) == (made.now + 5 * MINUTE, "sms", made.sender)
    (row,) = await opened.opt_outs(site=made.site)
    assert row == OptOut(site=made.site, recipient=WHO, at=made.now, how="keyword", by=made.sender)
    due = await opened.claim_due(made.now, made.now + 1, "node", 9, lane=1)
    assert [(one.kind, one.ref) for one in due] == [("answer", there.id)]
    assert await opened.claim_due(made.now, made.now + 1, "node", 9, lane=2) == [], "no desk is told"


async def test_stop_to_an_alert(opened, made):
    await site(opened, made)
    alert = await sent(opened, made, language="es")
    (joined,) = await hear(opened, made, said("BAJA"))
    assert joined.alert == alert.id
    record = await opened.record(alert.id)
    assert [entry.kind for entry in record.entries][-2:] == ["replied", "opted_out"]
    [(there, turns)] = await talks(opened, made)
    assert there.alerts == (alert.id,) and "no recibirá" in notices(turns)[0]
    assert [one.id for one in await opened.conversations_about(made.site, alert.id)] == [there.id]
    assert isinstance(await opened.accept(made.acceptance(alert=made.alert(recipient=WHO))), Barred)


async def test_the_word_of_another_language_is_an_answer(opened, made):
    await sent(opened, made)
    await hear(opened, made, said("abmelden"))
    assert await scopes(opened, made) == set()
    [(there, _)] = await talks(opened, made)
    assert there.state is State.OPEN


async def test_the_languages_of_the_number_and_the_words_of_the_site(opened, made):
    await site(opened, made, words=Words(stop=("ga weg",)))
    german = "+4915112345678"
    await hear(opened, made, said("Abmelden", recipient=german))
    await hear(opened, made, said("Ga weg"))
    assert [row.recipient for row in await opened.opt_outs(site=made.site)] == [WHO, german]
    (there,) = await opened.conversations_of(made.site, german)
    turns = await opened.turns(made.site, there.id)
    assert notices(turns)[0].startswith("Acme Air: Sie erhalten keine")


async def test_one_confirmation_in_a_day(opened, made, clock):
    await hear(opened, made, said("stop"))
    clock.now += DAY - 1
    event = said("STOPALL")
    await hear(opened, made, event)
    await hear(opened, made, event)
    [(_, turns)] = await talks(opened, made)
    assert [turn.kind for turn in turns] == ["text", "opted_out", "confirmation", "text", "opted_out"]
    clock.now += 1
    await hear(opened, made, said("stop"))
    [(_, turns)] = await talks(opened, made)
    assert len(notices(turns)) == 2


async def test_start_and_stop_again(opened, made, clock):
    await site(opened, made)
    for word in ("stop", "start", "stop", "unstop"):
        clock.now += 1
        await hear(opened, made, said(word))
    [(there, turns)] = await talks(opened, made)
    assert len(notices(turns)) == 4, "each changed something, and is confirmed"
    assert [turn.kind for turn in turns if turn.by is By.HELIOGRAPH and not turn.leaves] == [
        *("opted_out", "resumed", "opted_out", "resumed")
    ]
    assert there.desk == "" and await scopes(opened, made) == set()
    assert await opened.opted_out(made.site, WHO, "service") == frozenset()


async def test_start_takes_back_what_keeps_messages_off_its_channel(opened, made):
    rows = [OptOut(site=made.site, recipient=WHO, scope=scope, at=5) for scope in ("all", "sms", "rcs", "skill:x")]
    await opened.put_opt_outs(tuple(rows))
    await hear(opened, made, said("START"))
    assert await scopes(opened, made) == {"rcs"}


async def test_yes_is_an_answer_unless_there_is_something_to_take_back(opened, made, clock):
    alert = await sent(opened, made)
    await hear(opened, made, said("Yes"))
    [(there, _)] = await talks(opened, made)
    assert there.state is State.OPEN and there.alerts == (alert.id,)
    clock.now += 1
    await hear(opened, made, said("stop"))
    clock.now += 1
    await hear(opened, made, said("Yes"))
    assert await scopes(opened, made) == set()


async def test_help_names_the_brand_and_the_contact_once_a_minute(opened, made, clock):
    await site(opened, made, contact="+1 202 555 0100")
    await hear(opened, made, said("help"))
    await hear(opened, made, said("INFO?"))
    clock.now += MINUTE
    await hear(opened, made, said("Help"))
    [(there, turns)] = await talks(opened, made)
    assert notices(turns) == ["Acme Air: Help: +1 202 555 0100. Reply STOP to get no more."] * 2
    assert there.desk == "" and await scopes(opened, made) == set()


CANCEL = Text(
    text="Late. 1. Cancel 2. Stop", options=(Reply(text="Cancel", postback="c"), Reply(text="Stop", postback="s"))
)


@pytest.mark.parametrize(
    ("word", "keyword"), [("cancel", False), ("1", False), ("Stop", True), ("stop!", True), ("end", True)]
)
async def test_what_the_alert_offers_is_an_answer_but_stop(opened, made, word, keyword):
    await sent(opened, made, CANCEL)
    await hear(opened, made, said(word))
    assert await scopes(opened, made) == ({"all"} if keyword else set())
    [(there, _)] = await talks(opened, made)
    assert there.desk == ("" if keyword else "console")


async def test_a_tap_is_never_a_keyword(opened, made):
    await sent(opened, made, Text(text="Late.", suggestions=(Reply(text="Stop", postback="stop"),)))
    await hear(opened, made, said("Stop", kind="tap", postback="stop"))
    await hear(opened, made, said("Stop", kind="other"))
    assert await scopes(opened, made) == set()


async def test_a_word_under_a_picture_is_a_word(opened, made):
    await sent(opened, made, Text(text="Late."))
    await hear(opened, made, said("Stop", kind="file"))
    assert await scopes(opened, made) == {"all"}


async def test_what_the_agent_asked_for_is_an_answer(opened, made, clock):
    await sent(opened, made)
    await hear(opened, made, said("Hello?"))
    [(there, _)] = await talks(opened, made)
    ask = Turn(conversation=there.id, site=made.site, number=0, at=made.now, by=By.AGENT, text="Cancel, or rebook?")
    await opened.say(ask, now=made.now)
    clock.now += 1
    await hear(opened, made, said("cancel"))
    assert await scopes(opened, made) == set()
    await opened.say(msgspec.structs.replace(ask, text="Which flight?"), now=made.now)
    await hear(opened, made, said("cancel"))
    assert await scopes(opened, made) == {"all"}


async def test_stop_ends_the_open_conversation(opened, made, clock):
    await site(opened, made)
    await sent(opened, made)
    await hear(opened, made, said("Hello?"))
    clock.now += 1
    (joined,) = await hear(opened, made, said("stop"))
    [(there, turns)] = await talks(opened, made)
    assert (there.state, there.closed_by, joined.conversation) == (State.CLOSED, Closer.RECIPIENT, there.id)
    assert [turn.kind for turn in turns] == ["text", "text", "opted_out", "confirmation", "closed"]
    assert turns[3].state is AttemptState.INTENDED
    clock.now += 1
    await hear(opened, made, said("Why did you write?"))
    assert [one.state for one, _ in await talks(opened, made)] == [State.OPEN, State.CLOSED]


@pytest.mark.parametrize(("covers", "scope"), [(Covers.CHANNEL, "sms"), (Covers.SKILL, "skill:service")])
async def test_a_narrower_no_leaves_the_conversation_open(opened, made, covers, scope):
    await site(opened, made, scope=covers)
    await sent(opened, made)
    await hear(opened, made, said("Hello?"))
    await hear(opened, made, said("stop"))
    [(there, turns)] = await talks(opened, made)
    assert there.state is State.OPEN and await scopes(opened, made) == {scope}
    assert "no more of these" in notices(turns)[0]


async def test_a_skill_that_nobody_knows_is_everything(opened, made):
    await site(opened, made, scope=Covers.SKILL)
    await hear(opened, made, said("stop"))
    assert await scopes(opened, made) == {"all"}


async def test_an_opt_out_of_a_skill_bars_its_alerts_alone(opened, made):
    await site(opened, made, scope=Covers.SKILL)
    await sent(opened, made)
    await hear(opened, made, said("stop"))
    assert isinstance(await opened.accept(made.acceptance(alert=made.alert(recipient=WHO))), Barred)
    other = made.acceptance(alert=made.alert(recipient=WHO, skill="news"))
    assert not isinstance(await opened.accept(other), Barred)


async def test_it_bars_the_next_attempt_of_an_alert_under_way(opened, made):
    await site(opened, made, scope=Covers.SKILL)
    alert = await sent(opened, made)
    await hear(opened, made, said("stop"))
    record = await opened.record(alert.id)
    second = made.attempt(record.alert, number=2, channel="rcs")
    outcome = made.outcome(made.acceptance(alert=record.alert, attempt=record.attempts[0]), AttemptState.FAILED)
    assert not await opened.outcome(msgspec.structs.replace(outcome, next=second))


async def test_what_comes_late_is_obeyed_and_not_confirmed(opened, made):
    await hear(opened, made, said("stop", at=made.now - 5 * MINUTE))
    [(_, turns)] = await talks(opened, made)
    assert notices(turns) == [] and await scopes(opened, made) == {"all"}


async def test_an_older_no_does_not_undo_a_yes(opened, made):
    await hear(opened, made, said("start", at=made.now - 10))
    await hear(opened, made, said("stop", at=made.now - 20))
    [(_, turns)] = await talks(opened, made)
    assert await scopes(opened, made) == set() and len(notices(turns)) == 1


async def test_a_providers_event_is_confirmed_once_with_its_word(opened, made):
    """The unsubscribe menu of RCS sends the word and the event, in any order."""
    await site(opened, made)
    alert = await sent(opened, made)
    event = OptOutHeard(event="e", recipient=WHO, wanted=False)
    await hear(opened, made, event, channel="rcs")
    await hear(opened, made, said("STOP"), channel="rcs")
    [(there, turns)] = await talks(opened, made)
    assert len(notices(turns)) == 1 and there.desk == ""
    assert await scopes(opened, made) == {"all", "rcs"}
    kinds = [entry.kind for entry in (await opened.record(alert.id)).entries]
    assert kinds[-3:] == ["opted_out", "replied", "opted_out"]


async def test_what_the_provider_confirms_itself_we_do_not(opened, made):
    heard = OptOutHeard(event="e:STOP", recipient=WHO, wanted=False, confirmed=True)
    await hear(opened, made, heard, said("Bye bye", keyword="stop"))
    [(there, turns)] = await talks(opened, made)
    assert [turn.kind for turn in turns] == ["text", "opted_out"] and there.desk == ""
    assert await scopes(opened, made) == {"all", "sms"}
    await hear(opened, made, said("Hilfe", keyword="help"))
    [(there, turns)] = await talks(opened, made)
    assert notices(turns) == []


async def test_an_event_alone_that_is_not_confirmed_by_us_makes_no_conversation(opened, made):
    (joined,) = await hear(opened, made, OptOutHeard(event="e", recipient=WHO, wanted=False, confirmed=True))
    assert joined.conversation == "" and await talks(opened, made) == []
    assert await scopes(opened, made) == {"sms"}


async def test_a_wish_is_flagged_and_nothing_else(opened, made):
    await sent(opened, made)
    await hear(opened, made, said("please stop texting me"))
    [(there, turns)] = await talks(opened, made)
    assert there.flags == (WISH,) and turns[0].flags == (WISH,)
    assert there.state is State.OPEN and await scopes(opened, made) == set()
    await hear(opened, made, said("I can't stop by the gate"))
    [(_, turns)] = await talks(opened, made)
    assert turns[-1].flags == ()


async def test_two_nodes_confirm_once(address, clock, made):
    nodes = [await store.open(address, migrate=False, now=clock) for _ in range(2)]
    words = [said(word) for word in ("stop", "STOP", "stop.", "Stop") for _ in range(2)]
    await asyncio.gather(*(hear(nodes[at % 2], made, word) for at, word in enumerate([*words, *words])))
    talk = await talks(nodes[0], made)
    assert sum(len(notices(turns)) for _, turns in talk) == 1
    assert len(talk) == 1 and len([turn for turn in talk[0][1] if turn.by is By.RECIPIENT]) == len(words)
    for node in nodes:
        await node.close()


async def test_a_test_alerts_exchange_stays_in_the_sandbox(opened, made):
    await sent(opened, made, test=True)
    await hear(opened, made, said("help"))
    [(there, _)] = await talks(opened, made)
    assert there.test


# ── what a provider refuses, and who may be answered ────────────────────────────────────────────────────────────────


async def test_a_send_that_is_refused_since_the_recipient_wrote_stop_is_a_no_of_its_channel(opened, made, clock):
    alert = made.alert(recipient=WHO)
    accepted = made.acceptance(alert=alert, attempt=made.attempt(alert, channel="sms"))
    await opened.accept(accepted)
    clock.now += 5
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, reason="opted_out"))
    (row,) = await opened.opt_outs(site=made.site)
    assert row == OptOut(site=made.site, recipient=WHO, scope="sms", at=alert.created, how="provider", by=made.sender)


async def test_so_is_a_receipt_that_says_so_but_not_against_a_later_yes(opened, made, clock):
    alert = await sent(opened, made)
    attempt = (await opened.record(alert.id)).attempts[0].id
    refused = made.receipt(AttemptState.FAILED, attempt=attempt, reason="opted_out")
    clock.now += 5
    await hear(opened, made, said("start"))
    await hear(opened, made, refused)
    assert await scopes(opened, made) == set()
    second = await sent(opened, made)
    attempt = (await opened.record(second.id)).attempts[0].id
    await hear(opened, made, made.receipt(AttemptState.FAILED, attempt=attempt, reason="rejected"))
    assert await scopes(opened, made) == set()
    third = await sent(opened, made)
    attempt = (await opened.record(third.id)).attempts[0].id
    await hear(opened, made, made.receipt(AttemptState.FAILED, attempt=attempt, reason="opted_out"))
    assert await scopes(opened, made) == {"sms"}


async def test_when_the_last_no_was_said(opened, made, clock):
    await site(opened, made, scope=Covers.SKILL)
    await sent(opened, made)
    assert await opened.last_no(made.site, WHO, "sms", "service") is None
    await hear(opened, made, said("stop"))
    clock.now += 50
    await hear(opened, made, said("stop"))
    assert await opened.last_no(made.site, WHO, "sms", "service") == made.now, "the second one counts too"
    assert await opened.last_no(made.site, WHO, "sms", "news") is None
    [(there, _)] = await talks(opened, made)
    assert not may_answer(await opened.last_no(made.site, WHO, "sms", "service"), there.heard)
    clock.now += 1
    await hear(opened, made, said("But where is my bag?"))
    there = (await opened.conversations_of(made.site, WHO))[0]
    assert may_answer(await opened.last_no(made.site, WHO, "sms", "service"), there.heard)
