"""A further attempt and a revoke rest on what is so at that moment, on both engines: receipts, opt-outs and other nodes
do not wait for a decision."""

from __future__ import annotations

import pytest

from heliograph.core.event import Entry, Inbound, OptOutHeard
from heliograph.core.optout import OptOut
from heliograph.core.ports import Outcome
from heliograph.core.states import AlertState, AttemptState


@pytest.fixture
async def sent(opened, made):
    """An alert whose attempt was taken: (alert, attempt, an outcome that begins the next one)."""
    alert = made.alert()
    attempt = made.attempt(alert)
    await opened.accept(made.acceptance(alert=alert, attempt=attempt))
    await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=attempt.id, state=AttemptState.SENT))

    def begins(number: int = 2, **more):
        follow = made.attempt(alert, number=number, channel="sms", sender="acme-sms")
        return Outcome(
            site=made.site,
            alert=alert.id,
            attempt=attempt.id,
            next=follow,
            entries=(Entry(at=made.now, kind="left", attempt=attempt.id),),
            **more,
        )

    return alert, attempt, begins


async def states(opened, alert):
    record = await opened.record(alert.id)
    return record.alert.state, [attempt.state for attempt in record.attempts], len(record.entries)


async def test_it_is_written_while_the_alert_is_open_and_nothing_arrived(opened, sent):
    alert, _, begins = sent
    assert await opened.outcome(begins())
    assert (await states(opened, alert))[1] == [AttemptState.SENT, AttemptState.SENDING]


async def test_two_nodes_begin_one_next_attempt(opened, sent):
    alert, _, begins = sent
    assert [await opened.outcome(begins()), await opened.outcome(begins())] == [True, False]
    assert len((await states(opened, alert))[1]) == 2


async def test_none_follows_a_delivery_and_nothing_of_the_outcome_is_written(opened, made, sent):
    alert, attempt, begins = sent
    await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=attempt.id, state=AttemptState.DELIVERED))
    before = await states(opened, alert)
    assert not await opened.outcome(begins(state=AttemptState.REVOKED))
    assert await states(opened, alert) == before


async def test_one_that_asks_for_read_follows_a_delivery_and_no_reading(opened, made, sent):
    alert, attempt, begins = sent
    await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=attempt.id, state=AttemptState.DELIVERED))
    assert await opened.outcome(begins(unless=AlertState.READ))
    await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=attempt.id, state=AttemptState.READ))
    assert not await opened.outcome(begins(3, unless=AlertState.READ))


async def test_none_follows_an_end(opened, made, sent):
    alert, _, begins = sent
    await opened.outcome(Outcome(site=made.site, alert=alert.id, end=AlertState.CANCELLED))
    assert not await opened.outcome(begins())


@pytest.mark.parametrize(("channel", "begun"), [("sms", False), ("rcs", True)])
async def test_none_goes_to_a_channel_that_the_recipient_opted_out_of(opened, made, sent, channel, begun):
    alert, _, begins = sent
    heard = OptOutHeard(event="stop", recipient=alert.recipient, wanted=False)
    await opened.hear(made.site, channel, made.sender, (heard,), made.now)
    assert await opened.outcome(begins()) is begun


@pytest.mark.parametrize(("scope", "begun"), [("skill:service", False), ("skill:offers", True), ("all", False)])
async def test_none_goes_to_a_recipient_who_wants_nothing_of_the_alerts_skill(opened, made, sent, scope, begun):
    alert, _, begins = sent
    await opened.put_opt_outs((OptOut(site=made.site, recipient=alert.recipient, scope=scope, at=made.now),))
    assert await opened.outcome(begins()) is begun


async def test_a_revoke_is_asked_by_one_node_and_not_after_a_delivery(opened, made, sent):
    alert, attempt, _ = sent
    asks = Outcome(site=made.site, alert=alert.id, attempt=attempt.id, revoke_asked=made.now)
    assert [await opened.outcome(asks), await opened.outcome(asks)] == [True, False]
    assert (await opened.attempt(attempt.id)).revoke_asked == made.now
    other = made.attempt(alert, number=2)
    await opened.outcome(Outcome(site=made.site, alert=alert.id, next=other))
    await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=other.id, state=AttemptState.DELIVERED))
    assert not await opened.outcome(Outcome(site=made.site, alert=alert.id, attempt=other.id, revoke_asked=made.now))


async def test_a_failure_that_comes_after_its_lease_is_not_written(opened, made, sent, clock):
    alert, attempt, _ = sent
    late = Outcome(site=made.site, alert=alert.id, attempt=attempt.id, state=AttemptState.FAILED, until=made.now)
    clock.now += 1
    assert not await opened.outcome(late)
    assert (await opened.attempt(attempt.id)).state is AttemptState.SENT


async def test_when_a_recipient_last_wrote_to_a_sender(opened, made, clock):
    who, now = "+17703101414", made.now
    said = [
        Inbound(event="1", recipient=who, kind="text", text="hi", at=now - 90_000),
        Inbound(event="2", recipient=who, kind="tap", at=now - 30_000),
        Inbound(event="3", recipient=who, kind="typing", at=now),
    ]
    await opened.hear(made.site, "wa", "acme-wa", tuple(said), now)
    late = Inbound(event="4", recipient=who, kind="text", text="days ago", at=now - 90_000_000)
    await opened.hear(made.site, "wa", "acme-wa", (late,), now)
    await opened.hear(made.site, "wa", "other", (Inbound(event="5", recipient=who, kind="text", at=now),), now)
    assert await opened.last_inbound(made.site, "acme-wa", who, now - 60_000) == now - 30_000
    assert await opened.last_inbound(made.site, "acme-wa", who, now - 10_000) is None
    assert await opened.last_inbound(made.site, "acme-wa", "+17705550101", 0) is None
