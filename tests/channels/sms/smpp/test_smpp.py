"""A sender against a centre: what is sent, what is heard, and what is true when something breaks."""

from __future__ import annotations

import asyncio
import json

import pytest

from channels.sms.smpp.conftest import NOW, NUMBER, SENDER, message, soon, until
from heliograph import out
from heliograph.channels.sms import smpp, smpp_line, smpp_twin_tell
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_twin_accounts import Account, Options, Ruling
from heliograph.channels.sms.smpp_twin_centre import Delivery
from heliograph.channels.sms.smpp_twin_wire import Pdu
from heliograph.core.event import Inbound, Receipt, UnknownEvent
from heliograph.core.ports import Ways
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError

LONG = "All work and no play {makes} Jack a dull boy. " * 10  # 480 septets


async def refused(sent) -> SendError:
    with pytest.raises(SendError) as caught:
        await sent
    return caught.value


# ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_text_is_taken_and_says_what_it_is(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port, registered_delivery=1)
    taken = await provider.send(message(), soon())
    (there,) = smsc.taken.values()
    assert taken.references == (str(there.id), f"{int(str(there.id), 16)}", f"{there.id:x}")
    assert json.loads(taken.raw) == {"message_id": str(there.id)}
    assert there.text == "Your flight is late."
    submit = there.submit
    assert (submit.source_ton, submit.source_npi, submit.source) == (n.TON_ALPHANUMERIC, n.NPI_UNKNOWN, "ACME")
    assert (submit.destination_ton, submit.destination_npi, submit.destination) == (1, 1, NUMBER[1:])
    assert (submit.registered, submit.data_coding, submit.esm_class) == (1, n.GSM, 0)
    assert submit.validity == "000000010000000R"
    assert taken.exchange.url == f"smpp://127.0.0.1:{smsc.port}"
    assert NUMBER[1:] not in repr(taken.exchange)


@pytest.mark.parametrize("long", ["udh", "sar", "payload"])
@pytest.mark.parametrize("text", [LONG, "ъ" * 66 + "😀" + "ъ" * 200, "é€{" * 200])
async def test_a_long_text_arrives_whole(centre, opened, long, text):
    smsc = await centre()
    provider = await opened(smsc.port, long=long, message_id_base="same")
    taken = await provider.send(message(text), soon())
    assert [there.text for there in smsc.taken.values() if there.text is not None] == [text]
    assert taken.references == tuple(str(there.id) for there in smsc.taken.values())
    assert (len(taken.references) == 1) == (long == "payload")


async def test_latin1_where_it_is_set(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port, latin1=True)
    await provider.send(message("ça va à São João ç ã"), soon())
    await provider.send(message("ã" * 141), soon())
    await provider.send(message("ъ ã"), soon())
    assert [there.submit.data_coding for there in smsc.taken.values()] == [n.LATIN1, n.LATIN1, n.LATIN1, n.UCS2]
    assert [there.text for there in smsc.taken.values()] == ["ça va à São João ç ã", None, "ã" * 141, "ъ ã"]


async def test_what_cannot_be_an_sms_never_leaves(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port)
    for given in (message(""), message(expires=NOW), message(recipient="someone"), message("x" * 153 * 256)):
        error = await refused(provider.send(given, soon()))
        assert error.fate is Fate.PERMANENT
    assert smsc.counts["submits"] == 0


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (n.RINVDSTADR, "invalid_recipient", Fate.NEXT_CHANNEL),
        (n.RINVSRCADR, "sender_not_usable", Fate.CONFIG),
        (n.RSYSERR, "provider_fault", Fate.RETRY),
        (n.RINVMSGLEN, "too_large", Fate.PERMANENT),
        (0x0451, "unknown", Fate.NEXT_CHANNEL),
    ],
)
async def test_a_refusal_is_read_by_the_table(centre, opened, status, code, fate):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(status=status))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate, json.loads(error.raw)["command_status"]) == (code, fate, status)
    assert error.exchange.status == status
    assert NUMBER[1:] not in error.sentence


