"""WhatsApp's limits: each has a content just within it and one just beyond."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.channels.wa.whatsapp_cloud import check, measure
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
    Reply,
    ShareLocation,
    Text,
)

PICTURE = Media(url="https://acme.example/p.png")


def replies(many: int, title: int = 5, postback: int = 5) -> tuple[Reply, ...]:
    return tuple(
        Reply(text=f"{number:0{title}d}", postback=f"{number:0{postback}d}" if postback else "")
        for number in range(many)
    )


def named(**changes: object) -> Named:
    return msgspec.structs.replace(Named(name="flight_delay", language="en_US"), **changes)


FITS: list[Content] = [
    Text(text="x" * 4096),
    Text(text="x" * 1024, suggestions=replies(3, 20, 256)),
    Text(text="x" * 4096, suggestions=replies(10, 24, 200)),
    Text(text="x" * 1024, suggestions=(OpenUrl(text="x" * 20, url="https://acme.example/" + "x" * 1979),)),
    Text(text="x" * 1024, suggestions=(ShareLocation(text="Send"),)),
    Card(card=CardBody(title="x" * 500, description="x" * 518, media=PICTURE)),
    Card(card=CardBody(title="t", media=PICTURE, suggestions=replies(3, 20))),
    Card(card=CardBody(title="x" * 60, description="d", suggestions=replies(2)), suggestions=replies(0)),
    File(media=Media(upload="a" * 64)),
    File(media=Media(url="https://acme.example/f.mp4", description="A film"), suggestions=replies(2)),
    named(),
    named(header=(Parameter(media=PICTURE),), body=(Parameter(text="x" * 1024),)),
    named(body=(Parameter(name="a", text="1"), Parameter(name="b", text="2")), header=(Parameter(name="c", text="3"),)),
    named(body=(Parameter(text="three   spaces"),)),
    named(buttons=tuple(Button(index=number, kind="reply", value="x" * 256) for number in range(10))),
    named(free=Text(text="hello")),
    named(name="@Name", body=(Parameter(text="@Gate"),)),  # as a template, before its variables are filled in
]
BEYOND: list[tuple[Content, str]] = [
    (Text(text=""), "text is empty"),
    (Text(text="x" * 4097), "text is 4097 characters, WhatsApp allows 4096"),
    (Text(text="x" * 4097, suggestions=replies(2)), "the text above the replies is 4097 characters"),
    (Text(text="x", suggestions=replies(11)), "11 replies, WhatsApp allows 10"),
    (Text(text="x", suggestions=replies(1, 25)), "a text of 25 characters, WhatsApp allows 1 to 24"),
    (Text(text="x", suggestions=replies(1, 20, 257)), "postback data of 257 characters, WhatsApp allows 256"),
    (
        Text(text="x", suggestions=(*replies(3), Reply(text="a", postback="x" * 201))),
        "postback data of 201 characters, WhatsApp allows 200",
    ),
    (Text(text="x", suggestions=(Reply(text="A"), Reply(text="A", postback="b"))), "the same text"),
    (Text(text="x", suggestions=(Reply(text="A", postback="a"), Reply(text="B", postback="a"))), "the same postback"),
    (Text(text="x", suggestions=(*replies(1), OpenUrl(text="a", url="https://a.example"))), "not several of these"),
    (Text(text="x" * 1025, suggestions=(OpenUrl(text="a", url="https://a.example"),)), "above a link is 1025"),
    (Text(text="x", suggestions=(OpenUrl(text="x" * 21, url="https://a.example"),)), "1 to 20"),
    (Text(text="x", suggestions=(OpenUrl(text="a", url="ftp://a.example"),)), "does not begin with https://"),
    (Text(text="x" * 1025, suggestions=(ShareLocation(text="a"),)), "request for the location is 1025"),
    (Card(card=CardBody()), "the card is empty"),
    (Card(card=CardBody(title="x" * 4095)), "the card's text is 4097"),
    (Card(card=CardBody(title="x" * 500, description="x" * 521, media=PICTURE)), "the card's text is 1025"),
    (Card(card=CardBody(title="t", media=PICTURE, suggestions=replies(4))), "a list can have no media"),
    (Card(card=CardBody(title="t", media=Media(url="https://a.example/s.mp3"))), "can have no text beside it"),
    (Card(card=CardBody(title="t", media=Media())), "either a URL or an upload"),
    (Card(card=CardBody(title="t", media=PICTURE, suggestions=(ShareLocation(text="a"),))), "nothing above it"),
    (File(media=PICTURE, suggestions=replies(1)), "needs a text"),
    (Card(card=CardBody(media=PICTURE, suggestions=replies(1))), "needs a text"),
    (Text(text="x", suggestions=(Reply(text=""),)), "a text of 0 characters"),
    (File(media=Media(url="https://a.example/s.mp3", description="d"), suggestions=replies(1)), "cannot have audio"),
    (File(media=Media(url="https://a.example/" + "x" * 2000)), "file URL is 2018 characters"),
    (Carousel(cards=(CardBody(title="a"), CardBody(title="b"))), "no carousel"),
    (Text(text="x", native={"whatsapp-cloud": msgspec.Raw(b"[]")}), "not a JSON object"),
    (named(name="Flight Delay"), "a-z, 0-9 and _"),
    (named(name="x" * 513), "a-z, 0-9 and _"),
    (named(language=""), "no language"),
    (named(header=(Parameter(text="a"), Parameter(text="b"))), "the header has 2 values"),
    (named(body=(Parameter(text=""),)), "value 1 of the body is empty"),
    (named(body=(Parameter(name="gate", text="a\nb"),)), "value gate of the body holds a line break"),
    (named(body=(Parameter(text="a\tb"),)), "a tab"),
    (named(body=(Parameter(text="a    b"),)), "four spaces"),
    (named(body=(Parameter(text="x" * 1025),)), "value 1 of the body is 1025"),
    (named(body=(Parameter(media=PICTURE),)), "in the header alone"),
    (named(header=(Parameter(media=Media(url="https://a.example/s.mp3")),)), "neither a picture"),
    (named(body=(Parameter(name="a", text="1"), Parameter(text="2"))), "some values are named"),
    (named(buttons=(Button(index=10, kind="reply", value="a"),)), "button 10 is not one of 0 to 9"),
    (named(buttons=(Button(index=0, kind="reply", value="a"), Button(index=0, kind="url", value="b"))), "same button"),
    (named(buttons=(Button(index=0, kind="copy_code", value="x" * 21),)), "21 characters, WhatsApp allows 1 to 20"),
    (named(buttons=(Button(index=0, kind="url", value=""),)), "0 characters, WhatsApp allows 1 to 2000"),
    (named(free=Text(text="")), "free form: text is empty"),
]


@pytest.mark.parametrize("content", FITS)
def test_within_the_limits(content):
    assert check(content) == []
    assert measure(content).parts == 1


@pytest.mark.parametrize(("content", "words"), BEYOND)
def test_beyond_them(content, words):
    faults = check(content)
    assert len(faults) == 1, faults
    assert words in faults[0]
    assert faults[0].endswith(".")
