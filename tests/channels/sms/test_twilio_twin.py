"""The adapter against the sandbox's Twilio: what is sent, told, asked for and stopped, over real HTTP."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
import pytest

from heliograph.channels.sms import twilio
from heliograph.channels.sms.twilio_twin_parts import segments
from heliograph.core import sms
from heliograph.core.content import Card, CardBody, File, Media, Named, Parameter, Text
from heliograph.core.event import Attached, Inbound, OptOutHeard, Receipt
from heliograph.errors import Fate, SendError

NUMBER = "+17705550100"
PHONE = "+12025550100"
LANDLINE, THROTTLED, SILENT, STOPPED = "+12025550140", "+12025550143", "+12025550148", "+12025550158"


async def refused(sending: Any) -> SendError:
    with pytest.raises(SendError) as caught:
        await sending
    return caught.value


# ── sent and delivered ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_sent_and_delivered(rig):
    taken = await rig.send(content=Text(text="Vuelo AA12 → puerta C35 & sala «B» 😀"))
    assert await rig.states(2) == ["sent", "delivered"]
    assert {(event.attempt, event.reference, event.sender_of_event) for event in rig.heard} == {
        ("attempt-1", taken.references[0], PHONE)
    }
    told = json.loads(taken.raw)
    assert (told["status"], told["num_segments"], told["to"], told["from"]) == ("queued", "1", PHONE, NUMBER)
    (shown,) = (await rig.own("GET", f"handsets/{PHONE}"))["messages"]
    assert shown["content"]["text"] == "Vuelo AA12 → puerta C35 & sala «B» 😀"
    _, answered = await rig.api("GET", f"{rig.messages}/{taken.references[0]}.json")
    assert answered["status"] == "delivered"


async def test_the_signed_address_has_the_attempt_and_nothing_of_how_to_connect(rig):
    await rig.send(id="019 4d/6e")
    await rig.until(2)
    assert {call.url for call in rig.calls} == {f"{rig.hook}/cb/acme/sms?attempt=019%204d%2F6e"}
    assert {event.attempt for event in rig.heard} == {"019 4d/6e"}


async def test_a_messaging_service_chooses_the_number(rig):
    service = rig.credentials["messaging_service_sid"]
    rig.provider = rig.open(**{"from": None, "messaging_service_sid": service})
    told = json.loads((await rig.send()).raw)
    assert (told["status"], told["num_segments"], told["from"]) == ("accepted", "0", None)
    assert await rig.states(2) == ["sent", "delivered"]
    assert dict(parse_qsl(rig.calls[0].body.decode()))["MessagingServiceSid"] == service


async def test_a_callback_that_was_not_taken_comes_again(rig):
    rig.refuse = [503, 500]
    await rig.send()
    assert await rig.states(2) == ["sent", "delivered"]
    assert len(rig.calls) == 4


@pytest.mark.parametrize(
    ("code", "word", "state", "reason"),
    [
        ("30003", "undelivered", "failed", "cannot_reach"),
        ("30004", "undelivered", "failed", "blocked"),
        ("30005", "undelivered", "failed", "unknown_recipient"),
        ("30007", "undelivered", "failed", "policy"),
        ("30008", "undelivered", "failed", "rejected"),
        ("30001", "failed", "failed", "throttled"),
        ("30036", "failed", "expired", "expired"),
        ("30999", "undelivered", "failed", "unknown"),
    ],
)
async def test_taken_and_then_not_delivered(rig, code, word, state, reason):
    await rig.misbehave("fail_receipt", code=code)
    (sid,) = (await rig.send()).references
    (event,) = await rig.until(1)
    assert isinstance(event, Receipt)
    assert (event.attempt, str(event.state), event.reason) == ("attempt-1", state, reason)
    assert json.loads(bytes(event.raw))["MessageStatus"] == word
    asked = await rig.ask(sid)
    assert (asked.event, str(asked.state), asked.reason) == (event.event, state, reason)


async def test_a_landline_is_told_by_the_network(rig):
    await rig.send(LANDLINE)
    (event,) = await rig.until(1)
    assert (str(event.state), event.reason) == ("failed", "invalid_recipient")


# ── in doubt ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_no_answer_is_in_doubt_and_settled_by_asking(rig):
    failed = await refused(rig.send(SILENT, seconds=0.3))
    assert (failed.fate, failed.code) == (Fate.UNKNOWN, "no_answer")
    first = (await rig.until(1))[0]  # its receipt brings our own id, and the SID that the answer would have brought
    assert first.attempt == "attempt-1"
    await rig.until(2)
    asked = await rig.ask(first.reference)
    assert (asked.attempt, str(asked.state)) == ("attempt-1", "delivered")
    counts = await rig.own("GET", "counts")
    assert counts["messages"]["attempt-1"] == {"creates": 1, "deliveries": 1}


async def test_what_was_never_taken_is_not_found(rig):
    failed = await refused(rig.ask())
    assert failed.fate is Fate.UNKNOWN
    assert await rig.ask("SM" + "0" * 32) is None


@pytest.mark.parametrize(
    ("do", "fate"), [("drop", Fate.UNKNOWN), ("drop_before", Fate.UNKNOWN), ("error", Fate.UNKNOWN)]
)
async def test_a_broken_answer_is_in_doubt(rig, do, fate):
    await rig.misbehave(do)
    assert (await refused(rig.send())).fate is fate


async def test_lost_receipts_are_asked_for(rig):
    await rig.misbehave("lose_receipts")
    (sid,) = (await rig.send()).references
    await asyncio.sleep(0.2)
    assert rig.heard == []
    assert str((await rig.ask(sid)).state) in ("sent", "delivered")


# ── refused ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_throttled_once_then_taken(rig):
    failed = await refused(rig.send(THROTTLED, id="same"))
    assert (failed.fate, failed.code, failed.retry_after) == (Fate.RETRY, "throttled", 1.0)
    assert (await rig.send(THROTTLED, id="same")).references


@pytest.mark.parametrize(
    ("code", "reason", "fate"),
    [("21610", "opted_out", Fate.PERMANENT), ("21614", "invalid_recipient", Fate.NEXT_CHANNEL)],
)
async def test_a_rule_with_a_code_of_twilios(rig, code, reason, fate):
    await rig.misbehave("refuse", code=code)
    failed = await refused(rig.send())
    assert (failed.code, failed.fate) == (reason, fate)
    assert json.loads(failed.raw)["status"] == 400


@pytest.mark.parametrize(
    ("to", "reason"),
    [
        ("+15005550001", "invalid_recipient"),
        ("+15005550002", "cannot_reach"),
        ("+15005550003", "sender_not_allowed"),
        ("+15005550004", "opted_out"),
        ("+15005550009", "invalid_recipient"),
        ("12025550100", "invalid_recipient"),
        (STOPPED, "opted_out"),
    ],
)
async def test_magic_recipients(rig, to, reason):
    failed = await refused(rig.send(to))
    assert failed.code == reason
    assert to.removeprefix("+") not in failed.sentence


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"from": "+15005550001"}, "sender_not_usable"),
        ({"from": "+15005550007"}, "sender_not_usable"),
        ({"from": "+15005550008"}, "throttled"),
        ({"from": "+17705550199"}, "sender_not_usable"),
        ({"from": None, "messaging_service_sid": "MG" + "0" * 32}, "sender_not_usable"),
        ({"auth_token": "wrong-token"}, "credentials_refused"),
        ({"account_sid": "AC" + "0" * 32}, "credentials_refused"),
        ({"api_key": "SK1", "api_secret": "wrong-secret"}, "credentials_refused"),
    ],
)
async def test_magic_senders_and_wrong_credentials(rig, changes, code):
    rig.provider = rig.open(**changes)
    assert (await refused(rig.send())).code == code


async def test_the_number_that_passes_all_validation_reaches_nobody(rig):
    rig.provider = rig.open(**{"from": "+15005550006"})
    assert (await rig.send()).references
    await asyncio.sleep(0.1)
    assert (rig.heard, (await rig.own("GET", f"handsets/{PHONE}"))["messages"]) == ([], [])


async def test_an_api_key(rig):
    known = rig.sandbox.world.sender("twilio", NUMBER)
    known.credentials.update({"api_key": "SK1", "api_secret": "shh-secret"})
    rig.provider = rig.open(api_key="SK1", api_secret="shh-secret")
    await rig.send()
    assert await rig.states(2) == ["sent", "delivered"]


# ── what the person says ────────────────────────────────────────────────────────────────────────────────────────────


async def say(rig: Any, text: str) -> None:
    await rig.own("POST", f"handsets/{PHONE}/say", {"text": text, "sender": NUMBER})


async def test_stop_is_told_and_kept_until_start(rig):
    await rig.send()
    await rig.until(2)
    await say(rig, "stop ")
    opt_out, said = (await rig.until(4))[2:]
    assert isinstance(opt_out, OptOutHeard)
    assert (opt_out.recipient, opt_out.wanted) == (PHONE, False)
    assert isinstance(said, Inbound)
    assert (said.recipient, said.text) == (PHONE, "stop ")
    failed = await refused(rig.send())
    assert (failed.code, json.loads(failed.raw)["code"]) == ("opted_out", 21610)
    await say(rig, "START")
    assert (await rig.until(6))[4].wanted is True
    assert (await rig.send()).references


async def test_without_a_service_stop_is_kept_and_told_as_words_alone(rig):
    del rig.sandbox.world.sender("twilio", NUMBER).credentials["messaging_service_sid"]
    await say(rig, "STOP")
    (said,) = await rig.until(1)
    assert isinstance(said, Inbound) and said.keyword == "stop", "Twilio has answered it"
    assert (await refused(rig.send())).code == "opted_out"


@pytest.mark.parametrize(
    ("text", "keyword"), [("Unstop", "start"), ("yes", "yes"), ("INFO", "help"), ("arret", ""), ("stop it", "")]
)
async def test_what_twilio_answers_of_itself(rig, text, keyword):
    del rig.sandbox.world.sender("twilio", NUMBER).credentials["messaging_service_sid"]
    await say(rig, text)
    (said,) = await rig.until(1)
    assert said.keyword == keyword


async def test_where_twilio_answers_nothing(rig):
    del rig.sandbox.world.sender("twilio", NUMBER).credentials["messaging_service_sid"]
    rig.provider = rig.open(answers_keywords=False)
    await say(rig, "HELP")
    (said,) = await rig.until(1)
    assert said.keyword == ""


async def test_more_than_the_keyword_stops_nothing(rig):
    await say(rig, "please stop texting me")
    (said,) = await rig.until(1)
    assert said.text == "please stop texting me"
    assert (await rig.send()).references


async def test_a_picture_of_the_person(rig):
    file = {"url": "https://phone.example/p.jpg", "content_type": "image/jpeg", "name": "p.jpg", "sender": NUMBER}
    await rig.own("POST", f"handsets/{PHONE}/file", file)
    (said,) = await rig.until(1)
    assert (said.kind, said.text, said.attached[0].reference) == ("file", "", "https://phone.example/p.jpg")


async def test_a_picture_is_fetched_by_who_has_the_account(rig):
    data = bytes(range(256)) * 5000
    sent = {"data": b64encode(data).decode(), "content_type": "image/jpeg", "sender": NUMBER}
    await rig.own("POST", f"handsets/{PHONE}/file", sent)
    (said,) = await rig.until(1)
    (attached,) = said.attached
    assert (said.event[:2], attached.content_type, attached.url) == ("MM", "image/jpeg", "")
    deadline = asyncio.get_running_loop().time() + 5
    # Where the bytes are, credentials are refused: they do not go there.
    fetched = await rig.provider.fetch(attached, deadline)
    assert (fetched.content_type, fetched.data) == ("image/jpeg", data)
    async with rig.http.get(attached.reference) as answer:
        assert answer.status == 401
    with pytest.raises(SendError) as caught:
        await rig.provider.fetch(Attached(reference=attached.reference + "0"), deadline)
    assert caught.value.code == "file_gone"


async def test_a_place_cannot_be_sent_by_sms(rig):
    with pytest.raises(AssertionError, match="carries none"):
        await rig.own("POST", f"handsets/{PHONE}/location", {"latitude": 1, "longitude": 1, "sender": NUMBER})


async def test_the_answer_is_an_empty_document(rig):
    await say(rig, "hello")
    await rig.until(1)
    heard = rig.provider.read(rig.calls[0])
    assert heard.answer.body == b'<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert heard.answer.headers["content-type"].startswith("text/xml")


# ── what a message may be ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("char", "times", "count"),
    [
        ("x", 160, 1),
        ("x", 161, 2),
        ("€", 80, 1),
        ("€", 81, 2),
        ("ł", 70, 1),
        ("ł", 71, 2),
        ("😀", 66, 2),
        ("😀", 67, 3),
    ],
)
async def test_both_sides_count_the_same_parts(rig, char, times, count):
    text = Text(text=char * times)
    told = json.loads((await rig.send(content=text)).raw)
    assert told["num_segments"] == str(count)
    assert twilio.measure(text).parts == count


def test_the_two_counts_agree_on_every_character():
    for code in range(0x3000):
        assert segments(chr(code) * 160) == sms.measure(chr(code) * 160).parts, hex(code)


async def test_a_content_is_filled_by_the_sandbox(rig):
    asked = {
        "friendly_name": "delay",
        "language": "en",
        "variables": {"2": "C1"},
        "types": {"twilio/text": {"body": "Flight {{1}}, gate {{2}}, {{3}}"}},
    }
    status, made = await rig.api("POST", "/v1/Content", json=asked)
    assert status == 201
    told = json.loads((await rig.send(content=Named(name=made["sid"], body=(Parameter(text="AA12"),)))).raw)
    assert told["body"] == "Flight AA12, gate C1, {{3}}"
    await rig.until(2)
    (shown,) = (await rig.own("GET", f"handsets/{PHONE}"))["messages"]
    assert shown["content"]["text"] == "Flight AA12, gate C1, {{3}}"
    assert (await rig.api("GET", f"/v1/Content/{made['sid']}"))[1]["friendly_name"] == "delay"
    failed = await refused(rig.send(content=Named(name="HX" + "0" * 32)))
    assert failed.code == "template_unknown"


async def test_mms(rig):
    rig.provider = rig.open(mms=True)
    told = json.loads((await rig.send(content=File(media=Media(url="https://acme.example/a.jpg")))).raw)
    assert (told["num_media"], told["sid"][:2]) == ("1", "MM")
    (taken,) = (await rig.own("GET", f"handsets/{PHONE}"))["messages"]
    assert taken["content"]["type"] == "file"


def test_a_card_is_made_to_fit_before_it_comes_here():
    assert twilio.check(Card(card=CardBody(title="t"))) == ["SMS carries text, not a card."]


# ── the twin by hand: what no adapter of ours asks of it ────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"To": ""}, 21604),
        ({"From": ""}, 21603),
        ({}, 21602),
        ({"Body": "x" * 1601}, 21617),
        ({"Body": "x", "ValidityPeriod": "0"}, 21624),
        ({"Body": "x", "ValidityPeriod": "36001"}, 21624),
        ({"Body": "x", "ValidityPeriod": "soon"}, 21624),
        ({"Body": "x", "StatusCallback": "nowhere"}, 21609),
        ({"Body": "x", "StatusCallback": "http://[bad?a=1"}, 21609),
        ({"Body": "x", "StatusCallback": "https://a_b.example/"}, 21609),
        ({"MediaUrl": "nowhere"}, 21620),
        ({"MediaUrl": "http://[bad"}, 21620),
        ({"ContentSid": "HX1", "ContentVariables": "{"}, 21656),
    ],
)
async def test_what_twilio_refuses(rig, fields, code):
    status, told = await rig.create(**fields)
    assert (status, told["code"], told["status"]) == (400, code, 400)
    assert told["more_info"].endswith(f"/{code}")


async def test_a_message_without_an_address_for_its_status(rig):
    status, told = await rig.create(Body="x")
    assert status == 201
    await asyncio.sleep(0.15)
    assert rig.calls == []  # nobody is told
    known = rig.sandbox.world.sender("twilio", NUMBER)
    known.credentials["status_callback"] = f"{rig.hook}/cb/acme/sms"
    await rig.create(Body="x")
    assert await rig.states(2) == ["sent", "delivered"]
    assert {event.attempt for event in rig.heard} == {""}
    assert told["sid"] not in {event.reference for event in rig.heard}


async def test_messages_are_listed_newest_first(rig):
    sids = [(await rig.create(Body=str(count)))[1]["sid"] for count in range(3)]
    await rig.create(Body="another", To="+12025550101")
    _, told = await rig.api("GET", f"{rig.messages}.json", params={"To": PHONE})
    assert [message["sid"] for message in told["messages"]] == sids[::-1]
    _, told = await rig.api("GET", f"{rig.messages}.json", params={"PageSize": "2"})
    assert len(told["messages"]) == 2
    for name in ("DateSent", "DateSent<"):
        _, told = await rig.api("GET", f"{rig.messages}.json", params={name: "2020-01-01"})
        assert told["messages"] == []
    _, told = await rig.api("GET", f"{rig.messages}.json", params={"DateSent>": "2020-01-01", "From": NUMBER})
    assert len(told["messages"]) == 4


async def test_what_is_not_scheduled_cannot_be_cancelled(rig):
    _, made = await rig.create(Body="x")
    status, told = await rig.api("POST", f"{rig.messages}/{made['sid']}.json", data={"Status": "canceled"})
    assert (status, told["code"]) == (400, 30409)


async def test_nobody_else_reads_a_message_back(rig):
    _, made = await rig.create(Body="x")
    await rig.own("POST", "senders", {"provider": "twilio", "sender": "+17705550101", "name": "Other"})
    other = rig.sandbox.world.sender("twilio", "+17705550101").credentials
    auth = aiohttp.encode_basic_auth(other["account_sid"], other["auth_token"])
    path = f"/2010-04-01/Accounts/{other['account_sid']}/Messages/{made['sid']}.json"
    assert await rig.api("GET", path, auth=auth) == (
        404,
        {
            "code": 20404,
            "message": f"The requested resource {path} was not found",
            "more_info": "https://www.twilio.com/docs/errors/20404",
            "status": 404,
        },
    )
    assert (await rig.api("GET", f"{rig.messages}/{made['sid']}.json", auth=auth))[0] == 401


async def test_only_json_is_spoken(rig):
    status, told = await rig.api("POST", rig.messages, data={"To": PHONE})
    assert (status, told["code"]) == (404, 20404)
