"""By chance: any value, any damage, any path, any bytes, any event. Nothing gives a 5xx or leaves a line of error."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journey import rough
from journey.caller import JSON, PATH, Said, speak
from journey.house import EXAMPLE, House
from journey.rawline import head, raw
from journey.rough import GOOD

HOST = ("Host", "h")
EXAMPLES = 120  # of each; a run of 1,200 with other seeds found nothing more
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from rough.house(tmp_path_factory.mktemp("rough"))


@pytest.fixture(autouse=True)
def afterwards(house: House) -> Iterator[None]:
    yield from rough.well(house)


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@FUZZ
@given(change=st.dictionaries(st.sampled_from([*EXAMPLE, "unknown"]), values, min_size=1, max_size=5))
def test_any_value_in_any_field(house: House, change: dict[str, Any]) -> None:
    said = house.acme.alert(**change)
    assert said.status in (200, 400, 403), said
    assert said.json["success"] in (True, False, "false")


@FUZZ
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4
    )
)
def test_any_damage_to_a_body(house: House, cuts: list[tuple[int, int, bytes]]) -> None:
    body = GOOD
    for place, length, instead in cuts:
        body = body[:place] + instead + body[place + length :]
    said = speak(house.base_url, "POST", PATH, body, house.acme.sign())
    assert said.status in (200, 400, 403) and said.json["success"] in (True, False, "false"), said


@FUZZ
@given(data=st.data())
def test_any_damage_to_a_header(house: House, data: st.DataObject) -> None:
    header = house.acme.sign()["Authorization"]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, 300))
        instead = data.draw(
            st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=6)
        )
        header = header[:at] + instead + header[at + data.draw(st.integers(0, 9)) :]
    said = speak(house.base_url, "POST", PATH, GOOD, {**JSON, "Authorization": header})
    assert said.status in (200, 401, 429), said


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"]),
    path=st.lists(
        st.sampled_from(
            ["api", "callbacks", "rcs", "..", ".", "", "%2e%2e", "%2F", "docs", "metrics", "proactiveAlert"]
        )
        | st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=12),
        max_size=7,
    ),
)
def test_any_path(house: House, method: str, path: list[str]) -> None:
    target = "/" + "/".join(path)
    statuses, came, closed = raw(house.base_url, head(method, target, [HOST, ("Connection", "close")]), wait=3)
    assert closed and (not statuses or statuses[-1] < 500), (target, came[:300])


@FUZZ
@given(sent=st.binary(min_size=1, max_size=300), cut=st.integers(0, 200))
def test_any_bytes(house: House, sent: bytes, cut: int) -> None:
    call = head("POST", PATH, [HOST, ("Content-Type", "application/json"), ("Content-Length", "2")])
    statuses, came, _ = raw(house.base_url, call[:cut] + sent + b"\r\n\r\n", half_close=True, wait=0.3)
    assert all(status < 500 for status in statuses), came[:300]


# ── callbacks ─────────────────────────────────────────────────────────────────────────────────────────────────────────


CALLBACK = "/callbacks/rcs/google-rbm/25508804/acme-rcs"
FIELDS = ["senderPhoneNumber", "phoneNumber", "eventType", "eventId", "messageId", "sendTime", "text"]


def callback(house: House, event: bytes, *, signed: bool = True, **more: Any) -> Said:
    token = house.outside.environ["ACME_RBM_WEBHOOK_TOKEN"].encode()
    signature = base64.b64encode(hmac.digest(token, event, hashlib.sha512)).decode()
    body = json.dumps({"message": {"data": base64.b64encode(event).decode(), **more}}).encode()
    headers = {"Content-Type": "application/json", "X-Goog-Signature": signature if signed else "x"}
    return speak(house.base_url, "POST", CALLBACK, body, headers)


@FUZZ
@given(
    event=st.dictionaries(st.sampled_from([*FIELDS, "suggestionResponse", "location", "userFile", "new"]), values)
    | values
)
def test_any_event_that_is_signed_is_taken_and_kept(house: House, event: Any) -> None:
    """A provider repeats for days what is not answered 200, and holds up what stands behind it."""
    said = callback(house, json.dumps(event).encode())
    assert said.status == 200, said


EVENTS = [
    *(b"", b"{", b"\xff\xfe", b"[" * 50_000, b"null", b"\x00" * 9, b'{"x": ' + b"[" * 50_000),
    *(b'{"text": "\\ud800"}', b'{"text": "\xff", "senderPhoneNumber": "+1"}', b'{"x": "\xff", "text": "a"}'),
    b'{"sendTime": "0001-01-01T00:00:00+23:59", "text": "a", "senderPhoneNumber": "+14045550101"}',
    b'{"sendTime": "9999-12-31T23:59:59-23:59", "text": "a", "senderPhoneNumber": "+14045550101"}',
    b'{"eventType": "DELIVERED", "messageId": "' + b"m" * 9000 + b'", "sendTime": "x"}',
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: repr(event[:30]))
def test_a_signed_event_that_is_no_event_is_taken(house: House, event: bytes) -> None:
    assert callback(house, event).status == 200


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"{}", b"[]", b'{"message": 1}', b'{"message": {"data": "%"}}', b"\xff", b"[" * 100_000),
        *(b'{"message": {"data": "\xff"}}', b'{"clientToken": "\xc3\xa9", "secret": "s"}'),
        *('{"message": {"data": "é"}}'.encode(), b'{"x": ' + b"[" * 100_000),
    ],
    ids=lambda body: repr(body[:30]),
)
def test_a_callback_that_is_not_signed_is_refused(house: House, body: bytes) -> None:
    for signature in ("", "AAAA", "\xe9"):
        headers = {"Content-Type": "application/json", "X-Goog-Signature": signature}
        assert speak(house.base_url, "POST", CALLBACK, body, headers).status in (400, 401, 403)
    assert callback(house, b'{"text": "x"}', signed=False).status in (400, 401, 403)


def test_an_event_for_another_agent_is_refused(house: House) -> None:
    assert callback(house, b'{"text": "x", "agentId": "other@rbm.goog"}').status == 401
