"""A message as Meta's API takes it: its shapes, with what each must hold.

Source: business-messaging-api_v23.0.yaml and the message pages of developers.facebook.com; (r) = recalled.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from heliograph.channels.wa.whatsapp_cloud_twin_answers import Refused


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Text(_Strict, frozen=True, kw_only=True):
    body: Annotated[str, Meta(min_length=1, max_length=4096)]
    preview_url: bool = False


class Media(_Strict, frozen=True, kw_only=True):
    """Exactly one of `id` and `link`."""

    id: str = ""
    link: str = ""
    caption: Annotated[str, Meta(max_length=1024)] = ""
    filename: str = ""


class Reply(_Strict, frozen=True, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    title: Annotated[str, Meta(min_length=1, max_length=20)]


class ReplyButton(_Strict, frozen=True, kw_only=True):
    type: str
    reply: Reply


class Row(_Strict, frozen=True, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    title: Annotated[str, Meta(min_length=1, max_length=24)]
    description: Annotated[str, Meta(max_length=72)] = ""


class Section(_Strict, frozen=True, kw_only=True):
    rows: Annotated[tuple[Row, ...], Meta(min_length=1)]
    title: Annotated[str, Meta(max_length=24)] = ""


class Cta(_Strict, frozen=True, kw_only=True):
    display_text: Annotated[str, Meta(min_length=1, max_length=20)]
    url: Annotated[str, Meta(min_length=1)]


class Action(_Strict, frozen=True, kw_only=True):
    buttons: tuple[ReplyButton, ...] = ()
    button: Annotated[str, Meta(max_length=20)] = ""
    sections: tuple[Section, ...] = ()
    name: str = ""
    parameters: Cta | None = None


class Header(_Strict, frozen=True, kw_only=True):
    type: str
    text: Annotated[str, Meta(max_length=60)] = ""
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None


class Words(_Strict, frozen=True, kw_only=True):
    text: Annotated[str, Meta(min_length=1, max_length=4096)]


class Small(_Strict, frozen=True, kw_only=True):
    text: Annotated[str, Meta(max_length=60)]


class Interactive(_Strict, frozen=True, kw_only=True):
    type: str
    body: Words
    action: Action
    header: Header | None = None
    footer: Small | None = None


class Language(_Strict, frozen=True, kw_only=True):
    code: str
    policy: str = "deterministic"


class Money(msgspec.Struct, frozen=True, kw_only=True):
    fallback_value: str


class Parameter(_Strict, frozen=True, kw_only=True):
    type: str
    parameter_name: str = ""
    text: str = ""
    payload: str = ""
    coupon_code: str = ""
    image: Media | None = None
    video: Media | None = None
    document: Media | None = None
    location: dict[str, Any] | None = None
    currency: Money | None = None
    date_time: Money | None = None


class Component(_Strict, frozen=True, kw_only=True):
    type: str
    sub_type: str = ""
    index: int | str = ""
    parameters: tuple[Parameter, ...] = ()


class Template(_Strict, frozen=True, kw_only=True):
    name: str
    language: Language
    components: tuple[Component, ...] = ()


class Reaction(_Strict, frozen=True, kw_only=True):
    message_id: str
    emoji: str


class Context(_Strict, frozen=True, kw_only=True):
    message_id: str


class TypingIndicator(_Strict, frozen=True, kw_only=True):
    type: Literal["text"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A call of /messages. Fields of the root that are not known are passed over, as Graph does (r)."""

    messaging_product: str = ""
    recipient_type: str = "individual"
    to: str = ""
    recipient: str = ""  # a business-scoped user id
    type: str = "text"
    context: Context | None = None
    biz_opaque_callback_data: Annotated[str, Meta(max_length=512)] = ""
    status: str = ""  # "read": a message of the recipient's is marked as read
    message_id: str = ""
    typing_indicator: TypingIndicator | None = None
    text: Text | None = None
    image: Media | None = None
    video: Media | None = None
    audio: Media | None = None
    document: Media | None = None
    sticker: Media | None = None
    interactive: Interactive | None = None
    template: Template | None = None
    location: dict[str, Any] | None = None
    contacts: tuple[dict[str, Any], ...] = ()
    reaction: Reaction | None = None


