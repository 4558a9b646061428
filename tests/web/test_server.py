"""The server over raw sockets: what callers may do, and what nobody may do to it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
import pytest

from heliograph.errors import SetupError
from heliograph.web.server import BodyTimeout, BodyTooLarge, CallerGone, Limits, Server, read_body, written

LIMITS = Limits(
    header_limit=20,
    header_size=4_000,
    url_size=1_000,
    body_limit=1_000,
    body_timeout=0.4,
    idle_timeout=0.6,
    connections=8,
)


class Door:
    """An application that does what the path says, and notes what became of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.gone = 0
        self.written: list[bool] = []
        self.go = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.calls.append(scope["path"])
        status, body, close = 200, b"", False
        if scope["path"] == "/big":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(400):
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            await send({"type": "http.response.body"})
            return
        if scope["path"] == "/wait":
            await self.go.wait()
        if scope["path"] == "/unread":
            status, body = 401, b"no"
        else:
            try:
                body = await read_body(scope, receive, LIMITS.body_limit, LIMITS.body_timeout)
            except BodyTooLarge as fault:
                status, body = 413, fault.sentence.encode()
            except BodyTimeout as fault:
                status, body, close = 408, fault.sentence.encode(), True
            except CallerGone:
                self.gone += 1
        headers = [(b"content-length", b"%d" % len(body))] + [(b"connection", b"close")] * close
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})
        self.written.append(written(send))


class Line:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        async with asyncio.timeout(5):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
            return int(first.split()[1]), headers, body

    async def rest(self) -> bytes:
        """All that still comes, to the end of the connection."""
        async with asyncio.timeout(5):
            try:
                return await self.reader.read()
            except ConnectionResetError:
                return b""


Dial = Callable[[], Awaitable[Line]]


@pytest.fixture
async def door() -> Door:
    return Door()


@pytest.fixture
async def server(door: Door) -> AsyncIterator[Server]:
    one = Server(door, "127.0.0.1", 0, LIMITS)
    one.port = await one.start()  # type: ignore[attr-defined]
    yield one
    await one.stop(0.2)


@pytest.fixture
async def dial(server: Server) -> AsyncIterator[Dial]:
    lines: list[Line] = []

    async def connect() -> Line:
        lines.append(Line(*await asyncio.open_connection("127.0.0.1", server.port)))  # type: ignore[attr-defined]
        return lines[-1]

    yield connect
    for line in lines:
        line.writer.close()


def post(path: str, body: bytes, *more: str) -> bytes:
    headers = "".join(f"{line}\r\n" for line in more)
    return f"POST {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode() + body


# ── what callers may do ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_these_tests_run_on_the_servers_loop(server: Server) -> None:
    assert type(asyncio.get_running_loop()).__module__ == "uvloop"


