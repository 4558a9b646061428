"""Answers without an end of their own, over raw sockets: who ends them, and what they may hold."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import pytest

from heliograph.web.call import WebAnswer
from heliograph.web.server import Limits, Server
from heliograph.web.streaming import streamed

LIMITS = Limits(body_timeout=0.4, idle_timeout=0.4)


class Source:
    """Streams what the path says, and notes what became of it."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = asyncio.Event()
        self.after: list[bool] = []
        self.logged: list[dict[str, Any]] = []

    async def pieces(self, path: str) -> AsyncGenerator[bytes]:
        try:
            yield b"first"
            if path == "/short":
                yield b"last"
                return
            if path == "/broken":
                raise LookupError("the stream's own bug")
            while path == "/flood":
                self.made += 1
                yield b"x" * 65_536
            await asyncio.sleep(1.0)
            yield b"later"
            await asyncio.sleep(60)
        finally:
            self.closed.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()

        async def after(written: bool) -> None:
            self.after.append(written)

        answer = WebAnswer(status=200, headers=((b"content-type", b"text/event-stream"),), after=after)
        pieces = self.pieces(scope["path"])
        await streamed(
            answer, pieces, scope["method"], scope, receive, send, lambda *_, **said: self.logged.append(said), "/"
        )


@pytest.fixture
async def source() -> Source:
    return Source()


@pytest.fixture
async def server(source: Source) -> AsyncIterator[tuple[Server, int]]:
    one = Server(source, "127.0.0.1", 0, LIMITS)
    yield one, await one.start()
    await one.stop(0.2)


async def asked(port: int, path: str, method: str = "GET") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    # A small buffer of its own, so that a reader who does not read is noticed soon.
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4096)
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
    async with asyncio.timeout(2):
        await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def chunk(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(3):
        size = int(await reader.readuntil(b"\r\n"), 16)
        return (await reader.readexactly(size + 2))[:-2]


async def test_pieces_arrive_as_they_are_made_and_the_connection_lives_on(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/short")
    assert [await chunk(reader) for _ in range(3)] == [b"first", b"last", b""]
    await asyncio.wait_for(source.closed.wait(), 1)
    writer.write(b"GET /short HTTP/1.1\r\nHost: h\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    assert await chunk(reader) == b"first"
    assert source.after[0] is True
    writer.close()


async def test_a_quiet_stream_outlives_the_idle_timeout(server: Any) -> None:
    reader, writer = await asked(server[1], "/quiet")
    assert await chunk(reader) == b"first"
    assert await chunk(reader) == b"later"  # 1 s after the first; a connection may be idle for 0.4 s
    writer.close()


async def test_a_caller_who_hangs_up_ends_it(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/quiet")
    assert await chunk(reader) == b"first"
    writer.close()
    await asyncio.wait_for(source.closed.wait(), 0.5)
    await asyncio.sleep(0.05)
    assert source.after == [False]


async def test_a_stop_ends_it_at_once_and_properly(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/quiet")
    assert await chunk(reader) == b"first"
    began = time.monotonic()
    await server[0].stop(30.0)
    assert time.monotonic() - began < 1.0
    assert await chunk(reader) == b""  # the chunk that ends it: the caller knows that nothing was cut
    assert source.closed.is_set()
    writer.close()


async def test_a_reader_who_does_not_read_holds_little_and_is_cut(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/flood")
    await asyncio.wait_for(source.closed.wait(), 3)
    assert source.made < 200  # 13 MB at most: the system's buffers
    with contextlib.suppress(ConnectionError):
        while await reader.read(1 << 20):
            pass
    writer.close()


async def test_a_stop_does_not_wait_for_a_reader_who_does_not_read(server: Any, source: Source) -> None:
    _, writer = await asked(server[1], "/flood")
    await asyncio.sleep(0.2)
    began = time.monotonic()
    await server[0].stop(30.0)
    assert time.monotonic() - began < 1.5
    writer.close()


async def test_a_stream_that_breaks_is_told_and_ended(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/broken")
    assert [await chunk(reader) for _ in range(2)] == [b"first", b""]
    await asyncio.wait_for(source.closed.wait(), 1)
    assert [said["error"] for said in source.logged] == ["LookupError"]
    writer.close()


async def test_head_has_no_pieces(server: Any, source: Source) -> None:
    reader, writer = await asked(server[1], "/quiet", "HEAD")
    writer.write(b"GET /short HTTP/1.1\r\nHost: h\r\n\r\n")
    async with asyncio.timeout(0.8):  # a quiet stream of nothing would hold the connection
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await chunk(reader) == b"first"
    await asyncio.wait_for(source.closed.wait(), 1)
    await asyncio.sleep(0.05)
    waits = [one for one in asyncio.all_tasks() if getattr(one.get_coro(), "__qualname__", "") == "Event.wait"]
    assert not waits, "nothing of it waits for the end of the server"
    writer.close()
