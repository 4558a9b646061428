"""Erasing a recipient, on both engines: nothing with the number is left in any table, and the no still holds."""

from __future__ import annotations

import asyncio
import sqlite3
from uuid import uuid4

import pytest

from heliograph import store
from heliograph.core.channel import Capability, Reach
from heliograph.core.conversation import By, Turn
from heliograph.core.event import Inbound
from heliograph.core.optout import OptOut, is_erased
from heliograph.core.ports import Accepted, Barred, Erased, Taker, TurnOutcome, Written
from heliograph.core.site import Site
from heliograph.core.states import AttemptState
from heliograph.core.webhook import Webhook
from heliograph.flow import erase
from heliograph.store import erase as rows

WHO, OTHER = "+17703101414", "+12025550123"
KEY = b"k" * 32


async def said(opened, made, text, recipient=WHO, **fields):
    event = Inbound(event=uuid4().hex, recipient=recipient, kind="text", text=text, **fields)
    return await opened.hear(made.site, "sms", made.sender, (event,), made.now)


async def lived(opened, made, recipient, scope="all"):
    """Everything that can be known of somebody."""
    alert = made.alert(recipient=recipient)
    accepted = made.acceptance(alert=alert, attempt=made.attempt(alert, channel="sms"))
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, references=(f"SM{recipient}",)))
    doubtful = made.acceptance(alert=made.alert(recipient=recipient))
    await opened.accept(doubtful)
    await opened.outcome(made.outcome(doubtful, AttemptState.IN_DOUBT))
    await said(opened, made, "Hello?", recipient)
    there = (await opened.conversations_of(made.site, recipient))[0]
    words = Turn(conversation=there.id, site=made.site, number=0, at=made.now, by=By.AGENT, text="Hi.")
    await opened.say(words, now=made.now)
    for sender in ("acme", "other", "third"):
        await opened.keep_capability(made.site, sender, recipient, Capability(reach=Reach.YES, asked=made.now))
    lost = made.receipt(AttemptState.DELIVERED, reference=f"lost{recipient}", sender_of_event=recipient)
    await opened.hear(made.site, "sms", made.sender, (lost,), made.now)
    await opened.put_opt_outs((OptOut(site=made.site, recipient=recipient, scope=scope, at=made.now, how="cli"),))
    return alert


@pytest.fixture
async def hides(opened, made):
    await opened.put_site(Site(id=made.site))
    await opened.put_webhook(Webhook(site=made.site, url="https://brand.example/"))
    opened.hide_by(KEY)
    return opened


async def test_everything_goes_and_the_no_stays(hides, made, clock):
    alert = await lived(hides, made, WHO)
    other = await lived(hides, made, OTHER)
    before = await hides.erasable(made.site, OTHER)
    assert await hides.erasable(made.site, WHO) == before
    gone = await erase.erase(hides, made.site, WHO)
    assert gone == Erased(alerts=2, conversations=1, replies=1, capabilities=3, receipts=1, opt_outs=1)
    assert await hides.erasable(made.site, WHO) == Erased()
    assert await hides.record(alert.id) is None and await hides.inbound(made.site, WHO) == []
    assert await hides.alerts(site=made.site, recipient=WHO) == []
    assert await hides.conversations_of(made.site, WHO) == []
    assert await hides.capability(made.site, "third", WHO) is None
    assert (await hides.loose_ends(made.now + 1))[0].in_doubt == 1, "the other one's"
    assert await hides.erasable(made.site, OTHER) == before and await hides.record(other.id)

    assert await hides.opted_out(made.site, WHO, "service") == {"all"}
    assert isinstance(await hides.accept(made.acceptance(alert=made.alert(recipient=WHO))), Barred)
    (row,) = await hides.opt_outs(site=made.site, erased=True)
    assert is_erased(row.recipient) and (row.scope, row.at, row.how) == ("all", made.now, "cli")
    assert await hides.opt_outs(site=made.site, recipient=WHO) == [row], "found by the number"
    assert [one.recipient for one in await hides.opt_outs(site=made.site)].count(OTHER) == 1


async def test_nothing_is_due_of_who_was_erased(hides, made, clock):
    await lived(hides, made, WHO)
    await erase.erase(hides, made.site, WHO)
    clock.now += 86_400_000 * 30
    for lane in range(4):
        assert await hides.claim_due(clock.now, clock.now + 1, "node", 9, lane=lane) == []


