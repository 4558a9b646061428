"""Handing over one attempt: what a provider asks for by Retry-After is waited for and uses up no try."""

from __future__ import annotations

from flow.world import House, ask, refusal
from heliograph.errors import Fate
from heliograph.flow import send


async def test_a_wait_that_the_provider_asks_for_uses_up_no_try(house: House) -> None:
    await house.set_up()
    provider = house.providers["rcs"]
    provider.script = [refusal(Fate.RETRY, "throttled", retry_after=0.05)] * 7
    house.means.limits = type(house.means.limits)(call_deadline=20.0)  # each wait is 0.125 s at least, 0.375 at most
    result = await send.send(ask(), (), house.means, request_id=house.means.clock.new_id())
    assert result.kind == "taken" and len(provider.seen) == 8 and len(set(provider.seen)) == 1


async def test_faults_without_it_use_up_four(house: House) -> None:
    await house.set_up()
    provider = house.providers["rcs"]
    provider.script = [refusal(Fate.RETRY, "provider_fault")] * 7
    house.means.limits = type(house.means.limits)(call_deadline=20.0)
    result = await send.send(ask(), (), house.means, request_id=house.means.clock.new_id())
    assert result.kind == "failed" and result.retryable and len(provider.seen) == 4
