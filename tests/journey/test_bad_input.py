"""Wrong, hostile and strange calls, over real sockets: each gets its sentence, harms nothing and leaves no trace of a
person in the log. Never a 5xx, never a hang, and afterwards the good call is answered as before."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from journey.caller import JSON, PATH, Caller, Said, speak
from journey.house import EXAMPLE, House, until
from journey.rawline import head, raw, read
from journey.sites import site

BODY_TIMEOUT, IDLE = 1.5, 3.0
LIMIT = 262_144
EXAMPLES = 120  # of each fuzz
FUZZ = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("bad-input")
    made = House(
        directory,
        {
            "HELIOGRAPH_BODY_TIMEOUT": f"{BODY_TIMEOUT:g}",
            "HELIOGRAPH_IDLE_TIMEOUT": f"{IDLE:g}",
            "HELIOGRAPH_FAILED_CREDENTIALS": "2000",
            "HELIOGRAPH_CALL_DEADLINE": "4",
        },
    )
    site(directory / "sites", "other")
    site(directory / "sites", "slowly", "calls_per_second = 0.5\nburst = 2\n")
    site(directory / "sites", "hashed", "require_body_hash = true\n")
    try:
        made.open(directory / "sites", "other", "slowly", "hashed")
        yield made
    finally:
        made.close()


@pytest.fixture(autouse=True)
def the_server_is_well_afterwards(house: House) -> Iterator[None]:
    assert house.outside.server is not None
    process = house.outside.server.pid
    yield
    said = house.acme.to("4045550101", externalAlertId=...)
    assert said.status == 200 and said.json["success"] is True
    assert house.outside.server.pid == process and house.outside.server.poll() is None


def refused(said: Said, status: int, *words: str) -> None:
    """The documented shape of every refusal but 401's."""
    assert said.status == status, said
    assert said.headers["content-type"] == "application/json"
    assert said.json["success"] is False and len(said.json["error"]) > 10
    for word in words:
        assert word in said.json["error"], said.json


def unauthorized(said: Said, *words: str) -> None:
    assert said.status == 401, said
    assert said.json.keys() == {"error"}
    assert re.fullmatch(r'OAuth realm="[^"]+"', said.headers["www-authenticate"])
    for word in words:
        assert word in said.json["error"], said.json


# ── route, size, type, credentials, rate, fields, site: in this order ───────────────────────────────────────────────


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_another_method_is_a_405_that_names_post(house: House, method: str) -> None:
    said = speak(house.base_url, method, PATH, b"{}", JSON)
    refused(said, 405, "POST", method)
    assert said.headers["allow"] == "POST"


def test_head_is_a_405_without_a_body(house: House) -> None:
    said = speak(house.base_url, "HEAD", PATH)
    assert (said.status, said.headers["allow"], said.raw) == (405, "POST", b"")


@pytest.mark.parametrize("path", ["/api/proactiveAlerts", "/api/", "/api/proactiveAlert/x", "/api//proactiveAlert"])
def test_another_path_is_a_404(house: House, path: str) -> None:
    refused(speak(house.base_url, "POST", path, b"{}", JSON), 404)


def test_the_order_of_the_checks(house: House) -> None:
    acme, big = house.acme, b"{" + b" " * LIMIT
    text = {"Content-Type": "text/plain"}
    assert speak(house.base_url, "GET", PATH, big, text).status == 405
    refused(speak(house.base_url, "POST", PATH, big, text), 413, "262,144")
    refused(speak(house.base_url, "POST", PATH, b"{", text), 415)
    unauthorized(speak(house.base_url, "POST", PATH, b"{", JSON))
    refused(acme.send(b"{"), 400)
    refused(acme.alert(siteId="other", customerCountryCode="x"), 400)
    refused(acme.alert(siteId="other"), 403, "other", "25508804")


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("chunked", [False, True])
def test_the_size_of_a_body_is_limited_to_the_byte(house: House, extra: int, chunked: bool) -> None:
    body = house.acme.body(externalAlertId=...)
    body = body[:-1] + b" " * (LIMIT + extra - len(body)) + b"}"
    headers = {**house.acme.sign(body=body), "Host": urlsplit(house.base_url).netloc, "Connection": "close"}
    if chunked:
        lines = [*headers.items(), ("Transfer-Encoding", "chunked")]
        sent = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    else:
        lines, sent = [*headers.items(), ("Content-Length", str(len(body)))], body
    statuses, came, _ = raw(house.base_url, head("POST", PATH, lines), sent)
    assert statuses == [413 if extra else 200], came[:300]


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": ""},
        {"Content-Type": "application/json, text/plain"},
        {"Content-Type": "\xff/\xfe"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "br, gzip"},
    ],
    ids=str,
)
def test_another_type_or_coding_is_a_415(house: House, headers: dict[str, str]) -> None:
    body = house.acme.body()
    if "Content-Encoding" in headers:
        body = gzip.compress(body)
    refused(speak(house.base_url, "POST", PATH, body, {**house.acme.sign(), **headers}), 415, "Send")


