"""Which calls are the same call."""

import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heliograph.core.identity import same_call
from heliograph.core.intake import hold
from heliograph.core.site import Kind
from heliograph.core.template import compile

replace = msgspec.structs.replace
NEITHER = {"external_alert_id": "", "idempotency_key": ""}


@pytest.fixture
def told(request_of_the_page, site, flightdelay):
    compiled = compile(flightdelay)

    def fingerprint(id="0198", now=0, **changes):
        call = replace(request_of_the_page, **changes)
        lenient = replace(site, skills=(), default_skill="service", default_language="en")
        ready = hold(call, lenient, lambda name: (compiled,), frozenset({"rcs"}), id=id, now=now)
        return same_call(ready.alert, call)

    return fingerprint


def info(text):
    return {"alert_info": msgspec.Raw(text.encode())}


@pytest.mark.parametrize(
    "written_otherwise",
    [
        {},
        {"id": "0199", "now": 5_000},
        {"country_code": "+1", "phone": "(770) 310-1414"},
        {"phone": "+17703101414"},
        {"variables": {"@Gate": "C35", "@City": "Kansas City", "@Time": "7:35 pm"}},
        {"language": "en"},
        {"language": "English"},
        {"language": ""},
        {"skill": ""},
        {"unknown": ("colour",), "notes": ("a note",)},
        {"key": "another"},
        info('{ "T-Shirt Size": "Large",\n "Sky Miles": 1234567890 }'),
        info('{"Sky Miles":1234567890,"T-Shirt Size":"\\u004carge"}'),
    ],
)
def test_the_same_call_written_otherwise(told, written_otherwise):
    assert told(**written_otherwise) == told()


def test_a_test_keys_call_is_never_a_live_one(told):
    assert told(kind=Kind.TEST) != told()


DIFFERENT = [
    {"phone": "7703101415"},
    {"skill": "sales"},
    {"external_alert_id": "1"},
    {"external_alert_id": ""},
    {"external_customer_id": "124"},
    {"external_customer_id_descriptor": "ID"},
    {"first_name": "Mat"},
    {"last_name": ""},
    {"first_name": "MattF", "last_name": "anning"},
    {"channel": "rcs"},
    {"language": "es"},
    {"version_tag": "2"},
    {"variables": {"Time": "7:36 pm", "City": "Kansas City", "Gate": "C35"}},
    {"variables": {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35", "Row": "1"}},
    {"variables": {"Time": "Kansas City", "City": "7:35 pm", "Gate": "C35"}},
    {"time_to_live": 60},
    {"idempotency_key": "a"},
    {"idempotency_key": "b"},
    info('{"Sky Miles":1234567891,"T-Shirt Size":"Large"}'),
    info('{"Sky Miles":"1234567890","T-Shirt Size":"Large"}'),
    info('{"Sky Miles":1234567890.0,"T-Shirt Size":"Large"}'),
    info('{"Sky Miles":1234567890}'),
    info("{}"),
]


def test_any_other_field_makes_another_call(told):
    fingerprints = [told(), *(told(**changes) for changes in DIFFERENT)]
    assert len(set(fingerprints)) == len(fingerprints)


def test_channels_by_their_synonyms(told):
    assert told(channel="whatsapp") == told(channel="wa") != told()


def test_without_id_and_key_only_the_same_consumer_key_repeats(told):
    assert told(**NEITHER, key="a") == told(**NEITHER, key="a")
    assert told(**NEITHER, key="a") != told(**NEITHER, key="b")
    assert told(external_alert_id="", idempotency_key="k", key="a") == told(
        external_alert_id="", idempotency_key="k", key="b"
    )


@pytest.mark.parametrize("nothing", ["", "null", "{}", "[]", " {} "])
def test_no_alert_info_however_it_is_written(told, nothing):
    assert told(**info(nothing)) == told(**info(""))


def test_numbers_beyond_a_float_are_told_apart(told):
    first, second = (told(**info(f'{{"a":{n}}}')) for n in ("0.10000000000000000001", "0.10000000000000000002"))
    assert first != second
    assert told(**info('{"a":1e400}')) != told(**info('{"a":2e400}'))


@pytest.mark.parametrize(
    "odd",
    [
        f'{{"a":{2**70}}}',
        f'{{"a":-{2**70}}}',
        '{"a":"\\ud800"}',
        '{"\\ud800":1}',
        '{"a":' + "9" * 5000 + "}",
        "[" * 9000,
    ],
    ids=["big", "small", "surrogate", "surrogate-key", "digits", "deep"],
)
def test_json_without_a_common_form_counts_by_its_bytes(told, odd):
    assert told(**info(odd)) == told(**info(odd)) != told()
    assert told(**info(odd)) != told(**info(odd.replace("{", "{ ").replace("[[", "[ [")))


def test_a_lone_surrogate_in_a_field_is_no_error(told):
    assert told(first_name="\ud800") == told(first_name="\ud800") != told(first_name="\ud801")
    odd = {"Time": "\ud800", "City": "x", "Gate": "y", "Z": "z"}
    other_order = dict(reversed(odd.items()))
    assert told(variables=odd) == told(variables=other_order) != told(variables={**odd, "Time": "\ud801"})


def test_the_form_is_the_one_of_every_release(told):
    """A store keeps these for a day, and nodes of two releases share them: a change must be meant."""
    assert told() == "aeb6f824995cc8c0f1c37c812f638a89"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(JSON, JSON)
def test_alert_info_counts_by_its_values(told, one, other):
    def reordered(value):
        if isinstance(value, dict):
            return {key: reordered(value[key]) for key in reversed(value)}
        return [reordered(item) for item in value] if isinstance(value, list) else value

    def key(value):
        return json.dumps(value, sort_keys=True)

    plain = told(**info(json.dumps({"x": one})))
    if all(abs(n) < 2**63 for n in _integers(one)):  # larger ones count by their bytes
        assert told(**info(json.dumps({"x": reordered(one)}, indent=1))) == plain
    assert (told(**info(json.dumps({"x": other}))) == plain) == (key(one) == key(other))


def _integers(value):
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [n for item in value for n in _integers(item)]
    return [value] if isinstance(value, int) else []
