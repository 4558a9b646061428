"""What a message says, in neutral terms. A channel's folder turns it into its provider's form.

The same shapes are used twice: in a template (where every string may hold `@Name`) and, rendered, in an attempt.
`native` holds one provider's own extras, read by that provider's folder alone. `options` are replies that the channel
cannot show as such and that stand as numbers in the text (core.fit): the first is 1; never in a template.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import msgspec


class Orientation(StrEnum):
    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class Side(StrEnum):
    LEFT = "left"
    RIGHT = "right"


class Height(StrEnum):
    SHORT = "short"
    MEDIUM = "medium"
    TALL = "tall"


class Width(StrEnum):
    SMALL = "small"
    MEDIUM = "medium"


class Media(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture, film, sound or document. Exactly one of `url` (the recipient's phone fetches it) and `upload` (the
    SHA-256 in hex of bytes kept in our store; they are uploaded once per sender and then referred to) is set.

    `reference` is the provider's name for the upload, filled in right before sending, never in a template.
    """

    url: str | None = None
    upload: str | None = None
    thumbnail_url: str | None = None
    height: Height = Height.MEDIUM
    description: str = ""
    reference: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="reply"):
    """A chip that answers with its text; `postback` comes back verbatim when it is tapped."""

    text: str
    postback: str = ""


class OpenUrl(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="open_url"):
    text: str
    url: str
    postback: str = ""
    fallback_url: str = ""


class Dial(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="dial"):
    text: str
    phone: str
    postback: str = ""
    fallback_url: str = ""


class ViewLocation(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="view_location"):
    """A place: either coordinates (degrees) with an optional label, or a query for the map."""

    text: str
    latitude: float | None = None
    longitude: float | None = None
    label: str = ""
    query: str = ""
    postback: str = ""
    fallback_url: str = ""


class CalendarEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="calendar_event"):
    """`start` and `end` are RFC 3339 times."""

    text: str
    start: str
    end: str
    title: str
    description: str = ""
    postback: str = ""
    fallback_url: str = ""


class ShareLocation(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="share_location"):
    text: str
    postback: str = ""


Suggestion = Reply | OpenUrl | Dial | ViewLocation | CalendarEvent | ShareLocation


class CardBody(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """At least one of title, description and media is there."""

    title: str = ""
    description: str = ""
    media: Media | None = None
    suggestions: tuple[Suggestion, ...] = ()


class Text(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="text"):
    text: str
    suggestions: tuple[Suggestion, ...] = ()
    options: tuple[Reply, ...] = ()
    native: dict[str, msgspec.Raw] = {}


class Card(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="card"):
    """One card. `suggestions` of the card stand in it; those of the message stand under it as chips."""

    card: CardBody
    orientation: Orientation = Orientation.VERTICAL
    thumbnail_side: Side = Side.RIGHT
    suggestions: tuple[Suggestion, ...] = ()
    options: tuple[Reply, ...] = ()
    native: dict[str, msgspec.Raw] = {}


class Carousel(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="carousel"):
    cards: tuple[CardBody, ...]
    width: Width = Width.MEDIUM
    suggestions: tuple[Suggestion, ...] = ()
    options: tuple[Reply, ...] = ()
    native: dict[str, msgspec.Raw] = {}


class File(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="file"):
    media: Media
    suggestions: tuple[Suggestion, ...] = ()
    native: dict[str, msgspec.Raw] = {}


class Parameter(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value of a named message. Without a `name` it counts by its position; `media` where a picture, film or
    document is the value."""

    text: str = ""
    name: str = ""
    media: Media | None = None


class Button(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One value of a named message's button. `index` from 0; `kind`: reply (`value` is the payload that comes back) |
    url (the variable end of its address) | copy_code (the code)."""

    index: int
    kind: Literal["reply", "url", "copy_code"]
    value: str


class Named(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="named"):
    """A message that the provider keeps under a name and fills with our values (a WhatsApp template, a Twilio
    Content). `language` is the provider's own code for it ("en_US").

    `shown` is what the recipient reads, for records, previews and agents; `suggestions` are what its buttons stand for,
    so that a tap is matched by its postback. `free`: the same in free form, sent instead while the recipient's window
    is open (core.channel.Carries.window).
    """

    name: str
    language: str = ""
    header: tuple[Parameter, ...] = ()
    body: tuple[Parameter, ...] = ()
    buttons: tuple[Button, ...] = ()
    shown: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    free: Text | Card | Carousel | File | None = None
    native: dict[str, msgspec.Raw] = {}


Content = Text | Card | Carousel | File | Named


def media_of(content: Content) -> tuple[Media, ...]:
    """Every medium in a content, in reading order; of a named message those of its free form too."""
    match content:
        case Card(card=body):
            return (body.media,) if body.media else ()
        case Carousel(cards=bodies):
            return tuple(body.media for body in bodies if body.media)
        case File(media=media):
            return (media,)
        case Named(header=header, body=values, free=free):
            own = tuple(value.media for value in (*header, *values) if value.media)
            return own + (media_of(free) if free is not None else ())
        case Text():
            return ()


def suggestions_of(content: Content) -> tuple[Suggestion, ...]:
    """Every suggestion that a recipient may answer with: those of the cards, of the message, and the numbered ones."""
    match content:
        case Text():
            return content.suggestions + content.options
        case Card(card=body):
            return body.suggestions + content.suggestions + content.options
        case Carousel(cards=bodies):
            own = tuple(one for body in bodies for one in body.suggestions)
            return own + content.suggestions + content.options
        case File():
            return content.suggestions
        case Named(free=free):
            return content.suggestions + (suggestions_of(free) if free is not None else ())


def with_references(content: Content, references: dict[str, str]) -> Content:
    """The content with the provider's names of its uploads filled in (`references`: SHA-256 → name)."""

    def named(media: Media) -> Media:
        return msgspec.structs.replace(media, reference=references[media.upload]) if media.upload else media

    def body(card: CardBody) -> CardBody:
        return msgspec.structs.replace(card, media=named(card.media)) if card.media else card

    def values(parameters: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
        return tuple(msgspec.structs.replace(p, media=named(p.media)) if p.media else p for p in parameters)

    match content:
        case Card(card=card):
            return msgspec.structs.replace(content, card=body(card))
        case Carousel(cards=cards):
            return msgspec.structs.replace(content, cards=tuple(body(card) for card in cards))
        case File(media=media):
            return msgspec.structs.replace(content, media=named(media))
        case Named(free=free):
            return msgspec.structs.replace(
                content,
                header=values(content.header),
                body=values(content.body),
                free=with_references(free, references) if free is not None else None,
            )
        case Text():
            return content
