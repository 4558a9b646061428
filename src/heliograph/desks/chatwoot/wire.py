"""Chatwoot's shapes, as far as they are read, and what is written to it of a conversation and its context.

Custom attributes: a person's and a conversation's sidebar shows those that the account has defined, by key; a text of
more than 1,500 characters or a number above 9,999,999,999 is refused (app/models/concerns, JsonbAttributesLength), so
that every value is a text and is cut.
"""

from __future__ import annotations

import re

import msgspec

from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.desk import Context, words_of
from heliograph.desks import kit

CONVERSATION = "heliograph_conversation"  # our id, by which a conversation is found after a lost answer
SKILL = "heliograph_skill"
OURS = "heliograph:"  # begins the source_id of every message that we made
LONGEST_ATTRIBUTE = 1_000  # characters
LONGEST_NOTE = 20_000  # characters; Chatwoot takes 150,000

_NOT_WORD = re.compile(r"[^\w ]+", re.ASCII)


class Contact(msgspec.Struct):
    id: int
    name: str | None = None
    phone_number: str | None = None
    identifier: str | None = None


class Contacts(msgspec.Struct):
    payload: tuple[Contact, ...] = ()


class MadeContact(msgspec.Struct):
    contact: Contact


class Made(msgspec.Struct):
    payload: MadeContact


class Known(msgspec.Struct):
    """A conversation. `id` is the number that the account counts by."""

    id: int
    status: str = "open"
    custom_attributes: dict[str, object] | None = None


class Conversations(msgspec.Struct):
    payload: tuple[Known, ...] = ()


class Message(msgspec.Struct):
    id: int
    source_id: str | None = None


class Messages(msgspec.Struct):
    payload: tuple[Message, ...] = ()


class Team(msgspec.Struct):
    id: int
    name: str = ""


def source_of(conversation: Conversation, turn: Turn) -> str:
    """The source_id of a turn's message."""
    return f"{OURS}{conversation.id}:{turn.number}"


def context_source(conversation: Conversation, number: int) -> str:
    """The source_id of the note with the context of the turn `number`."""
    return f"{OURS}{conversation.id}:{number}:context"


def slug(label: str) -> str:
    """A label as the key that Chatwoot makes of it when it is defined as a custom attribute (convertToAttributeSlug in
    its dashboard). One that has no letter of ASCII keeps its own."""
    made = re.sub(" +", "_", _NOT_WORD.sub("", label.lower())).strip("_")
    return made or re.sub(r"\s+", "_", label.strip())


def attributes(context: Context) -> dict[str, str]:
    """What the brand passed along, as custom attributes. Two labels of one key: the second gets a number."""
    found: dict[str, str] = {}
    for label, value in kit.facts(context):
        key = slug(label)
        if not key:
            continue
        name, number = key, 2
        while name in found:
            name, number = f"{key}_{number}", number + 1
        found[name] = value[:LONGEST_ATTRIBUTE]
    return found


def contact(recipient: str, context: Context, inbox: int) -> dict[str, object]:
    """A person who is not known there. A recipient without a number (a WhatsApp user id) is known by an identifier."""
    named = kit.name(context.alert) if context.alert else ""
    by = {"phone_number": recipient} if recipient.startswith("+") else {"identifier": recipient}
    return {"inbox_id": inbox, "name": named or recipient, **by, "custom_attributes": attributes(context)}


def contact_news(known: Contact, recipient: str, context: Context) -> dict[str, object]:
    """What changes of a person who is known. A name that somebody wrote there stays."""
    named = kit.name(context.alert) if context.alert else ""
    news: dict[str, object] = {}
    if named and (known.name or "").strip() in ("", recipient):
        news["name"] = named
    if found := attributes(context):
        news["custom_attributes"] = found
    return news


def conversation(
    ours: Conversation, context: Context, *, contact: int, inbox: int, team: int | None
) -> dict[str, object]:
    body: dict[str, object] = {
        "source_id": ours.recipient,
        "inbox_id": inbox,
        "contact_id": contact,
        "status": "open",
        "custom_attributes": {**attributes(context), CONVERSATION: ours.id, SKILL: ours.skill},
    }
    return body if team is None else {**body, "team_id": team}


def note(text: str, source: str) -> dict[str, object]:
    """Words for the agents alone."""
    return {"content": text[:LONGEST_NOTE], "message_type": "outgoing", "private": True, "source_id": source}


def message(turn: Turn, source: str) -> dict[str, object]:
    """The recipient's words; what heliograph said or what happened is a note."""
    match turn.by, turn.kind:
        case By.RECIPIENT, _:
            return {"content": words_of(turn), "message_type": "incoming", "private": False, "source_id": source}
        case _, "undelivered":
            return note(words_of(turn), source)  # a sentence that says which answer and why
    return note(f"Sent by heliograph: {words_of(turn)}", source)
