"""The linter names every fault, at its place, before an alert meets it."""

import msgspec
import pytest

from heliograph.core import sms
from heliograph.core.channel import Carries, Size
from heliograph.core.content import (
    Card,
    CardBody,
    Carousel,
    File,
    Media,
    Named,
    OpenUrl,
    Parameter,
    Reply,
    ShareLocation,
    Text,
)
from heliograph.core.fallback import Fallback, Need
from heliograph.core.lint import Finding, Level, lint
from heliograph.core.template import Template, Variable

GATE = Variable(name="Gate", example="C35")


def template(content=None, **changes):
    content = Text(text="Gate @Gate") if content is None else content
    fields = {"variables": (GATE,), "languages": {"en": {"rcs": content}}, "fallback_language": "en", **changes}
    return Template(site="s", name="t", version="1", **fields)


class Carrier:
    """A provider of a test: limits, and what it carries."""

    def __init__(self, check=lambda content: [], name="p", measure=lambda content: Size(), **carries):
        every = {"cards": True, "carousels": True, "files": True, "suggestions": ALL, "most": 11}
        self.NAME, self.CARRIES = name, Carries(**{**every, **carries})
        self.check, self.measure = check, measure


ALL = frozenset({"reply", "open_url", "dial", "view_location", "calendar_event", "share_location"})
SMS = {"cards": False, "carousels": False, "files": False, "suggestions": frozenset(), "most": 0}


def told(made, carriers=None):
    return [(finding.level.value, finding.place, finding.sentence) for finding in lint(made, carriers or {})]


def test_the_pages_own_template_is_clean(flightdelay):
    assert lint(flightdelay, {"rcs": [Carrier()]}) == []
    assert told(template()) == []


def test_undeclared_variables_and_what_only_looks_like_one():
    found = told(template(Text(text="@Gat @Gate @@Home info@acme.example @Other", suggestions=(Reply(text="@gate"),))))
    assert found == [
        (
            "error",
            "languages.en.rcs.text",
            "@Gat is not declared and would be sent as it is written. Did you mean @Gate? Declare it, or write @@.",
        ),
        (
            "error",
            "languages.en.rcs.text",
            "@Other is not declared and would be sent as it is written. Declare it, or write @@.",
        ),
        (
            "error",
            "languages.en.rcs.suggestions[0].text",
            "@gate is not declared and would be sent as it is written. Did you mean @Gate? Declare it, or write @@.",
        ),
        (
            "warning",
            "languages.en.rcs.text",
            "@acme is left as it is written; write @@acme to say that a plain @ is meant.",
        ),
    ]


def test_variables_before_letters_without_spaces_and_marks_are_declared():
    assert told(template(Text(text="@Gate番 _@Gate_ *@Gate*"))) == []


def test_unused_variables():
    made = template(
        variables=(GATE, Variable(name="Row", example="9"), Variable(name="City", example="x")),
        languages={"en": {"rcs": Text(text="@Gate @City")}, "es": {"rcs": Text(text="@Gate")}},
    )
    assert told(made) == [
        ("warning", "variables.Row", "@Row is declared and used nowhere."),
        ("warning", "variables.City", "@City is not used in es, other languages use it."),
    ]


def test_names_and_examples_of_variables():
    made = template(
        Text(text="@Gate @Row @Seat"),
        variables=(
            Variable(name="Gate"),
            Variable(name="Gate", example="x"),
            Variable(name="Row", default="9"),
            Variable(name="Seat", example="1"),
            Variable(name="no name", example="1"),
        ),
    )
    found = told(made)
    assert ("error", "variables.Gate", "@Gate is declared 2 times; keep one.") in found
    assert (
        "error",
        "variables.no name",
        "'no name' cannot be a variable's name; use letters, digits and underscores, without @.",
    ) in found
    assert ("warning", "variables.Gate", "@Gate has no example; previews and limits show its name instead.") in found
    assert ("warning", "variables.Row", "@Row has no example; previews and limits show its default instead.") in found


@pytest.mark.parametrize(
    ("languages", "fallback", "expected"),
    [
        ({}, None, ("error", "languages", "The template has no language; add one, such as languages.en.")),
        (
            {"en": {}},
            "en",
            ("error", "languages.en", "The language en has no content; add one, such as languages.en.rcs."),
        ),
        (
            {"zzqq": {"rcs": Text(text="@Gate")}},
            "zzqq",
            ("error", "languages.zzqq", "'zzqq' is no language that is known; write a tag such as en or pt-BR."),
        ),
        (
            {"en_US": {"rcs": Text(text="@Gate")}},
            "en",
            ("warning", "languages.en_US", "'en_US' is read as en-US; write it so."),
        ),
        (
            {"en": {"rcs": Text(text="@Gate")}, "english": {"rcs": Text(text="@Gate")}},
            "en",
            ("error", "languages.en", "en, english are all en, only one of them would be used; keep one."),
        ),
        (
            {"en": {"rcs": Text(text="@Gate")}},
            None,
            (
                "warning",
                "fallback_language",
                "There is no fallback language: a call for a language other than en may be refused.",
            ),
        ),
        (
            {"en": {"rcs": Text(text="@Gate")}},
            "fr",
            ("error", "fallback_language", "The fallback language 'fr' is not in the template; it has en."),
        ),
        (
            {"en": {"rcs": Text(text="@Gate"), "sms": Text(text="@Gate")}, "es": {"rcs": Text(text="@Gate")}},
            "en",
            ("warning", "languages.es", "es has nothing for sms, other languages have."),
        ),
    ],
)
def test_languages(languages, fallback, expected):
    assert expected in told(template(languages=languages, fallback_language=fallback))