TYPES = ("audio", "contacts", "document", "image", "interactive", "location", "reaction", "sticker", "template", "text",
         "video")  # fmt: skip
MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})

_decode = msgspec.json.Decoder(Message).decode
_FAULT = re.compile(r"(?P<what>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?", re.DOTALL)
_KEY = re.compile(r"Object contains unknown field `(?P<key>[^`]*)`")
_MISSING = re.compile(r"Object missing required field `(?P<key>[^`]*)`")


def read(body: bytes) -> Message:
    """Raises Refused for a message that is not as it must be."""
    try:
        message = _decode(body)
    except msgspec.ValidationError as fault:
        raise _refused(str(fault)) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(100, message="(#100) Invalid JSON payload") from fault
    if message.messaging_product != "whatsapp":
        raise Refused(100, message="(#100) The parameter messaging_product is required.")
    return message


def _refused(fault: str) -> Refused:
    found = _FAULT.fullmatch(fault)
    what, path = (found["what"], found["path"] or "") if found else (fault, "")
    if key := _KEY.fullmatch(what):
        return Refused(100, f'Unexpected key "{key["key"]}" on param "{path}".')
    if missing := _MISSING.fullmatch(what):
        return Refused(131008, f"Required parameter {missing['key']!r} is missing in {path!r}.")
    return Refused(131009, f"{path}: {what}.")


def check(message: Message) -> None:
    """What the shapes alone cannot say. Raises Refused."""
    kind = message.type
    if kind not in TYPES:
        raise Refused(100, f'Param type must be one of {{{", ".join(TYPES).upper()}}} - got "{kind[:40]}".')
    held = getattr(message, kind)
    if not held:
        raise Refused(131008, f"Parameter of type {kind} is missing.")
    if isinstance(held, Interactive):
        _interactive(held)


def _interactive(said: Interactive) -> None:
    action = said.action
    if said.type != "list" and len(said.body.text) > 1024:
        raise Refused(131009, "Body text length invalid. Min length: 1, Max length: 1024.")
    match said.type:
        case "button":
            titles = [one.reply.title for one in action.buttons]
            ids = [one.reply.id for one in action.buttons]
            if not 1 <= len(titles) <= 3:
                raise Refused(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3.")
        case "list":
            rows = [row for section in action.sections for row in section.rows]
            titles, ids = [row.title for row in rows], [row.id for row in rows]
            if not rows or not action.button:
                raise Refused(131008, "A list needs action.button and at least one row.")
            if len(rows) > 10 or len(action.sections) > 10:
                raise Refused(131009, "Total row count exceed max allowed count: 10.")
            if len(action.sections) > 1 and not all(section.title for section in action.sections):
                raise Refused(131009, "Section title is required when there is more than one section.")
            if said.header is not None and said.header.type != "text":
                raise Refused(131009, "Header type invalid. A list allows text.")
        case "cta_url":
            titles = ids = []
            if action.name != "cta_url" or action.parameters is None:
                raise Refused(131008, "action.name must be cta_url, with display_text and url.")
        case "location_request_message":
            titles = ids = []
            if action.name != "send_location" or said.header is not None:
                raise Refused(131009, "action.name must be send_location, and nothing may be above it.")
        case _:
            raise Refused(131009, f"Interactive type {said.type[:40]!r} is not known here.")
    if len(set(titles)) != len(titles) or len(set(ids)) != len(ids):
        raise Refused(131009, "Duplicated ids or titles are not allowed.")
    if said.header is not None and not getattr(said.header, said.header.type, None):
        raise Refused(131008, f"Header of type {said.header.type[:20]!r} has no such field.")


def media_of(message: Message) -> list[tuple[str, Media]]:
    """(kind, medium) of every medium in a message."""
    found: list[tuple[str, Media]] = []
    if message.type in MEDIA:
        found.append((message.type, getattr(message, message.type)))
    holders: list[Any] = []
    if message.interactive is not None and message.interactive.header is not None:
        holders.append(message.interactive.header)
    if message.template is not None:
        holders += [one for part in message.template.components for one in part.parameters]
    for holder in holders:
        found += [(kind, held) for kind in ("image", "video", "document") if (held := getattr(holder, kind))]
    return found
