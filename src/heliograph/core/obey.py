"""What a keyword does: which opt-outs it writes or withdraws, and what is answered. Pure; store/keywords.py does it."""

from __future__ import annotations

import msgspec

from heliograph.core.keyword import Keyword
from heliograph.core.notice import Notice
from heliograph.core.optout import ALL, SKILL, OptOut
from heliograph.core.site import Covers, Site

WITHIN = 300_000  # ms: a confirmation leaves within five minutes or never (47 CFR 64.1200(a)(12))
ONCE = {Notice.CONFIRMATION: 86_400_000, Notice.RESUMED: 86_400_000, Notice.HELP: 60_000}  # ms between two of a kind


class Asked(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who wrote a keyword, where, and about what. `skill`: of the alert that it answers, else the site's usual one.
    `in_force`: scopes that the recipient has opted out of. `at` (ms): when it was said."""

    site: Site
    recipient: str
    channel: str
    sender: str
    skill: str
    in_force: frozenset[str]
    at: int


class Obeyed(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`kind`: opted_out | resumed | helped, for the timeline and the turn that tells of it; `scope`: what it covers.
    `closes`: an open conversation ends with it, since nothing more may be said in it."""

    kind: str
    notice: Notice
    scope: str = ""
    rows: tuple[OptOut, ...] = ()
    closes: bool = False


def obey(word: Keyword, asked: Asked) -> Obeyed | None:
    """What is to be done; None where the word asks for nothing and is an answer like any other."""
    match word:
        case Keyword.STOP:
            scope = stopped(asked)
            row = _said(asked, scope, wanted=False)
            return Obeyed(kind="opted_out", notice=Notice.CONFIRMATION, scope=scope, rows=(row,), closes=scope == ALL)
        case Keyword.START | Keyword.YES:
            back = wanted_again(asked)
            if word is Keyword.YES and not asked.in_force & back:
                return None
            rows = tuple(_said(asked, scope, wanted=True) for scope in sorted(back))
            return Obeyed(
                kind="resumed", notice=Notice.RESUMED, rows=rows, scope=", ".join(sorted(asked.in_force & back))
            )
        case Keyword.HELP:
            return Obeyed(kind="helped", notice=Notice.HELP)


def stopped(asked: Asked) -> str:
    """The scope of a STOP. A skill that nobody knows leaves no narrower no than one to everything."""
    match asked.site.opt_outs.scope:
        case Covers.CHANNEL:
            return asked.channel
        case Covers.SKILL if asked.skill:
            return SKILL + asked.skill
        case _:
            return ALL


def wanted_again(asked: Asked) -> frozenset[str]:
    """The scopes that a START takes back: all that would keep messages off the channel that it came on. A no to another
    channel stands: it was said there, and may be kept by that channel's provider too."""
    skills = {scope for scope in asked.in_force if scope.startswith(SKILL)}
    return frozenset({ALL, asked.channel, *skills})


def _said(asked: Asked, scope: str, *, wanted: bool) -> OptOut:
    return OptOut(
        site=asked.site.id,
        recipient=asked.recipient,
        scope=scope,
        at=asked.at,
        how="keyword",
        by=asked.sender,
        wanted=wanted,
    )
