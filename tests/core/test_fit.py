"""Content made to fit: what each channel gets, by which rules, and what an answer with a number means."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import fit, option, sms
from heliograph.core.channel import Carries
from heliograph.core.content import (
    CalendarEvent,
    Card,
    CardBody,
    Carousel,
    Dial,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    ShareLocation,
    Text,
    ViewLocation,
    suggestions_of,
)

SMS = Carries()
BUTTONS = Carries(suggestions=frozenset({"reply"}), most=3, named=True, window=86_400, files=True)
CARDS = msgspec.structs.replace(BUTTONS, cards=True)
EVERY = frozenset({"reply", "open_url", "dial", "view_location", "calendar_event", "share_location"})
RICH = Carries(cards=True, carousels=True, files=True, suggestions=EVERY, most=11)

MENU, REBOOK = Reply(text="See Menu", postback="menu"), Reply(text="Rebook", postback="rebook")
TRACK = OpenUrl(text="Track my bag", url="https://acme.example/bag")
CALL = Dial(text="Call us", phone="+17705550100")
PICTURE = Media(url="https://acme.example/gate.jpg", description="The gate")
UPLOAD = Media(upload="ab" * 32, description="A map of the hall")
BODY = CardBody(title="Flight AA 1", description="Leaves at 18:40.", media=PICTURE, suggestions=(MENU, CALL))


def test_what_fits_is_given_back_as_it_is():
    for content in (
        Text(text="Hi"),
        Text(text="Hi", suggestions=(MENU,)),
        Card(card=BODY, suggestions=(TRACK,)),
        Carousel(cards=(BODY, BODY)),
        File(media=UPLOAD, suggestions=(MENU,)),
    ):
        fitted = fit.fit(content, RICH)
        assert fitted.content is content
        assert (fitted.rules, fitted.lost) == ((), ())


def test_a_card_becomes_text():
    fitted = fit.fit(Card(card=BODY, suggestions=(REBOOK, TRACK)), SMS)
    assert fitted.content == Text(
        text="Flight AA 1\nLeaves at 18:40.\nhttps://acme.example/gate.jpg\n1. See Menu\nCall us: +17705550100\n"
        "2. Rebook\nTrack my bag: https://acme.example/bag",
        options=(MENU, REBOOK),
    )
    assert fitted.rules == (
        "The card is sent as text.",
        "The card's medium is sent as its address.",
        "2 replies are numbered lines; an answer with the number counts as a tap.",
        "Written out as lines: Call us, Track my bag.",
    )
    assert fitted.lost == ()
    assert sms.measure(fitted.content.text).encoding == "GSM-7", "no character of ours makes it dearer"


def test_a_medium_without_an_address_is_told_as_lost():
    fitted = fit.fit(Card(card=CardBody(title="Gate", media=UPLOAD)), SMS)
    assert fitted.content == Text(text="Gate")
    assert fitted.lost == ("The card's medium is left out: it has no address.",)
    assert fit.fit(Card(card=CardBody(media=UPLOAD)), SMS).content == Text(text="A map of the hall")


def test_a_carousel_becomes_numbered_cards_and_one_row_of_options():
    tea = CardBody(title="Tea", description="Hot", suggestions=(Reply(text="Order tea", postback="t"),))
    beer = CardBody(title="Beer", media=PICTURE, suggestions=(Reply(text="Order beer", postback="b"),))
    fitted = fit.fit(Carousel(cards=(tea, beer, CardBody(media=UPLOAD)), suggestions=(MENU,)), SMS)
    assert fitted.content == Text(
        text="1/3 Tea\nHot\n1. Order tea\n2/3 Beer\nhttps://acme.example/gate.jpg\n2. Order beer\n"
        "3/3 A map of the hall\n3. See Menu",
        options=(*tea.suggestions, *beer.suggestions, MENU),
    )
    assert fitted.rules[0] == "The carousel is sent as text, its cards numbered 1/3 to 3/3."


@pytest.mark.parametrize(
    ("media", "text", "lost"),
    [
        (PICTURE, "https://acme.example/gate.jpg", 0),
        (UPLOAD, "A map of the hall", 1),
        (Media(upload="cd" * 32), "", 1),  # the provider's check says that it is empty
    ],
)
def test_a_file_is_its_address_else_its_description(media, text, lost):
    fitted = fit.fit(File(media=media), SMS)
    assert fitted.content == Text(text=text)
    assert len(fitted.lost) == lost


def test_a_file_whose_options_do_not_fit_becomes_text_with_them():
    assert fit.fit(File(media=PICTURE, suggestions=(MENU, REBOOK)), BUTTONS).rules == ()
    fitted = fit.fit(File(media=PICTURE, suggestions=(TRACK,)), BUTTONS)
    assert fitted.content == Text(text="https://acme.example/gate.jpg\nTrack my bag: https://acme.example/bag")


def test_buttons_are_kept_as_far_as_they_go():
    many = tuple(Reply(text=f"Seat {letter}", postback=letter) for letter in "ABCDE")
    fitted = fit.fit(Text(text="Choose", suggestions=(*many[:2], CALL, *many[2:])), BUTTONS)
    assert fitted.content == Text(
        text="Choose\nCall us: +17705550100\n1. Seat D\n2. Seat E", suggestions=many[:3], options=many[3:]
    )
    assert option.chosen(fitted.content, "2") == many[4]


def test_a_link_that_is_shown_alone():
    alone = msgspec.structs.replace(BUTTONS, alone=frozenset({"open_url"}))
    one = Text(text="Hi", suggestions=(TRACK,))
    assert fit.fit(one, alone).content is one
    assert fit.fit(File(media=PICTURE, suggestions=(TRACK,)), alone).rules == ()
    fitted = fit.fit(Text(text="Hi", suggestions=(MENU, TRACK)), alone).content
    assert fitted == Text(text="Hi\nTrack my bag: https://acme.example/bag", suggestions=(MENU,))
    free = msgspec.structs.replace(NAMED, free=one)
    assert fit.fit(free, msgspec.structs.replace(alone, named=False)).content == one


def test_a_card_of_one_row_shares_it_with_the_message():
    card = Card(card=BODY, suggestions=(REBOOK, Reply(text="A"), Reply(text="B")))
    fitted = fit.fit(card, CARDS).content
    assert [one.text for one in (*fitted.card.suggestions, *fitted.suggestions)] == ["See Menu", "Rebook", "A"]
    assert fitted.card.description == "Leaves at 18:40.\nCall us: +17705550100\n1. B"
    assert fitted.card.media == PICTURE


def test_a_carousel_that_is_carried_keeps_its_cards():
    plain = msgspec.structs.replace(RICH, suggestions=frozenset({"reply"}))
    fitted = fit.fit(Carousel(cards=(BODY, CardBody(title="Two")), suggestions=(REBOOK, TRACK)), plain).content
    assert fitted.cards[0].description == "Leaves at 18:40.\nCall us: +17705550100"
    assert fitted.cards[0].suggestions == (MENU,)
    assert fitted.cards[1].description == "Track my bag: https://acme.example/bag"
    assert fitted.suggestions == (REBOOK,)


NAMED = Named(
    name="flight_delay",
    language="en_US",
    body=(Parameter(text="Matt"),),
    shown="Hi Matt, your flight is late.",
    suggestions=(MENU, TRACK),
)


def test_a_named_message_stays_where_the_provider_keeps_it():
    assert fit.fit(NAMED, BUTTONS).content is NAMED
    whole = msgspec.structs.replace(NAMED, free=Card(card=BODY))
    fitted = fit.fit(whole, BUTTONS)
    assert msgspec.structs.replace(fitted.content, free=None) == NAMED
    assert isinstance(fitted.content.free, Text)
    assert fitted.content.free.suggestions == (MENU,)
    assert fitted.rules[0] == "In the free form: The card is sent as text."
    assert fit.fit(msgspec.structs.replace(NAMED, free=Text(text="Hi")), BUTTONS).rules == ()


def test_a_named_message_is_its_free_form_or_what_it_shows_elsewhere():
    fitted = fit.fit(NAMED, SMS)
    assert fitted.content == Text(
        text="Hi Matt, your flight is late.\n1. See Menu\nTrack my bag: https://acme.example/bag", options=(MENU,)
    )
    assert fitted.rules[0] == "The named message flight_delay is sent as the text that it shows."
    free = msgspec.structs.replace(NAMED, free=Card(card=BODY))
    assert fit.fit(free, RICH).content == free.free
    assert fit.fit(free, RICH).rules == ("The named message flight_delay is sent in its free form.",)
    assert fit.fit(free, SMS).content.text.startswith("Flight AA 1\n")


def test_what_text_cannot_say_is_left_out():
    place = ViewLocation(text="Find us", latitude=33.6407, longitude=-84.4277, label="Gate C35")
    date = CalendarEvent(text="Save it", start="2026-11-25T18:40:00Z", end="2026-11-25T20:05:00+01:00", title="AA 1")
    fitted = fit.fit(Text(text="Hi", suggestions=(place, date, ShareLocation(text="Share place"))), SMS)
    assert fitted.content == Text(
        text="Hi\nFind us: Gate C35 (33.6407, -84.4277)\nSave it: AA 1, 2026-11-25 18:40 UTC - 2026-11-25 20:05 +01:00"
    )
    assert fitted.lost == ("Share place is left out: text cannot say it.",)
    assert fitted.lost[0] in fitted.rules
    nowhere = fit.fit(Text(text="Hi", suggestions=(ViewLocation(text="Find us"),)), SMS)
    assert (nowhere.content, len(nowhere.lost)) == (Text(text="Hi"), 1)
    query = fit.fit(Text(text="Hi", suggestions=(ViewLocation(text="Find us", query="Acme HQ"),)), SMS)
    assert query.content == Text(text="Hi\nFind us: Acme HQ")


def test_native_goes_with_it():
    native = {"smpp": msgspec.Raw(b"{}")}
    assert fit.fit(Card(card=BODY, native=native), SMS).content.native == native


texts = st.text(min_size=1, max_size=12)
replies = st.builds(Reply, text=texts, postback=texts)
links = st.builds(OpenUrl, text=texts, url=st.just("https://acme.example/x"))
suggestions = st.lists(replies | links | st.builds(ShareLocation, text=texts), max_size=6).map(tuple)
bodies = st.builds(
    CardBody, title=texts, description=texts, media=st.none() | st.just(PICTURE), suggestions=suggestions
)
contents = st.one_of(
    st.builds(Text, text=texts, suggestions=suggestions),
    st.builds(Card, card=bodies, suggestions=suggestions),
    st.builds(Carousel, cards=st.lists(bodies, min_size=2, max_size=4).map(tuple), suggestions=suggestions),
    st.builds(File, media=st.just(PICTURE), suggestions=suggestions),
    st.builds(Named, name=st.just("n"), shown=texts, suggestions=suggestions),
)
carrying = st.builds(
    Carries,
    cards=st.booleans(),
    files=st.booleans(),
    named=st.booleans(),
    suggestions=st.frozensets(st.sampled_from(sorted(EVERY))),
    most=st.integers(0, 4),
)


@given(contents, carrying)
def test_fitted_content_is_carried_and_every_reply_stays(content, carries):
    fitted = fit.fit(content, carries)
    again = fit.fit(fitted.content, carries)
    assert again.content == fitted.content and again.rules == (), "what is fitted fits"
    assert (fitted.content is content) == (not fitted.rules)
    assert set(fitted.lost) <= set(fitted.rules)
    before = [one for one in suggestions_of(content) if isinstance(one, Reply)]
    after = [one for one in suggestions_of(fitted.content) if isinstance(one, Reply)]
    assert sorted(map(msgspec.structs.astuple, before)) == sorted(map(msgspec.structs.astuple, after))
    for number, one in enumerate(option.options(fitted.content), 1):
        assert option.chosen(fitted.content, str(number)) == one
    if not isinstance(fitted.content, Named):
        shown = [one for one in suggestions_of(fitted.content) if one not in option.options(fitted.content)]
        assert len(shown) <= carries.most
        assert {type(one).__struct_config__.tag for one in shown} <= carries.suggestions
