"""What heliograph answers to a keyword: that no more messages come, that they come again, where help is.

A site's own texts stand above ours. `@Brand` in them is the site's name, `@Contact` its contact for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from heliograph.core import sms
from heliograph.core.keyword import base
from heliograph.core.notice_texts import TEXTS
from heliograph.core.site import Covers, OptOuts, Site

LONGEST = 459  # characters of a site's own text: three SMS, which is too long already
_LAST = "en"


class Notice(StrEnum):
    """Named as the tables of the site's file are."""

    CONFIRMATION = "confirmation"
    RESUMED = "resumed"
    HELP = "help"


def text(notice: Notice, site: Site, languages: Iterable[str], covers: Covers = Covers.ALL) -> str:
    """The text in the first of `languages` (BCP 47, the best first) that there is, else in the site's own, else in
    English. `covers`: what a no that is confirmed covers."""
    own = getattr(site.opt_outs, notice.value)
    for language in (*languages, site.default_language or "", _LAST):
        for tag in (language, base(language)):
            if tag in own:
                return _filled(own[tag], site)
        if base(language) in TEXTS:
            return _ours(notice, site, base(language), covers)
    raise AssertionError("unreachable: English is there")


def faults(settings: OptOuts, brand: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What is wrong with a site's texts, and what is only unwise: each with its place ("confirmation.en")."""
    wrong: list[tuple[str, str]] = []
    unwise: list[tuple[str, str]] = []
    site = Site(id="", name=brand, opt_outs=settings)
    for notice in Notice:
        for tag, written in getattr(settings, notice.value).items():
            place = f"{notice.value}.{tag}"
            filled = _filled(written, site)
            if not written.strip():
                wrong.append((place, "the text is empty; leave it out and ours is sent."))
            elif len(written) > LONGEST:
                wrong.append((place, f"the text has {len(written)} characters; {LONGEST} is the most."))
            elif (parts := sms.measure(filled).parts) > 1:
                unwise.append((place, f"the text takes {parts} parts as an SMS; one is best."))
            if brand and brand not in filled:
                unwise.append((place, "the text does not name the brand; write @Brand in it."))
            if notice is Notice.HELP and settings.contact and settings.contact not in filled:
                unwise.append((place, "the text says no way to reach people; write @Contact in it."))
    if settings.scope is not Covers.ALL and settings.confirmation:
        unwise.append(("scope", f"a no covers the {settings.scope} alone; your own confirmations must say so."))
    return wrong, unwise


def brand(site: Site) -> str:
    return site.name or site.id


def _filled(text: str, site: Site) -> str:
    return text.replace("@Brand", brand(site)).replace("@Contact", site.opt_outs.contact)


def _ours(notice: Notice, site: Site, language: str, covers: Covers) -> str:
    words = TEXTS[language]
    match notice:
        case Notice.CONFIRMATION:
            said = words.stopped if covers is Covers.ALL else words.these
            return f"{brand(site)}: {said} {words.back}"
        case Notice.RESUMED:
            return f"{brand(site)}: {words.resumed} {words.leave}"
        case Notice.HELP:
            contact = f"{words.help}: {site.opt_outs.contact}. " if site.opt_outs.contact else ""
            return f"{brand(site)}: {contact}{words.leave}"
