"""What desks share: a context as lines, times, statuses."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.core.alert import Alert
from heliograph.core.desk import Context, Earlier, Step
from heliograph.core.ports import Exchange, Response
from heliograph.desks import kit
from heliograph.errors import Fate

INFO = b'{"Sky Miles":12345678901234567890123,"T-Shirt Size":"Large","Seat":{"row":12,"window":true},"Note":"a\\u00e9"}'
ALERT = Alert(
    id="0199f2a0-0000-7000-8000-0000000000000",
    site="acme",
    created=1_764_090_180_000,
    expires=1_764_176_580_000,
    recipient="+17703101414",
    template="FlightDelay",
    template_version="2",
    language="en",
    language_asked="english",
    variables={},
    skill="Delays",
    external_customer_id="123",
    external_customer_id_descriptor="VIP",
    external_alert_id="A-7",
    first_name="Matt",
    last_name="Fanning",
    alert_info=msgspec.Raw(INFO),
)
STEP = Step(channel="rcs", provider="google-rbm", sender="acme", state="delivered")
CONTEXT = Context(alert=ALERT, words="Your flight is late.", channel="rcs", path=(STEP,))


def test_every_key_of_alert_info_stands_in_its_order_and_whole():
    assert kit.info(ALERT) == [
        ("Sky Miles", "12345678901234567890123"),
        ("T-Shirt Size", "Large"),
        ("Seat", '{"row":12,"window":true}'),
        ("Note", "aé"),
    ]


@pytest.mark.parametrize(
    ("raw", "told"),
    [(b"", []), (b"null", []), (b"{}", []), (b"[1]", [("alertInfo", "[1]")]), (b'{"a"', [("alertInfo", '{"a"')])],
)
def test_an_alert_info_that_is_no_object_is_shown_as_it_is(raw, told):
    assert kit.info(msgspec.structs.replace(ALERT, alert_info=msgspec.Raw(raw))) == told


def test_a_context_as_text():
    earlier = Earlier(id="x", at=1_764_000_000_000, template="Boarding", state="read", channel="sms")
    told = kit.text(msgspec.structs.replace(CONTEXT, earlier=(earlier,)))
    assert told.splitlines() == [
        "Answers FlightDelay (version 2, en) of 2025-11-25 17:03 UTC, RCS: delivered",
        "“Your flight is late.”",
        "Name: Matt Fanning",
        "External customer id: 123",
        "External customer id descriptor: VIP",
        "External alert id: A-7",
        "Sky Miles: 12345678901234567890123",
        "T-Shirt Size: Large",
        'Seat: {"row":12,"window":true}',
        "Note: aé",
        "Earlier: Boarding, 2025-11-24 16:00 UTC, read",
    ]


def test_a_context_is_bounded_and_says_what_is_left_out():
    many = {f"key {n}": "v" * 2_000 for n in range(50)}
    context = msgspec.structs.replace(
        CONTEXT, alert=msgspec.structs.replace(ALERT, alert_info=msgspec.Raw(msgspec.json.encode(many)))
    )
    told = kit.text(context, 4_000)
    assert len(told) <= 4_000
    assert "key 1: " + "v" * 999 + "…" in told
    assert told.endswith("… and 47 more lines")


def test_no_alert_no_text():
    assert kit.text(Context()) == ""
    assert kit.facts(Context()) == []


@pytest.mark.parametrize(
    ("told", "ms"),
    [
        ("2025-11-25T17:03:00.120Z", 1_764_090_180_120),
        ("2025-11-25T17:03:00", 1_764_090_180_000),
        (1_764_090_180, 1_764_090_180_000),
        (1_764_090_180.25, 1_764_090_180_250),
        ("", None),
        ("soon", None),
        (None, None),
        (True, None),
        (float("inf"), None),
    ],
)
def test_times(told, ms):
    assert kit.milliseconds(told) == ms


@pytest.mark.parametrize(
    ("status", "code", "fate"),
    [
        (302, "wrong_address", Fate.CONFIG),
        (401, "credentials_refused", Fate.CONFIG),
        (418, "invalid_message", Fate.PERMANENT),
        (429, "throttled", Fate.RETRY),
        (503, "no_answer", Fate.UNKNOWN),
        (100, "wrong_address", Fate.CONFIG),
        (999, "no_answer", Fate.UNKNOWN),
    ],
)
def test_every_status_has_a_fate(status, code, fate):
    note = Exchange(method="POST", url="https://desk.example/", status=status)
    error = kit.error_from(
        Response(status=status, headers={"retry-after": "7"}, body=b"no", exchange=note),
        who="The desk",
        detail="call +17703101414",
    )
    assert (error.code, error.fate, error.retry_after, error.raw, error.exchange) == (code, fate, 7.0, b"no", note)
    assert error.sentence.endswith('The desk says: "call ***1414"')


def test_an_empty_secret_equals_nothing():
    assert not kit.same("", "")
    assert kit.same("a", "a")
    assert kit.hmac_hex("key", b"text") == "6afa9046a9579cad143a384c1b564b9a250d27d6f6a63f9f20bf3a7594c9e2c6"
    assert kit.fingerprint("a", b"b") != kit.fingerprint("ab", b"")
