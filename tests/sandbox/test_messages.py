"""Create, repeat, revoke, events and reach, as Google documents them, over HTTP."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from heliograph.sandbox import KnownSender, World

PHONE = "+12025550100"
CARD = {
    "richCard": {
        "standaloneCard": {
            "cardOrientation": "VERTICAL",
            "thumbnailImageAlignment": "RIGHT",
            "cardContent": {
                "title": "Tap to Select Desired Action",
                "suggestions": [{"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}}],
            },
        }
    }
}


async def test_create_answers_the_resource(caller: Any) -> None:
    content = b'{"text" : "caf\\u00e9",  "suggestions":[]}'
    raw = b'{"contentMessage": %s, "messageTrafficType":"TRANSACTION", "ttl":"60s"}' % content
    async with caller.http.post(
        f"{caller.sandbox.url}/v1/phones/%2B12025550100/agentMessages?messageId=m1&agentId=acme-air@rbm.goog",
        data=raw,
        headers={"authorization": f"Bearer {caller.bearer}"},
    ) as answer:
        body = await answer.read()
    assert answer.status == 200
    assert b'"contentMessage":' + content in body  # as it was sent, to the byte
    resource = json.loads(body)
    assert list(resource) == ["name", "sendTime", "contentMessage", "expireTime", "messageTrafficType"]
    assert resource["name"] == f"phones/{PHONE}/agentMessages/m1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", resource["sendTime"])


async def test_an_id_is_delivered_once(caller: Any) -> None:
    first = await caller.create(PHONE, "m1", CARD)
    again = await caller.create(PHONE, "m1", {"text": "other words"})
    assert first[0] == 200
    assert again == first
    phone = await caller.phone(PHONE)
    assert [message["id"] for message in phone["messages"]] == ["m1"]
    _, counts = await caller.sandbox_call("GET", "/sandbox/counts")
    assert counts["messages"] == {"m1": {"creates": 2, "deliveries": 1}}
    assert counts["totals"]["repeats"] == 1


async def test_the_id_of_an_event_is_used_up_too(caller: Any) -> None:
    path = f"/v1/phones/{PHONE}/agentEvents"
    query = {"eventId": "e1", "agentId": "acme-air"}
    status, answer, _ = await caller.call("POST", path, {"eventType": "IS_TYPING"}, **query)
    assert (status, answer["name"]) == (200, f"phones/{PHONE}/agentEvents/e1")
    assert (await caller.create(PHONE, "e1"))[0] == 200
    assert (await caller.phone(PHONE))["messages"] == []


async def test_events_are_checked(caller: Any) -> None:
    path = f"/v1/phones/{PHONE}/agentEvents"
    for body, query in [
        ({"eventType": "DELIVERED"}, {"eventId": "e"}),
        ({"eventType": "READ"}, {"eventId": "e"}),
        ({"eventType": "IS_TYPING"}, {}),
    ]:
        status, answer, _ = await caller.call("POST", path, body, agentId="acme-air", **query)
        assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    read = {"eventType": "READ", "messageId": "m0"}
    assert (await caller.call("POST", path, read, agentId="acme-air", eventId="e2"))[1]["messageId"] == "m0"


def chips(count: int, **more: Any) -> list[dict[str, Any]]:
    return [{"reply": {"text": "Yes", "postbackData": "y", **more}}] * count


def card(**body: Any) -> dict[str, Any]:
    return {"richCard": {"standaloneCard": {"cardOrientation": "VERTICAL", "cardContent": body}}}


def action(**kind: Any) -> dict[str, Any]:
    return {"text": "hi", "suggestions": [{"action": {"text": "Go", "postbackData": "g", **kind}}]}


@pytest.mark.parametrize(
    ("content", "where"),
    [
        ({}, "exactly one of"),
        ({"text": ""}, "text"),
        ({"text": "x" * 3073}, "3073"),
        ({"text": "hi", "fileName": "files/a"}, "exactly one of"),
        ({"text": "hi", "suggestions": chips(12)}, "at most 11"),
        ({"text": "hi", "suggestions": [{"reply": {"text": "x" * 26}}]}, "at most 25"),
        ({"text": "hi", "suggestions": [{"reply": {"text": "a", "postbackData": "x" * 2049}}]}, "2049"),
        ({"text": "hi", "suggestions": [{}]}, "exactly one of reply and action"),
        (card(), "at least one of title"),
        (card(title="x" * 201), "at most 200"),
        (card(description="x" * 2001), "at most 2000"),
        (card(title="t", suggestions=chips(5)), "at most 4"),
        (card(title="t", media={"height": "TALL"}), "media"),
        (card(title="t", media={"height": "HUGE", "fileName": "files/a"}), "HUGE"),
        (card(title="t", media={"fileName": "files/unknown"}), "not found"),
        (card(title="t", media={"contentInfo": {"fileUrl": "cat.png"}}), "absolute URL"),
        ({"richCard": {}}, "exactly one of standalone_card"),
        ({"richCard": {"carouselCard": {"cardWidth": "SMALL", "cardContents": [{"title": "one"}]}}}, "2 to 10"),
        ({"richCard": {"carouselCard": {"cardContents": [{"title": "a"}] * 11}}}, "2 to 10"),
        (action(), "exactly one of the five"),
        (action(dialAction={"phoneNumber": "911"}), "E.164"),
        (action(openUrlAction={"url": "www.example.com"}), "absolute URL"),
        (action(viewLocationAction={"latLong": {"latitude": 91, "longitude": 0}}), "Earth"),
        (action(viewLocationAction={}), "lat_long and query"),
        (action(createCalendarEventAction={"title": "t", "startTime": "soon", "endTime": "later"}), "RFC 3339"),
        ({"text": 5}, "'agent_message.content_message.text'"),
        ({"text": "hi", "colour": "red"}, "Unknown name \"colour\" at 'agent_message.content_message'"),
        (card(titel="t"), "content_message.rich_card.standalone_card.card_content"),
    ],
)
async def test_a_content_that_breaks_a_rule_is_400(caller: Any, content: dict[str, Any], where: str) -> None:
    body = {"contentMessage": content}
    status, answer, _ = await caller.call(
        "POST", f"/v1/phones/{PHONE}/agentMessages", body, messageId="m1", agentId="acme-air"
    )
    assert status == 400
    assert answer["error"] == {"code": 400, "status": "INVALID_ARGUMENT", "message": answer["error"]["message"]}
    assert where in answer["error"]["message"]
    assert (await caller.phone(PHONE))["messages"] == []


@pytest.mark.parametrize(
    "more",
    [
        {"ttl": "1296001s"},
        {"ttl": "0s"},
        {"ttl": "soon"},
        {"ttl": "60"},
        {"expireTime": "2001-01-01T00:00:00Z"},
        {"expireTime": "tomorrow"},
        {"ttl": "60s", "expireTime": "2999-01-01T00:00:00Z"},
        {"messageTrafficType": "SPAM"},
        {"colour": "red"},
    ],
)
async def test_a_message_that_breaks_a_rule_is_400(caller: Any, more: dict[str, Any]) -> None:
    assert (await caller.create(PHONE, "m1", **more))[0] == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'{"contentMessage": null}'])
async def test_a_body_that_is_no_message_is_400(caller: Any, body: bytes) -> None:
    status, answer, _ = await caller.call(
        "POST", f"/v1/phones/{PHONE}/agentMessages", body, messageId="m1", agentId="acme-air"
    )
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")


async def test_a_message_over_250_kb_is_400(caller: Any) -> None:
    content = card(title="t", suggestions=[])
    body = json.dumps({"contentMessage": content}).encode() + b" " * 256_000
    status, answer, _ = await caller.call(
        "POST", f"/v1/phones/{PHONE}/agentMessages", body, messageId="m1", agentId="acme-air"
    )
    assert status == 400
    assert "250 KB" in answer["error"]["message"]


async def test_ids_agents_numbers_and_paths_are_checked(caller: Any) -> None:
    text = {"contentMessage": {"text": "hi"}}
    path = f"/v1/phones/{PHONE}/agentMessages"
    assert (await caller.call("POST", path, text, agentId="acme-air"))[0] == 400
    assert (await caller.call("POST", path, text, messageId="m"))[0] == 400
    assert (await caller.call("POST", path, text, messageId="m", agentId="stranger"))[0] == 403
    local = "/v1/phones/2025550100/agentMessages"
    assert (await caller.call("POST", local, text, messageId="m", agentId="acme-air"))[0] == 400
    assert (await caller.call("GET", path, messageId="m", agentId="acme-air"))[0] == 404
    assert (await caller.call("GET", f"/v1/phones/{PHONE}/capabilities", agentId="acme-air"))[0] == 400


async def test_a_waiting_message_can_be_revoked_and_a_delivered_one_not(caller: Any) -> None:
    await caller.do(PHONE, "", {"online": False})
    await caller.create(PHONE, "m1")
    path = f"/v1/phones/{PHONE}/agentMessages/m1"
    assert (await caller.call("DELETE", path, agentId="acme-air"))[:2] == (200, {})
    await caller.do(PHONE, "", {"online": True})
    assert (await caller.phone(PHONE))["messages"] == []
    await caller.create(PHONE, "m2")
    status, answer, _ = await caller.call("DELETE", path.replace("m1", "m2"), agentId="acme-air")
    assert (status, answer["error"]["status"]) == (404, "NOT_FOUND")
    assert (await caller.call("DELETE", path.replace("m1", "never"), agentId="acme-air"))[0] == 404
    assert (await caller.create(PHONE, "m1"))[0] == 200  # its id stays used
    assert [message["id"] for message in (await caller.phone(PHONE))["messages"]] == ["m2"]


async def test_capabilities_follow_the_switch(caller: Any) -> None:
    path, query = f"/v1/phones/{PHONE}/capabilities", {"requestId": "r", "agentId": "acme-air"}
    status, answer, _ = await caller.call("GET", path, **query)
    assert status == 200
    assert "RICHCARD_STANDALONE" in answer["features"]
    await caller.do(PHONE, "", {"has_rcs": False})
    unreachable = {
        "code": 404,
        "message": "The specified phone number cannot be reached by RBM at this time.",
        "status": "NOT_FOUND",
    }
    assert (await caller.call("GET", path, **query))[:2] == (404, {"error": unreachable})
    assert await caller.create(PHONE, "m1") == (404, {"error": unreachable})
    await caller.do(PHONE, "", {"has_rcs": True})
    assert (await caller.create(PHONE, "m1"))[0] == 200  # a refused id is not used up


@pytest.mark.parametrize(("refusal", "status"), [(404, "NOT_FOUND"), (403, "PERMISSION_DENIED")])
async def test_an_agent_that_is_not_launched_reaches_its_testers(
    caller: Any, world: World, refusal: int, status: str
) -> None:
    world.add_sender(KnownSender(id="acme-air", provider="google-rbm", name="Acme", launched=False, refusal=refusal))
    code, answer = await caller.create(PHONE, "m1")
    assert (code, answer["error"]["status"]) == (refusal, status)
    invited = await caller.call("POST", f"/v1/phones/{PHONE}/testers", {"inviteStatus": "PENDING"}, agentId="acme-air")
    assert invited[1]["inviteStatus"] == "PENDING"
    assert (await caller.create(PHONE, "m1"))[0] == refusal
    await caller.do(PHONE, "accept")
    assert (await caller.create(PHONE, "m1"))[0] == 200


async def test_the_bulk_question(caller: Any) -> None:
    users = [f"+1202556{n:04d}" for n in range(600)]
    await caller.do(users[0], "", {"has_rcs": False})
    status, answer, _ = await caller.call("POST", "/v1/users:batchGet", {"users": users, "agentId": "acme-air"})
    assert status == 200
    assert answer["reachableUsers"] == users[1:]
    assert answer["totalRandomSampleUserCount"] == 450
    assert answer["reachableRandomSampleUserCount"] in (449, 450)
    status, answer, _ = await caller.call("POST", "/v1/users:batchGet", {"users": users[:2]}, agentId="acme-air")
    assert (answer["reachableUsers"], answer["totalRandomSampleUserCount"]) == (users[1:2], 0)
    too_many = [f"+1202{n:07d}" for n in range(10_001)]
    assert (await caller.call("POST", "/v1/users:batchGet", {"users": too_many}, agentId="acme-air"))[0] == 400
    assert (await caller.call("POST", "/v1/users:batchGet", {"users": ["12"]}, agentId="acme-air"))[0] == 400
