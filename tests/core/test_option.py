"""What an answer with a number, or with an option's words, means."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.core import fit, option
from heliograph.core.channel import Carries
from heliograph.core.content import Card, CardBody, Carousel, File, Media, Named, OpenUrl, Reply, Text

SMS = Carries()
MENU, REBOOK = Reply(text="See Menu", postback="menu"), Reply(text="Rebook", postback="rebook")
TRACK = OpenUrl(text="Track my bag", url="https://acme.example/bag")
PICTURE = Media(url="https://acme.example/gate.jpg")
NAMED = Named(name="flight_delay", shown="Hi Matt.", suggestions=(MENU, TRACK))


@pytest.mark.parametrize(
    "said", ["2", " 2 ", "2.", "2)", "(2)", "#2", "2:", "2\ufe0f\u20e3", "٢", "２", "REBOOK", " rebook "]
)
def test_an_answer_that_chooses(said):
    content = fit.fit(Text(text="Hi", suggestions=(MENU, REBOOK)), SMS).content
    assert option.chosen(content, said) == REBOOK


@pytest.mark.parametrize("said", ["", "0", "3", "22", "2 please", "rebook me", "-2", "2.5", "Track my bag"])
def test_an_answer_that_does_not(said):
    content = fit.fit(Text(text="Hi", suggestions=(MENU, REBOOK, TRACK)), SMS).content
    assert option.chosen(content, said) is None


def test_words_of_two_options_choose_none():
    book = [CardBody(title=letter, suggestions=(Reply(text="Book", postback=letter),)) for letter in "AB"]
    content = fit.fit(Carousel(cards=tuple(book)), SMS).content
    assert option.chosen(content, "book") is None
    assert option.chosen(content, "2") == book[1].suggestions[0]
    same = Text(text="", options=(MENU, MENU))
    assert option.chosen(same, "see menu") == MENU
    assert option.chosen(Text(text="1. See Menu", suggestions=(MENU,)), "1") is None, "a chip is no number"
    assert option.options(File(media=PICTURE)) == ()
    assert option.options(msgspec.structs.replace(NAMED, free=same)) == (MENU, MENU)


def test_a_number_is_about_the_newest_content_that_has_numbers():
    own = Text(text="Reply 1 to confirm, 2 to cancel.")
    assert option.settles(own, "2.") and not option.settles(own, "3") and not option.settles(own, "cancel")
    assert not option.settles(Text(text="Gate C2, 20:22, 2nd floor"), "2")
    assert option.settles(Text(text="Hi", options=(MENU,)), "7"), "its options are the only ones meant"
    assert option.settles(Card(card=CardBody(title="A", description="at 2 pm")), "2")
    assert option.settles(Carousel(cards=(CardBody(title="2"),)), "2")
    assert option.settles(msgspec.structs.replace(NAMED, shown="1 or 2", free=None), "2")
    assert not option.settles(File(media=PICTURE), "2")
