"""Due rows on both engines: one owner at a time, oldest first, and nothing that was asked for is lost."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph.core.ports import Due
from heliograph.core.states import AlertState, AttemptState


async def test_oldest_first_and_each_to_one_node(opened, made, clock):
    for back in (3, 9, 1, 7, 5):
        await opened.push_due(made.due(f"a{back}", at=clock.now - back))
    await opened.push_due(made.due("later", at=clock.now + 1))
    first = await opened.claim_due(clock.now, clock.now + 60_000, "one", 2)
    assert [row.ref for row in first] == ["a9", "a7"]
    assert first[0] == Due(site=made.site, kind="attempt", ref="a9", at=clock.now - 9, lease=clock.now + 60_000)
    assert [row.ref for row in await opened.claim_due(clock.now, clock.now + 60_000, "two", 9)] == ["a5", "a3", "a1"]
    assert await opened.claim_due(clock.now, clock.now + 60_000, "two", 9) == []


async def test_many_nodes_at_once_share_without_overlap(opened, made, clock):
    for number in range(60):
        await opened.push_due(made.due(f"a{number:02}"))
    taken = await asyncio.gather(*(opened.claim_due(clock.now, clock.now + 1000, f"n{n}", 10) for n in range(12)))
    refs = [row.ref for rows in taken for row in rows]
    assert len(refs) == len(set(refs))
    left = await opened.claim_due(clock.now, clock.now + 1000, "rest", 100)
    assert sorted(refs + [row.ref for row in left]) == [f"a{number:02}" for number in range(60)]


async def test_a_lease_that_ended_frees_the_row(opened, made, clock):
    await opened.push_due(made.due("a"))
    await opened.claim_due(clock.now, clock.now + 1000, "dead", 1)
    assert await opened.claim_due(clock.now + 999, clock.now + 9000, "two", 1) == []
    assert await opened.next_due() == clock.now + 1000
    assert [row.ref for row in await opened.claim_due(clock.now + 1000, clock.now + 9000, "two", 1)] == ["a"]


async def test_an_acceptance_is_born_leased(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    assert await opened.claim_due(clock.now + 24_999, clock.now + 90_000, "two", 9) == []
    rows = await opened.claim_due(clock.now + 25_000, clock.now + 90_000, "two", 9)
    assert [row.ref for row in rows] == [accepted.attempt.id]


async def test_broken_leases_free_every_row(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.push_due(made.due("a"))
    await opened.claim_due(clock.now, clock.now + 60_000, "dead", 9)
    await opened.break_leases()
    rows = await opened.claim_due(clock.now, clock.now + 1, "new", 9)
    assert {row.ref for row in rows} == {"a", accepted.attempt.id}


async def test_finish_and_push(opened, made, clock):
    await opened.push_due(made.due("a"))
    await opened.claim_due(clock.now, clock.now + 1000, "one", 1)
    await opened.finish_due(made.site, "attempt", "a")
    assert await opened.next_due() is None
    await opened.push_due(made.due("a", at=clock.now + 500))
    await opened.push_due(msgspec.structs.replace(made.due("a", at=clock.now + 700), tries=3))
    assert await opened.next_due() == clock.now + 700
    (row,) = await opened.claim_due(clock.now + 700, clock.now + 9000, "one", 9)
    assert row.tries == 3


async def test_a_failed_receipt_is_looked_at_once(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, due=(made.due(accepted.attempt.id, at=clock.now + 86_000_000),)))
    await opened.hear(
        made.site, "rcs", made.sender, (made.receipt(AttemptState.EXPIRED, attempt=accepted.attempt.id),), clock.now
    )
    assert [row.ref for row in await opened.claim_due(clock.now, clock.now + 10, "one", 9)] == [accepted.attempt.id]


async def test_a_receipt_in_the_middle_of_the_work_is_not_lost(opened, made, clock):
    """The worker read the attempt before the receipt came: what it writes must not hide that the receipt asks anew."""
    for ending in ("finish", "push", "outcome"):
        accepted = made.acceptance()
        await opened.accept(accepted)
        await opened.break_leases()
        ref = accepted.attempt.id
        await opened.claim_due(clock.now, clock.now + 60_000, "one", 1)
        failed = made.receipt(AttemptState.FAILED, attempt=ref)
        await opened.hear(made.site, "rcs", made.sender, (failed,), clock.now)
        assert await opened.claim_due(clock.now, clock.now + 1, "two", 9) == [], "the lease holds"
        later = made.due(ref, at=clock.now + 80_000_000)
        if ending == "finish":
            await opened.finish_due(made.site, "attempt", ref)
        elif ending == "push":
            await opened.push_due(later)
        else:
            await opened.outcome(made.outcome(accepted, due=(later,)))
        assert [row.ref for row in await opened.claim_due(clock.now, clock.now + 1, "two", 9)] == [ref], ending
        await opened.finish_due(made.site, "attempt", ref)
        assert await opened.next_due() is None, ending


async def test_a_delivery_leaves_nothing_to_do(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.hear(
        made.site, "rcs", made.sender, (made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id),), clock.now
    )
    assert await opened.next_due() is None
    await opened.outcome(made.outcome(accepted, due=(made.due(accepted.attempt.id, at=clock.now + 1000),)))
    assert await opened.next_due() is None, "the outcome comes after its receipt"


async def test_an_ended_alert_is_not_asked_for_again(opened, made, clock):
    accepted = made.acceptance()
    await opened.accept(accepted)
    done = (("attempt", accepted.attempt.id),)
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, end=AlertState.FAILED, done=done))
    await opened.hear(
        made.site, "rcs", made.sender, (made.receipt(AttemptState.EXPIRED, attempt=accepted.attempt.id),), clock.now
    )
    assert await opened.next_due() is None
