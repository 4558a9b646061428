"""What an event is called, when it is posted again, and that the page's own lines verify what we sign."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import webhook
from heliograph.core.standard_webhooks import new_secret, sign
from heliograph.core.webhook import KEPT, PAUSES, TYPES, Event

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "webhooks.md"
NOW = 1_900_000_000_000


def event(tries: int = 0, since: int = NOW) -> Event:
    return Event(site="1", subject="a", number=1, type="alert.sent", at=NOW, since=since, tries=tries)


@given(st.text(alphabet="abc-_0123456789", min_size=1), st.integers(min_value=1, max_value=10**9))
def test_an_id_names_its_event(subject: str, number: int) -> None:
    assert webhook.subject_of(webhook.event_id(subject, number)) == (subject, number)


@pytest.mark.parametrize(
    "text", ["", "msg_", "msg_1", "msg__1", "a_1", "msg_a_", "msg_a_x", "msg_a_٣", "msg_a_" + "9" * 99]
)
def test_what_is_no_id(text: str) -> None:
    assert webhook.subject_of(text) is None


@given(
    st.integers(min_value=0, max_value=12), st.floats(min_value=0, max_value=1), st.floats(min_value=0, max_value=1e9)
)
def test_a_pause_is_the_schedules_or_what_was_asked_for_and_ends_with_the_third_day(
    tries: int, drawn: float, wish: float
) -> None:
    at = webhook.next_try(event(tries), NOW, drawn, wish)
    if tries >= len(PAUSES):
        assert at is None
        return
    assert at is not None
    least = max(0.9 * PAUSES[tries], min(wish, 86_400)) * 1000
    most = max(1.1 * PAUSES[tries], min(wish, 86_400)) * 1000
    assert min(NOW + least - 1, NOW + KEPT) <= at <= min(NOW + most + 1, NOW + KEPT)
    assert webhook.next_try(event(tries, since=NOW - KEPT), NOW, drawn, wish) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("Fri, 17 Mar 2030 17:48:20 GMT", 100.0),
        ("Fri, 17 Mar 2000 17:48:20 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1e400", None),
        ("٣", None),
    ],
)
def test_retry_after_as_number_or_date(header: str, seconds: float | None) -> None:
    assert webhook.wish_of(header, NOW) == seconds


@pytest.mark.parametrize("url", ["https://a.example", "http://10.0.0.7:9000/x?y=1", "https://[::1]/h"])
def test_addresses_that_serve(url: str) -> None:
    assert webhook.url_fault(url) == ""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example/x",
        "ftp://a.example",
        "https://",
        "https://u@a.example",
        "https://a b",
        "https://[x",
        "https://a/#f",
    ],
)
def test_addresses_that_do_not(url: str) -> None:
    assert webhook.url_fault(url).startswith("url ")


def test_the_pages_lines_verify_what_we_sign() -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    old, new = new_secret(b"o" * 32), new_secret(b"n" * 64)
    body, now = b'{"type":"alert.sent"}', int(time.time())
    headers = sign("msg_a_1", now, body, (new, old))
    assert names["verified"](headers, body, old) and names["verified"](headers, body, new)
    assert not names["verified"](headers, body + b" ", old)
    assert not names["verified"](headers, body, new_secret(b"x" * 32))
    assert not names["verified"](sign("msg_a_1", now - 400, body, (old,)), body, old)


def test_the_page_names_every_type_and_field() -> None:
    text = PAGE.read_text()
    assert [one for one in TYPES if f"`{one}`" not in text] == []
    kinds = (webhook.Data, webhook.Words)
    fields = [field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)]
    assert [one for one in fields if f"`{one}`" not in text] == []
