"""Was the request written or not? Proved with real sockets, since the library's own exception names do not say."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct

import pytest

from heliograph import out
from heliograph.errors import Fate, SendError

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


def soon(seconds: float = 2.0) -> float:
    return asyncio.get_running_loop().time() + seconds


async def failed(client: out.HttpOut, url: str, seconds: float = 2.0) -> SendError:
    with pytest.raises(SendError) as caught:
        await client.request("POST", url, deadline=soon(seconds), body=b'{"text":"hello"}')
    return caught.value


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_whole_answer_is_a_response_whatever_its_status(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.write(b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nbusy")
            await writer.drain()

        return talk

    server = await serve(build)
    response = await client.request("POST", server.url, deadline=soon(), headers={"x-a": "b"}, body=b"{}")
    assert (response.status, response.headers["retry-after"], response.body) == (503, "7", b"busy")
    assert response.exchange.status == 503
    assert response.exchange.response == "busy"
    assert 0 < response.exchange.milliseconds < 2000
    assert b"X-A: b" in server.requests[0] or b"x-a: b" in server.requests[0]


async def test_a_refused_port_is_a_retry(client, unused_port):
    error = await failed(client, f"http://127.0.0.1:{unused_port}/")
    assert (error.fate, error.code) == (Fate.RETRY, "not_connected")
    assert error.exchange.status is None
    assert "refused" in error.exchange.failure.lower()


async def test_a_name_without_address_is_a_retry(client):
    error = await failed(client, "https://nobody.invalid/")
    assert (error.fate, error.code) == (Fate.RETRY, "no_such_host")


async def test_accepted_then_closed_is_in_doubt(client, serve):
    async def talk(reader, writer):
        writer.close()

    server = await serve(lambda server: talk)
    assert (await failed(client, server.url)).fate is Fate.UNKNOWN
    assert server.connections == 1


async def test_accepted_then_reset_is_in_doubt(client, serve):
    async def talk(reader, writer):
        await asyncio.sleep(0.05)  # a reset while the client still connects tells it that nothing was sent
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.close()

    server = await serve(lambda server: talk)
    assert (await failed(client, server.url)).fate is Fate.UNKNOWN
    assert server.connections == 1


async def test_read_then_closed_is_in_doubt_and_not_repeated(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.close()

        return talk

    server = await serve(build)
    error = await failed(client, server.url)
    assert (error.fate, error.code) == (Fate.UNKNOWN, "no_answer")
    await asyncio.sleep(0.05)
    assert len(server.requests) == 1


async def test_read_then_silent_is_in_doubt_at_the_deadline(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            await asyncio.sleep(30)

        return talk

    server = await serve(build)
    started = asyncio.get_running_loop().time()
    error = await failed(client, server.url, 0.3)
    assert 0.25 < asyncio.get_running_loop().time() - started < 1.5
    assert (error.fate, error.code) == (Fate.UNKNOWN, "no_answer")
    assert "before the deadline" in error.sentence
    assert len(server.requests) == 1


@pytest.mark.parametrize("ending", ["close", "stall"])
async def test_half_an_answer_is_in_doubt(client, serve, ending):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b'{"name":')
            await writer.drain()
            if ending == "stall":
                await asyncio.sleep(30)

        return talk

    server = await serve(build)
    error = await failed(client, server.url, 0.4)
    assert (error.fate, error.code) == (Fate.UNKNOWN, "answer_broken")


async def test_an_answer_that_is_not_http_is_in_doubt(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.write(b"SSH-2.0 hello\r\n\r\n")
            await writer.drain()

        return talk

    assert (await failed(client, (await serve(build)).url)).fate is Fate.UNKNOWN


async def test_a_slow_answer_within_the_deadline_is_an_answer(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            for part in (OK[:20], OK[20:-1], OK[-1:]):
                await asyncio.sleep(0.05)
                writer.write(part)
                await writer.drain()

        return talk

    response = await client.request("POST", (await serve(build)).url, deadline=soon(), body=b"{}")
    assert response.body == b"{}"


@pytest.mark.parametrize("announced", [True, False])
async def test_an_answer_above_one_mebibyte_is_not_read(client, serve, announced):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            size = 3 << 20
            writer.write(b"HTTP/1.1 200 OK\r\n" + (b"Content-Length: %d\r\n" % size if announced else b"") + b"\r\n")
            for _ in range(size >> 16):
                writer.write(b"x" * (1 << 16))
                await writer.drain()

        return talk

    error = await failed(client, (await serve(build)).url)
    assert (error.fate, error.code, error.exchange.status) == (Fate.UNKNOWN, "answer_too_long", 200)
    assert "longer than 1024 KiB" in error.sentence


async def test_a_redirect_is_an_answer_and_not_followed(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            target = server.url.encode()
            writer.write(b"HTTP/1.1 307 Elsewhere\r\nLocation: " + target + b"\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        return talk

    server = await serve(build)
    response = await client.request("POST", server.url, deadline=soon(), body=b"{}")
    assert response.status == 307
    assert len(server.requests) == 1


async def test_a_full_backlog_ends_as_retry_when_the_connect_time_is_over(monkeypatch):
    monkeypatch.setattr("heliograph.out.wire.CONNECT_SECONDS", 0.3)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        port = listening.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        await asyncio.sleep(0.05)
        client = out.open(allow_private=True)
        error = await failed(client, f"http://127.0.0.1:{port}/")
        assert (error.fate, error.code) == (Fate.RETRY, "not_connected")
        # The deadline before the connect time: the library cannot say how far it came, so it is in doubt.
        assert (await failed(client, f"http://127.0.0.1:{port}/", 0.1)).fate is Fate.UNKNOWN
        await client.close()
        for one in waiting:
            one.close()


async def test_tls_that_fails_is_a_retry_with_nothing_written(client, serve):
    def build(server):
        async def talk(reader, writer):
            server.requests.append(await reader.read(1000))
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()

        return talk

    server = await serve(build)
    error = await failed(client, server.url.replace("http:", "https:"))
    assert (error.fate, error.code) == (Fate.RETRY, "not_connected")
    assert b"POST" not in b"".join(server.requests)


async def test_a_certificate_that_is_not_trusted_is_a_retry_with_nothing_written(client, self_signed, serve):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*self_signed)
    read: list[bytes] = []

    async def talk(reader, writer):
        try:
            read.append(await reader.read(1000))
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    error = await failed(client, f"https://localhost:{server.sockets[0].getsockname()[1]}/")
    server.close()
    assert (error.fate, error.code) == (Fate.RETRY, "not_connected")
    assert "certificate" in error.exchange.failure.lower()
    assert not any(read)


async def test_a_pooled_connection_that_the_server_closed_is_not_used_again(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.write(OK)
            await writer.drain()  # and closes: no "Connection: close", as front ends do when idle

        return talk

    server = await serve(build)
    for _ in range(20):
        assert (await client.request("POST", server.url, deadline=soon(), body=b"{}")).status == 200
        await asyncio.sleep(0.005)
    assert len(server.requests) == 20  # each arrived once


async def test_a_pooled_connection_that_dies_with_our_post_is_in_doubt_and_not_repeated(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            writer.write(OK)
            await writer.drain()
            await server.read_request(reader)

        return talk

    server = await serve(build)
    assert (await client.request("POST", server.url, deadline=soon(), body=b"{}")).status == 200
    assert (await failed(client, server.url)).fate is Fate.UNKNOWN
    await asyncio.sleep(0.05)
    assert (server.connections, len(server.requests)) == (1, 2)


async def test_no_place_before_the_deadline_is_a_retry_with_nothing_written(serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            await asyncio.sleep(0.4)
            writer.write(OK)
            await writer.drain()

        return talk

    server = await serve(build)
    client = out.open(allow_private=True, in_flight=1)
    first = asyncio.create_task(client.request("POST", server.url, deadline=soon(), body=b"{}"))
    await asyncio.sleep(0.1)
    error = await failed(client, server.url, 0.1)
    assert (error.fate, error.code) == (Fate.RETRY, "no_time")
    assert (await first).status == 200
    assert len(server.requests) == 1
    assert (await client.request("POST", server.url, deadline=soon(), body=b"{}")).status == 200  # the place is free
    await client.close()


async def test_a_deadline_that_has_passed_sends_nothing(client, serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)

        return talk

    server = await serve(build)
    error = await failed(client, server.url, -1)
    assert (error.fate, error.code) == (Fate.RETRY, "no_time")
    await asyncio.sleep(0.05)
    assert server.requests == []


async def test_a_cancelled_request_gives_its_place_back(serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)
            if len(server.requests) == 1:
                await asyncio.sleep(30)
            writer.write(OK)
            await writer.drain()

        return talk

    server = await serve(build)
    client = out.open(allow_private=True, in_flight=1)
    task = asyncio.create_task(client.request("POST", server.url, deadline=soon(), body=b"{}"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.request("POST", server.url, deadline=soon(), body=b"{}")).status == 200
    await client.close()


async def test_a_closed_client_sends_nothing(serve):
    def build(server):
        async def talk(reader, writer):
            await server.read_request(reader)

        return talk

    server = await serve(build)
    client = out.open(allow_private=True)
    await client.close()
    assert (await failed(client, server.url)).fate is Fate.RETRY
    assert server.connections == 0


@pytest.mark.parametrize("wrong", [{"headers": {"authorization": "Bearer tok\n123456"}}, {"headers": {"a b": "c"}}])
async def test_a_request_that_cannot_be_written_is_config_and_tells_no_credential(client, serve, wrong):
    async def talk(reader, writer):
        writer.close()

    server = await serve(lambda server: talk)
    with pytest.raises(SendError) as caught:
        await client.request("POST", server.url, deadline=soon(), **wrong)
    assert (caught.value.fate, caught.value.code) == (Fate.CONFIG, "malformed")
    assert "123456" not in caught.value.sentence + repr(caught.value.exchange)
    assert server.connections == 0
