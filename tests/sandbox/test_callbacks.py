"""What the sandbox posts to the webhook: verification, signed receipts and users' messages, repeats and their order."""

from __future__ import annotations

import asyncio
import re
from itertools import pairwise
from typing import Any

import pytest

from heliograph.channels.rcs import google_rbm_twin
from heliograph.clock import SystemClock
from heliograph.core.ports import Call
from heliograph.core.twin import Arrival
from heliograph.sandbox import World
from heliograph.sandbox import callbacks as callbacks_module
from heliograph.sandbox.callbacks import Callbacks, Waiting

PHONE = "+12025550100"
CHIPS = {
    "text": "Late",
    "suggestions": [
        {"reply": {"text": "Rebook", "postbackData": "rebook 17"}},
        {"action": {"text": "Call", "postbackData": "call", "dialAction": {"phoneNumber": "+12025550123"}}},
    ],
}


async def test_the_webhook_is_verified_with_the_bare_secret(caller: Any, webhook: Any) -> None:
    body = {"agent": "acme-air", "webhook": webhook.url, "client_token": "a-client-token"}
    status, answer = await caller.sandbox_call("POST", "/sandbox/agents", body)
    assert (status, answer["verified"]) == (200, True)
    assert webhook.challenges[0]["clientToken"] == "a-client-token"
    assert "client_token" not in answer
    webhook.secret_answer = lambda secret: f"secret: {secret}"
    status, answer = await caller.sandbox_call("POST", "/sandbox/agents/acme-air/verify")
    assert (status, answer["verified"]) == (200, False)
    assert "bare secret" in answer["detail"]
    nowhere = {**body, "webhook": "http://127.0.0.1:9/nowhere"}
    assert "did not answer" in (await caller.sandbox_call("POST", "/sandbox/agents", nowhere))[1]["detail"]
    later = {**nowhere, "verify": False}
    assert "detail" not in (await caller.sandbox_call("POST", "/sandbox/agents", later))[1]


async def test_delivered_then_read(caller: Any, webhook: Any) -> None:
    await caller.create(PHONE, "m1")
    delivered, read = await webhook.wait(2)
    assert delivered == {
        "senderPhoneNumber": PHONE,
        "eventType": "DELIVERED",
        "messageId": "m1",
        "eventId": delivered["eventId"],
        "agentId": "acme-air@rbm.goog",
        "sendTime": delivered["sendTime"],
    }
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", delivered["sendTime"])
    assert (read["eventType"], read["messageId"]) == ("READ", "m1")
    assert read["eventId"] != delivered["eventId"]
    assert (await caller.phone(PHONE))["messages"][0]["state"] == "read"


async def test_a_phone_that_does_not_read_reads_when_it_is_opened(caller: Any, webhook: Any) -> None:
    await caller.do(PHONE, "", {"reads": False})
    await caller.create(PHONE, "m1")
    await webhook.wait(1)
    await asyncio.sleep(0.1)
    assert webhook.kinds() == ["DELIVERED"]
    assert (await caller.phone(PHONE))["unread"] == 1
    await caller.do(PHONE, "read", {"message": "m1"})
    await webhook.wait(2)
    await caller.do(PHONE, "read")  # told once only
    await caller.do(PHONE, "typing")
    await webhook.wait(3)
    assert webhook.kinds() == ["DELIVERED", "READ", "IS_TYPING"]


