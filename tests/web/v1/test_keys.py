"""Who may call the native API, and what it is told otherwise: always problem+json with a code."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import msgspec
import pytest
from oauthlib.oauth1 import Client

from heliograph.core.site import Scope
from heliograph.errors import StoreAway
from heliograph.flow import keys
from heliograph.web.plain import plain_answer
from heliograph.web.route import Auth
from heliograph.web.routes import ROUTES

BASE = "https://alerts.acme.example"
ROWS = [route for route in ROUTES if route.path.startswith("/v1/")]


def problem(said: Any, status: int, code: str) -> dict[str, Any]:
    assert said.status == status, said.body
    assert said.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = said.json
    assert body["status"] == status and body["code"] == code and body["title"] and body["detail"]
    return body


@pytest.mark.parametrize("route", ROWS, ids=lambda route: f"{route.method} {route.path}")
async def test_every_row_asks_for_a_key_with_its_scope(ask: Any, key_of: Any, alert: Any, route: Any) -> None:
    assert route.auth is Auth.KEY and route.scope is not None
    path, body = route.path.replace("{id}", "x"), alert if route.method == "POST" else None
    problem(await ask(route.method, path, body, bearer=""), 401, "no_authorization")
    others = tuple(scope for scope in Scope if scope not in (route.scope, Scope.ADMIN))
    said = await ask(route.method, path, body, bearer=await key_of(scopes=others))
    assert route.scope.value in problem(said, 403, "scope_missing")["detail"]
    assert said.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{route.scope.value}"'
    assert (await ask(route.method, path, body, bearer=await key_of(scopes=(route.scope,)))).status not in (401, 403)


async def test_a_key_that_names_no_scope_may_do_what_concerns_alerts(ask: Any, key_of: Any, alert: Any) -> None:
    bearer = await key_of()
    assert (await ask("POST", "/v1/alerts", alert, bearer=bearer)).status == 202
    assert (await ask("GET", "/v1/alerts", bearer=bearer)).status == 200
    assert (await ask("POST", "/v1/alerts/explain", alert, bearer=bearer)).status == 200


@pytest.mark.parametrize("spoil", [lambda b: b[:-1], lambda b: b + "a", lambda b: b.upper(), lambda b: "hg_live_x_y"])
async def test_a_key_that_is_not_whole(ask: Any, key_of: Any, spoil: Any) -> None:
    said = await ask("GET", "/v1/alerts", bearer=spoil(await key_of()))
    problem(said, 401, "unknown_bearer_key")
    assert (
        'Bearer realm="heliograph", error="invalid_token"' in said.headers.values() or said.headers["www-authenticate"]
    )


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer ", "Bearer é", "bearer  hg_live__"])
async def test_other_credentials(ask: Any, header: str) -> None:
    said = await ask("GET", "/v1/alerts", bearer="", Authorization=header)
    assert said.status == 401 and said.headers["content-type"] == "application/problem+json"


async def test_a_disabled_and_an_ended_key(ask: Any, caller: Any, key_of: Any) -> None:
    bearer, ended = await key_of(), await key_of(expires=1)
    problem(await ask("GET", "/v1/alerts", bearer=ended), 401, "expired_key")
    await keys.disable(caller.store, keys.name_of(bearer), now=1)
    await caller.doors.means.registry.refresh(caller.store)
    problem(await ask("GET", "/v1/alerts", bearer=bearer), 401, "disabled_key")
    # Whoever does not hold the key is not told that there is one.
    problem(await ask("GET", "/v1/alerts", bearer=bearer[:-1]), 401, "unknown_bearer_key")


async def test_too_many_guesses_are_held_back_and_right_keys_are_not(ask: Any) -> None:
    for _ in range(20):
        problem(await ask("GET", "/v1/alerts", bearer="hg_live_a_b"), 401, "unknown_bearer_key")
    said = await ask("GET", "/v1/alerts", bearer="hg_live_a_b")
    problem(said, 429, "too_many_calls")
    assert int(said.headers["retry-after"]) > 0
    assert (await ask("GET", "/v1/alerts")).status == 200


async def test_oauth_signs_the_native_api_too_and_its_nonce_is_spent(caller: Any, alert: Any) -> None:
    def signed(method: str, path: str, body: str = "") -> dict[str, str]:
        client = Client("ck", "cs", "tk", "ts", signature_method="HMAC-SHA256")
        headers = {"Content-Type": "application/json"} if body else {}
        return dict(client.sign(BASE + path, method, body or None, headers)[1])

    body = json.dumps(alert)
    for method, path, sent, status in (
        ("POST", "/v1/alerts", body, 202),
        ("POST", "/v1/alerts/explain", body, 200),
        ("GET", "/v1/alerts?state=sent&limit=3", "", 200),
        ("GET", "/v1/alerts/nothing", "", 404),
        ("POST", "/v1/alerts", json.dumps({**alert, "recipient": 5}), 400),
    ):
        headers = signed(method, path, sent)
        assert (await caller.call(method, path, sent.encode(), headers)).status == status
        again = await caller.call(method, path, sent.encode(), headers)
        problem(again, 401, "nonce_used")


async def test_a_bearer_key_opens_no_oauth_door(caller: Any, key_of: Any, example_body: bytes) -> None:
    """Its public name as a consumer key, with the empty secret that is kept of it."""
    name = keys.name_of(await key_of())
    client = Client(name, "", signature_method="HMAC-SHA256")
    _, headers, _ = client.sign(
        f"{BASE}/api/proactiveAlert", "POST", example_body.decode(), {"Content-Type": "application/json"}
    )
    said = await caller.call("POST", "/api/proactiveAlert", example_body, dict(headers))
    assert said.status == 401 and caller.line.sent == []


async def test_an_oauth_key_without_the_scope_sends_nothing_on_the_documented_api(caller: Any) -> None:
    registry = caller.doors.means.registry
    key = registry.key("ck")[0].key
    await caller.store.put_key(msgspec.structs.replace(key, scopes=(Scope.ALERTS_READ,)))
    await registry.refresh(caller.store)
    said = await caller.alert()
    assert said.status == 403 and "alerts:send" in said.json["error"]
    assert caller.line.sent == []


async def test_a_key_made_by_another_process_is_seen_within_a_second(caller: Any, ask: Any) -> None:
    from heliograph.app import REFRESH_EVERY
    from heliograph.flow.registry import watch

    assert REFRESH_EVERY <= 0.5
    registry = caller.doors.means.registry
    task = asyncio.ensure_future(watch(registry, caller.store, every=REFRESH_EVERY, failed=lambda error: None))
    try:
        made = await keys.create_bearer(caller.store, "25508804", now=1)
        await asyncio.sleep(0.9)
        assert (await ask("GET", "/v1/alerts", bearer=made.bearer)).status == 200
        await keys.disable(caller.store, made.name, now=2)
        await asyncio.sleep(0.9)
        assert (await ask("GET", "/v1/alerts", bearer=made.bearer)).status == 401
    finally:
        task.cancel()


async def test_whatever_is_no_row_is_a_problem(ask: Any, caller: Any, alert: Any, monkeypatch: Any) -> None:
    problem(await ask("GET", "/v1/nothing"), 404, "not_found")
    said = await ask("PUT", "/v1/alerts")
    problem(said, 405, "wrong_method")
    assert said.headers["allow"] == "GET, HEAD, POST"
    problem(await ask("POST", "/v1/alerts", alert, Content_Type="text/plain"), 415, "not_json")
    problem(await ask("POST", "/v1/alerts", b"{" * 300_000), 413, "body_too_large")

    async def away(*_: Any, **__: Any) -> Any:
        raise StoreAway("The database does not answer.", code="store_away")

    monkeypatch.setattr(caller.store, "alerts", away)
    problem(await ask("GET", "/v1/alerts"), 503, "store_away")

    async def broken(*_: Any, **__: Any) -> Any:
        raise KeyError

    monkeypatch.setattr(caller.store, "alerts", broken)
    problem(await ask("GET", "/v1/alerts"), 500, "our_fault")


def test_what_the_connection_itself_refuses_is_a_problem_too() -> None:
    for path, kind in ((b"/v1/alerts", b"application/problem+json"), (b"/api/proactiveAlert", b"application/json")):
        head, _, body = plain_answer(431, "Too much.", path=path).partition(b"\r\n\r\n")
        assert b"content-type: " + kind + b"\r\n" in head
        assert ("code" in json.loads(body)) is (kind != b"application/json")


async def test_no_key_is_in_the_log(caller: Any, ask: Any, key_of: Any, alert: Any) -> None:
    bearer = await key_of()
    await ask("POST", "/v1/alerts", alert, bearer=bearer)
    await ask("GET", "/v1/alerts", bearer=bearer[:-1])
    await caller.doors.means.settle()
    written = caller.lines.getvalue().decode()
    assert bearer[-43:-1] not in written and "2025550123" not in written
