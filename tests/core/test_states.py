"""Receipts come late, twice and out of order; the state of an attempt and of its alert only goes the right way."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.states import ENDS, AlertState, AttemptState, moved, shown

A = AttemptState
POSITIVE = (A.DELIVERED, A.READ)
NEGATIVE = (A.FAILED, A.REVOKED, A.EXPIRED)
RECEIPTS = st.lists(st.sampled_from([A.SENT, *POSITIVE, *NEGATIVE]), max_size=6)


def after(start, heard):
    for state in heard:
        start = moved(start, state)
    return start


@pytest.mark.parametrize("now", A)
def test_a_positive_receipt_beats_every_state(now):
    assert moved(now, A.READ) is A.READ
    assert moved(now, A.DELIVERED) is (A.READ if now is A.READ else A.DELIVERED)


@pytest.mark.parametrize("now", [*NEGATIVE, *POSITIVE])
def test_a_late_sent_beats_no_failure_and_nothing_further(now):
    assert moved(now, A.SENT) is now


@pytest.mark.parametrize(("now", "heard"), [*itertools.product(POSITIVE, NEGATIVE)])
def test_a_negative_receipt_never_beats_a_delivery(now, heard):
    assert moved(now, heard) is now


@pytest.mark.parametrize(("first", "second"), [*itertools.product(NEGATIVE, NEGATIVE)])
def test_of_two_negative_receipts_the_first_stays(first, second):
    assert moved(first, second) is first


@pytest.mark.parametrize("heard", [A.SENT, *POSITIVE, *NEGATIVE])
def test_a_doubt_is_settled_by_any_receipt(heard):
    assert moved(A.IN_DOUBT, heard) is heard


def test_the_way_of_an_attempt():
    way = [A.INTENDED, A.SENDING, A.SENT, A.DELIVERED, A.READ]
    for now, heard in itertools.pairwise(way):
        assert moved(now, heard) is heard
        assert moved(heard, now) is heard
    assert moved(A.SENDING, A.IN_DOUBT) is A.IN_DOUBT
    assert moved(A.SENT, A.IN_DOUBT) is A.SENT


@given(st.sampled_from(A), RECEIPTS, st.randoms(use_true_random=False))
def test_the_order_of_receipts_decides_only_between_two_failures(start, heard, random):
    mixed = [*heard, *heard]  # each twice
    random.shuffle(mixed)
    one, other = after(start, heard), after(start, mixed)
    assert one is other or (one in NEGATIVE and other in NEGATIVE)


@given(RECEIPTS)
def test_a_delivery_is_never_lost(heard):
    end = after(A.SENDING, heard)
    if A.READ in heard:
        assert end is A.READ
    elif A.DELIVERED in heard:
        assert end is A.DELIVERED
    else:
        assert end not in POSITIVE


@pytest.mark.parametrize(
    ("now", "attempts", "expected"),
    [
        (AlertState.ACCEPTED, [], AlertState.ACCEPTED),
        (AlertState.ACCEPTED, [A.INTENDED], AlertState.ACCEPTED),
        (AlertState.SCHEDULED, [A.SENDING], AlertState.SENDING),
        (AlertState.ACCEPTED, [A.IN_DOUBT], AlertState.SENDING),
        (AlertState.SENDING, [A.SENT], AlertState.SENT),
        (AlertState.SENT, [A.FAILED, A.SENDING], AlertState.SENT),  # a second attempt does not take it back
        (AlertState.DELIVERED, [A.DELIVERED, A.SENDING], AlertState.DELIVERED),
        (AlertState.SENT, [A.FAILED], AlertState.SENT),  # an end is decided by the flow, not by one attempt
        (AlertState.SENT, [A.READ, A.DELIVERED], AlertState.READ),
        (AlertState.FAILED, [A.SENT], AlertState.FAILED),
        (AlertState.FAILED, [A.SENDING, A.DELIVERED], AlertState.DELIVERED),
        (AlertState.EXPIRED, [A.DELIVERED, A.READ], AlertState.READ),
        (AlertState.EXPIRED, [A.READ, A.DELIVERED], AlertState.READ),
    ],
)
def test_what_an_alert_shows(now, attempts, expected):
    assert shown(now, attempts) is expected


@pytest.mark.parametrize(("end", "attempt"), [*itertools.product(sorted(ENDS), A)])
def test_only_a_delivery_lifts_an_alert_out_of_an_end(end, attempt):
    assert (shown(end, [attempt]) is end) == (attempt not in POSITIVE)


@given(st.sampled_from(AlertState), st.lists(st.sampled_from(A), max_size=5), st.randoms(use_true_random=False))
def test_what_an_alert_shows_does_not_depend_on_the_order_of_its_attempts(now, attempts, random):
    mixed = attempts.copy()
    random.shuffle(mixed)
    assert shown(now, mixed) is shown(now, attempts)
    assert shown(shown(now, attempts), attempts) is shown(now, attempts)


def test_every_state_has_its_place():
    """A state added to one of the enums and not to the tables would fail here and not at midnight."""
    for one, other in itertools.product(A, A):
        assert moved(one, other) in (one, other)
    for alert, attempt in itertools.product(AlertState, A):
        assert shown(alert, [attempt]) in AlertState
