"""What callers write for a language, and which of several serves it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import language
from heliograph.core.language import Way


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("english", "en"),
        (" English ", "en"),
        ("ENGLISH", "en"),
        ("en", "en"),
        ("EN", "en"),
        ("eng", "en"),
        ("en-US", "en-US"),
        ("en_US", "en-US"),
        ("en_us", "en-US"),
        ("EN-us", "en-US"),
        ("en_US.UTF-8", "en-US"),
        ("de_DE@euro", "de-DE"),
        ("español", "es"),
        ("espanol", "es"),
        ("spanish", "es"),
        ("castellano", "es"),
        ("Deutsch", "de"),
        ("portugues", "pt"),
        ("Brazilian Portuguese", "pt-BR"),
        ("日本語", "ja"),
        ("العربية", "ar"),
        ("mandarin", "zh"),
        ("zh_Hant_TW", "zh-Hant-TW"),
        ("iw", "he"),  # Hebrew's code until 1989, still Java's
        ("thai", "th"),  # of a tag's form, and a word
        ("ga", "ga"),  # Irish: a code goes before a name
        ("es_419", "es-419"),
        ("Tagalog", "fil"),
        ("American English", "en-US"),
        ("English (United States)", "en-US"),
        ("Spanish (Mexico)", "es-MX"),
        ("Chinese (Traditional)", "zh-Hant"),
        ("Chinese (Taiwan)", "zh-TW"),
    ],
)
def test_words_tags_and_locales(written, tag):
    assert language.read(written) == tag


@pytest.mark.parametrize(
    "written", ["", " ", "xyzzy", "xx", "und", "C", "POSIX", "x-private", "en" * 40, "1", "-", "_"]
)
def test_what_nobody_understands(written):
    assert language.read(written) is None


@given(st.text(max_size=80))
def test_any_text_is_read_or_not_and_never_an_error(written):
    tag = language.read(written)
    assert tag is None or language.read(tag) == tag
    assert "Send a word such as english" in language.unknown(written)


def test_the_fault_offers_some_that_are_understood():
    sentence = language.unknown("germann")
    assert sentence == (
        "The language 'germann' is not known. Did you mean german? Send a word such as english or spanish, a tag such "
        "as en or pt-BR, or a locale such as en_US."
    )
    for word in ("english", "spanish", "en", "pt-BR", "en_US"):
        assert word in sentence
        assert language.read(word)


@pytest.mark.parametrize(
    ("asked", "offered", "expected"),
    [
        ("en", ("es", "en"), ("en", Way.EXACT)),
        ("en-US", ("es", "en"), ("en", Way.PARENT)),
        ("zh-Hant-TW", ("zh-Hant", "zh"), ("zh-Hant", Way.PARENT)),
        ("es-MX", ("es-ES", "es-419"), ("es-419", Way.SIBLING)),  # Latin America is nearer than Spain
        ("en-AU", ("en-US", "en-GB"), ("en-GB", Way.SIBLING)),
        ("pt-PT", ("pt-BR",), ("pt-BR", Way.SIBLING)),
        ("pt", ("pt-PT", "pt-BR"), ("pt-BR", Way.SIBLING)),
        ("no", ("nb",), ("nb", Way.SIBLING)),
        ("zh-TW", ("zh",), None),  # another script
        ("sr-Latn", ("sr",), None),
        ("nn", ("nb",), None),
        ("fr", ("en", "es"), None),
        ("en", (), None),
        ("pirate talk", ("en",), None),
        ("en", ("pirate talk",), None),
    ],
)
def test_the_closest_of_several(asked, offered, expected):
    assert language.closest(asked, offered) == expected


def test_direction():
    assert all(language.right_to_left(tag) for tag in ("ar", "he", "fa", "ur", "ar-EG", "arabic"))
    assert not any(language.right_to_left(tag) for tag in ("en", "zh", "pirate talk"))
