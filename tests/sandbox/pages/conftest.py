"""A browser, and a stand: the real sandbox, with phones and messages that the test puts there."""

from __future__ import annotations

import asyncio
import shutil
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from playwright.async_api import Request as BrowserRequest

from heliograph.channels.rcs import google_rbm_twin, google_rbm_wire
from heliograph.clock import SystemClock
from heliograph.core.content import Content
from heliograph.core.ports import Call
from heliograph.core.twin import Arrival, KnownDesk, KnownSender, Medium
from heliograph.sandbox import Pace, Running, World, serve
from heliograph.sandbox.deeds import Saying
from heliograph.sandbox.handset import Bubble, Handset
from heliograph.sandbox.person import say
from sandbox import bureau_twin
from sandbox.neutral import Neutral, resource

CHROMIUM = shutil.which("chromium")
DAY = 86_400_000


def picture(width: int = 480, height: int = 320) -> bytes:
    """A PNG: dusk over a runway, made here so that no picture has to be fetched or owned."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        sky = y / height
        for x in range(width):
            if sky > 0.72:
                light = abs(x - width / 2) < 4 + (sky - 0.72) * 40 and y % 24 < 12
                rows += bytes((250, 226, 160)) if light else bytes((38, 44, 66))
            else:
                rows += bytes((int(44 + 196 * sky), int(70 + 88 * sky), int(130 - 8 * sky)))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")
    )


class Stand:
    """A running sandbox whose phones read nothing by themselves, so that a test sees what the page makes of them."""

    def __init__(self) -> None:
        self.base = ""
        self._running: Running | None = None
        self.renew()

    def renew(self) -> None:
        """A world that knows nothing of the one before."""
        self.world = World(
            [google_rbm_twin, Neutral("cloud", "wa"), Neutral("centre", "sms")],
            desk_twins=[bureau_twin],
            clock=SystemClock(),
            pace=Pace(receipts=False),
        )
        self.picture = f"/media/{self.world.keep(Medium(content_type='image/png', data=picture()))}"

    async def start(self, port: int = 0) -> None:
        self._running = await serve(self.world, port=port)
        self.base = self._running.url

    async def stop(self) -> int:
        """Ends it; the port it had."""
        assert self._running is not None
        await self._running.stop()
        return self._running.port

    def phone(self, number: str, **switches: Any) -> Handset:
        """The phone, with these switches."""
        handset = self.world.handset(number)
        for name, value in switches.items():
            setattr(handset, name, value)
        self.world.feed.changed(number)
        return handset

    def arrive(self, number: str, content: dict[str, Any], *, ago: float = 0, sender: str = "Acme Air") -> str:
        """A message comes to the phone, `ago` seconds before now, through the provider's own form of it; its id."""
        known = KnownSender(id=sender.lower().replace(" ", "-"), provider="google-rbm", name=sender)
        self.world.add_sender(known)
        now = self.world.now()
        body = google_rbm_wire.message(
            msgspec.convert(content, Content), expires=now + DAY, now=now, traffic="transaction"
        )
        message = self.world.new_id()
        self.world.take(Arrival(id=message, sender=known.id, provider=known.provider, number=number, resource=body))
        self._backdate(self.phone(number), ago)
        return message

    def arrive_on(
        self,
        number: str,
        channel: str,
        content: dict[str, Any],
        *,
        ago: float = 0,
        parts: int = 1,
        address: str = "72646",
        **more: str,
    ) -> str:
        """A message comes to the phone over WhatsApp ("wa") or SMS ("sms"); its id."""
        provider = "cloud" if channel == "wa" else "centre"
        known = KnownSender(id="15550001", provider=provider, name="Acme Air", address=address)
        self.world.add_sender(known)
        message = self.world.new_id()
        self.world.take(
            Arrival(
                id=message,
                sender=known.id,
                provider=provider,
                number=number,
                resource=resource(content, **more),
                parts=parts,
            )
        )
        self._backdate(self.phone(number), ago)
        return message

    def say(self, number: str, text: str, *, ago: float = 0) -> None:
        """The phone's owner writes."""
        say(self.world, self.phone(number), Saying(text=text))
        self._backdate(self.phone(number), ago)

    def desk(self, **slips: str) -> None:
        """An account at the desk, without a callback, with a conversation for each customer who said this."""
        self.world.add_desk(KnownDesk(id="32106792", desk="bureau", name="Acme Air", credentials={"seal": "a seal"},
                                      skills={"service": "7", "baggage": "8"}))  # fmt: skip
        for customer, text in slips.items():
            facts = {"Sky Miles": "1234567890", "T-Shirt Size": "Large"}
            self.ask("open", customer=customer, skill="service", text=text, facts=facts)

    def ask(self, what: str, **body: Any) -> None:
        """A call to the desk, as the server under test makes it."""
        call = Call(
            method="POST",
            url=f"http://sandbox/bureau/32106792/{what}",
            headers={"authorization": "Seal a seal"},
            body=msgspec.json.encode(body),
        )
        assert bureau_twin.answer(call, self.world).status == 200
        self.world.desk_changed("bureau")

    def bubble(self, number: str, index: int = -1) -> Bubble:
        return self.phone(number).messages[index]

    def _backdate(self, handset: Handset, ago: float) -> None:
        if handset.messages:
            handset.messages[-1].at -= int(ago * 1_000)


