"""A whole server with the real adapter: what a test key sends, and what anybody explains, reaches the sandbox's address
or nothing. The listener on another loopback address stands for a real provider: it must never see a connection."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import heliograph.store
from heliograph import telemetry
from heliograph.app import House
from heliograph.core.content import Text
from heliograph.core.site import Kind, Sender, Site
from heliograph.core.template import Template
from heliograph.flow import keys
from heliograph.seal import Sealer
from heliograph.settings import Settings

SECRET = "a secret key of a server that is long enough"
ALERT = {"recipient": "+12025550123", "template": "hello", "language": "en", "skill": "service"}


class Place:
    """A listener that answers as Google's API and its token endpoint do; `connections` counts who came."""

    def __init__(self, host: str) -> None:
        self.host, self.connections, self.sent = host, 0, 0

    async def open(self) -> Place:
        self._server = await asyncio.start_server(self._met, self.host, 0)
        self.url = f"http://{self.host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                lower = head.lower()
                length = int(lower.partition("content-length:")[2].split("\r\n")[0] or 0)
                await reader.readexactly(length)
                self.sent += "/agentmessages" in lower.split("\r\n")[0]
                body = b'{"access_token": "t", "expires_in": 3600, "features": [], "name": "phones/x/agentMessages/y"}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def close(self) -> None:
        self._server.close()


class Server:
    """`inside`: the sandbox's address; `outside`: the provider's. Both may be spoken to, were it not for the fence."""

    def __init__(self, folder: Path) -> None:
        self.url = f"sqlite:///{folder}/a.db"
        self.lines = io.BytesIO()
        self.inside, self.outside = Place("127.0.0.1"), Place("127.0.0.2")
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        self.account = {"client_email": "a@acme.example", "private_key": pem}
        self.bearers: dict[Kind, str] = {}

    async def open(self) -> Server:
        await self.inside.open()
        await self.outside.open()
        store = await heliograph.store.open(self.url, migrate=True)
        await store.put_site(Site(id="1", channels=("rcs",), time_to_live=3600))
        await store.put_template(
            Template(site="1", name="hello", version="1", languages={"en": {"rcs": Text(text="Hello")}})
        )
        for kind in (Kind.LIVE, Kind.TEST):
            self.bearers[kind] = (await keys.create_bearer(store, "1", now=1, kind=kind)).bearer
        await self.senders(store, real=self.outside.url)
        await store.close()
        settings = Settings(database_url=self.url, secret_key=SECRET, port=0, allow_private_addresses=True)
        self.house = House(settings, log=telemetry.logger("debug", "json", self.lines))
        await self.house.start()
        return self

    async def senders(self, store: Any, **urls: str) -> None:
        """Senders by name, each speaking to that address alone."""
        account = Sealer([SECRET]).seal(json.dumps(self.account))
        for name, url in urls.items():
            settings = {"agent": name, "key": account, "base_url": url, "token_url": f"{url}/token"}
            await store.put_sender(Sender(site="1", name=name, channel="rcs", provider="google-rbm", settings=settings))

    async def give(self, **urls: str) -> None:
        await self.senders(self.house.means.store, **urls)
        await self.house.means.registry.refresh(self.house.means.store)

    async def call(self, path: str, kind: Kind, **more: str) -> tuple[int, Any]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.house.port)
        body = json.dumps({**ALERT, **more}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\nprefer: wait=5\r\n"
            f"authorization: Bearer {self.bearers[kind]}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        writer.write(head.encode() + body)
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1]), json.loads(answer.partition(b"\r\n\r\n")[2])

    async def close(self) -> None:
        await self.house.stop()
        self.inside.close()
        self.outside.close()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    made = await Server(tmp_path).open()
    yield made
    await made.close()


async def test_a_test_key_without_a_sandbox_sender_reaches_nobody(server: Server) -> None:
    status, told = await server.call("/v1/alerts", Kind.TEST)
    assert (status, told["code"]) == (422, "not_for_test")
    assert (server.outside.connections, server.inside.connections) == (0, 0)


