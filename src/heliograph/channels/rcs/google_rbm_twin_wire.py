"""Google's AgentMessage as its documentation gives it: shapes.

Sources: Google's pages "Send messages", "phones.agentMessages.create" and the model reference of the API's examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

TRAFFIC = Literal[
    "MESSAGE_TRAFFIC_TYPE_UNSPECIFIED",
    "AUTHENTICATION",
    "TRANSACTION",
    "PROMOTION",
    "SERVICEREQUEST",
    "ACKNOWLEDGEMENT",
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Google refuses names that it does not know."""


class LatLong(_Wire, frozen=True):
    latitude: float = 0.0
    longitude: float = 0.0


class DialAction(_Wire, frozen=True):
    phone_number: str = ""


class OpenUrlAction(_Wire, frozen=True):
    url: str = ""
    application: Literal["OPEN_URL_APPLICATION_UNSPECIFIED", "BROWSER", "WEBVIEW"] | None = None
    webview_view_mode: Literal["WEBVIEW_VIEW_MODE_UNSPECIFIED", "FULL", "HALF", "TALL"] | None = None
    description: str | None = None


class ViewLocationAction(_Wire, frozen=True):
    lat_long: LatLong | None = None
    label: str | None = None
    query: str | None = None


class CalendarAction(_Wire, frozen=True):
    start_time: str = ""
    end_time: str = ""
    title: str = ""
    description: str | None = None


class ShareLocationAction(_Wire, frozen=True):
    pass


class Action(_Wire, frozen=True):
    text: str = ""
    postback_data: str | None = None
    fallback_url: str | None = None
    dial_action: DialAction | None = None
    open_url_action: OpenUrlAction | None = None
    view_location_action: ViewLocationAction | None = None
    create_calendar_event_action: CalendarAction | None = None
    share_location_action: ShareLocationAction | None = None


class ReplyChip(_Wire, frozen=True):
    text: str = ""
    postback_data: str | None = None


class Suggestion(_Wire, frozen=True):
    reply: ReplyChip | None = None
    action: Action | None = None


class ContentInfo(_Wire, frozen=True):
    file_url: str = ""
    thumbnail_url: str | None = None
    force_refresh: bool | None = None


class RbmFile(_Wire, frozen=True):
    file_name: str = ""
    thumbnail_name: str | None = None


class Media(_Wire, frozen=True):
    height: Literal["HEIGHT_UNSPECIFIED", "SHORT", "MEDIUM", "TALL"] | None = None
    content_info: ContentInfo | None = None
    uploaded_rbm_file: RbmFile | None = None
    file_name: str | None = None  # deprecated, still taken


class CardContent(_Wire, frozen=True):
    title: str | None = None
    description: str | None = None
    media: Media | None = None
    suggestions: list[Suggestion] = []


class StandaloneCard(_Wire, frozen=True):
    card_orientation: Literal["CARD_ORIENTATION_UNSPECIFIED", "HORIZONTAL", "VERTICAL"] | None = None
    thumbnail_image_alignment: Literal["THUMBNAIL_IMAGE_ALIGNMENT_UNSPECIFIED", "LEFT", "RIGHT"] | None = None
    card_content: CardContent = CardContent()


class CarouselCard(_Wire, frozen=True):
    card_width: Literal["CARD_WIDTH_UNSPECIFIED", "SMALL", "MEDIUM"] | None = None
    card_contents: list[CardContent] = []


class RichCard(_Wire, frozen=True):
    standalone_card: StandaloneCard | None = None
    carousel_card: CarouselCard | None = None


class ContentMessage(_Wire, frozen=True):
    text: str | None = None
    file_name: str | None = None
    uploaded_rbm_file: RbmFile | None = None
    rich_card: RichCard | None = None
    content_info: ContentInfo | None = None
    suggestions: list[Suggestion] = []


class AgentMessage(_Wire, frozen=True):
    """What a create sends. `content_message` stays raw beside the checked form, so that it is answered to the byte."""

    name: str | None = None
    send_time: str | None = None
    expire_time: str | None = None
    ttl: str | None = None
    message_traffic_type: TRAFFIC | None = None
    rich_message_classification: msgspec.Raw | None = None
    content_message: msgspec.Raw = msgspec.Raw(b"{}")


class Resource(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What a create answers. The field order is that of Google's own answers."""

    name: str
    send_time: str
    content_message: msgspec.Raw
    expire_time: str | None = None
    message_traffic_type: str | None = None


_CONTENT = msgspec.json.Decoder(ContentMessage)


def content_message(raw: msgspec.Raw) -> ContentMessage:
    """Raises msgspec.ValidationError or DecodeError."""
    return _CONTENT.decode(raw)


def files(message: ContentMessage) -> Iterator[str]:
    """The names of all uploaded files that a message refers to."""
    if message.file_name:
        yield message.file_name
    yield from _file_names(message.uploaded_rbm_file)
    for card in cards(message):
        if card.media:
            if card.media.file_name:
                yield card.media.file_name
            yield from _file_names(card.media.uploaded_rbm_file)


def _file_names(file: RbmFile | None) -> Iterator[str]:
    if file:
        yield file.file_name
        if file.thumbnail_name:
            yield file.thumbnail_name


def cards(message: ContentMessage) -> list[CardContent]:
    rich = message.rich_card
    if rich and rich.standalone_card:
        return [rich.standalone_card.card_content]
    return rich.carousel_card.card_contents if rich and rich.carousel_card else []
