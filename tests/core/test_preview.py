"""What a recipient would see, channel by channel."""

from __future__ import annotations

from heliograph.core import sms
from heliograph.core.channel import Carries, Size
from heliograph.core.content import Card, CardBody, Reply, Text
from heliograph.core.preview import examples, preview
from heliograph.core.template import Template, Variable, compile


class Carrier:
    def __init__(self, name, faults=(), **carries):
        self.NAME, self.CARRIES, self.faults = name, Carries(**carries), faults

    def check(self, content):
        return list(self.faults)

    def measure(self, content):
        return sms.measure(content.text) if isinstance(content, Text) else Size()


CARD = Card(card=CardBody(title="To @City", suggestions=(Reply(text="Rebook", postback="r"),)))
TEMPLATE = Template(
    site="s",
    name="t",
    version="1",
    variables=(Variable(name="City", example="Kraków"), Variable(name="Gate", default="?"), Variable(name="Row")),
    languages={"en": {"rcs": CARD, "any": Text(text="To @City")}, "pl": {"rcs": CARD}},
)


def test_examples_else_defaults_else_names():
    assert examples(TEMPLATE) == {"City": "Kraków", "Gate": "?", "Row": "Row"}


def test_each_channel_as_its_providers_carry_it():
    carriers = {
        "rcs": [Carrier("rich", cards=True, suggestions=frozenset({"reply"}), most=11)],
        "sms": [Carrier("one"), Carrier("two"), Carrier("strict", faults=("No.",), window=60)],
    }
    seen = preview(compile(TEMPLATE), examples(TEMPLATE), carriers)
    assert [(one.language, one.channel, one.own, one.providers) for one in seen] == [
        ("en", "rcs", True, ("rich",)),
        ("en", "sms", False, ("one", "two")),
        ("en", "sms", False, ("strict",)),
        ("pl", "rcs", True, ("rich",)),
    ]
    assert isinstance(seen[0].content, Card) and seen[0].rules == ()
    assert seen[1].size.forced_by == "ó"
    assert (seen[2].faults, seen[2].window) == (("No.",), 60)


def test_a_channel_that_nobody_carries_is_shown_as_it_is_written():
    [english, polish] = preview(compile(TEMPLATE), {"City": "Lima", "Row": "9"}, {})
    assert (english.providers, polish.providers) == ((), ())
    assert english.content.card.title == "To Lima"


def test_fitted_with_its_rules():
    [_, fitted] = [one for one in preview(compile(TEMPLATE), examples(TEMPLATE), {"rcs": [Carrier("bare")]})]
    assert fitted.content == Text(text="To Kraków\n1. Rebook", options=CARD.card.suggestions)
    assert fitted.rules[0] == "The card is sent as text."
