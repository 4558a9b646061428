"""The cases of the desk's wire (cases/liveperson.json), run as tests/channels/test_contract.py runs those of providers:
each through the real HTTP client to canned replies, and for each no secret and no number in what is kept or logged.

`wire` holds the settings and our reference; `opens`, `says`, `closes` a request, a reply and an outcome each;
`webhooks` the bytes as they come, signed with that secret by another program."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import msgspec
import pytest

from desks.liveperson.conftest import ALERT, CONTEXT, INFO, PHONE, TALK, jwt, settings, soon, turn
from heliograph.core.conversation import By
from heliograph.core.desk import Context, DeskEvent
from heliograph.core.event import Place
from heliograph.core.ports import Call
from heliograph.desks import liveperson
from heliograph.errors import CallRefused, DeskGone, SendError

DOCUMENT: dict[str, Any] = json.loads(files(liveperson).joinpath("cases/liveperson.json").read_text())
REFERENCE = DOCUMENT["wire"]["reference"]
APP, JWS = jwt(iat=1000, exp=4600, n=0), jwt(ext_consumer_id=PHONE, lp_consumer_id="c" * 64)
THERE = msgspec.structs.replace(TALK, reference=REFERENCE)


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in DOCUMENT[kind]])


@pytest.fixture
def nothing_private(caplog, capsys):
    """Called with all that is kept: fails where a secret, a token, a number or a word of the brand's is in it."""
    caplog.set_level(logging.DEBUG)

    def look(*kept: object) -> None:
        printed = capsys.readouterr()
        told = " ".join(map(repr, kept)) + caplog.text + printed.out + printed.err
        for private in (PHONE[1:], DOCUMENT["wire"]["settings"]["client_secret"], APP, JWS, "Fanning", "Large"):
            assert private not in told

    return look


def opened(open_desk: Any, stub: Any, case: dict[str, Any]) -> Any:
    stub.reply = case.get("reply", {})
    given = {**DOCUMENT["wire"]["settings"], **case.get("settings", {})}
    return open_desk(**given)


def until(case: dict[str, Any]) -> float:
    return soon(0.25 if case["reply"].get("silent") else 5.0)


def check(case: dict[str, Any], stub: Any, nothing_private: Any, kept: object) -> None:
    calls = [asked for asked in stub.asked if "/messaging/" in asked.path]
    if "request" in case:
        wanted, asked = case["request"], calls[-1]
        assert (asked.method, asked.path, asked.query) == (wanted["method"], wanted["path"], wanted["query"])
        assert json.loads(asked.body) == wanted["body"]
        tokens = {"${app}": APP, "${jws}": JWS}
        assert {name: asked.headers[name] for name in wanted["headers"]} == {
            name: tokens[value] for name, value in wanted["headers"].items()
        }
        assert asked.headers["content-type"] == "application/json"
    assert len(calls) == case["outcome"].get("asked", 1)
    nothing_private(kept)


def same_error(error: SendError, wanted: dict[str, Any]) -> None:
    told = {"code": error.code, "fate": str(error.fate), "blame": str(error.blame), "retry_after": error.retry_after}
    assert {name: told[name] for name in wanted} == wanted
    assert error.sentence.endswith((".", '"'))
    assert error.exchange is not None


@cases("opens")
async def test_open(case, open_desk, stub, nothing_private) -> None:
    desk = opened(open_desk, stub, case)
    alert = None if "alert" in case["given"] else ALERT
    earlier = tuple(msgspec.structs.replace(TALK, reference=one) for one in case["given"].get("earlier", ()))
    context = Context(alert=alert, words=CONTEXT.words, channel="rcs", conversations=earlier)
    kept: object
    try:
        answer = await desk.open(TALK, turn(), context, until(case))
    except SendError as error:
        same_error(error, case["outcome"]["error"])
        kept = (error.exchange, error.sentence)
    else:
        assert (answer.reference, answer.said) == (case["outcome"]["reference"], False)
        kept = answer
    check(case, stub, nothing_private, kept)