def test_a_fallback_by_its_parent_and_content_for_any_channel_are_right():
    any_text = {"any": Text(text="@Gate")}
    languages = {"en": {"rcs": Text(text="@Gate"), **any_text}, "es": any_text}
    assert told(template(languages=languages, fallback_language="en-US", channels=("rcs", "sms"))) == []


def test_an_order_that_names_a_channel_without_content():
    assert told(template(channels=("rcs", "sms"))) == [
        ("warning", "channels", "The order names sms, and no language has content for it.")
    ]


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (Text(text="  "), "text", "The text is empty."),
        (Card(card=CardBody()), "card", "The card is empty"),
        (Carousel(cards=()), "cards", "has no card"),
        (Carousel(cards=(CardBody(title="x"), CardBody(title=" "))), "cards[1]", "The card is empty"),
        (File(media=Media()), "media", "neither url nor upload"),
        (File(media=Media(url="https://a.example", upload="ab")), "media", "both url and upload"),
        (Text(text="x", suggestions=(Reply(text=""),)), "suggestions[0].text", "nobody could tap it"),
    ],
)
def test_empty_content(content, place, words):
    errors = [finding for finding in told(template(content, variables=())) if finding[0] == "error"]
    assert len(errors) == 1
    assert errors[0][1] == f"languages.en.rcs.{place}"
    assert words in errors[0][2]


def test_doubled_suggestions_and_postbacks():
    content = Carousel(
        cards=(
            CardBody(title="1", suggestions=(Reply(text="Pick", postback="p1"), Reply(text="Pick", postback="p2"))),
            CardBody(title="2", suggestions=(Reply(text="Pick", postback="p1"),)),  # the text may repeat on a card
        ),
        suggestions=(OpenUrl(text="Site", url="https://a.example"), Reply(text="No")),  # no postback: nothing to mix up
    )
    assert told(template(content, variables=())) == [
        (
            "warning",
            "languages.en.rcs.cards[0].suggestions[1].text",
            "'Pick' stands here twice; the recipient cannot tell which.",
        ),
        (
            "warning",
            "languages.en.rcs.cards[1].suggestions[0].postback",
            "The postback 'p1' comes from two suggestions; a tap cannot tell which.",
        ),
    ]


def test_marks_of_direction():
    def only(text, key):
        return told(template(languages={key: {"rcs": Text(text=text)}}, fallback_language=key))

    assert only("שער \u2068@Gate\u2069", "he") == []
    ((level, place, sentence),) = only("שער @Gate", "he")
    assert (level, place) == ("warning", "languages.he.rcs.text")
    assert sentence == "@Gate: put U+2068 before and U+2069 after, or a Latin value may disorder the line."
    assert only("\u200e@Gate", "en") == [
        (
            "warning",
            "languages.en.rcs.text",
            "The text holds invisible marks of direction, and en is written left to right.",
        )
    ]
    for unpaired in ("\u2068@Gate", "@Gate\u2069", "\u2069@Gate\u2068"):
        assert only(unpaired, "en")[0][0] == "error"


def test_limits_are_held_against_rendered_examples():
    def check(content):
        return [f"text is {len(content.text)} characters, RCS allows 5"] if len(content.text) > 5 else []

    made = template(
        variables=(Variable(name="Gate", example="123456"), Variable(name="Row", default="9")),
        languages={
            "en": {"rcs": Text(text="@Gate@Row"), "any": Text(text="@Row")},
            "english (us)": {"any": Text(text="@Gate")},
        },
    )
    errors = [
        finding
        for finding in told(made, {"rcs": [Carrier(check)], "sms": [Carrier(check), Carrier(check, "q")]})
        if finding[0] == "error"
    ]
    assert errors == [
        ("error", "languages.en.rcs", "text is 7 characters, RCS allows 5"),
        ("error", "languages.en-US.any", "On rcs: text is 6 characters, RCS allows 5"),
        ("error", "languages.en-US.any", "On sms: text is 6 characters, RCS allows 5"),
    ]


