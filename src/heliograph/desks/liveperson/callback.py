"""LivePerson's webhooks: their signature, and what they tell.

They come for every conversation of the account, whoever opened it, and echo the consumer's own messages; only what an
agent says to all is the recipient's. They are repeated and may come twice: an event is known by its dialog and its
number there. Source: developers.liveperson.com, Connector API: "Notification Protocol", "Events", "Webhooks Examples".
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from typing import Any

import msgspec

from heliograph.core.desk import (
    AgentSaid,
    AgentSaw,
    AgentTyping,
    DeskClosed,
    DeskEvent,
    DeskMoved,
    DeskUnknown,
)
from heliograph.core.ports import Call
from heliograph.desks import kit
from heliograph.desks.liveperson import rich
from heliograph.desks.liveperson.said import Memory
from heliograph.desks.liveperson.settings import Settings
from heliograph.desks.liveperson.skills import Skills
from heliograph.errors import CallRefused

ACCOUNT, CLIENT, SIGNATURE = "x-liveperson-account-id", "x-liveperson-client-id", "x-liveperson-signature"
MESSAGES, CHANGES = "ms.MessagingEventNotification", "cqm.ExConversationChangeNotification"
CONSUMER = "CONSUMER"
# Who may speak to a recipient. READER only looks on; CONTROLLER is the platform itself.
AGENTS = frozenset({"ASSIGNED_AGENT", "AGENT", "AGENT_MANAGER", "ASSIGNED_MANAGER", "MANAGER"})
ALL = "ALL"  # messageAudience; AGENTS_AND_MANAGERS is never for the recipient. Older events say nothing


class _Changes(msgspec.Struct):
    """Changes stay raw, so that one that cannot be read stops no neighbour."""

    changes: tuple[msgspec.Raw, ...] = ()


class _Told(msgspec.Struct):
    type: str = ""
    body: _Changes = msgspec.field(default_factory=_Changes)


class _Who(msgspec.Struct):
    id: str = ""
    role: str = ""


class _Event(msgspec.Struct, rename="camel"):
    type: str = ""
    message: Any = None  # a text, or an object (a file, a form)
    content_type: str = ""
    content: Any = None
    quick_replies: Any = None
    chat_state: str = ""
    status: str = ""
    sequence_list: list[int] = []


class _Message(msgspec.Struct, rename="camel"):
    event: _Event
    sequence: int | None = None
    originator_id: str = ""
    originator_metadata: _Who = msgspec.field(default_factory=_Who)
    server_timestamp: int | None = None
    conversation_id: str = ""
    dialog_id: str = ""
    message_audience: str = ALL

    @property
    def reference(self) -> str:
        """Older events lack the conversation's id; the main dialog has the same."""
        return self.conversation_id or self.dialog_id

    @property
    def author(self) -> str:
        return self.originator_metadata.id or self.originator_id


class _Details(msgspec.Struct, rename="camel"):
    state: str = ""
    skill_id: str = ""
    brand_id: str = ""
    participants: list[_Who] = []
    close_reason: str = ""
    end_ts: int | None = None
    meta_data_last_update_ts: int | None = None


class _Result(msgspec.Struct, rename="camel"):
    conv_id: str = ""
    conversation_details: _Details = msgspec.field(default_factory=_Details)


class _Change(msgspec.Struct):
    result: _Result
    type: str = ""


_told = msgspec.json.Decoder(_Told).decode
_message = msgspec.json.Decoder(_Message, strict=False).decode
_change = msgspec.json.Decoder(_Change, strict=False).decode


def proved(call: Call, settings: Settings) -> None:
    """Raises CallRefused for a call that is not LivePerson's, or of another account. What is signed is the body's
    bytes: written anew they would differ (spaces, escaped letters)."""
    given = call.headers.get(SIGNATURE, "")
    if not given:
        raise CallRefused(
            f"The webhook for LivePerson account {settings.account} has no {SIGNATURE}. If it is LivePerson's, a proxy "
            "drops the header.",
            code="unsigned",
        )
    known = [f"{name}={_signature(settings.client_secret, call.body, name)}" for name in ("sha1", "sha256")]
    if not any([kit.same(given, one) for one in known]):
        raise CallRefused(
            f"The {SIGNATURE} of a webhook for LivePerson account {settings.account} does not match client_secret. If "
            "the app was installed anew, apply the site with its new secret.",
            code="bad_signature",
        )
    if call.headers.get(ACCOUNT, settings.account) != settings.account:
        raise CallRefused(
            f"This is the webhook of LivePerson account {settings.account}; the event is another account's. Give each "
            "account its own site, and the address of that.",
            code="anothers",
        )
    if call.headers.get(CLIENT, settings.client_id) != settings.client_id:
        raise CallRefused(
            f"The webhook for LivePerson account {settings.account} comes from another connector app. Point here the "
            "webhooks of the app with this client_id alone.",
            code="anothers",
        )


