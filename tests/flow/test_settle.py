"""What an operator says of an attempt in doubt, and what a server then does with it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.core.event import Receipt
from heliograph.core.ports import Record
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import Fate, SetupError
from heliograph.flow import due, send
from heliograph.flow.settle import settle


async def doubted(house: House, **site: Any) -> Record:
    """An alert whose provider never answered, and cannot be asked again."""
    await house.set_up(**site)
    provider = house.providers["rcs"]
    provider.repeats_are_ignored = False
    provider.script = [refusal(Fate.UNKNOWN, "no_answer")]
    result = await send.send(ask(), (), house.means, request_id=house.means.clock.new_id())
    assert result.kind == "in_doubt"
    return await record(house, result.alert)


async def record(house: House, alert: str) -> Record:
    found = await house.store.record(alert)
    assert found is not None
    return found


async def work(house: House) -> None:
    """What a server does within a second or two."""
    now = house.means.clock.now()
    for row in await house.store.claim_due(now + 1, now + 60_000, "test", 20):
        await due._do(row, house.means)


async def settled(house: House, of: Record, what: Any, by: str = "ann") -> None:
    await settle(of.alert.id, what, house.store, by=by, why="asked them", now=house.means.clock.now())


async def test_settled_as_sent_its_receipt_is_still_heard(house: House) -> None:
    before = await doubted(house)
    await settled(house, before, "sent")
    after = await record(house, before.alert.id)
    assert (after.alert.state, after.attempts[0].state) == (AlertState.SENT, AttemptState.SENT)
    entry = after.entries[-1]
    assert (entry.kind, entry.by) == ("settled", "ann") and b'"why":"asked them"' in bytes(entry.detail)
    await work(house)
    assert len(house.providers["rcs"].seen) == 1


async def test_settled_as_failed_the_server_goes_on(house: House) -> None:
    before = await doubted(house)
    await settled(house, before, "failed")
    await work(house)
    after = await record(house, before.alert.id)
    assert (after.alert.state, after.alert.reason) == (AlertState.FAILED, "settled_failed")


async def test_sent_again_it_is_a_new_attempt_by_the_usual_way(house: House) -> None:
    before = await doubted(house)
    await settled(house, before, "resend")
    await work(house)
    after = await record(house, before.alert.id)
    assert [one.state for one in after.attempts] == [AttemptState.FAILED, AttemptState.SENT]
    assert after.attempts[0].reason == "sent_again"
    assert after.alert.state is AlertState.SENT
    assert len(set(house.providers["rcs"].seen)) == 2


async def test_who_opted_out_meanwhile_is_sent_nothing_again(house: House) -> None:
    from heliograph.core.optout import OptOut

    before = await doubted(house)
    await house.store.put_opt_outs((OptOut(site=SITE, recipient=before.alert.recipient, at=1),))
    await settled(house, before, "resend")
    await work(house)
    after = await record(house, before.alert.id)
    assert (after.alert.state, after.alert.reason) == (AlertState.FAILED, "opted_out")
    assert len(house.providers["rcs"].seen) == 1


async def test_nothing_is_settled_twice_or_past_its_end(house: House) -> None:
    before = await doubted(house)
    with pytest.raises(SetupError) as ended:
        await settle(before.alert.id, "resend", house.store, by="ann", why="", now=before.alert.expires + 1)
    assert ended.value.code == "past_its_end"
    await settled(house, before, "sent")
    with pytest.raises(SetupError) as again:
        await settled(house, before, "failed")
    assert again.value.code == "not_in_doubt"
    with pytest.raises(SetupError) as unknown:
        await settle("no-such", "sent", house.store, by="ann", why="", now=1)
    assert unknown.value.code == "unknown_alert"


async def test_while_a_node_asks_the_provider_nothing_is_settled(house: House) -> None:
    before = await doubted(house)
    now = house.means.clock.now()
    assert await house.store.claim_due(now + 600_000, now + 60_000, "another", 5)
    with pytest.raises(SetupError) as busy:
        await settled(house, before, "resend")
    assert busy.value.code == "being_settled"
    assert (await record(house, before.alert.id)).attempts[0].state is AttemptState.IN_DOUBT


async def test_what_passes_for_sent_by_the_sites_rule_is_still_listed_and_may_be_settled(house: House) -> None:
    house.limits = house.means.limits = msgspec.structs.replace(house.limits, in_doubt_for=0)
    before = await doubted(house)
    await house.means.clock.sleep(0.01)
    row = (await house.store.claim_due(2**50, 2**50 + 1, "test", 5))[0]
    await due._do(msgspec.structs.replace(row, lease=0), house.means)
    assumed = await record(house, before.alert.id)
    assert (assumed.attempts[0].state, assumed.attempts[0].reason) == (AttemptState.SENT, "assumed_sent")
    assert [one.id for one in await house.store.alerts(state="in_doubt")] == [before.alert.id]
    await settled(house, assumed, "resend")
    await work(house)
    after = await record(house, before.alert.id)
    assert [one.state for one in after.attempts] == [AttemptState.FAILED, AttemptState.SENT]
    assert await house.store.alerts(state="in_doubt") == []


async def test_a_receipt_settles_what_passes_for_sent(house: House) -> None:
    house.limits = house.means.limits = msgspec.structs.replace(house.limits, in_doubt_for=0)
    before = await doubted(house)
    await house.means.clock.sleep(0.01)
    row = (await house.store.claim_due(2**50, 2**50 + 1, "test", 5))[0]
    await due._do(row, house.means)
    receipt = Receipt(event="e", state=AttemptState.SENT, attempt=before.attempts[0].id)
    await house.store.hear(SITE, "rcs", "a-rcs", (receipt,), house.means.clock.now())
    after = await record(house, before.alert.id)
    assert (after.attempts[0].state, after.attempts[0].reason) == (AttemptState.SENT, "")
    assert await house.store.alerts(state="in_doubt") == []


async def test_settled_as_failed_the_next_channel_is_tried(house: House) -> None:
    before = await doubted(house, channels=("rcs", "sms"))
    await settled(house, before, "failed")
    await work(house)
    after = await record(house, before.alert.id)
    assert [(one.channel, one.state) for one in after.attempts] == [
        ("rcs", AttemptState.FAILED),
        ("sms", AttemptState.SENT),
    ]
