"""`heliograph receipts`: what providers said of messages that nobody knows."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Annotated

from cyclopts import App

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.core.ports import Unmatched
    from heliograph.settings import Settings

_NUMBER = re.compile(r"\+\d{7,15}")
app = App(name="receipts", help="What providers said of messages that nobody knows.", help_format="plaintext")


@app.command
def unmatched(
    *,
    older: float = 60.0,
    limit: int = 50,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """List receipts whose attempt is not known, the newest first. They are kept for eight days.

    One may come before the outcome of its own attempt is written, and is joined to it then. One that has waited for an
    hour belongs to a message that another program sent by the same account, or came back under another name.

    Parameters
    ----------
    older
        Those that have waited for so many minutes.
    limit
        How many at most (1 to 10000).
    full
        Show phone numbers whole, where the provider's name for a message holds one.
    """
    if not 1 <= limit <= 10_000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 10000 is needed.")
    now = given.now()
    before = now - round(max(0.0, older) * 60_000)
    found = asyncio.run(_unmatched(given.settings(config, flags), before, limit))
    if json:
        say.data([_plain(one, full) for one in found])
        return
    say.table(
        ("site", "sender", "channel", "state", "reason", "heard", "provider's name for it"),
        [
            (
                one.site,
                one.sender,
                one.channel,
                say.state(one.receipt.state),
                one.receipt.reason or "–",
                say.ago(one.at, now),
                _name(one, full),
            )
            for one in found
        ],
        empty="No receipt is unmatched.",
    )


async def _unmatched(settings: Settings, before: int, limit: int) -> list[Unmatched]:
    async with given.store(settings) as store:
        return await store.unmatched(before, limit)


def _plain(one: Unmatched, full: bool) -> dict[str, object]:
    return {
        "site": one.site,
        "sender": one.sender,
        "channel": one.channel,
        "reference": _name(one, full),
        "heard": one.at,
        "state": one.receipt.state,
        "reason": one.receipt.reason,
        "at": one.receipt.at,
    }


def _name(one: Unmatched, full: bool) -> str:
    from heliograph.core import phone

    return one.reference if full else _NUMBER.sub(lambda found: phone.mask(found[0]), one.reference)
