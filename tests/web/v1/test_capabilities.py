"""/v1/capabilities from outside: each recipient on each channel, the answer's age, and what is wrong with a call."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from oauthlib.oauth1 import Client

from heliograph.core.channel import Reach
from heliograph.core.site import Kind, Scope
from web.v1.test_keys import BASE, problem

PATH = "/v1/capabilities"
A, B = "+12025550123", "+12025550124"


async def test_each_recipient_is_answered_and_the_age_told(caller: Any, ask: Any) -> None:
    said = await ask("POST", PATH, {"recipients": [A, B, " +1 (202) 555-0123"]})
    assert said.status == 200 and [one["recipient"] for one in said.json["recipients"]] == [A, B]
    (rcs,) = said.json["recipients"][0]["channels"]
    assert (rcs["channel"], rcs["sender"], rcs["reach"], rcs["cached"]) == ("rcs", "acme", "yes", False)
    assert said.json["estimates"] == []
    caller.line.reach = Reach.NO  # nobody asks again: it was a yes a moment ago
    (again,) = (await ask("POST", PATH, {"recipients": [A], "channels": ["RCS"]})).json["recipients"][0]["channels"]
    assert (again["reach"], again["cached"], again["asked"]) == ("yes", True, rcs["asked"])
    assert again["age"] < 5
    assert caller.line.sent == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"recipients": []}, ["recipients"]),
        ({"recipients": [A] * 10_001}, ["recipients"]),
        ({"recipients": [A, "2025550199", "x"]}, ["recipients[1]", "recipients[2]"]),
        ({"recipients": [A], "channels": ["fax"]}, ["channels[0]"]),
    ],
)
async def test_wrong_fields_are_named(ask: Any, body: Any, fields: list[str]) -> None:
    said = await ask("POST", PATH, body)
    assert said.status == 400 and [one["field"] for one in said.json["errors"]] == fields
    assert "2025550199" not in said.body.decode()


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"recipients": "+12025550199"}', b'{"recipients": ["a"], "x": 1}', b"\xff"]
)
async def test_bodies_that_are_none(ask: Any, body: bytes) -> None:
    said = await ask("POST", PATH, body)
    assert said.status == 400 and "2025550199" not in said.body.decode()


async def test_a_key_needs_the_scope(ask: Any, key_of: Any) -> None:
    usual, reads = await key_of(), await key_of(scopes=(Scope.CAPABILITIES_READ,))
    assert problem(await ask("POST", PATH, {"recipients": [A]}, bearer=usual), 403, "scope_missing")
    assert (await ask("POST", PATH, {"recipients": [A]}, bearer=reads)).status == 200
    assert (await ask("POST", PATH, {"recipients": [A]}, bearer="")).status == 401


async def test_a_signed_call_that_is_replayed_asks_nobody(caller: Any, ask: Any) -> None:
    registry = caller.doors.means.registry
    key = registry.key("ck")[0].key
    await caller.store.put_key(msgspec.structs.replace(key, scopes=(Scope.CAPABILITIES_READ,)))
    await registry.refresh(caller.store)
    client = Client("ck", "cs", "tk", "ts", signature_method="HMAC-SHA256")
    body = json.dumps({"recipients": [A]})
    headers = dict(client.sign(BASE + PATH, "POST", body, {"Content-Type": "application/json"})[1])
    caller.line.reach = Reach.UNKNOWN  # which is not kept
    assert (await caller.call("POST", PATH, body.encode(), headers)).status == 200
    caller.line.reach = Reach.YES
    problem(await caller.call("POST", PATH, body.encode(), headers), 401, "nonce_used")
    (rcs,) = (await ask("POST", PATH, {"recipients": [A]})).json["recipients"][0]["channels"]
    assert rcs["cached"] is False


async def test_a_test_key_asks_nobody_outside_the_sandbox(ask: Any, key_of: Any) -> None:
    test = await key_of(scopes=(Scope.CAPABILITIES_READ,), kind=Kind.TEST)
    said = await ask("POST", PATH, {"recipients": [A]}, bearer=test)
    assert said.status == 200 and said.json["recipients"] == [{"recipient": A, "channels": []}]


async def test_no_number_is_logged(ask: Any, caller: Any) -> None:
    await ask("POST", PATH, {"recipients": [A]})
    assert b"2025550123" not in caller.lines.getvalue()
