"""`heliograph webhooks`: what brands are told, what they have not taken, and a receiver to build against."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.webhook import Event, Waiting, Webhook
    from heliograph.settings import Settings

app = App(
    name="webhooks",
    help="What brands are told, what they have not taken, and a receiver to build against.",
    help_format="plaintext",
)


@app.command(name="list")
def list_(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List the sites' webhooks: whether they are posted to, how many events wait and since when, how many were given
    up. Their secrets are never shown."""
    now = given.now()
    found = asyncio.run(_webhooks(given.settings(config, flags)))
    if json:
        say.data([_plain(webhook, counts) for webhook, counts in found])
        return
    say.table(
        ("site", "posted to", "types", "state", ">waiting", "oldest", ">given up"),
        [
            (
                webhook.site,
                without_query(webhook.url),
                str(len(webhook.events)) if webhook.events else "all",
                say.state("disabled" if webhook.disabled else "running"),
                f"{counts.waiting:,}",
                say.ago(counts.oldest, now) if counts.oldest is not None else "–",
                f"{counts.failed:,}",
            )
            for webhook, counts in found
        ],
        empty="No site has a webhook. It stands in site.toml as [webhook]; `heliograph apply PATH` brings it in.",
    )
    for webhook, _ in found:
        if webhook.disabled:
            say.line(
                f"{webhook.site} was disabled {say.ago(webhook.disabled_at, now)}: {webhook.disabled}. "
                "`heliograph webhooks enable` undoes it."
            )


@app.command
def failed(
    *,
    site: str = "",
    about: str = "",
    waiting: Annotated[bool, given.Switch] = False,
    limit: int = 50,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """List events that were given up, the newest first. They are kept for eight days.

    Parameters
    ----------
    site
        This site's events only.
    about
        Every event of this alert or conversation instead, in their order, also those that were taken.
    waiting
        Those that wait instead, the oldest first, with what came of the last try.
    limit
        How many of a site at most (1 to 1000).
    """
    if not 1 <= limit <= 1000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 1000 is needed.")
    now = given.now()
    state = "waiting" if waiting else "failed"
    found = asyncio.run(_events(given.settings(config, flags), site, state, about, limit))
    if json:
        say.data([_event(one) for one in found])
        return
    say.table(
        ("=id", "type", "state", "happened", ">tries", "last answer"),
        [(one.id, one.type, say.state(one.state), say.ago(one.at, now), str(one.tries), one.why) for one in found],
        empty="No event waits." if waiting else "There is no such event." if about else "No event was given up.",
    )


@app.command
def replay(
    site: str,
    /,
    *ids: str,
    since: float = 0.0,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Post events again: those that are named, or all that were given up within some time. Each keeps its webhook-id.

    Parameters
    ----------
    site
        The site's id.
    ids
        Events by their ids (msg_…), also such as were taken within the last three days.
    since
        Those that were given up and happened within so many hours.
    """
    if bool(ids) == bool(since):
        raise say.NotUnderstood("Name events by their ids, or all that were given up within some hours: --since 24.")
    count = asyncio.run(_replay(given.settings(config, flags), site, ids, since))
    if json:
        say.data({"site": site, "again": count})
        return
    say.line(f"{count} event{'' if count == 1 else 's'} of site {site} will be posted again by a running server.")
    if count < len(ids):
        say.note(f"{len(ids) - count} of them are not kept any more, or never were.")


@app.command
def enable(site: str, /, *, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """Post to a webhook again that was disabled because its endpoint answered 410; what waits goes at once."""

    async def write() -> bool:
        async with given.store(given.settings(config, flags)) as store:
            _known(site, (await store.changes(0)).webhooks)
            return await store.switch_webhook(site, "", "")

    changed = asyncio.run(write())
    if json:
        say.data({"site": site, "changed": changed, "state": "running"})
    else:
        say.line(f"Site {site}'s webhook is posted to{' again' if changed else '; it was not disabled'}.")


@app.command
def listen(
    *,
    port: int = 9000,
    host: str = "127.0.0.1",
    secret: Annotated[list[str] | None, given.Many] = None,
    answer: int = 200,
    json: given.Json = False,
) -> None:
    """Receive events on this machine: verifies each signature and prints what came. For those who build a receiver.

    It stops on Ctrl-C.

    Parameters
    ----------
    port
        Where it listens; 0 takes a free one.
    host
        The address it listens on.
    secret
        The webhook's secret (whsec_…); may be repeated. A new one is made and printed if not given.
    answer
        The status of every answer to a call that is signed rightly, to see what becomes of 503 or 410.
    """
    from heliograph.cli import webhooks_listen

    webhooks_listen.run(host, port, tuple(secret or ()), answer, json=json)


def without_query(url: str) -> str:
    """An endpoint's address as it may be shown: a query may hold a token."""
    place, _, query = url.partition("?")
    return f"{place}?…" if query else place


async def _webhooks(settings: Settings) -> list[tuple[Webhook, Waiting]]:
    async with given.store(settings) as store:
        webhooks = sorted((await store.changes(0)).webhooks, key=lambda one: one.site)
        counts = {one.site: one for one in await store.waiting_events(tuple(one.site for one in webhooks))}
    return [(one, counts[one.site]) for one in webhooks]


async def _events(settings: Settings, site: str, state: str, about: str, limit: int) -> list[Event]:
    async with given.store(settings) as store:
        sites = [site] if site else sorted(one.site for one in (await store.changes(0)).webhooks)
        return [event for one in sites for event in await store.events(one, state=state, subject=about, limit=limit)]


async def _replay(settings: Settings, site: str, ids: tuple[str, ...], since: float) -> int:
    from heliograph.store.webhooks import BITE

    now = given.now()
    async with given.store(settings) as store:
        _known(site, (await store.changes(0)).webhooks)
        count = last = await store.replay_events(site, ids, now - round(since * 3_600_000), now)
        while not ids and last >= BITE:
            last = await store.replay_events(site, ids, now - round(since * 3_600_000), now)
            count += last
    return count


def _known(site: str, webhooks: tuple[Webhook, ...]) -> None:
    if not any(one.site == site for one in webhooks):
        raise SetupError(
            f"Site {site} has no webhook. `heliograph webhooks list` shows those that are there.", code="no_webhook"
        )


def _plain(webhook: Webhook, counts: Waiting) -> dict[str, Any]:
    return {
        "site": webhook.site,
        "url": without_query(webhook.url),
        "events": list(webhook.events),
        "allow_private": webhook.allow_private,
        "secrets": len(webhook.secrets),
        "state": "disabled" if webhook.disabled else "running",
        "disabled": webhook.disabled,
        "disabled_at": webhook.disabled_at or None,
        "waiting": counts.waiting,
        "oldest": counts.oldest,
        "failed": counts.failed,
    }


def _event(one: Event) -> dict[str, Any]:
    return {
        "id": one.id,
        "site": one.site,
        "type": one.type,
        "state": one.state,
        "at": one.at,
        "tries": one.tries,
        "why": one.why,
    }
