"""Choosing a template's version and language, and rendering by channel."""

import pytest

from heliograph.core.content import Card, CardBody, Text
from heliograph.core.language import Way
from heliograph.core.template import (
    Template,
    TemplateState,
    Variable,
    choose_language,
    choose_version,
    compile,
)
from heliograph.errors import FieldFaults

CARD = Card(card=CardBody(title="Delayed", description="Gate @Gate at @Time"))
TEXT = Text(text="Flight: gate @Gate, @Note@Tail")


def made(version="2", *, languages=("en",), state=TemplateState.PUBLISHED, tags=(), fallback=None):
    return compile(
        Template(
            site="25508804",
            name="flightdelay",
            version=version,
            state=state,
            tags=tags,
            variables=(
                Variable(name="Gate"),
                Variable(name="Time"),
                Variable(name="Note", default="thank you"),
                Variable(name="Tail", required=False),
            ),
            languages={tag: {"rcs": CARD, "any": TEXT} for tag in languages},
            fallback_language=fallback,
        )
    )


def test_a_channel_has_its_own_content_or_that_for_any():
    compiled = made()
    values = {"Gate": "C35", "Time": "7:35 pm"}
    assert compiled.render("en", "rcs", values) == Card(
        card=CardBody(title="Delayed", description="Gate C35 at 7:35 pm")
    )
    assert compiled.render("en", "sms", values) == Text(text="Flight: gate C35, thank you")
    assert compiled.content("en", "rcs") is CARD
    assert compiled.content("en", "wa") is TEXT
    assert compiled.render("fr", "rcs", values) is None
    assert compiled.content("fr", "rcs") is None


def test_a_channel_without_content_has_none():
    compiled = compile(Template(site="s", name="t", version="1", languages={"en": {"rcs": Text(text="x")}}))
    assert compiled.render("en", "sms", {}) is None
    assert compiled.content("en", "sms") is None


def test_a_value_beats_its_default_even_when_it_is_empty():
    values = {"Gate": "1", "Time": "2", "Note": "", "Tail": "!"}
    assert made().render("en", "sms", values) == Text(text="Flight: gate 1, !")


def test_missing_variables_are_named_all_at_once():
    compiled = made()
    assert compiled.required == {"Gate", "Time"}
    assert compiled.missing({"Note": "x"}) == ["Gate", "Time"]
    assert compiled.missing({"Gate": "", "Time": ""}) == []
    with pytest.raises(FieldFaults) as caught:
        compiled.render("en", "rcs", {"time": "7"})
    assert caught.value.fields == {
        "variables": "Template flightdelay (version 2, en) needs @Gate and @Time, which the call does not send. "
        "It sends @time for @Time: upper and lower case count."
    }


@pytest.mark.parametrize(
    ("tag", "version", "matched"),
    [("", "10", False), ("spring", "9", True), ("winter", "10", False), ("secret", "10", False), ("old", "10", False)],
)
def test_the_version_that_a_tag_asks_for(tag, version, matched):
    versions = [
        made("9", tags=("spring",)),
        made("10"),
        made("11", state=TemplateState.DRAFT, tags=("secret",)),
        made("3", state=TemplateState.RETIRED, tags=("old",)),
    ]
    for order in (versions, versions[::-1]):
        chosen = choose_version(order, tag)
        assert (chosen.compiled.template.version, chosen.matched) == (version, matched)


def test_the_newest_of_several_with_one_tag():
    chosen = choose_version([made("1.9", tags=("a",)), made("1.10", tags=("a",)), made("2")], "a")
    assert chosen.compiled.template.version == "1.10"


def test_versions_of_any_form_can_be_compared():
    assert choose_version([made("v2"), made("2026-11"), made("b"), made("")], "").compiled.template.version == "2026-11"


def test_nothing_published():
    assert choose_version([], "") is None
    assert choose_version([made(state=TemplateState.DRAFT), made(state=TemplateState.RETIRED)], "") is None


@pytest.mark.parametrize(
    ("languages", "fallback", "default", "asked", "used", "way"),
    [
        (("en", "es"), None, None, "english", "en", Way.EXACT),
        (("en", "es"), None, None, "Español", "es", Way.EXACT),
        (("en", "es"), None, None, "en_US", "en", Way.PARENT),
        (("en-GB", "es"), None, None, "en-AU", "en-GB", Way.SIBLING),
        (("en-GB", "en-US"), None, None, "en", "en-US", Way.SIBLING),
        (("zh", "zh-Hant"), None, None, "zh_TW", "zh-Hant", Way.SIBLING),
        (("en", "zh"), "en", None, "zh_TW", "en", Way.FALLBACK),
        (("en", "es"), "es", "en", "fr", "es", Way.FALLBACK),
        (("en", "es"), "es-MX", None, "fr", "es", Way.FALLBACK),
        (("en", "es"), None, "en-US", "fr", "en", Way.SITE),
        (("en", "es"), "de", "en", "fr", "en", Way.SITE),
        (("en", "es"), None, "spanish", "", "es", Way.EXACT),
        (("english", "es_MX"), None, None, "en", "en", Way.EXACT),
        (("english", "es_MX"), None, None, "es-MX", "es-MX", Way.EXACT),
        (("pirate talk", "en"), None, None, "pirate talk", "pirate talk", Way.EXACT),
        (("en",), "engrish", "nonsense", "en-GB", "en", Way.PARENT),
    ],
)
def test_the_language_that_serves_a_call(languages, fallback, default, asked, used, way):
    compiled = made(languages=languages, fallback=fallback)
    chosen = choose_language(compiled, asked, default)
    assert (chosen.tag, chosen.way) == (used, way)
    assert bool(chosen.note) == (way is not Way.EXACT or not asked)
    assert compiled.render(chosen.tag, "sms", {"Gate": "1", "Time": "2"}) is not None


@pytest.mark.parametrize(
    ("asked", "default", "sentence"),
    [
        ("fr", None, "Template flightdelay (version 2) has no fr and no fallback language; it has en, es."),
        ("fr", "xyzzy", "Template flightdelay (version 2) has no fr and no fallback language; it has en, es."),
        (
            "",
            None,
            "The language is missing; send a word such as english, a tag such as en, or a locale such as en_US.",
        ),
        (
            "englsh",
            "en",
            "The language 'englsh' is not known. Did you mean english? Send a word such as english or spanish, a tag "
            "such as en or pt-BR, or a locale such as en_US.",
        ),
    ],
)
def test_no_language_serves(asked, default, sentence):
    assert choose_language(made(languages=("en", "es")), asked, default) == sentence


def test_the_note_says_which_way():
    compiled = made(languages=("en",), fallback="en")
    assert choose_language(compiled, "en_GB", None).note == "language en-GB: en is used, as its parent"
    assert choose_language(compiled, "fr", None).note == "language fr: en is used, the template's fallback"
    assert (
        choose_language(compiled, "", "en").note
        == "language en: en is used, as the site's default, the call names none"
    )
