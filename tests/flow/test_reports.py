"""What a node says of its senders: at once where it changed, seldom where not, and what its metrics show."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec

from flow.world import SITE, House
from heliograph.core.event import Receipt, UnknownEvent
from heliograph.core.ports import Heard
from heliograph.core.states import AttemptState
from heliograph.flow import reports
from heliograph.flow.receive import receive


async def test_a_node_reports_what_changed_and_keeps_its_counts_of_loose_ends(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    means = house.means
    task = asyncio.ensure_future(reports.tell(means, every=0.02))
    try:
        await asyncio.sleep(0.1)
        first = {one.sender: one for one in await house.store.sender_reports(0)}
        assert {one.state for one in first.values()} == {"closed"} and set(first) == {"a-rcs", "a-sms"}
        health = means.healths.of(SITE, "a-rcs")
        for _ in range(5):
            health.bad(means.clock.now())
        await house.store.hear(SITE, "rcs", "a-rcs", (Receipt(event="e", state=AttemptState.READ, reference="r"),), 1)
        await asyncio.sleep(0.1)
        second = {one.sender: one for one in await house.store.sender_reports(0)}
        assert second["a-rcs"].state == "open" and second["a-rcs"].next_try > means.clock.now()
        assert second["a-sms"] == first["a-sms"]  # unchanged: not written again
        assert means.loose_ends[SITE, "a-rcs"].unmatched == 1
    finally:
        task.cancel()


async def test_a_paused_sender_is_reported_with_its_reason(house: House) -> None:
    await house.set_up()
    await house.store.pause_sender(SITE, "a-rcs", "review", "ann")
    await house.means.registry.refresh(house.store)
    opened = house.means.registry.sender(SITE, "a-rcs")
    assert opened is not None
    told = reports.report(opened, house.means, house.means.clock.now())
    assert (told.state, told.why, told.next_try) == ("paused", "review", 0)


async def test_a_line_that_is_down_is_told_before_a_hand_over_fails(house: House) -> None:
    await house.set_up()
    opened = house.means.registry.sender(SITE, "a-rcs")
    assert opened is not None
    down = SimpleNamespace(trouble=lambda: "no bind is up")
    told = reports.report(msgspec.structs.replace(opened, provider=down), house.means, house.means.clock.now())
    assert (told.state, told.why) == ("closed", "no bind is up")
    assert reports.report(opened, house.means, house.means.clock.now()).why == ""


async def test_words_that_nobody_knows_are_counted_by_their_kind_alone(house: House) -> None:
    await house.set_up()
    opened = house.means.registry.sender(SITE, "a-rcs")
    assert opened is not None
    events = (
        UnknownEvent(event="1", kind="A_NEW_WORD"),
        Receipt(event="2", state=AttemptState.FAILED, reference="r", reason="unknown"),
        Receipt(event="3", state=AttemptState.FAILED, reference="r", reason="blocked"),
    )
    for _ in range(2):  # delivered twice by the provider
        await receive(opened, Heard(events=events), house.means)
    words = [line for line in house.meters.lines if line[0] == "unknown_word"]
    assert words == [("unknown_word", "scripted", "event"), ("unknown_word", "scripted", "reason")]
