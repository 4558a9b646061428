"""What providers tell, on both engines: in any order, twice, before our own write, by our id or by theirs."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.core.content import Named, Reply, Text
from heliograph.core.event import Inbound, UnknownEvent
from heliograph.core.ports import Joined, Outcome
from heliograph.core.site import Site
from heliograph.core.states import AlertState, AttemptState, moved, shown

HEARD = [AttemptState.SENT, AttemptState.DELIVERED, AttemptState.READ, AttemptState.FAILED, AttemptState.EXPIRED]


async def hear(store, made, *events, now=None, sender=None, site=None):
    return await store.hear(site or made.site, "rcs", sender or made.sender, events, now or made.now)


async def test_a_receipt_moves_attempt_and_alert(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted))
    raw = msgspec.Raw(b'{"eventType":"DELIVERED","n":12345678901234567890123}')
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id, raw=raw, at=5)
    assert await hear(opened, made, receipt) == [
        Joined(alert=accepted.alert.id, attempt=accepted.attempt.id, state=AttemptState.DELIVERED)
    ]
    record = await opened.record(accepted.alert.id)
    assert (record.alert.state, record.attempts[0].state) == (AlertState.DELIVERED, AttemptState.DELIVERED)
    last = record.entries[-1]
    assert (last.kind, last.by, last.attempt) == ("delivered", "provider", accepted.attempt.id)
    assert b'"raw":{"eventType":"DELIVERED","n":12345678901234567890123}' in bytes(last.detail)


async def test_a_repeated_event_counts_once(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    joined = await hear(opened, made, receipt, receipt)
    assert [one.duplicate for one in joined] == [False, True]
    assert (await hear(opened, made, receipt))[0] == Joined(duplicate=True)
    assert len((await opened.record(accepted.alert.id)).entries) == 2
    assert not (await hear(opened, made, receipt, sender="another"))[0].duplicate, "ids are the sender's own"


async def test_event_ids_are_kept_for_eight_days(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    await hear(opened, made, receipt)
    await opened.purge(made.now + 8 * 86_400_000 - 1)
    assert (await hear(opened, made, receipt))[0].duplicate
    await opened.purge(made.now + 8 * 86_400_000)
    assert not (await hear(opened, made, receipt))[0].duplicate


async def test_a_receipt_before_the_outcome_by_reference(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    early = made.receipt(AttemptState.DELIVERED, reference="SM123")
    assert await hear(opened, made, early) == [Joined()]
    assert (await hear(opened, made, early))[0].duplicate
    await opened.outcome(made.outcome(accepted, references=("SM123",)))
    record = await opened.record(accepted.alert.id)
    assert (record.alert.state, record.attempts[0].state) == (AlertState.DELIVERED, AttemptState.DELIVERED)
    assert [entry.kind for entry in record.entries] == ["accepted", "sent", "delivered"]
    read = made.receipt(AttemptState.READ, reference="SM123")
    assert (await hear(opened, made, read))[0].attempt == accepted.attempt.id


async def test_a_reference_that_holds_our_id_is_found_at_once(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    name = f"phones/+17703101414/agentMessages/{accepted.attempt.id}"
    joined = await hear(opened, made, made.receipt(AttemptState.READ, reference=name))
    assert joined[0].attempt == accepted.attempt.id


async def test_another_site_or_sender_hears_nothing_of_it(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, references=("SM1",)))
    ours = made.receipt(AttemptState.READ, attempt=accepted.attempt.id)
    assert await hear(opened, made, ours, site="99") == [Joined()]
    theirs = made.receipt(AttemptState.READ, reference="SM1")
    assert await hear(opened, made, theirs, sender="another") == [Joined()]
    assert (await opened.record(accepted.alert.id)).alert.state is AlertState.SENT


async def test_outcome_and_receipt_at_the_same_moment(opened, made):
    """Whichever commits first, they are joined."""
    for number in range(15):
        accepted = made.acceptance()
        await opened.accept(accepted)
        reference = f"SM{number}"
        work = [
            opened.outcome(made.outcome(accepted, references=(reference,))),
            hear(opened, made, made.receipt(AttemptState.DELIVERED, reference=reference)),
        ]
        await asyncio.gather(*(work if number % 2 else reversed(work)))
        assert (await opened.record(accepted.alert.id)).alert.state is AlertState.DELIVERED


async def test_receipts_that_nobody_claims_are_forgotten_after_eight_days(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await hear(opened, made, made.receipt(AttemptState.DELIVERED, reference="SM1"))
    assert await opened.purge(made.now + 8 * 86_400_000) == 2
    await opened.outcome(made.outcome(accepted, references=("SM1",)))
    assert (await opened.record(accepted.alert.id)).alert.state is AlertState.SENT


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(order=st.permutations([*range(6)]), states=st.lists(st.sampled_from(HEARD), min_size=5, max_size=5))
def test_any_order_comes_to_what_the_states_say(shared_stores, engine, order, states):
    """Five receipts and the outcome in any order, some by our id, some by reference, against core.states."""
    store, made, run = shared_stores(engine)
    accepted = made.acceptance()
    reference = uuid4().hex

    async def story():
        await store.accept(accepted)
        expected, alert, waiting, named = AttemptState.SENDING, AlertState.SENDING, [], False
        for number in order:
            if number == 5:
                await store.outcome(made.outcome(accepted, references=(reference,)))
                heard, named = [AttemptState.SENT, *waiting], True
            else:
                by_reference = number % 2 == 1
                known = {"reference": reference} if by_reference else {"attempt": accepted.attempt.id}
                await hear(store, made, made.receipt(states[number], **known), now=made.now + number)
                heard = [states[number]]
                if by_reference and not named:
                    waiting, heard = [*waiting, states[number]], []
            for state in heard:
                expected = moved(expected, state)
                alert = shown(alert, (expected,))
            record = await store.record(accepted.alert.id)
            assert record.attempts[0].state is expected
            assert record.alert.state is alert
        assert len(record.entries) == 7, "every receipt is in the timeline"

    run(story())


# ── the recipient's words ───────────────────────────────────────────────────────────────────────────────────────────


def said(made, **fields):
    values = {"event": made.id(), "recipient": "+17703101414", "kind": "text", "text": "thanks", "at": made.now}
    return Inbound(**{**values, **fields})


async def test_words_belong_to_the_newest_alert(opened, made, clock):
    older, newer, other = made.acceptance(), None, None
    await opened.accept(older)
    clock.now += 1000
    newer = made.acceptance()
    await opened.accept(newer)
    clock.now += 1000
    alert = made.alert()
    other = made.acceptance(alert=alert, attempt=made.attempt(alert, sender="acme-sms", channel="sms"))
    await opened.accept(other)
    word = said(made, raw=msgspec.Raw(b'{"text":"thanks"}'))
    (place,) = await hear(opened, made, word)
    assert (place.alert, place.attempt) == (newer.alert.id, newer.attempt.id)
    assert await opened.inbound(made.site, "+17703101414") == [word]
    last = (await opened.record(newer.alert.id)).entries[-1]
    assert (last.kind, last.by) == ("replied", "provider")
    assert msgspec.json.decode(last.detail)["rule"] == "newest"
    (nobody,) = await hear(opened, made, said(made, recipient="+15550000000"))
    assert (nobody.alert, nobody.attempt) == ("", "")
    assert len(await opened.inbound(made.site, "+15550000000")) == 1


async def test_words_that_quote_belong_to_what_they_quote(opened, made, clock):
    older = made.acceptance()
    await opened.accept(older)
    await opened.outcome(made.outcome(older, references=("wamid.1",)))
    clock.now += 1000
    await opened.accept(made.acceptance())
    for quoted in ("wamid.1", older.attempt.id):
        assert (await hear(opened, made, said(made, in_reply_to=quoted)))[0].alert == older.alert.id


async def test_a_tap_belongs_to_the_newest_alert_that_offered_it(opened, made, clock):
    older = made.acceptance()
    await opened.accept(older)
    clock.now += 1000
    alert = made.alert()
    newer = made.acceptance(alert=alert, attempt=made.attempt(alert, content=made.plain("Nothing to tap")))
    await opened.accept(newer)
    joined = await hear(opened, made, said(made, kind="tap", postback="rebook"))
    assert joined[0].alert == older.alert.id
    assert (await hear(opened, made, said(made, kind="tap", postback="unknown")))[0].alert == newer.alert.id


async def test_a_number_is_a_tap_on_the_option_that_it_stands_for(opened, made, clock):
    menu, rebook = Reply(text="See Menu", postback="menu"), Reply(text="Rebook", postback="rebook")
    older_alert = made.alert()
    content = Text(text="Late.\n1. See Menu\n2. Rebook", options=(menu, rebook))
    older = made.acceptance(alert=older_alert, attempt=made.attempt(older_alert, content=content))
    await opened.accept(older)
    await opened.outcome(made.outcome(older, references=("SM1",)))
    clock.now += 1000
    newest = made.acceptance()  # it offers a chip, and no number
    await opened.accept(newest)
    assert (await hear(opened, made, said(made, text="2.")))[0].alert == older_alert.id
    heard = (await opened.inbound(made.site, "+17703101414"))[0]
    assert (heard.kind, heard.text, heard.postback) == ("tap", "Rebook", "rebook")
    last = (await opened.record(older_alert.id)).entries[-1]
    detail = msgspec.json.decode(last.detail)
    assert (last.kind, detail["rule"], detail["said"]) == ("replied", "option", "2.")
    assert detail["event"]["postback"] == "rebook"
    for words, alert, kind in (("SEE MENU", older_alert.id, "tap"), ("3", newest.alert.id, "text")):
        clock.now += 1000
        assert (await hear(opened, made, said(made, text=words)))[0].alert == alert
        assert (await opened.inbound(made.site, "+17703101414"))[0].kind == kind
    clock.now += 1000
    quoting = said(made, text="1", in_reply_to="SM1")
    assert (await hear(opened, made, quoting))[0].alert == older_alert.id
    assert (await opened.inbound(made.site, "+17703101414"))[0].postback == "menu"
    clock.now += 1000
    other = said(made, text="1", in_reply_to=newest.attempt.id)
    assert (await hear(opened, made, other))[0].alert == newest.alert.id, "what is quoted has no such option"
    assert (await opened.inbound(made.site, "+17703101414"))[0].text == "1"


async def test_a_number_is_not_for_an_older_alert_than_one_that_asks_for_it(opened, made, clock):
    alert = made.alert()
    numbered = Text(text="Late.\n1. Yes", options=(Reply(text="Yes", postback="yes"),))
    await opened.accept(made.acceptance(alert=alert, attempt=made.attempt(alert, content=numbered)))
    clock.now += 1000
    other = made.alert()
    asks = made.plain("Reply 1 to confirm.")
    await opened.accept(made.acceptance(alert=other, attempt=made.attempt(other, content=asks)))
    assert (await hear(opened, made, said(made, text="1")))[0].alert == other.id
    assert (await opened.inbound(made.site, "+17703101414"))[0].kind == "text"
    clock.now += 1000
    assert (await hear(opened, made, said(made, text="yes")))[0].alert == alert.id


async def test_a_tap_finds_a_numbered_option_and_a_button_of_a_named_message(opened, made, clock):
    alert = made.alert()
    named = Named(name="delay", shown="Late.", suggestions=(Reply(text="Rebook", postback="again"),))
    named_one = made.acceptance(alert=alert, attempt=made.attempt(alert, content=named))
    await opened.accept(named_one)
    clock.now += 1000
    alert = made.alert()
    numbered = Text(text="1. Yes", options=(Reply(text="Yes", postback="yes"),))
    await opened.accept(made.acceptance(alert=alert, attempt=made.attempt(alert, content=numbered)))
    assert (await hear(opened, made, said(made, kind="tap", postback="again")))[0].alert == named_one.alert.id
    assert (await hear(opened, made, said(made, kind="tap", postback="yes")))[0].alert == alert.id


async def test_words_long_after_belong_to_nobody(opened, made, clock):
    await opened.put_site(Site(id=made.site, look_back=3600))
    await opened.accept(made.acceptance())
    clock.now += 3_600_000
    assert (await hear(opened, made, said(made)))[0].alert
    clock.now += 1
    (place,) = await hear(opened, made, said(made))
    assert (place.alert, place.attempt) == ("", "")


async def test_typing_is_not_in_the_timeline(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    assert (await hear(opened, made, said(made, kind="typing", text="")))[0].alert == accepted.alert.id
    assert len((await opened.record(accepted.alert.id)).entries) == 1


async def test_the_newest_words_come_first(opened, made):
    for number in range(5):
        await hear(opened, made, said(made, text=str(number)), now=made.now + number)
    assert [one.text for one in await opened.inbound(made.site, "+17703101414", 3)] == ["4", "3", "2"]


# ── opt-outs, and what nobody can read ──────────────────────────────────────────────────────────────────────────────


async def test_an_opt_out_and_back(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    recipient = accepted.alert.recipient
    joined = await hear(opened, made, made.opt_out(recipient, at=100))
    assert joined[0].alert == accepted.alert.id
    assert await opened.opted_out(made.site, recipient, "service") == {"rcs"}
    assert await opened.opted_out("99", recipient, "service") == frozenset()
    await hear(opened, made, made.opt_out(recipient, wanted=True, at=200))
    await hear(opened, made, made.opt_out(recipient, at=150))  # older than what is known: kept, and not obeyed
    assert await opened.opted_out(made.site, recipient, "service") == frozenset()
    kinds = [entry.kind for entry in (await opened.record(accepted.alert.id)).entries]
    assert kinds == ["accepted", "opted_out", "resumed", "opted_out"]


async def test_an_opt_out_from_the_future_was_said_now(opened, made, clock):
    """A provider's clock that is ahead, or counts in another unit, must not outdo what is said after it."""
    accepted = made.acceptance()
    await opened.accept(accepted)
    recipient = accepted.alert.recipient
    await hear(opened, made, made.opt_out(recipient, wanted=True, at=made.now * 1000))
    clock.now += 1000
    await hear(opened, made, made.opt_out(recipient, at=made.now))
    assert await opened.opted_out(made.site, recipient, "service") == {"rcs"}


