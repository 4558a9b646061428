"""Content → a message of WhatsApp's Cloud API, as JSON. Nothing is checked here; whatsapp_cloud_check.py does that
before.

    named            template
    text             text; with replies interactive: up to 3 short ones as buttons, else a list
    card             a picture with a caption, or interactive with the picture or the title on top
    file             image | video | audio | sticker | document; with replies interactive
    a lone open_url  interactive cta_url             a lone share_location   interactive location_request_message

Shapes: Meta's business-messaging-api_v23.0.yaml and the message pages of developers.facebook.com.
"""

from __future__ import annotations

from posixpath import basename
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import msgspec

from heliograph.core.content import (
    Button,
    Card,
    CardBody,
    Carousel,
    Content,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    ShareLocation,
    Suggestion,
    Text,
    media_of,
)

NATIVE = "whatsapp-cloud"  # the key in `content.native`: an object whose fields replace those of the message

BUTTONS = 3
BUTTON_TITLE = 20  # characters
BUTTON_BODY = 1024  # of a message with buttons; a list allows more
HEADER_TEXT = 60

# The end of a file's name → the kind of message that shows it.
_KINDS = {
    "jpg": "image", "jpeg": "image", "png": "image", "webp": "sticker",
    "mp4": "video", "3gp": "video",
    "aac": "audio", "amr": "audio", "mp3": "audio", "m4a": "audio", "ogg": "audio", "opus": "audio",
}  # fmt: skip

_encode = msgspec.json.Encoder().encode


def message(content: Content, *, id: str, recipient: str, window: bool, list_button: str = "Options") -> bytes:
    """The body of a send. `id` comes back with every status of the message. `recipient`: E.164, or a business-scoped
    user id ("US.1349…"). `list_button`: what opens a list of replies."""
    told: dict[str, Any] = {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to" if recipient.startswith("+") else "recipient": recipient,
        "biz_opaque_callback_data": id,
    }
    chosen = sent_as(content, window)
    told.update(_said(chosen, list_button))
    if chosen.native and NATIVE in chosen.native:
        told.update(msgspec.json.decode(chosen.native[NATIVE], type=dict[str, msgspec.Raw]))
    return _encode(told)


def sent_as(content: Content, window: bool) -> Content:
    """What is really sent: the free form of a named message while the recipient's window is open."""
    return content.free if isinstance(content, Named) and window and content.free is not None else content


def media_in(content: Content) -> tuple[Media, ...]:
    """Every medium that is sent, those of a template's values too."""
    if isinstance(content, Named):
        return tuple(one.media for one in (*content.header, *content.body) if one.media)
    return media_of(content)


def kind_of(media: Media, otherwise: str) -> str:
    """image | video | audio | sticker | document. An upload's reference begins with it (`image/1037543291543636`)."""
    if media.reference is not None:
        return media.reference.partition("/")[0]
    return _KINDS.get(urlsplit(media.url or "").path.rpartition(".")[2].lower(), otherwise)


def card_text(card: CardBody) -> str:
    """A card's words in one: the title in bold above the description."""
    title = f"*{card.title}*" if card.title else ""
    return "\n\n".join(part for part in (title, card.description) if part)


def suggestions_of(content: Content) -> tuple[Suggestion, ...]:
    """All of a message: those in its card come first."""
    return (*content.card.suggestions, *content.suggestions) if isinstance(content, Card) else content.suggestions


def is_list(body: str, replies: tuple[Suggestion, ...]) -> bool:
    """Whether replies are shown as a list; buttons hold three short ones."""
    return len(replies) > BUTTONS or len(body) > BUTTON_BODY or any(len(one.text) > BUTTON_TITLE for one in replies)


def postback(one: Suggestion) -> str:
    # A tap without postback data could not be told from others: the text stands in for it.
    return one.postback or one.text


