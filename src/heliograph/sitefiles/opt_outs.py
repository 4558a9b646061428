"""`[opt_outs]` of a site's file: what a STOP covers, words of the site's own, and what is answered to them.

[opt_outs]
scope = "all"                       # or channel, skill
contact = "+1 202 555 0100"
words.stop = ["enough of it"]
confirmation.en = "@Brand: …"       # also resumed and help
"""

from __future__ import annotations

from typing import Any

from heliograph.core import keyword, language, notice
from heliograph.core.keyword_words import Words
from heliograph.core.notice import Notice
from heliograph.core.site import OptOuts
from heliograph.sitefiles.toml import Faults, Section


def read(section: Section, brand: str, notes: Faults) -> OptOuts:
    """The section; what is wrong is noted in its file's faults, what is only unwise in `notes`."""
    given: dict[str, Any] = {name.value: _texts(section.section(name.value)) for name in Notice}
    words = section.section("words").struct(Words, "The table of words")
    given["words"] = words or Words()
    if words is not None:
        _check(section.section("words"), words)
    found = section.struct(OptOuts, "The table of opt-outs", given=given, own=given)
    if found is None:
        return OptOuts()
    wrong, unwise = notice.faults(found, brand)
    for place, sentence in wrong:
        section.fault(f"{place}: {sentence}", *place.split("."))
    for place, sentence in unwise:
        section.fault(f"{place}: {sentence}", *place.split("."), into=notes)
    return found


def _texts(section: Section) -> dict[str, str]:
    """Texts by their language's tag, as callers may write it (`en_US`, `english`)."""
    found: dict[str, str] = {}
    for written in section.table:
        tag = language.read(written)
        if tag is None:
            section.fault(language.unknown(written), written)
        else:
            found[tag] = section.text(written)
    return found


def _check(section: Section, words: Words) -> None:
    """A word that no message can be, and one that means two things."""
    meanings: dict[str, str] = {}
    for kind in Words.__struct_fields__:
        for word in getattr(words, kind):
            folded = keyword.fold(word)
            if not folded or len(word) > keyword.LONGEST:
                section.fault(f"{word[:20]!r} is no word; write letters or digits, {keyword.LONGEST} at most.", kind)
            elif meanings.setdefault(folded, kind) != kind:
                section.fault(f"{word!r} stands in {meanings[folded]} too; a word means one thing.", kind)
            elif kind != "stop" and keyword.read(word) is keyword.Keyword.STOP:
                section.fault(f"{word!r} means stop everywhere; it cannot be a word for {kind}.", kind)
