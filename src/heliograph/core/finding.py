"""What the linter finds. An **error** would stop or spoil an alert; a **warning** is worth a look."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is the path in the template ("languages.en.rcs.card.suggestions[1].text")."""

    level: Level
    place: str
    sentence: str


def error(place: str, sentence: str) -> Finding:
    return Finding(level=Level.ERROR, place=place, sentence=sentence)


def warning(place: str, sentence: str) -> Finding:
    return Finding(level=Level.WARNING, place=place, sentence=sentence)
