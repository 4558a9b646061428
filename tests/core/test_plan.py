"""The decision: pure, equal for equal facts, and it says why."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.channel import Capability, Reach
from heliograph.core.fallback import Fallback, Need, Overlap, Rule
from heliograph.core.plan import Candidate, Decision, Facts, Stop, decide
from heliograph.core.site import Hours

NOW = 1_700_000_000_000
YES = Capability(reach=Reach.YES, asked=NOW - 90_000)
NO = Capability(reach=Reach.NO, asked=NOW - 5_000, reason="cannot_reach")
UNKNOWN = Capability(reach=Reach.UNKNOWN, asked=NOW)


def candidate(channel: str = "rcs", **facts: object) -> Candidate:
    return Candidate(**{"channel": channel, "sender": f"a-{channel}", "provider": "p", **facts})  # type: ignore[arg-type]


def facts(*candidates: Candidate, **more: object) -> Facts:
    base: dict[str, object] = {
        "now": NOW,
        "expires": NOW + 86_400_000,
        "order": ("rcs", "wa", "sms"),
        "candidates": candidates,
    }
    return Facts(**{**base, **more})  # type: ignore[arg-type]


def whys(decision: Decision) -> dict[str, str]:
    return {line.channel: line.why for line in decision.considered}


def test_a_yes_is_chosen_and_its_age_is_told() -> None:
    decision = decide(facts(candidate(capability=YES)))
    assert [step.channel for step in decision.steps] == ["rcs"]
    assert decision.considered[0].age == 90
    assert decision.considered[0].reach is Reach.YES


def test_an_unknown_is_tried() -> None:
    assert decide(facts(candidate(capability=UNKNOWN))).steps


def test_a_provider_that_cannot_be_asked_is_tried() -> None:
    assert decide(facts(candidate(capability=None))).steps


def test_a_no_on_the_only_channel_is_the_failed_compatibility_check() -> None:
    decision = decide(facts(candidate(capability=NO)))
    assert decision.stop is Stop.CANNOT_REACH
    assert whys(decision) == {"rcs": "cannot_reach", "wa": "no_sender", "sms": "no_sender"}


def test_order_is_kept_and_a_no_is_passed_over() -> None:
    decision = decide(facts(candidate("sms"), candidate("wa"), candidate(capability=NO)))
    assert [step.channel for step in decision.steps] == ["wa", "sms"]


def test_an_opt_out_of_one_channel_leaves_the_others() -> None:
    decision = decide(facts(candidate(), candidate("sms"), opted_out=frozenset({"rcs"})))
    assert [step.channel for step in decision.steps] == ["sms"]


def test_an_opt_out_of_the_only_channel_refuses() -> None:
    assert decide(facts(candidate(), opted_out=frozenset({"rcs"}))).stop is Stop.OPTED_OUT


def test_an_opt_out_of_all_refuses_whatever_else_holds() -> None:
    decision = decide(facts(candidate(), candidate("sms"), opted_out=frozenset({"all"})))
    assert decision.stop is Stop.OPTED_OUT
    assert not decision.steps


def test_content_that_fits_no_channel_names_its_faults() -> None:
    decision = decide(facts(candidate(content_faults=("title is 231 characters, RCS allows 200",)), order=("rcs",)))
    assert decision.stop is Stop.CONTENT
    assert "231" in decision.considered[0].detail[0]


def test_a_paused_sender_holds_the_alert_until_it_is_looked_at_again() -> None:
    decision = decide(facts(candidate(paused="config"), held_until=NOW + 60_000))
    assert decision.hold == NOW + 60_000
    assert decision.stop is None


def test_a_paused_sender_that_comes_back_after_the_end_refuses() -> None:
    decision = decide(facts(candidate(paused="config"), held_until=NOW + 60_000, expires=NOW + 60_000))
    assert decision.stop is Stop.CANNOT_REACH


@pytest.mark.parametrize(
    ("rule", "until", "stop", "hold"),
    [
        (Hours.DELAY, NOW + 1000, None, NOW + 1000),
        (Hours.REJECT, NOW + 1000, Stop.QUIET_HOURS, None),
        (Hours.IGNORE, NOW + 1000, None, None),
        (Hours.DELAY, NOW + 90_000_000, Stop.QUIET_HOURS, None),  # they end after the alert does
    ],
)
def test_quiet_hours(rule: Hours, until: int, stop: Stop | None, hold: int | None) -> None:
    decision = decide(facts(candidate(), quiet_until=until, quiet_rule=rule))
    assert (decision.stop, decision.hold) == (stop, hold)


def test_the_cap_counts_this_alert_as_one_more() -> None:
    assert decide(facts(candidate(), cap=3, recent=3)).stop is Stop.CAP
    assert decide(facts(candidate(), cap=3, recent=2)).steps


candidates = st.builds(
    Candidate,
    channel=st.sampled_from(["rcs", "wa", "sms"]),
    sender=st.sampled_from(["one", "two"]),
    provider=st.just("p"),
    has_content=st.booleans(),
    content_faults=st.sampled_from([(), ("too long",)]),
    capability=st.sampled_from([None, YES, NO, UNKNOWN]),
    paused=st.sampled_from(["", "config"]),
)


@given(
    st.lists(candidates, max_size=6, unique_by=lambda c: (c.channel, c.sender)),
    st.frozensets(st.sampled_from(["all", "rcs", "wa", "sms"])),
)
def test_every_decision_is_one_thing_and_the_same_again(known: list[Candidate], opted_out: frozenset[str]) -> None:
    told = facts(*known, opted_out=opted_out, held_until=NOW + 1)
    decision = decide(told)
    assert sum([bool(decision.steps), decision.stop is not None, decision.hold is not None]) == 1
    for step in decision.steps:
        assert not opted_out & {"all", step.channel}
        line = next(c for c in known if (c.channel, c.sender) == (step.channel, step.sender))
        assert line.has_content and not line.content_faults and not line.paused
        assert line.capability is None or line.capability.reach is not Reach.NO
    assert msgspec.json.encode(decide(told)) == msgspec.json.encode(decision)


def test_a_test_keys_alert_goes_to_the_sandboxes_senders_alone() -> None:
    decision = decide(facts(candidate(not_for_test=True, capability=YES), candidate("sms")))
    assert [step.channel for step in decision.steps] == ["sms"]
    assert whys(decision)["rcs"] == "not_for_test"


def test_a_test_keys_alert_without_any_such_sender_is_refused_for_that() -> None:
    decision = decide(facts(candidate(not_for_test=True, paused="by hand"), candidate("sms", has_content=False)))
    assert (decision.stop, decision.hold) == (Stop.NOT_FOR_TEST, None)


# ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_without_a_rule_a_channel_is_left_on_a_no_alone_and_the_last_for_nothing() -> None:
    steps = decide(facts(candidate(), candidate("sms"))).steps
    assert [(s.channel, s.need, s.within, s.overlap) for s in steps] == [
        ("rcs", Need.DELIVERED, None, False),
        ("sms", Need.SENT, None, False),
    ]


def test_a_step_has_the_rule_of_its_channel_the_nearest_word_first() -> None:
    template = Fallback(within=0, channels={"rcs": Rule(within=30)})
    site = Fallback(need=Need.READ, within=120, overlap=Overlap.ALLOW, channels={"wa": Rule(need=Need.DELIVERED)})
    steps = decide(facts(candidate(), candidate("wa"), candidate("sms"), said=(template, site))).steps
    assert [(s.channel, s.need, s.within, s.overlap) for s in steps] == [
        ("rcs", Need.READ, 30, True),
        ("wa", Need.DELIVERED, None, True),  # the template's 0 stands above the site's 120
        ("sms", Need.SENT, None, False),
    ]


def test_a_channel_whose_sender_is_only_paused_comes_after() -> None:
    steps = decide(facts(candidate(), candidate("sms", paused="config"), said=(Fallback(within=60),))).steps
    assert [(s.channel, s.need, s.within) for s in steps] == [("rcs", Need.DELIVERED, 60)]


def test_all_senders_of_the_last_channel_are_left_for_nothing() -> None:
    two = candidate("sms", sender="b-sms")
    steps = decide(facts(candidate(), candidate("sms"), two, said=(Fallback(within=60),))).steps
    assert [(s.sender, s.within) for s in steps] == [("a-rcs", 60), ("a-sms", None), ("b-sms", None)]


def test_what_was_left_or_just_failed_is_not_tried_again() -> None:
    other = candidate("wa", sender="b-wa")
    decision = decide(facts(candidate(), candidate("wa"), other, passed=frozenset({"rcs"}), tried=frozenset({"a-wa"})))
    assert [step.sender for step in decision.steps] == ["b-wa"]
    assert [line.why for line in decision.considered] == ["passed", "tried", "chosen", "no_sender"]


@pytest.mark.parametrize(
    ("ends", "free", "chosen"),
    [
        (None, True, True),  # no such window
        (0, True, False),
        (NOW, True, False),
        (NOW + 1, True, True),
        (0, False, True),  # a message that the provider keeps under a name
    ],
)
def test_free_content_goes_only_into_an_open_window(ends: int | None, free: bool, chosen: bool) -> None:
    decision = decide(facts(candidate("wa", window_ends=ends, free=free), candidate("sms")))
    assert ("wa" in [step.channel for step in decision.steps]) is chosen
    if not chosen:
        [line] = [line for line in decision.considered if line.channel == "wa"]
        assert line.why == "outside_window" and "window" in line.detail[0]
