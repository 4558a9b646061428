"""One alert from call to answer: every row of the outcome table, the same call again, and what a crash leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.clock import SystemClock
from heliograph.core.channel import Capability, Reach
from heliograph.core.event import OptOutHeard, Receipt
from heliograph.core.ports import Claim, Record
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import AlertRefused, Fate, FieldFaults, StoreAway
from heliograph.flow import due, send
from heliograph.flow.result import Result


def sent(house: House, claims: tuple[Claim, ...] = (), **more: Any) -> Awaitable[Result]:
    return send.send(ask(**more), claims, house.means, request_id=SystemClock().new_id())


def nonce(word: str) -> Claim:
    return Claim(site=SITE, scope="nonce", key=word, until=2**50, owner=SystemClock().new_id())


async def record(house: House, alert: str) -> Record:
    found = await house.store.record(alert)
    assert found is not None
    return found


async def test_taken(house: House) -> None:
    await house.set_up()
    result = await sent(house)
    kept = await record(house, result.alert)
    assert (result.kind, result.channel) == ("taken", "rcs")
    assert result.raw == kept.attempts[0].raw == b'{"name":"%s"}' % kept.attempts[0].id.encode()
    assert kept.alert.state is AlertState.SENT
    assert [entry.kind for entry in kept.entries] == ["accepted", "sent"]
    assert b'"why":"chosen"' in kept.decision


async def test_the_intent_is_on_disk_before_the_provider_is_called(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [0.3]
    work = asyncio.ensure_future(sent(house))
    while not house.providers["rcs"].seen:
        await asyncio.sleep(0.01)
    attempt = await house.store.attempt(house.providers["rcs"].seen[0])
    assert attempt is not None and attempt.state is AttemptState.SENDING
    await work


async def test_refused_by_the_provider(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.PERMANENT, "bad_content")]
    result = await sent(house)
    kept = await record(house, result.alert)
    assert (result.kind, result.code, result.retryable) == ("failed", "bad_content", False)
    assert result.provider_raw == b'{"error":{}}'
    assert (kept.alert.state, kept.alert.reason) == (AlertState.FAILED, "bad_content")


async def test_a_failure_before_acceptance_is_tried_again_with_the_same_id(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY), refusal(Fate.RETRY), None]
    assert (await sent(house)).kind == "taken"
    assert len(house.providers["rcs"].seen) == 3
    assert len(set(house.providers["rcs"].seen)) == 1


async def test_unreachable_for_good_is_a_failure_that_may_be_repeated(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY, "refused_connection")] * 9
    result = await sent(house)
    assert (result.kind, result.retryable) in [("failed", True), ("not_sent", True)]
    assert (await record(house, result.alert)).alert.state is AlertState.FAILED


async def test_throttled_for_longer_than_the_caller_waits_is_said_at_once(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY, "throttled", retry_after=60.0)]
    began = asyncio.get_running_loop().time()
    result = await sent(house)
    assert (result.kind, result.code, result.retryable) == ("failed", "throttled", True)
    assert asyncio.get_running_loop().time() - began < 1.0


async def test_a_lost_answer_is_settled_by_the_same_id_within_the_call(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN), None]
    assert (await sent(house)).kind == "taken"
    assert len(house.providers["rcs"].delivered) == 1


async def test_no_word_in_time_is_in_doubt_and_settled_later(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 30
    result = await sent(house)
    assert (result.kind, result.code, result.retryable) == ("in_doubt", "in_doubt", False)
    kept = await record(house, result.alert)
    assert kept.attempts[0].state is AttemptState.IN_DOUBT
    house.providers["rcs"].script = []
    row = (await house.store.claim_due(2**50, 2**51, "test", 10))[0]
    await due._do(row, house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    assert len(house.providers["rcs"].delivered) == 1


async def test_a_receipt_settles_what_is_in_doubt(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 30
    result = await sent(house)
    attempt = house.providers["rcs"].seen[0]
    now = house.means.clock.now()
    await house.store.hear(
        SITE, "rcs", "a-rcs", (Receipt(event="e1", state=AttemptState.DELIVERED, attempt=attempt),), now
    )
    assert (await record(house, result.alert)).alert.state is AlertState.DELIVERED


async def test_a_receipt_that_says_no_ends_the_alert(house: House) -> None:
    await house.set_up()
    result = await sent(house)
    told = Receipt(event="e1", state=AttemptState.EXPIRED, attempt=house.providers["rcs"].seen[0], reason="ttl")
    await house.store.hear(SITE, "rcs", "a-rcs", (told,), house.means.clock.now())
    assert await due.once(house.means) == 1
    kept = await record(house, result.alert)
    assert (kept.alert.state, kept.alert.reason) == (AlertState.EXPIRED, "ttl")


async def test_the_next_channel_is_tried_when_this_one_says_no(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "cannot_reach")]
    result = await sent(house)
    kept = await record(house, result.alert)
    assert (result.kind, result.channel) == ("taken", "sms")
    assert [(a.channel, a.state) for a in kept.attempts] == [
        ("rcs", AttemptState.FAILED),
        ("sms", AttemptState.SENT),
    ]
    assert kept.alert.state is AlertState.SENT


async def test_a_forced_channel_has_no_fallback(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "cannot_reach")]
    assert (await sent(house, channel="rcs")).kind == "failed"
    assert not house.providers["sms"].seen


async def test_an_attempt_in_doubt_is_not_followed_by_another_channel(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 30
    assert (await sent(house)).kind == "in_doubt"
    assert not house.providers["sms"].seen


async def test_cannot_reach_is_refused_and_stored(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].reach = Capability(reach=Reach.NO, asked=0, reason="cannot_reach")
    with pytest.raises(AlertRefused) as refused:
        await sent(house)
    assert refused.value.sentence == "Failed Compatibility Check"
    assert (await record(house, refused.value.alert)).alert.state is AlertState.REFUSED
    assert not house.providers["rcs"].seen


async def test_a_create_that_cannot_reach_overwrites_the_cached_yes(house: House) -> None:
    await house.set_up()
    assert (await sent(house)).kind == "taken"
    house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "cannot_reach")]
    assert (await sent(house, external_alert_id="two")).kind == "failed"
    with pytest.raises(AlertRefused):
        await sent(house, external_alert_id="three")
    assert house.providers["rcs"].questions == 1


async def test_opted_out_is_refused_inside_the_transaction(house: House) -> None:
    await house.set_up()
    heard = OptOutHeard(event="stop", recipient="+17703101414", wanted=False)
    await house.store.hear(SITE, "rcs", "a-rcs", (heard,), house.means.clock.now())
    with pytest.raises(AlertRefused) as refused:
        await sent(house)
    assert refused.value.code == "opted_out"
    assert not house.providers["rcs"].seen


async def test_content_that_does_not_fit_is_a_fault_of_the_variables(house: House) -> None:
    await house.set_up()
    house.plug.faults = ["text is 4000 characters, RCS allows 3072"]
    with pytest.raises(FieldFaults) as fault:
        await sent(house)
    assert "4000" in fault.value.fields["variables"]


async def test_a_paused_sender_holds_the_alert_and_sends_it_later(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.CONFIG, "bad_credentials")]
    assert (await sent(house)).kind == "failed"
    await house.means.settle()
    await house.means.registry.refresh(house.store)
    result = await sent(house, external_alert_id="two")
    assert result.kind == "scheduled" and result.send_at is not None
    house.means.healths.of(SITE, "a-rcs")._probed = 0  # its minute is over
    row = next(row for row in await house.store.claim_due(2**50, 2**51, "test", 10) if row.kind == "alert")
    await due._do(row, house.means)
    await house.means.settle()
    await house.means.registry.refresh(house.store)
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    opened = house.means.registry.sender(SITE, "a-rcs")
    assert opened is not None and opened.sender.paused == ""


async def test_three_marked_recipients_in_a_row_pause_the_sender(house: House) -> None:
    await house.set_up()
    for n in range(3):
        house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "sender_not_allowed")]
        assert (await sent(house, phone=f"770310141{n}")).kind == "failed"
    await house.means.settle()
    await house.means.registry.refresh(house.store)
    opened = house.means.registry.sender(SITE, "a-rcs")
    assert opened is not None and opened.sender.paused.startswith("config")


# ── the same call again ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_call_again_is_one_alert(house: House) -> None:
    await house.set_up()
    first, again = await sent(house), await sent(house)
    assert (again.alert, again.raw, again.replayed) == (first.alert, first.raw, True)
    assert len(house.providers["rcs"].seen) == 1


async def test_a_repeat_is_given_the_first_answer_whatever_the_rules_say_today(house: House) -> None:
    await house.set_up(cap={"count": 1})
    first = await sent(house)
    with pytest.raises(AlertRefused) as refused:
        await sent(house, external_alert_id="two")
    assert refused.value.code == "cap"
    recent = await house.store.count_alerts(SITE, "+17703101414", 0)
    assert recent == 1, "the refused one does not count"
    again = await sent(house)
    assert (again.alert, again.replayed) == (first.alert, True)
    heard = OptOutHeard(event="stop", recipient="+17703101414", wanted=False)
    await house.store.hear(SITE, "rcs", "a-rcs", (heard,), house.means.clock.now())
    house.plug.faults = ["too long"]
    assert (await sent(house)).alert == first.alert
    assert len(house.providers["rcs"].seen) == 1


async def test_a_refused_call_holds_nothing(house: House) -> None:
    await house.set_up()
    house.plug.faults = ["too long"]
    with pytest.raises(FieldFaults):
        await sent(house)
    house.plug.faults = []
    assert (await sent(house)).kind == "taken"


async def test_twenty_twins_at_once_are_one_alert(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [0.2]
    results = await asyncio.gather(*(sent(house) for _ in range(20)))
    assert len({result.alert for result in results}) == 1
    assert sorted(result.replayed for result in results) == [False] + [True] * 19
    assert len(house.providers["rcs"].seen) == 1


async def test_one_id_for_two_passengers_is_two_alerts(house: House) -> None:
    await house.set_up()
    assert (await sent(house)).alert != (await sent(house, phone="7703101415")).alert


async def test_after_a_settled_failure_the_repeat_is_a_new_alert_that_names_the_former(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.PERMANENT)]
    first = await sent(house)
    again = await sent(house)
    assert again.kind == "taken" and again.alert != first.alert
    assert (await record(house, again.alert)).alert.former == first.alert


async def test_without_an_id_a_repeat_after_the_answer_is_a_new_alert(house: House) -> None:
    await house.set_up()
    first = await sent(house, external_alert_id="")
    await send.answered(first, True, house.means)
    await house.means.settle()
    assert (await sent(house, external_alert_id="")).alert != first.alert


async def test_without_an_id_a_repeat_after_a_lost_answer_is_the_same_call(house: House) -> None:
    await house.set_up()
    first = await sent(house, external_alert_id="")
    await send.answered(first, False, house.means)
    await house.means.settle()
    again = await sent(house, external_alert_id="")
    assert (again.alert, again.replayed) == (first.alert, True)


async def test_a_call_that_the_store_could_not_forget_is_the_same_call(house: House) -> None:
    await house.set_up()
    first = await sent(house, external_alert_id="")
    open_store = house.means.store
    await open_store.close()
    with pytest.raises(StoreAway):
        await send.answered(first, True, house.means)
    assert not house.means.forgotten


async def test_an_idempotency_key_with_another_body_is_refused(house: House) -> None:
    await house.set_up()
    first = await sent(house, idempotency_key="k1")
    assert (await sent(house, idempotency_key="k1")).alert == first.alert
    with pytest.raises(send.KeyReused):
        await sent(house, idempotency_key="k1", variables={"Time": "8 pm"})


async def test_a_used_nonce_is_refused_and_a_replay_spends_its_own(house: House) -> None:
    await house.set_up()
    await sent(house, (nonce("a"),))
    with pytest.raises(send.NonceUsed):
        await sent(house, (nonce("a"),), external_alert_id="two")
    assert (await sent(house, (nonce("b"),))).replayed
    with pytest.raises(send.NonceUsed):
        await sent(house, (nonce("b"),))


async def test_a_faulty_call_spends_its_nonce(house: House) -> None:
    await house.set_up()
    with pytest.raises(FieldFaults):
        await sent(house, (nonce("c"),), template="none")
    with pytest.raises(send.NonceUsed):
        await sent(house, (nonce("c"),))


# ── what a crash leaves ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_was_under_way_at_a_crash_is_resumed_with_the_same_id(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [60.0]
    work = asyncio.ensure_future(sent(house))
    while not house.providers["rcs"].seen:
        await asyncio.sleep(0.01)
    alert = next(iter(house.means.under_way))
    for task in (house.means.under_way[alert], work):
        task.cancel()
    await asyncio.gather(work, return_exceptions=True)
    reborn = house.another_node()
    await reborn.registry.refresh(house.store)
    assert await due.once(reborn) == 0, "its lease is not over: another node must not take it yet"
    await house.store.break_leases()
    assert await due.once(reborn) == 1
    assert (await record(house, alert)).alert.state is AlertState.SENT
    assert len(set(house.providers["rcs"].seen)) == 1
    await reborn.settle()


async def test_a_provider_that_does_not_ignore_repeats_is_left_in_doubt(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].repeats_are_ignored = False
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)]
    result = await sent(house)
    assert result.kind == "in_doubt"
    for row in await house.store.claim_due(2**50, 2**51, "test", 10):
        await due._do(row, house.means)
    assert len(house.providers["rcs"].seen) == 1
    assert (await record(house, result.alert)).attempts[0].state is AttemptState.IN_DOUBT


async def test_nothing_is_sent_after_the_end_of_an_alert(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 30
    result = await sent(house, time_to_live=1)
    await asyncio.sleep(1.1)
    tries = len(house.providers["rcs"].seen)
    for row in await house.store.claim_due(2**50, 2**51, "test", 10):
        await due._do(row, house.means)
    assert len(house.providers["rcs"].seen) == tries
    assert (await record(house, result.alert)).alert.state is AlertState.EXPIRED