async def test_a_long_text_that_is_refused_stops_there(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(status=n.RINVDSTADR))
    provider = await opened(smsc.port, window=1)
    error = await refused(provider.send(message(LONG), soon()))
    assert error.fate is Fate.NEXT_CHANNEL
    await asyncio.sleep(0.05)
    assert smsc.counts["submits"] == 1


async def test_a_text_of_which_some_parts_were_taken_is_in_doubt(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(status=0 if submit.octets[5] == 1 else n.RSYSERR))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(LONG), soon()))
    assert (error.code, error.fate) == ("partly_taken", Fate.UNKNOWN)


# ── the line ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("changes", "code"), [({"password": "wrong"}, "credentials_refused"), ({"system_id": "x"}, "credentials_refused")]
)
async def test_a_refused_bind_is_the_senders_fault_until_it_is_taken(centre, opened, changes, code):
    smsc = await centre()
    provider = await opened(smsc.port, wait=False, reconnect_least=0.05, reconnect_most=0.05, **changes)
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate) == (code, Fate.CONFIG)
    assert provider.health()["binds_up"] == 0
    assert "ESME_RINV" in str(provider.health()["last_error"])
    assert provider.trouble().startswith("no bind is up. ") and "Nothing was sent" not in provider.trouble()
    smsc.account = {"acme": Account("wrong"), "x": Account("pw-1")}.get
    await until(lambda: provider.health()["binds_up"] == 1)
    assert provider.trouble() == ""
    await provider.send(message(), soon())


async def test_without_a_centre_nothing_is_sent_and_the_line_comes_back(centre, opened):
    smsc = await centre()
    port = smsc.port
    await smsc.stop()
    provider = await opened(port, wait=False, reconnect_least=0.05, reconnect_most=0.1)
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate) == ("not_connected", Fate.RETRY)
    await centre(port=port)
    await until(lambda: provider.health()["binds_up"] == 1)
    await provider.send(message(), soon())


async def test_a_host_that_may_not_be_spoken_to_is_never_connected_to(opened, heard):
    way_out = out.open(allowed=["sandbox.example"], only_allowed=True)
    provider = smpp.open(
        SENDER,
        smpp.Settings(host="127.0.0.1", system_id="acme"),
        Ways(out=way_out, callback=str, heard=heard),
    )
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate) == ("address_refused", Fate.CONFIG)
    await provider.close()
    await way_out.close()


async def test_the_window_is_kept(centre, opened):
    smsc = await centre(options=Options(window=4), judge=lambda submit, system_id, id: Ruling(delay=0.02))
    provider = await opened(smsc.port, window=4)
    await asyncio.gather(*(provider.send(message(id=f"m-{at}"), soon()) for at in range(20)))
    assert (smsc.counts["taken"], smsc.counts["throttled"]) == (20, 0)


async def test_several_binds_share_the_work(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(delay=0.02))
    provider = await opened(smsc.port, binds=2, window=5)
    sending = [asyncio.ensure_future(provider.send(message(id=f"m-{at}"), soon())) for at in range(10)]
    await asyncio.sleep(0.01)
    assert [bound.submits for bound in smsc.binds] == [5, 5]
    await asyncio.gather(*sending)


async def test_throttled_messages_wait_and_none_is_lost_or_doubled(centre, opened, monkeypatch):
    monkeypatch.setattr(smpp_line, "PAUSE_FIRST", 0.05)
    answered = 0

    def judge(submit, system_id, id):
        nonlocal answered
        answered += 1
        return Ruling(status=(n.RTHROTTLED, n.RMSGQFUL, 0)[answered % 3])

    smsc = await centre(judge=judge)
    provider = await opened(smsc.port, window=10)
    texts = [f"message {at}" for at in range(12)]
    await asyncio.gather(*(provider.send(message(text, id=text), soon(30)) for text in texts))
    assert sorted(there.text for there in smsc.taken.values()) == sorted(texts)
    assert smsc.counts["submits"] > 12


