"""Fields and bodies, wrong, hostile and strange: each gets its sentence, at once, all faults together; and what real
callers send that the page does not say is taken."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from journey import rough
from journey.house import EXAMPLE, House
from journey.rough import GOOD, refused


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from rough.house(tmp_path_factory.mktemp("rough"))


@pytest.fixture(autouse=True)
def afterwards(house: House) -> Iterator[None]:
    yield from rough.well(house)


# ── what callers send that the page does not say, all taken ───────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "change",
    [
        {"siteId": 25508804, "customerCountryCode": 1, "customerPhoneNumber": 7703101414},
        {"customerCountryCode": "+1"},
        {"customerCountryCode": "001", "customerPhoneNumber": "(770) 310-1414"},
        {"customerPhoneNumber": "+1 770.310.1414"},
        {"customerPhoneNumber": "17703101414"},
        {"firstName": None, "lastName": "", "alertInfo": [], "proactiveChannel": None, "externalAlertId": ""},
        {"proactiveVariables": {"Time": 7, "@City": True, "Gate": 1.5}},
        {"proactiveLanguage": "en_US"},
        {"proactiveLanguage": "ENGLISH"},
        {"unknown": {"deep": [1]}, "externalCustomerId": ...},
    ],
    ids=",".join,
)
def test_what_real_callers_send_is_taken(house: House, change: dict[str, Any]) -> None:
    said = house.acme.alert(**change)
    assert said.status == 200 and said.json["success"] is True, said
    assert said.json["response"]["name"].startswith("phones/+17703101414/")


@pytest.mark.parametrize(
    "target",
    ["/api/proactivealert/", "/API/PROACTIVEALERT", "/api/proactive%41lert", "/api/proactiveAlert?a=1&a=&b=%C3%A9+x"],
)
def test_the_address_as_callers_write_it(house: House, target: str) -> None:
    assert house.acme.send(house.acme.body(externalAlertId=...), target).status == 200


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA512"])
def test_other_signature_methods(house: House, method: str) -> None:
    assert house.acme.send(house.acme.body(externalAlertId=...), signature_method=method).status == 200


# ── fields ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "field"),
    [
        *(({name: ...}, name) for name in ("siteId", "skill", "customerCountryCode", "customerPhoneNumber")),
        *(({name: ...}, name) for name in ("proactiveLanguage", "proactiveTemplate", "proactiveVariables")),
        ({"siteId": []}, "siteId"),
        ({"customerPhoneNumber": "123"}, "customerPhoneNumber"),
        ({"customerPhoneNumber": "7703101414" * 40}, "customerPhoneNumber"),
        ({"customerPhoneNumber": 7.7e9}, "customerPhoneNumber"),
        ({"customerPhoneNumber": "tel:+1"}, "customerPhoneNumber"),
        ({"customerPhoneNumber": "+44 20 7946 0018"}, "customerPhoneNumber"),
        ({"customerCountryCode": "999999"}, "customerCountryCode"),
        ({"proactiveTemplate": "flightdelays"}, "proactiveTemplate"),
        ({"proactiveLanguage": "klingonese"}, "proactiveLanguage"),
        ({"proactiveChannel": "fax"}, "proactiveChannel"),
        ({"proactiveVariables": {}}, "proactiveVariables"),
        ({"proactiveVariables": {"@Time": [], "@City": "x", "@Gate": "y"}}, "proactiveVariables"),
        ({"proactiveVariables": [1]}, "proactiveVariables"),
        ({"alertInfo": "text"}, "alertInfo"),
        ({"alertInfo": [1]}, "alertInfo"),
        ({"firstName": {}}, "firstName"),
        ({"firstName": "x" * 5000}, "firstName"),
        ({"externalCustomerIdDescriptor": ...}, "externalCustomerIdDescriptor"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_field_is_named(house: House, change: dict[str, Any], field: str) -> None:
    said = house.acme.alert(**change)
    refused(said, 400)
    assert set(said.json) == {"success", "error", "fields"} and field in said.json["fields"], said.json


def test_all_faults_of_a_call_are_told_at_once(house: House) -> None:
    said = house.acme.alert(
        skill=...,
        firstName=[],
        customerPhoneNumber="1",
        proactiveLanguage="klingonese",
        proactiveVariables={"@City": "x"},
    )
    refused(said, 400, "Time", "Gate")
    assert {"skill", "firstName", "customerPhoneNumber", "proactiveLanguage", "proactiveVariables"} <= set(
        said.json["fields"]
    )


# ── bodies ────────────────────────────────────────────────────────────────────────────────────────────────────────────


BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "spaces": (b"  \n", "empty"),
    "cut": (GOOD[:-9], "ends too early"),
    "typographic": (GOOD.replace(b'"service"', "“service”".encode()), "typographic quotes"),
    "single": (GOOD.replace(b'"', b"'"), "single quotes"),
    "comma": (GOOD[:-1] + b",}", "comma"),
    "nan": (GOOD.replace(b'"service"', b"NaN"), "NaN"),
    "python": (GOOD.replace(b'"service"', b"None"), "None"),
    "utf16": (GOOD.decode().encode("utf-16"), "UTF-16"),
    "latin1": (GOOD.replace(b"Matt", b"Ren\xe9"), "UTF-8"),
    "array": (b"[" + GOOD + b"]", "array"),
    "string": (json.dumps(GOOD.decode()).encode(), "encoded twice"),
    "number": (b"12", "number"),
    "null": (b"null", "null"),
    "two": (GOOD + GOOD, "JSON"),
    "twice": (GOOD[:-1] + b',"skill":"service"}', "skill"),
    "twice escaped": (GOOD[:-1] + b',"ski\\u006cl":"service"}', "skill"),
    "half a pair": (GOOD.replace(b"Matt", b"\\ud800"), "surrogate"),
    "binary": (bytes(range(256)), "UTF-8"),
    "nul": (b"\x00" * 100, ""),
    "deep": (b"[" * 100_000, ""),
    "deep objects": (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, ""),
    "deep info": (GOOD[:-1] + b',"x":' + b"[" * 60_000 + b"]" * 60_000 + b"}", ""),
    "deep alertInfo": (GOOD.replace(b'"Large"', b"[" * 60_000 + b"]" * 60_000), ""),
    "long digits": (GOOD.replace(b'"25508804"', b"9" * 200_000), "siteId"),
    "huge exponent": (GOOD.replace(b'"7703101414"', b"1e999999999"), "customerPhoneNumber"),
    "huge string": (GOOD.replace(b"Matt", b"M" * 200_000), "firstName"),
    "huge variable": (GOOD.replace(b"Kansas City", b"K" * 200_000), ""),
    "many unknown": (GOOD[:-1] + b"".join(b',"f%d":1' % n for n in range(18_000)) + b"}", ""),
    "many variables": (
        GOOD.replace(b'"@Time"', b"".join(b'"@v%d":"",' % n for n in range(15_000)) + b'"@Time"'),
        "",
    ),
    "many keys in info": (GOOD.replace(b'"Large"', b'{"a":1' + b',"a":1' * 30_000 + b"}"), ""),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_broken_or_monstrous_body_gets_its_sentence_at_once(house: House, name: str) -> None:
    body, word = BODIES[name]
    began = time.monotonic()
    said = house.acme.send(body)
    assert time.monotonic() - began < 2
    if word:
        refused(said, 400, word)
    else:
        assert said.status in (200, 400) and said.json["success"] in (True, False), said.raw[:300]
    assert len(said.raw) < 20_000


@pytest.mark.parametrize(
    "text",
    [
        "\x00",
        "a\x00b",
        "\u202e\u2066",
        "😀" * 60,
        "ﷺ" * 30,
        "'; DROP TABLE alert; --",
        "${HOME}",
        "@@City",
        "%s%n",
        "\r\nX: y",
    ],
    ids=ascii,
)
def test_strange_text_in_every_field_is_taken_or_told(house: House, text: str) -> None:
    for name in EXAMPLE:
        if name in ("alertInfo", "proactiveVariables"):
            continue
        said = house.acme.alert({}, **{name: text})
        assert said.status in (200, 400, 403), (name, said)
    for name, value in (
        ("alertInfo", {text: text}),
        ("proactiveVariables", dict.fromkeys(("Time", "City", "Gate"), text)),
    ):
        said = house.acme.alert(**{name: value})
        assert said.status in (200, 400) and said.json["success"] in (True, False), (name, said)


def test_alert_info_is_kept_as_it_was_written(house: House) -> None:
    info = b'{"z":1e400, "a":123456789012345678901234567890, "a" : 2.50, "\\u00e9":"\xc3\xa9", "n":null}'
    body = house.acme.body(externalAlertId=..., alertInfo="HERE").replace(b'"HERE"', info)
    said = house.acme.send(body)
    assert said.status == 200
    shown = house.outside.run("alerts", "show", said.alert, "--json").stdout
    assert "123456789012345678901234567890" in shown and "1e400" in shown


@pytest.mark.parametrize("key", ["a b", "x" * 256, "\xe9", "x" * 9000])
def test_a_wrong_idempotency_key(house: House, key: str) -> None:
    refused(house.acme.alert({"Idempotency-Key": key}), 400, "Idempotency-Key")
