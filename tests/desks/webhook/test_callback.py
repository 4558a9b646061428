"""What a desk posts to us: believed by its signature, told in the answer what is wrong with it."""

from __future__ import annotations

import base64
import json

import pytest

from heliograph.core.desk import AgentSaid, DeskUnknown
from heliograph.core.ports import Call
from heliograph.core.standard_webhooks import sign
from heliograph.desks.webhook import callback
from heliograph.desks.webhook.settings import Settings
from heliograph.errors import CallRefused

OURS, THEIRS = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"a", b"b"))
NOW = 1_700_000_000
SAID = b'{"type":"agent.said","data":{"conversation":"c-1","text":"Gate B7."}}'
BOTH = Settings(url="https://desk.acme.example/", secret=OURS)


def call(body: bytes, secret: str = OURS, at: int = NOW) -> Call:
    return Call(
        method="POST", url="https://alerts.acme.example/x", headers=sign("msg_1", at, body, [secret]), body=body
    )


def read(given: Call, settings: Settings = BOTH):
    return callback.read(given, settings, clock=lambda: NOW + 0.5)


def test_its_id_is_the_events():
    (said,) = read(call(SAID)).events
    assert said == AgentSaid(event="msg_1", conversation="c-1", text="Gate B7.")


def test_a_secret_of_its_own_is_asked_for_where_there_is_one():
    own = Settings(url="https://desk.acme.example/", secret=OURS, callback_secret=THEIRS)
    assert read(call(SAID, THEIRS), own).events
    with pytest.raises(CallRefused):
        read(call(SAID, OURS), own)


@pytest.mark.parametrize("given", [call(SAID, THEIRS), call(SAID, at=NOW - 400), call(SAID, at=NOW + 400)])
def test_others_are_refused(given):
    with pytest.raises(CallRefused) as refused:
        read(given)
    assert refused.value.code == "bad_signature"
    assert OURS not in refused.value.sentence


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "The body is not {type, timestamp, data}"),
        (b'{"data":{}}', "missing required field `type`"),
        (b'{"type":"agent.said","data":{"text":"x"}}', "missing required field `conversation`"),
        (b'{"type":"agent.said","data":{"conversation":"c-1","text":7}}', "Expected `str`, got `int` - at `$.text`"),
        (b'{"type":"agent.said","data":{"conversation":"c-1"}}', "needs a text or a file"),
        (b'{"type":"agent.said","data":{"conversation":"c-1","attached":[{"name":"x"}]}}', "field `url`"),
        (b'{"type":"conversation.moved","data":{"conversation":"c-1"}}', "needs the skill"),
    ],
)
def test_what_is_wrong_is_told_in_the_answer(body, words):
    heard = read(call(body))
    assert (heard.answer.status, heard.answer.headers["content-type"]) == (400, "application/json")
    assert words in json.loads(heard.answer.body)["error"]
    assert [type(one) for one in heard.events] == [DeskUnknown]


def test_a_type_of_a_later_version_is_taken_and_counted():
    heard = read(call(b'{"type":"agent.waved","data":7}'))
    assert (heard.answer.status, heard.events) == (200, (DeskUnknown(event="msg_1", kind="agent.waved"),))