async def test_throttled_until_the_deadline_is_no_failed_try(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(status=n.RTHROTTLED))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon(0.2)))
    assert (error.code, error.fate) == ("throttled", Fate.RETRY)
    assert error.retry_after > 0
    smsc.judge = lambda submit, system_id, id: Ruling()
    await asyncio.sleep(1.3)
    assert smsc.counts["taken"] == 0  # what was given back is not sent behind its caller's back


async def test_the_pace_is_kept(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port, throughput=20)
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(provider.send(message(id=f"m-{at}"), soon()) for at in range(30)))
    assert 0.45 < asyncio.get_running_loop().time() - started < 2


# ── what breaks ─────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_bind_that_breaks_leaves_the_window_in_doubt_and_sends_the_rest_once(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="hang"))
    provider = await opened(smsc.port, window=5, reconnect_least=0.05)
    sending = [asyncio.ensure_future(provider.send(message(f"text {at}", id=f"m-{at}"), soon())) for at in range(12)]
    await until(lambda: smsc.counts["taken"] == 5)
    smsc.judge = lambda submit, system_id, id: Ruling()
    smsc.drop()
    ends = await asyncio.gather(*sending, return_exceptions=True)
    doubts = [end for end in ends if isinstance(end, SendError)]
    assert [(error.code, error.fate) for error in doubts] == [("no_answer", Fate.UNKNOWN)] * 5
    assert len(ends) - len(doubts) == 7
    assert sorted(there.text for there in smsc.taken.values()) == sorted(f"text {at}" for at in range(12))


async def test_one_bind_of_two_breaks(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="hang"))
    provider = await opened(smsc.port, window=3, binds=2, reconnect_least=60, reconnect_most=60)
    sending = [asyncio.ensure_future(provider.send(message(f"text {at}", id=f"m-{at}"), soon(1))) for at in range(6)]
    await until(lambda: smsc.counts["taken"] == 6)
    smsc.judge = lambda submit, system_id, id: Ruling()
    smsc.binds[0].drop()
    last = await provider.send(message("the last", id="m-last"), soon())
    assert last.references
    ends = await asyncio.gather(*sending, return_exceptions=True)
    assert [end.fate for end in ends] == [Fate.UNKNOWN] * 6
    assert smsc.counts["taken"] == 7


async def test_what_waits_when_the_centre_goes_is_tried_later(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="hang"))
    provider = await opened(smsc.port, window=1)
    sending = [asyncio.ensure_future(provider.send(message(id=f"m-{at}"), soon())) for at in range(3)]
    await until(lambda: smsc.counts["taken"] == 1)
    await smsc.stop()
    ends = await asyncio.gather(*sending, return_exceptions=True)
    assert [end.fate for end in ends] == [Fate.UNKNOWN, Fate.RETRY, Fate.RETRY]


async def test_no_answer_until_the_deadline_is_in_doubt_and_a_late_one_settles_it(centre, opened, heard):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(delay=0.3))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon(0.1)))
    assert (error.code, error.fate) == ("no_answer", Fate.UNKNOWN)
    await until(lambda: heard.events)
    (told,) = heard.of(Receipt)
    assert (told.attempt, told.state) == ("m-1", AttemptState.SENT)
    (there,) = smsc.taken.values()
    smsc.receipt(there, "DELIVRD")
    await until(lambda: len(heard.events) == 2)
    assert heard.events[1].attempt == "m-1"


async def test_a_late_refusal_settles_it_too(centre, opened, heard):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(delay=0.3, status=n.RINVDSTADR))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon(0.1)))
    assert error.fate is Fate.UNKNOWN
    await until(lambda: heard.events)
    (told,) = heard.of(Receipt)
    assert (told.attempt, told.state, told.reason) == ("m-1", AttemptState.FAILED, "invalid_recipient")


