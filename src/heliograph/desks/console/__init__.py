"""The built-in desk: the conversation is already where its agents look, so that nothing is handed over."""

from __future__ import annotations

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Desk, DeskWays

NAME = "console"
KEEPS = True
ONE_PER_RECIPIENT = False
SECRETS: frozenset[str] = frozenset()


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """It has none."""


def open(desk: SiteDesk, settings: msgspec.Struct, ways: DeskWays) -> Desk | None:
    """None: there is nobody to speak to."""
    return None


def hosts(settings: msgspec.Struct) -> tuple[str, ...]:
    """It speaks to no host."""
    return ()


def framed(settings: msgspec.Struct) -> tuple[str, ...]:
    """The context stands in the console's own pages."""
    return ()
