"""Who may come in: Host, Origin, the token off loopback, and what pages may load."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.core.twin import Medium, TwinAnswer
from heliograph.errors import SetupError
from heliograph.sandbox import Running, World, asgi, serve
from heliograph.sandbox.asgi import _answer, _medium

TOKEN = "let me in"


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8090", "127.0.0.1.evil.example", "", "[::2]:80"])
async def test_a_strange_host_is_not_answered(caller: Any, host: str) -> None:
    for path in ("/", "/sandbox/handsets", "/token"):
        status, answer = await caller.sandbox_call("GET", path, host=host)
        assert status == 421
        assert "127.0.0.1" in answer["error"]


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "LOCALHOST", "[::1]:8090"])
async def test_loopback_names_are(caller: Any, host: str) -> None:
    assert (await caller.sandbox_call("GET", "/sandbox/handsets", host=host))[0] == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://localhost:1"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({}, 200),
    ],
)
async def test_only_its_own_pages_may_change_it(caller: Any, headers: dict[str, str], status: int) -> None:
    assert (await caller.sandbox_call("POST", "/sandbox/reset", {}, **headers))[0] == status
    assert (await caller.sandbox_call("GET", "/sandbox/handsets", **headers))[0] == 200


async def test_its_own_origin_may(caller: Any) -> None:
    own = caller.sandbox.url
    assert (await caller.sandbox_call("POST", "/sandbox/reset", {}, origin=own))[0] == 200


async def test_pages_load_nothing_from_elsewhere_but_media_as_a_phone_does(caller: Any) -> None:
    for path in ("/", "/handsets/+12025550100"):
        async with caller.http.get(caller.sandbox.url + path) as answer:
            assert answer.status == 200
            assert answer.content_type == "text/html"
            policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    rules = dict(rule.strip().partition(" ")[::2] for rule in policy.split(";"))
    assert {name for name, sources in rules.items() if "http" in sources or "*" in sources} == {"img-src", "media-src"}
    assert "unsafe" not in policy


async def test_off_loopback_a_token_is_needed() -> None:
    world = World([google_rbm_twin], clock=SystemClock())
    for host in ("0.0.0.0", "192.0.2.1", "::", "sandbox.example"):
        with pytest.raises(SetupError, match="HELIOGRAPH_SANDBOX_TOKEN"):
            asgi(world, host=host)


@pytest.fixture
async def guarded() -> AsyncIterator[Running]:
    async with await serve(World([google_rbm_twin], clock=SystemClock()), token=TOKEN) as running:
        yield running


async def test_the_token_opens_once_as_a_query_then_by_cookie(guarded: Running) -> None:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        assert (await http.get(f"{guarded.url}/sandbox/handsets")).status == 401
        assert (await http.get(f"{guarded.url}/?token=wrong")).status == 401
        answer = await http.get(f"{guarded.url}/sandbox/handsets?a=1&token=let+me+in", allow_redirects=False)
        assert (answer.status, answer.headers["location"]) == (303, "/sandbox/handsets?a=1")
        assert "HttpOnly; SameSite=Strict" in answer.headers["set-cookie"]
        assert "let" not in answer.headers["set-cookie"]
        assert (await http.get(f"{guarded.url}/sandbox/handsets")).status == 200
        assert (
            await http.post(f"{guarded.url}/sandbox/reset", headers={"origin": "http://evil.example"})
        ).status == 403


async def test_the_token_as_a_bearer(guarded: Running) -> None:
    async with aiohttp.ClientSession() as http:
        for bearer, status in ((TOKEN, 200), ("wrong", 401), ("", 401)):
            headers = {"authorization": f"Bearer {bearer}"}
            assert (await http.post(f"{guarded.url}/sandbox/reset", headers=headers)).status == status
            assert (await http.get(f"{guarded.url}/media/x", headers=headers)).status == (404 if status == 200 else 401)


async def test_a_redirect_stays_here(guarded: Running) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("//evil.example/", "/%0d%0aset-cookie:a=b/", "/%5Cevil.example"):
            url = aiohttp.client.URL(f"{guarded.url}{path}?token=let%20me%20in", encoded=True)
            answer = await http.get(url, allow_redirects=False)
            assert answer.status == 303
            where = answer.headers["location"]
            assert where.startswith("/")
            assert not where.startswith(("//", "/\\"))
            assert answer.headers.getall("set-cookie")[0].startswith("heliograph_sandbox=")


async def test_the_providers_paths_ask_for_their_own_credentials(guarded: Running) -> None:
    async with aiohttp.ClientSession() as http, http.post(f"{guarded.url}/token", data={"grant_type": "x"}) as answer:
        assert (answer.status, (await answer.json())["error"]) == (400, "unsupported_grant_type")


async def test_no_script_runs_in_a_file_that_somebody_uploaded() -> None:
    world = World([google_rbm_twin], clock=SystemClock())
    name = world.keep(Medium(content_type="image/svg+xml", data=b"<svg/>"))
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await _answer(send, _medium(world, name))  # at the sandbox's own address
    await _answer(send, TwinAnswer(body=b"<script>", headers={"content-type": "text/html"}))  # at a provider's
    heads = [message["headers"] for message in sent if "headers" in message]
    assert len(heads) == 2
    for headers in heads:
        assert (b"content-security-policy", b"sandbox") in headers
        assert (b"x-content-type-options", b"nosniff") in headers
