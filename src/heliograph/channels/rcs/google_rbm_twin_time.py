"""Times in Google's JSON: RFC 3339 in UTC with milliseconds, and durations such as "3.5s"."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_DURATION = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,9}))?s")


def timestamp(milliseconds: int) -> str:
    """1534532110100 → 2018-08-17T18:55:10.100Z"""
    moment = datetime.fromtimestamp(milliseconds // 1_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1_000:03d}Z"


def timestamp_ms(text: str) -> int | None:
    """Milliseconds since the epoch; None if it is not an RFC 3339 time with an offset."""
    if "T" not in text.upper():
        return None
    # Google writes up to nine decimals; Python reads six.
    trimmed = re.sub(r"(\.\d{6})\d+", r"\1", text)
    try:
        moment = datetime.fromisoformat(trimmed)
    except ValueError:
        return None
    return None if moment.tzinfo is None else round(moment.timestamp() * 1_000)


def duration_ms(text: str) -> int | None:
    """Milliseconds of a protobuf duration in JSON; None if it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    return int(match[1]) * 1_000 + int((match[2] or "0").ljust(9, "0")[:3])
