"""Quiet hours on the recipient's wall clock, against an oracle that looks at every minute."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from heliograph.core.hours import minutes, quiet_until
from heliograph.core.site import Hours, QuietHours
from heliograph.errors import SetupError

MINUTE = 60_000


def at(text, zone="UTC", fold=0):
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1000)


def quiet(start, end, zone="UTC", rule=Hours.DELAY):
    return QuietHours(start=start, end=end, rule=rule, zone=zone)


def oracle(now, start, end, zones):
    """The first whole minute from `now` at which no wall clock is within the span; None beyond two days."""

    def is_quiet(moment, zone):
        wall = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).strftime("%H:%M")
        return start <= wall < end if start < end else wall >= start or wall < end

    for moment in range(now, now + 2 * 1440 * MINUTE + 1, MINUTE):
        if not any(is_quiet(moment, zone) for zone in zones):
            return moment
    return None


def test_a_span_past_midnight():
    night = quiet("21:00", "08:00")
    assert quiet_until(at("2026-01-10 20:59:59.999"), night, ()) is None
    assert quiet_until(at("2026-01-10 21:00"), night, ()) == at("2026-01-11 08:00")
    assert quiet_until(at("2026-01-11 03:00:00.001"), night, ()) == at("2026-01-11 08:00")
    assert quiet_until(at("2026-01-11 08:00"), night, ()) is None


def test_a_span_within_a_day():
    noon = quiet("12:00", "13:30")
    assert quiet_until(at("2026-01-10 11:59"), noon, ()) is None
    assert quiet_until(at("2026-01-10 12:00"), noon, ()) == at("2026-01-10 13:30")
    assert quiet_until(at("2026-01-10 13:30"), noon, ()) is None


def test_the_recipients_zone_goes_before_the_sites():
    night = quiet("21:00", "08:00", zone="Europe/Berlin")
    now = at("2026-01-10 18:00", "America/New_York")  # midnight in Berlin
    assert quiet_until(now, night, ("America/New_York",)) is None
    assert quiet_until(now, night, ()) == at("2026-01-11 08:00", "Europe/Berlin")
    assert quiet_until(now, night, ("Nowhere/Atall",)) == at("2026-01-11 08:00", "Europe/Berlin")


def test_of_several_zones_the_strictest_counts():
    night = quiet("21:00", "08:00")
    zones = ("America/New_York", "America/Los_Angeles")
    assert quiet_until(at("2026-01-10 19:00", "America/New_York"), night, zones) is None
    # 21:00 in New York, and when it is 08:00 there it is 05:00 in Los Angeles.
    now = at("2026-01-10 21:00", "America/New_York")
    assert quiet_until(now, night, zones) == at("2026-01-11 08:00", "America/Los_Angeles")


def test_zones_that_never_leave_a_moment_leave_it_to_the_sites_zone():
    most_of_the_day = quiet("14:00", "10:00", zone="UTC")
    opposite = ("Pacific/Auckland", "Europe/Lisbon")
    assert oracle(at("2026-01-10 12:00"), "14:00", "10:00", opposite) is None
    assert quiet_until(at("2026-01-10 12:00"), most_of_the_day, opposite) is None
    assert quiet_until(at("2026-01-10 15:00"), most_of_the_day, opposite) == at("2026-01-11 10:00")


@pytest.mark.parametrize("rule", [Hours.DELAY, Hours.REJECT])
def test_equal_times_mean_none(rule):
    assert quiet_until(at("2026-01-10 21:00"), quiet("21:00", "21:00", rule=rule), ()) is None


def test_ignored():
    assert quiet_until(at("2026-01-10 22:00"), quiet("21:00", "08:00", rule=Hours.IGNORE), ()) is None


def test_an_end_in_the_hour_that_spring_skips_is_the_jump():
    now = at("2026-03-08 01:00", "America/New_York")
    assert quiet_until(now, quiet("21:00", "02:30"), ("America/New_York",)) == at(
        "2026-03-08 03:00", "America/New_York"
    )


def test_a_span_that_spring_skips_whole_never_is():
    now = at("2026-03-08 01:59:59", "America/New_York")
    assert quiet_until(now, quiet("02:00", "03:00"), ("America/New_York",)) is None
    assert quiet_until(now + 1000, quiet("02:00", "03:00"), ("America/New_York",)) is None


def test_the_hour_that_autumn_repeats_is_quiet_both_times():
    zone = ("America/New_York",)
    span = quiet("21:00", "01:30")
    assert quiet_until(at("2026-11-01 00:30", *zone), span, zone) == at("2026-11-01 01:30", *zone)
    assert quiet_until(at("2026-11-01 01:45", *zone), span, zone) is None
    second = at("2026-11-01 01:00", *zone, fold=1)
    assert quiet_until(second, span, zone) == at("2026-11-01 01:30", *zone, fold=1)


def test_a_span_longer_than_the_night_ends_an_hour_later_by_the_clock():
    zone = ("America/New_York",)
    now = at("2026-10-31 22:00", *zone)
    assert quiet_until(now, quiet("21:00", "08:00"), zone) == at("2026-11-01 08:00", *zone)
    assert at("2026-11-01 08:00", *zone) - now == 11 * 60 * MINUTE  # not 10


DAYS = [  # a zone and a day on which its clock is changed: by an hour, by half an hour, at midnight, by a whole day
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Santiago", "2026-04-05"),
    ("America/Santiago", "2026-09-06"),
    ("Africa/Cairo", "2026-04-24"),
    ("Pacific/Apia", "2011-12-29"),
    ("Asia/Kathmandu", "2026-06-01"),
]
SPANS = [
    ("21:00", "08:00"),
    ("02:00", "03:00"),
    ("21:00", "02:30"),
    ("01:15", "01:45"),
    ("23:30", "00:15"),
    ("03:00", "00:00"),
]


@pytest.mark.parametrize(("zone", "day"), DAYS)
@pytest.mark.parametrize(("start", "end"), SPANS)
def test_every_minute_of_a_day_with_a_change(zone, day, start, end):
    midnight = at(f"{day} 00:00")  # of UTC: the change lies within the three days from the day before
    first, last = midnight - 1440 * MINUTE, midnight + 2 * 1440 * MINUTE
    expected: dict[int, int] = {}
    ahead = oracle(last, start, end, [zone])
    for moment in range(last, first - 1, -MINUTE):  # backwards: each minute is free, or waits as its follower does
        wall = datetime.fromtimestamp(moment / 1000, ZoneInfo(zone)).strftime("%H:%M")
        if not (start <= wall < end if start < end else wall >= start or wall < end):
            ahead = moment
        expected[moment] = ahead
    span = quiet(start, end)
    for moment in range(first, last + 1, MINUTE):
        until = quiet_until(moment, span, (zone,))
        assert (moment if until is None else until) == expected[moment], datetime.fromtimestamp(moment / 1000, UTC)


ZONES = ["UTC", "America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Honolulu"]
CLOCK = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))


@given(
    st.integers(at("2026-03-01 00:00") // MINUTE, at("2026-11-30 00:00") // MINUTE),
    CLOCK,
    CLOCK,
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=3),
)
@example(at("2026-03-08 06:59") // MINUTE, "02:00", "02:59", ["America/New_York", "Europe/Berlin"])
def test_any_span_in_any_zones(minute, start, end, zones):
    now = minute * MINUTE
    until = quiet_until(now, quiet(start, end, zone="UTC"), zones)
    expected = now if start == end else oracle(now, start, end, zones)
    if expected is None:
        expected = oracle(now, start, end, ["UTC"])
    assert (now if until is None else until) == expected


@pytest.mark.parametrize("text", ["", "25:00", "8", "08:60", "8am", "21:00:00", "24:01"])
def test_what_is_no_time_of_day(text):
    with pytest.raises(SetupError, match="HH:MM"):
        minutes(text)


def test_times_of_day():
    assert [minutes(text) for text in ("00:00", "8:05", "23:59", "24:00", " 21:00 ")] == [0, 485, 1439, 0, 1260]


@pytest.mark.parametrize("zone", ["Mars/Base", "", "../etc/passwd", "America"])
def test_a_sites_zone_that_nobody_knows(zone):
    with pytest.raises(SetupError, match="IANA"):
        quiet_until(at("2026-01-10 22:00"), quiet("21:00", "08:00", zone=zone), ())
