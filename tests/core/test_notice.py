"""What is answered to a keyword: every language's text names the brand and the way back, and is short."""

from __future__ import annotations

import pytest

from heliograph.core import notice, sms
from heliograph.core.keyword_words import BY_LANGUAGE
from heliograph.core.notice import Notice
from heliograph.core.notice_texts import TEXTS
from heliograph.core.site import Covers, OptOuts, Site

SITE = Site(id="1", name="Acme Air", opt_outs=OptOuts(contact="+1 202 555 0100"))


def test_every_language_with_keywords_has_its_texts():
    assert set(TEXTS) == set(BY_LANGUAGE)


@pytest.mark.parametrize("language", sorted(TEXTS))
@pytest.mark.parametrize("scope", Covers)
def test_every_text(language, scope):
    site = Site(id="1", name="Acme Air", opt_outs=OptOuts(scope=scope, contact="+1 202 555 0100"))
    texts = {one: notice.text(one, site, (language,)) for one in Notice}
    assert all(text.startswith("Acme Air: ") for text in texts.values())
    assert "START" in texts[Notice.CONFIRMATION]
    assert "STOP" in texts[Notice.RESUMED] and "STOP" in texts[Notice.HELP]
    assert "+1 202 555 0100" in texts[Notice.HELP]
    assert len(set(texts.values())) == 3
    for text in texts.values():
        size = sms.measure(text)
        assert size.parts <= (1 if size.encoding == sms.GSM7 else 2), text
    if language != "en":
        assert texts[Notice.CONFIRMATION] != notice.text(Notice.CONFIRMATION, site, ("en",))


def test_the_scope_is_said():
    narrow = Site(id="1", opt_outs=OptOuts(scope=Covers.CHANNEL))
    assert notice.text(Notice.CONFIRMATION, SITE, ()) != notice.text(Notice.CONFIRMATION, narrow, ())
    assert notice.text(Notice.CONFIRMATION, narrow, ()).startswith("1: "), "without a name its id stands for it"
    assert notice.text(Notice.HELP, narrow, ("en",)) == "1: Reply STOP to get no more."


def test_a_sites_own_text_stands_above_ours():
    own = {"de": "@Brand ist still. @Contact", "pt-BR": "Silêncio."}
    site = Site(id="1", name="Acme", default_language="de", opt_outs=OptOuts(contact="x", confirmation=own))
    assert notice.text(Notice.CONFIRMATION, site, ("de-AT",)) == "Acme ist still. x"
    assert notice.text(Notice.CONFIRMATION, site, ("pt-BR",)) == "Silêncio."
    assert notice.text(Notice.CONFIRMATION, site, ("pt-PT",)).startswith("Acme: Não"), "of another region: ours"
    assert notice.text(Notice.CONFIRMATION, site, ("xx", "fr")).startswith("Acme: Vous")
    assert notice.text(Notice.CONFIRMATION, site, ("xx",)) == "Acme ist still. x", "the site's language"
    assert notice.text(Notice.RESUMED, site, ()).startswith("Acme: Sie erhalten wieder")


def test_what_is_wrong_with_a_text():
    settings = OptOuts(
        scope=Covers.SKILL,
        contact="x@y.z",
        confirmation={"en": " ", "de": "y" * 460, "fr": "@Brand " + "z" * 160},
        help={"en": "We are there."},
    )
    wrong, unwise = notice.faults(settings, "Acme")
    assert [place for place, _ in wrong] == ["confirmation.en", "confirmation.de"]
    assert ("confirmation.fr", "the text takes 2 parts as an SMS; one is best.") in unwise
    assert ("help.en", "the text does not name the brand; write @Brand in it.") in unwise
    assert ("help.en", "the text says no way to reach people; write @Contact in it.") in unwise
    assert any(place == "scope" for place, _ in unwise)
    assert notice.faults(OptOuts(), "Acme") == ([], [])
