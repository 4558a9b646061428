"""Reading the documented JSON: the page's request, every tolerance, every mistake, and nothing but declared errors."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core.alert import AlertRequest
from heliograph.errors import CallRefused
from heliograph.web.livedeflect import shapes, wire
from heliograph.web.livedeflect.fields import DEEPEST, DOCUMENTED, LONGEST, NAMES
from heliograph.web.livedeflect.tolerance import read_any

EXAMPLE: dict[str, Any] = {
    "siteId": "25508804",
    "skill": "service",
    "customerCountryCode": "1",
    "customerPhoneNumber": "7703101414",
    "externalCustomerId": "123",
    "externalCustomerIdDescriptor": "VIP",
    "externalAlertId": "1265168451",
    "alertInfo": {"Sky Miles": 1234567890, "T-Shirt Size": "Large"},
    "firstName": "Matt",
    "lastName": "Fanning",
    "proactiveChannel": "",
    "proactiveLanguage": "english",
    "proactiveTemplate": "flightdelay",
    "proactiveVariables": {"@Time": "7:35 pm", "@City": "Kansas City", "@Gate": "C35"},
    "proactiveTemplateVersion": "1",
}
TEXTS = {name: ours for ours, name in DOCUMENTED.items() if ours not in ("variables", "version")}
REQUIRED = ("siteId", "customerCountryCode", "customerPhoneNumber", "proactiveTemplate", "proactiveVariables")


def body(**changes: Any) -> bytes:
    """The page's request with changes; a field set to ... is left out."""
    return json.dumps({name: value for name, value in (EXAMPLE | changes).items() if value is not ...}).encode()


def raw(name: str, text: str) -> bytes:
    """The page's request with one field written exactly so."""
    return body(**{name: "@@"}).replace(b'"@@"', text.encode())


def read(text: bytes) -> AlertRequest:
    request, faults = wire.read(text, "once", "ck")
    assert faults == {}
    return request


def faults_of(text: bytes) -> dict[str, str]:
    return wire.read(text)[1]


def refusal_of(text: bytes) -> str:
    with pytest.raises(CallRefused) as caught:
        wire.read(text)
    return caught.value.sentence


def plain(request: AlertRequest) -> dict[str, Any]:
    """A request to compare: Raw has no equality of its own."""
    return msgspec.structs.asdict(request) | {"alert_info": bytes(request.alert_info)}