async def test_a_test_key_reaches_the_sandbox_and_a_live_one_the_provider(server: Server) -> None:
    await server.give(sandbox=server.inside.url)
    for number in range(5):
        status, told = await server.call("/v1/alerts", Kind.TEST, external_alert_id=f"t{number}")
        assert (status, told["state"]) == (200, "sent"), told
    assert (server.inside.sent, server.outside.connections) == (5, 0)
    # Nothing but the kind of the key kept it from there.
    await server.house.means.store.remove("sender", "1", "sandbox")
    await server.house.means.registry.refresh(server.house.means.store)
    assert (await server.call("/v1/alerts", Kind.LIVE))[0] == 200
    assert (server.inside.sent, server.outside.sent) == (5, 1)


async def test_nobody_who_explains_reaches_anybody(server: Server) -> None:
    await server.give(sandbox=server.inside.url)
    for kind in (Kind.LIVE, Kind.TEST):
        for channel in ("", "rcs"):
            status, told = await server.call("/v1/alerts/explain", kind, channel=channel)
            assert (status, told["would"]) == (200, "send")
            considered = {one["sender"]: one for one in told["decision"]["considered"]}
            assert considered["sandbox"]["chosen"]
            assert (considered["real"]["why"] == "not_for_test") is (kind is Kind.TEST)
    await asyncio.sleep(0.2)
    assert (server.outside.connections, server.inside.connections) == (0, 0)


async def test_a_sender_that_is_only_half_in_the_sandbox_is_none_of_it(server: Server) -> None:
    account = Sealer([SECRET]).seal(json.dumps(server.account))
    settings = {
        "agent": "half",
        "key": account,
        "base_url": server.inside.url,
        "token_url": f"{server.outside.url}/token",
    }
    store = server.house.means.store
    await store.put_sender(Sender(site="1", name="half", channel="rcs", provider="google-rbm", settings=settings))
    await server.house.means.registry.refresh(store)
    status, told = await server.call("/v1/alerts", Kind.TEST)
    assert (status, told["code"]) == (422, "not_for_test")
    assert (server.outside.connections, server.inside.connections) == (0, 0)


async def test_the_sandboxes_sender_is_refused_any_other_address_by_its_way_out(server: Server) -> None:
    """The lowest place: whatever made the adapter call another host, the request is not made."""
    await server.give(sandbox=server.inside.url)
    provider: Any = server.house.means.registry.sender("1", "sandbox").provider
    provider._base = server.outside.url  # as a bug in an adapter would
    status, told = await server.call("/v1/alerts", Kind.TEST)
    assert (status, told["state"]) == (202, "scheduled")
    record = await server.house.means.store.record(told["id"])
    assert record is not None and b"the sandbox alone" in bytes(record.entries[-1].detail)
    assert server.outside.connections == 0


async def test_a_test_alert_stays_inside_when_its_sender_moves_out(server: Server) -> None:
    """Held while the sandbox was away; meanwhile somebody gives its sender the provider's address."""
    await server.give(sandbox="http://127.0.0.1:9")  # nobody listens there
    status, told = await server.call("/v1/alerts", Kind.TEST)
    assert (status, told["state"]) == (202, "scheduled")
    await server.give(sandbox=server.outside.url)
    means = server.house.means
    record = await means.store.record(told["id"])
    assert record is not None and record.alert.send_at is not None
    now = means.clock.now

    class Later:
        """The same clock, past the moment until which the alert is held."""

        def __getattr__(self, name: str) -> Any:
            return getattr(clock, name)

        def now(self) -> int:
            return now() + 120_000

    clock = means.clock
    means.clock = Later()  # type: ignore[assignment]
    means.wake.set()
    for _ in range(50):
        await asyncio.sleep(0.1)
        record = await means.store.record(told["id"])
        if record is not None and record.alert.state != "scheduled":
            break
    assert record is not None and (record.alert.state, record.alert.reason) == ("failed", "not_for_test")
    assert server.outside.connections == 0
