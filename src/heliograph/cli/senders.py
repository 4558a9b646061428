"""`heliograph senders`: who sends for each site, on which channel, and whether it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.core.site import Sender
    from heliograph.settings import Settings


def senders(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List the senders of all sites, or of one. Their secrets are never shown.

    Parameters
    ----------
    site
        This site's senders only.
    """
    found = asyncio.run(_senders(given.settings(config, flags), site))
    if json:
        say.data([_plain(sender) for sender in found])
        return
    say.table(
        ("site", "sender", "channel", "provider", "state", "address"),
        [
            (
                one.site,
                one.name,
                one.channel,
                one.provider,
                say.state("paused" if one.paused else "running"),
                one.paused or str(one.settings.get("base_url", "")),
            )
            for one in found
        ],
        empty="No senders yet. They stand in site.toml as [[sender]]; `heliograph apply PATH` brings them in.",
    )


async def _senders(settings: Settings, site: str) -> list[Sender]:
    async with given.store(settings) as store:
        return [one for one in (await store.changes(0)).senders if site in ("", one.site)]


def _plain(sender: Sender) -> dict[str, object]:
    from heliograph.seal import is_sealed

    settings = {name: "set" if is_sealed(value) else value for name, value in sender.settings.items()}
    return {
        "site": sender.site,
        "name": sender.name,
        "channel": sender.channel,
        "provider": sender.provider,
        "weight": sender.weight,
        "paused": sender.paused,
        "settings": settings,
    }
