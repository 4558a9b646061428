"""What a person did on WhatsApp, by the type of their message: words, a tap, a file, a place, something else in words.

Source: developers.facebook.com …/whatsapp/webhooks/reference/messages (May to August 2026).
"""

from __future__ import annotations

import msgspec

from heliograph.channels import files, kit
from heliograph.channels.wa.whatsapp_cloud_shapes import File, Form, Message, Order, Person
from heliograph.core.event import Attached, Place

FILES = frozenset({"image", "video", "audio", "document", "sticker"})
TOKEN = "flow_token"  # in a form's answers; it is the form's own and says nothing to an agent


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """As core.event.Inbound has it."""

    kind: str
    text: str = ""
    postback: str = ""
    attached: tuple[Attached, ...] = ()
    place: Place | None = None


def said(message: Message) -> Said | None:
    """None where this version does not know it, and where nothing was said: a number that changed, a reaction that was
    taken back."""
    match message.type:
        case "text":
            return Said(kind="text", text=message.text.body)
        case "button" if message.button is not None:
            return Said(kind="tap", text=message.button.text, postback=message.button.payload)
        case "interactive":
            reply = message.interactive.button_reply or message.interactive.list_reply
            if reply is not None:
                return Said(kind="tap", text=reply.title, postback=reply.id)
            form = message.interactive.nfm_reply
            return None if form is None else Said(kind="other", text=_form(form))
        case kind if kind in FILES:
            return _file(getattr(message, kind))
        case "location" if message.location is not None:
            where = message.location
            label = ", ".join(part for part in (where.name, where.address) if part)
            place = kit.place(where.latitude, where.longitude, label)
            return None if place is None else Said(kind="location", text=kit.where(place), place=place)
        case "contacts":
            return Said(kind="other", text="\n".join(map(_person, message.contacts)))
        case "reaction" if message.reaction is not None and message.reaction.emoji:
            return Said(kind="other", text=message.reaction.emoji)
        case "order":
            return Said(kind="other", text=_order(message.order) if message.order else "")
        case "unsupported":  # something that WhatsApp does not hand over (131051); an agent should know that it came
            return Said(kind="other")
        case _:
            return None


def _file(file: File | None) -> Said:
    """Its address is asked for when it is fetched: the one that newer webhooks tell ends within minutes."""
    if file is None:
        return Said(kind="file")
    attached = Attached(reference=file.id, content_type=files.essence(file.mime_type), name=file.filename)
    return Said(kind="file", text=file.caption, attached=(attached,))


def _person(person: Person) -> str:
    phones = ", ".join(one.phone for one in person.phones if one.phone)
    name = person.name.formatted_name
    return f"{name} ({phones})" if name and phones else name or phones


def _order(order: Order) -> str:
    items = [f"{item.quantity} × {item.product_retailer_id}" for item in order.product_items]
    return "\n".join(part for part in (order.text, *items) if part)


def _form(form: Form) -> str:
    """Its words, and a line for each answer."""
    try:
        answers = msgspec.json.decode(form.response_json or "{}", type=dict[str, msgspec.Raw])
    except kit.UNREADABLE:
        answers = {}
    lines = [f"{name}: {_answer(raw)}" for name, raw in answers.items() if name != TOKEN]
    return "\n".join(part for part in (form.body, *lines) if part)


def _answer(raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else bytes(raw).decode()