async def test_what_the_person_does_arrives(caller: Any, webhook: Any) -> None:
    await caller.do(PHONE, "", {"reads": False})
    await caller.create(PHONE, "m1", CHIPS)
    await webhook.wait(1)
    phone = await caller.do(PHONE, "tap", {"message": "m1", "suggestion": "-:0"})
    assert phone["messages"][0]["tapped"] == ["-:0"]
    assert (phone["messages"][1]["direction"], phone["messages"][1]["text"]) == ("out", "Rebook")
    await caller.do(PHONE, "tap", {"message": "m1", "suggestion": "-:1"})
    await caller.do(PHONE, "say", {"text": "Thank you ✈"})
    await caller.do(PHONE, "location", {"latitude": 33.64, "longitude": -84.43})
    await caller.do(PHONE, "file", {"url": "https://x.example/a.png", "content_type": "image/png", "name": "a.png"})
    heard = (await webhook.wait(7))[1:]
    assert heard[0]["eventType"] == "READ"  # who taps has read
    reply, dial, said, place, file = heard[1:]
    assert reply["suggestionResponse"] == {"postbackData": "rebook 17", "text": "Rebook", "type": "REPLY"}
    assert dial["suggestionResponse"] == {"postbackData": "call", "text": "Call", "type": "ACTION"}
    assert "messageId" in reply
    assert "messageId" not in dial
    assert said["text"] == "Thank you ✈"
    assert place["location"] == {"latitude": 33.64, "longitude": -84.43}
    assert file["userFile"]["payload"] == {
        "mimeType": "image/png",
        "fileSizeBytes": 0,
        "fileName": "a.png",
        "fileUri": "https://x.example/a.png",
    }
    assert {event["senderPhoneNumber"] for event in heard} == {PHONE}
    # The last one is `sent` once its 200 has come back to the sandbox, which the webhook does not wait for.
    async with asyncio.timeout(5.0):
        while [one["state"] for one in (await caller.phone(PHONE))["messages"]] != ["read"] + ["sent"] * 4:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("number", "stop", "start"),
    [(PHONE, "STOP", "START"), ("+34612345678", "BAJA", "ALTA"), ("+5511987654321", "parar", "começar")],
)
async def test_unsubscribe_is_a_keyword_and_an_event(
    caller: Any, webhook: Any, number: str, stop: str, start: str
) -> None:
    await caller.do(number, "unsubscribe", {"sender": "acme-air"})
    await caller.do(number, "subscribe")
    heard = await webhook.wait(4)
    assert [event.get("text") or event["eventType"] for event in heard] == [stop, "UNSUBSCRIBE", start, "SUBSCRIBE"]


@pytest.mark.parametrize(
    ("action", "body", "says"),
    [
        ("tap", {"message": "m9", "suggestion": "-:0"}, "not on this phone"),
        ("tap", {"message": "m1", "suggestion": "-:7"}, "no suggestion"),
        ("tap", {"message": "m1", "suggestion": "2:0"}, "no suggestion"),
        ("tap", {"message": "m1", "suggestion": "x"}, "no suggestion"),
        ("read", {"message": "m9"}, "not on this phone"),
        ("say", {"text": ""}, "1 to 3,072"),
        ("say", {"text": "hi", "sender": "stranger"}, "not registered"),
        ("location", {"latitude": 91, "longitude": 0}, "Earth"),
        ("file", {"url": "", "content_type": ""}, "either url or data"),
        ("file", {"content_type": "image/png"}, "either url or data"),
        ("file", {"url": "http://a", "data": "eA==", "content_type": "image/png"}, "either url or data"),
        ("accept", {}, "Nobody invited"),
    ],
)
async def test_what_a_phone_cannot_do(caller: Any, action: str, body: dict[str, Any], says: str) -> None:
    await caller.create(PHONE, "m1", CHIPS)
    status, answer = await caller.sandbox_call("POST", f"/sandbox/handsets/{PHONE}/{action}", body)
    assert status == 409
    assert says in answer["error"]


async def test_a_callback_is_repeated_with_the_same_bytes_and_holds_up_the_next(caller: Any, webhook: Any) -> None:
    webhook.answers = [500, 204]  # only 200 counts
    await caller.do(PHONE, "say", {"text": "one", "sender": "acme-air"})
    await caller.do(PHONE, "say", {"text": "two"})
    await webhook.wait(2)
    assert [event["text"] for event in webhook.heard] == ["one", "two"]
    statuses, bodies, _ = zip(*webhook.posts, strict=True)
    assert statuses == (500, 204, 200, 200)
    assert bodies[0] == bodies[1] == bodies[2] != bodies[3]
    _, log = await caller.sandbox_call("GET", "/sandbox/log")
    failed = [line["detail"] for line in log["entries"] if line["kind"] == "callback_failed"]
    assert failed == ["said: answered 500; only 200 counts", "said: answered 204; only 200 counts"]


async def test_what_waits_goes_to_the_webhook_of_now(caller: Any, webhook: Any) -> None:
    body = {"agent": "acme-air", "webhook": "http://127.0.0.1:9/nowhere", "client_token": "a-client-token"}
    await caller.sandbox_call("POST", "/sandbox/agents", {**body, "verify": False})
    for word in ("one", "two"):
        await caller.do(PHONE, "say", {"text": word, "sender": "acme-air"})
    await asyncio.sleep(0.05)
    assert (await caller.phone(PHONE))["messages"][0]["state"] == "sending"
    await caller.sandbox_call("POST", "/sandbox/agents", {**body, "webhook": webhook.url})
    await webhook.wait(2)
    assert [event["text"] for event in webhook.heard] == ["one", "two"]


