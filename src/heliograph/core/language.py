"""Languages: what a caller wrote (a word, a tag, a locale) → a BCP 47 tag, and which of a template's languages fits it.

`langcodes` knows the words in every language and CLDR's distances; its tables load at the first use (20 ms), so
`preload` is called at start. Hot answers come from bounded caches (0.1 µs).
"""

from __future__ import annotations

import difflib
import unicodedata
from enum import StrEnum
from functools import lru_cache

import langcodes
from language_data import names  # type: ignore[import-untyped]  # it has no py.typed

# Nobody's language is longer; what is longer is not looked up (a caller must not choose how long we search).
LONGEST = 60

# Words that callers type without their accents, or that CLDR does not list as names.
_WORDS = {
    "castellano": "es",
    "castilian": "es",
    "espanol": "es",
    "portugues": "pt",
    "portugues brasileiro": "pt-BR",
    "cestina": "cs",
    "islenska": "is",
    "romana": "ro",
    "slovencina": "sk",
    "turkce": "tr",
    "tieng viet": "vi",
}

# What a fault offers, and where the nearest word to a misspelt one is looked for.
_KNOWN_WORDS = (
    *("english", "spanish", "french", "german", "italian", "portuguese", "dutch", "polish", "russian", "ukrainian"),
    *("turkish", "arabic", "hebrew", "hindi", "japanese", "korean", "chinese", "vietnamese", "thai", "indonesian"),
    *("swedish", "danish", "norwegian", "finnish", "greek", "czech", "hungarian", "romanian"),
)

# CLDR's distance below which two languages differ by region alone (es-MX → es-ES is 5, en-AU → en-GB 3).
_REGIONAL = 10
# … and up to which two codes name one language (no → nb is 1; nn → nb is 20).
_SAME = 1


class Way(StrEnum):
    """How a template's language was found."""

    EXACT = "exact"
    PARENT = "parent"  # en-US → en
    SIBLING = "sibling"  # en-AU → en-GB, zh-TW → zh-Hant: same language, same script, another region
    FALLBACK = "fallback"  # the template's fallback language
    SITE = "site"  # the site's default language


def read(text: str) -> str | None:
    """The BCP 47 tag that `text` means, or None. Words in any language ("english", "español"), tags (`en`, `pt-BR`),
    locales (`en_US`, `en_US.UTF-8`), old and three-letter codes (`iw`, `eng`); case and outer space do not matter."""
    return _read(text) if len(text) <= LONGEST else None  # before the cache, so that it holds nothing long


@lru_cache(maxsize=4096)
def _read(text: str) -> str | None:
    word = text.strip()
    if not word:
        return None
    # A short word is a code before it is a name: `ga` is Irish, although a language is called Ga.
    return _tag(word) or _named(word)


def _tag(word: str) -> str | None:
    locale = word.split(".", 1)[0].split("@", 1)[0].replace("_", "-")
    try:
        tag = langcodes.standardize_tag(locale, macro=True)
        known = langcodes.Language.get(tag).is_valid()
    except ValueError:  # LanguageTagError: not of a tag's form
        return None
    return tag if known and not tag.startswith(("und", "x-")) else None


def _named(word: str) -> str | None:
    name = " ".join(word.replace("_", " ").casefold().split())
    if not all(c.isalpha() or unicodedata.combining(c) or c in " -'’()," for c in name):
        # Names have no other characters, and the trie under language_data reads foreign memory for a NUL.
        return None
    plain = "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))
    code = _WORDS.get(plain) or _exactly("language", name)
    if code is None and name.endswith(")"):  # English (United States), as pickers show it
        head, _, region = name[:-1].partition("(")
        tongue, land = _exactly("language", head.strip()), _exactly("territory", region.strip())
        code = f"{tongue}-{land}" if tongue and land else None
    return langcodes.standardize_tag(code, macro=True) if code else None


def _exactly(category: str, name: str) -> str | None:
    """The code that has this name in some language. language_data also takes a beginning for the name ("pirate" would
    be Yine, spoken in Peru), and so sends words that nobody asked for: the name itself must be in its table."""
    code: str | None = names.name_to_code(category, name)
    return code if names.normalize_name(name) in names.TRIES[f"und/name_to_{category}"] else None


def unknown(text: str) -> str:
    """The sentence for a language that `read` does not understand."""
    shown = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    near = difflib.get_close_matches(text[:LONGEST].strip().casefold(), _KNOWN_WORDS, n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    return (
        f"The language {shown!r} is not known.{hint} Send a word such as english or spanish, a tag such as en or "
        "pt-BR, or a locale such as en_US."
    )


@lru_cache(maxsize=4096)
def closest(asked: str, offered: tuple[str, ...]) -> tuple[str, Way] | None:
    """The one of `offered` (BCP 47 tags) that serves a reader of `asked`, and how it was found; None if none does.

    Exact, then the parent (en-US → en), then a sibling of another region (the nearest by CLDR; the first offered on a
    tie). The script never changes: zh-TW is served by zh-Hant and not by zh, which is written in Hans.
    """
    if asked in offered:
        return asked, Way.EXACT
    known = read(asked)
    if known is None:  # a key that an author made up is matched to the letter alone
        return None
    script = _script(known)
    subtags = known.split("-")
    for length in range(len(subtags) - 1, 0, -1):
        parent = "-".join(subtags[:length])
        if parent in offered and _script(parent) == script:
            return parent, Way.PARENT
    best: tuple[int, str] | None = None
    for tag in offered:
        other = read(tag)
        if other is None or _script(other) != script:
            continue
        distance = langcodes.tag_distance(known, other)
        same = other.split("-", 1)[0] == subtags[0]
        if distance < (_REGIONAL if same else _SAME + 1) and (best is None or distance < best[0]):
            best = (distance, tag)
    return (best[1], Way.SIBLING) if best else None


@lru_cache(maxsize=4096)
def _script(tag: str) -> str | None:
    return langcodes.Language.get(tag).maximize().script


def right_to_left(tag: str) -> bool:
    """Whether the language is written from right to left (Arabic, Hebrew, Persian, Urdu …)."""
    known = read(tag)
    return known is not None and _script(known) in {"Arab", "Hebr", "Syrc", "Thaa", "Nkoo", "Adlm", "Rohg"}


def preload() -> None:
    """Load the tables, so that no call waits for them."""
    for word in ("english", "en_US", "xx-unknown"):
        read(word)
    closest("en-AU", ("en-GB", "es"))