@cases("says")
async def test_say(case, open_desk, stub, nothing_private) -> None:
    desk = opened(open_desk, stub, case)
    given = dict(case["given"])
    about = given.pop("about", None)
    if "place" in given:
        given["place"] = msgspec.convert(given["place"], Place)
    said = turn(given.pop("text"), 3, by=By(given.pop("by", "recipient")), **given)
    about = Context(alert=ALERT, **about) if about else None
    kept: object = None
    try:
        handed = await desk.say(THERE, said, about, until(case))
    except SendError as error:
        same_error(error, case["outcome"]["error"])
        kept = (error.exchange, error.sentence)
    except DeskGone as gone:
        assert case["outcome"]["gone"]
        kept = (gone.sentence, gone.exchange)
    else:
        assert handed.reference == case["outcome"]["reference"]
        kept = handed
    check(case, stub, nothing_private, kept)


@cases("closes")
async def test_close(case, open_desk, stub, nothing_private) -> None:
    desk = opened(open_desk, stub, case)
    kept: object = None
    if "error" in case["outcome"]:
        with pytest.raises(SendError) as caught:
            await desk.close(THERE, until(case))
        same_error(caught.value, case["outcome"]["error"])
        kept = (caught.value.exchange, caught.value.sentence)
    else:
        await desk.close(THERE, until(case))
    check(case, stub, nothing_private, kept)


def call_of(case: dict[str, Any]) -> Call:
    told = case["callback"]
    url = "https://alerts.acme.example/callbacks/desk/liveperson/acme"
    return Call(method="POST", url=url, headers=told["headers"], body=told["text"].encode())


@cases("webhooks")
async def test_callback(case, open_desk, nothing_private) -> None:
    desk = open_desk()
    if "refused" in case:
        with pytest.raises(CallRefused) as caught:
            desk.read(call_of(case))
        assert caught.value.code == case["refused"]
        nothing_private(caught.value.sentence)
        return
    heard = desk.read(call_of(case))
    assert heard.answer.status == 200
    told = [msgspec.to_builtins(event) for event in heard.events]
    expected = [msgspec.to_builtins(msgspec.convert(event, DeskEvent)) for event in case["events"]]
    for event, wanted in zip(told, expected, strict=True):
        if wanted.get("event") == "*":
            assert len(event["event"]) == 32
            wanted["event"] = event["event"]
    assert told == expected
    assert desk.read(call_of(case)) == heard  # a repeat has the same ids


def spoiled(call: Call) -> Iterator[Call]:
    """One letter changed of the body or of the signature, and the body written anew."""
    text = call.body.decode()
    for at in {0, len(text) // 2, len(text) - 1}:
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        yield msgspec.structs.replace(call, body=changed.encode())
    again = json.dumps(json.loads(text), separators=(",", ":")).encode()
    if again != call.body:
        yield msgspec.structs.replace(call, body=again)
    proof = call.headers["x-liveperson-signature"]
    for changed in (proof[:-3] + ("A" if proof[-3] != "A" else "B") + proof[-2:], proof.upper(), ""):
        yield msgspec.structs.replace(call, headers={**call.headers, "x-liveperson-signature": changed})


async def test_no_changed_webhook_is_believed(open_desk) -> None:
    desk = open_desk()
    signed = [case for case in DOCUMENT["webhooks"] if case.get("events") and case["callback"]["text"] != "hello"]
    assert len(signed) > 10
    for case in signed:
        for call in spoiled(call_of(case)):
            with pytest.raises(CallRefused):
                desk.read(call)


def test_the_brands_keys_are_those_of_the_cases() -> None:
    assert json.loads(INFO)["T-Shirt Size"] == "Large"  # what nothing_private looks for
    assert settings().account == DOCUMENT["wire"]["settings"]["account"]
