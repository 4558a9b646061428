"""Which of several senders a recipient hears from: by weight, always the same, moved only where that one is away."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import choice

PEOPLE = [f"+1202555{n:04}" for n in range(4000)]


def order(weights: dict[str, int], recipient: str) -> list[str]:
    return choice.in_order([(name, name, weight) for name, weight in weights.items()], recipient)


def test_shares_follow_the_weights() -> None:
    won = Counter(order({"a": 3, "b": 1, "c": 1}, one)[0] for one in PEOPLE)
    assert [round(won[name] / len(PEOPLE), 1) for name in "abc"] == [0.6, 0.2, 0.2]


def test_a_sender_that_goes_moves_only_its_own_recipients_and_a_new_one_takes_its_share() -> None:
    for one in PEOPLE[:500]:
        three, two = order({"a": 3, "b": 1, "c": 1}, one), order({"a": 3, "b": 1}, one)
        assert two == [name for name in three if name != "c"]


def test_the_recipients_of_a_sender_that_is_away_go_to_the_others_by_weight() -> None:
    left = [order({"a": 3, "b": 2, "c": 1}, one) for one in PEOPLE]
    second = Counter(names[1] for names in left if names[0] == "a")
    assert 0.6 < second["b"] / (second["b"] + second["c"]) < 0.73


def test_a_weight_of_nothing_is_a_spare() -> None:
    assert {order({"a": 0, "b": 1}, one)[0] for one in PEOPLE[:200]} == {"b"}


@given(st.lists(st.tuples(st.text(), st.integers(-1, 100)), unique_by=lambda one: one[0]), st.text())
def test_nobody_is_lost_and_the_order_of_asking_does_not_matter(senders: list[tuple[str, int]], who: str) -> None:
    given_ = [(name, name, weight) for name, weight in senders]
    found = choice.in_order(given_, who)
    assert sorted(found) == sorted(name for name, _ in senders)
    assert choice.in_order(given_[::-1], who) == found


@given(st.text(), st.text())
def test_a_fraction_is_between_nothing_and_all(one: str, two: str) -> None:
    assert 0 < choice.fraction(one, two) < 1