async def test_a_window_slot_whose_answer_never_comes_is_used_again(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="hang"))
    provider = await opened(smsc.port, window=1, response_timeout=0.2)
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate) == ("no_answer", Fate.UNKNOWN)
    smsc.judge = lambda submit, system_id, id: Ruling()
    await provider.send(message(id="m-2"), soon())


async def test_with_no_time_left_nothing_is_written(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon(0.01)))
    assert (error.code, error.fate) == ("no_time", Fate.RETRY)
    smsc.judge = lambda submit, system_id, id: Ruling(delay=0.1)
    provider = await opened(smsc.port, window=1)
    first = asyncio.ensure_future(provider.send(message(id="m-1"), soon()))
    await until(lambda: smsc.counts["submits"] == 1)
    error = await refused(provider.send(message(id="m-2"), soon(0.05)))
    assert (error.code, error.fate) == ("no_time", Fate.RETRY)
    await first
    assert smsc.counts["submits"] == 1


async def test_a_caller_who_leaves_takes_what_was_not_written_along(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(delay=0.1))
    provider = await opened(smsc.port, window=1)
    first = asyncio.ensure_future(provider.send(message(id="m-1"), soon()))
    second = asyncio.ensure_future(provider.send(message(id="m-2"), soon()))
    await until(lambda: smsc.counts["taken"] == 1)
    second.cancel()
    await first
    await asyncio.sleep(0.15)
    assert smsc.counts["taken"] == 1


async def test_enquire_link_goes_both_ways_and_a_dead_line_is_left(centre, opened):
    smsc = await centre(options=Options(enquire=0.05))
    provider = await opened(smsc.port, enquire_link=0.04, response_timeout=0.2)
    await asyncio.sleep(0.3)
    assert provider.health()["binds_up"] == 1
    (bound,) = smsc.binds
    bound.deaf = True
    await until(lambda: bound not in smsc.binds)
    await until(lambda: provider.health()["binds_up"] == 1)
    assert smsc.binds[0].enquiries >= 0


async def test_a_line_without_traffic_is_kept_by_enquiries(centre, opened):
    smsc = await centre()
    await opened(smsc.port, enquire_link=0.04)
    await until(lambda: smsc.binds[0].enquiries >= 3)


async def test_the_centre_unbinds_and_is_bound_again(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port)
    (bound,) = smsc.binds
    bound.unbind()
    await until(lambda: smsc.binds and smsc.binds[0] is not bound and provider.health()["binds_up"] == 1)
    await provider.send(message(), soon())


async def test_closing_says_good_bye_within_two_seconds(centre, opened):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="hang"))
    provider = await opened(smsc.port)
    sending = asyncio.ensure_future(provider.send(message(), soon()))
    await until(lambda: smsc.counts["taken"])
    started = asyncio.get_running_loop().time()
    await provider.close()
    assert asyncio.get_running_loop().time() - started < 2
    error = await refused(sending)
    assert (error.code, error.fate) == ("no_answer", Fate.UNKNOWN)
    assert asyncio.get_running_loop().time() - started < 2
    error = await refused(provider.send(message(), soon()))
    assert (error.code, error.fate) == ("closed", Fate.RETRY)
    await until(lambda: not smsc.binds)


