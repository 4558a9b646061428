"""What the brand is told, on both engines: in the transaction of what it tells of, in order, kept until it is taken."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from heliograph import store as stores
from heliograph.core.conversation import By, Closer, Turn
from heliograph.core.event import Inbound
from heliograph.core.optout import OptOut
from heliograph.core.ports import Acceptance, Outcome, Store, TurnOutcome
from heliograph.core.site import Site
from heliograph.core.states import AlertState, AttemptState
from heliograph.core.webhook import NOTHING, TYPES, Event, Webhook
from heliograph.store import alerts, outbox
from heliograph.store.database import Database
from heliograph.store.hidden import nobody
from store.conftest import DAY, Clock, Made

WHO = "+17703101414"


def webhook(made: Made, **more: Any) -> Webhook:
    return Webhook(site=made.site, url="https://crm.acme.example/h", secrets=("sealed:x",), **more)


@pytest.fixture
async def told(opened: Store, made: Made) -> Store:
    """A store whose site has a webhook."""
    await opened.put_site(Site(id=made.site))
    await opened.put_webhook(webhook(made))
    return opened


async def waiting(store: Store, made: Made, subject: str = "") -> list[Event]:
    return await store.events(made.site, state="waiting", subject=subject, limit=1000)


def data(event: Event) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(event.body)
    assert (body["type"], body["data"]["sequence"]) == (event.type, event.number)
    found: dict[str, Any] = body["data"]
    return found


async def says(store: Store, made: Made, text: str = "thanks", **more: Any) -> Any:
    said = Inbound(event=made.id(), recipient=WHO, kind="text", text=text, **more)
    return (await store.hear(made.site, "rcs", made.sender, (said,), made.now))[0]


# ── alerts ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_life_of_an_alert_is_told_in_order(told: Store, made: Made, clock: Clock) -> None:
    long_id = "order " * 60  # longer than what an index takes
    accepted = made.acceptance(alert=made.alert(external_alert_id=long_id))
    await told.accept(accepted)
    clock.now += 10
    await told.outcome(made.outcome(accepted))
    for state in (AttemptState.DELIVERED, AttemptState.SENT, AttemptState.READ):
        receipt = made.receipt(state, attempt=accepted.attempt.id, at=1_800_000_000_005)
        await told.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    events = await waiting(told, made, accepted.alert.id)
    assert [one.type for one in events] == ["alert.accepted", "alert.sent", "alert.delivered", "alert.read"]
    assert [one.number for one in events] == [1, 2, 3, 4]
    first, last = data(events[0]), data(events[-1])
    assert first["state"] == "accepted" and last["state"] == "read"
    same = {"site", "alertId", "externalAlertId", "recipient", "channel", "template", "created"}
    assert {name: first[name] for name in same} == {name: last[name] for name in same}
    assert (last["externalAlertId"], last["recipient"], last["channel"]) == (long_id, WHO, "rcs")
    assert last["providerTime"] == "2027-01-15T08:00:00.005Z"
    assert b"10:30" not in b"".join(one.body for one in events), "values of variables are not repeated"


@pytest.mark.parametrize(
    ("end", "reason"),
    [(AlertState.FAILED, "blocked"), (AlertState.EXPIRED, "no_receipt"), (AlertState.CANCELLED, "")],
)
async def test_an_end_says_its_reason(told: Store, made: Made, end: AlertState, reason: str) -> None:
    accepted = made.acceptance()
    await told.accept(accepted)
    await told.outcome(Outcome(site=made.site, alert=accepted.alert.id, end=end, reason=reason))
    await told.outcome(Outcome(site=made.site, alert=accepted.alert.id, end=end, reason=reason))
    [_, last] = await waiting(told, made, accepted.alert.id)
    assert (last.type, data(last).get("reason", "")) == (f"alert.{end.value}", reason)


async def test_a_failure_by_an_attempts_outcome(told: Store, made: Made) -> None:
    accepted = made.acceptance()
    await told.accept(accepted)
    await told.outcome(made.outcome(accepted, AttemptState.FAILED, reason="blocked", end=AlertState.FAILED))
    last = (await waiting(told, made, accepted.alert.id))[-1]
    assert (last.type, data(last)["reason"]) == ("alert.failed", "blocked")


async def test_held_and_refused(told: Store, made: Made) -> None:
    held = made.alert(state=AlertState.SCHEDULED, send_at=made.now + 3_600_000)
    refused = made.alert(state=AlertState.REFUSED, reason="cap")
    for alert in (held, refused):
        await told.accept(Acceptance(alert=alert, decision=b"{}"))
    events = await waiting(told, made, held.id)
    assert [one.type for one in events] == ["alert.accepted", "alert.scheduled"]
    assert data(events[1])["sendAt"].startswith("2027-01-15T09:00")
    [no] = await waiting(told, made, refused.id)
    assert (no.type, data(no)["reason"]) == ("alert.refused", "cap")


async def test_only_the_types_that_are_wanted_and_they_have_no_gap(told: Store, made: Made) -> None:
    await told.put_webhook(webhook(made, events=("alert.accepted", "alert.delivered")))
    accepted = made.acceptance()
    await told.accept(accepted)
    await told.outcome(made.outcome(accepted))
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    await told.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    events = await waiting(told, made)
    assert [(one.number, one.type) for one in events] == [(1, "alert.accepted"), (2, "alert.delivered")]


async def test_one_transaction_with_what_it_tells_of(told: Store, made: Made) -> None:
    """What undoes the one undoes the other: the verb fails after the event was written, and before."""
    assert isinstance(told, Database)
    accepted = made.acceptance()

    def breaks(acceptance: Acceptance) -> Any:
        yield from alerts.accept(acceptance, nobody)
        raise ArithmeticError("after all of it")

    with pytest.raises(ArithmeticError):
        await told._engine.write(breaks, accepted)
    assert await told.record(accepted.alert.id) is None
    assert await waiting(told, made) == [] and await told.next_due() is None
    await told.accept(accepted)
    assert len(await waiting(told, made)) == 1

    def late(outcome: Outcome) -> Any:
        yield from alerts.outcome(outcome, lambda: made.now, nobody)
        raise ArithmeticError("after all of it")

    with pytest.raises(ArithmeticError):
        await told._engine.write(late, made.outcome(accepted))
    assert [one.type for one in await waiting(told, made)] == ["alert.accepted"]
    assert (await told.record(accepted.alert.id)).alert.state is AlertState.SENDING  # type: ignore[union-attr]


def steps(verb: Any, answers: dict[str, list[Any]]) -> list[str]:
    """The statements that a verb asks for, where these are answered so and all others with no row."""
    asked = []
    try:
        name, _ = next(verb)
        while True:
            asked.append(name)
            name, _ = verb.send(answers.get(name, []))
    except StopIteration:
        return asked


def test_without_a_webhook_the_usual_alert_asks_nothing_more(made: Made) -> None:
    """Statement by statement, as it was before brands were told."""
    claim = made.claim(made.alert())
    accepted = made.acceptance(claim, tell=NOTHING)
    granted = {"claim_new": [()], "alert_taken": [()]}
    usual = ["opt_outs_of", "claim_new", "alert_put", "journal_put", "due_new"]
    assert steps(alerts.accept(accepted, nobody), granted) == usual
    taken = made.outcome(accepted, begun=accepted.attempt, due=accepted.due, tell=NOTHING)
    assert steps(alerts.outcome(taken, lambda: made.now, nobody), granted) == ["alert_taken", "journal_put", "due_put"]
    telling = msgspec.structs.replace(accepted, tell=TYPES)
    assert "outbox_put" in steps(alerts.accept(telling, nobody), {**granted, "outbox_number": [(1,)]})


async def test_a_site_without_a_webhook_writes_no_event(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    for tell in (None, NOTHING):
        accepted = made.acceptance(tell=tell)
        await opened.accept(accepted)
        await opened.outcome(made.outcome(accepted, tell=tell))
    await says(opened, made)
    await opened.put_opt_outs((OptOut(site=made.site, recipient=WHO, at=1),))
    assert await waiting(opened, made) == []
    assert await opened.claim_due(made.now, made.now + 1000, "n", 50, 3) == []


# ── opt-outs, replies, conversations ────────────────────────────────────────────────────────────────────────────────


async def test_an_opt_out_is_told_once_and_so_is_its_withdrawal(told: Store, made: Made, clock: Clock) -> None:
    no = OptOut(site=made.site, recipient=WHO, scope="wa", at=1000, how="cli", by="ann")
    yes = msgspec.structs.replace(no, at=2000, wanted=True)
    await told.put_opt_outs((no, no, yes, yes))
    await told.hear(made.site, "wa", made.sender, (made.opt_out(WHO, at=3000),), made.now)
    events = await waiting(told, made)
    assert [(one.type, data(one)["how"]) for one in events] == [
        ("opt_out.added", "cli"),
        ("opt_out.removed", "cli"),
        ("opt_out.added", "provider"),
    ]
    assert [one.number for one in events] == [1, 2, 3]
    first = data(events[0])
    assert (first["recipient"], first["scope"], first["since"]) == (WHO, "wa", "1970-01-01T00:00:01.000Z")
    assert not any(digits in events[0].id for digits in (WHO, WHO[1:])), "an id holds no number"


async def test_a_conversation_is_told_from_reply_to_close(told: Store, made: Made) -> None:
    accepted = made.acceptance(alert=made.alert(external_alert_id="order-1"))
    await told.accept(accepted)
    joined = await says(told, made, "Can I rebook?", in_reply_to=accepted.attempt.id)
    id = joined.conversation
    answer = Turn(conversation=id, site=made.site, number=0, at=made.now, by=By.AGENT, text="Yes.", author="Ann")
    said = (await told.say(answer, agent="ann", now=made.now)).turn
    assert said is not None
    for state in (AttemptState.SENDING, AttemptState.SENT):
        await told.turn_outcome(TurnOutcome(site=made.site, conversation=id, number=said.number, state=state), made.now)
    receipt = made.receipt(AttemptState.DELIVERED, attempt=said.id)
    await told.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    await told.close_conversation(made.site, id, Closer.AGENT, "Ann", made.now)
    events = await waiting(told, made, id)
    assert [one.type for one in events] == [
        "conversation.opened",
        "reply.received",
        "conversation.answered",
        "turn.sent",
        "turn.delivered",
        "conversation.closed",
    ]
    assert [one.number for one in events] == [1, 2, 3, 4, 5, 6]
    for event in events:
        about = data(event)
        assert (about["conversationId"], about["alertId"], about["externalAlertId"], about["recipient"]) == (
            id,
            accepted.alert.id,
            "order-1",
            WHO,
        )
    reply, answered, sent, closed = (data(events[n]) for n in (1, 2, 3, 5))
    assert reply["turn"] == {"number": 1, "by": "recipient", "kind": "text", "text": "Can I rebook?", "rule": "quoted"}
    assert (answered["turn"]["text"], answered["turn"]["author"]) == ("Yes.", "Ann")
    assert (sent["turn"], sent["state"]) == ({"number": said.number}, "sent")
    assert (closed["state"], closed["closedBy"]) == ("closed", "agent")
    read = made.receipt(AttemptState.READ, attempt=accepted.attempt.id)
    await told.hear(made.site, "rcs", made.sender, (read,), made.now)
    assert data((await waiting(told, made, accepted.alert.id))[-1])["conversationId"] == id


async def test_replies_at_the_same_moment_have_one_order(told: Store, made: Made) -> None:
    await asyncio.gather(*(says(told, made, f"word {n}") for n in range(12)))
    events = [one for one in await waiting(told, made) if one.type == "reply.received"]
    assert len({one.subject for one in events}) == 1
    assert sorted(one.number for one in events) == list(range(2, 14))
    turns = [data(one)["turn"]["number"] for one in sorted(events, key=lambda one: one.number)]
    assert turns == sorted(turns)


async def test_a_stop_is_a_reply_and_an_opt_out_and_no_conversation(told: Store, made: Made) -> None:
    accepted = made.acceptance()
    await told.accept(accepted)
    await says(told, made, "STOP")
    types = [one.type for one in await waiting(told, made) if not one.type.startswith("alert.")]
    assert sorted(types) == ["opt_out.added", "reply.received"]
    assert await told.conversations_of(made.site, WHO) != []


async def test_with_an_erased_recipient_go_his_events(told: Store, made: Made) -> None:
    accepted, other = made.acceptance(), made.acceptance(alert=made.alert(recipient="+17705550101"))
    for one in (accepted, other):
        await told.accept(one)
    await says(told, made)
    await told.put_opt_outs((OptOut(site=made.site, recipient=WHO, at=1),))
    await told.hide_opt_outs(made.site, WHO)
    while (await told.erase(made.site, WHO)).alerts:
        pass
    left = await waiting(told, made)
    assert [one.subject for one in left] == [other.alert.id]
    assert await claimed(told, made) == [other.alert.id]
    assert not any(WHO.encode() in one.body for one in left)


# ── posting them ────────────────────────────────────────────────────────────────────────────────────────────────────


async def claimed(store: Store, made: Made) -> list[str]:
    rows = await store.claim_due(made.now, made.now + 60_000, "n", 50, 3)
    assert all(row.kind == "webhook" for row in rows)
    return [row.ref for row in rows]


async def two(store: Store, made: Made) -> tuple[Acceptance, Event]:
    """An alert with two events, and the first of them."""
    accepted = made.acceptance()
    await store.accept(accepted)
    await store.outcome(made.outcome(accepted))
    first = await store.next_event(made.site, accepted.alert.id)
    assert first is not None and first.number == 1
    return accepted, first


async def test_one_at_a_time_and_the_last_one_ends_the_due_row(told: Store, made: Made) -> None:
    accepted, first = await two(told, made)
    assert await claimed(told, made) == [accepted.alert.id]
    second = await told.event_taken(first, made.now)
    assert second is not None and (second.number, second.type) == (2, "alert.sent")
    assert second.id == f"msg_{accepted.alert.id}_2"
    assert await told.event_taken(second, made.now) is None
    assert await told.next_event(made.site, accepted.alert.id) is None
    await told.break_leases()
    assert await claimed(told, made) == []


async def test_one_that_comes_while_another_is_posted_is_not_forgotten(told: Store, made: Made) -> None:
    """Whichever commits first: the poster is given it, or its due row is there for the next."""
    for turn in range(20):
        accepted, first = await two(told, made)
        await claimed(told, made)
        second = await told.event_taken(first, made.now)
        assert second is not None
        receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
        work: list[Any] = [
            told.event_taken(second, made.now),  # its last, as far as the poster knows
            told.hear(made.site, "rcs", made.sender, (receipt,), made.now),
        ]
        done = await asyncio.gather(*(work if turn % 2 else reversed(work)))
        due = await claimed(told, made)
        assert any(isinstance(one, Event) for one in done) or due == [accepted.alert.id], "nobody would look at it"
        await told.break_leases()
        while due := await claimed(told, made):
            event = await told.next_event(made.site, due[0])
            while event is not None:
                event = await told.event_taken(event, made.now)


async def test_what_failed_waits_and_what_comes_meanwhile_waits_behind_it(
    told: Store, made: Made, clock: Clock
) -> None:
    accepted, first = await two(told, made)
    await claimed(told, made)
    await told.event_failed(first, "it answered 503", made.now + 5000)
    receipt = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    await told.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    assert await claimed(told, made) == [], "a new event does not shorten the pause"
    clock.now += 5000
    assert await claimed(told, made) == [accepted.alert.id]
    again = await told.next_event(made.site, accepted.alert.id)
    assert again is not None and (again.number, again.tries, again.why) == (1, 1, "it answered 503")
    assert (again.id, again.body) == (first.id, first.body)


async def test_one_that_was_given_up_lets_the_next_one_go(told: Store, made: Made) -> None:
    _, first = await two(told, made)
    second = await told.event_given_up(first, "it answered 400", made.now)
    assert second is not None and second.number == 2
    [lost] = await told.events(made.site, state="failed")
    assert (lost.id, lost.why, lost.body) == (first.id, "it answered 400", first.body)
    [counts] = await told.waiting_events((made.site,))
    assert (counts.waiting, counts.failed, counts.oldest) == (1, 1, made.now)


async def test_posted_again_by_name_or_all_that_was_given_up(told: Store, made: Made, clock: Clock) -> None:
    _, first = await two(told, made)
    second = await told.event_given_up(first, "gone", made.now)
    assert second is not None
    await told.event_taken(second, made.now)
    assert await told.waiting_events((made.site,)) != []
    clock.now += 1000
    assert await told.replay_events(made.site, (), made.now - DAY, made.now) == 1
    assert await told.replay_events(made.site, (), made.now - DAY, made.now) == 0
    assert await told.replay_events(made.site, (second.id, "msg_none_7", "nonsense"), 0, made.now) == 1
    assert await claimed(told, made) == [first.subject]
    again = await told.next_event(made.site, first.subject)
    assert again is not None and (again.id, again.tries, again.since) == (first.id, 0, made.now)


async def test_purged_when_they_have_served_and_numbers_go_on(told: Store, made: Made, clock: Clock) -> None:
    accepted, first = await two(told, made)
    second = await told.event_given_up(first, "gone", made.now)
    assert second is not None
    await told.event_taken(second, made.now)
    await told.purge(made.now + outbox.KEPT_TAKEN - 1)
    assert len(await told.events(made.site, subject=accepted.alert.id)) == 2
    await told.purge(made.now + outbox.KEPT_TAKEN)
    assert [one.state for one in await told.events(made.site, subject=accepted.alert.id)] == ["failed"]
    await told.purge(made.now + outbox.KEPT_FAILED)
    assert await told.events(made.site, subject=accepted.alert.id) == []
    receipt = made.receipt(AttemptState.READ, attempt=accepted.attempt.id)
    await told.hear(made.site, "rcs", made.sender, (receipt,), made.now)
    assert [one.number for one in await waiting(told, made)] == [3]
    await told.purge(made.now + 300 * DAY)
    assert [one.number for one in await waiting(told, made)] == [3], "what nobody took is not purged"


# ── the webhook itself ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_disabled_for_the_address_that_said_so_and_enabled_with_all_that_waits(
    told: Store, made: Made, clock: Clock
) -> None:
    accepted, first = await two(told, made)
    url = webhook(made).url
    assert not await told.switch_webhook(made.site, "https://another.example/", "it answered 410")
    assert await told.switch_webhook(made.site, url, "it answered 410")
    assert not await told.switch_webhook(made.site, url, "it answered 410")
    [there] = (await told.changes(0)).webhooks
    assert (there.disabled, there.disabled_at) == ("it answered 410", made.now)
    await told.events_later(made.site, first.subject, made.now + 76 * 3_600_000)
    clock.now += 1000
    assert await claimed(told, made) == []
    assert await told.switch_webhook(made.site, "", "")
    assert await claimed(told, made) == [accepted.alert.id]


async def test_another_address_is_tried_at_once_and_the_same_again_is_no_change(told: Store, made: Made) -> None:
    _, first = await two(told, made)
    await told.event_failed(first, "no answer", made.now + 300_000)
    assert not await told.put_webhook(webhook(made))
    assert await claimed(told, made) == []
    moved = msgspec.structs.replace(webhook(made), url="https://new.acme.example/h")
    assert await told.put_webhook(moved)
    assert await claimed(told, made) == [first.subject]
    assert await told.remove("webhook", made.site, made.site)
    assert (await told.changes(0)).webhooks == ()


async def test_a_second_process_sees_it(told: Store, made: Made, address: str) -> None:
    other = await stores.open(address, migrate=False)
    accepted = made.acceptance()
    await other.accept(accepted)  # it knows nothing of the site: the store looks it up
    await other.close()
    assert [one.type for one in await waiting(told, made)] == ["alert.accepted"]
