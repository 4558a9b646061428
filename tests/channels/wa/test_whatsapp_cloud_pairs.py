"""Recipients that got too much: held longer each time, remembered in bounded memory."""

from __future__ import annotations

from heliograph.channels.wa.whatsapp_cloud_pairs import KEPT, LONGEST, Pairs


def test_the_wait_doubles_until_its_most_and_ends_with_a_yes():
    pairs = Pairs()
    now, waits = 100.0, []
    for _ in range(8):
        waits.append(pairs.refused("a", now))
        assert pairs.wait("a", now) == waits[-1]
        now += waits[-1]
        assert pairs.wait("a", now) == 0
    assert waits == [6, 12, 24, 48, 96, 192, LONGEST, LONGEST]
    pairs.taken("a")
    assert pairs.refused("a", now) == 6


def test_nobody_else_waits():
    pairs = Pairs()
    pairs.refused("a", 0)
    assert pairs.wait("b", 0) == 0


def test_what_whatsapp_asks_for_is_waited_for():
    pairs = Pairs()
    assert pairs.refused("a", 0, 400.0) == 400.0
    assert pairs.refused("a", 400, 1.0) == LONGEST


def test_the_oldest_is_forgotten_first():
    pairs = Pairs()
    for number in range(KEPT + 1):
        pairs.refused(str(number), 0)
    assert pairs.wait("0", 0) == 0
    assert pairs.wait("1", 0) > 0
    assert pairs.wait(str(KEPT), 0) > 0
