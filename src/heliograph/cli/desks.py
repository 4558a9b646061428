"""`heliograph desks`: where each site's agents work, the address of its callbacks, and what waits for it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.core.desk import SiteDesk
    from heliograph.core.ports import DeskWaits
    from heliograph.settings import Settings


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A site's desk. `callbacks`: empty where nothing is posted back. `waiting`: conversations whose last turns it has
    not taken, 10,000 at most; `why`: what it said of one of them."""

    site: str
    desk: str
    callbacks: str
    waiting: int
    why: str


def desks(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List the sites' desks, and what waits for them.

    A site without a [desk] in its file has the console. Secrets are never shown.

    Parameters
    ----------
    site
        This site's desk only.
    """
    settings = given.settings(config, flags)
    found = asyncio.run(_desks(settings, site))
    if json:
        say.data(found)
        return
    say.table(
        ("site", "desk", ">not handed over", "callbacks"),
        [(one.site, one.desk, f"{one.waiting:,}", one.callbacks or "none") for one in found],
        empty="No sites yet. `heliograph apply PATH` brings them in.",
    )
    for one in found:
        if one.why:
            say.line(f"{one.site}: {one.why}")
    if any(one.callbacks for one in found) and not settings.public_url:
        say.note("HELIOGRAPH_PUBLIC_URL is not set: desks cannot call these addresses, only a sandbox here can.")


async def _desks(settings: Settings, site: str) -> list[Seen]:
    async with given.store(settings) as store:
        there = await store.changes(0)
        if site:
            given.site_known(site, there.sites)
        waits = {one.site: one for one in await store.desks_waiting()}
    set_up = {one.site: one for one in there.desks}
    return [
        _seen(one.id, set_up.get(one.id), waits.get(one.id), settings)
        for one in sorted(there.sites, key=lambda one: one.id)
        if site in ("", one.id)
    ]


def _seen(site: str, setup: SiteDesk | None, waits: DeskWaits | None, settings: Settings) -> Seen:
    kind = setup.desk if setup else "console"
    kept = getattr(given.desks().get(kind), "KEEPS", False)
    base = (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")
    return Seen(
        site=site,
        desk=kind,
        callbacks="" if kept else f"{base}/callbacks/desk/{kind}/{site}",
        waiting=waits.waiting if waits else 0,
        why=waits.why if waits else "",
    )
