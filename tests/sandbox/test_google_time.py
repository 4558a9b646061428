"""Google's times, there and back."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.rcs.google_rbm_twin_time import duration_ms, timestamp, timestamp_ms

# 1970 to 2999, ms
MOMENTS = st.integers(min_value=0, max_value=32_503_679_999_999)


@given(MOMENTS)
def test_a_time_is_read_as_it_was_written(moment: int) -> None:
    assert timestamp_ms(timestamp(moment)) == moment


@given(MOMENTS, st.integers(min_value=0, max_value=999_999))
def test_decimals_beyond_python_and_offsets_are_read(moment: int, finer: int) -> None:
    text = timestamp(moment)[:-1] + f"{finer:06d}"
    assert timestamp_ms(f"{text}Z") in (moment, moment + 1)  # rounded
    written = datetime.fromtimestamp(moment // 1_000, UTC).isoformat()
    assert timestamp_ms(written) == moment // 1_000 * 1_000


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=0, max_value=999))
def test_durations(seconds: int, milliseconds: int) -> None:
    assert duration_ms(f"{seconds}.{milliseconds:03d}s") == seconds * 1_000 + milliseconds
    assert duration_ms(f"{seconds}s") == seconds * 1_000


@pytest.mark.parametrize("text", ["", "s", "1", "-1s", "1.s", ".5s", "1m", "1s ", "1e3s", "\u0661s"])
def test_what_is_no_duration(text: str) -> None:
    assert duration_ms(text) is None


@pytest.mark.parametrize("text", ["", "2026-11-23", "2026-11-23T10:00:00", "2026-13-01T00:00:00Z", "soon"])
def test_what_is_no_time(text: str) -> None:
    assert timestamp_ms(text) is None