async def test_new_settings_take_over_where_the_account_has_one_bind(centre, opened, heard):
    smsc = await centre(options=Options(binds=1), judge=lambda submit, system_id, id: Ruling(delay=0.05))
    former = await opened(smsc.port, window=2)
    deliver, smsc.deliver = smsc.deliver, lambda system_id, delivery: held.append(delivery)
    held: list[Delivery] = []
    smsc.say("acme", NUMBER, "ACME", LONG)
    smsc.deliver = deliver
    deliver("acme", held.pop(0))
    await until(lambda: heard.events)
    await former.send(message(LONG, id="m-long"), soon())
    long = list(smsc.taken.values())
    sending = [asyncio.ensure_future(former.send(message(f"text {at}", id=f"m-{at}"), soon())) for at in range(6)]
    await until(lambda: smsc.counts["submits"] == len(long) + 2)
    later = await opened(smsc.port, window=5, address="NEW", wait=False)
    ends = await asyncio.gather(*sending, return_exceptions=True)
    # What was written is answered; what was not may be tried again, and goes by the new settings whoever is asked.
    assert [end.fate for end in ends if isinstance(end, SendError)] == [Fate.RETRY] * 4
    await asyncio.gather(*(former.send(message(f"text {at}", id=f"m-{at}"), soon()) for at in range(2, 6)))
    told = sorted(there.text for there in smsc.taken.values() if there not in long)
    assert told == [f"text {at}" for at in range(6)]
    assert next(reversed(smsc.taken.values())).submit.source == "NEW"
    for there in long:
        smsc.receipt(there, "DELIVRD")
    await until(lambda: len(heard.of(Receipt)) == len(long))
    assert [event.attempt for event in heard.of(Receipt)] == ["m-long"] * len(long)
    assert heard.events[-1].state is AttemptState.DELIVERED
    await former.close()
    assert later.health()["binds_up"] == 1
    for delivery in held:
        deliver("acme", delivery)
    await until(lambda: heard.of(Inbound))
    assert [said.text for said in heard.of(Inbound)] == [LONG]


# ── what is heard ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", ["text", "tlv", "both"])
@pytest.mark.parametrize("ids", ["same", "hex-decimal", "decimal-hex"])
async def test_a_receipt_names_its_message(centre, opened, heard, form, ids):
    smsc = await centre(options=Options(receipts=form, ids=ids))
    provider = await opened(smsc.port)
    taken = await provider.send(message(), soon())
    (there,) = smsc.taken.values()
    smsc.receipt(there, "DELIVRD")
    await until(lambda: smsc.counts["acknowledged"] == 1)
    (told,) = heard.of(Receipt)
    assert told.reference in taken.references
    assert (told.state, told.sender_of_event, told.attempt) == (AttemptState.DELIVERED, NUMBER, "")


async def test_the_way_ids_come_back_is_learned(centre, opened, heard):
    smsc = await centre(options=Options(ids="hex-decimal"))
    provider = await opened(smsc.port)
    for at in range(25):
        taken = await provider.send(message(id=f"m-{at}"), soon())
        smsc.receipt(next(reversed(smsc.taken.values())), "DELIVRD")
        await until(lambda at=at: len(heard.events) == at + 1)
        assert heard.events[-1].reference in taken.references
    assert len(taken.references) == 2  # as it was given, and in decimal


@pytest.mark.parametrize(
    ("stat", "state", "reason"),
    [
        ("ACCEPTD", AttemptState.SENT, ""),
        ("EXPIRED", AttemptState.EXPIRED, "expired"),
        ("UNDELIV", AttemptState.FAILED, "cannot_reach"),
        ("REJECTD", AttemptState.FAILED, "rejected"),
        ("UNKNOWN", AttemptState.SENT, "unknown"),
    ],
)
async def test_the_words_of_receipts(centre, opened, heard, stat, state, reason):
    smsc = await centre()
    provider = await opened(smsc.port)
    await provider.send(message(), soon())
    smsc.receipt(next(iter(smsc.taken.values())), stat)
    await until(lambda: heard.events)
    assert (heard.events[0].state, heard.events[0].reason) == (state, reason)


