"""How a played Chatwoot writes: the bodies of its answers and of its webhooks, and a webhook's signature.

Source: the jbuilder views and `webhook_data` of chatwoot/chatwoot 4.x; lib/webhooks/trigger.rb for the headers.
"""

from __future__ import annotations

import hmac
from datetime import UTC, datetime

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, World
from heliograph.desks.chatwoot.twin_state import Contact, Conversation, Message, contact, inbox

TYPES = ("incoming", "outgoing", "activity", "template")


def contact_body(person: Contact) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "email": None,
        "phone_number": person.phone_number,
        "identifier": person.identifier,
        "custom_attributes": person.custom_attributes,
        "additional_attributes": {},
    }


def message_body(message: Message, kept: Conversation, desk: KnownDesk) -> dict[str, object]:
    return {
        "id": message.id,
        "content": message.content,
        "inbox_id": inbox(desk),
        "conversation_id": kept.id,
        "message_type": message.type,
        "content_type": "text",
        "status": message.status,
        "content_attributes": {},
        "created_at": message.at // 1000,
        "private": message.private,
        "source_id": message.source_id,
        "sender": {"id": 1, "name": message.by, "type": "user" if message.agent else "contact"},
    }


def conversation_body(kept: Conversation, desk: KnownDesk, world: World) -> dict[str, object]:
    """As the API gives it and, under other names of some times, as a webhook has it."""
    return {
        "id": kept.id,
        "inbox_id": inbox(desk),
        "account_id": _number(desk.id),
        "channel": "Channel::Api",
        "can_reply": True,
        "status": kept.status,
        "custom_attributes": kept.custom_attributes,
        "additional_attributes": {},
        "labels": [],
        "meta": _meta(kept, desk, world),
        "messages": [message_body(one, kept, desk) for one in kept.messages[-1:]],
        "unread_count": 0,
        "created_at": kept.created // 1000,
        "timestamp": (kept.messages[-1].at if kept.messages else kept.created) // 1000,
    }


def _meta(kept: Conversation, desk: KnownDesk, world: World) -> dict[str, object]:
    person = contact(desk, kept.contact, world)
    name = next((name for name, number in desk.skills.items() if number == str(kept.team)), "")
    return {
        "sender": contact_body(person) if person else None,
        "channel": "Channel::Api",
        "assignee": {"id": 1, "name": kept.assignee, "type": "user"} if kept.assignee else None,
        "team": {"id": kept.team, "name": name.lower()} if kept.team else None,
        "hmac_verified": False,
    }


# ── Webhooks ────────────────────────────────────────────────────────────────────────────────────────────────────────


def message_created(message: Message, kept: Conversation, desk: KnownDesk, world: World) -> Call:
    sender: dict[str, object] = {"id": 1, "name": message.by, "email": "agent@acme.example", "type": "user"}
    if not message.agent:
        person = contact(desk, kept.contact, world)
        sender = contact_body(person) if person else {}
    body = {
        "event": "message_created",
        "id": message.id,
        "content": message.content,
        "created_at": datetime.fromtimestamp(message.at / 1000, UTC).isoformat(timespec="milliseconds"),
        "message_type": TYPES[message.type],
        "content_type": "text",
        "content_attributes": {},
        "private": message.private,
        "source_id": message.source_id,
        "sender": sender,
        "inbox": {"id": inbox(desk), "name": desk.name},
        "account": {"id": _number(desk.id), "name": desk.name},
        "conversation": conversation_body(kept, desk, world),
    }
    return webhook(body, desk, world)


def conversation_event(event: str, kept: Conversation, desk: KnownDesk, world: World, **changed: object) -> Call:
    """`changed`: attribute → its value of before."""
    now = {"status": kept.status, "team_id": kept.team, "assignee_id": 1 if kept.assignee else None}
    told = [{name: {"previous_value": old, "current_value": now.get(name)}} for name, old in changed.items()]
    body = {
        **conversation_body(kept, desk, world),
        "event": event,
        "account": {"id": _number(desk.id), "name": desk.name},
        **({"changed_attributes": told} if told else {}),
    }
    return webhook(body, desk, world)


def typing(agent: str, kept: Conversation, desk: KnownDesk, world: World) -> Call:
    body = {
        "event": "conversation_typing_on",
        "user": {"id": 1, "name": agent, "email": "agent@acme.example", "type": "user"},
        "conversation": conversation_body(kept, desk, world),
        "is_private": False,
    }
    return webhook(body, desk, world)


def webhook(body: object, desk: KnownDesk, world: World) -> Call:
    return signed(msgspec.json.encode(body), desk, world)


def signed(raw: bytes, desk: KnownDesk, world: World) -> Call:
    """Signed where the inbox has a secret, which it has since 4.13."""
    headers = {
        "content-type": "application/json",
        "accept": "application/json",
        "x-chatwoot-delivery": world.new_id(),
    }
    if secret := desk.credentials.get("webhook_secret"):
        stamp = str(world.now() // 1000)
        headers["x-chatwoot-timestamp"] = stamp
        digest = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, "sha256").hexdigest()
        headers["x-chatwoot-signature"] = f"sha256={digest}"
    return Call(method="POST", url=desk.webhook, headers=headers, body=raw)


def _number(account: str) -> int | str:
    return int(account) if account.isdigit() else account