def test_reads_the_pages_request_field_for_field(example_body: bytes) -> None:
    request = read(example_body)
    assert plain(request) == {
        "site": "25508804",
        "template": "flightdelay",
        "language": "english",
        "country_code": "1",
        "phone": "7703101414",
        "skill": "service",
        "variables": {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
        "channel": "",
        "version_tag": "1",
        "external_alert_id": "1265168451",
        "external_customer_id": "123",
        "external_customer_id_descriptor": "VIP",
        "first_name": "Matt",
        "last_name": "Fanning",
        "alert_info": b'{"Sky Miles":1234567890,"T-Shirt Size":"Large"}',
        "unknown": (),
        "notes": (),
        "idempotency_key": "once",
        "key": "ck",
        "time_to_live": None,
        "kind": "live",
    }


def test_the_names_of_page_decoder_and_documentation_are_the_same(example_body: bytes) -> None:
    assert set(json.loads(example_body)) == set(NAMES)
    assert {field.name for field in msgspec.structs.fields(wire.Clean)} == set(NAMES)
    assert [field.name for field in msgspec.structs.fields(shapes.ProactiveAlert)] == list(json.loads(example_body))


# ── Tolerances ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", [name for name in TEXTS])
def test_a_number_may_stand_for_a_string(name: str) -> None:
    assert getattr(read(body(**{name: 25508804})), TEXTS[name]) == "25508804"


@pytest.mark.parametrize(
    ("sent", "kept"), [("1.50", "1.50"), ("1e3", "1e3"), ("-0", "-0"), ("true", "true"), ("false", "false")]
)
def test_a_variables_number_keeps_its_text(sent: str, kept: str) -> None:
    assert read(raw("proactiveVariables", f'{{"@Gate": {sent}}}')).variables == {"Gate": kept}


def test_a_number_of_any_length_keeps_its_text() -> None:
    digits = "7" * 6000  # beyond what int() turns into text by default
    assert read(raw("proactiveVariables", f'{{"n": {digits}}}')).variables == {"n": digits}


@pytest.mark.parametrize("empty", ["null", '""'])
@pytest.mark.parametrize("name", [name for name in TEXTS if name not in REQUIRED])
def test_null_and_empty_mean_absent(name: str, empty: str) -> None:
    absent = plain(read(body(**{name: ...})))
    assert plain(read(raw(name, empty))) == absent
    assert absent[TEXTS[name]] == ""


@pytest.mark.parametrize("empty", ["null", '""', "[]", "[ ]"])
def test_an_empty_alert_info_is_absent(empty: str) -> None:
    assert bytes(read(raw("alertInfo", empty)).alert_info) == b""


@pytest.mark.parametrize("empty", ["{}", "[]", "[ \n ]", "{ }"])
def test_variables_may_be_empty(empty: str) -> None:
    assert read(raw("proactiveVariables", empty)).variables == {}


def test_variables_with_and_without_the_at_sign() -> None:
    assert read(body(proactiveVariables={"@Gate": "C35", "City": "Rome"})).variables == {"Gate": "C35", "City": "Rome"}


def test_a_null_variable_is_not_sent_and_an_empty_one_is() -> None:
    assert read(body(proactiveVariables={"@Gate": None, "@City": ""})).variables == {"City": ""}


def test_alert_info_is_kept_byte_for_byte() -> None:
    info = '{ "b":1.0e+2,  "a": 12345678901234567890123, "b":"\\u00e9", "é":[1 ,{}] }'
    assert bytes(read(raw("alertInfo", info)).alert_info) == info.encode()


def test_unknown_fields_are_listed_and_cut() -> None:
    request = read(body(**{"zeta": {"a": [1]}, "alpha": None, "n" * 99: 1}))
    assert request.unknown == ("alpha", "n" * 64, "zeta")


def test_a_byte_order_mark_is_read_over() -> None:
    request = read(b"\xef\xbb\xbf" + body())
    assert request.site == "25508804"
    assert request.notes == ("The body began with a byte order mark.",)


def test_a_known_name_as_a_value_or_inside_alert_info_is_not_a_repeated_key() -> None:
    text = body(firstName="skill", alertInfo={"siteId": "1", "skill": "2"}, externalAlertId='a "skill": b')
    assert read(text).first_name == "skill"


def test_skill_and_language_may_be_left_to_the_site() -> None:
    request = read(body(skill=..., proactiveLanguage=""))
    assert (request.skill, request.language) == ("", "")


# ── Mistakes ─────────────────────────────────────────────────────────────────────────────────────────────────────────

KINDS = {"[1]": "an array", '{"a":1}': "an object", "true": "a boolean"}


@pytest.mark.parametrize("wrong", KINDS)
@pytest.mark.parametrize("name", TEXTS)
def test_a_field_of_a_wrong_type_is_named(name: str, wrong: str) -> None:
    assert faults_of(raw(name, wrong)) == {name: f"{name} must be a string or a number, the call sends {KINDS[wrong]}."}


@pytest.mark.parametrize(
    ("name", "wrong", "sentence"),
    [
        ("alertInfo", "[1]", "alertInfo must be an object, the call sends an array."),
        ("alertInfo", '"x"', "alertInfo must be an object, the call sends a string."),
        ("alertInfo", "7", "alertInfo must be an object, the call sends a number."),
        ("proactiveVariables", "[1]", "proactiveVariables must be an object, the call sends an array."),
        ("proactiveVariables", '"{}"', "proactiveVariables must be an object, the call sends a string."),
        ("proactiveVariables", "null", "proactiveVariables is null. Send {} where the template has no variables."),
        ("proactiveVariables", '{"@G": {}}', "@G must be a string, a number or a boolean, the call sends an object."),
        ("proactiveVariables", '{"@": "x"}', "proactiveVariables has a variable without a name."),
        ("proactiveVariables", '{"@G": "x\\u0000"}', "@G holds a NUL character (\\u0000). Send it without."),
        ("proactiveVariables", '{"@G":"1","G":"2"}', "proactiveVariables names @G 2 times. Send it once."),
        ("proactiveVariables", '{"@G":"1","@G":"2"}', "proactiveVariables names @G 2 times. Send it once."),
        ("proactiveVariables", '{"Gé":"1","G\\u00e9":"2"}', "proactiveVariables names @Gé 2 times. Send it once."),
        ("proactiveVariables", '{"G":"1","\\u0047":"2"}', "proactiveVariables names @G 2 times. Send it once."),
        (
            "customerPhoneNumber",
            "7.7e9",
            "customerPhoneNumber must be written in digits, the call sends the number 7.7e9. Send it as a string.",
        ),
        ("siteId", "-5", "siteId must be written in digits, the call sends the number -5. Send it as a string."),
        ("firstName", '"a\\u0000b"', "firstName holds a NUL character (\\u0000). Send it without."),
        ("lastName", f'"{"x" * 513}"', f"lastName is 513 characters, at most {LONGEST} are taken."),
    ],
)
def test_a_wrong_field_has_its_sentence(name: str, wrong: str, sentence: str) -> None:
    assert faults_of(raw(name, wrong)) == {name: sentence}


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name: str) -> None:
    faults = faults_of(body(**{name: ...}))
    assert list(faults) == [name]
    assert faults[name].startswith(f"{name} is missing. Send ")


