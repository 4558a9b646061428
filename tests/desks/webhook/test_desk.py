"""What is the webhook desk's own: ids that stay, signatures of both secrets, what its answers mean, what it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest

from channels.conftest import Asked, Stub
from desks.floor import ALERT, CONTEXT, CONVERSATION, INFO, OTHER, SITE, answer_of_agent, turn, until
from heliograph.core.conversation import Closer, State
from heliograph.core.desk import Earlier, SiteDesk
from heliograph.core.event import Attached
from heliograph.core.ports import Desk, DeskWays
from heliograph.desks import webhook
from heliograph.desks.webhook.settings import Settings
from heliograph.errors import DeskGone, Fate, SendError, SetupError
from heliograph.out import HttpOut

pytestmark = pytest.mark.asyncio(loop_scope="module")
NEW = "whsec_" + base64.b64encode(b"n" * 32).decode()
OLD = "whsec_" + base64.b64encode(b"o" * 24).decode()
CALLBACK = "https://alerts.acme.example/callbacks/desk/webhook/acme"
THERE = msgspec.structs.replace(CONVERSATION, reference=CONVERSATION.id)


def opened(stub: Stub, out: HttpOut, **settings: Any) -> Desk:
    known = Settings(**{"url": f"{stub.url}/events?key=1", "secret": f"{NEW} {OLD}", **settings})
    ways = DeskWays(out=out, callback=lambda: CALLBACK, page=lambda path: path)
    return webhook.open(SiteDesk(site=SITE, desk="webhook"), known, ways)


@pytest.fixture
def desk(stub: Stub, way_out: HttpOut) -> Desk:
    stub.reply = {"status": 200, "body": ""}
    return opened(stub, way_out)


def event(asked: Asked) -> tuple[str, str, Any]:
    """webhook-id, type and data."""
    told = json.loads(asked.body)
    assert set(told) == {"type", "timestamp", "data"}
    return asked.headers["webhook-id"], told["type"], told["data"]


async def test_an_event_is_signed_with_both_secrets_as_the_specification_says(desk, stub):
    await desk.say(THERE, turn(2, "Hi"), None, until())
    (asked,) = stub.asked
    signed = f"{asked.headers['webhook-id']}.{asked.headers['webhook-timestamp']}.".encode() + asked.body
    wanted = [
        base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in (b"n" * 32, b"o" * 24)
    ]
    assert asked.headers["webhook-signature"] == f"v1,{wanted[0]} v1,{wanted[1]}"
    assert asked.headers["content-type"] == "application/json"
    assert (asked.method, asked.path, asked.query) == ("POST", "/events", {"key": "1"})


async def test_a_repeat_has_the_same_id_and_the_same_bytes_and_another_event_has_not(desk, stub):
    for _ in (1, 2):
        await desk.open(CONVERSATION, turn(1, "Hi"), CONTEXT, until())
        await desk.say(THERE, turn(1, "Hi"), None, until())
        await desk.close(THERE, until())
    await desk.open(CONVERSATION, turn(5, "Again"), CONTEXT, until())  # the desk had closed it
    await desk.say(THERE, turn(5, "Again"), None, until())
    ids = [asked.headers["webhook-id"] for asked in stub.asked]
    assert ids[:3] == ids[3:6]
    assert [asked.body for asked in stub.asked[:3]] == [asked.body for asked in stub.asked[3:6]]
    assert len(set(ids)) == 5


async def test_a_conversation_is_opened_with_the_whole_context(desk, stub):
    earlier = Earlier(id="a-0", at=1_764_000_000_000, template="Boarding", state="read", channel="sms")
    former = msgspec.structs.replace(CONVERSATION, id="c-0", state=State.CLOSED, closed=1_764_000_100_000)
    context = msgspec.structs.replace(CONTEXT, earlier=(earlier,), conversations=(former,))
    said = await desk.open(CONVERSATION, turn(1, "Hi"), context, until())
    assert (said.reference, said.said) == (CONVERSATION.id, False)
    _, kind, data = event(stub.asked[0])
    assert (kind, data["callback"]) == ("conversation.opened", CALLBACK)
    assert data["conversation"] == {
        "id": CONVERSATION.id,
        "site": "acme",
        "skill": "Delays",
        "recipient": CONVERSATION.recipient,
        "name": "Matt Fanning",
        "channel": "rcs",
        "opened": "2025-11-25T17:05:00.000Z",
    }
    told = data["context"]
    assert told["alert"]["alert_info"] == INFO and list(told["alert"]["alert_info"]) == list(INFO)
    assert told["alert"]["external_customer_id_descriptor"] == "VIP"
    assert told["words"] == CONTEXT.words
    assert told["path"] == [{"channel": "rcs", "provider": "google-rbm", "sender": "acme-rcs", "state": "delivered"}]
    assert told["earlier"] == [
        {"id": "a-0", "at": "2025-11-24T16:00:00.000Z", "template": "Boarding", "state": "read", "channel": "sms"}
    ]
    assert told["conversations"][0]["closed"] == "2025-11-24T16:01:40.000Z"


async def test_a_long_number_keeps_its_digits(desk, stub):
    info = msgspec.Raw(b'{"Sky Miles":12345678901234567890123}')
    alert = msgspec.structs.replace(ALERT, alert_info=info)
    await desk.open(CONVERSATION, turn(1, "Hi"), msgspec.structs.replace(CONTEXT, alert=alert), until())
    assert b'"alert_info":{"Sky Miles":12345678901234567890123}' in stub.asked[0].body


async def test_a_turn_that_is_no_text(desk, stub):
    file = Attached(url="https://cdn.example/bag.jpg", content_type="image/jpeg", name="bag.jpg", size=7)
    await desk.say(THERE, turn(2, "", kind="file", attached=(file,), flags=("opt_out_wish",)), OTHER, until())
    _, kind, data = event(stub.asked[0])
    assert (kind, data["conversation"], data["callback"]) == ("turn.said", CONVERSATION.id, CALLBACK)
    assert data["turn"]["attached"] == [
        {"url": "https://cdn.example/bag.jpg", "content_type": "image/jpeg", "name": "bag.jpg", "size": 7}
    ]
    assert data["turn"]["words"] == "[file] bag.jpg https://cdn.example/bag.jpg"
    assert data["turn"]["flags"] == ["opt_out_wish"]
    assert data["context"]["words"] == OTHER.words


async def test_what_happens_beside_turns(desk, stub):
    await desk.typing(THERE, until())
    await desk.mark(THERE, answer_of_agent("msg_7"), False, until())
    await desk.mark(THERE, answer_of_agent("msg_7"), True, until())
    closed = msgspec.structs.replace(THERE, closed_by=Closer.RECIPIENT, closed=1_764_090_400_000)
    await desk.close(closed, until())
    told = [event(asked)[1:] for asked in stub.asked]
    assert told == [
        ("typing", {"conversation": CONVERSATION.id, "on": True}),
        ("turn.delivered", {"conversation": CONVERSATION.id, "turn": 9, "event": "msg_7"}),
        ("turn.read", {"conversation": CONVERSATION.id, "turn": 9, "event": "msg_7"}),
        ("conversation.closed", {"conversation": CONVERSATION.id, "closed_by": "recipient"}),
    ]


@pytest.mark.parametrize(
    ("reply", "gone"),
    [
        ({"status": 410, "body": ""}, True),
        ({"status": 200, "body": {"closed": True}}, True),
        ({"status": 409, "body": {"closed": True}}, True),
        ({"status": 200, "body": {"closed": False}}, False),
        ({"status": 202, "body": "closed"}, False),
        ({"status": 200, "body": {"closed": "yes"}}, False),
    ],
)
async def test_a_desk_says_that_it_has_closed_a_conversation(desk, stub, reply, gone):
    stub.reply = reply
    if gone:
        with pytest.raises(DeskGone):
            await desk.say(THERE, turn(2, "Hi"), None, until())
    else:
        await desk.say(THERE, turn(2, "Hi"), None, until())


@pytest.mark.parametrize(
    ("reply", "code", "fate"),
    [
        ({"status": 401}, "credentials_refused", Fate.CONFIG),
        ({"status": 302, "headers": {"location": "/x"}}, "wrong_address", Fate.CONFIG),
        ({"status": 404}, "wrong_address", Fate.CONFIG),
        ({"status": 410}, "wrong_address", Fate.CONFIG),
        ({"status": 422}, "invalid_message", Fate.PERMANENT),
        ({"status": 429, "headers": {"retry-after": "7"}}, "throttled", Fate.RETRY),
        ({"status": 503}, "desk_fault", Fate.RETRY),
        ({"silent": True}, "no_answer", Fate.RETRY),
    ],
)
async def test_what_its_answers_mean(desk, stub, reply, code, fate):
    stub.reply = reply
    with pytest.raises(SendError) as caught:
        await desk.open(CONVERSATION, turn(1, "Hi"), CONTEXT, until(0.2 if reply.get("silent") else 5.0))
    assert (caught.value.code, caught.value.fate) == (code, fate)
    assert caught.value.retry_after == (7.0 if code == "throttled" else None)


async def test_a_desk_that_wants_no_courtesies_is_told_of_none(stub, way_out):
    assert opened(stub, way_out, courtesies=False).courtesies is False


async def test_a_desk_without_a_secret_does_not_open():
    with pytest.raises(SetupError, match="has no secret"):
        webhook.open(SiteDesk(site=SITE, desk="webhook"), Settings(url="https://desk.example/"), None)


@pytest.mark.parametrize("name", ["secret", "callback_secret"])
@pytest.mark.parametrize("secret", ["hunter2", "whsec_c2hvcnQ=", f"{NEW} whsec_!"])
async def test_a_secret_that_is_none_is_told_without_it(name, secret):
    with pytest.raises(ValueError, match=f"^{name}: A secret") as caught:
        Settings(**{"url": "https://desk.example/", "secret": NEW, name: secret})
    assert secret.split()[-1] not in str(caught.value)


async def test_hosts_and_frames():
    settings = Settings(url="https://desk.acme.example/in", secret=NEW, framed=("https://desk.acme.example",))
    assert webhook.hosts(settings) == ("https://desk.acme.example/in",)
    assert webhook.framed(settings) == ("https://desk.acme.example",)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"url": "desk.acme.example"}, Settings)
