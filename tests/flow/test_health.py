"""The breaker of a sender by itself, in virtual time, and in the story: switching, waiting, coming back by and by."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flow.world import SITE, House, Scripted, ask, refusal
from heliograph.core.choice import in_order
from heliograph.core.intake import hold
from heliograph.core.plan import decide
from heliograph.core.site import Sender
from heliograph.errors import Fate
from heliograph.flow import due, facts, health, send
from heliograph.flow.health import Health, Rules, State
from heliograph.flow.registry import OpenSender, Registry

RULES = Rules()
T = 1_800_000_000_000


def opened(now: int = T) -> Health:
    one = Health(RULES)
    for _ in range(health.IN_A_ROW):
        one.bad(now)
    assert one.state(now) is State.OPEN
    return one


# ── by itself ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_paused_sender_remembers_no_more_recipients_than_it_needs() -> None:
    one = Health(RULES)
    assert [one.marked(f"+1770555{n:04}") for n in range(50)] == [False] * 2 + [True] * 48
    assert len(one._marked) == health.MARKS


def test_faults_in_a_row_open_it_once() -> None:
    one = Health(RULES)
    told = [one.bad(T + n) for n in range(7)]
    assert told == [False] * 4 + [True] + [False] * 2
    assert one.why == "5 hand-overs in a row failed"


def test_a_share_of_faults_opens_it_and_a_smaller_one_does_not() -> None:
    one, other = Health(RULES), Health(RULES)
    for n in range(40):
        one.bad(T + n) if n % 2 else one.good(T + n)
        other.bad(T + n) if n % 3 == 0 else other.good(T + n)
    assert one.state(T + 40) is State.OPEN and "of 10 hand-overs failed" in one.why
    assert other.state(T + 40) is State.CLOSED


def test_what_is_older_than_the_window_counts_no_more() -> None:
    one = Health(RULES)
    for n in range(4):
        one.bad(T + n)
    one.good(T + 5)
    for n in range(5):
        one.bad(T + RULES.window + 1000 + n)
        one.good(T + RULES.window + 1000 + n)
    assert one.counts(T + RULES.window + 2000) == (5, 5)
    assert one.counts(T + 3 * RULES.window) == (0, 0)


def test_one_alert_at_a_time_tries_an_open_one_after_its_pause() -> None:
    one = opened()
    assert not one.may_probe("a", T + RULES.pause - 1, paused=False)
    after = T + RULES.pause
    assert one.state(after) is State.HALF_OPEN
    assert one.may_probe("look", after, paused=False, take=False)  # looking takes no turn
    assert one.may_probe("a", after, paused=False)
    assert not one.may_probe("b", after + 1, paused=False)
    assert one.may_probe("a", after + 1, paused=False)  # the same alert, decided anew
    assert one.may_probe("b", after + health.PROBE_LEASE, paused=False)  # a was never heard of again


def test_a_failed_return_doubles_the_pause_up_to_the_longest() -> None:
    one, now, pauses = opened(), T, []
    for _ in range(8):
        until = one.open_until(now)
        pauses.append(until - now)
        now = until
        assert one.bad(now)
    assert pauses == [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000]


def test_a_pause_that_is_set_longer_than_the_longest_is_kept() -> None:
    one = Health(msgspec.structs.replace(RULES, pause=900_000))
    for _ in range(health.IN_A_ROW):
        one.bad(T)
    assert one.state(T + 899_999) is State.OPEN and not one.may_probe("a", T + 899_999, paused=False)
    assert one.may_probe("a", T + 900_000, paused=False)


def test_a_success_that_began_before_the_opening_does_not_close_it() -> None:
    one = opened()
    assert not one.good(T + 10)
    assert one.state(T + 11) is State.OPEN


def test_it_comes_back_by_a_growing_share_of_recipients_who_then_stay() -> None:
    one = opened()
    back = T + RULES.pause
    assert one.good(back)
    people = [f"+1202555{n:04}" for n in range(1000)]
    served: set[str] = set()
    shares = []
    for second in (0, 15, 30, 45, 60):
        now = back + second * 1000
        admitted = {who for who in people if one.admits("s", who, now)}
        assert served <= admitted
        served = admitted
        shares.append(round(len(admitted) / len(people), 1))
    assert shares == [0.1, 0.3, 0.5, 0.8, 1.0]
    assert one.state(back + 30_000) is State.HALF_OPEN
    one.good(back + RULES.back)
    assert one.state(back + RULES.back) is State.CLOSED


def test_two_faults_on_the_way_back_open_it_again_and_longer() -> None:
    one = opened()
    back = T + RULES.pause
    one.good(back)
    assert [one.bad(back + 1), one.bad(back + 2)] == [False, True]
    assert one.open_until(back) - (back + 2) == 2 * RULES.pause


def test_after_a_quiet_while_the_pause_is_short_again() -> None:
    one = opened()
    one.good(T + RULES.pause)
    one.good(T + RULES.pause + RULES.back)
    for n in range(health.IN_A_ROW):
        one.bad(T + 200_000 + n)
    assert one.open_until(0) == T + 200_004 + RULES.pause


def test_those_who_wait_are_looked_at_one_after_the_other() -> None:
    one = opened()
    people = [f"+1202555{n:04}" for n in range(200)]
    moments = [one.again("s", who, T) for who in people]
    assert min(moments) >= T + RULES.pause and max(moments) <= T + RULES.pause * 3 // 2
    assert len(set(moments)) > 150
    back = T + RULES.pause
    one.good(back)
    for who in people:
        if not one.admits("s", who, back):
            assert one.admits("s", who, one.again("s", who, back))


@given(st.lists(st.tuples(st.sampled_from(["good", "bad", "probe"]), st.integers(-100_000, 400_000)), max_size=200))
def test_whatever_happens_it_can_always_be_tried_again(steps: list[tuple[str, int]]) -> None:
    """Also where the clock goes back: no sender is lost for longer than the longest pause and a probe's time."""
    one, now = Health(RULES), T
    for what, wait in steps:
        now = max(1, now + wait)
        if what == "probe":
            one.may_probe("x", now, paused=False)
        else:
            getattr(one, what)(now)
        assert 0 <= one.share(now) <= 1
        assert sum(one.counts(now)) <= 200
    late = now + RULES.longest + health.PROBE_LEASE
    assert one.admits("s", "+12025550100", late + RULES.back) or one.may_probe("last", late, paused=False)


