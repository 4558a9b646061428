"""Servers on the loopback address that do what real ones do when things go wrong: plain sockets, no HTTP library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from heliograph import out

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """`talk` is called for each connection; `requests` counts whole requests read by `read_request`."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/phones/+17705550123/agentMessages?messageId=m-1"

    async def read_request(self, reader: asyncio.StreamReader) -> bytes:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        request = head + await reader.readexactly(length)
        self.requests.append(request)
        return request


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Callable[[Server], Talk]], Awaitable[Server]]]:
    """`await serve(lambda server: talk)` starts a server; all end with the test."""
    running: list[asyncio.Server] = []
    tasks: set[asyncio.Task[None]] = set()

    async def start(build: Callable[[Server], Talk]) -> Server:
        server = Server()
        talk = build(server)

        async def connection(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.connections += 1
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await talk(reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
                pass  # the client has gone, or the test is over
            finally:
                tasks.discard(task)
                writer.close()

        listening = await asyncio.start_server(connection, "127.0.0.1", 0)
        running.append(listening)
        server.port = listening.sockets[0].getsockname()[1]
        return server

    yield start
    for listening in running:
        listening.close()
    for task in list(tasks):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
async def client() -> AsyncIterator[out.HttpOut]:
    """A client that may speak to private addresses."""
    opened = out.open(allow_private=True)
    yield opened
    await opened.close()


@pytest.fixture
def self_signed(tmp_path: Path) -> tuple[str, str]:
    """(certificate, key) files for localhost that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = tmp_path / "certificate.pem", tmp_path / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(paths[0]), str(paths[1])
