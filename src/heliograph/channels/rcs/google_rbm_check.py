"""What Google RBM allows in one message: one sentence for each fault, with the place and the numbers.

Limits: developers.google.com …/guides/build/messages/send and the model pages of Google's Java client.
"""

from __future__ import annotations

import msgspec

from heliograph.channels.rcs.google_rbm_wire import NATIVE, content_message
from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Content,
    Dial,
    File,
    Media,
    Named,
    OpenUrl,
    Reply,
    ShareLocation,
    Suggestion,
    Text,
    ViewLocation,
)

TEXT = 3072  # characters
TITLE = 200
DESCRIPTION = 2000
CARDS_LEAST, CARDS_MOST = 2, 10
CHIPS = 11  # suggestions under a message
CARD_SUGGESTIONS = 4
SUGGESTION_TEXT = 25
POSTBACK = 2048  # the reference states it for actions, the guide for replies too
URL = 2048
MESSAGE_BYTES = 250_000  # "250 KB" for the whole message as a string


def check(content: Content) -> list[str]:
    """One sentence per fault; empty for a message that Google's documented limits allow."""
    faults: list[str] = []
    size = 0  # characters; a message below a quarter of the limit cannot be above it in bytes
    match content:
        case Text(text=text):
            size += len(text)
            if not text:
                faults.append("text is empty; RCS needs at least one character.")
            elif len(text) > TEXT:
                faults.append(f"text is {len(text)} characters, RCS allows {TEXT}.")
        case Card(card=card):
            size += _card(card, "", faults)
        case Carousel(cards=cards):
            if not CARDS_LEAST <= len(cards) <= CARDS_MOST:
                faults.append(f"carousel has {len(cards)} cards, RCS allows {CARDS_LEAST} to {CARDS_MOST}.")
            for number, card in enumerate(cards, 1):
                size += _card(card, f"card {number} ", faults)
        case File(media=media):
            _media(media, "file", faults)
        case Named(name=name):
            return [f"the message {name!r} is kept by name at another provider; RCS has no such messages."]
    if content.suggestions:
        size += _suggestions(content.suggestions, CHIPS, "the message", faults)
    if content.native and NATIVE in content.native:
        size += len(content.native[NATIVE])
        if not bytes(content.native[NATIVE]).lstrip().startswith(b"{"):
            faults.append(f'native "{NATIVE}" is not a JSON object; it holds fields of Google\'s contentMessage.')
            return faults
    if size * 4 > MESSAGE_BYTES:
        exact = len(msgspec.json.encode(content_message(content)))
        if exact > MESSAGE_BYTES:
            faults.append(f"message is {exact} bytes, RCS allows {MESSAGE_BYTES}.")
    return faults


def _card(card: CardBody, place: str, faults: list[str]) -> int:
    """Faults of one card; answers its characters."""
    title, description, media = card.title, card.description, card.media
    if len(title) > TITLE:
        faults.append(f"{place}title is {len(title)} characters, RCS allows {TITLE}.")
    if len(description) > DESCRIPTION:
        faults.append(f"{place}description is {len(description)} characters, RCS allows {DESCRIPTION}.")
    if media is not None:
        _media(media, f"{place}media", faults)
    elif not title and not description:
        faults.append(f"{place or 'card '}is empty; RCS needs a title, a description or media.")
    size = len(title) + len(description)
    if card.suggestions:
        size += _suggestions(card.suggestions, CARD_SUGGESTIONS, place.strip() or "the card", faults)
    return size


def _media(media: Media, place: str, faults: list[str]) -> None:
    if (media.url is None) == (media.upload is None):
        faults.append(f"{place} needs either a URL or an upload, and only one of them.")
    if media.url is not None:
        _url(media.url, f"{place} URL", faults)
        if media.thumbnail_url:
            _url(media.thumbnail_url, f"{place} thumbnail URL", faults)
    elif media.thumbnail_url and not media.thumbnail_url.startswith("files/"):
        faults.append(
            f"{place} is an upload, and Google takes only an uploaded thumbnail beside it (files/…); "
            "leave the thumbnail out or give both as URLs."
        )


def _suggestions(suggestions: tuple[Suggestion, ...], most: int, owner: str, faults: list[str]) -> int:
    """Faults of a row of suggestions; answers its characters."""
    if len(suggestions) > most:
        faults.append(f"{owner} has {len(suggestions)} suggestions, RCS allows {most}.")
    size = 0
    for number, one in enumerate(suggestions, 1):
        size += len(one.text) + len(one.postback)
        if not 0 < len(one.text) <= SUGGESTION_TEXT:
            faults.append(
                f"suggestion {number} of {owner} has a text of {len(one.text)} characters, RCS allows 1 to "
                f"{SUGGESTION_TEXT}."
            )
        if len(one.postback) > POSTBACK:
            faults.append(
                f"suggestion {number} of {owner} has postback data of {len(one.postback)} characters, RCS allows "
                f"{POSTBACK}."
            )
        if not isinstance(one, Reply):
            size += _action(one, f"suggestion {number} of {owner}", faults)
    return size


def _action(one: Suggestion, place: str, faults: list[str]) -> int:
    size = 0
    match one:
        case OpenUrl(url=url):
            _url(url, f"URL of {place}", faults)
            size = len(url)
        case Dial(phone=phone) if not phone.startswith(("+", "@")):
            faults.append(f"{place} dials a number without its country code; write it as +17705550123.")
        case ViewLocation(latitude=None, longitude=None, query=""):
            faults.append(f"{place} names no place; give coordinates or a query.")
        case ViewLocation(latitude=latitude, longitude=longitude) if (latitude is None) != (longitude is None):
            faults.append(f"{place} has one coordinate; a place needs latitude and longitude.")
        case ViewLocation(latitude=float(latitude), longitude=float(longitude)):
            if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
                faults.append(f"{place} is off the map ({latitude:g}, {longitude:g}); degrees are ±90 and ±180.")
        case CalendarEvent(start=start, end=end, title=title) if not (start and end and title):
            faults.append(f"{place} needs a start, an end and a title.")
        case _:
            pass
    if not isinstance(one, Reply | ShareLocation) and one.fallback_url:
        _url(one.fallback_url, f"fallback URL of {place}", faults)
        size += len(one.fallback_url)
    return size


def _url(url: str, place: str, faults: list[str]) -> None:
    if len(url) > URL:
        faults.append(f"{place} is {len(url)} characters, RCS allows {URL}.")
    if not url.startswith(("https://", "http://", "@")) and not url[:8].lower().startswith(("https://", "http://")):
        faults.append(f"{place} does not begin with https://.")
