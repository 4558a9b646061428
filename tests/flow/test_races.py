"""What two nodes, a crash, an operator and an outage do to one alert at the same time."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.clock import SystemClock
from heliograph.core.channel import Capability, Reach
from heliograph.core.event import OptOutHeard, Receipt
from heliograph.core.ports import Due, Outcome, Record, Taken
from heliograph.core.site import Hours, QuietHours, Sender
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import AlertRefused, Fate
from heliograph.flow import due, leave, send
from heliograph.flow.held import release
from heliograph.flow.leave import Shift
from heliograph.flow.onward import Way
from heliograph.flow.result import Result

FAR = 2**50  # ms: everything is due by then
ALL_DAY = QuietHours(start="00:00", end="23:59", rule=Hours.DELAY)


async def sent(house: House, **more: Any) -> Result:
    return await send.send(ask(**more), (), house.means, request_id=SystemClock().new_id())


async def record(house: House, alert: str) -> Record:
    found = await house.store.record(alert)
    assert found is not None
    return found


async def due_now(house: House, kind: str = "") -> list[Due]:
    return [row for row in await house.store.claim_due(FAR, FAR + 1, "test", 50) if kind in ("", row.kind)]


async def held(house: House) -> Result:
    """An alert that waits for the end of quiet hours, which are then over."""
    await house.set_up(quiet_hours=msgspec.to_builtins(ALL_DAY))
    result = await sent(house)
    if result.kind != "scheduled":
        pytest.skip("it is the one minute of the day without quiet hours")
    await house.set_up()
    return result


async def opt_out(house: House) -> None:
    heard = OptOutHeard(event="stop", recipient="+17703101414", wanted=False)
    await house.store.hear(SITE, "rcs", "a-rcs", (heard,), house.means.clock.now())


async def test_a_node_that_stood_still_past_its_lease_ends_no_alert(house: House) -> None:
    """Another one has its due row by then, and may have begun the next attempt."""
    await house.set_up()
    result = await sent(house)
    attempt = (await record(house, result.alert)).attempts[0]
    no = Receipt(event="no", state=AttemptState.FAILED, attempt=attempt.id, reason="cannot_reach")
    await house.store.hear(SITE, "rcs", "a-rcs", (no,), house.means.clock.now())
    seen = await record(house, result.alert)
    late = Due(site=SITE, kind="attempt", ref=attempt.id, at=0, lease=house.means.clock.now() - 1)
    shift = Shift(row=late, deadline=house.means.clock.loop_time() + 1, patience=1.0, lease=60_000)
    way = Way(why="no_channel_left")
    await leave.stay(seen, seen.attempts[0], way, shift, house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    assert [row.ref for row in await due_now(house, "attempt")] == [attempt.id]
    in_time = msgspec.structs.replace(late, lease=house.means.clock.now() + 60_000)
    await leave.stay(seen, seen.attempts[0], way, msgspec.structs.replace(shift, row=in_time), house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.FAILED


async def test_a_held_alert_is_ended_by_the_node_that_has_its_lease(house: House) -> None:
    result = await held(house)
    await house.store.remove("template", SITE, "delay@1")
    await house.means.registry.refresh(house.store)
    for lease, state in ((-1, AlertState.SCHEDULED), (60_000, AlertState.FAILED)):
        row = Due(site=SITE, kind="alert", ref=result.alert, at=0, lease=house.means.clock.now() + lease)
        deadline = house.means.clock.loop_time() + 1
        await release(Shift(row=row, deadline=deadline, patience=1.0, lease=60_000), house.means)
        assert (await record(house, result.alert)).alert.state is state


async def test_a_stop_lets_what_is_being_handed_over_hear_its_answer(house: House) -> None:
    """Cut off in the middle, an SMS would be in doubt after every restart."""
    result = await held(house)
    await house.store.push_due(Due(site=SITE, kind="alert", ref=result.alert, at=0))
    provider = house.providers["rcs"]
    provider.script = [0.3]
    working = asyncio.ensure_future(due.work(house.means, grace=5.0))
    while not provider.seen:
        await asyncio.sleep(0.01)
    working.cancel()
    await asyncio.wait([working])
    assert (await record(house, result.alert)).attempts[0].state is AttemptState.SENT


async def test_a_held_alert_survives_an_outage_at_its_release(house: House) -> None:
    result = await held(house)
    house.providers["rcs"].script = [refusal(Fate.RETRY, "not_connected")] * 4
    for row in await due_now(house, "alert"):
        await due._do(row, house.means)
    kept = await record(house, result.alert)
    assert (kept.alert.state, kept.attempts[0].state) == (AlertState.SCHEDULED, AttemptState.FAILED)
    assert kept.alert.send_at is not None
    for row in await due_now(house, "alert"):
        await due._do(row, house.means)
    kept = await record(house, result.alert)
    assert (kept.alert.state, [a.number for a in kept.attempts]) == (AlertState.SENT, [1, 2])
    assert len(house.providers["rcs"].delivered) == 1


async def test_a_late_no_of_an_earlier_attempt_does_not_end_what_is_held_again(house: House) -> None:
    result = await held(house)
    house.providers["rcs"].script = [refusal(Fate.RETRY, "not_connected")] * 4
    for row in await due_now(house, "alert"):
        await due._do(row, house.means)
    told = Receipt(event="late", state=AttemptState.EXPIRED, attempt=house.providers["rcs"].seen[0], reason="ttl")
    await house.store.hear(SITE, "rcs", "a-rcs", (told,), house.means.clock.now())
    await due._do(Due(site=SITE, kind="attempt", ref=house.providers["rcs"].seen[0], at=0), house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.SCHEDULED


async def test_a_held_alert_that_is_refused_ends(house: House) -> None:
    result = await held(house)
    house.providers["rcs"].script = [refusal(Fate.PERMANENT, "bad_content")]
    for row in await due_now(house, "alert"):
        await due._do(row, house.means)
    assert (await record(house, result.alert)).alert.state is AlertState.FAILED
    assert await due_now(house) == []


async def test_equal_calls_that_are_refused_at_once_are_both_refused(house: House) -> None:
    await house.set_up()
    no = Capability(reach=Reach.NO, asked=0, reason="cannot_reach")
    waits = iter([0.2, 0.05])

    async def asked(recipient: str, now: int, deadline: float) -> Capability:
        await asyncio.sleep(next(waits))
        return msgspec.structs.replace(no, asked=now)

    house.providers["rcs"].capability = asked  # type: ignore[method-assign]
    both = await asyncio.gather(sent(house), sent(house), return_exceptions=True)
    assert [type(one) for one in both] == [AlertRefused, AlertRefused]


async def test_a_refused_calls_repeat_names_its_former(house: House) -> None:
    await house.set_up()
    await opt_out(house)
    with pytest.raises(AlertRefused) as refused:
        await sent(house)
    heard = OptOutHeard(event="start", recipient="+17703101414", wanted=True)
    await house.store.hear(SITE, "rcs", "a-rcs", (heard,), house.means.clock.now())
    again = await sent(house)
    assert (await record(house, again.alert)).alert.former == refused.value.alert


async def test_pausing_a_sender_leaves_what_was_applied_meanwhile(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.CONFIG, "bad_credentials")]
    new = Sender(site=SITE, name="a-rcs", channel="rcs", provider="scripted", settings={"key": "NEW"})
    await house.store.put_sender(new)  # applied while the old one is still in use
    await sent(house)
    await house.means.settle()
    [sender] = (await house.store.changes(0)).senders
    assert (sender.settings, sender.paused) == ({"key": "NEW"}, "config: bad_credentials")
    await house.store.remove("sender", SITE, "a-rcs")
    await house.store.pause_sender(SITE, "a-rcs", "again")
    assert (await house.store.changes(0)).senders == ()


async def test_a_row_that_breaks_does_not_stop_the_worker(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [60.0]
    first = asyncio.ensure_future(sent(house))
    while not house.providers["rcs"].seen:
        await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await house.store.break_leases()

    async def broken(message: Any, deadline: float) -> Taken:
        raise KeyError("a bug")

    house.providers["rcs"].send = broken  # type: ignore[method-assign]
    worker = asyncio.ensure_future(due.work(house.means))
    await asyncio.sleep(0.3)
    assert not worker.done()
    assert any(said.get("action") == "due.broke" and said["error"] == "KeyError" for said in house.said)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_a_failure_after_a_lost_lease_gives_way_to_the_yes_of_another_node(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.PERMANENT, "late")]
    real = house.store.outcome

    async def slow(outcome: Outcome) -> bool:
        if outcome.state is AttemptState.FAILED:  # meanwhile the other node repeats the id, and is taken
            taken = Outcome(
                site=SITE,
                alert=outcome.alert,
                attempt=outcome.attempt,
                state=AttemptState.SENT,
                raw=b'{"name":"theirs"}',
                references=("theirs",),
            )
            await real(taken)
        return await real(outcome)

    house.store.outcome = slow  # type: ignore[method-assign]
    result = await sent(house)
    assert (result.kind, result.raw) == ("taken", b'{"name":"theirs"}')
    assert (await record(house, result.alert)).alert.state is AlertState.SENT
    assert (await sent(house)).replayed


async def test_a_retry_after_of_nothing_does_not_make_a_hot_loop(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY, "throttled", retry_after=0.0)] * 1000
    await sent(house)
    assert len(house.providers["rcs"].seen) < 30


async def test_a_question_that_hangs_is_an_unknown_and_the_alert_is_sent(house: House) -> None:
    await house.set_up()
    asked: list[float] = []

    async def hangs(recipient: str, now: int, deadline: float) -> Capability:
        asked.append(deadline - asyncio.get_running_loop().time())
        return Capability(reach=Reach.UNKNOWN, asked=now)

    house.means.limits = msgspec.structs.replace(house.means.limits, call_deadline=20.0)
    house.providers["rcs"].capability = hangs  # type: ignore[method-assign]
    assert (await sent(house)).kind == "taken"
    assert asked[0] <= 5.0


async def test_an_opted_out_recipient_is_refused_in_quiet_hours_too(house: House) -> None:
    await held(house)
    await house.set_up(quiet_hours=msgspec.to_builtins(ALL_DAY))
    await opt_out(house)
    with pytest.raises(AlertRefused) as refused:
        await sent(house, external_alert_id="two")
    assert refused.value.code == "opted_out"


async def test_a_message_in_doubt_is_not_repeated_after_an_opt_out(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 30
    result = await sent(house)
    tries = len(house.providers["rcs"].seen)
    await opt_out(house)
    for row in await due_now(house):
        await due._do(row, house.means)
    assert len(house.providers["rcs"].seen) == tries
    assert (await record(house, result.alert)).attempts[0].state is AttemptState.IN_DOUBT


async def test_a_nameless_call_in_doubt_is_not_forgotten_with_its_answer(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.UNKNOWN)] * 4
    first = await sent(house, external_alert_id="")
    await send.answered(first, True, house.means)
    again = await sent(house, external_alert_id="")
    assert (first.kind, again.alert) == ("in_doubt", first.alert)
    assert len(house.providers["rcs"].delivered) == 1


async def test_a_sender_that_cannot_be_opened_is_looked_at_once_a_minute(house: House) -> None:
    await house.set_up()
    house.means.registry._senders[SITE, "a-rcs"] = broken = msgspec.structs.replace(
        house.means.registry._senders[SITE, "a-rcs"], provider=None, fault="config: no key"
    )
    house.means.registry._by_channel[SITE, "rcs"] = (broken,)
    now = house.means.clock.now()
    result = await sent(house)
    assert result.kind == "scheduled" and result.send_at is not None and result.send_at >= now + 60_000


async def test_other_settings_under_the_same_name_begin_with_no_memory(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].reach = Capability(reach=Reach.NO, asked=0, reason="cannot_reach")
    with pytest.raises(AlertRefused):
        await sent(house)
    house.providers["rcs"].reach = Capability(reach=Reach.YES, asked=0)
    mended = Sender(site=SITE, name="a-rcs", channel="rcs", provider="scripted", settings={"agent": "another"})
    await house.store.put_sender(mended)
    await house.means.registry.refresh(house.store)
    assert (await sent(house)).kind == "taken"
