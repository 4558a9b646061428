"""A validity_period (§7.1.1) as a moment: `YYMMDDhhmmsstnn` and `+` or `-` (local time and its quarters of an hour from
UTC), or `R` (how long from now)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_FORM = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])")


def validity(written: str, now: int) -> int | None:
    """ms; None where it is empty (the centre's own default) or no time."""
    found = _FORM.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second, tenth, quarters = (int(part) for part in found.groups()[:8])
    if found[9] == "R":
        length = timedelta(days=year * 365 + month * 30 + day, hours=hour, minutes=minute, seconds=second)
        return now + round(length.total_seconds() * 1000)
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tenth * 100_000, UTC)
    except ValueError:
        return None
    ahead = timedelta(minutes=15 * quarters) * (1 if found[9] == "+" else -1)
    return round((local - ahead).timestamp() * 1000)
