"""The events of WhatsApp's webhook as they come, as far as they are read. What a field is called and where it lies is
Meta's; what it means is in whatsapp_cloud_events.py.

Shapes: developers.facebook.com …/whatsapp/webhooks/reference (May to August 2026).
"""

from __future__ import annotations

import msgspec

from heliograph.channels.wa.whatsapp_cloud_answers import Fault


class Status(msgspec.Struct):
    id: str
    status: str
    timestamp: int | str = ""
    recipient_id: str = ""
    recipient_user_id: str = ""
    biz_opaque_callback_data: str = ""
    errors: tuple[Fault, ...] = ()


class Contact(msgspec.Struct):
    wa_id: str = ""
    user_id: str = ""


class Text(msgspec.Struct):
    body: str = ""


class Tap(msgspec.Struct):
    """A template's button (payload, text), or a reply of an interactive message (id, title)."""

    payload: str = ""
    text: str = ""
    id: str = ""
    title: str = ""


class Form(msgspec.Struct):
    """A filled-in Flow: `response_json` is JSON as a text, an object of the answers."""

    body: str = ""
    response_json: str = ""


class Interactive(msgspec.Struct):
    type: str = ""
    button_reply: Tap | None = None
    list_reply: Tap | None = None
    nfm_reply: Form | None = None


class File(msgspec.Struct):
    id: str = ""
    mime_type: str = ""
    caption: str = ""
    filename: str = ""


class Place(msgspec.Struct):
    latitude: float
    longitude: float
    name: str = ""
    address: str = ""


class Name(msgspec.Struct):
    formatted_name: str = ""


class Phone(msgspec.Struct):
    phone: str = ""


class Person(msgspec.Struct):
    name: Name = msgspec.field(default_factory=Name)
    phones: tuple[Phone, ...] = ()


class Reaction(msgspec.Struct):
    message_id: str = ""
    emoji: str = ""


class Item(msgspec.Struct):
    product_retailer_id: str = ""
    quantity: int | float | str = 1


class Order(msgspec.Struct):
    text: str = ""
    product_items: tuple[Item, ...] = ()


class System(msgspec.Struct):
    type: str = ""


class Context(msgspec.Struct):
    id: str = ""


class Message(msgspec.Struct):
    """All types in one: `type` names the field that holds it. Its `from` is missing where a person has hidden their
    number behind a user name; `from_user_id` (the business-scoped id) is there then."""

    id: str
    type: str = ""
    sender: str = msgspec.field(default="", name="from")
    from_user_id: str = ""
    timestamp: int | str = ""
    context: Context = msgspec.field(default_factory=Context)
    group_id: str = ""
    text: Text = msgspec.field(default_factory=Text)
    button: Tap | None = None
    interactive: Interactive = msgspec.field(default_factory=Interactive)
    image: File | None = None
    video: File | None = None
    audio: File | None = None
    document: File | None = None
    sticker: File | None = None
    location: Place | None = None
    contacts: tuple[Person, ...] = ()
    reaction: Reaction | None = None
    order: Order | None = None
    system: System | None = None


class Preference(msgspec.Struct):
    value: str
    wa_id: str = ""
    user_id: str = ""
    timestamp: int | str = ""
