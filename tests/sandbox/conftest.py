"""A running sandbox with one service account and one agent, a caller of Google's API, and a webhook that listens."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.sandbox import KnownSender, Pace, Running, World, make_service_account, serve

SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
CLIENT_TOKEN = "a-client-token"
AGENT = "acme-air"
PHONE = "+12025550100"


def part(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def assertion(key_file: dict[str, str], *, alg: str = "RS256", **claims: Any) -> str:
    """A service account's signed assertion; `claims` replace the right ones."""
    now = int(time.time())
    told = {
        "iss": key_file["client_email"],
        "aud": key_file["token_uri"],
        "scope": SCOPE,
        "iat": now,
        "exp": now + 3600,
        **claims,
    }
    signed = part(json.dumps({"alg": alg, "typ": "JWT"}).encode()) + b"." + part(json.dumps(told).encode())
    key: Any = serialization.load_pem_private_key(key_file["private_key"].encode(), None)
    return (signed + b"." + part(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))).decode()


class Caller:
    """Speaks Google's API to the sandbox as an adapter would, with the plus sign in the path as it is."""

    def __init__(self, session: aiohttp.ClientSession, sandbox: Running, key_file: dict[str, str]) -> None:
        self.http = session
        self.sandbox = sandbox
        self.key_file = key_file
        self.bearer = ""

    async def ask_token(self, assertion_text: str, **more: str) -> tuple[int, dict[str, Any]]:
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion_text, **more}
        async with self.http.post(f"{self.sandbox.url}/token", data=form) as answer:
            return answer.status, await answer.json()

    def assertion(self, **claims: Any) -> str:
        return assertion(self.key_file, **claims)

    async def log_in(self) -> None:
        status, answer = await self.ask_token(self.assertion())
        assert status == 200, answer
        self.bearer = answer["access_token"]

    async def call(
        self, method: str, path: str, body: Any = None, *, bearer: str | None = None, **query: str
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        headers = {"authorization": f"Bearer {self.bearer if bearer is None else bearer}"}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        async with self.http.request(
            method, f"{self.sandbox.url}{path}", params=query, data=data, headers=headers
        ) as answer:
            return answer.status, await answer.json(), {name.lower(): value for name, value in answer.headers.items()}

    async def create(
        self, number: str, message: str, content: dict[str, Any] | None = None, **more: Any
    ) -> tuple[int, dict[str, Any]]:
        body = {"contentMessage": content or {"text": "Your flight is late"}, **more}
        status, answer, _ = await self.call(
            "POST", f"/v1/phones/{number}/agentMessages", body, messageId=message, agentId=AGENT
        )
        return status, answer

    async def sandbox_call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        async with self.http.request(method, f"{self.sandbox.url}{path}", data=data, headers=headers) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if "json" in answer.content_type else text

    async def do(self, number: str, action: str, body: Any = None) -> Any:
        status, answer = await self.sandbox_call("POST", f"/sandbox/handsets/{number}/{action}".rstrip("/"), body or {})
        assert status == 200, answer
        return answer

    async def phone(self, number: str) -> Any:
        return (await self.sandbox_call("GET", f"/sandbox/handsets/{number}"))[1]

    async def misbehave(self, **rule: Any) -> None:
        status, answer = await self.sandbox_call("POST", "/sandbox/behaviour", rule)
        assert status == 200, answer


class Webhook:
    """A small real receiver. `answers`: what it says to the next posts (then 200). `heard`: the events it took."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = []
        self.posts: list[tuple[int, bytes, dict[str, Any]]] = []
        self.heard: list[dict[str, Any]] = []
        self.challenges: list[dict[str, Any]] = []
        self.news = asyncio.Event()
        self.secret_answer: Callable[[str], str] = lambda secret: secret

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        document = json.loads(body)
        if request.headers["x-goog-webhook-type"] == "verification":
            self.challenges.append(document)
            return web.Response(text=self.secret_answer(document["secret"]))
        data = base64.b64decode(document["message"]["data"])
        wanted = base64.b64encode(hmac.digest(CLIENT_TOKEN.encode(), data, hashlib.sha512)).decode()
        assert request.headers["x-goog-signature"] == wanted
        status = self.answers.pop(0) if self.answers else 200
        self.posts.append((status, body, json.loads(data)))
        if status == 200:
            self.heard.append(json.loads(data))
            self.news.set()
        return web.Response(status=status)

    async def wait(self, count: int, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The events heard, once there are `count`."""
        async with asyncio.timeout(seconds):
            while len(self.heard) < count:
                self.news.clear()
                await self.news.wait()
        return self.heard

    def kinds(self) -> list[str]:
        return [str(event.get("eventType", "message")) for event in self.heard]


@pytest.fixture
async def webhook() -> AsyncIterator[Webhook]:
    hook = Webhook()
    app = web.Application()
    app.router.add_post("/callbacks/rcs/google-rbm/25508804/main", hook.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    hook.url = f"http://{host}:{port}/callbacks/rcs/google-rbm/25508804/main"
    yield hook
    await runner.cleanup()


@pytest.fixture(scope="session")
def key_pair() -> dict[str, str]:
    """One RSA key for all tests: making one takes 50 to 500 ms."""

    class Nobody:
        def add_account(self, email: str, public_key: str) -> None:
            self.key = public_key

    nobody = Nobody()
    key_file = json.loads(make_service_account(nobody, token_uri="filled in later"))
    return {**key_file, "public": nobody.key}


@pytest.fixture
async def world() -> World:
    return World([google_rbm_twin], clock=SystemClock(), seed=7, pace=Pace(delivered=0.02, read=0.05))


@pytest.fixture
async def sandbox(world: World) -> AsyncIterator[Running]:
    async with await serve(world) as running:
        yield running


@pytest.fixture
async def caller(sandbox: Running, world: World, webhook: Webhook, key_pair: dict[str, str]) -> AsyncIterator[Caller]:
    """Logged in; the agent has the webhook."""
    world.add_account(key_pair["client_email"], key_pair["public"])
    world.add_sender(
        KnownSender(id=AGENT, provider="google-rbm", name="Acme Air", webhook=webhook.url, secret=CLIENT_TOKEN)
    )
    async with aiohttp.ClientSession() as session:
        one = Caller(session, sandbox, {**key_pair, "token_uri": f"{sandbox.url}/token"})
        await one.log_in()
        yield one
