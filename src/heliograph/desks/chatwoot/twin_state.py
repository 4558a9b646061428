"""What a played Chatwoot keeps, on the sandbox's shelf: contacts, conversations, messages, and the numbers that it
counts by. An account is one desk of the sandbox, with one inbox of the kind API."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.core.twin import KnownDesk, World

SHELF = "chatwoot"
INCOMING, OUTGOING, ACTIVITY = 0, 1, 2


class Message(msgspec.Struct, kw_only=True):
    """`by`: the sender's name; `agent`: the sender is a user. `at`: ms."""

    id: int
    content: str
    type: int
    at: int
    private: bool = False
    source_id: str | None = None
    by: str = ""
    agent: bool = False
    status: str = "sent"


class Contact(msgspec.Struct, kw_only=True):
    id: int
    name: str = ""
    phone_number: str | None = None
    identifier: str | None = None
    custom_attributes: dict[str, object] = {}


class Conversation(msgspec.Struct, kw_only=True):
    """`id` is the account's own number of it (display_id)."""

    id: int
    contact: int
    source_id: str
    status: str = "open"
    team: int | None = None
    assignee: str = ""
    custom_attributes: dict[str, object] = {}
    created: int
    messages: list[Message] = []


def inbox(desk: KnownDesk) -> int:
    return int(desk.credentials.get("inbox_id", "1"))


def next_id(desk: KnownDesk, kind: str, world: World) -> int:
    shelf, key = world.shelf(SHELF), f"{desk.id}/next/{kind}"
    number = int(shelf.get(key, b"0")) + 1
    shelf[key] = b"%d" % number
    return number


def conversation(desk: KnownDesk, number: str | int, world: World) -> Conversation | None:
    kept = world.shelf(SHELF).get(f"{desk.id}/conversation/{number}")
    return msgspec.json.decode(kept, type=Conversation) if kept is not None else None


def conversations(desk: KnownDesk, world: World) -> Iterator[Conversation]:
    """The newest first."""
    for number in range(int(world.shelf(SHELF).get(f"{desk.id}/next/conversation", b"0")), 0, -1):
        if (kept := conversation(desk, number, world)) is not None:
            yield kept


def contact(desk: KnownDesk, number: str | int, world: World) -> Contact | None:
    kept = world.shelf(SHELF).get(f"{desk.id}/contact/{number}")
    return msgspec.json.decode(kept, type=Contact) if kept is not None else None


def contacts(desk: KnownDesk, world: World) -> Iterator[Contact]:
    for number in range(1, int(world.shelf(SHELF).get(f"{desk.id}/next/contact", b"0")) + 1):
        if (kept := contact(desk, number, world)) is not None:
            yield kept


def keep(desk: KnownDesk, what: Conversation | Contact, world: World) -> None:
    kind = "conversation" if isinstance(what, Conversation) else "contact"
    world.shelf(SHELF)[f"{desk.id}/{kind}/{what.id}"] = msgspec.json.encode(what)


def number_of(desk: KnownDesk, kept: Conversation, world: World) -> str:
    """The phone of a conversation's contact."""
    person = contact(desk, kept.contact, world)
    return (person.phone_number or person.identifier or "") if person else ""


def add(desk: KnownDesk, kept: Conversation, world: World, **fields: object) -> Message:
    """A new message, kept. The recipient's opens a resolved or snoozed conversation anew."""
    message = msgspec.convert({"id": next_id(desk, "message", world), "at": world.now(), **fields}, Message)
    kept.messages.append(message)
    if message.type == INCOMING and kept.status in ("resolved", "snoozed"):
        kept.status = "open"
    keep(desk, kept, world)
    return message
