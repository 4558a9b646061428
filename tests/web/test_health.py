"""Alive, ready, metrics."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph import __version__
from heliograph.errors import StoreAway


async def away() -> None:
    raise StoreAway("The database file cannot be opened.", code="store_away")


async def test_alive_looks_at_nothing(caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller.store, "ready", away)
    said = await caller.call("GET", "/healthz")
    assert (said.status, said.json) == (200, {"status": "alive"})


async def test_ready_tells_details_in_private_alone(caller: Any) -> None:
    assert (await caller.call("GET", "/readyz")).json == {"status": "ready"}
    details = (await caller.call("GET", "/readyz", peer="127.0.0.1")).json
    assert (details["version"], details["store"], details["senders"]) == (__version__, "ok", 2)


async def test_not_ready_without_the_store(caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller.store, "ready", away)
    said = await caller.call("GET", "/readyz")
    assert (said.status, said.json) == (503, {"status": "unavailable"})
    said = await caller.call("GET", "/readyz", peer="127.0.0.1")
    assert said.json["store"] == "The database file cannot be opened."


async def test_metrics_count_calls_by_route_and_hold_no_value(caller: Any) -> None:
    await caller.alert()
    await caller.call("GET", "/somewhere/17703101414")
    said = await caller.call("GET", "/metrics", peer="127.0.0.1")
    text = said.body.decode()
    assert said.headers["content-type"].startswith("text/plain; version=")
    assert 'heliograph_calls_total{route="/api/proactiveAlert",status="200"} 1.0' in text
    assert 'heliograph_calls_total{route="none",status="404"} 1.0' in text
    assert 'heliograph_alerts_total{channel="rcs",outcome="taken"} 1.0' in text
    assert "7703101414" not in text and "25508804" not in text
