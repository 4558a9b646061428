"""A sender's own rate, in virtual time."""

from __future__ import annotations

import pytest

from heliograph.channels.pace import Pace
from heliograph.errors import Fate, SendError


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time():
    return Time()


def pace(time: Time, per_second: float, burst: float = 0.0) -> Pace:
    return Pace(per_second, burst, clock=lambda: time.now, sleep=time.sleep)


async def test_a_burst_goes_at_once_and_the_rest_in_its_time(time):
    ours = pace(time, 10)
    for _ in range(10):
        await ours.take(1, 1e9)
    assert time.slept == []
    started = time.now
    for _ in range(20):
        await ours.take(1, 1e9)
    assert time.now - started == pytest.approx(2.0)


async def test_parts_count(time):
    ours = pace(time, 2, burst=2)
    await ours.take(2, 1e9)
    await ours.take(3, 1e9)
    assert sum(time.slept) == pytest.approx(1.5)


async def test_one_that_would_come_too_late_takes_nothing(time):
    ours = pace(time, 1)
    await ours.take(1, 1e9)
    with pytest.raises(SendError) as caught:
        await ours.take(5, time.now + 2)
    assert (caught.value.fate, caught.value.code) == (Fate.RETRY, "throttled")
    assert caught.value.retry_after == pytest.approx(5.0)
    await ours.take(1, time.now + 2)
    assert sum(time.slept) == pytest.approx(1.0)


async def test_backing_off_holds_everybody(time):
    ours = pace(time, 1000)
    ours.back_off(3)
    await ours.take(1, 1e9)
    assert sum(time.slept) >= 3


async def test_no_rate_is_no_limit(time):
    ours = pace(time, 0)
    ours.back_off(3)
    for _ in range(1000):
        await ours.take(10, 0)
    assert time.slept == []
