"""A small HTTP server with canned replies, a service account, and the cases of every provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qsl, unquote

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from heliograph import out
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Ways

TOKEN = "ya29.case-access-token"


class Asked(msgspec.Struct):
    """One request as the stub read it. Header names are lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Stub:
    """`replies`: "METHOD /path" → a list of replies, the last of which stays; `reply` serves all others. A reply is
    {"status", "headers", "body"} or {"silent": true}. `asked` is what came, in order."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.replies: dict[str, list[dict[str, Any]]] = {}
        self.reply: dict[str, Any] = {"status": 500, "body": "no reply was given to the stub"}
        self.url = ""
        self._silent = asyncio.Event()

    def asked_for(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    def _next(self, method: str, path: str) -> dict[str, Any]:
        replies = self.replies.get(f"{method} {path}")
        if not replies:
            return self.reply
        return replies.pop(0) if len(replies) > 1 else replies[0]

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                method, target, _ = head[0].split(" ")
                headers = {line.split(":", 1)[0].lower(): line.split(":", 1)[1].strip() for line in head[1:] if line}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                path, _, query = target.partition("?")
                self.asked.append(Asked(method, unquote(path), dict(parse_qsl(query)), headers, body))
                reply = self._next(method, unquote(path))
                if reply.get("silent"):
                    await self._silent.wait()
                    return
                if delay := reply.get("delay"):
                    await asyncio.sleep(delay)
                told = reply.get("body", "")
                raw = told.encode() if isinstance(told, str) else json.dumps(told).encode()
                lines = [f"HTTP/1.1 {reply['status']} Canned", f"Content-Length: {len(raw)}"]
                lines += [f"{name}: {value}" for name, value in reply.get("headers", {}).items()]
                writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + raw)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client closed its connection
        finally:
            writer.close()

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    def end(self) -> None:
        self._silent.set()


@pytest.fixture
async def stub() -> AsyncIterator[Stub]:
    made = Stub()
    server = await made.start()
    yield made
    made.end()
    server.close()
    await asyncio.sleep(0)


@pytest.fixture
async def way_out(stub: Stub) -> AsyncIterator[out.HttpOut]:
    """The real client, which may speak to the stub and to nobody else: no case can leave the host."""
    client = out.open(allowed=[stub.url.removeprefix("http://")], only_allowed=True)
    yield client
    await client.close()


@pytest.fixture
def heard() -> list[ProviderEvent]:
    """The events that providers with a line of their own told."""
    return []


@pytest.fixture
def ways(way_out: out.HttpOut, heard: list[ProviderEvent]) -> Ways:
    async def hears(events: tuple[ProviderEvent, ...]) -> None:
        heard.extend(events)

    return Ways(out=way_out, callback=lambda: "https://alerts.acme.example/callbacks/x/y/acme/case", heard=hears)


@pytest.fixture(scope="session")
def service_account() -> str:
    """A service account's key file, with a key made for this run."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "alerts@acme-air.example",
            "private_key_id": "k1",
            "private_key": pem,
            "token_uri": "https://oauth2.googleapis.com/token",
        }
    )