@pytest.mark.parametrize("name", REQUIRED[:4])
def test_an_empty_required_field_is_named(name: str) -> None:
    assert faults_of(raw(name, '""'))[name].startswith(f"{name} is empty. Send it, for example ")
    assert faults_of(raw(name, "null"))[name].startswith(f"{name} is null. Send it, for example ")


def test_a_misspelt_field_is_pointed_out() -> None:
    text = body(siteId=..., SiteID="25508804")
    assert "(the call sends SiteID; field names are matched with their case)" in faults_of(text)["siteId"]


def test_all_faults_are_told_at_once() -> None:
    text = raw("customerPhoneNumber", "[]").replace(b'"skill"', b'"skill": 1, "skill"')
    text = text.replace(b'"siteId": "25508804", ', b"").replace(b'"Matt"', b"{}")
    assert set(faults_of(text)) == {"customerPhoneNumber", "skill", "siteId", "firstName"}


@pytest.mark.parametrize("name", [*NAMES, "other"])
def test_a_repeated_key_is_refused_by_name(name: str) -> None:
    text = body(other=1)
    again = text[:-1] + f', "{name}": {json.dumps(EXAMPLE.get(name, 1))}}}'.encode()
    assert faults_of(again) == {name: f"{name} is sent 2 times. Send it once."}


def test_a_repeated_key_hides_behind_no_escape() -> None:
    assert list(faults_of(body()[:-1] + b', "sk\\u0069ll": "x"}')) == ["skill"]


def test_depth_is_limited_and_a_flat_body_of_many_objects_is_not() -> None:
    deep = "[" * (DEEPEST - 2) + "]" * (DEEPEST - 2)
    assert read(raw("alertInfo", f'{{"a":{deep}}}'))
    for levels in (DEEPEST, 100_000):
        text = raw("alertInfo", f'{{"a":{"[" * levels}{"]" * levels}}}')
        assert refusal_of(text) == "The body is nested more than 100 levels deep. Flatten alertInfo."
    assert read(body(alertInfo={"a": [{} for _ in range(500)]}))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"", "The body is empty."),
        (b" \n", "The body is empty."),
        (b"[]", "The body must be a JSON object, the call sends an array."),
        (b"null", "The body must be a JSON object, the call sends null."),
        (b"7", "The body must be a JSON object, the call sends a number."),
        (b'"x"', "The body must be a JSON object, the call sends a string."),
        (json.dumps(json.dumps(EXAMPLE)).encode(), "The body is JSON inside a string: it was encoded twice."),
        ('{"success" : “false”}'.encode(), "The body is not JSON: it has typographic quotes (“ ”)"),
        ("{“siteId”:“25508804”}".encode(), "The body is not JSON: it has typographic quotes (“ ”)"),
        ('{"siteId":"1","skill":“sa'.encode(), "The body is not JSON: it has typographic quotes (“ ”)"),
        (b"{'siteId': '1'}", "The body is not JSON: strings and names stand in single quotes (')."),
        (b'{"siteId": "1",}', "The body is not JSON: a comma without anything after it"),
        (b'{"a": [1, ]}', "The body is not JSON: a comma without anything after it"),
        (b'{"a": NaN}', "The body is not JSON: it has the word NaN, which JSON does not know. Send null or a number."),
        (b'{"a": -Infinity}', "The body is not JSON: it has the word Infinity"),
        (b'{"a": True}', "The body is not JSON: it has the word True, which JSON does not know. Write true."),
        (b"siteId=25508804&skill=service", "The body is a form, not JSON."),
        (b'{"siteId": "255', "The body is not JSON: it ends too early, after 15 bytes."),
        (b'{"a": "\\ud800"}', "The body is not JSON: it has half of a surrogate pair"),
        (b'{"a": {"b": "\\udc00 and more text"}}', "The body is not JSON: it has half of a surrogate pair"),
        (b'{"a": 1} x', "The body is not JSON: trailing characters at byte"),
        (b'{"a": "x\x00"}', "The body is not JSON: "),
        (b'{"a": 01}', "The body is not JSON: invalid number at byte"),
        ('{"a": 1}'.encode("utf-16"), "The body is UTF-16 or UTF-32. Send JSON as UTF-8."),
        ('{"a": 1}'.encode("utf-16-le"), "The body is UTF-16 or UTF-32. Send JSON as UTF-8."),
        ('{"a": 1}'.encode("utf-32-be"), "The body is UTF-16 or UTF-32. Send JSON as UTF-8."),
        ('{"a": "José"}'.encode("latin-1"), "The body is not UTF-8: byte 0xE9 at offset 10. It looks like Latin-1"),
    ],
)
def test_a_body_that_is_not_json_is_explained(text: bytes, sentence: str) -> None:
    assert refusal_of(text).startswith(sentence)


