"""The calls that a played Chatwoot answers."""

from __future__ import annotations

from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.chatwoot import twin_contacts as contacts
from heliograph.desks.chatwoot import twin_conversations as conversations
from heliograph.desks.chatwoot import twin_state as state
from heliograph.desks.chatwoot import twin_told as told
from heliograph.desks.chatwoot.twin_answers import NAME, Refused, given, read
from heliograph.desks.chatwoot.twin_contacts import ContactBody, contact_of
from heliograph.desks.chatwoot.twin_conversations import ConversationBody, MessageBody, StatusBody, conversation_of


def route(
    method: str, parts: list[str], query: dict[str, str], body: bytes, desk: KnownDesk, world: World
) -> TwinAnswer:
    match method, parts:
        case "GET", ["teams"]:
            teams = [{"id": int(id), "name": name.lower(), "account_id": desk.id} for name, id in desk.skills.items()]
            return given(teams)
        case "GET", ["contacts", "search"]:
            return contacts.search(query.get("q", ""), desk, world)
        case "POST", ["contacts"]:
            return contacts.make_contact(read(body, ContactBody), desk, world)
        case "PUT" | "PATCH", ["contacts", number]:
            return contacts.change_contact(contact_of(number, desk, world), read(body, ContactBody), desk, world)
        case "GET", ["contacts", number, "conversations"]:
            person = contact_of(number, desk, world)
            found = [one for one in state.conversations(desk, world) if one.contact == person.id]
            return given({"payload": [told.conversation_body(one, desk, world) for one in found[:20]]})
        case "POST", ["conversations"]:
            return conversations.make_conversation(read(body, ConversationBody), desk, world)
        case _, ["conversations", number, *rest]:
            return _within(conversation_of(number, desk, world), method, rest, query, body, desk, world)
    raise _missing()


def _within(
    kept: state.Conversation,
    method: str,
    parts: list[str],
    query: dict[str, str],
    body: bytes,
    desk: KnownDesk,
    world: World,
) -> TwinAnswer:
    match method, parts:
        case "GET", []:
            return given(told.conversation_body(kept, desk, world))
        case "POST", ["toggle_status"]:
            return conversations.toggle_status(kept, read(body, StatusBody), desk, world)
        case "POST", ["custom_attributes"]:
            return conversations.set_attributes(kept, read(body, StatusBody), desk, world)
        case "GET", ["messages"]:
            return conversations.messages(kept, query, desk)
        case "POST", ["messages"]:
            return conversations.say(kept, read(body, MessageBody), desk, world)
        case "PATCH" | "PUT", ["messages", message]:
            return conversations.mark(kept, message, read(body, StatusBody), desk, world)
    raise _missing()


def public(method: str, parts: list[str], body: bytes, world: World) -> TwinAnswer:
    """`{inbox identifier}/contacts/{source id}/conversations/{id}/toggle_typing`, in the contact's name."""
    match method, parts:
        case "POST", [inbox, "contacts", source, "conversations", number, "toggle_typing"]:
            for desk in world.desks(NAME):
                kept = state.conversation(desk, number, world)
                if desk.credentials.get("inbox_identifier") == inbox and kept is not None and kept.source_id == source:
                    typed = read(body, StatusBody).typing_status
                    world.note("desk_typing", sender=desk.id, message=number, detail=typed)
                    return TwinAnswer()
    raise _missing()


def _missing() -> Refused:
    return Refused(404, {"error": "Resource could not be found"})
