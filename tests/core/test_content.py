"""Media of a content, and the content with its uploads named."""

import msgspec
import pytest

from heliograph.core.content import (
    Card,
    CardBody,
    Carousel,
    Content,
    File,
    Media,
    Named,
    Parameter,
    Reply,
    Text,
    media_of,
    with_references,
)

PICTURE = Media(upload="a" * 64)
FILM = Media(url="https://a.example/film.mp4")
OTHER = Media(upload="b" * 64)
NAMED = Named(
    name="delay", header=(Parameter(media=PICTURE),), body=(Parameter(text="C35"),), shown="x", free=File(media=OTHER)
)


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (Text(text="x"), ()),
        (File(media=PICTURE), (PICTURE,)),
        (Card(card=CardBody(title="x")), ()),
        (Card(card=CardBody(media=FILM)), (FILM,)),
        (Carousel(cards=(CardBody(media=OTHER), CardBody(title="x"), CardBody(media=FILM))), (OTHER, FILM)),
        (NAMED, (PICTURE, OTHER)),
        (Named(name="delay", shown="x"), ()),
    ],
)
def test_media_in_reading_order(content, media):
    assert media_of(content) == media


def test_uploads_get_their_names_and_urls_stay():
    names = {"a" * 64: "files/a", "b" * 64: "files/b"}
    cards = Carousel(cards=(CardBody(media=PICTURE), CardBody(title="x"), CardBody(media=FILM), CardBody(media=OTHER)))
    assert [media.reference for media in media_of(with_references(cards, names))] == ["files/a", None, "files/b"]
    assert media_of(with_references(File(media=PICTURE), names))[0].reference == "files/a"
    assert with_references(Card(card=CardBody(media=PICTURE)), names).card.media.reference == "files/a"
    named = with_references(NAMED, names)
    assert [media.reference for media in media_of(named)] == ["files/a", "files/b"]
    assert named.body == NAMED.body
    text = Text(text="x")
    assert with_references(text, names) is text
    assert PICTURE.reference is None  # the template itself is untouched


def test_an_upload_without_a_name_is_an_error_and_not_a_message_without_its_picture():
    with pytest.raises(KeyError):
        with_references(File(media=PICTURE), {})


@pytest.mark.parametrize(
    "content",
    [
        Text(text="@Gate", suggestions=(Reply(text="a", postback="b"),), native={"p": msgspec.Raw(b'{"a":1}')}),
        Carousel(cards=(CardBody(title="x", media=PICTURE),)),
        File(media=FILM),
        NAMED,
    ],
)
def test_it_survives_the_way_through_json(content):
    written = msgspec.json.encode(content)
    assert msgspec.json.encode(msgspec.json.decode(written, type=Content)) == written
