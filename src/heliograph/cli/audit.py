"""`heliograph audit`: who did what, in the console and by command."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.core.user import Audited
    from heliograph.settings import Settings


def audit(
    *,
    who: str = "",
    what: str = "",
    before: str = "",
    limit: int = 50,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Tell who did what, the newest first: log-ins, users, opt-outs of the console, numbers that were looked at.

    Parameters
    ----------
    who
        What this user, or this account, did.
    what
        This deed alone, as in login or opt_out.added.
    before
        Lines older than the one with this id: the last of the page before (with --json).
    limit
        How many at most (1 to 1000).
    """
    if not 1 <= limit <= 1000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 1000 is needed.")
    rows = asyncio.run(_read(given.settings(config, flags), who.casefold(), what, before, limit))
    if json:
        say.data(rows)
        return
    say.table(
        ("when (UTC)", "who", "by", "what", "on", "site", "detail"),
        [(say.when(row.at), row.who, row.way.value, row.what, row.on, row.site, row.detail) for row in rows],
        empty="Nothing was done yet. `heliograph users add` is told here, and what users do in the console.",
    )


async def _read(settings: Settings, who: str, what: str, before: str, limit: int) -> list[Audited]:
    async with given.store(settings) as store:
        return await store.audit_log(who=who, what=what, before=before, limit=limit)
