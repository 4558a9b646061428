"""A recipient's no: what it covers, since when, how it came and by whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from heliograph.core.channel import SYNONYMS

ALL = "all"
SKILL = "skill:"  # a scope: all alerts of one skill
LONGEST = 80  # characters of a scope


class OptOut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`scope`: all | a channel | skill:<name>. `at`: since when (ms). `how`: provider | api | cli | file. `by`: who
    wrote it down (a sender, an operator, a key). `wanted`: it was withdrawn at that time; the memory stays, so that an
    older no that arrives later does not bring it back."""

    site: str
    recipient: str
    scope: str = ALL
    at: int
    how: str = ""
    by: str = ""
    wanted: bool = False


def read_scope(text: str, channels: Collection[str], skills: Collection[str] = ()) -> str:
    """The scope that `text` means; an empty one is everything. Raises ValueError with a sentence. `channels` are those
    installed, `skills` the site's (none: any)."""
    word = text.strip()
    if not word:
        return ALL
    if word.casefold().startswith(SKILL):
        skill = word[len(SKILL) :].strip()
        if not skill or len(skill) > LONGEST:
            raise ValueError("The scope skill: names no skill; write skill:NAME.")
        if skills and skill not in skills:
            raise ValueError(f"The site has no skill {skill!r}; it has {', '.join(sorted(skills))}.")
        return SKILL + skill
    word = word.casefold()
    if word == ALL:
        return ALL
    channel = SYNONYMS.get(word, word)
    if channel in channels or channel in SYNONYMS.values():
        return channel
    known = ", ".join(sorted({*channels, *SYNONYMS.values()}))
    raise ValueError(f"The scope {word[:LONGEST]!r} is none; write all, a channel ({known}) or skill:NAME.")


def concerning(scopes: Iterable[str], skill: str) -> frozenset[str]:
    """Those scopes that bar an alert of this skill: channels, and `all`. A no to the skill itself is one to all that
    this alert could do, so it counts as `all`; a no to another skill counts for nothing."""
    found = frozenset(scopes)
    others = frozenset(scope for scope in found if scope.startswith(SKILL))
    if not others:
        return found
    return (found - others) | ({ALL, SKILL + skill} if SKILL + skill in others else set())
