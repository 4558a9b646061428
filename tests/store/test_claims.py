"""Claims on both engines: used once, by whichever of two callers comes first."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph.core.ports import Accepted, Outcome, Taker
from heliograph.core.states import AlertState, AttemptState


async def test_a_twin_is_told_whose_it_is(opened, made):
    first, twin = made.alert(), made.alert()
    await opened.accept(made.acceptance(made.claim(first, "key", "k", value="hash"), alert=first))
    answer = await opened.accept(made.acceptance(made.claim(twin, "key", "k", value="other"), alert=twin))
    assert answer == Taker(scope="key", owner=first.id, value="hash")
    assert await opened.record(twin.id) is None
    assert await opened.attempt(twin.id) is None


async def test_nothing_of_a_refused_call_is_kept(opened, made):
    """The nonce was granted before the call's claim was found taken: it is free again."""
    first, twin = made.alert(), made.alert()
    await opened.accept(made.acceptance(made.claim(first), alert=first))
    nonce = made.claim(twin, "nonce", "n", value="1")
    assert isinstance(await opened.accept(made.acceptance(nonce, made.claim(twin), alert=twin)), Taker)
    assert await opened.spend((msgspec.structs.replace(nonce, owner="another"),)) is None


async def test_a_claim_of_ones_own_survives_a_refusal(opened, made):
    """A nonce that was spent before is not given back when a later claim of the same call is refused."""
    first, twin = made.alert(), made.alert()
    await opened.accept(made.acceptance(made.claim(first), alert=first))
    nonce = made.claim(twin, "nonce", "n", value="1")
    assert await opened.spend((nonce,)) is None
    assert isinstance(await opened.accept(made.acceptance(nonce, made.claim(twin), alert=twin)), Taker)
    answer = await opened.spend((msgspec.structs.replace(nonce, owner="another"),))
    assert answer == Taker(scope="nonce", owner=twin.id, value="1")


async def test_of_many_twins_at_once_one_is_accepted(opened, made):
    alerts = [made.alert() for _ in range(20)]
    calls = [
        made.acceptance(made.claim(alert, "nonce", f"n{at}", value="1"), made.claim(alert), alert=alert)
        for at, alert in enumerate(alerts)
    ]
    answers = await asyncio.gather(*map(opened.accept, calls))
    assert answers.count(Accepted()) == 1
    owner = alerts[answers.index(Accepted())].id
    assert all(answer == Taker(scope="call", owner=owner, value="") for answer in answers if answer != Accepted())
    assert len(await opened.alerts(site=made.site)) == 1


async def test_a_nonce_is_spent_once(opened, made):
    nonces = [made.claim(made.alert(), "nonce", "n", value="1") for _ in range(10)]
    answers = await asyncio.gather(*(opened.spend((nonce,)) for nonce in nonces))
    assert answers.count(None) == 1
    winner = nonces[answers.index(None)]
    assert await opened.spend((winner,)) is None, "its owner may say so again"
    alert = made.alert()
    nonce = made.claim(alert, "nonce", "n", value="1")
    answer = await opened.accept(made.acceptance(nonce, alert=alert))
    assert answer == Taker(scope="nonce", owner=winner.owner, value="1")


async def test_a_released_call_names_the_former_alert(opened, made):
    first, second, third = made.alert(), made.alert(), made.alert()
    accepted = made.acceptance(made.claim(first), alert=first)
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, end=AlertState.FAILED, release=True))
    assert await opened.accept(made.acceptance(made.claim(second), alert=second)) == Accepted(former=first.id)
    assert (await opened.record(second.id)).alert.former == first.id
    answer = await opened.accept(made.acceptance(made.claim(third), alert=third))
    assert answer == Taker(scope="call", owner=second.id, value="")


async def test_a_released_claim_stays_released_where_its_taker_is_refused(opened, made):
    first, second, third = made.alert(), made.alert(), made.alert()
    accepted = made.acceptance(made.claim(first), alert=first)
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, end=AlertState.FAILED, release=True))
    await opened.spend((made.claim(first, "nonce", "n", value="1"),))
    used = made.claim(second, "nonce", "n", value="1")
    refused = made.acceptance(made.claim(second), used, alert=second)
    assert await opened.accept(refused) == Taker(scope="nonce", owner=first.id, value="1")
    assert await opened.accept(made.acceptance(made.claim(third), alert=third)) == Accepted(former=first.id)


