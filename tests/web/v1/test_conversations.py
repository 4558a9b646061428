"""/v1/conversations over real HTTP: what a key sees, answers that leave, closing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from heliograph.core.event import Inbound
from heliograph.core.ports import Heard
from heliograph.core.site import Kind, Scope
from heliograph.flow import due
from heliograph.flow.receive import receive
from web.v1.test_keys import problem

WHO = "+12025550123"


@pytest.fixture
def replied(caller: Any, ask: Any, alert: Any) -> Any:
    """The recipient of an alert answers; the alert's id and the conversation's."""

    async def reply(text: str = "Where is my bag?") -> tuple[str, str]:
        begun = await ask("POST", "/v1/alerts", alert, Prefer="wait=2")
        assert begun.status == 200, begun.json
        means = caller.doors.means
        opened = next(iter(means.registry.all_senders()))
        said = Inbound(event=means.clock.new_id(), recipient=WHO, kind="text", text=text)
        await receive(opened, Heard(events=(said,)), means)
        (there,) = (await ask("GET", f"/v1/conversations?alert={begun.json['id']}")).json["conversations"]
        return begun.json["id"], there["id"]

    return reply


async def test_a_reply_is_listed_read_answered_and_closed(caller: Any, ask: Any, replied: Any) -> None:
    alert, id = await replied()
    (line,) = (await ask("GET", "/v1/conversations?skill=service")).json["conversations"]
    assert (line["id"], line["alert"], line["state"], line["recipient"]) == (id, alert, "open", WHO)
    assert (await ask("GET", f"/v1/alerts/{alert}")).json["conversations"] == [id]
    said = await ask("POST", f"/v1/conversations/{id}/turns", {"text": "We look.", "author": "Ann"})
    assert (said.status, said.json["state"], said.json["author"]) == (202, "intended", "Ann")
    await due.once(caller.doors.means, 1)
    record = (await ask("GET", f"/v1/conversations/{id}")).json
    assert [(one["by"], one["text"]) for one in record["turns"]] == [
        ("recipient", "Where is my bag?"),
        ("agent", "We look."),
    ]
    assert record["turns"][1]["state"] == "sent" and record["conversation"]["waiting_since"] is None
    for _ in range(2):
        assert (await ask("POST", f"/v1/conversations/{id}/close")).json["closed_by"] == "operator"
    assert problem(await ask("POST", f"/v1/conversations/{id}/turns", {"text": "x"}), 409, "closed")
    assert (await ask("GET", "/v1/conversations")).json["conversations"] == []
    assert len((await ask("GET", "/v1/conversations?state=closed")).json["conversations"]) == 1


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"text": " "}, 422, "empty"),
        ({"template": "none such"}, 422, "unknown_template"),
        ({"txt": "x"}, 400, "invalid_fields"),
        (b"{", 400, "invalid_fields"),
    ],
)
async def test_answers_that_are_none(ask: Any, replied: Any, body: Any, status: int, code: str) -> None:
    _, id = await replied()
    problem(await ask("POST", f"/v1/conversations/{id}/turns", body), status, code)


async def test_a_key_needs_the_scope_and_sees_its_own(ask: Any, key_of: Any, replied: Any) -> None:
    _, id = await replied()
    reads = await key_of(scopes=(Scope.CONVERSATIONS_READ,))
    problem(await ask("GET", "/v1/conversations", bearer=await key_of()), 403, "scope_missing")
    problem(await ask("POST", f"/v1/conversations/{id}/turns", {"text": "x"}, bearer=reads), 403, "scope_missing")
    problem(await ask("POST", f"/v1/conversations/{id}/close", bearer=reads), 403, "scope_missing")
    for bearer in (await key_of("999", scopes=("admin",)), await key_of(scopes=("admin",), kind=Kind.TEST)):
        problem(await ask("GET", f"/v1/conversations/{id}", bearer=bearer), 404, "unknown_conversation")
        assert (await ask("GET", "/v1/conversations", bearer=bearer)).json["conversations"] == []


async def test_pages(caller: Any, ask: Any) -> None:
    means = caller.doors.means
    opened = next(iter(means.registry.all_senders()))
    for n in range(5):
        said = Inbound(event=f"e{n}", recipient=f"+1202555010{n}", kind="text", text=f"{n}")
        await receive(opened, Heard(events=(said,)), means)
    found, path = [], "/v1/conversations?limit=2"
    while path:
        page = (await ask("GET", path)).json
        found += [row["recipient"] for row in page["conversations"]]
        path = f"/v1/conversations?limit=2&cursor={page['next']}" if page["next"] else ""
    assert sorted(found) == [f"+1202555010{n}" for n in range(5)]


@pytest.mark.parametrize("query", ["state=sent", "cursor=x", "limit=0", "recipient=12", "skil=a"])
async def test_wrong_filters(ask: Any, query: str) -> None:
    said = await ask("GET", f"/v1/conversations?{query}")
    assert said.status == 400 and said.json["errors"][0]["field"] == query.partition("=")[0]


async def test_what_is_answered_has_the_shape_of_the_document(ask: Any, replied: Any) -> None:
    from heliograph.web.v1.conversation_shapes import ConversationList, ConversationRecord

    _, id = await replied()
    msgspec.convert((await ask("GET", "/v1/conversations")).json, ConversationList)
    msgspec.convert((await ask("GET", f"/v1/conversations/{id}")).json, ConversationRecord)


async def test_pages_of_one_alert_and_of_one_recipient_come_to_their_end(caller: Any, ask: Any, replied: Any) -> None:
    alert, _ = await replied()
    means = caller.doors.means
    opened = next(iter(means.registry.all_senders()))
    for _ in range(2):  # three in all
        (last,) = (await ask("GET", "/v1/conversations?limit=1")).json["conversations"]
        await ask("POST", f"/v1/conversations/{last['id']}/close")
        said = Inbound(event=means.clock.new_id(), recipient=WHO, kind="text", text="And now?")
        await receive(opened, Heard(events=(said,)), means)
    await ask(
        "POST", f"/v1/conversations/{(await ask('GET', '/v1/conversations')).json['conversations'][0]['id']}/close"
    )
    for filter in (f"alert={alert}", f"state=closed&recipient=%2B{WHO[1:]}"):
        seen: list[str] = []
        cursor = ""
        while cursor is not None and len(seen) < 9:
            page = (await ask("GET", f"/v1/conversations?{filter}&limit=1&cursor={cursor}")).json
            seen += [one["id"] for one in page["conversations"]]
            cursor = page["next"]
        assert len(seen) == len(set(seen)) == 3, filter