def _said(content: Content, list_button: str) -> dict[str, Any]:
    replies = suggestions_of(content)
    match content:
        case Named():
            return {"type": "template", "template": _template(content)}
        case Text(text=text):
            if not replies:
                # Without preview_url a link is words alone.
                return {"type": "text", "text": {"body": text, "preview_url": "://" in text}}
            return _interactive(text, None, replies, list_button)
        case Card(card=card):
            if not replies:
                if card.media is None:
                    text = card_text(card)
                    return {"type": "text", "text": {"body": text, "preview_url": "://" in text}}
                return _media(card.media, kind_of(card.media, "image"), card_text(card))
            if card.media is not None:
                header = _media(card.media, kind_of(card.media, "image"))
                return _interactive(card_text(card), header, replies, list_button)
            alone = len(replies) == 1 and isinstance(replies[0], ShareLocation)  # nothing may be above it
            if card.description and 0 < len(card.title) <= HEADER_TEXT and not alone:
                return _interactive(card.description, {"type": "text", "text": card.title}, replies, list_button)
            return _interactive(card_text(card), None, replies, list_button)
        case File(media=media):
            told = _media(media, kind_of(media, "document"))
            return _interactive(media.description, told, replies, list_button) if replies else told
        case Carousel(cards=cards):  # check() refuses it, core.fit makes a text of it
            return {"type": "text", "text": {"body": "\n\n".join(map(card_text, cards))}}


def _media(media: Media, kind: str, caption: str = "") -> dict[str, Any]:
    """{"type": "image", "image": {…}}: by the id of an upload, or by the link that Meta fetches."""
    if media.reference is not None:
        told = {"id": media.reference.partition("/")[2]}
    else:
        told = {"link": media.url or ""}
    if kind == "document":
        name = basename(unquote(urlsplit(media.url).path)) if media.url else media.description
        if name:
            told["filename"] = name
    if caption:
        told["caption"] = caption
    return {"type": kind, kind: told}


def _interactive(
    body: str, header: dict[str, Any] | None, suggestions: tuple[Suggestion, ...], list_button: str
) -> dict[str, Any]:
    told: dict[str, Any] = {"body": {"text": body}}
    if header is not None:
        told["header"] = header
    match suggestions:
        case (OpenUrl(text=text, url=url),):
            parameters = {"display_text": text, "url": url}
            told.update(type="cta_url", action={"name": "cta_url", "parameters": parameters})
        case (ShareLocation(),):
            told.update(type="location_request_message", action={"name": "send_location"})
        case _ if is_list(body, suggestions):
            rows = [{"id": postback(one), "title": one.text} for one in suggestions]
            told.update(type="list", action={"button": list_button, "sections": [{"rows": rows}]})
        case _:
            buttons = [{"type": "reply", "reply": {"id": postback(one), "title": one.text}} for one in suggestions]
            told.update(type="button", action={"buttons": buttons})
    return {"type": "interactive", "interactive": told}


def _template(content: Named) -> dict[str, Any]:
    components: list[dict[str, Any]] = []
    if content.header:
        components.append({"type": "header", "parameters": [_parameter(one) for one in content.header]})
    if content.body:
        components.append({"type": "body", "parameters": [_parameter(one) for one in content.body]})
    components += [_button(one) for one in content.buttons]
    told: dict[str, Any] = {
        "name": content.name,
        "language": {"policy": "deterministic", "code": content.language},
    }
    if components:
        told["components"] = components
    return told


def _parameter(one: Parameter) -> dict[str, Any]:
    told: dict[str, Any]
    if one.media is not None:
        told = _media(one.media, kind_of(one.media, "image"))
    else:
        told = {"type": "text", "text": one.text}
    if one.name:
        told["parameter_name"] = one.name
    return told


def _button(one: Button) -> dict[str, Any]:
    match one.kind:
        case "reply":
            kind, parameter = "quick_reply", {"type": "payload", "payload": one.value}
        case "url":
            # The variable end of an address must be percent-encoded; what is encoded already is left alone.
            kind, parameter = "url", {"type": "text", "text": quote(one.value, safe="%/:?#[]@!$&'()*+,;=~")}
        case "copy_code":
            kind, parameter = "copy_code", {"type": "coupon_code", "coupon_code": one.value}
    return {"type": "button", "sub_type": kind, "index": str(one.index), "parameters": [parameter]}