def test_a_channel_without_content_is_not_checked():
    def never(content):
        raise AssertionError("asked about content that is not there")

    assert told(template(), {"rcs": [], "sms": [Carrier(never)]}) == []


def test_errors_come_first():
    found = lint(template(Text(text="@Nope"), fallback_language=None), {})
    levels = [finding.level for finding in found]
    assert levels == sorted(levels, key=[Level.ERROR, Level.WARNING].index)
    assert {*levels} == {Level.ERROR, Level.WARNING}
    assert isinstance(found[0], Finding)


def test_a_providers_own_json_is_read_for_variables():
    native = {"whatsapp-cloud": msgspec.Raw(b'{"parameters":["@Gate","@Nope"]}')}
    found = told(template(Text(text="x", native=native)))
    assert [(level, place) for level, place, _ in found] == [("error", "languages.en.rcs.native.whatsapp-cloud")]


def measured(content):
    return sms.measure(content.text)


def test_parts_are_counted_with_the_examples_and_the_guilty_character_is_named():
    def found(text, example="C35"):
        made = template(Text(text=text), variables=(Variable(name="Gate", example=example),))
        made = msgspec.structs.replace(made, languages={"en": {"sms": Text(text=text)}})
        return told(made, {"sms": [Carrier(measure=measured, **SMS)]})

    assert found("Gate @Gate") == []
    assert found("’ @Gate") == [], "one part is one part"
    place = "languages.en.sms"
    [(level, where, sentence)] = found("@Gate " + "a" * 200)
    assert (level, where) == ("warning", place)
    assert sentence == "With the examples it takes 2 parts (GSM-7, 204 units), each is billed."
    [(_, _, sentence)] = found("@Gate’" + "a" * 120)
    assert sentence == (
        "With the examples it takes 2 parts (UCS-2, 124 units), each is billed. ’ (U+2019, RIGHT SINGLE QUOTATION "
        "MARK) forces UCS-2; with plain characters it takes 1."
    )
    [(_, _, sentence)] = found("@Gate " + "a" * 80, "Łódź")
    assert sentence.endswith("Ł (U+0141, LATIN CAPITAL LETTER L WITH STROKE) in the example of @Gate forces UCS-2.")
    [(_, _, sentence)] = found("@Gate " + "a" * 500)
    assert "takes 4 parts" in sentence and "seldom meant" in sentence


def test_what_a_channel_loses_is_told():
    content = Text(text="@Gate", suggestions=(Reply(text="Yes"), ShareLocation(text="Where I am")))
    made = template(languages={"en": {"any": content}})
    assert told(made, {"rcs": [Carrier()], "sms": [Carrier(**SMS), Carrier(name="q", **SMS)]}) == [
        ("warning", "languages.en.any", "On sms: Where I am is left out: text cannot say it.")
    ]
    own = template(languages={"en": {"sms": content}})
    assert told(own, {"sms": [Carrier(**SMS)]})[0][2].startswith("On sms: Where I am is left out")


def test_free_content_on_a_channel_with_a_window():
    [(level, place, sentence)] = told(template(), {"rcs": [Carrier(window=86_400)]})
    assert (level, place) == ("warning", "languages.en.rcs")
    assert sentence.startswith("Free content is sent only within 24 hours of the recipient's last message")


def test_a_named_message():
    named = Named(name="delay", body=(Parameter(text="@Gate"),), shown="Gate @Gate", free=Text(text="Now @Gate"))
    carriers = {"rcs": [Carrier(named=True, window=86_400)]}
    assert told(template(named), carriers) == []
    bare = msgspec.structs.replace(named, shown=" ", free=Card(card=CardBody(suggestions=(Reply(text=""),))))
    assert [(level, place) for level, place, _ in told(template(bare), carriers)] == [
        ("error", "languages.en.rcs.shown"),
        ("error", "languages.en.rcs.free.card"),
        ("error", "languages.en.rcs.free.card.suggestions[0].text"),
    ]
    everywhere = template(languages={"en": {"any": named}})
    assert told(everywhere, carriers)[0][2].startswith("A message that a provider keeps belongs to its channel")
    slip = msgspec.structs.replace(named, body=(Parameter(text="@Gat"),))
    assert told(template(slip), carriers)[0][1] == "languages.en.rcs.body[0].text"


def test_a_channel_that_nobody_carries_is_told():
    made = template(languages={"en": {"rcs": Text(text="@Gate"), "smss": Text(text="@Gate")}})
    assert told(made, {"rcs": [Carrier()], "sms": [Carrier()]}) == [
        ("warning", "languages.en.smss", "No channel smss is installed. Did you mean sms? There is: rcs, sms.")
    ]


def test_what_may_come_twice_is_a_warning() -> None:
    said = template(fallback=Fallback(need=Need.READ, within=60))
    found = [(finding.level, finding.place) for finding in lint(said, {})]
    assert found == [(Level.WARNING, "fallback.need")]
