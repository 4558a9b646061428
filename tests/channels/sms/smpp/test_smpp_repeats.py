"""What is a repeat and what was said again, by the way in which it comes."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.channels.sms import smpp_repeats
from heliograph.channels.sms.smpp_repeats import AGAIN, RECENT, SLOW, UNSURE, Repeats

YES = b"yes"
OLD: Any = "a line"
NEW: Any = "another line"


@pytest.fixture
def repeats() -> Repeats:
    return Repeats()


def say(repeats: Repeats, line: Any, sequence: int, at: float, *, answered: float | None = None) -> bool:
    """It comes, and is answered. True: it is a turn of its own."""
    if repeats.known(line, sequence, YES, at):
        repeats.told(line, sequence, at, sure=True)
        return False
    repeats.taken(line, sequence, YES, at)
    if answered is not None:
        repeats.answered(line, sequence, answered, sure=True)
    return True


def test_the_same_number_on_the_same_line_is_a_repeat(repeats):
    assert say(repeats, OLD, 7, 0.0, answered=0.1)
    assert not say(repeats, OLD, 7, 30.0)
    assert say(repeats, OLD, 8, 30.0, answered=30.1), "a number of its own: said again"
    assert say(repeats, NEW, 7, 31.0, answered=31.1), "another line's numbers are others"


def test_a_number_that_comes_round_is_another_message(repeats):
    assert say(repeats, OLD, 7, 0.0, answered=0.1)
    repeats.tick(RECENT + 1)
    assert say(repeats, OLD, 7, RECENT + 1)
    assert not repeats.known(OLD, 7, b"no", RECENT + 2), "nor are other words under the number of what is open"


def test_what_waits_long_for_its_answer_may_come_under_a_new_number(repeats):
    assert say(repeats, OLD, 7, 0.0)
    assert say(repeats, OLD, 8, SLOW - 0.1), "too soon for a centre: the person said it twice"
    assert not say(repeats, OLD, 9, SLOW)
    assert not say(repeats, NEW, 1, SLOW + 1)
    repeats.answered(OLD, 7, SLOW + 2, sure=True)
    assert say(repeats, OLD, 10, SLOW + 3), "what was answered does not come again under a new number"


def test_what_was_not_written_down_comes_again_as_itself(repeats):
    assert say(repeats, OLD, 7, 0.0)
    repeats.undone(OLD, 7)
    assert say(repeats, OLD, 7, 1.0)
    repeats.undone(OLD, 7)
    assert say(repeats, OLD, 8, SLOW + 9)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_lost_answer_makes_up_for_one_repeat(repeats, times):
    for at in range(times):
        assert say(repeats, OLD, at, at / 10, answered=at / 10 + 0.01)
    repeats.broke(OLD, 2.0)
    for at in range(times):
        assert not say(repeats, NEW, at, 3.0 + at)
    assert say(repeats, NEW, times, 9.0), "the next is said again"


def test_a_repeat_whose_answer_is_lost_too_comes_a_third_time(repeats):
    assert say(repeats, OLD, 1, 0.0)
    repeats.answered(OLD, 1, 0.1, sure=False)
    assert repeats.known(NEW, 1, YES, 1.0)
    repeats.told(NEW, 1, 1.1, sure=False)
    assert not say(repeats, NEW, 2, 2.0)
    assert say(repeats, NEW, 3, 3.0)


def test_what_was_answered_long_before_the_break_arrived(repeats):
    assert say(repeats, OLD, 1, 0.0, answered=0.1)
    repeats.broke(OLD, 0.2 + UNSURE)
    assert say(repeats, NEW, 1, 11.0)


def test_after_ten_minutes_it_is_said_again(repeats):
    assert say(repeats, OLD, 1, 0.0, answered=0.1)
    repeats.broke(OLD, 1.0)
    assert say(repeats, NEW, 1, 1.0 + AGAIN)
    repeats.tick(2 * AGAIN)
    assert not repeats._lost


def test_memory_is_bounded(repeats, monkeypatch):
    monkeypatch.setattr(smpp_repeats, "KEPT", 3)
    for at in range(10):
        repeats.taken(OLD, at, b"%d" % at, 0.0)
        repeats.answered(OLD, at, 0.1, sure=at % 2 == 0)
    assert (len(repeats._answered), len(repeats._lost)) == (3, 3)
    assert not repeats._taken
    assert not repeats._first
