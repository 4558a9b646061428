"""What is hardly HTTP, over raw sockets: never a 5xx, never a hang, nothing smuggled; and what is odd but right."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from journey import rough
from journey.caller import PATH
from journey.house import House, until
from journey.rawline import head, raw, read
from journey.rough import BODY_TIMEOUT, IDLE


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from rough.house(tmp_path_factory.mktemp("rough"))


@pytest.fixture(autouse=True)
def afterwards(house: House) -> Iterator[None]:
    yield from rough.well(house)


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
    "no version": (b"GET /healthz\r\n\r\n", {200, 400}),
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
    "no host": (head("GET", "/healthz", []), {200, 400}),
    "odd expect": (head("POST", PATH, [*SMALL, ("Expect", "200-maybe")]) + b"{}", {415, 417}),
    "empty lines first": (b"\r\n\r\n" + head("GET", "/healthz", [HOST]), {200}),
}


@pytest.mark.parametrize("name", WIRE)
def test_what_is_not_http_or_too_much_of_it(house: House, name: str) -> None:
    sent, allowed = WIRE[name]
    statuses, came, closed = raw(house.base_url, sent)
    assert (statuses and set(statuses) <= allowed) or (not statuses and closed and not came), came[:300]
    assert came.count(b"HTTP/1.1 ") - came.count(b"not HTTP/1.1 as") == len(statuses) <= 2


def test_http_1_0_is_answered_and_closed(house: House) -> None:
    statuses, came, closed = raw(house.base_url, b"GET /healthz HTTP/1.0\r\n\r\n", wait=3)
    assert statuses == [200] and closed and came.endswith(b'{"status":"alive"}')


def signed_call(house: House, target: str = PATH, **more: str) -> bytes:
    body = house.acme.body(externalAlertId=...)
    headers = {
        "Host": urlsplit(house.base_url).netloc,
        **house.acme.sign(body=body),
        "Content-Length": str(len(body)),
        **more,
    }
    return head("POST", target, headers.items()) + body


def test_an_absolute_target_is_taken(house: House) -> None:
    """RFC 9112 section 3.2.2: a server must accept it."""
    statuses, came, _ = raw(house.base_url, signed_call(house, house.base_url + PATH))
    assert statuses == [200], came[:500]


def test_a_caller_that_closes_its_side_counts_as_gone_and_its_repeat_is_the_same_alert(house: House) -> None:
    """A closed side cannot be told from a caller that gave up. Whether or not it still gets its answer, it calls again
    within the minute, without any id: one message."""
    number = "4045550107"
    body = house.acme.body(externalAlertId=..., customerPhoneNumber=number)

    def call() -> bytes:
        headers = {
            "Host": urlsplit(house.base_url).netloc,
            **house.acme.sign(body=body),
            "Content-Length": str(len(body)),
        }
        return head("POST", PATH, headers.items()) + body

    house.phones.behave("slow", match={"number": f"+1{number}"}, seconds=0.3, times=1)
    statuses, _, closed = raw(house.base_url, call(), half_close=True)
    assert closed and statuses in ([], [200])
    until(lambda: house.phones.messages(number))
    time.sleep(0.5)
    statuses, came, _ = raw(house.base_url, call())
    assert statuses == [200] and b"idempotent-replayed: true" in came.lower()
    assert len(house.phones.messages(number)) == 1


def test_a_byte_at_a_time_is_one_call(house: House) -> None:
    call = signed_call(house)
    pieces = [call[at : at + 7] for at in range(0, len(call), 7)]
    assert raw(house.base_url, *pieces, pause=0.001)[0] == [200]


def test_pipelined_calls_are_answered_in_order_also_wrong_ones(house: House) -> None:
    wrong = head("POST", PATH, [HOST, ("Content-Type", "application/json"), ("Content-Length", "2")]) + b"{}"
    others = wrong + head("GET", "/nothing", [HOST]) + head("PUT", PATH, [HOST, ("Content-Length", "0")])
    calls = b"".join(signed_call(house) + others for _ in range(5))
    assert raw(house.base_url, calls, wait=1)[0] == [200, 401, 404, 405] * 5


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
