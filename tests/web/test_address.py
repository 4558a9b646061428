"""The URL as the caller wrote it, and the caller's own address, with and without proxies."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.errors import SetupError
from heliograph.web.address import caller, doorplate, network_of, url

PROXY, OUTER, CALLER, LIAR = "10.0.0.7", "192.0.2.1", "203.0.113.9", "198.51.100.66"
TRUST = f"{PROXY}, 192.0.2.0/24,fd00::/8"


def scope(path: bytes = b"/api/x", query: bytes = b"", *, peer: str | None = CALLER, **headers: str | list[str]) -> Any:
    pairs = []
    for name, value in ({"host": "acme.example"} | headers).items():
        for one in value if isinstance(value, list) else [value]:
            pairs.append((name.replace("_", "-").encode(), one.encode("latin-1")))
    return {
        "scheme": "http",
        "raw_path": path,
        "query_string": query,
        "headers": [pair for pair in pairs if pair[1]],
        "client": (peer, 40_000) if peer else None,
        "server": ("127.0.0.1", 8080),
    }


PLAIN = doorplate("", "")
BEHIND = doorplate("", TRUST)


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        (b"/api/proactive%41lert/", b"", "/api/proactive%41lert/"),
        (b"/API//x", b"a=%2f&a=&b=+", "/API//x?a=%2f&a=&b=+"),
        (b"/", b"n=\xc3\xa4", "/?n=ä"),
        (b"/", b"n=\xe4", "/?n=\udce4"),
    ],
)
def test_path_and_query_stay_raw(path: bytes, query: bytes, expected: str) -> None:
    assert url(PLAIN, scope(path, query)) == f"http://acme.example{expected}"


def test_the_host_header_tells_host_and_port() -> None:
    assert url(PLAIN, scope(host="ACME.example:8443")) == "http://ACME.example:8443/api/x"
    assert url(PLAIN, scope(host="")) == "http://127.0.0.1:8080/api/x"  # HTTP/1.0
    ipv6 = scope(host="")
    ipv6["server"] = ("::1", 8080)
    assert url(PLAIN, ipv6) == "http://[::1]:8080/api/x"


@pytest.mark.parametrize(
    ("public", "path", "expected"),
    [
        ("https://alerts.acme.example", b"/api/x", "https://alerts.acme.example/api/x"),
        ("HTTPS://Alerts.Acme.example:8443/", b"/api/x", "https://alerts.acme.example:8443/api/x"),
        ("https://acme.example/alerts", b"/api/x", "https://acme.example/alerts/api/x"),
        ("https://acme.example/alerts/", b"/alerts/api/x", "https://acme.example/alerts/api/x"),
        ("https://acme.example/alerts", b"/alertsapi/x", "https://acme.example/alerts/alertsapi/x"),
    ],
)
def test_the_public_url_replaces_scheme_host_port_and_prefix(public: str, path: bytes, expected: str) -> None:
    plate = doorplate(public, TRUST)
    told = {"x_forwarded_proto": "http", "x_forwarded_host": "other.example"}
    assert url(plate, scope(path, b"q=1", peer=PROXY, **told)) == f"{expected}?q=1"


@pytest.mark.parametrize(
    "public", ["acme.example", "ftp://acme.example", "https://", "https://u@h", "https://h/?q", "https://h/#f"]
)
def test_a_wrong_public_url_is_a_sentence(public: str) -> None:
    with pytest.raises(SetupError, match="HELIOGRAPH_PUBLIC_URL"):
        doorplate(public, "")


def test_a_wrong_proxy_is_a_sentence() -> None:
    with pytest.raises(SetupError, match="names 'proxy"):
        doorplate("", "10.0.0.1, proxy.example")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_forwarded_proto": "https"}, "https://acme.example"),
        ({"x_forwarded_proto": "HTTPS", "x_forwarded_host": "a.example"}, "https://a.example"),
        (
            {"x_forwarded_proto": "https", "x_forwarded_host": "a.example", "x_forwarded_port": "8443"},
            "https://a.example:8443",
        ),
        ({"x_forwarded_host": "a.example:1", "x_forwarded_port": "2"}, "http://a.example:1"),
        ({"x_forwarded_for": CALLER, "x_forwarded_proto": "http, https"}, "https://acme.example"),
        ({"x_forwarded_for": f"{CALLER}, {OUTER}", "x_forwarded_proto": "https, http"}, "https://acme.example"),
        ({"x_forwarded_for": f"{CALLER}, {OUTER}", "x_forwarded_proto": "ftp, https, http"}, "https://acme.example"),
        ({"forwarded": f"for={CALLER};proto=https;host=a.example"}, "https://a.example"),
        (
            {"forwarded": f'for={LIAR};host=evil, for="{CALLER}:1234";Proto=https;Host="a.example:8443"'},
            "https://a.example:8443",
        ),
        ({"forwarded": f"for={CALLER};host=a.example, for={OUTER};host=b.example"}, "http://a.example"),
        ({"forwarded": "nonsense"}, "http://acme.example"),
        ({"forwarded": "host=evil", "x_forwarded_proto": "https"}, "https://acme.example"),
        ({}, "http://acme.example"),
    ],
)
def test_forwarding_headers_are_believed_from_our_proxies_alone(headers: dict[str, str], expected: str) -> None:
    assert url(BEHIND, scope(peer=PROXY, **headers)) == f"{expected}/api/x"
    assert url(BEHIND, scope(peer=LIAR, **headers)) == "http://acme.example/api/x"
    assert url(PLAIN, scope(peer=PROXY, **headers)) == "http://acme.example/api/x"


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        (PROXY, {"x_forwarded_for": CALLER}, CALLER),
        (PROXY, {"x_forwarded_for": f"{LIAR}, {CALLER}"}, CALLER),
        (PROXY, {"x_forwarded_for": [LIAR, f"{CALLER}, {OUTER}"]}, CALLER),
        (f"::ffff:{PROXY}", {"x_forwarded_for": f"{CALLER}:1234, {OUTER}"}, CALLER),
        (PROXY, {"x_forwarded_for": f"{LIAR}, unknown"}, PROXY),
        (PROXY, {"x_forwarded_for": f"{LIAR}, unknown, {OUTER}"}, OUTER),
        (PROXY, {"x_forwarded_for": f"{OUTER}, {PROXY}"}, OUTER),
        (PROXY, {"x_forwarded_for": "2001:db8::1, [fd00::1]:443"}, "2001:db8::1"),
        (PROXY, {"forwarded": f'for="[2001:db8::1]:4711", for={OUTER}'}, "2001:db8::1"),
        (PROXY, {"forwarded": f"for={LIAR}", "x_forwarded_for": CALLER}, CALLER),
        (PROXY, {}, PROXY),
        (CALLER, {"x_forwarded_for": LIAR, "forwarded": f"for={LIAR}"}, CALLER),
        (None, {"x_forwarded_for": LIAR}, ""),
    ],
)
def test_the_callers_own_address(peer: str | None, headers: dict[str, Any], expected: str) -> None:
    assert caller(BEHIND, scope(peer=peer, **headers)) == expected


def test_limits_count_ipv6_by_the_network_of_a_subscriber() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert network_of("2001:db8:1:3::4") != network_of("2001:db8:1:2::4")
    assert network_of(CALLER) == CALLER
    assert network_of(f"::ffff:{CALLER}") == CALLER
    assert network_of("") == ""
