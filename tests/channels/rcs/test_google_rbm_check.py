"""Every limit of Google RBM: at the limit it passes, one above it is one sentence with the numbers."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.channels.rcs.google_rbm_check import check
from heliograph.channels.rcs.google_rbm_wire import content_message
from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Content,
    Dial,
    File,
    Media,
    OpenUrl,
    Reply,
    ShareLocation,
    Text,
    ViewLocation,
)

BODY = CardBody(title="t")


def card(**parts: object) -> Card:
    return Card(card=CardBody(**parts))  # type: ignore[arg-type]


def chip(one: object) -> Text:
    return Text(text="t", suggestions=(one,))  # type: ignore[arg-type]


def replies(count: int) -> tuple[Reply, ...]:
    return tuple(Reply(text=f"r{number}") for number in range(count))


def url(length: int) -> str:
    return "https://acme.example/" + "x" * (length - 21)


@pytest.mark.parametrize(
    ("allowed", "above", "sentence"),
    [
        (Text(text="x" * 3072), Text(text="x" * 3073), "text is 3073 characters, RCS allows 3072."),
        (Text(text="x"), Text(text=""), "text is empty; RCS needs at least one character."),
        (card(title="x" * 200), card(title="x" * 231), "title is 231 characters, RCS allows 200."),
        (
            card(description="x" * 2000),
            card(description="x" * 2001),
            "description is 2001 characters, RCS allows 2000.",
        ),
        (
            card(title="t", suggestions=replies(4)),
            card(title="t", suggestions=replies(5)),
            "the card has 5 suggestions, RCS allows 4.",
        ),
        (
            Text(text="t", suggestions=replies(11)),
            Text(text="t", suggestions=replies(12)),
            "the message has 12 suggestions, RCS allows 11.",
        ),
        (
            chip(Reply(text="x" * 25)),
            chip(Reply(text="x" * 26)),
            "suggestion 1 of the message has a text of 26 characters, RCS allows 1 to 25.",
        ),
        (
            chip(Reply(text="x")),
            chip(Reply(text="")),
            "suggestion 1 of the message has a text of 0 characters, RCS allows 1 to 25.",
        ),
        (
            chip(Reply(text="x", postback="p" * 2048)),
            chip(Reply(text="x", postback="p" * 2049)),
            "suggestion 1 of the message has postback data of 2049 characters, RCS allows 2048.",
        ),
        (
            chip(OpenUrl(text="x", url=url(2048))),
            chip(OpenUrl(text="x", url=url(2049))),
            "URL of suggestion 1 of the message is 2049 characters, RCS allows 2048.",
        ),
        (
            chip(OpenUrl(text="x", url=url(30))),
            chip(OpenUrl(text="x", url="acme.example")),
            "URL of suggestion 1 of the message does not begin with https://.",
        ),
        (
            chip(Dial(text="x", phone="+18005550100", fallback_url=url(2048))),
            chip(Dial(text="x", phone="+18005550100", fallback_url=url(2049))),
            "fallback URL of suggestion 1 of the message is 2049 characters, RCS allows 2048.",
        ),
        (
            chip(Dial(text="x", phone="@Hotline")),
            chip(Dial(text="x", phone="8005550100")),
            "suggestion 1 of the message dials a number without its country code; write it as +17705550123.",
        ),
        (
            chip(ViewLocation(text="x", query="gate")),
            chip(ViewLocation(text="x")),
            "suggestion 1 of the message names no place; give coordinates or a query.",
        ),
        (
            chip(ViewLocation(text="x", latitude=90.0, longitude=-180.0)),
            chip(ViewLocation(text="x", latitude=90.5, longitude=0.0)),
            "suggestion 1 of the message is off the map (90.5, 0); degrees are ±90 and ±180.",
        ),
        (
            chip(ViewLocation(text="x", latitude=1.0, longitude=1.0)),
            chip(ViewLocation(text="x", latitude=1.0)),
            "suggestion 1 of the message has one coordinate; a place needs latitude and longitude.",
        ),
        (
            chip(CalendarEvent(text="x", start="s", end="e", title="t")),
            chip(CalendarEvent(text="x", start="s", end="e", title="")),
            "suggestion 1 of the message needs a start, an end and a title.",
        ),
        (
            Carousel(cards=(BODY,) * 2),
            Carousel(cards=(BODY,)),
            "carousel has 1 cards, RCS allows 2 to 10.",
        ),
        (
            Carousel(cards=(BODY,) * 10),
            Carousel(cards=(BODY,) * 11),
            "carousel has 11 cards, RCS allows 2 to 10.",
        ),
        (
            Carousel(cards=(BODY, BODY)),
            Carousel(cards=(BODY, CardBody(title="x" * 201))),
            "card 2 title is 201 characters, RCS allows 200.",
        ),
        (
            Carousel(cards=(BODY, CardBody(description="d"))),
            Carousel(cards=(BODY, CardBody())),
            "card 2 is empty; RCS needs a title, a description or media.",
        ),
        (
            card(media=Media(url=url(30))),
            card(media=Media()),
            "media needs either a URL or an upload, and only one of them.",
        ),
        (
            File(media=Media(upload="a" * 64)),
            File(media=Media(upload="a" * 64, url=url(30))),
            "file needs either a URL or an upload, and only one of them.",
        ),
        (
            File(media=Media(upload="a" * 64, thumbnail_url="files/t")),
            File(media=Media(upload="a" * 64, thumbnail_url=url(30))),
            "file is an upload, and Google takes only an uploaded thumbnail beside it (files/…); "
            "leave the thumbnail out or give both as URLs.",
        ),
        (
            Text(text="t", native={"google-rbm": msgspec.Raw(b"{}")}),
            Text(text="t", native={"google-rbm": msgspec.Raw(b"[]")}),
            'native "google-rbm" is not a JSON object; it holds fields of Google\'s contentMessage.',
        ),
    ],
)
def test_limits(allowed, above, sentence):
    assert check(allowed) == []
    assert check(above) == [sentence]


def test_all_faults_are_told_together():
    content = Carousel(
        cards=(CardBody(title="x" * 201, suggestions=replies(5)), CardBody(description="x" * 2001)),
        suggestions=replies(12),
    )
    assert len(check(content)) == 4


def test_the_whole_message_is_counted_in_bytes():
    wide = tuple(
        CardBody(
            description="é" * 2000,
            suggestions=tuple(OpenUrl(text="o", url=url(2048), postback="é" * 2048) for _ in range(4)),
        )
        for _ in range(10)
    )
    faults = check(Carousel(cards=wide))
    exact = len(msgspec.json.encode(content_message(Carousel(cards=wide))))
    assert exact > 250_000
    assert faults == [f"message is {exact} bytes, RCS allows 250000."]


_words = st.text(max_size=30)
_suggestion = st.one_of(
    st.builds(Reply, text=_words, postback=_words),
    st.builds(OpenUrl, text=_words, url=_words, fallback_url=_words),
    st.builds(Dial, text=_words, phone=_words),
    st.builds(
        ViewLocation,
        text=_words,
        latitude=st.none() | st.floats(-100, 100),
        longitude=st.none() | st.floats(-200, 200),
        query=_words,
    ),
    st.builds(CalendarEvent, text=_words, start=_words, end=_words, title=_words),
    st.builds(ShareLocation, text=_words),
)
_media = st.builds(Media, url=st.none() | _words, upload=st.none() | _words, thumbnail_url=st.none() | _words)
_body = st.builds(
    CardBody,
    title=_words,
    description=_words,
    media=st.none() | _media,
    suggestions=st.lists(_suggestion, max_size=5).map(tuple),
)
_chips = st.lists(_suggestion, max_size=12).map(tuple)
_content = st.one_of(
    st.builds(Text, text=_words, suggestions=_chips),
    st.builds(Card, card=_body, suggestions=_chips),
    st.builds(Carousel, cards=st.lists(_body, max_size=4).map(tuple), suggestions=_chips),
    st.builds(File, media=_media),
)


@settings(max_examples=200, deadline=None)
@given(_content)
def test_any_content_is_checked_and_encoded_without_breaking(content: Content):
    for sentence in check(content):
        assert sentence.endswith(".")
    told = json.loads(msgspec.json.encode(content_message(content)))
    assert sum(kind in told for kind in ("text", "richCard", "contentInfo", "fileName", "uploadedRbmFile")) == 1
