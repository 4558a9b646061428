"""`@Name` in content: what is replaced, what stays, and how values are put into URLs and JSON."""

import json
from urllib.parse import quote, unquote

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import render
from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Dial,
    File,
    Media,
    OpenUrl,
    Reply,
    ShareLocation,
    Text,
    ViewLocation,
)

VALUES = {"Gate": "C35", "Gate2": "D1", "City": "Kansas City", "Stadt": "Köln", "Año": "2026"}
NAMES = render.pattern(VALUES)


def rendered(content, values=VALUES, names=NAMES):
    made = render.prepared(content, names)
    return made(values) if callable(made) else made


def text(written, values=VALUES):
    return rendered(Text(text=written), values, render.pattern(values)).text


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Gate @Gate", "Gate C35"),
        ("@Gate", "C35"),
        ("@Gate@City", "C35Kansas City"),
        ("@Gate2", "D1"),  # the longest declared name wins
        ("@Gate.", "C35."),
        ("@Gates", "@Gates"),  # another word: stays as it is
        ("@Gate3", "@Gate3"),
        ("@gate", "@gate"),  # names are case sensitive
        ("@Gate_Number", "@Gate_Number"),
        ("_@Gate_ *@Gate* ~@Gate~", "_C35_ *C35* ~C35~"),  # how WhatsApp marks words
        ("@Gate番へ", "C35番へ"),  # no space before a letter of another script
        ("@Año!", "2026!"),
        ("@@Gate", "@Gate"),
        ("@@@Gate", "@C35"),
        ("@@@@", "@@"),
        ("info@@acme.example", "info@acme.example"),
        ("info@acme.example, @Nobody, @", "info@acme.example, @Nobody, @"),
        ("no at all", "no at all"),
        ("", ""),
    ],
)
def test_what_is_replaced(written, expected):
    assert text(written) == expected


def test_the_longest_declared_name_wins():
    values = {"Stadt": "Köln", "Stadtüberblick": "Plan", "Row": "9", "Row_": "10"}
    assert text("@Stadtüberblick @Stadtü @Row_ @Row", values) == "Plan Kölnü 10 9"


@given(
    st.lists(
        st.one_of(st.sampled_from(["@A", "@AB", "@@", "@", "@Zed", " "]), st.text(st.characters(codec="utf-8"))),
        max_size=8,
    ),
    st.dictionaries(st.sampled_from(["A", "AB"]), st.text() | st.sampled_from(["@A", "@AB", "@@"]), min_size=2),
)
def test_values_are_never_read_again(pieces, values):
    """Against a reader that goes from left to right, one character at a time."""
    written = "".join(pieces)
    expected, at = [], 0
    while at < len(written):
        if written.startswith("@@", at):
            expected.append("@")
            at += 2
            continue
        for name in ("AB", "A"):
            end = at + 1 + len(name)
            rest = written[end:].lstrip("_")[:1]
            if written.startswith("@" + name, at) and not (rest.isascii() and rest.isalnum()):
                expected.append(values[name])
                at = end
                break
        else:
            expected.append(written[at])
            at += 1
    assert text(written, values) == "".join(expected)


@given(st.text(st.characters(codec="utf-8")))
def test_a_template_without_variables_only_loses_doubled_signs(written):
    assert rendered(Text(text=written), {}, render.pattern(())).text == written.replace("@@", "@")