async def test_unknown_and_odd_events_harm_nobody(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    good = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    odd = [
        UnknownEvent(event="u\x00", kind="NEW_THING", raw=msgspec.Raw(b'{"a":1}')),
        UnknownEvent(event="", kind="", raw=msgspec.Raw(b"")),
        UnknownEvent(event="", kind="", raw=msgspec.Raw(b"")),
        made.receipt(AttemptState.READ, reference="x" * 9000),
        made.receipt(AttemptState.READ, attempt="nobody", reference="nul\x00"),
        made.receipt(AttemptState.READ, event="e" * 9000, attempt="\x00"),
        said(made, text="nul \x00 and \U0001f600", recipient="\x00", at=-(2**80)),
        said(made, postback="p" * 9000),
        made.opt_out("+1" * 3000, at=2**80),
        made.receipt(AttemptState.READ),
    ]
    odd.append(
        made.receipt(AttemptState.SENT, attempt=accepted.attempt.id, raw=msgspec.Raw(b"MessageStatus=sent&x=%00"))
    )
    odd.append(made.receipt(AttemptState.SENT, attempt=accepted.attempt.id, raw=msgspec.Raw(b"\xff[" * 9)))
    joined = await hear(opened, made, *odd, good)
    assert len(joined) == len(odd) + 1
    assert joined[-1].state is AttemptState.DELIVERED
    assert not any(one.duplicate for one in joined)
    raws = [msgspec.json.decode(entry.detail).get("raw") for entry in (await opened.record(accepted.alert.id)).entries]
    assert "MessageStatus=sent&x=%00" in raws


async def test_an_event_that_cannot_be_written_stops_no_neighbour(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    broken = said(made, text="half a pair \ud83d")
    good = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    joined = await hear(opened, made, broken, good)
    assert joined[1].state is AttemptState.DELIVERED
    assert (await hear(opened, made, broken))[0].duplicate, "it is kept, as what nobody can read"


async def test_an_outcome_without_receipts_leaves_no_place_held(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, references=("SM1", "SM2")))
    await opened.outcome(
        Outcome(site=made.site, alert=accepted.alert.id, references=("SM1",), attempt=accepted.attempt.id)
    )
    assert (await hear(opened, made, made.receipt(AttemptState.READ, reference="SM2")))[0].alert == accepted.alert.id