def test_typographic_quotes_inside_a_string_are_text() -> None:
    assert read(body(firstName="“Matt”")).first_name == "“Matt”"
    assert "typographic" not in refusal_of('{"firstName": "“Matt”" "x": 1}'.encode())


def test_bytes_that_are_not_utf8_are_found_in_alert_info_too() -> None:
    assert "not UTF-8" in refusal_of(body().replace(b"Large", b"Lar\xe9e"))


# ── Both ways read alike, and nothing but declared errors comes out ──────────────────────────────────────────────────

words = st.text(max_size=8) | st.sampled_from(["@Gate", "Gate", "skill", "1", "", "\0", "“"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@given(
    changes=st.dictionaries(st.sampled_from(NAMES) | words, values, max_size=6),
    ascii_only=st.booleans(),
    repeated=st.lists(st.sampled_from(NAMES), max_size=1),
)
def test_the_quick_way_and_the_tolerant_way_agree(
    changes: dict[str, Any], ascii_only: bool, repeated: list[str]
) -> None:
    text = json.dumps(EXAMPLE | changes, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")
    for name in repeated:
        text = text[:-1] + f',"{name}":"x"}}'.encode()
    quick = wire._read_clean(text, "", "ck")
    try:
        request, faults = read_any(text, "", "ck")
    except CallRefused:
        assert quick is None
        return
    if quick is not None:
        assert faults == {}
        assert plain(quick) == plain(request)
    assert set(faults) <= {*NAMES, *("".join(c if c.isprintable() else "?" for c in name[:64]) for name in changes)}


@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode) | values.map(lambda v: json.dumps(v).encode()))
def test_no_bytes_raise_anything_undeclared(text: bytes) -> None:
    try:
        request, faults = wire.read(text)
    except CallRefused as refused:
        assert refused.sentence.endswith(".")
    else:
        assert faults  # so little can never be a whole request
        assert isinstance(request, AlertRequest)


@given(st.integers(0, 600), st.binary(min_size=1, max_size=3), st.booleans())
def test_a_damaged_request_raises_nothing_undeclared(at: int, piece: bytes, replace: bool) -> None:
    text = body()
    damaged = text[:at] + piece + text[at + (len(piece) if replace else 0) :]
    try:
        wire.read(damaged)
    except CallRefused as refused:
        assert refused.code in ("not_json", "not_utf8", "nested_too_deep")


def test_a_long_hostile_body_takes_no_time_of_note() -> None:
    import time

    for text in (b'{"a":"' + b"\\" * 262_000, b"{" + b'"a":[],' * 37_000, b'{"a":"' + b"= " * 130_000, b"a=" * 131_000):
        began = time.perf_counter()
        with pytest.raises(CallRefused):
            wire.read(text)
        assert time.perf_counter() - began < 1.0