async def test_why_it_failed_by_the_network_and_by_the_centres_own_table(centre, opened, heard):
    smsc = await centre()
    provider = await opened(smsc.port, errors={"069": "blocked"})
    await provider.send(message(), soon())
    there = next(iter(smsc.taken.values()))
    smsc.receipt(there, "UNDELIV", network=b"\x03\x00\x01")
    await until(lambda: len(heard.events) == 1)
    smsc.receipt(there, "UNDELIV", err="069")
    await until(lambda: len(heard.events) == 2)
    assert [event.reason for event in heard.events] == ["unknown_recipient", "blocked"]
    assert json.loads(bytes(heard.events[1].raw))["err"] == "069"


async def test_an_unknown_word_is_kept(centre, opened, heard):
    smsc = await centre(options=Options(receipts="text"))
    provider = await opened(smsc.port)
    await provider.send(message(), soon())
    smsc.receipt(next(iter(smsc.taken.values())), "WEIRDLY")
    await until(lambda: smsc.counts["acknowledged"] == 1)
    (told,) = heard.of(UnknownEvent)
    assert told.kind == "receipt WEIRDLY"


async def test_a_long_message_is_delivered_with_its_last_part(centre, opened, heard):
    smsc = await centre()
    provider = await opened(smsc.port)
    await provider.send(message(LONG), soon())
    for there in list(smsc.taken.values()):
        smsc.receipt(there, "DELIVRD")
    await until(lambda: len(heard.events) == len(smsc.taken))
    assert [event.state for event in heard.events] == [AttemptState.SENT] * 3 + [AttemptState.DELIVERED]
    assert {event.attempt for event in heard.events} == {"m-1"}


async def test_a_long_message_that_lost_a_part_failed(centre, opened, heard):
    smsc = await centre()
    provider = await opened(smsc.port)
    await provider.send(message(LONG), soon())
    for there, stat in zip(smsc.taken.values(), ("DELIVRD", "UNDELIV", "DELIVRD", "DELIVRD"), strict=True):
        smsc.receipt(there, stat)
    await until(lambda: len(heard.events) == 4)
    assert [(event.state, event.reason) for event in heard.events] == [
        (AttemptState.SENT, ""),
        (AttemptState.FAILED, "part_lost"),
        (AttemptState.SENT, ""),
        (AttemptState.SENT, ""),
    ]


async def test_a_receipt_may_come_before_the_answer(centre, opened, heard):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(first="DELIVRD", delay=0.1))
    provider = await opened(smsc.port)
    taken = await provider.send(message(), soon())
    (told,) = heard.of(Receipt)
    assert told.reference in taken.references


async def test_a_receipt_for_a_message_in_doubt_is_matched_by_the_reference_that_comes_back(centre, opened, heard):
    smsc = await centre(judge=lambda submit, system_id, id: Ruling(end="drop"))
    provider = await opened(smsc.port)
    error = await refused(provider.send(message(), soon()))
    assert error.fate is Fate.UNKNOWN
    await until(lambda: provider.health()["binds_up"] == 1)
    smsc.receipt(next(iter(smsc.taken.values())), "DELIVRD")
    await until(lambda: heard.events)
    (told,) = heard.of(Receipt)
    assert told.attempt == "m-1"
    assert json.loads(bytes(told.raw))["guess"] == "user_message_reference"


async def test_it_is_acknowledged_only_when_it_is_on_disk(centre, opened, heard):
    smsc = await centre(options=Options(again=0.05))
    provider = await opened(smsc.port)
    await provider.send(message(), soon())
    heard.away = 2
    smsc.receipt(next(iter(smsc.taken.values())), "DELIVRD")
    smsc.say("acme", NUMBER, "ACME", "thanks")
    await until(lambda: smsc.counts["acknowledged"] == 2)
    assert smsc.counts["again"] >= 2
    assert len(heard.of(Receipt)) == 1
    assert [said.text for said in heard.of(Inbound)] == ["thanks"]
    heard.pause = 0.1
    smsc.say("acme", NUMBER, "ACME", "and more")
    await asyncio.sleep(0.05)
    assert smsc.counts["acknowledged"] == 2


