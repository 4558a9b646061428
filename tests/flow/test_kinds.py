"""An attempt of a test key's stays in the sandbox through everything that may follow its plan."""

from __future__ import annotations

import msgspec
import pytest

from flow.world import SITE, House, ask, refusal
from heliograph.core.ports import Due
from heliograph.core.site import Kind, Sender
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import AlertRefused, Fate
from heliograph.flow.follow import follow_up
from heliograph.flow.leave import Shift
from heliograph.flow.registry import OpenSender
from heliograph.flow.send import send


def _is_sandbox(house: House, sandbox: bool) -> None:
    registry = house.means.registry
    [opened] = registry.all_senders()
    registry._senders[SITE, "a-rcs"] = msgspec.structs.replace(opened, sandbox=sandbox)
    registry._index(SITE)


async def test_a_test_alert_is_marked_and_so_is_its_attempt(house: House) -> None:
    await house.set_up()
    _is_sandbox(house, True)
    result = await send(ask(kind=Kind.TEST), (), house.means, request_id=house.means.clock.new_id())
    record = await house.store.record(result.alert)
    assert record is not None and record.alert.test and record.attempts[0].test
    live = await send(ask(), (), house.means, request_id=house.means.clock.new_id())
    assert live.alert != result.alert and not live.replayed  # the same call, and another alert


async def test_what_was_in_doubt_is_not_repeated_outside(house: House) -> None:
    await house.set_up()
    _is_sandbox(house, True)
    provider = house.providers["rcs"]
    provider.script = [refusal(Fate.UNKNOWN)] * 9
    result = await send(ask(kind=Kind.TEST), (), house.means, request_id=house.means.clock.new_id())
    assert result.kind == "in_doubt"
    _is_sandbox(house, False)  # the sender was applied anew with a provider's own address
    seen = len(provider.seen)
    record = await house.store.record(result.alert)
    assert record is not None
    [attempt] = record.attempts
    row = Due(site=SITE, kind="attempt", ref=attempt.id, at=0)
    deadline = house.means.clock.loop_time() + 1.0
    await follow_up(Shift(row=row, deadline=deadline, patience=1.0, lease=60_000), house.means)
    assert len(provider.seen) == seen
    record = await house.store.record(result.alert)
    assert record is not None
    assert (record.alert.state, record.attempts[0].state) == (AlertState.SENDING, AttemptState.IN_DOUBT)
    [opened] = house.means.registry.all_senders()
    assert opened.sender == Sender(site=SITE, name="a-rcs", channel="rcs", provider="scripted")  # and not paused


async def test_the_plan_passes_over_senders_of_real_providers(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    registry = house.means.registry
    sms: OpenSender = next(one for one in registry.all_senders() if one.sender.channel == "sms")
    registry._senders[SITE, sms.sender.name] = msgspec.structs.replace(sms, sandbox=True)
    registry._index(SITE)
    result = await send(ask(kind=Kind.TEST), (), house.means, request_id=house.means.clock.new_id())
    assert (result.kind, result.channel) == ("taken", "sms")
    assert house.providers["rcs"].seen == [] and house.providers["rcs"].questions == 0


async def test_what_was_sent_inside_is_neither_asked_for_nor_revoked_outside(house: House) -> None:
    """Whatever follows an attempt up gets its sender from `sender_of`."""
    await house.set_up()
    _is_sandbox(house, True)
    registry = house.means.registry
    for kind in (Kind.TEST, Kind.LIVE):
        result = await send(ask(kind=kind), (), house.means, request_id=house.means.clock.new_id())
        record = await house.store.record(result.alert)
        assert record is not None
        [attempt] = record.attempts
        _is_sandbox(house, True)
        inside = registry.sender_of(attempt)
        _is_sandbox(house, False)
        outside = registry.sender_of(attempt)
        assert inside is not None and outside is not None and inside.provider is not None
        assert (outside.provider is None) is (kind is Kind.TEST)
        _is_sandbox(house, True)
    registry._remove("sender", SITE, "a-rcs")
    assert registry.sender_of(attempt) is None


async def test_what_a_test_key_sends_fills_no_cap_of_live_alerts_nor_the_other_way(house: House) -> None:
    await house.set_up(cap={"count": 1})
    _is_sandbox(house, True)
    for kind in (Kind.TEST, Kind.LIVE):
        name = f"first {kind}"
        assert (
            await send(ask(kind=kind, external_alert_id=name), (), house.means, request_id=_id(house))
        ).kind == "taken"
        with pytest.raises(AlertRefused) as refused:
            await send(ask(kind=kind, external_alert_id=f"second {kind}"), (), house.means, request_id=_id(house))
        assert refused.value.code == "cap"


def _id(house: House) -> str:
    return house.means.clock.new_id()
