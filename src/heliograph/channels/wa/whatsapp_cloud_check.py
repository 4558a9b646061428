"""What WhatsApp allows in one message: one sentence for each fault, with the place and the numbers.

Limits: the message and template pages of developers.facebook.com …/business-messaging/whatsapp; (r) = recalled.
"""

from __future__ import annotations

import re

from heliograph.channels.wa.whatsapp_cloud_wire import (
    BUTTON_BODY,
    BUTTON_TITLE,
    NATIVE,
    card_text,
    is_list,
    kind_of,
    postback,
    suggestions_of,
)
from heliograph.core.content import (
    Button,
    Card,
    Carousel,
    Content,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    ShareLocation,
    Suggestion,
    Text,
)

TEXT = 4096  # characters
CAPTION = 1024
LIST_BODY = 4096
ROWS = 10
ROW_TITLE = 24
ROW_ID = 200
BUTTON_ID = 256
URL = 2000
NAME = 512
BUTTONS_OF_A_TEMPLATE = 10
PARAMETER = 1024  # a body with its values has no more
PAYLOAD = 256  # (r)
CODE = 20
_MOST = {"reply": PAYLOAD, "url": URL, "copy_code": CODE}  # characters of a button's value
HEADERS = frozenset({"image", "video", "document"})  # kinds that may stand above an interactive message or a template

_NAME = re.compile(r"[a-z0-9_@A-Z]+")  # Meta: a-z 0-9 _; in a template it may hold @Name
_BREAKS = re.compile(r"[\n\r\t]| {4,}")


def check(content: Content) -> list[str]:
    """One sentence per fault; empty for a message that WhatsApp's documented limits allow."""
    faults: list[str] = []
    replies = suggestions_of(content)
    match content:
        case Named():
            _named(content, faults)
        case Text(text=text):
            if not text:
                faults.append("text is empty; WhatsApp needs at least one character.")
            elif not replies:
                _long(text, TEXT, "text", faults)
            else:
                _interactive(text, replies, None, faults)
        case Card(card=card):
            text = card_text(card)
            if card.media is not None:
                _media(card.media, "the card's media", faults)
            if replies:
                _interactive(text, replies, kind_of(card.media, "image") if card.media else None, faults)
            elif card.media is None:
                _long(text, TEXT, "the card's text", faults)
                if not text:
                    faults.append("the card is empty; WhatsApp needs a title, a description or media.")
            elif text and kind_of(card.media, "image") not in HEADERS:
                faults.append(
                    "the card's media can have no text beside it; WhatsApp shows pictures, films and documents so."
                )
            else:
                _long(text, CAPTION, "the card's text", faults)
        case File(media=media):
            _media(media, "file", faults)
            if replies:
                _interactive(media.description, replies, kind_of(media, "document"), faults)
        case Carousel():
            faults.append("WhatsApp has no carousel outside its own templates; use a card, or a list of replies.")
    if content.native and NATIVE in content.native and not bytes(content.native[NATIVE]).lstrip().startswith(b"{"):
        faults.append(f'native "{NATIVE}" is not a JSON object; it holds fields of WhatsApp\'s message.')
    return faults


def _long(text: str, most: int, place: str, faults: list[str]) -> None:
    if len(text) > most:
        faults.append(f"{place} is {len(text)} characters, WhatsApp allows {most}.")


def _media(media: Media, place: str, faults: list[str]) -> None:
    if (media.url is None) == (media.upload is None):
        faults.append(f"{place} needs either a URL or an upload, and only one of them.")
    if media.url is not None:
        _url(media.url, f"{place} URL", faults)


def _url(url: str, place: str, faults: list[str]) -> None:
    _long(url, URL, place, faults)
    if not url.startswith("@") and not url[:8].lower().startswith(("https://", "http://")):
        faults.append(f"{place} does not begin with https://.")


