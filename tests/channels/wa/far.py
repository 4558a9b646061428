"""Both ends of WhatsApp for the tests: the sandbox with its twin, and a webhook that the adapter reads."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

from heliograph.core.content import Content
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Call, Message, Taken
from heliograph.errors import CallRefused
from heliograph.sandbox import Running

NUMBER_ID = "106540352242922"
PHONE = "+12025550100"


class Far:
    """Both ends. `heard`: what the adapter understood of what the twin told, in order."""

    def __init__(self, sandbox: Running, session: aiohttp.ClientSession) -> None:
        self.sandbox = sandbox
        self.http = session
        self.heard: list[ProviderEvent] = []
        self.refused: list[str] = []
        self.credentials: dict[str, str] = {}
        self.provider: Any = None
        self.news = asyncio.Event()

    async def receive(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = Call(method=request.method, url=str(request.url), headers=headers, body=await request.read())
        try:
            heard = self.provider.read(call)
        except CallRefused as error:
            self.refused.append(error.code)
            return web.Response(status=401)
        self.heard += heard.events
        self.news.set()
        return web.Response(status=heard.answer.status, body=heard.answer.body)

    async def wait(self, count: int) -> list[ProviderEvent]:
        async with asyncio.timeout(5):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard

    async def own(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else msgspec.json.encode(body)
        async with self.http.request(method, f"{self.sandbox.url}/sandbox/{path}", data=data) as answer:
            return await answer.json()

    async def graph(self, method: str, path: str, body: Any = None, *, token: str = "", **query: str) -> Any:
        headers = {"authorization": f"Bearer {token or self.credentials['access_token']}"}
        data = None if body is None else msgspec.json.encode(body)
        url = f"{self.sandbox.url}/v23.0/{path}"
        async with self.http.request(method, url, data=data, headers=headers, params=query) as answer:
            return answer.status, await answer.json()

    async def declare(self, **template: Any) -> Any:
        return await self.graph("POST", f"{self.credentials['waba_id']}/message_templates", template)

    async def send(self, content: Content, *, number: str = PHONE, window: bool = False, id: str = "a-1") -> Taken:
        now = self.sandbox.world.now()
        message = Message(id=id, recipient=number, content=content, now=now, expires=now + 60_000, window=window)
        taken: Taken = await self.provider.send(message, asyncio.get_running_loop().time() + 5)
        return taken

    async def say(self, text: str = "hello", **more: str) -> None:
        """The person writes first, so that the window is open."""
        known = len(self.heard)
        await self.own("POST", f"handsets/{PHONE}/say", {"text": text, "sender": NUMBER_ID, **more})
        await self.wait(known + 1)

    async def shown(self, number: str = PHONE) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = (await self.own("GET", f"handsets/{number}"))["messages"]
        return messages