async def test_the_number_is_in_no_table(hides, made, tmp_path, engine, clock):
    if engine != "sqlite":
        pytest.skip("the tables are the same")
    await lived(hides, made, WHO)
    await said(hides, made, "stop")
    file = sqlite3.connect(tmp_path / "heliograph.db")
    held = set(_tables_with(file, WHO))
    assert held >= {"alerts", "journal", "inbound", "conversations", "people", "capabilities", "early", "opt_outs"}
    assert held >= {"outbox", "attempt_references", "claims"}, "the search finds what there is"
    await erase.erase(hides, made.site, WHO)
    assert _tables_with(file, WHO) == []
    file.close()


def _tables_with(file, number):
    found = []
    for (table,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in file.execute(f"SELECT * FROM {table}"):
            held = " ".join(cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell) for cell in row)
            if number in held:
                found.append(table)
    return found


async def test_a_no_that_is_narrower_stays_narrow(hides, made):
    await lived(hides, made, WHO, scope="skill:service")
    await erase.erase(hides, made.site, WHO)
    assert await hides.opted_out(made.site, WHO, "service") == {"all", "skill:service"}
    assert await hides.opted_out(made.site, WHO, "news") == frozenset()
    assert await hides.last_no(made.site, WHO, "sms", "service") == made.now


async def test_what_was_taken_back_is_forgotten(hides, made):
    for wanted, at in ((False, 5), (True, 6)):
        await hides.put_opt_outs((OptOut(site=made.site, recipient=WHO, at=at, wanted=wanted),))
    gone = await erase.erase(hides, made.site, WHO)
    assert gone.opt_outs == 0 and await hides.opt_outs(site=made.site) == []


@pytest.mark.parametrize("way", ["keyword", "api"])
async def test_a_yes_withdraws_what_is_hidden(hides, made, clock, way):
    await lived(hides, made, WHO)
    await erase.erase(hides, made.site, WHO)
    clock.now += 1
    if way == "keyword":
        await said(hides, made, "START")
    else:
        row = OptOut(site=made.site, recipient=WHO, at=made.now, wanted=True, how="api")
        assert await hides.put_opt_outs((row,)) == [Written.CHANGED]
    assert await hides.opted_out(made.site, WHO, "service") == frozenset()
    assert await hides.opt_outs(site=made.site, erased=True) == []
    older = OptOut(site=made.site, recipient=WHO, at=made.now - 1)
    assert await hides.put_opt_outs((older,)) == [Written.NEWER]
    clock.now += 1
    await said(hides, made, "STOP")
    assert await hides.opted_out(made.site, WHO, "service") == {"all"}


async def test_the_no_of_who_was_erased_is_not_written_with_the_number_again(hides, made, clock):
    await lived(hides, made, WHO)
    await erase.erase(hides, made.site, WHO)
    clock.now += 1
    row = OptOut(site=made.site, recipient=WHO, at=made.now, how="file")
    assert await hides.put_opt_outs((row,)) == [Written.UNCHANGED]
    assert [one.recipient == WHO for one in await hides.opt_outs(site=made.site)] == [False]
    earlier = OptOut(site=made.site, recipient=WHO, at=made.now - 1, wanted=True)
    assert await hides.put_opt_outs((earlier,)) == [Written.NEWER], "older than the no that was said again"


async def test_a_list_with_erased_people_comes_back_as_it_was(hides, made):
    await lived(hides, made, WHO)
    await erase.erase(hides, made.site, WHO)
    (row,) = await hides.opt_outs(site=made.site)
    await hides.put_opt_outs((OptOut(site=made.site, recipient=row.recipient, at=made.now + 1, wanted=True),))
    assert await hides.opt_outs(site=made.site) == []
    await hides.put_opt_outs((OptOut(site=made.site, recipient=row.recipient, at=made.now + 2),))
    assert await hides.opted_out(made.site, WHO, "service") == {"all"}


async def test_another_site_and_another_key_find_nobody(hides, made):
    await lived(hides, made, WHO)
    await erase.erase(hides, made.site, WHO)
    (row,) = await hides.opt_outs(site=made.site)
    await hides.put_opt_outs((OptOut(site="2", recipient=row.recipient, at=5),))
    assert await hides.opted_out("2", WHO, "service") == frozenset(), "the site is part of the hash"
    hides.hide_by(b"x" * 32)
    assert await hides.opted_out(made.site, WHO, "service") == frozenset()


