"""What the desk posts to us, signed by Standard Webhooks: what its agents say and do.

A desk that writes something wrong is told in the answer what it is: whoever connects a desk reads that first.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec

from heliograph.core import standard_webhooks
from heliograph.core.desk import AgentSaid, AgentSaw, AgentTyping, DeskClosed, DeskEvent, DeskMoved, DeskUnknown
from heliograph.core.event import Attached
from heliograph.core.ports import Answer, Call, DeskHeard
from heliograph.desks import kit
from heliograph.desks.webhook.settings import Settings
from heliograph.errors import CallRefused

TYPES = ("agent.said", "agent.typing", "agent.saw", "conversation.closed", "conversation.moved")


class File(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    name: str = ""
    content_type: str = ""
    size: int = 0


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """`conversation`: the id that `conversation.opened` named. Which of the others count depends on the type."""

    conversation: str
    text: str = ""
    author: str = ""
    attached: tuple[File, ...] = ()
    on: bool = True
    read: bool = True
    skill: str = ""


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    type: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    timestamp: str = ""


_read = msgspec.json.Decoder(Envelope).decode
_read_data = msgspec.json.Decoder(Data).decode


def read(call: Call, settings: Settings, clock: Callable[[], float] = time.time) -> DeskHeard:
    """The event of one callback. Raises CallRefused for one that this desk did not sign."""
    if fault := standard_webhooks.fault(call.headers, call.body, settings.callback_secrets, int(clock())):
        raise CallRefused(f"The desk's callback is not believed. {fault}", code="bad_signature")
    id = call.headers[standard_webhooks.ID]
    try:
        envelope = _read(call.body)
    except kit.UNREADABLE as error:
        return _wrong(id, "unreadable", f"The body is not {{type, timestamp, data}} in JSON: {error}")
    if envelope.type not in TYPES:
        # A later version may know it: it is counted, and the desk does not repeat it.
        return DeskHeard(events=(DeskUnknown(event=id, kind=envelope.type[:80]),))
    try:
        data = _read_data(envelope.data)
    except kit.UNREADABLE as error:
        return _wrong(id, envelope.type, f"data of {envelope.type}: {error}")
    event = _event(id, envelope, data)
    return DeskHeard(events=(event,)) if not isinstance(event, str) else _wrong(id, envelope.type, event)


def _event(id: str, envelope: Envelope, data: Data) -> DeskEvent | str:
    """The event, or the sentence that says what is wrong with it."""
    at = kit.milliseconds(envelope.timestamp)
    conversation = data.conversation
    match envelope.type:
        case "agent.said":
            if not data.text.strip() and not data.attached:
                return "agent.said needs a text or a file in attached."
            attached = tuple(
                Attached(url=one.url, name=one.name, content_type=one.content_type, size=one.size)
                for one in data.attached
            )
            return AgentSaid(
                event=id, conversation=conversation, text=data.text, author=data.author, attached=attached, at=at
            )
        case "agent.typing":
            return AgentTyping(conversation=conversation, on=data.on)
        case "agent.saw":
            return AgentSaw(event=id, conversation=conversation, read=data.read, at=at)
        case "conversation.closed":
            return DeskClosed(event=id, conversation=conversation, author=data.author, at=at)
    if not data.skill and not data.author:
        return "conversation.moved needs the skill that it went to, or the author who took it."
    return DeskMoved(event=id, conversation=conversation, skill=data.skill, author=data.author, at=at)


def _wrong(id: str, kind: str, sentence: str) -> DeskHeard:
    body = msgspec.json.encode({"error": sentence})
    answer = Answer(status=400, body=body, headers={"content-type": "application/json"})
    return DeskHeard(events=(DeskUnknown(event=id, kind=kind),), answer=answer)