class View:
    """One browser window. It keeps what the page posts, and what goes wrong, which `check` holds against it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.posted: list[tuple[str, Any]] = []
        self.faults: list[str] = []
        self.forgiven: list[str] = []
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._requested)

    def _said(self, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            self.faults.append(f"{said.text} {said.location}")

    def _requested(self, request: BrowserRequest) -> None:
        if not request.url.startswith((self.base, "data:")):
            self.faults.append(f"a request left the sandbox: {request.url}")
        if request.method == "POST":
            self.posted.append((unquote(urlsplit(request.url).path), request.post_data_json))

    def posts(self, verb: str) -> list[Any]:
        return [body for path, body in self.posted if path.endswith("/" + verb)]

    async def posted_soon(self, verb: str, body: Any) -> None:
        for _ in range(100):
            if body in self.posts(verb):
                return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{verb} {body} was not posted; posted: {self.posted}")

    async def sideways(self) -> int:
        """How many pixels the page, or a conversation in it, is wider than its place."""
        script = """Math.max(...[document.documentElement, ...document.querySelectorAll(".conversation")]
            .map((node) => node.scrollWidth - node.clientWidth))"""
        width: int = await self.page.evaluate(script)
        return width

    def check(self) -> None:
        left = [fault for fault in self.faults if not any(part in fault for part in self.forgiven)]
        assert not left, left


@pytest_asyncio.fixture(loop_scope="session")
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    await stand.start()
    yield stand
    await stand.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the pages are not looked at. `apt-get install chromium` brings it.")
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-sync"]
        quiet += ["--disable-background-networking", "--disable-component-update"]
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=quiet)
        yield browser
        await browser.close()


Look = Callable[..., Awaitable[View]]


@pytest_asyncio.fixture(loop_scope="session")
async def look(stand: Stand, browser: Browser) -> AsyncIterator[Look]:
    """`await look(path, width=…, height=…, **context)` opens a window; whatever went wrong in it fails the test."""
    views: list[View] = []

    async def look(path: str, *, width: int = 1440, height: int = 900, **context: Any) -> View:
        window = await browser.new_context(viewport={"width": width, "height": height}, **context)
        window.set_default_timeout(5_000)
        view = View(await window.new_page(), stand.base)
        views.append(view)
        await view.page.goto(stand.base + path)
        return view

    yield look
    for view in views:
        await view.page.context.close()
        view.check()
