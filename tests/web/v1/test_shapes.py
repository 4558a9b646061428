"""What the native API answers is what its OpenAPI document says: every answer is held against its schema, and no field
stands in one that the document does not know."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.site import Cap, Prices
from heliograph.errors import Fate, SendError
from heliograph.web.openapi import document
from heliograph.web.routes import ROUTES

DOCUMENT = document(ROUTES, "https://alerts.acme.example")


def hold(said: Any, method: str, path: str) -> Any:
    """The answer's body, held against what the document has for this status and content type."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator
    operation = DOCUMENT["paths"][path][method.lower()]
    assert str(said.status) in operation["responses"], said.status
    content = operation["responses"][str(said.status)]["content"]
    assert list(content) == [said.headers["content-type"]]
    [kind] = content.values()
    validator({**kind["schema"], "components": DOCUMENT["components"]}).validate(said.json)
    name = kind["schema"]["$ref"].rpartition("/")[2]
    known = DOCUMENT["components"]["schemas"][name]["properties"]
    assert set(said.json) <= set(known), set(said.json) - set(known)
    return said.json


async def test_every_answer_is_as_documented(caller: Any, ask: Any, key_of: Any, alert: Any, site_with: Any) -> None:
    await site_with(prices=Prices(channels={"rcs": {"default": 1}}), cap=Cap(count=3))
    new, one, explain = ("POST", "/v1/alerts"), ("GET", "/v1/alerts/{id}"), ("POST", "/v1/alerts/explain")
    full = {**alert, "alert_info": {"a": [1]}, "external_alert_id": "e", "first_name": "Matt", "time_to_live": 60}
    begun = hold(await ask(*new, full), *new)
    hold(await ask(*new, {**alert, "external_alert_id": "f"}, Prefer="wait=1"), *new)
    caller.line.says = [SendError("No.", code="blocked", fate=Fate.PERMANENT, raw=b"<html>")]
    failed = hold(await ask(*new, {**alert, "external_alert_id": "g"}, Prefer="wait=1"), *new)
    refused = hold(await ask(*new, {**alert, "external_alert_id": "h"}), *new)
    assert refused["code"] == "cap"
    for id in (begun["id"], failed["id"], refused["alert"]):
        hold(await ask("GET", f"/v1/alerts/{id}"), *one)
    hold(await ask("GET", "/v1/alerts/x"), *one)
    hold(await ask("GET", "/v1/alerts?limit=1"), "GET", "/v1/alerts")
    hold(await ask("GET", "/v1/alerts?limit=x"), "GET", "/v1/alerts")
    hold(await ask(*explain, alert), *explain)
    await site_with(cap=Cap())
    assert hold(await ask(*explain, alert), *explain)["messages"][0]["cost"] == "1"
    for route in (new, explain):
        hold(await ask(*route, {}), *route)
        hold(await ask(*route, alert, bearer=""), *route)
        hold(await ask(*route, alert, bearer=await key_of(scopes=("opt-outs:write",))), *route)
        hold(await ask(*route, alert, Content_Type="text/plain"), *route)
        hold(await ask(*route, b"[" * 300_000), *route)


def test_every_filter_is_documented() -> None:
    from heliograph.web.v1.alerts import FILTERS

    parameters = DOCUMENT["paths"]["/v1/alerts"]["get"]["parameters"]
    assert {one["name"] for one in parameters if one["in"] == "query"} == set(FILTERS)


async def test_the_example_of_the_document_works(ask: Any) -> None:
    content = DOCUMENT["paths"]["/v1/alerts"]["post"]["requestBody"]["content"]["application/json"]
    assert (await ask("POST", "/v1/alerts", content["example"])).status == 202
