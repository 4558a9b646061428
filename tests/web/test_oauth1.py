"""OAuth 1.0a verification: published vectors, oauthlib as the oracle, and a sentence for each mistake."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oauthlib.oauth1 import Client

from heliograph.web import oauth1_faults as faults
from heliograph.web.oauth1 import (
    Credentials,
    OAuthFault,
    Policy,
    nonce_claim,
    read,
    verify,
)

NOW = 1_575_560_000
NONCE = "da39a3ee5e6b4b0d3255bfef95601890afd80709"
CONTRACT = "https://va.ivrdeflect.liveperson.net"


def check(header: str | None, url: str, *, method: str = "POST", body: bytes = b"{}", **more: Any) -> Credentials:
    """As the door does it; secrets `cs` and `ts` unless told otherwise."""
    credentials = read(header, url.partition("?")[2])
    secrets = {"consumer_secret": "cs", "token_secret": "ts"} | {k: v for k, v in more.items() if k.endswith("secret")}
    now, policy = more.get("now", credentials.timestamp), more.get("policy", Policy())
    verify(credentials, http_method=method, url=url, body=body, now_seconds=now, policy=policy, **secrets)
    return credentials


def header_of(signature: str, token: str | None = "tk", separator: str = ", ", **more: str) -> str:
    values = {
        "oauth_consumer_key": "ck",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(NOW),
        "oauth_nonce": NONCE,
        "oauth_version": "1.0",
        **({} if token is None else {"oauth_token": token}),
        **more,
        "oauth_signature": signature,
    }
    return "OAuth " + separator.join(f'{name}="{quote(value, safe="")}"' for name, value in values.items())


# ── published vectors ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "token", "token_secret", "signature"),
    [
        ("/api/proactivealert/", "tk", "ts", "813TbED98eziXsLz77km6XgO+yo="),
        ("/api/proactiveAlert", "tk", "ts", "am4Mt6eqC4jhnENFy+utXo31i8Y="),
        ("/api/proactivealert/", None, "", "Hn9B/20vNWO/6nUlnTikua+rBtM="),
    ],
)
def test_the_vectors_of_the_contract(path: str, token: str | None, token_secret: str, signature: str) -> None:
    header = header_of(signature, token)
    found = check(header, CONTRACT + path, token_secret=token_secret)
    assert (found.consumer_key, found.token, found.timestamp, found.nonce) == ("ck", token or "", NOW, NONCE)
    with pytest.raises(OAuthFault, match="does not match"):
        check(header, CONTRACT + path + "x", token_secret=token_secret)


@pytest.mark.parametrize(
    ("method", "url", "parameters", "token_secret"),
    [
        pytest.param(
            "POST",
            "https://photos.example.net/initiate",
            'oauth_timestamp="137131200",oauth_nonce="wIjqoS",'
            'oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready",'
            'oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"',
            "",
            id="temporary-credentials",
        ),
        pytest.param(
            "POST",
            "https://photos.example.net/token",
            'oauth_token="hh5s93j4hdidpola",oauth_timestamp="137131201",oauth_nonce="walatlh",'
            'oauth_verifier="hfdp7dh39dks9884",oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"',
            "hdhd0244k9j7ao03",
            id="token",
        ),
        pytest.param(
            "GET",
            "http://photos.example.net/photos?file=vacation.jpg&size=original",
            'oauth_token="nnch734d00sl2jdk",oauth_timestamp="137131202",oauth_nonce="chapoH",'
            'oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"',
            "pfkkdhi9sl3r4s00",
            id="protected-resource",
        ),
    ],
)
def test_the_example_of_rfc_5849_section_1_2(method: str, url: str, parameters: str, token_secret: str) -> None:
    header = (
        'OAuth realm="Photos",\r\n        oauth_consumer_key="dpf43f3p2l4k3l03",'.replace("\r\n", "")
        + f'oauth_signature_method="HMAC-SHA1",{parameters}'
    )
    check(header, url, method=method, consumer_secret="kd94hf93k423kf44", token_secret=token_secret)


def test_the_base_string_of_rfc_5849_section_3_4_1_1() -> None:
    base = (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D"
        "%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )
    signature = base64.b64encode(hmac.digest(b"j49sk3j29djd&dh893hdasih9", base.encode(), "sha1")).decode()
    header = (
        'OAuth realm="Example",oauth_consumer_key="9djdj82h48djs9d2",oauth_token="kkk9d7dh3k39sjv7",'
        'oauth_signature_method="HMAC-SHA1",oauth_timestamp="137131201",oauth_nonce="7d8f3e4a",'
        f'oauth_signature="{quote(signature, safe="")}"'
    )
    # The example has `c2&a3=2+q` in a form body, which this API does not take; in the query they count the same.
    url = "http://EXAMPLE.COM:80/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q"
    check(header, url, consumer_secret="j49sk3j29djd", token_secret="dh893hdasih9")


# ── what callers write ──────────────────────────────────────────────────────────────────────────────────────────────

ALERT = f"{CONTRACT}/api/proactiveAlert"
AM4 = "am4Mt6eqC4jhnENFy+utXo31i8Y="


def signed(url: str, *, method: str = "POST", hashed: str = "sha1", key: str = "cs&ts", **oauth: str) -> str:
    """Signs without any library, for a URL without a query."""
    base = "&".join(
        quote(part, safe="")
        for part in (method, url, "&".join(f"{n}={quote(v, safe='')}" for n, v in sorted(oauth.items())))
    )
    return base64.b64encode(hmac.digest(key.encode(), base.encode(), hashed)).decode()


@pytest.mark.parametrize(
    "change",
    [
        lambda header: header.replace(", ", ","),
        lambda header: header.replace(", ", " , "),
        lambda header: header.replace("OAuth ", "oauth  "),
        lambda header: header.replace("OAuth ", "Oauth "),
        lambda header: header.replace("OAuth ", "OAUTH\t"),
        lambda header: header.replace("OAuth ", 'OAuth realm="https://a, b=c", '),
        lambda header: header.replace("OAuth ", 'OAuth realm="http%3A%2F%2Fa%2F",'),
        lambda header: header.replace("OAuth ", 'OAuth realm="", '),
        lambda header: header + ', realm="Fl\xfcge"',
        lambda header: header.replace("OAuth ", 'OAuth realm="a \\"b\\" c", '),
        lambda header: header + ",",
        lambda header: "  " + header + "  ",
        lambda header: header.replace('="', ' = "'),
        lambda header: "OAuth " + ", ".join(reversed(header[6:].split(", "))),
        lambda header: header.replace("%2B", "+").replace("%3D", "="),
        lambda header: header.replace("%2B", "%2b").replace("%3D", "%3d"),
        lambda header: header.replace("HMAC-SHA1", "HMAC%2DSHA1").replace('"ck"', '"%63k"'),
    ],
)
def test_headers_as_they_are_written(change: Any) -> None:
    found = check(change(header_of(AM4)), ALERT)
    assert (found.method, found.consumer_key, found.signature) == ("HMAC-SHA1", "ck", AM4)


@pytest.mark.parametrize("version", [None, "1.0", "1.0A"])
@pytest.mark.parametrize("token", [None, "", "tk"])
@pytest.mark.parametrize("nonce", ["12345678", "a.b-c.d-", "n" * 128, "ä /+=%25"])
def test_versions_tokens_and_nonces(version: str | None, token: str | None, nonce: str) -> None:
    oauth = {
        "oauth_consumer_key": "ck",
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(NOW),
        "oauth_nonce": nonce,
    }
    if version is not None:
        oauth["oauth_version"] = version
    if token is not None:
        oauth["oauth_token"] = token
    secret = "ts" if token else ""
    oauth["oauth_signature"] = signed(ALERT, key=f"cs&{secret}", **oauth)
    header = "OAuth " + ",".join(f'{name}="{quote(value, safe="")}"' for name, value in oauth.items())
    found = check(header, ALERT, token_secret=secret)
    assert (found.nonce, found.token) == (nonce, token or "")


def test_percent_encoded_letters_in_the_path_are_signed_as_sent() -> None:
    url = f"{CONTRACT}/api/proactive%41lert"
    client = Client("ck", "cs", "tk", "ts", timestamp=str(NOW), nonce=NONCE)
    header = client.sign(url, "POST")[1]["Authorization"]
    check(header, url)
    with pytest.raises(OAuthFault):
        check(header, ALERT)


def test_non_ascii_in_the_query_raw_and_encoded_are_signed_alike() -> None:
    header = Client("ck", "cs", "tk", "ts").sign(f"{ALERT}?n%C3%A4me=%C3%BC&x=", "POST")[1]["Authorization"]
    check(header, f"{ALERT}?n%c3%a4me=%C3%BC&x")
    check(header, f"{ALERT}?näme=ü&&x=")


def test_bytes_that_are_not_utf_8_are_signed_as_bytes() -> None:
    oauth = f"oauth_consumer_key=ck&oauth_nonce={NONCE}&oauth_signature_method=HMAC-SHA1&oauth_timestamp={NOW}"
    base = f"POST&{quote(ALERT, safe='')}&{quote(f'n%E4me=1&{oauth}', safe='')}"
    signature = base64.b64encode(hmac.digest(b"cs&", base.encode(), "sha1")).decode()
    header = (
        "OAuth " + oauth.replace("=", '="').replace("&", '", ') + f'", oauth_signature="{quote(signature, safe="")}"'
    )
    check(header, f"{ALERT}?n%E4me=1", token_secret="")
    check(header, f"{ALERT}?n\udce4me=1", token_secret="")  # raw, as address.url gives it
    with pytest.raises(OAuthFault):
        check(header, f"{ALERT}?näme=1", token_secret="")


# ── oauthlib as the oracle ──────────────────────────────────────────────────────────────────────────────────────────

SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
NAMES = st.text(st.sampled_from("abzABZ09_-.~ +&=%/äß漢@"), min_size=1, max_size=6).filter(
    lambda name: not name.startswith("oauth_")
)
QUERIES = st.lists(
    st.tuples(NAMES, st.text(st.sampled_from("abzABZ09_-.~ +&=%/äß漢@:?#\u00a0"), max_size=8)), max_size=6
)
METHODS = st.sampled_from(["HMAC-SHA1", "HMAC-SHA256", "HMAC-SHA512", "PLAINTEXT"])
HOSTS = st.sampled_from(["acme.example", "ACME.Example", "127.0.0.1", "acme.example:80", "acme.example:443", "h:8080"])
PATHS = st.sampled_from(["", "/", "/api/proactiveAlert", "/API/proactivealert/", "/api/%41%2f//x;y=1", "/a%C3%A4b"])
ALLOW = Policy(plaintext=True)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, Any]:
    pairs = draw(QUERIES)
    if draw(st.booleans()):
        pairs += pairs[:2]  # repeated names with equal values
    space = draw(st.sampled_from(["+", "%20"]))
    query = "&".join(
        f"{quote(name, safe='').replace('%20', space)}={quote(value, safe='').replace('%20', space)}"
        for name, value in pairs
    )
    token = draw(st.one_of(st.none(), st.text(st.sampled_from("abAB01-._~ +/=%ä"), min_size=1, max_size=20)))
    method = draw(METHODS)
    scheme = "https" if method == "PLAINTEXT" else draw(st.sampled_from(["http", "https"]))
    return {
        "url": f"{scheme}://{draw(HOSTS)}{draw(PATHS)}" + (f"?{query}" if query else ""),
        "http_method": draw(st.sampled_from(["POST", "GET", "PUT", "post"])),
        "key": draw(st.text(st.sampled_from("abAB01-._~ +/=%ä"), min_size=1, max_size=20)),
        "consumer_secret": draw(SECRETS),
        "token": token,
        "token_secret": draw(SECRETS) if token else "",
        "method": method,
        "nonce": draw(st.text(st.sampled_from("abAB01-._~+/=%ä"), min_size=8, max_size=128)),
        "body": draw(st.one_of(st.none(), st.just('{"a": "ä"}'))),
        "realm": draw(st.sampled_from([None, "Acme", "https://acme.example/"])),
    }


def sign(call: dict[str, Any]) -> str:
    client = Client(
        call["key"],
        client_secret=call["consumer_secret"],
        resource_owner_key=call["token"],
        resource_owner_secret=call["token_secret"] or None,
        signature_method=call["method"],
        nonce=call["nonce"],
        timestamp=str(NOW),
    )
    headers = {"Content-Type": "application/json"} if call["body"] is not None else {}
    header: str = client.sign(
        call["url"], call["http_method"], body=call["body"], headers=headers, realm=call["realm"]
    )[1]["Authorization"]
    return header


def verified(call: dict[str, Any], header: str) -> Credentials:
    return check(
        header,
        call["url"],
        method=call["http_method"],
        body=(call["body"] or "").encode(),
        consumer_secret=call["consumer_secret"],
        token_secret=call["token_secret"],
        policy=ALLOW,
        now=NOW,
    )


@settings(max_examples=400, deadline=None)
@given(calls())
def test_all_that_oauthlib_signs_is_taken(call: dict[str, Any]) -> None:
    found = verified(call, sign(call))
    assert (found.consumer_key, found.token, found.nonce) == (call["key"], call["token"] or "", call["nonce"])
    assert (found.body_hash is not None) == (call["body"] is not None)


@settings(max_examples=300, deadline=None)
@given(call=calls(), what=st.sampled_from(["url", "query", "http_method", "consumer_secret", "token_secret", "body"]))
def test_a_change_of_what_was_signed_is_refused(call: dict[str, Any], what: str) -> None:
    header = sign(call)
    plaintext = call["method"] == "PLAINTEXT"
    match what:
        case "url":
            assume(not plaintext)
            call["url"] = call["url"].replace("://", "://x", 1)
        case "query":
            assume(not plaintext)
            call["url"] += "&extra=1" if "?" in call["url"] else "?extra=1"
        case "http_method":
            assume(not plaintext)
            call["http_method"] = "DELETE"
        case "body":
            assume(call["body"] is not None)
            call["body"] += " "
        case _:
            call[what] += "x"
    with pytest.raises(OAuthFault):
        verified(call, header)


@settings(max_examples=300, deadline=None)
@given(call=calls(), data=st.data())
def test_a_change_of_any_signed_parameter_is_refused(call: dict[str, Any], data: st.DataObject) -> None:
    assume(call["method"] != "PLAINTEXT")
    header = sign(call)
    names = [piece.partition("=")[0] for piece in header.removeprefix("OAuth ").split(", ")]
    name = data.draw(st.sampled_from([name for name in names if name != "realm"]))
    changed = header.replace(f'{name}="', f'{name}="1', 1)
    with pytest.raises(OAuthFault):
        verified(call, changed)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=200), st.text(st.sampled_from('OAuth oauth_nonce=",%2\\é'), max_size=200)), st.text())
def test_no_header_breaks_the_reader(header: str, query: str) -> None:
    with pytest.raises(OAuthFault):
        read(f"OAuth {header}", query)


def test_a_hostile_header_costs_one_pass() -> None:
    for piece in ('a="' + "\\" * 3, "a =", ' ,"', 'x="%" ', "a"):
        with pytest.raises(OAuthFault):
            read("OAuth " + piece * (32_768 // len(piece)))


# ── the body's hash ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["sha1", "sha256", "sha512"])
@pytest.mark.parametrize("hashed", ["sha1", "sha256", "sha512"])
def test_the_body_is_hashed_by_the_methods_hash_or_sha_1(method: str, hashed: str) -> None:
    oauth = {
        "oauth_consumer_key": "ck",
        "oauth_signature_method": f"HMAC-{method.upper()}",
        "oauth_timestamp": str(NOW),
        "oauth_nonce": NONCE,
        "oauth_body_hash": base64.b64encode(hashlib.new(hashed, b"{}").digest()).decode(),
    }
    oauth["oauth_signature"] = signed(ALERT, hashed=method, **oauth)
    header = "OAuth " + ", ".join(f'{name}="{quote(value, safe="")}"' for name, value in oauth.items())
    if hashed in (method, "sha1"):
        check(header, ALERT, policy=Policy(require_body_hash=True))
        with pytest.raises(OAuthFault, match="3 bytes came") as caught:
            check(header, ALERT, body=b"{ }")
        assert caught.value.signed
    else:
        with pytest.raises(OAuthFault, match="oauth_body_hash"):
            check(header, ALERT)


def test_a_site_may_require_the_bodys_hash() -> None:
    with pytest.raises(OAuthFault, match="lacks oauth_body_hash") as caught:
        check(header_of(AM4), ALERT, policy=Policy(require_body_hash=True))
    assert caught.value.signed


# ── a sentence for each mistake ─────────────────────────────────────────────────────────────────────────────────────

GOOD = header_of(AM4)


@pytest.mark.parametrize(
    ("header", "query", "sentence"),
    [
        (None, "", "No Authorization Header"),
        ("  ", "", "No Authorization Header"),
        (None, "oauth_consumer_key=ck&oauth_signature=x", "The query holds oauth_ parameters"),
        (GOOD, "a=1&oauth%5Ftoken=x", "The query holds oauth_ parameters"),
        ("Bearer sesame", "", "not OAuth but Bearer"),
        ("sesame", "", "not OAuth by its first word"),
        (
            "OAuth",
            "",
            "lacks oauth_consumer_key, oauth_signature_method, oauth_signature, oauth_timestamp and oauth_nonce",
        ),
        ("OAuth sesame", "", 'malformed: no name="value" stands at character 1'),
        (GOOD + ' oauth_x="1"', "", "malformed"),
        (GOOD[:-1], "", "malformed"),
        (GOOD.replace('"ck"', "ck"), "", "malformed"),
        (GOOD.replace('"ck"', '"c\xfc"'), "", "oauth_consumer_key holds a character that is not percent-encoded"),
        (GOOD.replace('"ck"', '"%ff"'), "", "oauth_consumer_key is not UTF-8"),
        (GOOD + ', oauth%5Fx="1"', "", "the name of an oauth_ parameter is percent-encoded"),
        (GOOD + ', oauth_nonce="x"', "", "oauth_nonce more than once"),
        (GOOD.replace('oauth_nonce="' + NONCE, 'oauth_nonce="'), "", "lacks oauth_nonce."),
        (GOOD.replace("HMAC-SHA1", "RSA-SHA1"), "", "'RSA-SHA1' is not supported. Sign with HMAC-SHA1, HMAC-SHA256 or"),
        (GOOD.replace('"1.0"', '"2.0"'), "", "oauth_version '2.0' is not supported"),
        *(
            (GOOD.replace(str(NOW), stamp), "", "is not a positive whole number")
            for stamp in ("0", "-5", "1.5", "now", "1e9", "+1", "1" * 5_000, "%D9%A1")
        ),
    ],
)
def test_reading_faults(header: str | None, query: str, sentence: str) -> None:
    with pytest.raises(OAuthFault) as caught:
        read(header, query)
    assert sentence in caught.value.sentence and not caught.value.signed
    assert "sesame" not in caught.value.sentence
    assert len(caught.value.sentence) < 400


def test_a_wrong_signature_names_what_the_server_saw() -> None:
    with pytest.raises(OAuthFault) as caught:
        check(GOOD, "http://10.0.0.7:8080/api/proactiveAlert?a=1")
    assert caught.value.sentence == (
        "The signature does not match. The server saw POST http://10.0.0.7:8080/api/proactiveAlert?a=1; if you signed "
        "another address, a proxy changes it: set HELIOGRAPH_PUBLIC_URL. If the address is right, check the consumer "
        "secret and the token secret."
    )
    assert not caught.value.signed
    with pytest.raises(OAuthFault) as caught:
        check(GOOD, "http://h/" + "\udcff" + "x" * 9_000)
    assert len(caught.value.sentence.encode()) < 1_000


@pytest.mark.parametrize(
    ("now", "taken"), [(NOW - 301, False), (NOW - 300, True), (NOW + 300, True), (NOW + 301, False)]
)
def test_the_clocks_window(now: int, taken: bool) -> None:
    if taken:
        check(GOOD, ALERT, now=now)
        return
    with pytest.raises(OAuthFault, match=r"301 s (too old|ahead): the server's time is 15755") as caught:
        check(GOOD, ALERT, now=now)
    assert " UTC" in caught.value.sentence and "300 s either way" in caught.value.sentence
    assert ("too old" in caught.value.sentence) == (now > NOW)


def test_milliseconds_are_recognised() -> None:
    with pytest.raises(OAuthFault, match="It looks like milliseconds"):
        check(GOOD.replace(str(NOW), str(NOW * 1000)), ALERT, now=NOW)


def test_plaintext_only_where_allowed_and_over_tls() -> None:
    header = header_of("cs&ts").replace("HMAC-SHA1", "PLAINTEXT")
    check(header, ALERT, policy=ALLOW)
    with pytest.raises(OAuthFault, match="this site does not allow it"):
        check(header, ALERT)
    with pytest.raises(OAuthFault, match="did not come over TLS"):
        check(header, ALERT.replace("https", "http"), policy=ALLOW)
    with pytest.raises(OAuthFault, match="does not match"):
        check(header, ALERT, policy=ALLOW, token_secret="other")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.unknown_consumer_key("ck\udcff"), "The consumer key 'ck?' is not known here."),
        (faults.unknown_token("tk"), "not known with the token 'tk'."),
        (faults.unknown_token(""), "not known without a token."),
        (faults.disabled_key(), "was disabled."),
        (faults.expired_key(NOW * 1000), "expired at 2019-12-05 15:33:20 UTC."),
    ],
)
def test_sentences_for_the_door(fault: OAuthFault, words: str) -> None:
    assert words in fault.sentence
    fault.sentence.encode()


# ── nonces ──────────────────────────────────────────────────────────────────────────────────────────────────────────

PARTS = st.text(st.sampled_from("a1:0"), max_size=4)


@given(st.lists(st.tuples(PARTS, PARTS, st.integers(1, 20), PARTS), min_size=2, max_size=2, unique=True))
def test_each_nonce_has_a_claim_of_its_own(two: list[tuple[str, str, int, str]]) -> None:
    keys = {
        nonce_claim(
            Credentials(
                consumer_key=key,
                token=token,
                method="HMAC-SHA1",
                signature="",
                timestamp=at,
                nonce=nonce,
                body_hash=None,
                signed=[],
            ),
            "site",
            0,
            300,
            "owner",
        ).key
        for key, token, at, nonce in two
    }
    assert len(keys) == 2 and all(len(key) == 40 for key in keys)


def test_a_claim_lasts_a_minute_longer_than_its_timestamp_is_taken() -> None:
    found = check(GOOD, ALERT)
    claim = nonce_claim(found, "site", NOW * 1000, 300, "call")
    assert (claim.site, claim.scope, claim.owner, claim.value) == ("site", "nonce", "call", str(NOW))
    check(GOOD, ALERT, now=(claim.until - 60_001) // 1000)
    with pytest.raises(OAuthFault):
        check(GOOD, ALERT, now=(claim.until - 60_000) // 1000)
    later = nonce_claim(read(GOOD.replace(str(NOW), str(NOW + 1))), "site", NOW * 1000, 300, "call")
    assert later.until > claim.until  # so the store's floor by `until` is one by timestamp