async def test_many_receipts_share_a_commit(centre, opened, heard):
    smsc = await centre()
    provider = await opened(smsc.port, window=100)
    await asyncio.gather(*(provider.send(message(id=f"m-{at}"), soon()) for at in range(100)))
    heard.pause = 0.02
    for there in list(smsc.taken.values()):
        smsc.receipt(there, "DELIVRD")
    await until(lambda: smsc.counts["acknowledged"] == 100)
    assert len(heard.commits) < 10


@pytest.mark.parametrize("sar", [False, True])
@pytest.mark.parametrize("text", ["Yes please", "Ж" * 150 + "😀" * 50, LONG])
async def test_what_a_person_writes_comes_whole(centre, opened, heard, text, sar):
    smsc = await centre()
    await opened(smsc.port)
    smsc.say("acme", NUMBER, "ACME", text, sar=sar)
    await until(lambda: heard.of(Inbound))
    (said,) = heard.of(Inbound)
    assert (said.recipient, said.kind, said.text) == (NUMBER, "text", text)
    await until(lambda: not smsc.binds[0].unacknowledged)


async def test_a_long_message_that_stays_incomplete_is_given_out_as_it_is(centre, opened, heard):
    smsc = await centre()
    await opened(smsc.port, join_within=0.2)
    deliver, smsc.deliver = smsc.deliver, lambda system_id, body: held.append(body)
    held: list[Delivery] = []
    smsc.say("acme", NUMBER, "ACME", LONG)
    for body in (held[0], held[3]):
        deliver("acme", body)
    await until(lambda: heard.of(Inbound))
    (said,) = heard.of(Inbound)
    assert said.text == LONG[:151] + "…" + LONG[453:] or "…" in said.text
    assert json.loads(bytes(said.raw))["missing_parts"] == 2


async def test_words_that_look_like_a_receipt_are_words(centre, opened, heard):
    smsc = await centre()
    await opened(smsc.port)
    text = "id:1 sub:001 dlvrd:001 submit date:2601010101 done date:2601010101 stat:DELIVRD err:000 text:x"
    smsc.say("acme", NUMBER, "ACME", text)
    await until(lambda: heard.events)
    assert [said.text for said in heard.of(Inbound)] == [text]


async def test_what_comes_again_after_a_break_is_said_once(centre, opened, heard):
    smsc = await centre(options=Options(again=0.05))
    provider = await opened(smsc.port)
    heard.pause = 0.1
    smsc.say("acme", NUMBER, "ACME", "yes")
    await asyncio.sleep(0.03)
    smsc.drop()  # before it could be acknowledged
    await until(lambda: provider.health()["binds_up"] == 1)
    await until(lambda: smsc.counts["acknowledged"] == 1)
    assert [said.text for said in heard.of(Inbound)] == ["yes"]
    smsc.say("acme", NUMBER, "ACME", "yes")
    await until(lambda: len(heard.of(Inbound)) == 2)


async def test_a_repeat_whose_answer_fails_is_still_a_repeat(centre, opened, heard):
    smsc = await centre(options=Options(again=0.05))
    provider = await opened(smsc.port)
    heard.pause = 0.1
    smsc.say("acme", NUMBER, "ACME", "yes")
    await asyncio.sleep(0.03)
    smsc.drop()
    heard.pause = 0.0
    await until(lambda: smsc.binds and heard.of(Inbound))
    heard.away = 1
    smsc.say("acme", "+12025550124", "ACME", "no")  # what it shares its answer with is not written down at once
    await until(lambda: provider.health()["binds_up"] == 1 and smsc.counts["acknowledged"] == 2)
    assert sorted(said.text for said in heard.of(Inbound)) == ["no", "yes"]


async def test_the_same_words_said_again_are_said_twice(centre, opened, heard):
    smsc = await centre()
    await opened(smsc.port)
    smsc.say("acme", NUMBER, "ACME", "yes")
    smsc.say("acme", NUMBER, "ACME", "yes")
    await until(lambda: smsc.counts["acknowledged"] == 2)
    assert [said.text for said in heard.of(Inbound)] == ["yes", "yes"]


