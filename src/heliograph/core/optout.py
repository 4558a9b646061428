"""A recipient's no: what it covers, since when, how it came and by whom."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from heliograph.core import phone
from heliograph.core.channel import SYNONYMS
from heliograph.core.site import Site

ALL = "all"
SKILL = "skill:"  # a scope: all alerts of one skill
LONGEST = 80  # characters of a scope
ERASED = phone.ERASED  # the beginning of an erased recipient's name: a keyed hash of the number
_ERASED = re.compile(rf"{ERASED}[A-Za-z0-9_-]{{43}}")


def is_erased(recipient: str) -> bool:
    """Whether it is the name of somebody who was erased, and no number."""
    return _ERASED.fullmatch(recipient) is not None


class OptOut(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`scope`: all | a channel | skill:<name>. `at`: since when (ms). `how`: keyword | provider | api | cli | file |
    console. `by`: who wrote it down (a sender, an operator, a key, a user). `wanted`: it was withdrawn at that time;
    the memory stays, so that an older no that arrives later does not bring it back."""

    site: str
    recipient: str
    scope: str = ALL
    at: int
    how: str = ""
    by: str = ""
    wanted: bool = False


class RowFault(ValueError):
    """What is wrong with one field; the sentence never holds the number."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def read_scope(text: str, channels: Collection[str], skills: Collection[str] = ()) -> str:
    """The scope that `text` means; an empty one is everything. Raises RowFault. `channels` are those
    installed, `skills` the site's (none: any)."""
    word = text.strip()
    if not word:
        return ALL
    if word.casefold().startswith(SKILL):
        skill = word[len(SKILL) :].strip()
        if not skill or len(skill) > LONGEST or not skill.isprintable():
            raise RowFault("scope", "The scope skill: names no skill; write skill:NAME.")
        if skills and skill not in skills:
            raise RowFault("scope", f"The site has no skill {skill!r}; it has {', '.join(sorted(skills))}.")
        return SKILL + skill
    word = word.casefold()
    if word == ALL:
        return ALL
    channel = SYNONYMS.get(word, word)
    if channel in channels or channel in SYNONYMS.values():
        return channel
    known = ", ".join(sorted({*channels, *SYNONYMS.values()}))
    raise RowFault("scope", f"The scope {word[:LONGEST]!r} is none; write all, a channel ({known}) or skill:NAME.")


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What rows are held against, and what stands for the fields that they leave out. `at`: ms."""

    sites: Mapping[str, Site]
    channels: frozenset[str]
    site: str
    at: int
    now: int
    how: str
    by: str


def read(fields: Mapping[str, str], book: Book) -> OptOut:
    """An opt-out from the fields recipient, scope, site, at, how, by; all but the first may be left out. Raises
    RowFault."""
    site = fields.get("site", "").strip() or book.site
    if site not in book.sites:
        raise RowFault("site", f"There is no site {site[:LONGEST]!r}." if site else "The site is missing.")
    recipient = _recipient(fields.get("recipient", ""))
    if isinstance(recipient, phone.PhoneFault):
        raise RowFault("recipient", recipient.sentence)
    return OptOut(
        site=site,
        recipient=recipient,
        scope=read_scope(fields.get("scope", ""), book.channels, book.sites[site].skills),
        at=read_time(written, book.now) if (written := fields.get("at", "").strip()) else book.at,
        how=_word(fields.get("how", ""), "how") or book.how,
        by=_word(fields.get("by", ""), "by") or book.by,
    )


def _recipient(text: str) -> str | phone.PhoneFault:
    """A number in E.164, or an erased person's name, as lists and exports have it."""
    return text.strip() if is_erased(text.strip()) else phone.international(text)


def _word(text: str, name: str) -> str:
    word = text.strip()
    if len(word) > LONGEST or not (word.isprintable() or not word):
        raise RowFault(name, f"The field {name} is longer than {LONGEST} characters, or is no plain text.")
    return word


def read_time(text: str, now: int) -> int:
    """Milliseconds since the epoch of an ISO 8601 time; no offset means UTC. Raises RowFault."""
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise RowFault("at", "The time `at` cannot be read; write it as in 2026-11-25T14:05:00Z.") from None
    at = round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    if not 0 <= at <= now:
        raise RowFault("at", "The time `at` is in the future; an opt-out was said at some time before now.")
    return at


def concerning(scopes: Iterable[str], skill: str) -> frozenset[str]:
    """Those scopes that bar an alert of this skill: channels, and `all`. A no to the skill itself is one to all that
    this alert could do, so it counts as `all`; a no to another skill counts for nothing."""
    found = frozenset(scopes)
    others = frozenset(scope for scope in found if scope.startswith(SKILL))
    if not others:
        return found
    return (found - others) | ({ALL, SKILL + skill} if SKILL + skill in others else set())


def may_answer(opted_out_at: int | None, heard: int) -> bool:
    """Whether an agent may answer somebody: who has opted out is answered only where he wrote after it. Times are ms;
    `opted_out_at`: the newest no that bars this channel or skill was last said then, None where there is none; `heard`:
    the recipient's last words, which may have been that no."""
    return opted_out_at is None or heard > opted_out_at
