"""Keywords: a recipient's message that is a word such as STOP and nothing else.

How it is written does not matter: in any case, with or without accents and vowel signs, in full-width letters, in
quotation marks, with an emoji behind it. Each language's words count where the alert, or the recipient's number, speaks
that language; those of ALWAYS count everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

import langcodes

from heliograph.core import phone
from heliograph.core.content import Content, Reply, suggestions_of
from heliograph.core.keyword_words import ALWAYS, BY_LANGUAGE, REGIONS, SAME, YES, Words

LONGEST = 60  # characters of a message that may be a keyword; what is longer is not looked at

# Letters that have no decomposition and that people type as the plain ones; Arabic endings that are written both ways.
_LIKE = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "’": "'", "ـ": "", "ة": "ه", "ى": "ي"})
_NONE = Words()
_SIGNS = re.compile(r"[^\w\s']+")
_BETWEEN = re.compile(r"[\s\-‐-―_]+")


class Keyword(StrEnum):
    """`yes`: it takes back an opt-out where one is in force; anywhere else it is an answer like any other."""

    STOP = "stop"
    START = "start"
    YES = "yes"
    HELP = "help"


def read(text: str, languages: Iterable[str] = (), more: Words | None = None) -> Keyword | None:
    """The keyword that `text` is, None for anything else. `languages`: BCP 47 tags; `more`: a site's own words."""
    if len(text) > LONGEST:
        return None
    word = fold(text)
    if not word:
        return None
    if word == YES:
        return Keyword.YES
    known = [_folded(more)] if more is not None else []
    known += [_of(""), *(_of(base(one)) for one in languages)]
    return next((words[word] for words in known if word in words), None)


def is_stop_itself(text: str) -> bool:
    """The one word that is a no even where the message offers it as an answer."""
    return len(text) <= LONGEST and fold(text) == "stop"


def offered(content: Content, text: str) -> bool:
    """Whether the message offers these words as an answer: then they are that answer and no keyword."""
    word = fold(text[: LONGEST + 1])
    return any(isinstance(one, Reply) and fold(one.text) == word for one in suggestions_of(content))


def mentioned(text: str, word: str) -> bool:
    """Whether an agent's words hold the one that is answered ("Shall I cancel or rebook?")."""
    return f" {fold(word)} " in f" {' '.join(_SIGNS.sub(' ', fold(text)).split())} "


def languages(language: str, recipient: str) -> tuple[str, ...]:
    """Those whose words count: the alert's, and those of the recipient's number."""
    own = (base(language),) if language else ()
    return tuple(dict.fromkeys((*own, *_spoken(phone.region(recipient)))))


@lru_cache(maxsize=512)
def base(tag: str) -> str:
    """The language of a tag: es-MX → es, nn → nb."""
    code = tag.replace("_", "-").split("-", 1)[0].casefold()
    return SAME.get(code, code)


def fold(text: str) -> str:
    """The letters of `text` that matter, so that two ways to write one word are equal."""
    plain = unicodedata.normalize("NFKC", text).translate(_LIKE).casefold()
    letters = "".join(char for char in unicodedata.normalize("NFKD", plain) if not _is_mark(char))
    joined = _BETWEEN.sub(" ", unicodedata.normalize("NFKC", letters).translate(_LIKE))
    return _bare(joined)


def _is_mark(char: str) -> bool:
    """Accents, vowel signs, what chooses an emoji's look, and what is not seen at all."""
    return bool(unicodedata.combining(char)) or "\ufe00" <= char <= "\ufe0f" or unicodedata.category(char) == "Cf"


def _bare(text: str) -> str:
    """Without the signs, spaces and pictures around the words."""
    start, end = 0, len(text)
    while start < end and unicodedata.category(text[start])[0] in "PSZC":
        start += 1
    while end > start and unicodedata.category(text[end - 1])[0] in "PSZC":
        end -= 1
    return text[start:end]


@lru_cache(maxsize=512)
def _spoken(region: str) -> tuple[str, ...]:
    """A region's languages; of one that is not in the table, the one that CLDR finds likely (und-MX → es)."""
    if region in REGIONS or not region.isalpha():  # "001": a calling code of no country
        return REGIONS.get(region, ())
    likely = langcodes.Language.get(f"und-{region}").maximize().language or ""
    return (base(likely),) if base(likely) in BY_LANGUAGE else ()


@lru_cache(maxsize=256)
def _folded(words: Words) -> dict[str, Keyword]:
    """STOP stands above the others where a word is in two lists."""
    found = {fold(word): Keyword.HELP for word in words.help}
    found |= {fold(word): Keyword.START for word in words.start}
    return found | {fold(word): Keyword.STOP for word in words.stop}


@lru_cache(maxsize=256)
def _of(language: str) -> dict[str, Keyword]:
    """A language's words; those that count everywhere are of no language."""
    return _folded(BY_LANGUAGE.get(language, _NONE) if language else ALWAYS)
