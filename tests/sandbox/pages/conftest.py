"""A browser, and a stand: the pages served over the documented routes with phones that the test sets up."""

from __future__ import annotations

import asyncio
import json
import shutil
import struct
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Request as BrowserRequest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from heliograph.sandbox.pages import page

CHROMIUM = shutil.which("chromium")
# The strictest policy the sandbox may serve with: nothing inline, nothing from elsewhere but a message's own media.
POLICY = (
    "default-src 'self'; img-src 'self' data: http: https:; media-src 'self' data: http: https:;"
    " base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)


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
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b"")


class Stand:
    """Phones in memory behind the sandbox's documented routes."""

    def __init__(self) -> None:
        self.base = ""
        self.handsets: dict[str, dict[str, Any]] = {}
        self.listeners: set[asyncio.Queue[str]] = set()
        self.refuse: str | None = None
        self._picture = picture()

    def phone(self, number: str, **state: Any) -> dict[str, Any]:
        usual = {"number": number, "name": "", "has_rcs": True, "online": True, "reads": True, "muted": False, "messages": []}
        handset = self.handsets.setdefault(number, usual)
        handset.update(state)
        self.changed(number)
        return handset

    def arrive(self, number: str, content: dict[str, Any], *, ago: float = 0, sender: str = "Acme Air", **more: Any) -> str:
        """A message comes to the phone; its id."""
        messages = self.phone(number)["messages"]
        message = {
            "id": f"m{len(messages)}-{number[-4:]}", "channel": "rcs", "direction": "in", "state": "delivered", "tapped": [],
            "sender": {"id": sender.lower().replace(" ", "-"), "name": sender},
            "at": int((time.time() - ago) * 1000), "content": content,
        }  # fmt: skip
        messages.append(message | more)
        self.changed(number)
        return str(message["id"])

    def changed(self, number: str) -> None:
        for queue in self.listeners:
            queue.put_nowait(number)

    def hang_up(self) -> None:
        """Ends every stream of events, as a restart would."""
        for queue in self.listeners:
            queue.put_nowait("")

    def app(self) -> Starlette:
        return Starlette(routes=[
            Route("/sandbox/handsets", self._overview),
            Route("/sandbox/handsets/{number}", self._handset, methods=["GET", "POST"]),
            Route("/sandbox/handsets/{number}/{verb}", self._act, methods=["POST"]),
            Route("/sandbox/events", self._events),
            Route("/media/{id}", self._media),
            Route("/{path:path}", self._page),
        ])  # fmt: skip

    async def _page(self, request: Request) -> Response:
        found = page(request.url.path)
        if found is None:
            return JSONResponse({"detail": "No page stands here."}, 404)
        return Response(found[1], media_type=found[0], headers={"content-security-policy": POLICY})

    async def _media(self, request: Request) -> Response:
        if request.path_params["id"].startswith("picture"):
            return Response(self._picture, media_type="image/png")
        return Response(status_code=404)

    async def _overview(self, request: Request) -> Response:
        def brief(handset: dict[str, Any]) -> dict[str, Any]:
            last = handset["messages"][-1] if handset["messages"] else None
            said = last and (last.get("text") or last["content"].get("text") or last["content"].get("card", {}).get("title") or "A message")
            return {k: v for k, v in handset.items() if k != "messages"} | {
                "unread": sum(m["direction"] == "in" and m["state"] == "delivered" for m in handset["messages"]),
                "last": last and {"text": said, "at": last["at"], "out": last["direction"] == "out"},
            }

        return JSONResponse({"handsets": [brief(handset) for handset in self.handsets.values()]})

    async def _handset(self, request: Request) -> Response:
        number = request.path_params["number"]
        if request.method == "POST":
            body = json.loads(await request.body())
            if self.refuse:
                return JSONResponse({"detail": self.refuse}, 400)
            self.phone(number, **body)
        elif number not in self.handsets:
            return JSONResponse({"detail": f"No phone has the number {number}."}, 404)
        return JSONResponse(self.handsets[number])

    async def _act(self, request: Request) -> Response:
        number, verb = request.path_params["number"], request.path_params["verb"]
        body = json.loads(await request.body())
        if self.refuse:
            return JSONResponse({"detail": self.refuse}, 400)
        if verb == "say":
            self._out(number, body["text"])
        elif verb == "tap":
            message = next(m for m in self.handsets[number]["messages"] if m["id"] == body["message"])
            message["tapped"].append(body["suggestion"])
            where, _, index = body["suggestion"].partition(":")
            content = message["content"]
            cards = content.get("cards") or [content.get("card")]
            said = (content if where == "-" else cards[int(where)])["suggestions"][int(index)]
            if said["type"] == "reply":
                self._out(number, said["text"])
        elif verb == "read":
            for message in self.handsets[number]["messages"]:
                if message["id"] == body["message"]:
                    message["state"] = "read"
        self.changed(number)
        return JSONResponse(self.handsets[number])

    def _out(self, number: str, text: str) -> None:
        sender = self.handsets[number]["messages"][-1]["sender"]
        self.arrive(number, {}, direction="out", state="sent", text=text, sender=sender["name"])

    async def _events(self, request: Request) -> Response:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.listeners.add(queue)

        async def stream() -> AsyncIterator[str]:
            try:
                yield ": here\n\n"
                while number := await queue.get():
                    yield f"event: handset\ndata: {json.dumps({'number': number})}\n\n"
            finally:
                self.listeners.discard(queue)

        return StreamingResponse(stream(), media_type="text/event-stream")


class View:
    """One browser window. It keeps what the page posts and everything that went wrong, which `close` holds against it."""

    def __init__(self, page: Page, base: str) -> None:
        self.page = page
        self.base = base
        self.posted: list[tuple[str, Any]] = []
        self.faults: list[str] = []
        self.forgiven: list[str] = []
        page.on("console", lambda said: said.type in ("error", "warning") and self.faults.append(f"{said.text} {said.location}"))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", self._requested)

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
        """How many pixels the page can be scrolled to the side."""
        width: int = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return width

    def check(self) -> None:
        left = [fault for fault in self.faults if not any(part in fault for part in self.forgiven)]
        assert not left, left


@pytest_asyncio.fixture(loop_scope="session")
async def stand() -> AsyncIterator[Stand]:
    stand = Stand()
    config = uvicorn.Config(stand.app(), host="127.0.0.1", port=0, log_level="critical", timeout_graceful_shutdown=0)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    stand.base = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    yield stand
    server.should_exit = True
    await running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: the pages are not looked at. `apt-get install chromium` brings it.")
    async with async_playwright() as playwright:
        quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
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
