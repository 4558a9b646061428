"""Keywords: every language's words, however they are written, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.core import keyword
from heliograph.core.content import Card, CardBody, Named, OpenUrl, Reply, Text
from heliograph.core.keyword import Keyword
from heliograph.core.keyword_words import ALWAYS, BY_LANGUAGE, Words

KINDS = {"stop": Keyword.STOP, "start": Keyword.START, "help": Keyword.HELP}
EVERY = [
    (language, word, kind)
    for language, words in {"": ALWAYS, **BY_LANGUAGE}.items()
    for name, kind in KINDS.items()
    for word in getattr(words, name)
]
AROUND = st.text(st.sampled_from(" \t\n\r\u00a0\u200b\u200e\u2060.,!?¡¿…'\"‘’“”«»()*_~`-–—🛑👍🏽\ufe0f"), max_size=6)


@pytest.mark.parametrize(("language", "word", "kind"), EVERY)
def test_every_word_of_every_language(language, word, kind):
    found = keyword.read(word, (language,) if language else ())
    assert found is kind or (found is not None and keyword.read(word) is found), "what counts everywhere comes first"
    assert keyword.fold(word), "a word that nothing is left of would be every text"


@given(
    one=st.sampled_from(EVERY),
    before=AROUND,
    after=AROUND,
    form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    case=st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str]),
)
def test_padding_case_and_form_do_not_matter(one, before, after, form, case):
    language, word, _ = one
    written = before + unicodedata.normalize(form, case(word)) + after
    assert keyword.read(written, (language,)) is keyword.read(word, (language,)) is not None


@given(one=st.sampled_from(EVERY), more=st.text("abcxyz0189äжع字", min_size=1, max_size=8))
def test_another_word_beside_it_is_an_answer(one, more):
    language, word, _ = one
    if keyword.fold(f"{word} {more}") not in {keyword.fold(other) for _, other, _ in EVERY}:
        assert keyword.read(f"{word} {more}", (language,)) is None


@given(st.text(max_size=200))
def test_any_text_is_read(text):
    assert keyword.read(text, ("de", "tr", "xx", "")) in (None, *Keyword)


@pytest.mark.parametrize(
    "said",
    ["Stop", "STOP.", "« stop »", "ＳＴＯＰ", "s\u200bt\u00adop", "\u202bstop\u202c", "stop 🛑", "Opt-Out", "OPT  OUT"],
)
def test_stop_however_it_is_written(said):
    assert keyword.read(said) is Keyword.STOP


@pytest.mark.parametrize("said", ["İPTAL", "iptal", "IPTAL", "ıptal", "Iptal!"])
def test_the_turkish_i(said):
    assert keyword.read(said, ("tr",)) is Keyword.STOP


@pytest.mark.parametrize(
    ("said", "language"),
    [
        ("إِلْغَاء", "ar"),
        ("الغاء", "ar"),
        ("إلغـــاء", "ar"),
        ("הַפְסֵק", "he"),
        ("ｽﾄｯﾌﾟ", "ja"),
        ("cancela", ""),
        ("STΟΠ", ""),
    ],
)
def test_marks_and_widths(said, language):
    expected = Keyword.STOP if language else None
    assert keyword.read(said, (language,)) is expected


@pytest.mark.parametrize(
    "said",
    [
        "",
        " ",
        "🛑",
        "...",
        "stop it",
        "STOP PLEASE",
        "please stop",
        "nonstop",
        "stop1",
        "1 stop",
        "s t o p",
        "stop\nnow",
    ],
)
def test_what_is_no_keyword(said):
    assert keyword.read(said, ("en",)) is None


def test_other_languages_words_count_where_that_language_is_spoken():
    assert keyword.read("baja") is None and keyword.read("baja", ("de",)) is None
    assert keyword.read("baja", ("de", "es-MX")) is Keyword.STOP
    assert keyword.languages("en-US", "+525512345678") == ("en", "es")
    assert keyword.languages("", "+3225550123") == ("nl", "fr", "de")
    assert keyword.languages("nn", "+80012345678") == ("nb",), "a number of no country"
    assert keyword.languages("pt_BR", "") == ("pt",)


def test_a_sites_own_words():
    mine = Words(stop=("Ga weg",), start=("Kom terug",), help=("Wat?",))
    assert keyword.read("GA WEG!", (), mine) is Keyword.STOP
    assert keyword.read("kom terug", (), mine) is Keyword.START
    assert keyword.read("wat", (), mine) is Keyword.HELP
    assert keyword.read("ga weg") is None


def test_yes_is_a_kind_of_its_own():
    assert keyword.read("Yes!") is Keyword.YES
    assert keyword.read("ja", ("de",)) is None


def test_what_the_message_offers_is_an_answer():
    cancel, link = Reply(text="Cancel", postback="c"), OpenUrl(text="End", url="https://acme.example/")
    for content in (
        Text(text="Hi", suggestions=(cancel, link)),
        Text(text="Hi", options=(cancel,)),
        Card(card=CardBody(title="Hi", suggestions=(cancel,))),
        Named(name="n", shown="Hi", suggestions=(cancel,)),
    ):
        assert keyword.offered(content, " CANCEL ")
        assert not keyword.offered(content, "end"), "a link is no answer"
        assert not keyword.offered(content, "cancel it")
    assert keyword.is_stop_itself("Stop!") and not keyword.is_stop_itself("stopall")
