"""What Google asks of a message beyond its shape: limits and what goes together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from heliograph.channels.rcs.google_rbm_twin_time import timestamp_ms
from heliograph.channels.rcs.google_rbm_twin_wire import (
    Action,
    CardContent,
    ContentMessage,
    RichCard,
    Suggestion,
    files,
)

# Limits as documented. "250 KB" is read as 250 * 1024 bytes.
MESSAGE_BYTES = 250 * 1_024
TEXT = 3_072
SUGGESTIONS, CARD_SUGGESTIONS = 11, 4
SUGGESTION_TEXT = 25
POSTBACK = 2_048
URL = 2_048
TITLE, DESCRIPTION = 200, 2_000
CARDS = range(2, 11)

_E164 = re.compile(r"\+[1-9][0-9]{1,14}")
_FILE = re.compile(r"files/[A-Za-z0-9_-]+")


def fault(message: ContentMessage) -> str:
    """The first rule that a message breaks, as (Google's words differ from day to day) a sentence; empty if none."""
    return next(_faults(message), "")


def _faults(message: ContentMessage) -> Iterator[str]:
    where = "agent_message.content_message"
    contents = [message.text, message.file_name, message.uploaded_rbm_file, message.rich_card, message.content_info]
    if (given := sum(content is not None for content in contents)) != 1:
        yield f"{where}: exactly one of text, file_name, uploaded_rbm_file, rich_card and content_info; {given} given."
    if message.text is not None:
        if not message.text:
            yield f"{where}.text must not be empty."
        yield from _long(f"{where}.text", message.text, TEXT)
    if message.content_info:
        yield from _url(f"{where}.content_info.file_url", message.content_info.file_url)
    yield from _suggestions(where, message.suggestions, SUGGESTIONS)
    if message.rich_card:
        yield from _rich(f"{where}.rich_card", message.rich_card)
    for name in files(message):
        if not _FILE.fullmatch(name):
            yield f"{where}: {name!r} is not the name of a file; it looks like files/<id>."


def _rich(where: str, rich: RichCard) -> Iterator[str]:
    if (rich.standalone_card is None) is (rich.carousel_card is None):
        yield f"{where}: exactly one of standalone_card and carousel_card."
    if rich.standalone_card:
        yield from _card(f"{where}.standalone_card.card_content", rich.standalone_card.card_content)
    if rich.carousel_card:
        bodies = rich.carousel_card.card_contents
        if len(bodies) not in CARDS:
            yield f"{where}.carousel_card.card_contents: {len(bodies)} cards; 2 to 10 are allowed."
        for index, body in enumerate(bodies):
            yield from _card(f"{where}.carousel_card.card_contents[{index}]", body)


def _card(where: str, card: CardContent) -> Iterator[str]:
    if not card.title and not card.description and not card.media:
        yield f"{where} needs at least one of title, description and media."
    yield from _long(f"{where}.title", card.title, TITLE)
    yield from _long(f"{where}.description", card.description, DESCRIPTION)
    yield from _suggestions(where, card.suggestions, CARD_SUGGESTIONS)
    if media := card.media:
        if sum(one is not None for one in (media.content_info, media.uploaded_rbm_file, media.file_name)) != 1:
            yield f"{where}.media: exactly one of content_info, uploaded_rbm_file and file_name."
        if media.content_info:
            yield from _url(f"{where}.media.content_info.file_url", media.content_info.file_url)


def _suggestions(where: str, suggestions: list[Suggestion], most: int) -> Iterator[str]:
    if len(suggestions) > most:
        yield f"{where}.suggestions: {len(suggestions)} suggestions; at most {most} are allowed."
    for index, suggestion in enumerate(suggestions):
        yield from _suggestion(f"{where}.suggestions[{index}]", suggestion)


def _suggestion(where: str, suggestion: Suggestion) -> Iterator[str]:
    if (suggestion.reply is None) is (suggestion.action is None):
        yield f"{where}: exactly one of reply and action."
        return
    chip = suggestion.reply or suggestion.action
    if chip is not None:
        if not chip.text:
            yield f"{where}: text must not be empty."
        yield from _long(f"{where}.text", chip.text, SUGGESTION_TEXT)
        yield from _long(f"{where}.postback_data", chip.postback_data, POSTBACK)
    if action := suggestion.action:
        yield from _action(f"{where}.action", action)


def _action(where: str, action: Action) -> Iterator[str]:
    kinds = (
        action.dial_action,
        action.open_url_action,
        action.view_location_action,
        action.create_calendar_event_action,
        action.share_location_action,
    )
    if sum(kind is not None for kind in kinds) != 1:
        yield f"{where}: exactly one of the five kinds of action."
    yield from _long(f"{where}.fallback_url", action.fallback_url, URL)
    if action.dial_action and not _E164.fullmatch(action.dial_action.phone_number):
        yield f"{where}.dial_action.phone_number must be E.164, e.g. +12025550100."
    if action.open_url_action:
        yield from _url(f"{where}.open_url_action.url", action.open_url_action.url)
    if place := action.view_location_action:
        if (place.lat_long is None) is (place.query is None):
            yield f"{where}.view_location_action: exactly one of lat_long and query."
        if place.lat_long and not (-90 <= place.lat_long.latitude <= 90 and -180 <= place.lat_long.longitude <= 180):
            yield f"{where}.view_location_action.lat_long is not a place on Earth."
    if event := action.create_calendar_event_action:
        if not event.title:
            yield f"{where}.create_calendar_event_action.title must not be empty."
        for name, value in (("start_time", event.start_time), ("end_time", event.end_time)):
            if timestamp_ms(value) is None:
                yield f"{where}.create_calendar_event_action.{name} must be an RFC 3339 time."


def _long(where: str, value: str | None, most: int) -> Iterator[str]:
    if value is not None and len(value) > most:
        yield f"{where} has {len(value)} characters; at most {most} are allowed."


def _url(where: str, url: str) -> Iterator[str]:
    yield from _long(where, url, URL)
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if not scheme:
        yield f"{where} must be an absolute URL."