def test_every_visible_field_is_rendered_and_no_other():
    everything = Carousel(
        cards=(
            CardBody(
                title="@Gate",
                description="to @City",
                media=Media(
                    url="https://a.example/@City.png",
                    thumbnail_url="https://a.example/t/@Gate",
                    description="@City",
                ),
                suggestions=(
                    Reply(text="@Gate?", postback="gate=@Gate;x=@Other"),
                    OpenUrl(
                        text="@City", url="https://a.example/?q=@City", postback="p", fallback_url="https://b/@City"
                    ),
                    Dial(text="Call", phone="+1@Gate2"),
                ),
            ),
            CardBody(media=Media(upload="@Gate", reference="@Gate")),
        ),
        suggestions=(
            ViewLocation(text="Where", label="@City", query="@City airport"),
            CalendarEvent(text="Save", start="@Gate", end="@Gate2", title="@City", description="@Gate"),
            ShareLocation(text="Share @City", postback="@Gate"),
        ),
    )
    made = rendered(everything)
    first, second = made.cards
    assert (first.title, first.description, first.media.description) == ("C35", "to Kansas City", "Kansas City")
    assert first.media.url == "https://a.example/Kansas%20City.png"
    assert first.media.thumbnail_url == "https://a.example/t/C35"
    assert first.suggestions == (
        Reply(text="C35?", postback="gate=C35;x=@Other"),
        OpenUrl(
            text="Kansas City",
            url="https://a.example/?q=Kansas%20City",
            postback="p",
            fallback_url="https://b/Kansas%20City",
        ),
        Dial(text="Call", phone="+1D1"),
    )
    assert second == everything.cards[1]  # upload and reference are names of bytes, not text
    assert made.suggestions == (
        ViewLocation(text="Where", label="Kansas City", query="Kansas City airport"),
        CalendarEvent(text="Save", start="C35", end="D1", title="Kansas City", description="C35"),
        ShareLocation(text="Share Kansas City", postback="C35"),
    )
    assert everything.cards[0].title == "@Gate"  # the template itself is untouched


def test_what_does_not_vary_is_shared_and_not_rebuilt():
    card = Card(card=CardBody(title="Fixed", description="@Gate", media=Media(upload="ab")))
    assert rendered(card).card.media is card.card.media
    constant = File(media=Media(url="https://a.example/x.pdf"))
    assert render.prepared(constant, NAMES) is constant


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_a_value_in_a_url_is_one_component(value):
    made = rendered(
        OpenUrl(text="x", url="https://a.example/@City/end?x=@City#f"), {"City": value}, render.pattern(["City"])
    )
    assert made.url == f"https://a.example/{quote(value, safe='')}/end?x={quote(value, safe='')}#f"
    assert unquote(made.url.split("?x=")[1].removesuffix("#f")) == value


def test_a_variable_that_stands_first_is_the_url():
    link = OpenUrl(text="x", url="@Link?from=@Link")
    values = {"Link": "https://a.example/a b"}
    assert rendered(link, values, render.pattern(values)).url == (
        "https://a.example/a b?from=https%3A%2F%2Fa.example%2Fa%20b"
    )


@given(st.text())
def test_a_value_in_a_providers_own_json_stays_inside_its_string(value):
    raw = msgspec.Raw(b'{"name": "flight", "parameters": ["@City", "at @@ @City!"], "n": 1}')
    content = Text(text="x", native={"whatsapp-cloud": raw, "other": msgspec.Raw(b"{}")})
    made = rendered(content, {"City": value}, render.pattern(["City"]))
    assert json.loads(bytes(made.native["whatsapp-cloud"])) == {
        "name": "flight",
        "parameters": [value, f"at @ {value}!"],
        "n": 1,
    }
    assert bytes(made.native["other"]) == b"{}"


def test_a_providers_own_json_without_variables_leaves_as_its_bytes():
    content = Text(text="@Gate", native={"p": msgspec.Raw(b'{ "a" : 1.0 }'), "q": msgspec.Raw(b'"a@@b"')})
    made = rendered(content)
    assert bytes(made.native["p"]) == b'{ "a" : 1.0 }'
    assert bytes(made.native["q"]) == b'"a@b"'


def test_places_of_strings():
    card = Card(card=CardBody(title="T", suggestions=(Reply(text="a", postback="b"),)), native={"p": msgspec.Raw(b"1")})
    assert dict(render.strings(card)) == {
        "card.title": "T",
        "card.description": "",
        "card.suggestions[0].text": "a",
        "card.suggestions[0].postback": "b",
        "native.p": "1",
    }


def test_what_looks_like_a_variable():
    found = list(render.looks_like_variables("@Gate x@Home @@Not /@Path"))
    assert found == [(0, "Gate", False), (7, "Home", True), (20, "Path", True)]
