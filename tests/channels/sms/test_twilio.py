"""What the cases cannot say: settings, the message that is asked for, the own pace, addresses and their ports."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from urllib.parse import parse_qsl, quote

import msgspec
import pytest

from heliograph.channels.sms import twilio, twilio_answers
from heliograph.core.content import Button, Card, CardBody, File, Media, Named, Parameter, Text
from heliograph.core.ports import Call, Message
from heliograph.core.reason import REASONS
from heliograph.core.site import Sender
from heliograph.core.states import AttemptState
from heliograph.errors import CallRefused, Fate, SendError, SetupError

ACCOUNT = "AC" + "0123456789abcdef" * 2
SID = "SM" + "0123456789abcdef" * 2
SERVICE = "MG" + "0123456789abcdef" * 2
SENDER = Sender(site="acme", name="sms", channel="sms", provider="twilio")
NOW = 1_795_402_843_120
TOKEN = "secret-auth-token"
CREATE = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
FETCH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json"


def message(**changes: object) -> Message:
    base: dict[str, object] = {"id": "m-1", "recipient": "+17705550123", "content": Text(text="hello")}
    return Message(**{**base, "expires": NOW + 60_000, "now": NOW, **changes})  # type: ignore[arg-type]


def soon(seconds: float = 5.0) -> float:
    return asyncio.get_running_loop().time() + seconds


def settings(**changes: object) -> twilio.Settings:
    table = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+17705550100", **changes}
    return msgspec.convert({name: value for name, value in table.items() if value is not None}, twilio.Settings)


@pytest.fixture
def opened(stub, ways):
    def open_it(**changes: object) -> twilio.Twilio:
        return twilio.open(SENDER, settings(base_url=stub.url + "/", **changes), ways)

    return open_it


def taken(stub) -> None:
    stub.replies[f"POST {CREATE}"] = [{"status": 201, "body": {"sid": SID, "status": "queued"}}]


# ── settings ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "changes",
    [
        {"account_sid": "SK" + "0" * 32},
        {"from": None},
        {"messaging_service_sid": SERVICE},
        {"from": None, "messaging_service_sid": "HX1"},
        {"api_key": "SK1"},
        {"api_secret": "s"},
        {"messages_per_second": -1.0},
        {"surprise": 1},
    ],
)
def test_settings_that_are_refused(changes):
    with pytest.raises(msgspec.ValidationError):
        settings(**changes)


def test_a_sender_with_nothing_to_sign_in_with_is_named(ways):
    with pytest.raises(SetupError, match=r"Sender sms .*auth_token"):
        twilio.open(SENDER, settings(auth_token=None), ways)


async def test_an_api_key_signs_in_and_the_auth_token_still_proves_callbacks(opened, stub):
    taken(stub)
    provider = opened(api_key="SK1", api_secret="shh-secret")
    await provider.send(message(), soon())
    assert stub.asked[0].headers["authorization"] == "Basic " + base64.b64encode(b"SK1:shh-secret").decode()
    assert provider.read(signed({"MessageSid": SID, "MessageStatus": "sent"})).events


async def test_a_messaging_service_stands_in_for_the_number(opened, stub):
    taken(stub)
    await opened(**{"from": None, "messaging_service_sid": SERVICE}).send(message(), soon())
    fields = dict(parse_qsl(stub.asked[0].body.decode()))
    assert fields["MessagingServiceSid"] == SERVICE
    assert "From" not in fields


async def test_mms_where_the_setting_allows_it(opened, stub):
    taken(stub)
    photo = File(media=Media(url="https://acme.example/a.jpg"))
    await opened(mms=True).send(message(content=photo), soon())
    fields = dict(parse_qsl(stub.asked[0].body.decode()))
    assert fields["MediaUrl"] == "https://acme.example/a.jpg"
    assert "Body" not in fields


async def test_the_attempt_travels_in_the_status_callback_whatever_its_id(opened, stub):
    taken(stub)
    await opened().send(message(id="a b&c=d"), soon())
    address = dict(parse_qsl(stub.asked[0].body.decode()))["StatusCallback"]
    bare, _, overrides = address.partition("#")
    assert dict(parse_qsl(bare.partition("?")[2])) == {"attempt": "a b&c=d"}
    assert overrides == "rc=5&rp=ct,rt,5xx"


# ── the sender's own pace ───────────────────────────────────────────────────────────────────────────────────────────


async def test_parts_are_counted_and_not_messages(opened, stub):
    taken(stub)
    provider = opened(messages_per_second=2.0)
    await provider.send(message(content=Text(text="x" * 200)), soon())  # two parts: the second's worth is used up
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon(0.1))
    assert (caught.value.code, caught.value.fate) == ("throttled", Fate.RETRY)
    assert len(stub.asked) == 1


async def test_an_alert_that_ended_while_it_waited_its_turn_is_not_sent(opened, stub):
    taken(stub)
    provider = opened(messages_per_second=4.0)
    await provider.send(message(content=Text(text="x" * 500)), soon())  # four parts: the second's worth
    with pytest.raises(SendError) as caught:
        await provider.send(message(expires=NOW + 100), soon())
    assert caught.value.code == "expired"
    assert len(stub.asked) == 1


async def test_a_throttled_sender_is_silent_for_a_while(opened, stub):
    stub.replies[f"POST {CREATE}"] = [
        {"status": 429, "body": {"code": 20429}, "headers": {"Retry-After": "30"}},
        {"status": 201, "body": {"sid": SID}},
    ]
    provider = opened(messages_per_second=100.0)
    for _ in range(2):
        with pytest.raises(SendError) as caught:
            await provider.send(message(), soon())
        assert (caught.value.code, caught.value.fate) == ("throttled", Fate.RETRY)
    assert len(stub.asked) == 1  # the second was held back by our own pace


# ── asking ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "code", "state", "reason"),
    [
        ("queued", None, "sent", ""),
        ("accepted", None, "sent", ""),
        ("delivered", None, "delivered", ""),
        ("undelivered", 30005, "failed", "unknown_recipient"),
        ("failed", 30036, "expired", "expired"),
        ("canceled", None, "revoked", ""),
    ],
)
async def test_a_message_is_read_back_by_its_sid(opened, stub, status, code, state, reason):
    body = {
        "sid": SID,
        "status": status,
        "error_code": code,
        "to": "+17705550123",
        "date_updated": "Mon, 23 Nov 2026 03:00:43 +0000",
    }
    stub.replies[f"GET {FETCH}"] = [{"status": 200, "body": body}]
    receipt = await opened().ask("m-1", (SID,), soon())
    assert receipt is not None
    assert (receipt.attempt, receipt.reference, receipt.sender_of_event) == ("m-1", SID, "+17705550123")
    assert (str(receipt.state), receipt.reason, receipt.at) == (state, reason, 1_795_402_843_000)
    assert stub.asked[0].headers["authorization"].startswith("Basic ")


async def test_what_is_asked_and_what_is_told_count_once(opened, stub):
    stub.replies[f"GET {FETCH}"] = [{"status": 200, "body": {"sid": SID, "status": "delivered"}}]
    provider = opened()
    asked = await provider.ask("m-1", (SID,), soon())
    (told,) = provider.read(signed({"MessageSid": SID, "MessageStatus": "delivered"})).events
    assert asked is not None
    assert asked.event == told.event


async def test_a_message_that_twilio_does_not_have(opened, stub):
    stub.replies[f"GET {FETCH}"] = [{"status": 404, "body": {"code": 20404, "message": "not found", "status": 404}}]
    assert await opened().ask("m-1", (SID,), soon()) is None


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        ({"status": 404, "body": "<html>"}, Fate.CONFIG),  # a wrong base_url does not mean that nothing was sent
        ({"status": 401, "body": {"code": 20003}}, Fate.CONFIG),
        ({"status": 503, "body": ""}, Fate.UNKNOWN),
        ({"status": 200, "body": "<html>"}, Fate.UNKNOWN),
        ({"status": 200, "body": {"sid": SID, "status": "teleported"}}, Fate.UNKNOWN),
    ],
)
async def test_an_answer_that_says_nothing_settles_nothing(opened, stub, reply, fate):
    stub.replies[f"GET {FETCH}"] = [reply]
    with pytest.raises(SendError) as caught:
        await opened().ask("m-1", (SID,), soon())
    assert caught.value.fate is fate


async def test_without_a_sid_nobody_is_asked_and_nothing_is_known(opened, stub):
    with pytest.raises(SendError) as caught:
        await opened().ask("m-1", (), soon())
    assert caught.value.fate is Fate.UNKNOWN
    assert stub.asked == []


async def test_nothing_is_taken_back_and_nothing_uploaded(opened, stub):
    provider = opened()
    assert not provider.can_revoke
    with pytest.raises(SendError):
        await provider.revoke("m-1", "+17705550123", soon())
    with pytest.raises(SendError):
        await provider.upload(Media(upload="a" * 64), b"x", "image/jpeg", NOW, soon())
    assert stub.asked == []


# ── what a message may be ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (Text(text=""), "empty"),
        (Text(text="x" * 1601), "1601 characters"),
        (Card(card=CardBody(title="t")), "not a card"),
        (Named(name="flight_delay"), "HX"),
        (File(media=Media(upload="a" * 64)), "upload"),
        (File(media=Media(url="ftp://acme.example/a.jpg")), "https://"),
        (Text(text="x", native={"twilio": msgspec.Raw(b"[1]")}), "JSON object"),
        (Text(text="x", native={"twilio": msgspec.Raw(b'{"To": "+17705550123"}')}), "sets To"),
        (Text(text="x", native={"twilio": msgspec.Raw(b'{"MediaUrl": [%s]}' % b",".join([b'"u"'] * 11))}), "11 media"),
    ],
)
def test_faults_are_named(content, fault):
    (sentence,) = twilio.check(content)
    assert fault in sentence
    assert sentence.endswith(".")


def test_the_longest_text_and_its_parts():
    longest = Text(text="x" * 1600)
    assert twilio.check(longest) == []
    assert twilio.measure(longest).parts == 11
    assert twilio.measure(Text(text="ł" * 71)).parts == 2
    assert twilio.measure(Text(text="ł")).forced_by == "ł"
    assert twilio.measure(Named(name="HX1", shown="x" * 161)).parts == 2
    assert twilio.measure(File(media=Media(url="https://acme.example/a.jpg"))).parts == 1


def test_variables_of_a_content_are_one_map():
    content = Named(
        name="HX1",
        header=(Parameter(media=Media(url="https://acme.example/a.jpg")),),
        body=(Parameter(text="one"), Parameter(name="gate", text="C35")),
        buttons=(Button(index=0, kind="reply", value="rebook"),),
    )
    assert twilio.twilio_wire.variables(content) == {
        "1": "https://acme.example/a.jpg",
        "2": "one",
        "gate": "C35",
        "3": "rebook",
    }


# ── the tables ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_reason_is_one_of_the_house():
    rows = [*twilio_answers.CODES.values(), *twilio_answers.STATUSES.values()]
    said = {row.code for row in rows} | {reason for _, reason in twilio_answers.STATES.values() if reason}
    assert said <= set(REASONS)


def test_a_delivery_is_never_made_a_failure_by_a_code():
    assert twilio_answers.became("delivered", "30003") == (AttemptState.DELIVERED, "")
    assert twilio_answers.became("undelivered", "٣٠") == (AttemptState.FAILED, "unknown")


# ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────────────

ADDRESS = "https://alerts.acme.example/callbacks/sms/twilio/acme/sms"


def signed(fields: dict[str, str], address: str = ADDRESS, seen: str = "", method: str = "POST") -> Call:
    """A callback that Twilio was told to send to `address` and that reached us as `seen`."""
    data = "" if method == "GET" else "".join(name + value for name, value in sorted(fields.items()))
    body = "" if method == "GET" else "&".join(f"{name}={quote(value, safe='')}" for name, value in fields.items())
    proof = hmac.digest(TOKEN.encode(), (address + data).encode(), hashlib.sha1)
    return Call(
        method=method,
        url=seen or address,
        headers={"x-twilio-signature": base64.b64encode(proof).decode()},
        body=body.encode(),
    )


@pytest.mark.parametrize(
    ("address", "seen"),
    [
        (f"{ADDRESS}?attempt=m-1", ""),
        (f"{ADDRESS}?attempt=m-1", f"{ADDRESS}?attempt=m-1".replace(".example/", ".example:443/")),
        (f"{ADDRESS}?attempt=m-1".replace(".example/", ".example:443/"), f"{ADDRESS}?attempt=m-1"),
        ("http://[::1]/cb?attempt=m-1", "http://[::1]:8080/cb?attempt=m-1"),
        ("http://alerts.acme.example:80?attempt=m-1", "http://alerts.acme.example?attempt=m-1"),
    ],
)
def test_what_is_signed_of_a_port(opened, address, seen):
    (event,) = opened().read(signed({"MessageSid": SID, "MessageStatus": "delivered"}, address, seen)).events
    assert event.attempt == "m-1"


@pytest.mark.parametrize(
    "seen",
    [
        ADDRESS.replace("https", "http") + "?attempt=m-1",
        ADDRESS + "?attempt=m-2",
        ADDRESS,
        ADDRESS + "?attempt=m-1&attempt=m-2",
        ADDRESS + "?" + "&".join(f"a{number}=1" for number in range(2000)),
        "http://[bad/callbacks?attempt=m-1",
    ],
)
def test_another_address_is_not_believed(opened, seen):
    with pytest.raises(CallRefused):
        opened().read(signed({"MessageSid": SID, "MessageStatus": "delivered"}, f"{ADDRESS}?attempt=m-1", seen))


@pytest.mark.parametrize("body", [b"Body=%FF", b"Body=\xff", b"&".join(b"a=1" for _ in range(1001))])
def test_what_is_no_form_is_refused_whoever_signed_it(opened, body):
    call = msgspec.structs.replace(signed({}), body=body)
    with pytest.raises(CallRefused) as caught:
        opened().read(call)
    assert caught.value.code == "not_a_callback"


@pytest.mark.parametrize("more", [b"&=x", b"&Body=", b"&a", b"&a=b"])
def test_what_is_added_to_a_form_is_signed_too(opened, more):
    call = signed({"MessageSid": SID, "Body": "hi"})
    with pytest.raises(CallRefused):
        opened().read(msgspec.structs.replace(call, body=call.body + more))


def test_a_webhook_that_is_set_to_get(opened):
    fields = {"MessageSid": SID, "From": "+17705550123", "Body": "hi there"}
    address = f"{ADDRESS}?MessageSid={SID}&From=%2B17705550123&Body=hi+there"
    (event,) = opened().read(signed(fields, address, method="GET")).events
    assert (event.event, event.recipient, event.text) == (SID, "+17705550123", "hi there")


def test_without_an_auth_token_nothing_is_believed(opened):
    provider = opened(auth_token=None, api_key="SK1", api_secret="shh-secret")
    with pytest.raises(CallRefused) as caught:
        provider.read(signed({"MessageSid": SID, "MessageStatus": "delivered"}))
    assert caught.value.code == "no_auth_token"