# ── in the story ────────────────────────────────────────────────────────────────────────────────────────────────────


async def sent(house: House, **more: Any) -> Any:
    return await send.send(ask(**more), (), house.means, request_id=house.means.clock.new_id())


async def two(house: House, **weights: int) -> dict[str, Scripted]:
    """A site with two senders of rcs."""
    await house.set_up()
    house.providers |= {"a-rcs": Scripted(), "b-rcs": Scripted()}
    for name in ("a-rcs", "b-rcs"):
        await house.store.put_sender(
            Sender(site=SITE, name=name, channel="rcs", provider="scripted", weight=weights.get(name[0], 1))
        )
    house.means = house.another_node()
    await house.means.registry.refresh(house.store)
    return house.providers


def phones(count: int) -> list[str]:
    return [f"77031{n:05}" for n in range(count)]


async def test_weights_share_the_recipients_and_each_keeps_his_sender(house: House) -> None:
    providers = await two(house, a=3, b=1)
    for round_ in range(2):
        for n, phone in enumerate(phones(40)):
            await sent(house, phone=phone, external_alert_id=f"{round_}-{n}")
    heard = {name: [m.recipient for m in providers[name].delivered.values()] for name in ("a-rcs", "b-rcs")}
    assert not set(heard["a-rcs"]) & set(heard["b-rcs"])
    assert len(heard["a-rcs"]) > len(heard["b-rcs"]) > 0


async def test_explaining_agrees_with_sending_and_takes_no_turn(house: House) -> None:
    await two(house)
    means = house.means
    for n, phone in enumerate(phones(10)):
        site, request = means.registry.site(SITE), ask(phone=phone, external_alert_id=f"{n}")
        assert site is not None
        ready = hold(
            request, site, lambda name: means.registry.template(SITE, name), means.channels, id=str(n),
            now=means.clock.now(),
        )  # fmt: skip
        seen = await facts.gather(ready.alert, site, ready.template, means, deadline=2**40, looking=True)
        result = await sent(house, phone=phone, external_alert_id=f"{n}")
        record = await house.store.record(result.alert)
        assert record and record.attempts[0].sender == decide(seen.facts).steps[0].sender


async def test_a_sender_at_fault_is_left_and_the_other_takes_its_recipients(house: House) -> None:
    providers = await two(house)
    both = [(name, name, 1) for name in ("a-rcs", "b-rcs")]
    mine = [phone for phone in phones(60) if in_order(both, f"+1{phone}")[0] == "a-rcs"][:12]
    providers["a-rcs"].repeats_are_ignored = False
    providers["a-rcs"].script = [refusal(Fate.UNKNOWN, "no_answer")] * 100
    kinds = [(await sent(house, phone=phone, external_alert_id=phone)).kind for phone in mine]
    assert kinds == ["in_doubt"] * 5 + ["taken"] * 7
    assert len(providers["a-rcs"].seen) == 5
    assert any(line["action"] == "sender.open" for line in house.said)


