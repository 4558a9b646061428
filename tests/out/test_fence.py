"""The fence: a sandbox's sender reaches the sandbox and nothing else, whatever leads it elsewhere."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import heliograph.out
from heliograph.errors import Fate, SendError
from heliograph.out import Fence

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@pytest.mark.parametrize(
    ("addresses", "inside"),
    [
        (["http://127.0.0.1:8090"], True),
        (["http://127.0.0.1:8090/x", "http://LOCALHOST:1/token?a=b"], True),
        (["localhost:2775", "[::1]:2775"], True),
        (["smpp://127.0.0.1:2775"], True),
        ([], False),
        ([""], False),
        (["http://127.0.0.1:8090", ""], False),
        (["http://127.0.0.1:8090", "https://oauth2.googleapis.com/token"], False),
        (["http://127.0.0.2:8090"], False),
        (["http://127.1:8090"], False),
        (["http://2130706433"], False),
        (["http://localhost.example"], False),
        (["http://user@localhost/"], False),
        (["https://example.com/localhost"], False),
    ],
)
def test_inside_is_what_is_listed_to_the_letter(addresses: list[str], inside: bool) -> None:
    assert Fence(LOOPBACK).holds(addresses) is inside


def test_a_port_may_be_named_and_nothing_listed_holds_nothing() -> None:
    assert Fence(("sandbox.local:8090",)).holds(["http://sandbox.local:8090/x"])
    assert not Fence(("sandbox.local:8090",)).holds(["http://sandbox.local:8091/x"])
    assert not Fence(()).holds(["http://127.0.0.1:8090"])


async def test_a_fenced_way_out_reaches_the_inside_and_never_connects_outside() -> None:
    connected: list[str] = []

    async def listen(host: str) -> Any:
        async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connected.append(host)
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            await writer.drain()
            writer.close()

        return await asyncio.start_server(met, host, 0)

    inside, outside = await listen("127.0.0.1"), await listen("127.0.0.2")
    client = heliograph.out.open(allow_private=True)
    fenced = Fence(LOOPBACK).around(client)
    loop = asyncio.get_running_loop()

    def address(server: Any) -> str:
        host, port = server.sockets[0].getsockname()
        return f"http://{host}:{port}/x"

    try:
        for _ in range(2):
            assert (await fenced.request("GET", address(inside), deadline=loop.time() + 5)).status == 200
        with pytest.raises(SendError) as refused:
            await fenced.request("POST", address(outside), deadline=loop.time() + 5, body=b"x")
        assert (refused.value.code, refused.value.fate) == ("address_refused", Fate.CONFIG)
        assert refused.value.exchange.status is None
        assert set(connected) == {"127.0.0.1"}
        # The same client without the fence does reach it: it is the fence that held.
        assert (await client.request("GET", address(outside), deadline=loop.time() + 5)).status == 200
    finally:
        await client.close()
        inside.close()
        outside.close()


async def test_the_clients_own_rules_hold_inside_the_fence() -> None:
    client = heliograph.out.open()  # private addresses are not allowed here
    try:
        with pytest.raises(SendError) as refused:
            deadline = asyncio.get_running_loop().time() + 5
            await Fence(LOOPBACK).around(client).request("GET", "http://127.0.0.1:9/x", deadline=deadline)
        assert refused.value.code == "address_refused"
    finally:
        await client.close()


async def test_a_line_of_a_providers_own_gets_an_address_inside_alone() -> None:
    client = heliograph.out.open(allow_private=True)
    fenced = Fence(LOOPBACK).around(client)
    try:
        assert await fenced.addresses("127.0.0.1", 2775) == ("127.0.0.1",)
        assert await fenced.addresses("::1", 2775) == ("::1",)
        for host in ("127.0.0.2", "192.0.2.1", "smsc.example"):
            with pytest.raises(SendError) as refused:
                await fenced.addresses(host, 2775)
            assert (refused.value.code, refused.value.fate) == ("address_refused", Fate.CONFIG)
        assert await client.addresses("127.0.0.2", 2775) == ("127.0.0.2",)  # it is the fence that held
    finally:
        await client.close()
