"""DELETE /v1/recipients from outside: a person goes, the no stays, and nobody but a live admin key may do that."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from heliograph.core.site import Kind, Scope

WHO = "+12025550123"
PATH = f"/v1/recipients?recipient={quote(WHO)}"


@pytest.fixture
async def admin(caller: Any, key_of: Any) -> str:
    caller.store.hide_by(b"k" * 32)
    bearer: str = await key_of(scopes=(Scope.ADMIN,))
    return bearer


async def test_a_person_goes_and_the_no_stays(caller: Any, ask: Any, alert: Any, admin: str) -> None:
    assert (await ask("POST", "/v1/alerts", alert, Prefer="wait=1")).status == 200
    await ask("POST", "/v1/opt-outs", {"recipient": WHO})
    said = await ask("DELETE", PATH, bearer=admin)
    assert said.status == 200
    assert (said.json["alerts"], said.json["opt_outs"]) == (1, 1)
    assert (await ask("GET", f"/v1/alerts?recipient={quote(WHO)}")).json["alerts"] == []
    refused = await ask("POST", "/v1/alerts", {**alert, "external_alert_id": "2"})
    assert refused.status == 422 and refused.json["code"] == "opted_out"
    (row,) = (await ask("GET", "/v1/opt-outs", bearer=admin)).json["opt_outs"]
    assert row["recipient"].startswith("erased:")
    withdrawn = await ask("DELETE", f"/v1/opt-outs?recipient={quote(WHO)}", bearer=admin)
    assert withdrawn.json["changed"] is True
    assert (await ask("GET", "/v1/opt-outs", bearer=admin)).json["opt_outs"] == []
    assert b"2025550123" not in caller.lines.getvalue()


async def test_the_same_call_again_finds_nothing(ask: Any, admin: str) -> None:
    assert set((await ask("DELETE", PATH, bearer=admin)).json.values()) == {0}


@pytest.mark.parametrize("query", ["", "?recipient=12", "?recipient=%2B12025550123&all=1"])
async def test_faults(ask: Any, admin: str, query: str) -> None:
    assert (await ask("DELETE", f"/v1/recipients{query}", bearer=admin)).status == 400


async def test_who_may_not(ask: Any, key_of: Any, admin: str) -> None:
    assert (await ask("DELETE", PATH, bearer=await key_of())).status == 403
    for kind in (Kind.TEST, Kind.TEAM):
        said = await ask("DELETE", PATH, bearer=await key_of(kind=kind, scopes=(Scope.ADMIN,)))
        assert (said.status, said.json["code"]) == (403, "not_live")


async def test_another_sites_recipient_stays(ask: Any, key_of: Any, admin: str) -> None:
    await ask("POST", "/v1/opt-outs", {"recipient": WHO})
    other = await key_of("999", scopes=(Scope.ADMIN,))
    assert set((await ask("DELETE", PATH, bearer=other)).json.values()) == {0}
    assert [row["recipient"] for row in (await ask("GET", "/v1/opt-outs")).json["opt_outs"]] == [WHO]