async def test_an_expired_call_is_free_and_names_nobody(opened, made, clock):
    first = made.alert()
    await opened.accept(made.acceptance(made.claim(first, until=clock.now + 1000), alert=first))
    clock.now += 999
    twin = made.alert()
    assert isinstance(await opened.accept(made.acceptance(made.claim(twin), alert=twin)), Taker)
    clock.now += 1
    later = made.alert()
    assert await opened.accept(made.acceptance(made.claim(later), alert=later)) == Accepted()


async def test_keep_re_dates_a_call(opened, made, clock):
    first = made.alert()
    await opened.accept(made.acceptance(made.claim(first, until=clock.now + 1000), alert=first))
    await opened.keep(made.site, first.id, clock.now + 50_000)
    clock.now += 49_999
    twin = made.alert()
    assert isinstance(await opened.accept(made.acceptance(made.claim(twin), alert=twin)), Taker)
    await opened.keep(made.site, first.id, clock.now)
    later = made.alert()
    assert await opened.accept(made.acceptance(made.claim(later), alert=later)) == Accepted()
    await opened.keep(made.site, first.id, clock.now)  # no longer its own: nothing happens
    assert isinstance(await opened.accept(made.acceptance(made.claim(twin), alert=twin)), Taker)


async def test_another_sites_claims_are_its_own(opened, made):
    one, other = made.alert(), made.alert(site="99")
    assert await opened.accept(made.acceptance(made.claim(one), alert=one)) == Accepted()
    assert await opened.accept(made.acceptance(made.claim(other), alert=other)) == Accepted()


async def test_a_purged_nonce_is_never_granted_again(opened, made, clock):
    """Not even when the clock has gone back: every nonce of its time or before is refused."""
    alert = made.alert()
    nonce = made.claim(alert, "nonce", "n", value="1", until=clock.now + 300_000)
    await opened.spend((nonce,))
    assert await opened.purge(clock.now + 299_999) == 0
    assert await opened.purge(clock.now + 300_000) == 1
    again = msgspec.structs.replace(nonce, owner="another")
    assert await opened.spend((again,)) == Taker(scope="nonce", owner="", value="")
    elsewhere = msgspec.structs.replace(again, site="99")
    assert await opened.spend((elsewhere,)) is None
    assert await opened.spend((msgspec.structs.replace(again, until=nonce.until + 1),)) is None
    await opened.purge(0)
    assert isinstance(await opened.spend((msgspec.structs.replace(again, key="other"),)), Taker)


async def test_purge_takes_the_nonces_whose_time_is_over(opened, made, clock):
    """Also where an older timestamp lives longer (the window was longer when it was taken)."""
    alert = made.alert()
    nonces = [
        made.claim(alert, "nonce", f"n{number}", value=str(1_800_000_000 + number), until=clock.now + until)
        for number, until in enumerate((5, 9, 5, 6))
    ]
    assert await opened.spend(tuple(nonces)) is None
    assert await opened.purge(clock.now + 4) == 0
    assert await opened.purge(clock.now + 5) == 2
    assert await opened.purge(clock.now + 5) == 0
    for nonce in nonces:
        again = msgspec.structs.replace(nonce, owner="another")
        owner = alert.id if nonce.until > clock.now + 5 else ""
        assert await opened.spend((again,)) == Taker(scope="nonce", owner=owner, value=nonce.value if owner else "")
    assert await opened.purge(clock.now + 9) == 2


async def test_two_sites_share_a_nonce_but_not_its_claim(opened, made):
    nonce = made.claim(made.alert(), "nonce", "n", value="1")
    assert await opened.spend((nonce,)) is None
    assert await opened.spend((msgspec.structs.replace(nonce, site="99", owner="another"),)) is None
    other = msgspec.structs.replace(nonce, value="2", owner="another")
    assert await opened.spend((other,)) is None, "another timestamp makes it another nonce"


async def test_purge_removes_a_call_that_is_over(opened, made, clock):
    alert = made.alert()
    await opened.accept(made.acceptance(made.claim(alert, until=clock.now), alert=alert))
    assert await opened.purge(clock.now - 1) == 0
    assert await opened.purge(clock.now) == 1


async def test_release_frees_only_ones_own(opened, made, clock):
    first, second = made.alert(), made.alert()
    await opened.accept(made.acceptance(made.claim(first, until=clock.now), alert=first))
    await opened.accept(made.acceptance(made.claim(second), alert=second))
    await opened.outcome(Outcome(site=made.site, alert=first.id, release=True))
    third = made.alert()
    assert isinstance(await opened.accept(made.acceptance(made.claim(third), alert=third)), Taker)
