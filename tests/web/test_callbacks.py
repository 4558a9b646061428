"""Providers' callbacks: whose they are, what is written, what is answered."""

from __future__ import annotations

from typing import Any

import pytest

from heliograph.core.event import Inbound, Receipt
from heliograph.core.ports import Answer, Heard
from heliograph.core.states import AttemptState
from heliograph.errors import CallRefused, StoreAway
from heliograph.web.asgi import CALLBACK_LIMIT

PATH = "/callbacks/rcs/line/25508804/acme"


async def test_a_receipt_moves_the_state_and_is_answered_as_the_provider_wants(caller: Any) -> None:
    alert = (await caller.alert()).headers["heliograph-alert"]
    (sent,) = caller.line.sent
    caller.line.heard = Heard(
        events=(Receipt(event="e1", state=AttemptState.DELIVERED, attempt=sent.id),),
        answer=Answer(status=202, body=b"<ok/>", headers={"Content-Type": "text/xml"}),
    )
    said = await caller.call("POST", f"{PATH}?a=b", b"body", {"X-Signature": "s"})
    assert (said.status, said.body, said.headers["content-type"]) == (202, b"<ok/>", "text/xml")
    call = caller.line.call
    assert (call.method, call.url, call.body) == ("POST", f"https://alerts.acme.example{PATH}?a=b", b"body")
    assert call.headers["x-signature"] == "s"
    record = await caller.store.record(alert)
    assert record.alert.state == "delivered"


async def test_a_question_is_a_get(caller: Any) -> None:
    caller.line.heard = Heard(events=(), answer=Answer(body=b"challenge"))
    assert (await caller.call("GET", f"{PATH}?hub.challenge=challenge")).body == b"challenge"


@pytest.mark.parametrize(
    "path",
    ["/callbacks/rcs/line/25508804/nobody", "/callbacks/rcs/line/1/acme", "/callbacks/sms/line/25508804/acme",
     "/callbacks/rcs/other/25508804/acme", "/callbacks/rcs/line/25508804"],
)  # fmt: skip
async def test_an_address_of_nobody_is_404(caller: Any, path: str) -> None:
    assert (await caller.call("POST", path, b"{}")).status == 404


async def test_a_wrong_signature_is_401_without_detail(caller: Any) -> None:
    caller.line.heard = CallRefused("The clientToken of +17703101414 is wrong.", code="bad_signature")
    said = await caller.call("POST", PATH, b'{"senderPhoneNumber": "+17703101414"}')
    assert said.status == 401
    assert b"7703101414" not in said.body
    log = caller.lines.getvalue().decode()
    assert "bad_signature" in log and "7703101414" not in log


async def test_events_of_strangers_are_kept_and_their_words_not_logged(caller: Any) -> None:
    caller.line.heard = Heard(
        events=(Inbound(event="e2", recipient="+17703101414", kind="text", text="Where is my gate, says Matt?"),)
    )
    assert (await caller.call("POST", PATH)).status == 200
    (kept,) = await caller.store.inbound("25508804", "+17703101414")
    assert kept.text == "Where is my gate, says Matt?"
    assert "Matt" not in caller.lines.getvalue().decode()


async def test_a_store_that_is_away_asks_for_the_callback_again(caller: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*args: Any, **more: Any) -> None:
        raise StoreAway("The database is away.", code="store_away")

    caller.line.heard = Heard(events=(Inbound(event="e3", recipient="+1", kind="text"),))
    monkeypatch.setattr(caller.store, "hear", away)
    said = await caller.call("POST", PATH)
    assert (said.status, said.headers["retry-after"]) == (503, "2")


async def test_a_callback_has_a_limit(caller: Any) -> None:
    """Its own, above that of other calls: a provider may tell a thousand events at once."""
    assert (await caller.call("POST", PATH, b" " * 3_000_000)).status == 200
    assert (await caller.call("POST", PATH, b" " * (CALLBACK_LIMIT + 1))).status == 413


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/xml", ""])
async def test_a_callback_may_be_of_any_type(caller: Any, content_type: str) -> None:
    assert (await caller.call("POST", PATH, b"A=1&B=%2B", {"Content-Type": content_type})).status == 200
    assert caller.line.call.body == b"A=1&B=%2B"
    assert caller.line.call.headers["content-type"] == content_type
