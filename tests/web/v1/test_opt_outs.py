"""/v1/opt-outs from outside: a no stops alerts at once, is written once, and is withdrawn; nobody else's are seen."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from oauthlib.oauth1 import Client

from heliograph.core.site import Scope
from web.v1.test_keys import BASE, problem

WHO = "+12025550123"


async def test_a_no_stops_the_next_alert_and_a_yes_lets_it_through(caller: Any, ask: Any, alert: Any) -> None:
    said = await ask("POST", "/v1/opt-outs", {"recipient": WHO})
    assert (said.status, said.json) == (
        200,
        {"recipient": WHO, "scope": "all", "in_force": True, "changed": True},
    )
    refused = await ask("POST", "/v1/alerts", alert)
    assert refused.status == 422 and refused.json["code"] == "opted_out"
    said = await ask("DELETE", f"/v1/opt-outs?recipient={quote(WHO)}")
    assert (said.status, said.json["in_force"], said.json["changed"]) == (200, False, True)
    assert (await ask("POST", "/v1/alerts", {**alert, "external_alert_id": "2"}, Prefer="wait=1")).status == 200


async def test_a_no_to_the_alerts_skill(ask: Any, alert: Any) -> None:
    assert (await ask("POST", "/v1/opt-outs", {"recipient": WHO, "scope": "skill:service"})).status == 200
    refused = await ask("POST", "/v1/alerts", alert)
    assert refused.status == 422 and refused.json["code"] == "opted_out"


async def test_the_first_no_is_kept_as_the_proof(ask: Any, key_of: Any) -> None:
    first = {"recipient": WHO, "scope": "WhatsApp", "at": "2025-01-02T03:04:05Z"}
    assert (await ask("POST", "/v1/opt-outs", first)).json["changed"] is True
    assert (await ask("POST", "/v1/opt-outs", {"recipient": WHO, "scope": "wa"})).json["changed"] is False
    (row,) = (await ask("GET", "/v1/opt-outs")).json["opt_outs"]
    assert (row["scope"], row["at"][:19], row["how"]) == ("wa", "2025-01-02T03:04:05", "api") and row["by"]


async def test_an_older_no_does_not_undo_a_later_yes(ask: Any) -> None:
    await ask("POST", "/v1/opt-outs", {"recipient": WHO, "at": "2025-01-02T03:04:05Z"})
    await ask("DELETE", f"/v1/opt-outs?recipient={quote(WHO)}")
    said = await ask("POST", "/v1/opt-outs", {"recipient": WHO, "at": "2025-02-01T00:00:00Z"})
    assert (said.json["in_force"], said.json["changed"]) == (False, False)


async def test_pages(ask: Any) -> None:
    for n in range(5):
        await ask("POST", "/v1/opt-outs", {"recipient": f"+1202555010{n}", "scope": "sms"})
    found, path = [], "/v1/opt-outs?limit=2"
    while path:
        page = (await ask("GET", path)).json
        found += [row["recipient"] for row in page["opt_outs"]]
        path = f"/v1/opt-outs?limit=2&cursor={page['next']}" if page["next"] else ""
    assert found == [f"+1202555010{n}" for n in range(5)]
    one = (await ask("GET", "/v1/opt-outs?recipient=+12025550103&scope=text")).json  # a plus that is not encoded
    assert [row["recipient"] for row in one["opt_outs"]] == ["+12025550103"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"recipient": "2025550199"}, "recipient"),
        ({"recipient": WHO, "scope": "fax"}, "scope"),
        ({"recipient": WHO, "at": "2199-01-01"}, "at"),
        ({"recipient": WHO, "at": "yesterday"}, "at"),
    ],
)
async def test_wrong_fields_are_named(ask: Any, body: Any, field: str) -> None:
    said = await ask("POST", "/v1/opt-outs", body)
    assert said.status == 400 and [one["field"] for one in said.json["errors"]] == [field]
    assert "2025550199" not in said.body.decode()


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"recipient": 1}', b'{"recipient": "+12025550199", "x": 1}', b"\xff"])
async def test_bodies_that_are_none(ask: Any, body: bytes) -> None:
    said = await ask("POST", "/v1/opt-outs", body)
    assert said.status == 400 and "2025550123" not in said.body.decode()


@pytest.mark.parametrize("query", ["", "recipient=", "recipient=12", "recipient=%2B12025550123&x=1"])
async def test_a_withdrawal_names_its_recipient(ask: Any, query: str) -> None:
    assert (await ask("DELETE", f"/v1/opt-outs?{query}")).status == 400


async def test_a_signed_call_that_is_replayed_changes_nothing(caller: Any, ask: Any) -> None:
    """Whoever saw a withdrawal go by must not undo a later no with it: the nonce is spent before anything is done."""
    registry = caller.doors.means.registry
    key = registry.key("ck")[0].key
    await caller.store.put_key(msgspec.structs.replace(key, scopes=(Scope.OPT_OUTS_WRITE,)))
    await registry.refresh(caller.store)
    path = f"/v1/opt-outs?recipient={quote(WHO)}"
    client = Client("ck", "cs", "tk", "ts", signature_method="HMAC-SHA256")
    headers = dict(client.sign(BASE + path, "DELETE")[1])
    assert (await caller.call("DELETE", path, b"", headers)).status == 200
    assert (await ask("POST", "/v1/opt-outs", {"recipient": WHO})).json["in_force"] is True
    problem(await caller.call("DELETE", path, b"", headers), 401, "nonce_used")
    assert len((await ask("GET", "/v1/opt-outs")).json["opt_outs"]) == 1


WRONG = (
    "cursor=x", "cursor=WyJcdTAwMDAiLCIiXQ==", "cursor=e30=", "cursor=WyJcdTAwMDAiLCJhbGwiXQ==", "limit=0",
    "limit=x", "limit=0000002000000000",
    "limit=" + "1" * 5000, "scope=fax", "scope=skill:%00", "state=sent",
)  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
async def test_wrong_filters(ask: Any, query: str) -> None:
    said = await ask("GET", f"/v1/opt-outs?{query}")
    assert said.status == 400 and said.json["errors"][0]["field"] == query.partition("=")[0]


async def test_a_key_needs_the_scope_and_sees_its_own_site(ask: Any, key_of: Any) -> None:
    usual, writes = await key_of(), await key_of(scopes=(Scope.OPT_OUTS_WRITE,))
    for method, path, body in (
        ("POST", "/v1/opt-outs", {"recipient": WHO}),
        ("DELETE", f"/v1/opt-outs?recipient={quote(WHO)}", None),
        ("GET", "/v1/opt-outs", None),
    ):
        assert problem(await ask(method, path, body, bearer=usual), 403, "scope_missing")
        assert (await ask(method, path, body, bearer=writes)).status == 200
        assert (await ask(method, path, body, bearer="")).status == 401
    await ask("POST", "/v1/opt-outs", {"recipient": WHO})
    other = await key_of("999", scopes=(Scope.OPT_OUTS_WRITE,))
    assert (await ask("GET", "/v1/opt-outs", bearer=other)).json["opt_outs"] == []


async def test_no_number_is_logged(ask: Any, caller: Any) -> None:
    await ask("POST", "/v1/opt-outs", {"recipient": WHO})
    assert b"opt_out" in caller.lines.getvalue() and b"2025550123" not in caller.lines.getvalue()