def test_no_type_is_a_415(house: House) -> None:
    headers = house.acme.sign()
    del headers["Content-Type"]
    refused(speak(house.base_url, "POST", PATH, house.acme.body(), headers), 415)


# ── credentials ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_two_sentences_of_the_page(house: House) -> None:
    body = house.acme.body(externalAlertId="two", customerPhoneNumber="4045550102")
    none = speak(house.base_url, "POST", PATH, body, JSON)
    unauthorized(none)
    assert none.json == {"error": "No Authorization Header"}
    assert none.raw == b'{"error":"No Authorization Header"}'
    headers = house.acme.sign(body=body)
    assert speak(house.base_url, "POST", PATH, body, headers).status == 200
    again = speak(house.base_url, "POST", PATH, body, headers)
    unauthorized(again)
    assert again.json == {"error": "Invalid Nonce - Nonce has been previously used"}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("OAuth ", "Basic ", ["not OAuth but Basic"]),
        ("OAuth ", "Bearer ", ["not OAuth"]),
        ("OAuth ", "", ["OAuth"]),
        ("OAuth ", "OAuth garbage ", ["malformed"]),
        ('"', "", ["malformed"]),
        (r'oauth_nonce="[^"]*", ', "", ["oauth_nonce"]),
        (r'oauth_consumer_key="[^"]*"', 'oauth_consumer_key=""', ["oauth_consumer_key"]),
        (r'oauth_consumer_key="[^"]*"', 'oauth_consumer_key="nobody"', ["nobody", "not known"]),
        (r'oauth_token="[^"]*"', 'oauth_token="other"', ["token"]),
        (r'oauth_signature="[^"]*"', 'oauth_signature="c2lnbmVk"', ["does not match", "http://127.0.0.1"]),
        (r'oauth_signature="[^"]*"', 'oauth_signature="%ff"', []),
        ("HMAC-SHA1", "RSA-SHA1", ["RSA-SHA1", "HMAC-SHA1"]),
        ("HMAC-SHA1", "PLAINTEXT", ["PLAINTEXT", "TLS"]),
        (r'oauth_timestamp="\d+"', 'oauth_timestamp="0"', ["oauth_timestamp"]),
        (r'oauth_timestamp="\d+"', 'oauth_timestamp="1300000000"', ["too old", "server's time"]),
        (r'oauth_timestamp="\d+"', 'oauth_timestamp="4000000000"', ["ahead", "server's time"]),
        (r'oauth_timestamp="\d+"', f'oauth_timestamp="{"9" * 5000}"', ["oauth_timestamp"]),
        (r'oauth_version="1.0"', 'oauth_version="2.0"', ["oauth_version"]),
        (r'oauth_nonce="', 'oauth_nonce="a", oauth_nonce="', ["more than once"]),
        (r'oauth_nonce="', 'oauth_nonce="\xe9', ["percent-encoded"]),
        (r'oauth_nonce="', 'oauth_nonce="%00', []),
    ],
    ids=lambda value: str(value)[:30],
)
def test_wrong_credentials_are_told_what_to_mend(house: House, old: str, new: str, words: list[str]) -> None:
    headers = house.acme.sign(body=house.acme.body())
    headers["Authorization"] = re.sub(old, new, headers["Authorization"])
    unauthorized(speak(house.base_url, "POST", PATH, house.acme.body(), headers), *words)


def test_credentials_in_the_query_and_headers_sent_twice(house: House) -> None:
    headers = house.acme.sign()
    query = headers["Authorization"].removeprefix("OAuth ").replace('"', "").replace(", ", "&")
    unauthorized(speak(house.base_url, "POST", f"{PATH}?{query}", house.acme.body(), JSON), "query")
    twice = [("Host", urlsplit(house.base_url).netloc), *headers.items(), ("Authorization", headers["Authorization"])]
    sent = head("POST", PATH, [*twice, ("Content-Length", "2"), ("Connection", "close")])
    assert raw(house.base_url, sent + b"{}")[0] == [401]


