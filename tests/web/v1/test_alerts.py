"""/v1/alerts from outside: begin, wait, repeat, refuse, list, read. The provider alone is the test's own."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any

import msgspec
import pytest

from heliograph.core.channel import Reach
from heliograph.core.site import Kind, QuietHours, Team
from heliograph.errors import Fate, SendError
from web.v1.conftest import SITE
from web.v1.test_keys import problem


def refused(fate: Fate = Fate.PERMANENT) -> SendError:
    return SendError("The provider says no.", code="invalid_message", fate=fate, raw=b'{"error":{}}')


async def outcome(caller: Any, ask: Any, id: str) -> dict[str, Any]:
    await caller.doors.means.settle()
    said = await ask("GET", f"/v1/alerts/{id}")
    assert said.status == 200
    found: dict[str, Any] = said.json
    return found


async def test_the_call_on_the_page_begins_an_alert(caller: Any, ask: Any) -> None:
    page = html.unescape((await caller.call("GET", "/docs")).body.decode())
    body = re.search(r"/v1/alerts \\\n.*? --data '(.*?)'", page, re.S)
    assert body is not None
    said = await ask("POST", "/v1/alerts", msgspec.json.decode(body[1]))
    assert said.status == 202 and set(said.json) == {"id", "state", "channel"}
    assert (await ask("GET", f"/v1/alerts/{said.json['id']}")).status == 200


# ── begin ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_alert_is_on_disk_and_sent_behind_the_answer(caller: Any, ask: Any, alert: Any) -> None:
    slow = asyncio.Event()
    send = caller.line.send

    async def waits(message: Any, deadline: float) -> Any:
        await slow.wait()
        return await send(message, deadline)

    caller.line.send = waits
    said = await ask("POST", "/v1/alerts", alert)
    assert said.status == 202
    id = said.json["id"]
    assert said.json == {"id": id, "state": "sending", "channel": "rcs"}
    assert said.headers["location"] == f"/v1/alerts/{id}" and said.headers["heliograph-alert"] == id
    assert (await ask("GET", f"/v1/alerts/{id}")).json["state"] == "sending"
    slow.set()
    record = await outcome(caller, ask, id)
    assert record["state"] == "sent"
    assert [one.content.text for one in caller.line.sent] == [record["attempts"][0]["content"]["text"]]


async def test_prefer_wait_gives_the_outcome(caller: Any, ask: Any, alert: Any) -> None:
    said = await ask("POST", "/v1/alerts", alert, Prefer="respond-async, wait=5")
    assert (said.status, said.json["state"], said.headers["preference-applied"]) == (200, "sent", "wait=1")  # capped
    caller.line.says = [refused()]
    said = await ask("POST", "/v1/alerts", alert, Prefer="wait=1")
    assert (said.status, said.json["state"], said.json["reason"]) == (200, "failed", "invalid_message")


async def test_prefer_wait_ends(caller: Any, ask: Any, alert: Any) -> None:
    async def hangs(message: Any, deadline: float) -> Any:
        await asyncio.sleep(3)

    caller.line.send = hangs
    began = asyncio.get_running_loop().time()
    said = await ask("POST", "/v1/alerts", alert, Prefer="wait=1")
    assert (said.status, said.json["state"]) == (202, "sending")
    assert 0.9 < asyncio.get_running_loop().time() - began < 2.0


async def test_nobody_waits_so_what_fails_for_a_while_is_held_and_tried_again(
    caller: Any, ask: Any, alert: Any
) -> None:
    caller.line.says = [refused(Fate.CONFIG)]
    said = await ask("POST", "/v1/alerts", alert, Prefer="wait=1")
    assert (said.status, said.json["state"]) == (202, "scheduled")
    assert said.json["send_at"].endswith("Z")


async def test_the_same_call_again_is_one_alert(caller: Any, ask: Any, alert: Any) -> None:
    first = await ask("POST", "/v1/alerts", alert, Idempotency_Key="k1")
    again = await ask("POST", "/v1/alerts", alert, Idempotency_Key="k1", Prefer="wait=1")
    assert (again.status, again.json["state"]) == (200, "sent")
    assert again.json["id"] == first.json["id"] and again.headers["idempotent-replayed"] == "true"
    assert len(caller.line.sent) == 1
    problem(
        await ask("POST", "/v1/alerts", {**alert, "skill": "x"}, Idempotency_Key="k1"), 422, "idempotency_key_reused"
    )
    named = {**alert, "external_alert_id": "e1"}
    ids = {(await ask("POST", "/v1/alerts", named)).json["id"] for _ in range(3)}
    assert len(ids) == 1
    await caller.doors.means.settle()
    assert len(caller.line.sent) == 2


async def test_repeats_at_the_same_moment_are_one_alert(caller: Any, ask: Any, alert: Any) -> None:
    calls = (ask("POST", "/v1/alerts", alert, Idempotency_Key="k") for _ in range(20))
    said = await asyncio.gather(*calls)
    assert {one.status for one in said} == {202} and len({one.json["id"] for one in said}) == 1
    await caller.doors.means.settle()
    assert len(caller.line.sent) == 1


async def test_without_an_id_of_its_own_each_call_is_an_alert(caller: Any, ask: Any, alert: Any) -> None:
    ids = {(await ask("POST", "/v1/alerts", alert)).json["id"] for _ in range(3)}
    await caller.doors.means.settle()
    assert len(ids) == len(caller.line.sent) == 3


# ── refuse ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"recipient": None}, "recipient", "missing"),
        ({"recipient": ""}, "recipient", "empty"),
        ({"recipient": 12025550123}, "recipient", "must be a string, the call sends a number"),
        ({"recipient": "2025550123"}, "recipient", "country code"),
        ({"recipient": "+1"}, "recipient", "number"),
        ({"recipient": "2025550123", "country_code": "999"}, "country_code", "calling code"),
        ({"template": "flightdelai"}, "template", "Did you mean flightdelay?"),
        ({"template": "a\0"}, "template", "NUL"),
        ({"language": "klingonese"}, "language", "klingonese"),
        ({"variables": {"Time": "x"}}, "variables", "@City"),
        ({"variables": []}, "variables", "must be an object"),
        ({"variables": {"Time": {}}}, "variables", "@Time must be a string"),
        ({"variables": {"Time": "1", "@Time": "2"}}, "variables", "sent twice"),
        ({"channel": "fax"}, "channel", "fax"),
        ({"time_to_live": "60"}, "time_to_live", "whole number"),
        ({"time_to_live": 0}, "time_to_live", "1 or more"),
        ({"alert_info": [1]}, "alert_info", "must be an object"),
        ({"external_customer_id": "1"}, "external_customer_id_descriptor", "together"),
        ({"varibles": {}}, "varibles", "Did you mean variables?"),
        ({"first_name": "x" * 513}, "first_name", "513"),
    ],
)
async def test_a_wrong_field_is_named(caller: Any, ask: Any, alert: Any, change: Any, field: str, words: str) -> None:
    body = {name: value for name, value in {**alert, **change}.items() if value is not None}
    for path in ("/v1/alerts", "/v1/alerts/explain"):
        told = problem(await ask("POST", path, body), 400, "invalid_fields")["errors"]
        assert [one["field"] for one in told] == [field]
        assert words in told[0]["detail"]
    assert caller.line.sent == []


async def test_every_fault_at_once(ask: Any) -> None:
    told = problem(await ask("POST", "/v1/alerts", {"skill": 5, "recipient": "+12025550123"}), 400, "invalid_fields")
    assert {one["field"] for one in told["errors"]} == {"skill", "template", "language"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"[]", "not_json"),
        (b"\xff", "not_utf8"),
        (b"", "not_json"),
        (b'{"a":' + b"[" * 200, "nested_too_deep"),
    ],
)
async def test_a_body_that_cannot_be_read(ask: Any, body: bytes, code: str) -> None:
    problem(await ask("POST", "/v1/alerts", body), 400, code)


async def test_what_a_rule_forbids_is_told_at_once_with_its_record(
    caller: Any, ask: Any, alert: Any, site_with: Any
) -> None:
    caller.line.reach = Reach.NO
    said = await ask("POST", "/v1/alerts", alert)
    told = problem(said, 422, "cannot_reach")
    assert told["alert"] == said.headers["heliograph-alert"]
    assert (await ask("GET", f"/v1/alerts/{told['alert']}")).json["state"] == "refused"
    await site_with(quiet_hours=QuietHours(start="00:00", end="23:59", rule="reject"), skills=())
    caller.line.reach = Reach.YES
    problem(await ask("POST", "/v1/alerts", alert), 422, "quiet_hours")
    await site_with(quiet_hours=QuietHours(start="00:00", end="23:59", rule="delay"))
    said = await ask("POST", "/v1/alerts", alert)
    assert (said.status, said.json["state"]) == (202, "scheduled") and said.json["send_at"]
    assert caller.line.sent == []


async def test_kinds_of_key(caller: Any, ask: Any, key_of: Any, alert: Any, site_with: Any) -> None:
    test, team = await key_of(kind=Kind.TEST), await key_of(kind=Kind.TEAM)
    told = problem(await ask("POST", "/v1/alerts", alert, bearer=test), 422, "not_for_test")
    assert "HELIOGRAPH_SANDBOX_HOSTS" in told["detail"]
    told = problem(await ask("POST", "/v1/alerts", alert, bearer=team), 400, "invalid_fields")
    assert told["errors"][0]["field"] == "recipient" and "[team]" in told["errors"][0]["detail"]
    await site_with(team=Team(recipients=("+12025550123",)))
    assert (await ask("POST", "/v1/alerts", alert, bearer=team)).status == 202
    problem(await ask("POST", "/v1/alerts", {**alert, "recipient": "+12025550124"}, bearer=team), 400, "invalid_fields")
    await caller.doors.means.settle()
    assert [message.recipient for message in caller.line.sent] == ["+12025550123"]


async def test_a_test_key_sees_what_test_keys_sent_and_no_live_recipient(
    caller: Any, ask: Any, key_of: Any, alert: Any
) -> None:
    registry = caller.doors.means.registry
    [opened] = registry.senders(SITE, "rcs")
    registry._senders[SITE, "acme"] = msgspec.structs.replace(opened, sandbox=True)
    registry._index(SITE)
    test = await key_of(kind=Kind.TEST)
    live_id = (await ask("POST", "/v1/alerts", alert)).json["id"]
    test_id = (await ask("POST", "/v1/alerts", alert, bearer=test)).json["id"]
    assert live_id != test_id
    await caller.doors.means.settle()
    for query in ("", "?state=sent", "?recipient=%2B12025550123"):
        seen = (await ask("GET", f"/v1/alerts{query}", bearer=test)).json["alerts"]
        assert [(one["id"], one["test"]) for one in seen] == [(test_id, True)]
        assert len((await ask("GET", f"/v1/alerts{query}")).json["alerts"]) == 2
    assert (await ask("GET", f"/v1/alerts/{test_id}", bearer=test)).json["test"] is True
    problem(await ask("GET", f"/v1/alerts/{live_id}", bearer=test), 404, "unknown_alert")


async def test_kinds_hold_on_the_documented_api_too(caller: Any, site_with: Any) -> None:
    registry = caller.doors.means.registry
    key = registry.key("ck")[0].key
    for kind, words in ((Kind.TEST, "A test key reaches the sandbox alone"), (Kind.TEAM, "[team] recipients")):
        await caller.store.put_key(msgspec.structs.replace(key, kind=kind))
        await registry.refresh(caller.store)
        said = await caller.alert()
        assert said.status == 400 and words in said.json["error"]
    assert caller.line.sent == []


async def test_a_site_limits_its_keys(ask: Any, alert: Any, site_with: Any) -> None:
    await site_with(calls_per_second=0.1, burst=1)
    assert (await ask("POST", "/v1/alerts", alert)).status == 202
    said = await ask("POST", "/v1/alerts", alert)
    problem(said, 429, "too_many_calls")
    assert int(said.headers["retry-after"]) >= 1
    assert (await ask("GET", "/v1/alerts")).status == 200  # looking has a count of its own


# ── read ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_record_tells_everything(caller: Any, ask: Any, alert: Any) -> None:
    body = {**alert, "alert_info": {"Sky Miles": 12345678901234567890}, "external_alert_id": "e1", "first_name": "Matt"}
    id = (await ask("POST", "/v1/alerts", body)).json["id"]
    record = await outcome(caller, ask, id)
    assert record["recipient"] == "+12025550123" and record["variables"] == alert["variables"]
    assert record["alert_info"] == {"Sky Miles": 12345678901234567890}
    assert record["key"].startswith("hg_live_") and record["test"] is False and record["first_name"] == "Matt"
    assert [one["why"] for one in record["decision"]["considered"]] == ["chosen"]
    [attempt] = record["attempts"]
    assert (attempt["state"], attempt["response"], attempt["sender"]) == ("sent", {"name": "a"}, "acme")
    assert [one["kind"] for one in record["timeline"]] == ["accepted", "sent"]
    assert record["expires"] > record["created"] > "2026"


async def test_alerts_of_another_site_are_not_there(caller: Any, ask: Any, key_of: Any, alert: Any) -> None:
    id = (await ask("POST", "/v1/alerts", alert)).json["id"]
    stranger = await key_of("999")
    mine = problem(await ask("GET", f"/v1/alerts/{id}", bearer=stranger), 404, "unknown_alert")
    none = problem(await ask("GET", f"/v1/alerts/{id[:-1]}0", bearer=stranger), 404, "unknown_alert")
    assert mine == none
    assert (await ask("GET", "/v1/alerts", bearer=stranger)).json == {"alerts": [], "next": None}
    problem(await ask("GET", "/v1/alerts/not-an-id"), 404, "unknown_alert")


async def test_the_list_is_filtered_and_turned_page_by_page(caller: Any, ask: Any, alert: Any) -> None:
    ids = []
    for number in range(5):
        body = {**alert, "recipient": f"+1202555012{number}", "external_alert_id": f"e{number}"}
        ids.append((await ask("POST", "/v1/alerts", body)).json["id"])
    await caller.doors.means.settle()
    ids.reverse()
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await ask("GET", f"/v1/alerts?limit=2&cursor={cursor}")).json
        seen += [one["id"] for one in page["alerts"]]
        cursor = page["next"]
    assert seen == ids
    for query in (
        "recipient=%2B12025550123",
        "recipient=+12025550123",
        "external_alert_id=e3",
        "recipient=12025550123",
    ):
        assert [one["id"] for one in (await ask("GET", f"/v1/alerts?{query}")).json["alerts"]] == [ids[1]]
    assert len((await ask("GET", "/v1/alerts?state=sent")).json["alerts"]) == 5
    for state in ("failed", "in_doubt"):
        assert (await ask("GET", f"/v1/alerts?state={state}")).json["alerts"] == []
    caller.line.says = [SendError("No answer.", code="no_answer", fate=Fate.UNKNOWN)]
    doubted = (await ask("POST", "/v1/alerts", alert, Prefer="wait=1")).json["id"]
    assert [one["id"] for one in (await ask("GET", "/v1/alerts?state=in_doubt")).json["alerts"]] == [doubted]
    [line] = (await ask("GET", "/v1/alerts?limit=1&state=sent")).json["alerts"]
    assert (line["recipient"], line["state"], line["channel"]) == ("+12025550124", "sent", "rcs")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=lost", "state"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=x", "limit"),
        ("limit=0000002000000000", "limit"),
        ("limit=" + "1" * 5000, "limit"),
        ("cursor=1", "cursor"),
        ("recipient=5", "recipient"),
        ("stat=sent", "stat"),
        ("state=sent&state=read", "state"),
        ("external_alert_id=%00", "external_alert_id"),
    ],
)
async def test_a_wrong_filter_is_named(ask: Any, query: str, field: str) -> None:
    told = problem(await ask("GET", f"/v1/alerts?{query}"), 400, "invalid_query")
    assert [one["field"] for one in told["errors"]] == [field]


async def test_a_misspelt_name_is_told_the_right_one_and_a_strange_one_to_go(ask: Any, alert: Any) -> None:
    said = problem(await ask("POST", "/v1/alerts", {**alert, "variabels": {}, "colour": "red"}), 400, "invalid_fields")
    told = {one["field"]: one["detail"] for one in said["errors"]}
    assert told["variabels"] == "There is no field variabels. Did you mean variables?"
    assert told["colour"] == "There is no field colour. Leave it out."
