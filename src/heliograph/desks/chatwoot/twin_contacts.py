"""The contacts of a played Chatwoot."""

from __future__ import annotations

import re

import msgspec

from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.chatwoot import twin_state as state
from heliograph.desks.chatwoot import twin_told as told
from heliograph.desks.chatwoot.twin_answers import Refused, check, given, invalid
from heliograph.desks.chatwoot.twin_state import Contact

PHONE = re.compile(r"\+[1-9]\d{1,14}")  # Contact's own validation


class ContactBody(msgspec.Struct, kw_only=True):
    name: str | None = None
    phone_number: str | None = None
    identifier: str | None = None
    inbox_id: int | None = None
    custom_attributes: dict[str, object] = {}


def search(text: str, desk: KnownDesk, world: World) -> TwinAnswer:
    """Whoever has the text in the name, the number or the identifier; without regard to case in the first two."""
    sought = text.strip()
    if not sought:
        raise Refused(422, {"error": "Specify search string with parameter q"})
    found = [
        one
        for one in state.contacts(desk, world)
        if sought.lower() in one.name.lower() or sought in (one.phone_number or "") or sought in (one.identifier or "")
    ]
    meta = {"count": len(found[:15]), "current_page": 1, "has_more": len(found) > 15}
    return given({"meta": meta, "payload": [told.contact_body(one) for one in found[:15]]})


def make_contact(body: ContactBody, desk: KnownDesk, world: World) -> TwinAnswer:
    others = list(state.contacts(desk, world))
    if body.phone_number is not None and not PHONE.fullmatch(body.phone_number):
        raise invalid("Phone number should be in e164 format", "phone_number")
    for field, label in (("phone_number", "Phone number"), ("identifier", "Identifier")):
        value = getattr(body, field)
        if value and any(getattr(one, field) == value for one in others):
            raise invalid(f"{label} has already been taken", field)
    check(body.custom_attributes)
    if body.inbox_id is not None and body.inbox_id != state.inbox(desk):
        raise Refused(404, {"error": "Resource could not be found"})
    person = Contact(
        id=state.next_id(desk, "contact", world),
        name=body.name or "",
        phone_number=body.phone_number,
        identifier=body.identifier,
        custom_attributes=body.custom_attributes,
    )
    state.keep(desk, person, world)
    inbox = {"inbox": {"id": body.inbox_id}, "source_id": world.new_id()}
    return given({"payload": {"contact": told.contact_body(person), "contact_inbox": inbox}})


def change_contact(person: Contact, body: ContactBody, desk: KnownDesk, world: World) -> TwinAnswer:
    """Custom attributes are merged."""
    check(body.custom_attributes)
    person.name = body.name or person.name
    person.custom_attributes = {**person.custom_attributes, **body.custom_attributes}
    state.keep(desk, person, world)
    return given({"payload": told.contact_body(person)})


def contact_of(number: str | int, desk: KnownDesk, world: World) -> Contact:
    person = state.contact(desk, number, world)
    if person is None:
        raise Refused(404, {"error": "Resource could not be found"})
    return person