def test_a_body_that_was_changed_on_the_way_is_refused_and_its_header_is_spent(house: House) -> None:
    body = house.acme.body(customerPhoneNumber="4045550103")
    headers = house.acme.sign(body=body)
    unauthorized(speak(house.base_url, "POST", PATH, body.replace(b"Matt", b"Matz"), headers), "oauth_body_hash")
    unauthorized(speak(house.base_url, "POST", PATH, body, headers), "Invalid Nonce")
    assert house.phones.messages("4045550103") == []
    hashed = house.callers["hashed"]
    unauthorized(speak(house.base_url, "POST", PATH, hashed.body(), hashed.sign()), "oauth_body_hash")
    assert hashed.to("4045550104").status == 200


def test_nobody_can_spend_a_callers_nonce(house: House) -> None:
    headers = house.acme.sign()
    forged = {**headers, "Authorization": re.sub('oauth_signature="[^"]*"', 'oauth_signature="x"', headers["Authorization"])}
    unauthorized(speak(house.base_url, "POST", PATH, house.acme.body(), forged))
    assert speak(house.base_url, "POST", PATH, house.acme.body(externalAlertId=...), headers).status == 200


def test_a_keys_rate_is_a_429_that_says_when(house: House) -> None:
    caller = house.callers["slowly"]
    said = [caller.to(f"404555010{n}") for n in range(5)]
    assert [one.status for one in said[:2]] == [200, 200]
    refused(said[-1], 429, "0.5 calls a second")
    assert 1 <= int(said[-1].headers["retry-after"]) <= 4


# ── what callers send that the page does not say, all taken ─────────────────────────────────────────────────────────


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
    ids=lambda change: ",".join(change),
)
def test_what_real_callers_send_is_taken(house: House, change: dict[str, Any]) -> None:
    said = house.acme.alert(**change)
    assert said.status == 200 and said.json["success"] is True, said
    assert said.json["response"]["name"].startswith("phones/+17703101414/")


@pytest.mark.parametrize(
    "target", ["/api/proactivealert/", "/API/PROACTIVEALERT", "/api/proactive%41lert", "/api/proactiveAlert?a=1&a=&b=%C3%A9+x"]
)
def test_the_address_as_callers_write_it(house: House, target: str) -> None:
    assert house.acme.send(house.acme.body(externalAlertId=...), target).status == 200


@pytest.mark.parametrize("method", ["HMAC-SHA256", "HMAC-SHA512"])
def test_other_signature_methods(house: House, method: str) -> None:
    assert house.acme.send(house.acme.body(externalAlertId=...), signature_method=method).status == 200


# ── fields ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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
        skill=..., firstName=[], customerPhoneNumber="1", proactiveLanguage="klingonese", proactiveVariables={"@City": "x"}
    )
    refused(said, 400, "Time", "Gate")
    assert {"skill", "firstName", "customerPhoneNumber", "proactiveLanguage", "proactiveVariables"} <= set(
        said.json["fields"]
    )


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = json.dumps({**EXAMPLE, "externalAlertId": ""}).encode()
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
    ["\x00", "a\x00b", "\u202e\u2066", "😀" * 60, "ﷺ" * 30, "'; DROP TABLE alert; --", "${HOME}", "@@City", "%s%n", "\r\nX: y"],
    ids=ascii,
)
def test_strange_text_in_every_field_is_taken_or_told(house: House, text: str) -> None:
    for name in EXAMPLE:
        if name in ("alertInfo", "proactiveVariables"):
            continue
        said = house.acme.alert(**{name: text})
        assert said.status in (200, 400, 403), (name, said)
    for name, value in (("alertInfo", {text: text}), ("proactiveVariables", dict.fromkeys(("Time", "City", "Gate"), text))):
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


# ── HTTP itself ─────────────────────────────────────────────────────────────────────────────────────────────────────

