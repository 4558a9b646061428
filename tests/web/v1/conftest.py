"""The native API before the house of tests/web: bearer keys of site 25508804, made as the command line makes them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from heliograph.flow import keys

SITE = "25508804"
Ask = Callable[..., Awaitable[Any]]


@pytest.fixture
def alert() -> dict[str, Any]:
    return {
        "recipient": "+12025550123",
        "template": "flightdelay",
        "language": "en",
        "skill": "service",
        "variables": {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
    }


@pytest.fixture
def key_of(caller: Any) -> Callable[..., Awaitable[str]]:
    """A bearer key, known to the server."""

    async def make(site: str = SITE, **more: Any) -> str:
        made = await keys.create_bearer(caller.store, site, now=caller.doors.means.clock.now(), **more)
        await caller.doors.means.registry.refresh(caller.store)
        return made.bearer

    return make


@pytest.fixture
async def ask(caller: Any, key_of: Any) -> Ask:
    """Calls with a bearer key of every scope, or another `bearer`."""
    usual = await key_of(scopes=("admin",))

    async def call(method: str, path: str, body: Any = None, bearer: str = usual, **headers: str) -> Any:
        given = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        raw = b""
        if body is not None:
            given.setdefault("Content-Type", "application/json")
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await caller.call(method, path, raw, given)

    return call
