"""Call rates and failed credentials: what passes, how long to wait, and that memory is bounded."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.web.rates import WINDOW, FailedCredentials, Rates


def test_a_burst_passes_then_the_rate_holds() -> None:
    rates = Rates()
    assert [rates.take("key", 2.0, 3, 100.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert rates.take("key", 2.0, 3, 100.0) == pytest.approx(0.5)
    assert rates.take("key", 2.0, 3, 100.2) == pytest.approx(0.3)
    assert rates.take("key", 2.0, 3, 100.5) == 0.0
    assert rates.take("key", 2.0, 3, 100.5) > 0.0
    assert rates.take("other", 2.0, 3, 100.5) == 0.0
    assert [rates.take("key", 2.0, 3, 1_000.0) == 0.0 for _ in range(4)] == [True, True, True, False]


def test_no_rate_is_no_limit_and_no_burst_is_one_seconds_worth() -> None:
    rates = Rates()
    assert all(rates.take("key", 0.0, 0, 0.0) == 0.0 for _ in range(1_000)) and len(rates) == 0
    assert [rates.take("slow", 0.5, 0, 0.0) == 0.0 for _ in range(2)] == [True, False]
    assert [rates.take("fast", 3.0, 0, 0.0) == 0.0 for _ in range(4)] == [True, True, True, False]


@given(
    per_second=st.sampled_from([0.1, 0.5, 1.0, 3.0, 7.0, 1_000.0]),
    burst=st.integers(1, 20),
    steps=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_no_span_holds_more_than_its_share_and_waiting_is_enough(
    per_second: float, burst: int, steps: list[float]
) -> None:
    rates, now, taken = Rates(), 1_000.0, deque[float]()
    for step in steps:
        now += step
        wait = rates.take("key", per_second, burst, now)
        if wait:
            now += wait
            assert rates.take("key", per_second, burst, now) == 0.0
        taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= burst + (taken[last] - start) * per_second + 1e-3


def test_the_least_recently_used_keys_are_forgotten() -> None:
    rates = Rates(most=3)
    for key in ("a", "b", "c", "a", "d"):
        rates.take(key, 1.0, 1, 0.0)
    assert len(rates) == 3
    assert rates.take("a", 1.0, 1, 0.0) > 0.0  # used again, so kept
    assert rates.take("b", 1.0, 1, 0.0) == 0.0  # forgotten


def test_failed_credentials_are_refused_for_the_rest_of_the_minute() -> None:
    failed = FailedCredentials(3)
    for at in (0.0, 10.0, 20.0):
        assert failed.wait("192.0.2.1", at) == 0.0
        failed.failed("192.0.2.1", at)
    assert failed.wait("192.0.2.1", 21.0) == pytest.approx(39.0)
    assert failed.wait("192.0.2.2", 21.0) == 0.0
    assert failed.wait("192.0.2.1", 60.0) == 0.0
    failed.failed("192.0.2.1", 60.0)
    assert failed.wait("192.0.2.1", 60.0) == 0.0  # a new minute


def test_one_ipv6_network_is_one_address() -> None:
    failed = FailedCredentials(2)
    failed.failed("2001:db8::1", 0.0)
    failed.failed("2001:db8::2", 0.0)
    assert failed.wait("2001:db8::3", 1.0) == pytest.approx(59.0)


def test_no_limit_refuses_nobody() -> None:
    failed = FailedCredentials(0)
    failed.failed("192.0.2.1", 0.0)
    assert failed.wait("192.0.2.1", 0.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 30)), max_size=300))
def test_memory_is_bounded_and_the_old_are_dropped(steps: list[tuple[int, float]]) -> None:
    failed, now = FailedCredentials(5, most=10), 0.0
    for address, step in steps:
        now += step
        failed.failed(f"192.0.2.{address}", now)
        assert len(failed) <= 10
    for _ in range(20):
        failed.failed("198.51.100.1", now + 2 * WINDOW)
    assert len(failed) == 1