async def test_with_nobody_else_the_alert_waits_and_is_sent_when_the_sender_is_back(house: House) -> None:
    await house.set_up()
    provider = house.providers["rcs"]
    provider.repeats_are_ignored = False
    provider.script = [refusal(Fate.UNKNOWN, "no_answer")] * 5
    for n in range(5):
        await sent(house, phone=f"770310140{n}", external_alert_id=f"{n}")
    held = await sent(house, external_alert_id="held")
    assert held.kind == "scheduled"
    record = await house.store.record(held.alert)
    assert record and b"open: 5 hand-overs in a row failed" in record.decision
    now = house.means.clock.now()
    breaker = house.means.healths.of(SITE, "a-rcs")
    breaker._open_until = now  # its pause is over
    rows = [row for row in await house.store.claim_due(2**50, 2**51, "test", 20) if row.kind == "alert"]
    await due._do(rows[0], house.means)
    after = await house.store.record(held.alert)
    assert after and after.alert.state == "sent"
    assert breaker.state(house.means.clock.now()) is State.HALF_OPEN


async def test_an_open_sender_of_a_later_channel_keeps_its_turn_for_an_alert_that_needs_it(house: House) -> None:
    await house.set_up(channels=("rcs", "sms"))
    breaker = house.means.healths.of(SITE, "a-sms")
    now = house.means.clock.now()
    for _ in range(5):
        breaker.bad(now - 20_000)
    await sent(house)
    assert breaker._prober == ""


async def test_a_rate_limit_opens_nothing(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].script = [refusal(Fate.RETRY, "throttled", retry_after=60.0)] * 8
    for n in range(8):
        await sent(house, phone=f"770310140{n}", external_alert_id=f"{n}")
    house.providers["rcs"].script = [refusal(Fate.NEXT_CHANNEL, "throttled")]  # a daily limit
    await sent(house, external_alert_id="full")
    breaker = house.means.healths.of(SITE, "a-rcs")
    assert breaker.counts(house.means.clock.now()) == (0, 0)
    assert breaker.throttled == 9 and breaker.state(house.means.clock.now()) is State.CLOSED


async def test_what_an_operator_paused_is_neither_tried_nor_resumed_by_heliograph(house: House) -> None:
    await house.set_up()
    assert await house.store.pause_sender(SITE, "a-rcs", "on holiday", "ann")
    await house.means.registry.refresh(house.store)
    for n in range(3):
        assert (await sent(house, external_alert_id=f"{n}")).kind == "scheduled"
    assert not house.providers["rcs"].seen
    assert not await house.store.pause_sender(SITE, "a-rcs", "")
    there = next(one for one in (await house.store.changes(0)).senders if one.name == "a-rcs")
    assert (there.paused, there.paused_by) == ("on holiday", "ann") and there.paused_at > 0
    assert await house.store.pause_sender(SITE, "a-rcs", "", "bob")


async def test_the_next_sender_is_not_asked_about_a_recipient_whom_the_first_reaches(house: House) -> None:
    providers = await two(house)
    await sent(house)
    assert sorted(one.questions for one in (providers["a-rcs"], providers["b-rcs"])) == [0, 1]


@pytest.mark.parametrize("field", ["paused", "weight"])
async def test_a_pause_or_a_weight_keeps_the_connection(house: House, field: str) -> None:
    await house.set_up()
    before = house.means.registry.sender(SITE, "a-rcs")
    assert before
    value = {"paused": "x", "weight": 7}[field]
    await house.store.put_sender(msgspec.structs.replace(before.sender, **{field: value}))
    await house.means.registry.refresh(house.store)
    after = house.means.registry.sender(SITE, "a-rcs")
    assert after and after.provider is before.provider and getattr(after.sender, field) == value


async def test_whoever_keeps_the_breakers_is_told_of_pauses_and_of_other_settings(house: House) -> None:
    await house.set_up()
    told: list[tuple[str, bool]] = []
    registry = Registry(
        open_key=lambda key: None,
        open_sender=lambda sender: OpenSender(sender=sender, plug=house.plug, provider=house.providers["rcs"]),
        closed=lambda provider: None,
        switched=lambda sender, anew: told.append((sender.paused_by, anew)),
    )
    await registry.refresh(house.store)
    there = registry.sender(SITE, "a-rcs")
    assert there and told == []
    await house.store.pause_sender(SITE, "a-rcs", "review", "ann")
    await registry.refresh(house.store)
    await house.store.put_sender(msgspec.structs.replace(there.sender, weight=3))
    await registry.refresh(house.store)
    await house.store.put_sender(msgspec.structs.replace(there.sender, settings={"agent": "another"}))
    await registry.refresh(house.store)
    assert told == [("ann", False), ("", False), ("", True)]
