"""Retry-After, times, signatures and forms as providers write them."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels import kit
from heliograph.core.ports import Exchange, Response
from heliograph.errors import Fate

ROWS = {
    300: kit.Row("elsewhere", Fate.CONFIG, "elsewhere."),
    400: kit.Row("wrong", Fate.PERMANENT, "wrong."),
    404: kit.Row("nobody", Fate.NEXT_CHANNEL, "nobody."),
    500: kit.Row("fault", Fate.RETRY, "a fault."),
}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "999999"}, 3600.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 03:00:30 GMT", "date": "Mon, 23 Nov 2026 03:00:00 GMT"}, 30.0),
        ({"retry-after": "Mon, 23 Nov 2026 03:00:30 GMT", "date": "Mon, 23 Nov 2026 03:01:00 GMT"}, 0.0),
        ({"retry-after": "Mon, 23 Nov 2026 03:00:30 GMT", "date": "today"}, None),
        ({"retry-after": "Mon, 23 Nov 2026 03:00:30 GMT", "date": "Mon, 23 Nov 2026 03:00:00"}, None),
    ],
)
def test_retry_after(headers, seconds):
    assert kit.retry_after(headers) == seconds


@given(st.text(max_size=40))
def test_no_retry_after_breaks_anything(value):
    seconds = kit.retry_after({"retry-after": value, "date": "Mon, 23 Nov 2026 03:00:00 GMT"})
    assert seconds is None or 0 <= seconds <= 3600


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (100, "elsewhere"),
        (302, "elsewhere"),
        (404, "nobody"),
        (418, "wrong"),
        (503, "fault"),
        (599, "fault"),
        (799, "fault"),
    ],
)
def test_a_status_that_the_table_does_not_name_has_its_class(status, code):
    response = Response(status=status, headers={}, body=b"raw", exchange=Exchange(method="GET", url="u"))
    error = kit.error_from(response, ROWS, who="Somebody", detail="call +17705550123")
    assert (error.code, error.raw) == (code, b"raw")
    assert error.sentence.endswith('Somebody says: "call ***0123"')


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2018-08-17T18:55:10.100Z", 1534532110100),
        ("2018-08-17T18:55:10Z", 1534532110000),
        ("2018-08-17T18:55:10.123456789Z", 1534532110123),
        ("2018-08-17T20:55:10+02:00", 1534532110000),
        ("2018-08-17T18:55:10", 1534532110000),
        ("", None),
        ("yesterday", None),
    ],
)
def test_times_are_read(text, ms):
    assert kit.milliseconds(text) == ms


@given(st.integers(0, 4_102_444_800_000))
def test_a_time_comes_back_as_it_was_written(ms):
    assert kit.milliseconds(kit.rfc3339(ms)) == ms


def test_nothing_equals_an_empty_expectation():
    assert not kit.same("", "")
    assert kit.same("a", "a")
    assert not kit.same("ä", "a")


def test_hmac_of_a_published_vector():
    """RFC 4231, test case 2."""
    told = kit.hmac_base64("Jefe", b"what do ya want for nothing?", "sha512")
    assert told == "Fkt6e/z4GeLjlfvnO1bgo4e9ZCIugx/WECcM1+olBVSXWL91wFqZSm0DT2X48Ob9yuqxo01Ka0tjbgcKOLznNw=="


@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=200)), max_size=6))
def test_a_form_is_urllibs_to_the_byte(fields):
    assert kit.form(fields) == urlencode(fields).encode()


def test_a_form_holds_every_byte_and_no_half_of_a_pair():
    every = "".join(map(chr, range(256)))
    assert kit.form([("a b", every), ("a b", "😀 é~*")]) == urlencode([("a b", every), ("a b", "😀 é~*")]).encode()
    with pytest.raises(UnicodeEncodeError):
        kit.form([("a", "\ud83d")])
