"""Who may call, in which order a call is looked at, and how much of it is taken: every refusal before the fields."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from journey import rough
from journey.caller import JSON, PATH, Said, speak
from journey.house import House
from journey.rawline import head, raw
from journey.rough import LIMIT, refused, unauthorized


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from rough.house(tmp_path_factory.mktemp("rough"))


@pytest.fixture(autouse=True)
def afterwards(house: House) -> Iterator[None]:
    yield from rough.well(house)


# ── route, size, type, credentials, rate, fields, site: in this order ─────────────────────────────────────────────────


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
    refused(acme.alert(siteId="other", customerCountryCode=[]), 400)
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


# ── credentials ───────────────────────────────────────────────────────────────────────────────────────────────────────


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
    forged = {
        **headers,
        "Authorization": re.sub('oauth_signature="[^"]*"', 'oauth_signature="x"', headers["Authorization"]),
    }
    unauthorized(speak(house.base_url, "POST", PATH, house.acme.body(), forged))
    assert speak(house.base_url, "POST", PATH, house.acme.body(externalAlertId=...), headers).status == 200


def test_a_keys_rate_is_a_429_that_says_when(house: House) -> None:
    caller = house.callers["slowly"]
    said = [caller.to(f"404555010{n}") for n in range(5)]
    assert [one.status for one in said[:2]] == [200, 200]
    refused(said[-1], 429, "0.5 calls a second")
    assert 1 <= int(said[-1].headers["retry-after"]) <= 4


# ── too often ─────────────────────────────────────────────────────────────────────────────────────────────────────────


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