HOST = ("Host", "h")
SMALL = [HOST, ("Content-Length", "2")]
WIRE: dict[str, tuple[bytes, set[int]]] = {
    "no http": (b"hello\r\n\r\n", {400}),
    "tls hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)), {400}),
    "http/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505, 404, 405}),
    "nuls": (b"\x00" * 500 + b"\r\n\r\n", {400}),
    "nul in path": (head("POST", "/api/\x00proactiveAlert", SMALL) + b"{}", {400, 404}),
    "nul in header": (head("POST", PATH, [*SMALL, ("X", "a\x00b")]) + b"{}", {400}),
    "nul in name": (head("POST", PATH, [*SMALL, ("X\x00", "a")]) + b"{}", {400}),
    "encoded nul": (head("POST", "/api/%00", SMALL) + b"{}", {404}),
    "high bytes in path": (head("POST", "/api/\xe9\xff", SMALL) + b"{}", {400, 404}),
    "broken escapes": (head("POST", "/api/%zz%", SMALL) + b"{}", {404}),
    "no version": (b"GET /healthz\r\n\r\n", {400}),
    "version 9": (head("GET", "/healthz", [HOST], "9.9"), {400, 505}),
    "lower method": (head("post", PATH, SMALL) + b"{}", {400, 405}),
    "odd method": (head("F\xd6\xd6", PATH, SMALL) + b"{}", {400}),
    "asterisk": (head("OPTIONS", "*", [HOST]), {404, 405, 400, 200}),
    "connect": (head("CONNECT", "example.com:443", [HOST]), {400, 404, 405}),
    "bare feeds": (b"GET /healthz HTTP/1.1\nHost: h\n\n", {200, 400}),
    "bare returns": (b"GET /healthz HTTP/1.1\rHost: h\r\r", {400, 408}),
    "no colon": (b"GET /healthz HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n", {400}),
    "space before colon": (b"GET /healthz HTTP/1.1\r\nHost : h\r\n\r\n", {400}),
    "folded header": (b"GET /healthz HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", {200, 400}),
    "empty name": (b"GET /healthz HTTP/1.1\r\nHost: h\r\n: b\r\n\r\n", {400}),
    "two lengths": (head("POST", PATH, [*SMALL, ("Content-Length", "3")]) + b"{}x", {400}),
    "length and chunked": (head("POST", PATH, [*SMALL, ("Transfer-Encoding", "chunked")]) + b"0\r\n\r\n", {400}),
    "unknown coding": (head("POST", PATH, [HOST, ("Transfer-Encoding", "gzip")]) + b"{}", {400, 401, 408, 415, 501}),
    "chunked twice": (head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked, chunked")]) + b"0\r\n\r\n", {400, 415}),
    "negative length": (head("POST", PATH, [HOST, ("Content-Length", "-1")]) + b"{}", {400}),
    "plus length": (head("POST", PATH, [HOST, ("Content-Length", "+2")]) + b"{}", {400}),
    "hex length": (head("POST", PATH, [HOST, ("Content-Length", "0x2")]) + b"{}", {400}),
    "endless length": (head("POST", PATH, [HOST, ("Content-Length", "9" * 40)]) + b"{}", {400, 413}),
    "large length": (head("POST", PATH, [HOST, ("Content-Length", "9" * 15)]) + b"{}", {413}),
    "bad chunk": (head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked")]) + b"xyz\r\n{}\r\n0\r\n\r\n", {400}),
    "negative chunk": (head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked")]) + b"-2\r\n{}\r\n0\r\n\r\n", {400}),
    "huge chunk": (head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked")]) + b"f" * 30 + b"\r\n{}", {400, 413}),
    "endless chunk line": (
        head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked")]) + b"1;" + b"a" * 300_000,
        {400, 408, 413, 431},
    ),
    "many trailers": (
        head("POST", PATH, [HOST, ("Transfer-Encoding", "chunked")]) + b"0\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        {400, 401, 413, 415, 431},
    ),
    "thousands of headers": (head("GET", "/healthz", [HOST, *((f"X-{n}", "1") for n in range(3000))]), {431}),
    "a huge header": (head("GET", "/healthz", [HOST, ("X", "y" * 100_000)]), {431}),
    "a huge cookie in pieces": (head("GET", "/healthz", [HOST, *(("Cookie", "y" * 900) for _ in range(90))]), {431}),
    "a long address": (head("GET", "/" + "a" * 20_000, [HOST]), {414}),
    "a long query": (head("GET", "/healthz?" + "a=b&" * 5000, [HOST]), {414}),
    "upgrade": (head("GET", "/healthz", [HOST, ("Connection", "Upgrade"), ("Upgrade", "websocket")]), {200, 400, 426}),
    "two hosts": (head("GET", "/healthz", [HOST, ("Host", "other")]), {400}),
    "no host": (head("GET", "/healthz", []), {400}),
    "odd expect": (head("POST", PATH, [*SMALL, ("Expect", "200-maybe")]) + b"{}", {415, 417}),
    "empty lines first": (b"\r\n\r\n" + head("GET", "/healthz", [HOST]), {200}),
}


@pytest.mark.parametrize("name", WIRE)
def test_what_is_not_http_or_too_much_of_it(house: House, name: str) -> None:
    sent, allowed = WIRE[name]
    statuses, came, closed = raw(house.base_url, sent)
    assert statuses and set(statuses) <= allowed or (not statuses and closed and not came), came[:300]
    assert came.count(b"HTTP/1.1 ") == len(statuses) <= 2


def test_http_1_0_is_answered_and_closed(house: House) -> None:
    statuses, came, closed = raw(house.base_url, b"GET /healthz HTTP/1.0\r\n\r\n", wait=3)
    assert statuses == [200] and closed and came.endswith(b'{"status":"alive"}')


def signed_call(house: House, target: str = PATH, **more: str) -> bytes:
    body = house.acme.body(externalAlertId=...)
    headers = {"Host": urlsplit(house.base_url).netloc, **house.acme.sign(body=body), "Content-Length": str(len(body)), **more}
    return head("POST", target, headers.items()) + body


def test_an_absolute_target_is_taken(house: House) -> None:
    """RFC 9112 section 3.2.2: a server must accept it."""
    statuses, came, _ = raw(house.base_url, signed_call(house, house.base_url + PATH))
    assert statuses == [200], came[:500]


def test_a_caller_that_closes_its_side_is_still_answered(house: House) -> None:
    assert raw(house.base_url, signed_call(house), half_close=True)[0] == [200]


def test_a_byte_at_a_time_is_one_call(house: House) -> None:
    call = signed_call(house)
    pieces = [call[at : at + 7] for at in range(0, len(call), 7)]
    assert raw(house.base_url, *pieces, pause=0.001)[0] == [200]


def test_pipelined_calls_are_answered_in_order_also_wrong_ones(house: House) -> None:
    wrong = head("POST", PATH, [HOST, ("Content-Type", "application/json"), ("Content-Length", "2")]) + b"{}"
    calls = [signed_call(house), wrong, head("GET", "/nothing", [HOST]), head("PUT", PATH, [HOST, ("Content-Length", "0")])]
    assert raw(house.base_url, b"".join(calls * 5) + signed_call(house), wait=1)[0] == [200, 401, 404, 405] * 5 + [200]


def test_a_body_hidden_behind_a_call_is_not_a_call(house: House) -> None:
    """Request smuggling: what is refused for its framing ends the connection."""
    hidden = signed_call(house)
    for lines in (
        [HOST, ("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
        [HOST, ("Content-Length", "5"), ("Content-Length", "0")],
        [HOST, ("Transfer-Encoding", "xchunked"), ("Content-Length", "5")],
        [HOST, ("Transfer-Encoding ", "chunked"), ("Content-Length", "5")],
    ):
        statuses, came, _ = raw(house.base_url, head("POST", PATH, lines) + b"0\r\n\r\n" + hidden)
        assert 200 not in statuses, (lines, came[:400])


@pytest.mark.parametrize("piece", [b"POST /api/proactiveAlert HTTP/1.1\r\nHost: h\r\nX: ", b"P"])
def test_a_header_that_never_ends_is_cut(house: House, piece: bytes) -> None:
    began = time.monotonic()
    statuses, _, closed = raw(house.base_url, piece, wait=IDLE, most=BODY_TIMEOUT + 3)
    assert statuses in ([408], []) and closed
    assert time.monotonic() - began < BODY_TIMEOUT + 2


def test_a_header_that_drips_is_cut(house: House) -> None:
    at = urlsplit(house.base_url)
    began = time.monotonic()
    with socket.create_connection((at.hostname, at.port), 5) as line:
        line.sendall(b"POST /api/proactiveAlert HTTP/1.1\r\nHost: h\r\n")
        with pytest.raises(OSError):
            while time.monotonic() - began < 6:
                line.sendall(b"X: y\r\n")
                time.sleep(0.1)
    assert time.monotonic() - began < BODY_TIMEOUT + 2


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_never_comes_is_a_408(house: House, chunked: bool) -> None:
    framing = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "100")
    statuses, came, closed = raw(house.base_url, head("POST", PATH, [HOST, framing]) + b"5\r\n{", wait=IDLE)
    assert statuses == [408] and closed, came
    assert b'"success":false' in came


def test_a_silent_connection_is_closed(house: House) -> None:
    at = urlsplit(house.base_url)
    with socket.create_connection((at.hostname, at.port), 5) as line:
        _, came, closed = _quiet(line)
    assert closed and came == b""


def _quiet(line: socket.socket) -> tuple[list[int], bytes, bool]:
    return read(line, 1.0, IDLE + 3)


def test_callers_that_hang_up_in_the_middle_harm_nothing(house: House) -> None:
    at = urlsplit(house.base_url)
    call = signed_call(house)
    for cut in range(1, len(call), 97):
        with socket.create_connection((at.hostname, at.port), 5) as line:
            line.sendall(call[:cut])


def test_hundreds_of_slow_connections_leave_room_for_a_good_call(house: House) -> None:
    at = urlsplit(house.base_url)
    lines = [socket.create_connection((at.hostname, at.port), 5) for _ in range(400)]
    try:
        for line in lines:
            line.sendall(b"POST /api/proactiveAlert HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n")
        began = time.monotonic()
        assert house.acme.to("4045550105").status == 200
        assert time.monotonic() - began < 1
    finally:
        for line in lines:
            line.close()


# ── by chance ───────────────────────────────────────────────────────────────────────────────────────────────────────

text = st.text(st.characters(exclude_categories=("Cs",)), max_size=80)
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
    cuts=st.lists(st.tuples(st.integers(0, len(GOOD)), st.integers(0, 12), st.binary(max_size=12)), min_size=1, max_size=4)
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
        at = data.draw(st.integers(0, len(header)))
        instead = data.draw(st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=6))
        header = header[:at] + instead + header[at + data.draw(st.integers(0, 9)) :]
    said = speak(house.base_url, "POST", PATH, GOOD, {**JSON, "Authorization": header})
    assert said.status in (200, 401, 429), said


@FUZZ
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"]),
    path=st.lists(
        st.sampled_from(["api", "callbacks", "rcs", "..", ".", "", "%2e%2e", "%2F", "docs", "metrics", "proactiveAlert"])
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


# ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

CALLBACK = "/callbacks/rcs/google-rbm/25508804/acme-rcs"
FIELDS = ["senderPhoneNumber", "phoneNumber", "eventType", "eventId", "messageId", "sendTime", "agentId", "text"]


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


@pytest.mark.parametrize("event", [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"null", b'{"text": "\\ud800"}', b"\x00" * 9])
def test_a_signed_event_that_is_no_event_is_taken(house: House, event: bytes) -> None:
    assert callback(house, event).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"[]", b'{"message": 1}', b'{"message": {"data": "%"}}', b"\xff"])
def test_a_callback_that_is_not_signed_is_refused(house: House, body: bytes) -> None:
    said = speak(house.base_url, "POST", CALLBACK, body, {"Content-Type": "application/json"})
    assert said.status in (400, 401, 403)
    assert callback(house, b'{"text": "x"}', signed=False).status in (400, 401, 403)


# ── afterwards ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_too_many_wrong_credentials_are_a_429_and_right_ones_pass(house: House) -> None:
    header = {**JSON, "Authorization": house.acme.sign()["Authorization"].replace("oauth_nonce", "oauth_once")}
    last: list[Said] = []

    def guess() -> None:
        for _ in range(600):
            last.append(speak(house.base_url, "POST", PATH, b"{}", header))
            if last[-1].status == 429:
                return

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    limited = next(said for said in last if said.status == 429)
    refused(limited, 429, "wrong credentials")
    assert 1 <= int(limited.headers["retry-after"]) <= 60
    assert {said.status for said in last} == {401, 429}
    assert speak(house.base_url, "POST", PATH, b"{}", JSON).json == {"error": "No Authorization Header"}
    assert house.acme.to("4045550106").status == 200


def test_the_log_has_no_error_and_nobody_in_it(house: House) -> None:
    until(lambda: '"kind":"read"' in house.log())
    log = house.log()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line for line in lines if line["level"] in ("error", "critical")] == []
    for word in ("Traceback", "7703101414", "703101414", "Fanning", "Kansas", "4045550101", "1234567890", "DROP TABLE"):
        assert word not in log, word
    caller: Caller = house.acme
    for secret in (caller.key["consumer_secret"], caller.key["token_secret"]):
        assert secret not in log
