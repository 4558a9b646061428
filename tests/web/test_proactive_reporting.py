"""/api/proactiveReporting from outside: its sibling's form, parameters in body or query, pages, whose it is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from oauthlib.oauth1 import Client

from heliograph.core.event import Inbound, Receipt
from heliograph.core.ports import Heard
from heliograph.core.site import Scope
from heliograph.core.states import AttemptState
from heliograph.flow.receive import receive
from heliograph.web.livedeflect import proactive_reporting
from heliograph.web.livedeflect.shapes import Report
from web.conftest import EXAMPLE

PATH = "/api/proactiveReporting"
BASE = "https://alerts.acme.example"
SITE = "25508804"
HOUR = 3_600_000


@pytest.fixture
def ask(caller: Any) -> Any:
    async def call(body: Any = None, method: str = "GET", key: str = "ck", **query: Any) -> Any:
        path = PATH + (f"?{urlencode(query)}" if query else "")
        raw = b"" if body is None else msgspec.json.encode(body) if not isinstance(body, bytes) else body
        client = Client(key, "cs", "tk", "ts")
        headers = dict(client.sign(BASE + path, method)[1])
        return await caller.call(
            method, path, raw, {**headers, **({"Content-Type": "application/json"} if raw else {})}
        )

    return call


def times(caller: Any, **more: Any) -> dict[str, Any]:
    now = caller.doors.means.clock.now()
    return {"siteId": SITE, "startTime": now - HOUR, "endTime": now + HOUR, **more}


async def test_the_events_of_an_alert_in_the_siblings_form(caller: Any, ask: Any) -> None:
    sent = await caller.alert()
    alert, means = sent.headers["heliograph-alert"], caller.doors.means
    record = await caller.store.record(alert)
    opened = means.registry.sender(SITE, "acme")
    attempt, recipient = record.attempts[0].id, record.alert.recipient
    receipt = Receipt(event="r", state=AttemptState.DELIVERED, attempt=attempt)
    before = (await ask(**times(caller))).json["data"][alert]
    assert {event["conversationId"] for event in before} == {None}
    reply = Inbound(event="i", recipient=recipient, kind="text", text="Where?")
    await receive(opened, Heard(events=(receipt, reply)), means)
    said = await ask(**times(caller))
    assert said.status == 200 and said.json["success"] == "true"
    events = said.json["data"][alert]
    assert [event["eventType"] for event in events] == ["accepted", "sent", "delivered", "replied", "conversationid"]
    (there,) = await caller.store.conversations_about(SITE, alert)
    assert events[-1]["eventInfo"] == there.id and {event["conversationId"] for event in events} == {there.id}
    first = events[0]
    assert (first["customerCountryCode"], first["customerPhoneNumber"]) == ("1", recipient.removeprefix("+1"))
    assert (first["skill"], first["template"], first["eventInfo"]) == (record.alert.skill, record.alert.template, "Y")
    assert msgspec.json.decode(first["alertInfo"]) == msgspec.json.decode(bytes(record.alert.alert_info))
    assert all(isinstance(value, str) for event in events for value in event.values())
    msgspec.convert(said.json, Report)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_parameters_come_in_a_body_or_in_the_query(caller: Any, ask: Any, method: str) -> None:
    await caller.alert()
    numbers = times(caller)
    texts = {name: str(value) for name, value in numbers.items()}
    lower = {"siteid": SITE, "startTime": texts["startTime"], "endTime": texts["endTime"]}
    for said in (
        await ask(numbers, method),
        await ask(texts, method),
        await ask(lower, method),
        await ask(None, method, **texts),
    ):
        assert said.status == 200 and len(said.json["data"]) == 1, said.body


async def test_the_start_is_in_and_the_end_is_not(caller: Any, ask: Any) -> None:
    alert = (await caller.alert()).headers["heliograph-alert"]
    at = (await caller.store.record(alert)).alert.created
    began = int(alert[:8] + alert[9:13], 16)  # its id's own moment
    assert began <= at
    assert len((await ask(siteId=SITE, startTime=began, endTime=began + 1)).json["data"]) == 1
    assert (await ask(siteId=SITE, startTime=began - 1, endTime=began)).json["data"] == {}
    assert (await ask(siteId=SITE, startTime=began + 1, endTime=began + 2)).json["data"] == {}


async def test_pages_and_the_whole_are_the_same(caller: Any, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proactive_reporting, "PAGE", 2)
    for n in range(5):
        await caller.alert({**msgspec.json.decode(EXAMPLE), "externalAlertId": f"a{n}"})
    whole = (await ask(**times(caller))).json
    assert len(whole["data"]) == 5 and "nextCursor" not in whole
    found, cursor = {}, ""
    for _ in range(9):
        page = (await ask(**times(caller, limit=3, **({"cursor": cursor} if cursor else {})))).json
        found |= page["data"]
        cursor = page.get("nextCursor", "")
        if not cursor:
            break
    assert found == whole["data"] and list(found) == list(whole["data"])


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"siteId": ""}, "siteId"),
        ({"startTime": "yesterday"}, "startTime"),
        ({"endTime": ""}, "endTime"),
        ({"endTime": "1"}, "endTime"),
        ({"startTime": "1"}, "endTime"),
        ({"limit": "0"}, "limit"),
        ({"cursor": "x"}, "cursor"),
    ],
)
async def test_wrong_parameters_are_named(caller: Any, ask: Any, changed: dict[str, str], field: str) -> None:
    said = await ask(**times(caller, **changed))
    assert (said.status, said.json["success"]) == (400, False) and field in said.json["fields"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
async def test_bodies_that_are_none(ask: Any, body: bytes) -> None:
    assert (await ask(body, "POST")).status == 400


async def test_whose_it_is(caller: Any, ask: Any) -> None:
    assert (await ask(key="other", **times(caller))).status == 403
    assert (await caller.call("GET", PATH)).status == 401
    key = caller.doors.means.registry.key("ck")[0].key
    await caller.store.put_key(msgspec.structs.replace(key, scopes=(Scope.ALERTS_SEND,)))
    await caller.doors.means.registry.refresh(caller.store)
    assert (await ask(**times(caller))).status == 403