def _interactive(body: str, suggestions: tuple[Suggestion, ...], header: str | None, faults: list[str]) -> None:
    """Faults of a message with suggestions. `header`: the kind of the medium above it."""
    if not body:
        faults.append("a message with suggestions needs a text: a card's title or description, a file's description.")
    if header is not None and header not in HEADERS:
        faults.append(
            f"a message with suggestions cannot have {header} above it; WhatsApp takes a picture, film or document."
        )
    match suggestions:
        case (OpenUrl(text=text, url=url),):
            _long(body, BUTTON_BODY, "the text above a link", faults)
            _title(text, BUTTON_TITLE, 1, faults)
            _url(url, "URL of suggestion 1", faults)
            return
        case (ShareLocation(),):
            _long(body, BUTTON_BODY, "the text above a request for the location", faults)
            if header is not None:
                faults.append("a request for the location can have nothing above it.")
            return
    if any([not isinstance(one, Reply) for one in suggestions]):
        faults.append(
            "WhatsApp shows replies, or one link, or one request for the location; not several of these at once."
        )
        return
    as_list = is_list(body, suggestions)
    if as_list and header is not None:
        faults.append(
            f"with media above it a message has up to 3 replies of {BUTTON_TITLE} characters and a text of "
            f"{BUTTON_BODY}; more becomes a list, and a list can have no media."
        )
    _long(body, LIST_BODY if as_list else BUTTON_BODY, "the text above the replies", faults)
    if len(suggestions) > ROWS:
        faults.append(f"the message has {len(suggestions)} replies, WhatsApp allows {ROWS}.")
    longest = ROW_ID if as_list else BUTTON_ID
    for number, one in enumerate(suggestions, 1):
        _title(one.text, ROW_TITLE if as_list else BUTTON_TITLE, number, faults)
        if len(postback(one)) > longest:
            faults.append(
                f"suggestion {number} has postback data of {len(postback(one))} characters, WhatsApp allows {longest}."
            )
    many = len(suggestions)
    if len({one.text for one in suggestions}) != many:
        faults.append("two suggestions have the same text; WhatsApp refuses that.")
    if len({one.postback or one.text for one in suggestions}) != many:
        faults.append("two suggestions have the same postback data; WhatsApp refuses that.")


def _title(text: str, most: int, number: int, faults: list[str]) -> None:
    if not 0 < len(text) <= most:
        faults.append(f"suggestion {number} has a text of {len(text)} characters, WhatsApp allows 1 to {most}.")


def _named(content: Named, faults: list[str]) -> None:
    if not _NAME.fullmatch(content.name) or len(content.name) > NAME:
        faults.append(f"the template's name must be 1 to {NAME} of a-z, 0-9 and _, as it stands in WhatsApp Manager.")
    if not content.language:
        faults.append("the template has no language; give Meta's code for it, such as en_US.")
    if len(content.header) > 1:
        faults.append(f"the header has {len(content.header)} values, WhatsApp allows 1.")
    for place, values in (("header", content.header), ("body", content.body)):
        for number, one in enumerate(values, 1):
            # Most are plain text: what a fault would be called is not written for each of them.
            if one.media is not None or not 0 < len(one.text) <= PARAMETER or _BREAKS.search(one.text):
                _parameter(one, f"value {one.name or number} of the {place}", place, faults)
    if len({bool(one.name) for one in (*content.header, *content.body) if one.media is None}) > 1:
        faults.append("some values are named and some count by position; Meta's templates are one or the other.")
    if len({one.index for one in content.buttons}) != len(content.buttons):
        faults.append("two values are for the same button.")
    for button in content.buttons:
        _button(button, faults)
    if content.free is not None:
        faults.extend(f"free form: {fault}" for fault in check(content.free))


def _parameter(one: Parameter, place: str, component: str, faults: list[str]) -> None:
    if one.media is not None:
        _media(one.media, place, faults)
        if component != "header":
            faults.append(f"{place} is a medium; WhatsApp takes one in the header alone.")
        elif kind_of(one.media, "image") not in HEADERS:
            faults.append(f"{place} is neither a picture, a film nor a document.")
        return
    if not one.text:
        faults.append(f"{place} is empty; WhatsApp refuses an empty value.")
    elif _BREAKS.search(one.text):
        faults.append(f"{place} holds a line break, a tab or four spaces in a row; WhatsApp refuses them.")
    _long(one.text, PARAMETER, place, faults)


def _button(one: Button, faults: list[str]) -> None:
    if not 0 <= one.index < BUTTONS_OF_A_TEMPLATE:
        faults.append(f"button {one.index} is not one of 0 to {BUTTONS_OF_A_TEMPLATE - 1}.")
    most = _MOST[one.kind]
    if not 0 < len(one.value) <= most:
        faults.append(f"the value of button {one.index} is {len(one.value)} characters, WhatsApp allows 1 to {most}.")
