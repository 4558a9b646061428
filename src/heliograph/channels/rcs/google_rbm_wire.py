"""Content → Google's AgentMessage, as JSON. Nothing is checked here; google_rbm_check.py does that before.

Shapes: developers.google.com …/reference/rest/v1/phones.agentMessages and the model pages of Google's Java client.
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.channels.kit import rfc3339
from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Content,
    Dial,
    File,
    Height,
    Media,
    Named,
    OpenUrl,
    Orientation,
    Reply,
    ShareLocation,
    Side,
    Suggestion,
    Text,
    ViewLocation,
    Width,
)

NATIVE = "google-rbm"  # the key in `content.native`: an object whose fields replace those of contentMessage
LONGEST_MS = 15 * 86_400_000  # Google refuses a time to live above 15 days

TRAFFIC = {
    "transaction": "TRANSACTION",
    "promotion": "PROMOTION",
    "authentication": "AUTHENTICATION",
    "service_request": "SERVICEREQUEST",
    "acknowledgement": "ACKNOWLEDGEMENT",
}

# Google writes our words in capitals; read once, a look-up is quicker than .value.upper() on each card.
_WORD: dict[object, str] = {
    word: word.value.upper() for kind in (Height, Orientation, Side, Width) for word in kind.__members__.values()
}

_encode = msgspec.json.Encoder().encode


def message(content: Content, *, expires: int, now: int, traffic: str) -> bytes:
    """The body of a create call. `expires` and `now` in ms; `traffic` one of TRAFFIC (KeyError otherwise).

    An absolute expireTime and not a ttl, so that a repeat with the same id does not live longer than the first."""
    return _encode(
        {
            "contentMessage": content_message(content),
            "messageTrafficType": TRAFFIC[traffic],
            "expireTime": rfc3339(min(expires, now + LONGEST_MS)),
        }
    )


def content_message(content: Content) -> dict[str, Any]:
    """The contentMessage object."""
    told: dict[str, Any]
    match content:
        case Card():
            told = {
                "richCard": {
                    "standaloneCard": {
                        "cardOrientation": _WORD[content.orientation],
                        "thumbnailImageAlignment": _WORD[content.thumbnail_side],
                        "cardContent": _card(content.card),
                    }
                }
            }
        case Carousel():
            cards = [_card(card) for card in content.cards]
            told = {"richCard": {"carouselCard": {"cardWidth": _WORD[content.width], "cardContents": cards}}}
        case File():
            told = _file(content.media)
        case Text():
            told = {"text": content.text}
        case Named():
            told = {"text": content.shown}
    if content.suggestions:
        told["suggestions"] = [_suggestion(one) for one in content.suggestions]
    if content.native and NATIVE in content.native:
        told.update(msgspec.json.decode(content.native[NATIVE], type=dict[str, msgspec.Raw]))
    return told


def _card(card: CardBody) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if card.title:
        told["title"] = card.title
    if card.description:
        told["description"] = card.description
    if card.media is not None:
        told["media"] = {**_file(card.media), "height": _WORD[card.media.height]}
    if card.suggestions:
        told["suggestions"] = [_suggestion(one) for one in card.suggestions]
    return told


def _file(media: Media) -> dict[str, Any]:
    """Where the bytes are: an upload by its name, or a URL. `fileName` is deprecated but is the form that Google gives
    back for an upload without a thumbnail (and that the source document shows); uploadedRbmFile has room for one."""
    if media.reference is not None:
        if media.thumbnail_url:
            return {"uploadedRbmFile": {"fileName": media.reference, "thumbnailName": media.thumbnail_url}}
        return {"fileName": media.reference}
    if media.thumbnail_url:
        return {"contentInfo": {"fileUrl": media.url, "thumbnailUrl": media.thumbnail_url}}
    return {"contentInfo": {"fileUrl": media.url}}


def _suggestion(one: Suggestion) -> dict[str, Any]:
    # A tap without postback data could not be told from others: the text stands in for it.
    postback = one.postback or one.text
    if isinstance(one, Reply):
        return {"reply": {"text": one.text, "postbackData": postback}}
    action: dict[str, Any] = {"text": one.text, "postbackData": postback}
    match one:
        case OpenUrl():
            action["openUrlAction"] = {"url": one.url}
        case Dial():
            action["dialAction"] = {"phoneNumber": one.phone}
        case ViewLocation(latitude=latitude) if latitude is not None:
            place: dict[str, Any] = {"latLong": {"latitude": latitude, "longitude": one.longitude}}
            if one.label:
                place["label"] = one.label
            action["viewLocationAction"] = place
        case ViewLocation():
            action["viewLocationAction"] = {"query": one.query}
        case CalendarEvent():
            event = {"startTime": one.start, "endTime": one.end, "title": one.title}
            if one.description:
                event["description"] = one.description
            action["createCalendarEventAction"] = event
        case ShareLocation():
            action["shareLocationAction"] = {}
    if not isinstance(one, ShareLocation) and one.fallback_url:
        action["fallbackUrl"] = one.fallback_url
    return {"action": action}