async def test_one_call_and_its_headers(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/echo", b"hello"))
    status, headers, body = await line.answer()
    assert (status, body) == (200, b"hello")
    assert "date" in headers and "server" not in headers
    assert door.written == [True]


async def test_keep_alive_and_pipelined_calls_are_answered_in_order(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/echo", b"one") + post("/echo", b"two") + post("/unread", b"three") + post("/echo", b"four"))
    assert [(await line.answer())[2] for _ in range(4)] == [b"one", b"two", b"no", b"four"]
    await line.send(post("/echo", b"five"))
    assert (await line.answer())[2] == b"five"


async def test_a_pipelined_call_cut_in_the_middle_of_its_header(dial: Dial) -> None:
    line = await dial()
    both = post("/echo", b"one") + post("/echo", b"two")
    for cut in (90, 95, 100):
        await line.send(both[:cut])
        await asyncio.sleep(0.05)
        await line.send(both[cut:])
        assert [(await line.answer())[2] for _ in range(2)] == [b"one", b"two"]


async def test_many_pipelined_calls_are_no_large_header(dial: Dial) -> None:
    line = await dial()
    many = post("/echo", b"x" * 100) * 200
    await line.send(many[:-130])  # 30 KB in one go, of headers far below the limit each; the last one is not whole
    await asyncio.sleep(0.05)
    await line.send(many[-130:])
    for _ in range(200):
        assert (await line.answer())[0] == 200


async def test_a_byte_at_a_time(dial: Dial) -> None:
    line = await dial()
    for byte in post("/echo", b"slowly"):
        await line.send(bytes([byte]))
    assert (await line.answer())[2] == b"slowly"


async def test_chunked_body(dial: Dial) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await asyncio.sleep(0.05)
    await line.send(b"2\r\nde\r\n0\r\n\r\n")
    assert (await line.answer())[2] == b"abcde"


async def test_expect_100_continue(dial: Dial) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await line.answer())[0] == 100
    await line.send(b"ok")
    assert (await line.answer())[::2] == (200, b"ok")


async def test_expect_100_continue_refused_closes(dial: Dial) -> None:
    line = await dial()
    await line.send(b"POST /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
    assert (await line.answer())[0] == 401
    assert await line.rest() == b""


async def test_http_1_0_without_host_is_answered_and_closed(dial: Dial) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nok")
    status, headers, body = await line.answer()
    assert (status, body, headers["connection"]) == (200, b"ok", "close")
    assert await line.rest() == b""


async def test_javas_upgrade_to_h2c_is_ignored_and_the_connection_kept(dial: Dial) -> None:
    line = await dial()
    ask = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABk")
    for body in (b"one", b"two"):
        await line.send(post("/echo", body, *ask))
        assert (await line.answer())[::2] == (200, body)


async def test_an_answer_before_the_body_keeps_the_connection_if_the_body_still_comes(dial: Dial) -> None:
    line = await dial()
    whole = post("/unread", b"x" * 500)
    await line.send(whole[:-400])
    assert (await line.answer())[0] == 401
    await line.send(whole[-400:] + post("/echo", b"next"))
    assert (await line.answer())[2] == b"next"
    await asyncio.sleep(LIMITS.body_timeout + 0.1)  # the body's moment no longer counts
    await line.send(post("/echo", b"last"))
    assert (await line.answer())[2] == b"last"


# ── what nobody may do ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("head", "status"),
    [
        pytest.param("".join(f"X-{n}: 1\r\n" for n in range(60)), 431, id="many-headers"),
        pytest.param("X: " + "y" * 5_000 + "\r\n", 431, id="one-large-header"),
        pytest.param("".join(f"X-{n}: {'y' * 400}\r\n" for n in range(12)), 431, id="large-in-sum"),
    ],
)
async def test_too_much_header(dial: Dial, door: Door, head: str, status: int) -> None:
    line = await dial()
    await line.send(f"POST /echo HTTP/1.1\r\nHost: h\r\n{head}Content-Length: 0\r\n\r\n".encode())
    got, headers, body = await line.answer()
    assert (got, headers["connection"]) == (status, "close")
    assert msgspec.json.decode(body)["success"] is False
    assert await line.rest() == b"" and door.calls == []


async def test_a_large_header_in_two_chunks_below_the_limit_each(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nX: " + b"y" * 3_000)
    await asyncio.sleep(0.05)
    await line.send(b"y" * 3_000 + b"\r\nContent-Length: 0\r\n\r\n")
    assert (await line.answer())[0] == 431
    assert await line.rest() == b"" and door.calls == []


async def test_a_header_of_just_below_the_limits(dial: Dial) -> None:
    line = await dial()
    many = "".join(f"X-{n}: {'y' * 180}\r\n" for n in range(LIMITS.header_limit - 2))
    assert 3_000 < len(many) < LIMITS.header_size - 300
    await line.send(post(f"/echo?{'q' * 200}", b"ok" * 400, many[:-2]))
    assert (await line.answer())[::2] == (200, b"ok" * 400)


@pytest.mark.parametrize("target", ["/n\xe4me", "h:443"])
async def test_a_target_that_is_no_path(dial: Dial, door: Door, target: str) -> None:
    line = await dial()
    await line.send(
        f"{'CONNECT' if target == 'h:443' else 'GET'} {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode("latin-1")
    )
    assert (await line.answer())[0] == 400
    assert await line.rest() == b"" and door.calls == []


@pytest.mark.parametrize("more", ["", "Upgrade: h2c\r\nConnection: Upgrade\r\n"])
@pytest.mark.parametrize("target", ["/x", "h:443"])
async def test_connect_is_refused_in_each_of_its_forms(dial: Dial, door: Door, target: str, more: str) -> None:
    line, other = await dial(), await dial()
    await line.send(f"CONNECT {target} HTTP/1.1\r\nHost: h\r\n{more}\r\n".encode() + b"not HTTP")
    status, headers, body = await line.answer()
    assert (status, headers["connection"]) == (400, "close")
    assert b"CONNECT asks for a proxy" in body and await line.rest() == b""
    await other.send(post("/echo", b"still here"))
    assert (await other.answer())[2] == b"still here"
    assert door.calls == ["/echo"]


async def test_connect_waits_for_the_answers_before_it(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/wait", b"first") + b"CONNECT /x HTTP/1.1\r\nHost: h\r\n\r\n")
    await asyncio.sleep(0.05)
    door.go.set()
    assert (await line.answer())[2] == b"first"
    assert await line.rest() == b"" and door.calls == ["/wait"]


async def test_a_url_too_long(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(f"GET /{'a' * 1_500} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    assert (await line.answer())[0] == 414
    assert await line.rest() == b"" and door.calls == []


async def test_a_header_without_end_is_cut_while_it_grows(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nX: ")
    for _ in range(7):
        await line.send(b"y" * 1_000)
        await asyncio.sleep(0.01)
    assert (await line.answer())[0] == 431
    assert await line.rest() == b"" and door.calls == []


async def test_a_refused_header_waits_for_the_answers_before_it(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/wait", b"first") + f"GET /{'a' * 1_500} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    await asyncio.sleep(0.05)
    door.go.set()
    assert (await line.answer())[2] == b"first"
    assert (await line.answer())[0] == 414


async def test_bytes_that_are_not_http(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
    status, _, body = await line.answer()
    assert status == 400 and "HTTP/1.1" in msgspec.json.decode(body)["error"]
    assert await line.rest() == b"" and door.calls == []


@pytest.mark.parametrize(
    "framing",
    [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: -2\r\n",
        "Content-Length: 2x\r\n",
        "Content-Length: 99999999999999999999999\r\n",
        "Transfer-Encoding: chunked, identity\r\n",
    ],
)
async def test_ambiguous_framing_is_refused(dial: Dial, door: Door, framing: str) -> None:
    line = await dial()
    await line.send(f"POST /echo HTTP/1.1\r\nHost: h\r\n{framing}\r\nabc".encode())
    assert (await line.answer())[0] == 400
    assert await line.rest() == b"" and door.written in ([], [False])


async def test_bad_bytes_after_a_call_do_not_overtake_its_answer(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/wait", b"first") + b"\x00\x01garbage\r\n\r\n")
    await asyncio.sleep(0.05)
    door.go.set()
    status, headers, body = await line.answer()
    assert (status, body, headers["connection"]) == (200, b"first", "close")
    assert await line.rest() == b""


async def test_a_broken_chunk_is_a_400(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    await asyncio.sleep(0.05)
    await line.send(b"zz\r\n")
    assert (await line.answer())[0] == 400
    await asyncio.sleep(0.05)
    assert door.gone == 1


async def test_a_body_announced_too_large_is_not_read(dial: Dial) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
    status, _, body = await line.answer()
    assert status == 413 and b"100000000 bytes" in body
    for _ in range(100):  # what is sent all the same is dropped, up to a limit
        if line.writer.transport.is_closing():
            return
        with contextlib.suppress(ConnectionError):
            await line.send(b"x" * 100_000)
        await asyncio.sleep(0.01)
    pytest.fail("10 MB were taken")


async def test_a_caller_who_sends_all_before_it_reads_gets_its_413(dial: Dial, server: Server) -> None:
    def blocking() -> bytes:
        line = socket.create_connection(("127.0.0.1", server.port), timeout=5)  # type: ignore[attr-defined]
        line.sendall(post("/echo", b"x" * 3_000_000))
        with line:
            return line.recv(100)

    assert (await asyncio.to_thread(blocking)).startswith(b"HTTP/1.1 413 ")


async def test_a_chunked_body_too_large(dial: Dial) -> None:
    line = await dial()
    await line.send(
        b"POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n258\r\n" + b"x" * 600 + b"\r\n"
    )
    await asyncio.sleep(0.05)
    await line.send(b"258\r\n" + b"x" * 600 + b"\r\n")
    assert (await line.answer())[0] == 413


async def test_a_body_of_just_the_limit(dial: Dial) -> None:
    line = await dial()
    await line.send(post("/echo", b"x" * LIMITS.body_limit))
    assert (await line.answer())[0] == 200
    await line.send(post("/echo", b"x" * (LIMITS.body_limit + 1)))
    assert (await line.answer())[0] == 413
    await line.send(post("/echo", b"after"))  # it had come whole, so the connection is sound
    assert (await line.answer())[2] == b"after"


async def test_a_body_that_never_comes(dial: Dial) -> None:
    line = await dial()
    await line.send(post("/echo", b"x" * 50)[:-20])
    status, headers, body = await line.answer()
    assert (status, headers["connection"]) == (408, "close")
    assert b"0.4 s" in body and await line.rest() == b""


async def test_a_body_that_drips(dial: Dial) -> None:
    line = await dial()
    await line.send(post("/echo", b"x" * 50)[:-50])

    async def drip() -> None:
        for _ in range(50):
            await line.send(b"x")
            await asyncio.sleep(0.05)

    dripping = asyncio.ensure_future(drip())
    assert (await line.answer())[0] == 408
    dripping.cancel()


async def test_an_unread_body_that_never_comes_ends_the_connection(dial: Dial) -> None:
    line = await dial()
    await line.send(post("/unread", b"x" * 50)[:-20])
    assert (await line.answer())[0] == 401
    assert await line.rest() == b""


async def test_a_header_that_never_completes(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(b"POST /echo HTTP/1.1\r\nHost: h\r\n")

    async def drip() -> None:
        for n in range(100):
            await line.send(f"X-{n}: 1\r\n".encode())
            await asyncio.sleep(0.05)

    dripping = asyncio.ensure_future(drip())
    assert (await line.answer())[0] == 408
    dripping.cancel()
    assert door.calls == []


@pytest.mark.parametrize("before", [b"", b"\r\n", b"P"])
async def test_a_connection_that_says_little_is_closed(dial: Dial, server: Server, before: bytes) -> None:
    line = await dial()
    await line.send(before)
    await line.rest()
    await asyncio.sleep(0.05)
    assert server.connections == 0


async def test_an_idle_connection_is_closed_also_when_line_ends_drip(dial: Dial) -> None:
    line = await dial()
    await line.send(post("/echo", b"one"))
    await line.answer()

    async def drip() -> None:
        for _ in range(100):
            await line.send(b"\r\n")
            await asyncio.sleep(0.05)

    dripping = asyncio.ensure_future(drip())
    await line.rest()
    dripping.cancel()


async def test_a_call_at_work_is_not_idle(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/wait", b"one"))
    await asyncio.sleep(LIMITS.idle_timeout * 2)
    door.go.set()
    assert (await line.answer())[2] == b"one"


async def test_a_peer_that_reads_nothing_is_cut(server: Server, door: Door) -> None:
    deaf = socket.create_connection(("127.0.0.1", server.port))  # type: ignore[attr-defined]
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.sendall(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n")
    await asyncio.sleep(0.2)
    assert server.connections == 1
    await asyncio.sleep(LIMITS.idle_timeout * 2)
    assert server.connections == 0
    deaf.close()


async def test_too_many_connections(dial: Dial, server: Server) -> None:
    lines = [await dial() for _ in range(LIMITS.connections)]
    await asyncio.sleep(0.05)
    one_more = await dial()
    status, headers, _ = await one_more.answer()
    assert (status, headers["retry-after"]) == (503, "1")
    await lines[0].send(post("/echo", b"still served"))
    assert (await lines[0].answer())[2] == b"still served"


async def test_a_caller_who_hangs_up_is_known(dial: Dial, door: Door) -> None:
    line = await dial()
    await line.send(post("/wait", b"one"))
    await asyncio.sleep(0.05)
    line.writer.close()
    await asyncio.sleep(0.05)
    door.go.set()
    await asyncio.sleep(0.05)
    assert door.written == [False]


# ── starting and stopping ───────────────────────────────────────────────────────────────────────────────────────────


async def test_stop_lets_a_call_be_answered(dial: Dial, server: Server, door: Door) -> None:
    line, idle = await dial(), await dial()
    await line.send(post("/wait", b"one"))
    await asyncio.sleep(0.05)
    stopping = asyncio.ensure_future(server.stop(2.0))
    assert await idle.rest() == b""
    with pytest.raises(OSError):
        await dial()
    door.go.set()
    status, headers, body = await line.answer()
    assert (status, body, headers["connection"]) == (200, b"one", "close")
    await stopping
    assert door.written == [True]


async def test_stop_cuts_what_does_not_end_without_a_500(dial: Dial, server: Server) -> None:
    line = await dial()
    await line.send(post("/wait", b"one"))
    await asyncio.sleep(0.05)
    async with asyncio.timeout(2):
        await server.stop(0.1)
    assert await line.rest() == b""


async def test_a_taken_port_is_a_sentence(server: Server, door: Door) -> None:
    other = Server(door, "127.0.0.1", server.port, LIMITS)  # type: ignore[attr-defined]
    with pytest.raises(SetupError, match=f"cannot listen on 127.0.0.1:{server.port}.*--port"):  # type: ignore[attr-defined]
        await other.start()


async def test_a_bug_in_the_connections_time_is_told_and_the_stop_goes_on(
    door: Door, dial: Dial, server: Server
) -> None:
    ended: list[asyncio.Task[None]] = []
    broken = Server(door, "127.0.0.1", 0, LIMITS, ended=ended.append)
    await broken.start()
    broken._state.connections.add(object())  # type: ignore[arg-type]  # no connection of ours: cannot be swept
    async with asyncio.timeout(2):
        while not ended:
            await asyncio.sleep(0.02)
    assert ended[0].get_name() == "connections" and isinstance(ended[0].exception(), AttributeError)
    broken._state.connections.clear()
    await broken.stop(0.1)