async def test_erasing_may_be_broken_off_and_goes_in_bites(hides, made, clock):
    for _ in range(120):
        await hides.accept(made.acceptance(alert=made.alert(recipient=WHO)))
    assert (await hides.erase(made.site, WHO)).alerts == 50
    heard = []
    gone = await erase.erase(hides, made.site, WHO, told=heard.append)
    assert gone.alerts == 70 and [one.alerts for one in heard][:2] == [50, 70]
    assert await erase.erase(hides, made.site, WHO) == Erased()


async def test_receipts_without_an_attempt_are_searched_page_by_page(hides, made):
    lost = [
        made.receipt(AttemptState.SENT, reference=f"r{n:04}", sender_of_event=WHO if n % 2 else OTHER)
        for n in range(1100)
    ]
    await hides.hear(made.site, "sms", made.sender, tuple(lost), made.now)
    assert (await erase.erase(hides, made.site, WHO)).receipts == 550
    assert (await erase.erase(hides, made.site, OTHER)).receipts == 550


async def test_what_is_under_way_when_its_recipient_is_erased(hides, made, clock):
    """The provider's answer, and a receipt, come to an alert that is no longer there."""
    accepted = made.acceptance(alert=made.alert(recipient=WHO))
    await hides.accept(accepted)
    await erase.erase(hides, made.site, WHO)
    assert not await hides.outcome(made.outcome(accepted, references=("SM1",)))
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    (joined,) = await hides.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    assert joined.alert == ""


async def test_a_call_like_an_erased_one_is_a_new_one(hides, made):
    alert = made.alert(recipient=WHO)
    await hides.accept(made.acceptance(made.claim(alert), alert=alert))
    again = made.alert(recipient=WHO)
    assert isinstance(await hides.accept(made.acceptance(made.claim(again), alert=again)), Taker)
    await erase.erase(hides, made.site, WHO)
    assert isinstance(await hides.accept(made.acceptance(made.claim(again), alert=again)), Accepted)


async def test_two_nodes_make_one_key(address, clock):
    class Seals:
        def __init__(self, name):
            self.name = name

        def seal(self, text):
            return f"{self.name}|{text}"

        def open(self, sealed):
            return sealed.partition("|")[2]

        def is_newest(self, sealed):
            return sealed.startswith(self.name + "|")

    nodes = [await store.open(address, migrate=False, now=clock) for _ in range(2)]
    await asyncio.gather(*(erase.open_key(node, Seals("a")) for node in nodes))
    await nodes[0].put_opt_outs((OptOut(site="1", recipient=WHO, at=5),))
    await erase.erase(nodes[0], "1", WHO)
    assert await nodes[1].opted_out("1", WHO, "") == {"all"}
    before = await nodes[0].secret(erase.KEY)
    assert await erase.reseal(nodes[0], Seals("b")) == 1 and await erase.reseal(nodes[1], Seals("b")) == 0
    after = await nodes[0].secret(erase.KEY)
    assert after.startswith("b|") and after[2:] == before[2:], "sealed anew, and the same key"
    for node in nodes:
        await node.close()


async def test_the_providers_names_of_what_agents_wrote_go_too(hides, made, tmp_path, engine):
    if engine != "sqlite":
        pytest.skip("the tables are the same")
    await said(hides, made, "Hello?")
    there = (await hides.conversations_of(made.site, WHO))[0]
    words = Turn(conversation=there.id, site=made.site, number=0, at=made.now, by=By.AGENT, text="Hi.")
    turn = (await hides.say(words, now=made.now)).turn
    named = (f"wamid.{WHO}",)  # as WhatsApp names a message: with the number in it
    outcome = TurnOutcome(
        site=made.site,
        conversation=there.id,
        number=turn.number,
        state=AttemptState.SENT,
        references=named,
        sender=made.sender,
    )
    await hides.turn_outcome(outcome, made.now)
    file = sqlite3.connect(tmp_path / "heliograph.db")
    assert "attempt_references" in _tables_with(file, WHO)
    await erase.erase(hides, made.site, WHO)
    assert _tables_with(file, WHO) == []
    file.close()


async def test_words_that_come_while_a_conversation_is_erased_are_not_left_behind(hides, made):
    """Who writes a turn holds its conversation: erasing waits for that before it looks for turns."""
    await said(hides, made, "Hello?")
    order = []
    steps = rows.bite(made.site, WHO)
    step = next(steps)
    answers = {"erase_conversations": [("there",)]}
    while True:
        order.append(step[0])
        try:
            step = steps.send(answers.get(step[0], []))
        except StopIteration:
            break
    assert order.index("conversation_lock") < order.index("turns_after") < order.index("erase_turns")
