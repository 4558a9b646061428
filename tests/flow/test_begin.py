"""An alert whose caller does not wait: it is told of once it is on disk, and followed to its end by whoever lives."""

from __future__ import annotations

import asyncio

import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.core.ports import Record
from heliograph.core.states import AlertState
from heliograph.errors import AlertRefused, Fate, FieldFaults
from heliograph.flow import due
from heliograph.flow.begin import begin, outcome
from heliograph.flow.once import KeyReused
from heliograph.flow.result import Result


async def begun(house: House, **more: object) -> Result:
    return await begin(ask(**more), (), house.means, request_id=house.means.clock.new_id())


async def record(house: House, alert: str) -> Record:
    found = await house.store.record(alert)
    assert found is not None
    return found


async def test_it_is_on_disk_before_anybody_is_told_and_goes_on_behind(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [0.3]
    result = await begun(house)
    assert (result.kind, result.channel) == ("begun", "rcs")
    assert (await record(house, result.alert)).alert.state is AlertState.SENDING
    assert not house.providers["rcs"].delivered
    found = await outcome(result.alert, house.means, 2.0)
    assert found is not None and found.alert.state is AlertState.SENT


async def test_a_crash_after_the_answer_loses_nothing_and_sends_once(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [30.0]
    result = await begun(house)
    while not house.providers["rcs"].seen:
        await asyncio.sleep(0.01)
    for task in [*house.means._behind]:
        task.cancel()  # the process is gone
    await asyncio.sleep(0)
    reborn = house.another_node()
    await reborn.registry.refresh(house.store)
    await house.store.break_leases()
    assert await due.once(reborn) == 1
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    assert len(set(house.providers["rcs"].seen)) == len(house.providers["rcs"].delivered) == 1
    await reborn.settle()


async def test_what_may_still_work_is_held_and_sent_later(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY)] * 4
    result = await begun(house)
    found = await outcome(result.alert, house.means, 10.0)
    assert found is not None and found.alert.state is AlertState.SCHEDULED
    [row] = await house.store.claim_due(2**50, 2**51, "test", 10)
    await due._do(row, house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    assert len(house.providers["rcs"].delivered) == 1


async def test_a_repeat_is_told_of_the_first_at_once_whatever_its_state(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [0.5]
    first = await begun(house, idempotency_key="k")
    again = await begun(house, idempotency_key="k")
    assert (again.alert, again.replayed) == (first.alert, True)
    await house.means.settle()
    assert (await begun(house, idempotency_key="k")).alert == first.alert
    with pytest.raises(KeyReused):
        await begun(house, idempotency_key="k", external_alert_id="another")
    assert len(house.providers["rcs"].seen) == 1


async def test_what_is_refused_is_told_and_leaves_nothing_behind(house: House) -> None:
    await house.set_up()
    with pytest.raises(FieldFaults):
        await begun(house, template="no")
    house.plug.faults = ["The text is too long."]
    with pytest.raises(FieldFaults):
        await begun(house)
    house.plug.faults = []
    registry = house.means.registry
    for opened in list(registry.all_senders()):
        registry._remove("sender", SITE, opened.sender.name)
    with pytest.raises(AlertRefused):
        await begun(house)
    await house.means.settle()
    assert [line for line in house.said if line["level"] == "error"] == []
