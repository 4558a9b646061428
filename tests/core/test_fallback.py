"""What is said of falling back: who is heard first, what a status is worth, what is worth a look."""

from __future__ import annotations

import pytest

from heliograph.core.fallback import PLAIN, Doubt, Fallback, Need, Overlap, Rule, doubt_of, reached, rule_of, unwise
from heliograph.core.states import AttemptState

NOTHING = Fallback()


def test_nothing_said_leaves_no_channel_by_time_and_never_allows_two() -> None:
    assert rule_of("rcs", (NOTHING, NOTHING)) == PLAIN
    assert (PLAIN.need, PLAIN.within, PLAIN.overlap) == (Need.DELIVERED, None, False)
    assert rule_of("rcs", ()) == PLAIN


def test_a_nearer_word_stands_above_a_more_exact_one_from_afar() -> None:
    site = Fallback(channels={"rcs": Rule(within=10, need=Need.READ)})
    assert rule_of("rcs", (Fallback(within=20), site)).within == 20
    assert rule_of("rcs", (Fallback(within=20), site)).need is Need.READ
    assert rule_of("sms", (Fallback(within=20), site)).need is Need.DELIVERED


def test_deny_takes_back_what_the_site_allows() -> None:
    site = Fallback(overlap=Overlap.ALLOW)
    assert rule_of("wa", (NOTHING, site)).overlap
    assert not rule_of("wa", (Fallback(overlap=Overlap.DENY), site)).overlap


def test_a_doubt_passes_for_sent_unless_somebody_says_otherwise() -> None:
    assert doubt_of((NOTHING,)) is Doubt.ASSUME_SENT
    assert doubt_of((Fallback(in_doubt=Doubt.ASSUME_SENT), Fallback(in_doubt=Doubt.RESEND))) is Doubt.ASSUME_SENT
    assert doubt_of((NOTHING, Fallback(in_doubt=Doubt.RESEND))) is Doubt.RESEND


@pytest.mark.parametrize(
    ("state", "has"),
    [
        (AttemptState.SENDING, ()),
        (AttemptState.IN_DOUBT, ()),
        (AttemptState.SENT, (Need.SENT,)),
        (AttemptState.FAILED, ()),
        (AttemptState.DELIVERED, (Need.SENT, Need.DELIVERED)),
        (AttemptState.READ, (Need.SENT, Need.DELIVERED, Need.READ)),
    ],
)
def test_what_a_state_has_reached(state: AttemptState, has: tuple[Need, ...]) -> None:
    assert tuple(need for need in Need if reached(state, need)) == has


def test_what_may_come_twice_is_worth_a_look() -> None:
    said = Fallback(
        need=Need.READ,
        within=60,
        channels={"wa": Rule(need=Need.READ, within=0), "sms": Rule(overlap=Overlap.ALLOW)},
    )
    assert [place for place, _ in unwise(said)] == [
        "fallback.need",
        "fallback.channels.wa.need",
        "fallback.channels.sms.overlap",
    ]
    assert unwise(Fallback(need=Need.DELIVERED, within=60, overlap=Overlap.DENY)) == []
