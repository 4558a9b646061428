"""What the cases cannot say: settings, rates by number and by recipient, what is refused before anything is sent."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from heliograph.channels.wa import whatsapp_cloud
from heliograph.channels.wa.whatsapp_cloud_answers import ERRORS, STATUSES
from heliograph.core.content import Media, Text
from heliograph.core.ports import Call, Message
from heliograph.core.reason import REASONS
from heliograph.core.site import Sender
from heliograph.errors import Blame, CallRefused, Fate, SendError, SetupError

SENDER = Sender(site="acme", name="wa", channel="wa", provider="whatsapp-cloud")
NOW = 1_795_402_843_120
PATH = "/v23.0/106540352242922/messages"
TAKEN = {"status": 200, "body": {"messages": [{"id": "wamid.1"}]}}


def refusal(code: int, status: int = 400) -> dict[str, object]:
    return {"status": status, "body": {"error": {"message": f"(#{code}) no", "code": code}}}


def message(**changes: object) -> Message:
    base: dict[str, object] = {"id": "m-1", "recipient": "+17705550123", "content": Text(text="hello"), "window": True}
    return Message(**{**base, "expires": NOW + 60_000, "now": NOW, **changes})  # type: ignore[arg-type]


def soon(seconds: float = 5) -> float:
    return asyncio.get_running_loop().time() + seconds


@pytest.fixture
def opened(stub, ways):
    def open_it(**settings: object) -> whatsapp_cloud.WhatsAppCloud:
        base = {"phone_number_id": "106540352242922", "access_token": "t", "base_url": stub.url + "/"}
        return whatsapp_cloud.open(SENDER, msgspec.convert({**base, **settings}, whatsapp_cloud.Settings), ways)

    return open_it


async def test_one_recipient_is_held_and_all_others_go(opened, stub):
    """131056 is about the pair: the next message to the same recipient waits, twice as long after each refusal, and
    one that is taken ends it."""
    provider = opened()
    stub.replies[f"POST {PATH}"] = [refusal(131056), TAKEN]
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon())
    assert (caught.value.code, caught.value.fate, caught.value.retry_after) == ("throttled", Fate.RETRY, 6.0)
    with pytest.raises(SendError) as caught:
        await provider.send(message(id="m-2"), soon())
    assert (caught.value.code, caught.value.fate, caught.value.blame) == ("throttled", Fate.RETRY, Blame.US)
    assert 5 < caught.value.retry_after <= 6
    assert caught.value.exchange is None  # nothing was asked
    assert len(stub.asked) == 1
    assert (await provider.send(message(recipient="+17705550124"), soon())).references == ("wamid.1",)


async def test_the_numbers_own_rate_is_kept(opened, stub):
    provider = opened(messages_per_second=2)
    stub.reply = TAKEN
    await provider.send(message(), soon())
    await provider.send(message(), soon())
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon(0.2))
    assert (caught.value.code, caught.value.fate) == ("throttled", Fate.RETRY)
    assert len(stub.asked) == 2
    started = asyncio.get_running_loop().time()
    await provider.send(message(), soon())
    assert asyncio.get_running_loop().time() - started > 0.2


async def test_what_ends_while_it_waits_for_the_rate_is_not_sent(opened, stub):
    provider = opened(messages_per_second=2)
    stub.reply = TAKEN
    await provider.send(message(), soon())
    await provider.send(message(), soon())
    with pytest.raises(SendError) as caught:
        await provider.send(message(expires=NOW + 100), soon())
    assert (caught.value.code, caught.value.fate) == ("throttled", Fate.RETRY)
    assert len(stub.asked) == 2


@pytest.mark.parametrize("reply", [refusal(130429, 429), {"status": 429, "body": ""}, refusal(80007)])
async def test_what_the_whole_number_sends_too_much_of_holds_all(opened, stub, reply):
    provider = opened()
    stub.replies[f"POST {PATH}"] = [reply, TAKEN]
    with pytest.raises(SendError):
        await provider.send(message(), soon())
    with pytest.raises(SendError) as caught:
        await provider.send(message(recipient="+17705550124"), soon(0.3))
    assert caught.value.code == "throttled"
    assert len(stub.asked) == 1


async def test_a_throttled_flow_holds_nobody_else(opened, stub):
    provider = opened()
    stub.replies[f"POST {PATH}"] = [refusal(132069), TAKEN]
    with pytest.raises(SendError):
        await provider.send(message(), soon())
    assert (await provider.send(message(), soon(0.3))).references == ("wamid.1",)


async def test_a_person_without_a_number_is_written_to_by_their_user_id(opened, stub):
    stub.reply = TAKEN
    await opened().send(message(recipient="US.13491208655302741918"), soon())
    told = msgspec.json.decode(stub.asked[0].body)
    assert told["recipient"] == "US.13491208655302741918"
    assert "to" not in told


@pytest.mark.parametrize(
    ("content_type", "data", "code"),
    [
        ("image/gif", b"GIF89a", "media_unsupported"),
        ("", b"x", "media_unsupported"),
        ("image/png", b"", "media_missing"),
        ("image/png", b"x" * (5 * 1024 * 1024 + 1), "too_large"),
    ],
)
async def test_files_that_are_not_uploaded(opened, stub, content_type, data, code):
    with pytest.raises(SendError) as caught:
        await opened().upload(Media(upload="a" * 64), data, content_type, NOW, soon())
    assert (caught.value.code, caught.value.fate) == (code, Fate.PERMANENT)
    assert stub.asked == []


async def test_nothing_is_taken_back_and_nobody_is_asked(opened, stub):
    provider = opened()
    assert (provider.can_revoke, provider.can_ask, provider.asks_capability) == (False, False, False)
    assert not provider.repeats_are_ignored
    assert (await provider.capability("+17705550123", NOW, soon())).reach == "unknown"
    assert await provider.ask("m-1", ("wamid.1",), soon()) is None
    with pytest.raises(SendError, match="takes no message back"):
        await provider.revoke("m-1", "+17705550123", soon())
    assert stub.asked == []


async def test_the_default_host_is_metas(ways):
    settings = whatsapp_cloud.Settings(phone_number_id="1", access_token="t", version="v24.0")
    with pytest.raises(SendError) as caught:
        await whatsapp_cloud.open(SENDER, settings, ways).send(message(), soon())
    assert caught.value.exchange.url == "https://graph.facebook.com/v24.0/1/messages"


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"phone_number_id": ""},
        {"phone_number_id": "+17705550100"},
        {"phone_number_id": "1", "version": "23"},
        {"phone_number_id": "1", "version": "v23.0/x"},
        {"phone_number_id": "1", "messages_per_second": -1},
        {"phone_number_id": "1", "list_button": ""},
        {"phone_number_id": "1", "list_button": "x" * 21},
        {"phone_number_id": "1", "surprise": 1},
    ],
)
def test_settings_that_are_refused(table):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, whatsapp_cloud.Settings)


def test_a_sender_without_a_token_is_named(ways):
    with pytest.raises(SetupError, match=r"Sender wa .*access_token"):
        whatsapp_cloud.open(SENDER, whatsapp_cloud.Settings(phone_number_id="1"), ways)


def test_every_secret_is_a_setting():
    assert set(whatsapp_cloud.Settings.__struct_fields__) >= whatsapp_cloud.SECRETS


def test_every_code_has_one_of_our_reasons():
    """What a receipt shows is a code of core.reason, so that every channel says the same."""
    assert {row.code for row in ERRORS.values()} <= set(REASONS)
    assert all(row.words.endswith(".") for row in (*ERRORS.values(), *STATUSES.values()))
    assert {row.fate for row in STATUSES.values()} >= {Fate.UNKNOWN, Fate.CONFIG, Fate.RETRY, Fate.PERMANENT}


@pytest.mark.parametrize(
    ("settings", "code"),
    [({}, "no_app_secret"), ({"app_secret": "s"}, "unsigned")],
)
def test_a_callback_needs_the_apps_secret(ways, settings, code):
    made = whatsapp_cloud.Settings(phone_number_id="1", access_token="t", **settings)
    provider = whatsapp_cloud.open(SENDER, made, ways)
    with pytest.raises(CallRefused) as caught:
        provider.read(Call(method="POST", url="https://a.example/c", headers={}, body=b"{}"))
    assert caught.value.code == code
    with pytest.raises(CallRefused) as caught:
        provider.read(
            Call(method="GET", url="https://a.example/c?hub.mode=subscribe&hub.challenge=1", headers={}, body=b"")
        )
    assert caught.value.code == "no_verify_token"