async def test_a_pdu_that_is_written_again_is_said_once(centre, opened, heard):
    """A centre that waits too long for its answer writes the PDU again, before or after the answer."""
    smsc = await centre()
    await opened(smsc.port)
    (bound,) = smsc.binds
    body = smpp_twin_tell.said(NUMBER, "ACME", "yes", reference=1, sar=False)[0]
    pdu = Pdu(n.DELIVER_SM, 0, 77, body).packed()
    heard.pause = 0.05
    bound._transport.write(pdu + pdu)
    await until(lambda: heard.of(Inbound))
    bound._transport.write(pdu)
    bound._transport.write(Pdu(n.DELIVER_SM, 0, 78, body).packed())
    await until(lambda: len(heard.of(Inbound)) == 2)
    assert [said.text for said in heard.of(Inbound)] == ["yes", "yes"]


async def test_words_of_nobody_are_kept_as_unknown(centre, opened, heard):
    smsc = await centre()
    await opened(smsc.port)
    smsc.say("acme", "", "ACME", "yes")
    await until(lambda: heard.events)
    assert [(one.kind, json.loads(bytes(one.raw))["text"]) for one in heard.of(UnknownEvent)] == [
        ("message without a source", "yes")
    ]


# ── what is asked ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_query_and_cancel_where_they_are_set(centre, opened):
    smsc = await centre(options=Options(ids="hex-decimal"))
    provider = await opened(smsc.port, query=True, cancel=True)
    assert (provider.can_ask, provider.can_revoke) == (True, True)
    taken = await provider.send(message(LONG), soon())
    receipt = await provider.ask("m-1", taken.references, soon())
    assert (receipt.state, receipt.attempt) == (AttemptState.SENT, "m-1")
    for there in smsc.taken.values():
        there.stat = "DELIVRD"
    assert (await provider.ask("m-1", taken.references, soon())).state is AttemptState.DELIVERED
    assert await provider.ask("m-9", ("77",), soon()) is None
    revoked = await provider.revoke("m-1", NUMBER, soon())
    assert revoked.gone is False
    await provider.send(message("short", id="m-2"), soon())
    assert (await provider.revoke("m-2", NUMBER, soon())).gone is True
    error = await refused(provider.revoke("m-unknown", NUMBER, soon()))
    assert error.code == "unsupported"


async def test_a_centre_that_takes_nothing_back_has_not_said_that_it_was_delivered(centre, opened):
    """Its phone may be off, or have half of the message: that is unknown, and no delivery."""
    smsc = await centre()
    provider = await opened(smsc.port, cancel=True)
    await provider.send(message("short"), soon())
    for there in smsc.taken.values():
        there.stat = "UNDELIV"
    error = await refused(provider.revoke("m-1", NUMBER, soon()))
    assert (error.code, error.fate) == ("rejected", Fate.PERMANENT)
    await provider.send(message(LONG, id="m-2"), soon())
    list(smsc.taken.values())[-1].stat = "DELIVRD"
    assert (await refused(provider.revoke("m-2", NUMBER, soon()))).code == "rejected"
    asks = await opened(smsc.port, cancel=True, query=True)
    await asks.send(message("short", id="m-3"), soon())
    list(smsc.taken.values())[-1].stat = "UNDELIV"
    assert (await refused(asks.revoke("m-3", NUMBER, soon()))).code == "rejected"


async def test_by_default_a_centre_is_asked_nothing(centre, opened):
    smsc = await centre()
    provider = await opened(smsc.port)
    assert (provider.can_ask, provider.can_revoke, provider.asks_capability) == (False, False, False)
    assert await provider.ask("m-1", ("1",), soon()) is None
    assert str((await provider.capability(NUMBER, NOW, soon())).reach) == "unknown"