class VirtualClock(SystemClock):
    """Time that goes when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.ms = 1_800_000_000_000
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def now(self) -> int:
        return self.ms

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.ms + seconds * 1_000, woken))
        await woken.wait()

    async def go(self, seconds: float) -> None:
        """Second by second, so that what a sleeper does next is timed from its own moment."""
        for _ in range(round(seconds)):
            self.ms += 1_000
            for until, woken in self._sleepers:
                if until <= self.ms:
                    woken.set()
            self._sleepers = [one for one in self._sleepers if not one[1].is_set()]
            for _ in range(5):
                await asyncio.sleep(0)


async def test_a_callback_is_repeated_for_a_week_with_growing_pauses() -> None:
    clock = VirtualClock()
    tried: list[int] = []
    notes: list[str] = []

    async def away(call: Call) -> tuple[int, bytes]:
        tried.append(clock.ms)
        return 503, b""

    callbacks = Callbacks(clock, away, lambda kind, waiting, detail: notes.append(kind))
    call = Call(method="POST", url="http://x/", headers={}, body=b"")
    callbacks.put(Waiting(call=call, born=clock.ms, sender="acme", number=PHONE))
    await clock.go(3_000)
    pauses = [after - before for before, after in pairwise(tried)]
    assert pauses[:13] == [
        1_000,
        1_000,
        1_000,
        2_000,
        4_000,
        8_000,
        16_000,
        32_000,
        64_000,
        128_000,
        256_000,
        512_000,
        600_000,
    ]
    assert len(callbacks) == 1
    clock.ms += 7 * 86_400_000
    await clock.go(601)
    assert len(callbacks) == 0
    assert notes[-1] == "callback_lost"


async def test_a_lane_that_is_full_loses_its_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks_module, "QUEUE", 3)
    clock = VirtualClock()
    lost: list[str] = []
    up = asyncio.Event()
    taken: list[str] = []

    async def post(call: Call) -> tuple[int, bytes]:
        if not up.is_set():
            return 500, b""
        taken.append(call.url)
        return 200, b""

    def note(kind: str, waiting: Waiting, detail: str) -> None:
        if kind == "callback_lost":
            lost.append(waiting.call.url)

    callbacks = Callbacks(clock, post, note)
    for n in range(5):
        call = Call(method="POST", url=str(n), headers={}, body=b"")
        callbacks.put(Waiting(call=call, born=clock.ms, sender="acme", number=PHONE))
        await asyncio.sleep(0)
    up.set()
    await clock.go(5)
    assert lost == ["0", "1"]
    assert taken == ["2", "3", "4"]


async def test_expiry_of_a_message_that_never_reached_its_phone(caller: Any, webhook: Any) -> None:
    await caller.do(PHONE, "", {"online": False})
    await caller.create(PHONE, "m1", ttl="0.05s")
    await caller.create(PHONE, "m2", ttl="60s")
    (event,) = await webhook.wait(1)
    assert event == {
        "phoneNumber": PHONE,
        "eventType": "TTL_EXPIRATION_REVOKED",
        "messageId": "m1",
        "eventId": event["eventId"],
        "agentId": "acme-air@rbm.goog",
        "sendTime": event["sendTime"],
    }
    phone = await caller.do(PHONE, "", {"online": True})
    assert [message["id"] for message in phone["messages"]] == ["m2"]


async def test_a_message_without_expiry_is_held_for_thirty_days() -> None:
    clock = VirtualClock()
    world = World([google_rbm_twin], clock=clock)
    await world.start()
    world.handset(PHONE).online = False
    world.take(Arrival(id="m1", sender="acme", provider="google-rbm", number=PHONE, resource=b"{}"))
    clock.ms += 30 * 86_400_000 - 5_000
    await clock.go(2)
    assert len(world.handsets[PHONE].waiting) == 1
    await clock.go(5)
    assert len(world.handsets[PHONE].waiting) == 0
    await world.stop()


async def test_an_expiry_that_cannot_be_revoked(caller: Any, webhook: Any) -> None:
    number = "+12025550198"
    await caller.create(number, "m1", ttl="0.05s")
    await webhook.wait(1)
    assert webhook.kinds() == ["TTL_EXPIRATION_REVOKE_FAILED"]
    phone = await caller.do(number, "", {"online": True})
    assert [message["id"] for message in phone["messages"]] == ["m1"]


async def test_without_receipts_the_phone_gets_its_message_and_nobody_is_told(
    caller: Any, webhook: Any, world: World
) -> None:
    world.delivery.pace = type(world.delivery.pace)(receipts=False)
    await caller.create(PHONE, "m1")
    await caller.do(PHONE, "read")
    await caller.do(PHONE, "typing")
    await webhook.wait(1)
    assert webhook.kinds() == ["IS_TYPING"]
    assert (await caller.phone(PHONE))["messages"][0]["state"] == "read"
