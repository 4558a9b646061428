"""Google's token endpoint, the bearer on every call, and the accounts that the sandbox knows."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from heliograph.errors import SetupError
from heliograph.sandbox import World, make_service_account, read_accounts

CAPABILITIES = "/v1/phones/+12025550100/capabilities"


async def test_a_token_is_given_for_an_hour_and_opens_the_api(caller: Any) -> None:
    status, answer = await caller.ask_token(caller.assertion())
    assert status == 200
    assert (answer["expires_in"], answer["token_type"]) == (3600, "Bearer")
    status, _, _ = await caller.call(
        "GET", CAPABILITIES, bearer=answer["access_token"], requestId="r", agentId="acme-air"
    )
    assert status == 200


@pytest.mark.parametrize(
    ("claims", "error", "says"),
    [
        ({"iss": "nobody@sandbox.iam.gserviceaccount.com"}, "invalid_grant", "account not found"),
        ({"aud": "https://elsewhere.example/token"}, "invalid_grant", "audience"),
        ({"exp": int(time.time()) - 4000, "iat": int(time.time()) - 7000}, "invalid_grant", "short-lived"),
        ({"exp": int(time.time()) + 7200}, "invalid_grant", "short-lived"),
        ({"iat": int(time.time()) + 2000}, "invalid_grant", "short-lived"),
        ({"scope": ""}, "invalid_scope", "scope"),
        ({"scope": "https://www.googleapis.com/auth/drive"}, "invalid_scope", "scope"),
        ({"alg": "HS256"}, "invalid_grant", "RS256"),
        ({"iat": "now"}, "invalid_grant", "Invalid JWT"),
    ],
)
async def test_wrong_claims_are_refused(caller: Any, claims: dict[str, Any], error: str, says: str) -> None:
    status, answer = await caller.ask_token(caller.assertion(**claims))
    assert (status, answer["error"]) == (400, error)
    assert says in answer["error_description"]


async def test_a_signature_by_another_key_is_refused(caller: Any, world: World) -> None:
    stranger = json.loads(make_service_account(world, token_uri="unused", email="stranger@sandbox.example"))
    caller.key_file = {**caller.key_file, "private_key": stranger["private_key"]}
    status, answer = await caller.ask_token(caller.assertion())
    assert (status, answer) == (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}, "invalid_request"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "é.b.c"}, "invalid_grant"),
        ({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": "x"}, "invalid_grant"),
    ],
)
async def test_a_form_that_is_no_grant(caller: Any, form: dict[str, str], error: str) -> None:
    async with caller.http.post(f"{caller.sandbox.url}/token", data=form) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"] == error


async def test_calls_without_a_good_bearer_are_401(caller: Any, world: World) -> None:
    for bearer in ("", "made-up"):
        status, answer, headers = await caller.call(
            "GET", CAPABILITIES, bearer=bearer, requestId="r", agentId="acme-air"
        )
        assert (status, answer["error"]["status"]) == (401, "UNAUTHENTICATED")
        assert headers["www-authenticate"].startswith("Bearer ")
    world.grant("old", "https://www.googleapis.com/auth/rcsbusinessmessaging", world.now() - 1)
    assert (await caller.call("GET", CAPABILITIES, bearer="old", requestId="r", agentId="acme-air"))[0] == 401
    world.grant("other", "https://www.googleapis.com/auth/businesscommunications", world.now() + 9999)
    assert (await caller.call("GET", CAPABILITIES, bearer="other", requestId="r", agentId="acme-air"))[0] == 403


async def test_accounts_are_read_from_a_directory(world: World, tmp_path: Path) -> None:
    text = make_service_account(world, token_uri="http://x/token", email="one@sandbox.example")
    public = world.account_keys("one@sandbox.example")[0]
    (tmp_path / "one.json").write_text(text)
    (tmp_path / "two@sandbox.example.pem").write_text(public)
    (tmp_path / "three.json").write_text(json.dumps({"client_email": "three@sandbox.example", "public_key": public}))
    (tmp_path / "notes.txt").write_text("not a key")

    class Collects:
        def __init__(self) -> None:
            self.accounts: dict[str, str] = {}

        def add_account(self, email: str, public_key: str) -> None:
            self.accounts[email] = public_key

    collected = Collects()
    names = [f"{name}@sandbox.example" for name in ("one", "three", "two")]
    assert read_accounts(collected, tmp_path) == names
    assert collected.accounts == dict.fromkeys(names, public)


@pytest.mark.parametrize(
    ("name", "text"),
    [("a.json", "{"), ("a.json", "{}"), ("a.pem", "no key"), ("a.json", '{"client_email":"a","public_key":"x"}')],
)
async def test_a_key_that_cannot_be_read_names_its_file(world: World, tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SetupError, match=name):
        read_accounts(world, tmp_path)
    with pytest.raises(SetupError, match="missing"):
        read_accounts(world, tmp_path / "missing")