def read(call: Call, settings: Settings, skills: Skills, memory: Memory) -> tuple[DeskEvent, ...]:
    """What a webhook tells, in its order. Raises CallRefused. Of what the consumer said only the echo is remembered."""
    proved(call, settings)
    try:
        told = _told(call.body)
    except kit.UNREADABLE:
        return (DeskUnknown(event=kit.fingerprint(call.body), kind="unreadable"),)
    found: list[DeskEvent] = []
    for raw in told.body.changes:
        try:
            if told.type == MESSAGES:
                found += _said(_message(raw), bytes(raw), memory)
            elif told.type == CHANGES:
                found += _changed(_change(raw).result, bytes(raw), settings, skills, memory)
            else:
                found.append(DeskUnknown(event=kit.fingerprint(bytes(raw)), kind=told.type[:80] or "unnamed"))
        except kit.UNREADABLE:
            found.append(DeskUnknown(event=kit.fingerprint(bytes(raw)), kind="unreadable"))
    return tuple(found)


def _said(told: _Message, raw: bytes, memory: Memory) -> list[DeskEvent]:
    role, event = told.originator_metadata.role, told.event
    if role == CONSUMER:
        if event.type == "ContentEvent" and isinstance(event.message, str) and told.sequence is not None:
            memory.echoed(told.reference, told.sequence, event.message)
        return []
    if role not in AGENTS or told.message_audience not in (ALL, "") or not told.reference:
        return []
    number = kit.fingerprint(raw) if told.sequence is None else str(told.sequence)
    name = f"{told.dialog_id or told.conversation_id}:{number}"
    match event.type:
        case "ContentEvent" | "RichContentEvent":
            return [_words(told, name)]
        case "ChatStateEvent":
            return [AgentTyping(conversation=told.reference, on=event.chat_state == "COMPOSING")]
        case "AcceptStatusEvent" if event.status in ("ACCEPT", "READ"):
            read = event.status == "READ"
            return [AgentSaw(event=name, conversation=told.reference, read=read, at=told.server_timestamp)]
        case "AcceptStatusEvent":
            return []
    return [DeskUnknown(event=name, kind=event.type[:80] or "unnamed")]


def _words(told: _Message, name: str) -> DeskEvent:
    """An agent's words. A file lies in LivePerson's own store, where only an agent's API fetches it: its caption alone
    goes on."""
    event = told.event
    if event.type == "RichContentEvent":
        text = rich.text(event.content)
    elif isinstance(event.message, str):
        text = "\n".join(part for part in (event.message.strip(), rich.replies(event.quick_replies)) if part)
    elif event.content_type == "hosted/file" and isinstance(event.message, dict):
        text = str(event.message.get("caption") or "").strip()
    else:
        text = ""
    if not text:
        return DeskUnknown(event=name, kind=event.content_type[:80] or event.type)
    return AgentSaid(
        event=name,
        conversation=told.reference,
        text=text,
        author=told.author,
        at=told.server_timestamp,
    )


def _changed(told: _Result, raw: bytes, settings: Settings, skills: Skills, memory: Memory) -> list[DeskEvent]:
    details = told.conversation_details
    if not told.conv_id or details.brand_id not in ("", settings.account):
        return []
    if details.state == "CLOSE":
        memory.closed(told.conv_id)
        at = details.end_ts
        return [
            DeskClosed(event=f"{told.conv_id}:closed", conversation=told.conv_id, author=details.close_reason, at=at)
        ]
    agent = ""
    for one in details.participants:
        if one.role == CONSUMER:
            memory.opened(one.id, told.conv_id)
        elif one.role == "ASSIGNED_AGENT":
            agent = one.id
    skill = skills.name(details.skill_id)
    at = details.meta_data_last_update_ts
    name = f"{told.conv_id}:moved:{at or kit.fingerprint(raw)}"
    return [DeskMoved(event=name, conversation=told.conv_id, skill=skill, author=agent, at=at)]


def _signature(secret: str, body: bytes, algorithm: str) -> str:
    return b64encode(hmac.digest(secret.encode(), body, algorithm)).decode()
