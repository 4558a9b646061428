"""Quiet hours: when a message may be sent, by the clock on the recipient's wall.

Everything is decided on wall time, so that daylight saving needs no rule of its own: a quiet span ends with the first
moment at which the wall clock is outside it. In the hour that a spring night skips, that is the moment of the jump; in
the hour that an autumn night repeats, quiet times are quiet both times.

Zone rules come from the system's database through `zoneinfo` (read once per zone; on systems without one the package
`tzdata` serves).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from heliograph.core.site import Hours, QuietHours
from heliograph.errors import SetupError

_DAY = 86_400_000  # ms
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Zones whose quiet spans leave no moment free in two days contradict each other.
_LOOK_AHEAD = 2 * _DAY


def quiet_until(now: int, hours: QuietHours, zones: Sequence[str]) -> int | None:
    """The moment (ms) from which the recipient may be written to, or None if that is now.

    `zones`: IANA names, several where a number may ring in several (a mobile of a wide country): the strictest counts,
    it is quiet while it is quiet in any of them. With none known, or where they never leave a free moment in two days,
    `hours.zone` alone counts. The rule `ignore` means that it is never quiet; `delay` and `reject` are the caller's to
    act on. Raises SetupError for a time that is not HH:MM or a `hours.zone` that is not in the database.
    """
    start, end = minutes(hours.start), minutes(hours.end)
    if hours.rule is Hours.IGNORE or start == end:
        return None
    walls = [zone for zone in (_zone(name) for name in zones) if zone is not None]
    free = _free(now, start, end, walls) if walls else None
    if free is None:
        own = _zone(hours.zone)
        if own is None:
            raise SetupError(
                f"The quiet hours' zone {hours.zone!r} is not known; use an IANA name such as America/New_York "
                "(on a system without a zone database, install the package tzdata).",
                code="unknown_zone",
            )
        free = _free(now, start, end, [own])
    return None if free is None or free == now else free


@lru_cache(maxsize=256)
def minutes(text: str) -> int:
    """Minutes since midnight of "HH:MM" ("24:00" is midnight). Raises SetupError."""
    found = _TIME.fullmatch(text.strip())
    if found is not None:
        return int(found[1]) * 60 + int(found[2])
    if text.strip() == "24:00":
        return 0
    raise SetupError(f"Quiet hours: {text!r} is not a time of day; write it as HH:MM, such as 21:00.", code="bad_time")


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # not in the database, not a name, a directory of it
        return None


def _free(now: int, start: int, end: int, walls: Sequence[tzinfo]) -> int | None:
    """The first moment from `now` on that is quiet in none of the zones; None if there is none in two days."""
    moment = now
    while moment - now <= _LOOK_AHEAD:
        ends = [until for until in (_end(moment, start, end, wall) for wall in walls) if until is not None]
        if not ends:
            return moment
        moment = max(ends)
    return None


def _end(moment: int, start: int, end: int, wall: tzinfo) -> int | None:
    """When the quiet span that `moment` lies in ends in this zone, or None if it lies in none."""
    while True:
        left = _left(moment, start, end, wall)
        if left is None:
            return None
        until = moment + left
        if _offset(until, wall) == _offset(moment, wall):
            return until
        # The clock is changed before then: go to the change and look again from there.
        moment = _change(moment, until, wall)
        if _left(moment, start, end, wall) is None:
            return moment


def _left(moment: int, start: int, end: int, wall: tzinfo) -> int | None:
    """Milliseconds of quiet left at `moment` if no clock is changed, or None outside of it."""
    local = (moment + _offset(moment, wall)) % _DAY
    first, last = start * 60_000, end * 60_000
    quiet = first <= local < last if first < last else local >= first or local < last
    return (last - local) % _DAY if quiet else None


def _offset(moment: int, wall: tzinfo) -> int:
    offset = (_EPOCH + timedelta(milliseconds=moment)).astimezone(wall).utcoffset()
    return 0 if offset is None else int(offset.total_seconds() * 1000)


def _change(before: int, after: int, wall: tzinfo) -> int:
    """The moment in (before, after] at which the zone's offset changes: 27 halvings of a day, to the millisecond."""
    old = _offset(before, wall)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, wall) == old:
            before = middle
        else:
            after = middle
    return after
