"""The conversations of a played Chatwoot and the messages in them."""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.chatwoot import twin_state as state
from heliograph.desks.chatwoot import twin_told as told
from heliograph.desks.chatwoot.twin_answers import Refused, check, ends, given, goes_wrong, invalid
from heliograph.desks.chatwoot.twin_contacts import contact_of
from heliograph.desks.chatwoot.twin_state import Conversation

PAGE = 20  # messages


class ConversationBody(msgspec.Struct, kw_only=True):
    source_id: str | None = None
    inbox_id: int | None = None
    contact_id: int | None = None
    status: str = "open"
    team_id: int | None = None
    custom_attributes: dict[str, object] = {}


class MessageBody(msgspec.Struct, kw_only=True):
    content: str | None = None
    message_type: str = "outgoing"
    private: bool = False
    source_id: str | None = None


class StatusBody(msgspec.Struct, kw_only=True):
    status: str = ""
    typing_status: str = ""
    custom_attributes: dict[str, object] = {}
    merge: bool = False


def make_conversation(body: ConversationBody, desk: KnownDesk, world: World) -> TwinAnswer:
    person = contact_of(body.contact_id or 0, desk, world)
    number = person.phone_number or person.identifier or ""
    wrong = goes_wrong("desk_open", number, desk, world)
    if body.inbox_id != state.inbox(desk):
        raise Refused(404, {"error": "Resource could not be found"})
    if body.team_id is not None and str(body.team_id) not in desk.skills.values():
        raise invalid("Team must exist", "team")
    check(body.custom_attributes)
    kept = Conversation(
        id=state.next_id(desk, "conversation", world),
        contact=person.id,
        source_id=body.source_id or world.new_id(),
        status=body.status,
        team=body.team_id,
        custom_attributes=body.custom_attributes,
        created=world.now(),
    )
    state.keep(desk, kept, world)
    world.note("desk_opened", number=number, sender=desk.id, message=str(kept.id))
    world.desk_tells(desk, [told.conversation_event("conversation_created", kept, desk, world)], str(kept.id))
    return ends(wrong, given(told.conversation_body(kept, desk, world)))


def set_attributes(kept: Conversation, body: StatusBody, desk: KnownDesk, world: World) -> TwinAnswer:
    check(body.custom_attributes)
    before = kept.custom_attributes if body.merge else {}
    kept.custom_attributes = {**before, **body.custom_attributes}
    state.keep(desk, kept, world)
    return given({"custom_attributes": kept.custom_attributes})


def toggle_status(kept: Conversation, body: StatusBody, desk: KnownDesk, world: World) -> TwinAnswer:
    number = state.number_of(desk, kept, world)
    closes = body.status == "resolved"
    wrong = goes_wrong("desk_close", number, desk, world) if closes else None
    if body.status not in ("open", "resolved", "pending", "snoozed"):
        # An unknown word for an enum is an ArgumentError, which Rails answers so (r).
        raise Refused(500, {"status": 500, "error": "Internal Server Error"})
    if kept.status != body.status:
        world.desk_tells(desk, resolve(kept, desk, world, body.status), str(kept.id))
    if closes:
        world.note("desk_closed", number=number, sender=desk.id, message=str(kept.id))
    payload = {"success": True, "conversation_id": kept.id, "current_status": kept.status, "snoozed_until": None}
    return ends(wrong, given({"meta": {}, "payload": payload}))


def resolve(kept: Conversation, desk: KnownDesk, world: World, status: str) -> list[Call]:
    """A new status, and the webhooks that tell of it: the change is told twice."""
    before, kept.status = kept.status, status
    state.keep(desk, kept, world)
    events = ("conversation_updated", "conversation_status_changed")
    return [told.conversation_event(event, kept, desk, world, status=before) for event in events]


def messages(kept: Conversation, query: dict[str, str], desk: KnownDesk) -> TwinAnswer:
    """The newest 20, or those before or after one, in order."""
    found = kept.messages
    if after := query.get("after"):
        found = [one for one in found if one.id > int(after)][:100]
    else:
        found = [one for one in found if "before" not in query or one.id < int(query["before"])][-PAGE:]
    meta: dict[str, object] = {"labels": [], "additional_attributes": {}}
    return given({"meta": meta, "payload": [told.message_body(one, kept, desk) for one in found]})


def say(kept: Conversation, body: MessageBody, desk: KnownDesk, world: World) -> TwinAnswer:
    if body.message_type not in ("incoming", "outgoing"):
        raise Refused(422, {"error": f"'{body.message_type}' is not a valid message_type"})
    incoming = body.message_type == "incoming"
    number = state.number_of(desk, kept, world)
    wrong = goes_wrong("desk_say", number, desk, world) if incoming else None
    if len(body.content or "") > 150_000:
        raise invalid("Content is too long (maximum is 150000 characters)", "content")
    person = state.contact(desk, kept.contact, world)
    message = state.add(
        desk,
        kept,
        world,
        content=body.content or "",
        type=state.INCOMING if incoming else state.OUTGOING,
        private=body.private,
        source_id=body.source_id,
        by=(person.name if person else "") if incoming else "API",
        agent=not incoming,
    )
    if incoming:
        world.note("desk_said", number=number, sender=desk.id, message=str(kept.id))
    world.desk_tells(desk, [told.message_created(message, kept, desk, world)], str(kept.id))
    return ends(wrong, given(told.message_body(message, kept, desk)))


def mark(kept: Conversation, message: str, body: StatusBody, desk: KnownDesk, world: World) -> TwinAnswer:
    """Of an inbox of the kind API alone."""
    one = next((one for one in kept.messages if str(one.id) == message), None)
    if one is None:
        raise Refused(404, {"error": "Resource could not be found"})
    if body.status in ("sent", "delivered", "read", "failed"):
        one.status = body.status
        state.keep(desk, kept, world)
    return given(told.message_body(one, kept, desk))


def conversation_of(number: str, desk: KnownDesk, world: World) -> Conversation:
    kept = state.conversation(desk, number, world)
    if kept is None:
        raise Refused(404, {"error": "Resource could not be found"})
    return kept
