"""The tests of web/ run on uvloop, as the server does."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvloop
from oauthlib.oauth1 import Client

import heliograph.store
from heliograph import telemetry
from heliograph.clock import SystemClock
from heliograph.core.channel import Capability, Carries, Reach, Size
from heliograph.core.content import Media, Text
from heliograph.core.ports import Call, Heard, Message, Revoked, Store, Taken, Uploaded
from heliograph.core.site import Key, Sender, Site
from heliograph.core.template import Template, Variable
from heliograph.errors import HeliographError
from heliograph.flow.means import Limits, Means
from heliograph.flow.registry import OpenKey, OpenSender, Registry
from heliograph.meters import Meters
from heliograph.settings import Settings
from heliograph.web import address
from heliograph.web.asgi import asgi
from heliograph.web.call import Doors
from heliograph.web.console import inbox_view
from heliograph.web.console.inbox_live import Fan
from heliograph.web.rates import FailedCredentials, Rates
from heliograph.web.routes import ROUTES


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, Callable[[], uvloop.Loop]]:
    return {"uvloop": uvloop.new_event_loop}


# ── A house behind the ASGI callable: the real registry, story and store; only the provider is the test's ─────────────

SITE, OTHER = "25508804", "999"
BASE = "https://alerts.acme.example"
PATH = "/api/proactiveAlert"
# The source document's own request, character for character.
EXAMPLE = b"""{
"siteId":"25508804",
"skill": "service",
"customerCountryCode":"1",
"customerPhoneNumber":"7703101414",
"externalCustomerId":"123",
"externalCustomerIdDescriptor":"VIP",
"externalAlertId":"1265168451",
"alertInfo":{"Sky Miles":1234567890,"T-Shirt Size":"Large"},
"firstName":"Matt",
"lastName":"Fanning",
"proactiveChannel":"",
"proactiveLanguage":"english",
"proactiveTemplate":"flightdelay",
"proactiveVariables":{"@Time":"7:35 pm","@City":"Kansas City","@Gate":"C35"},
"proactiveTemplateVersion":"1"
}"""


class Line:
    """A provider as core.ports.Provider has it. `says` is what the next sends answer: bytes are taken, an error is
    raised; the last one stays."""

    repeats_are_ignored = True
    can_ask = False
    can_revoke = True
    asks_capability = True
    asks_many = 0

    def __init__(self) -> None:
        self.says: list[bytes | HeliographError] = [b'{"name": "a"}']
        self.reach = Reach.YES
        self.sent: list[Message] = []
        self.heard: Heard | HeliographError = Heard(events=())

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        return Capability(reach=self.reach, asked=now)

    async def send(self, message: Message, deadline: float) -> Taken:
        self.sent.append(message)
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, HeliographError):
            raise said
        return Taken(references=(message.id,), raw=said)

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        return Revoked(gone=True)

    async def upload(self, media: Media, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        return Uploaded(reference="files/1", expires=now)

    def read(self, call: Call) -> Heard:
        self.call = call
        if isinstance(self.heard, HeliographError):
            raise self.heard
        return self.heard

    async def close(self) -> None:
        pass


class LinePlug:
    NAME = "line"
    Settings = msgspec.Struct
    SECRETS: frozenset[str] = frozenset()
    CARRIES = Carries()

    def __init__(self, line: Line) -> None:
        self.line = line

    def open(self, sender: Sender, settings: msgspec.Struct, ways: object) -> Line:
        return self.line

    def check(self, content: object) -> list[str]:
        return []

    def measure(self, content: object) -> Size:
        return Size()


class Said(msgspec.Struct):
    status: int
    headers: dict[str, str]
    body: bytes
    cookies: list[str] = []

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """Calls the ASGI callable. `signed` makes headers with oauthlib, as a caller would."""

    def __init__(self, doors: Doors, line: Line, store: Store, lines: io.BytesIO) -> None:
        self.doors, self.line, self.store, self.lines = doors, line, store, lines
        self.app = asgi(doors)

    def signed(self, url: str = BASE + PATH, body: bytes = EXAMPLE, key: str = "ck", **more: Any) -> dict[str, str]:
        client = Client(key, "cs", "tk", "ts", **more)
        _, headers, _ = client.sign(url, "POST", body.decode("latin-1"), {"Content-Type": "application/json"})
        return dict(headers)

    async def alert(self, body: bytes | dict[str, Any] = EXAMPLE, path: str = PATH, **headers: str) -> Said:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = self.signed(BASE + path, raw) | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("POST", path, raw, given)

    async def call(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | Sequence[tuple[str, str]] = (),
        *,
        peer: str = "203.0.113.9",
        app: Any = None,
        there: bool = True,
    ) -> Said:
        pairs = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
        raw_path, _, query = path.encode().partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": raw_path.decode(),
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(b"host", b"inside:8080"), *((n.lower().encode(), v.encode()) for n, v in pairs)],
            "client": (peer, 5000),
            "server": ("inside", 8080),
        }
        sent: list[Any] = []
        pieces = [body[:7], body[7:]]

        async def receive() -> Any:
            if not there:
                return {"type": "http.disconnect"}
            if not pieces:
                await asyncio.Event().wait()  # the caller stays
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

        async def send(message: Any) -> None:
            sent.append(message)

        await (app or self.app)(scope, receive, send)
        if not sent:
            return Said(status=0, headers={}, body=b"")
        start, rest = sent[0], b"".join(message.get("body", b"") for message in sent[1:])
        answer = Said(
            status=start["status"],
            headers={name.decode(): value.decode() for name, value in start["headers"]},
            body=rest,
            cookies=[value.decode() for name, value in start["headers"] if name == b"set-cookie"],
        )
        if len(sent) == 2:  # one piece; what is streamed has no length before it ends
            assert answer.headers["content-length"] == str(len(rest))
        return answer


@pytest.fixture
def example_body() -> bytes:
    return EXAMPLE


@pytest.fixture
def example() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(EXAMPLE)
    return found


@pytest.fixture
async def caller(tmp_path: Path) -> AsyncIterator[Caller]:
    """Site 25508804 with the template of the source document's request, and site 999; keys ck and other."""
    store = await heliograph.store.open(f"sqlite:///{tmp_path}/web.db", migrate=True)
    line = Line()
    registry = Registry(
        open_key=lambda key: OpenKey(key=key, consumer_secret=key.consumer_secret, token_secret=key.token_secret),
        open_sender=lambda sender: OpenSender(sender=sender, plug=LinePlug(line), provider=line),
        closed=lambda provider: None,
    )
    for site, key in ((SITE, "ck"), (OTHER, "other")):
        await store.put_site(Site(id=site, channels=("rcs",)))
        await store.put_key(
            Key(site=site, consumer_key=key, consumer_secret="cs", token="tk", token_secret="ts", created=1)
        )
        await store.put_sender(Sender(site=site, name="acme", channel="rcs", provider="line"))
    said = Text(text="Your flight to @City leaves at @Time from gate @Gate.")
    await store.put_template(
        Template(
            site=SITE,
            name="flightdelay",
            version="1",
            tags=("1",),
            variables=tuple(Variable(name=name) for name in ("Time", "City", "Gate")),
            languages={"en": {"rcs": said}},
        )
    )
    await store.put_template(Template(site=SITE, name="plain", version="1", languages={"en": {"rcs": Text(text="Hi")}}))
    await registry.refresh(store)
    meters, lines = Meters(), io.BytesIO()
    log = telemetry.logger("debug", "json", lines)
    means = Means(
        store=store,
        clock=SystemClock(),
        registry=registry,
        limits=Limits(call_deadline=1.0),
        meters=meters,
        log=log,
        channels=frozenset({"rcs"}),
        node="test",
    )
    doors = Doors(
        settings=Settings(public_url=BASE),
        means=means,
        meters=meters,
        log=log,
        plate=address.doorplate(BASE, ""),
        failed=FailedCredentials(20),
        rates=Rates(),
        routes=ROUTES,
        fan=Fan(inbox_view.rendered),
    )
    yield Caller(doors, line, store, lines)
    await doors.fan.stop()
    await means.settle()
    await store.close()


async def change_site(caller: Caller, **changes: Any) -> None:
    registry = caller.doors.means.registry
    site = registry.site(SITE)
    assert site is not None
    await caller.store.put_site(msgspec.structs.replace(site, **changes))
    await registry.refresh(caller.store)


@pytest.fixture
def site_with(caller: Caller) -> Callable[..., Any]:
    """Changes fields of site 25508804."""

    async def change(**changes: Any) -> None:
        await change_site(caller, **changes)

    return change
