"""`heliograph senders`: who sends for each site, on which channel, how it fares, and stopping one by hand.

How a sender fares is what the nodes reported of it last: another process cannot look into a server's memory.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from cyclopts import App

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.ports import LooseEnds
    from heliograph.core.site import Sender, SenderReport
    from heliograph.settings import Settings

app = App(name="senders", help_format="plaintext")


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A sender as it is applied, what its nodes say of it, and what waits for an operator. `state`: running |
    half_open | open | paused | not_open | unknown (no node reports)."""

    sender: Sender
    reports: tuple[SenderReport, ...]
    state: str
    why: str
    since: int
    next_try: int
    in_doubt: int
    unmatched: int


@app.default
def senders(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List the senders and how they fare.

    State, why and since when, the share of hand-overs of the last minute that were answered, and the address for the
    provider's callbacks. Their secrets are never shown.

    Parameters
    ----------
    site
        This site's senders only.
    """
    settings = given.settings(config, flags)
    found = asyncio.run(_senders(settings, site))
    if json:
        say.data([_plain(one, settings) for one in found])
        return
    now = given.now()
    say.table(
        ("site", "sender", "channel", ">weight", "state", ">answered", ">in doubt", ">unmatched"),
        [
            (
                one.sender.site,
                f"{one.sender.name}\n  {one.sender.provider}",
                one.sender.channel,
                str(one.sender.weight),
                say.state("line_down" if one.state == "running" and one.why else one.state),
                _answered(one),
                str(one.in_doubt),
                str(one.unmatched),
            )
            for one in found
        ],
        empty="No senders yet. They stand in site.toml as [[sender]]; `heliograph apply PATH` brings them in.",
    )
    if found and all(one.state == "unknown" for one in found):
        say.note("No server has told of its senders within the last minute. Is one running on this database?")
    for one in found:
        if more := _more(one, now):
            say.line(more)
    called = [(one.sender.name, address) for one in found if (address := callback(one.sender, settings))]
    for name, address in called:
        say.line(f"callbacks of {name}: {address}")
    if called and not settings.public_url:
        say.note("HELIOGRAPH_PUBLIC_URL is not set: providers cannot call these addresses, only a sandbox here can.")


def callback(sender: Sender, settings: Settings) -> str:
    """The address that is registered with the provider; empty where it posts no callbacks."""
    if not getattr(given.plugs().get((sender.channel, sender.provider)), "CALLBACKS", True):
        return ""
    base = settings.public_url or f"http://{settings.host}:{settings.port}"
    return f"{base.rstrip('/')}/callbacks/{sender.channel}/{sender.provider}/{sender.site}/{sender.name}"


async def _senders(settings: Settings, site: str) -> list[Seen]:
    from heliograph.flow.reports import FRESH, UNMATCHED

    now = given.now()
    async with given.store(settings) as store:
        senders = [one for one in (await store.changes(0)).senders if site in ("", one.site)]
        reports = await store.sender_reports(now - FRESH)
        loose = await store.loose_ends(now - UNMATCHED)
    return [
        seen(
            one,
            tuple(report for report in reports if (report.site, report.sender) == (one.site, one.name)),
            next((ends for ends in loose if (ends.site, ends.sender) == (one.site, one.name)), None),
        )
        for one in sorted(senders, key=lambda one: (one.site, one.channel, one.name))
    ]


_WORST = ("not_open", "open", "half_open", "closed")


def seen(sender: Sender, reports: tuple[SenderReport, ...], ends: LooseEnds | None) -> Seen:
    """The worst that any node says of it; a pause stands above all, and is true at once."""
    worst = min(reports, key=lambda one: _WORST.index(one.state) if one.state in _WORST else len(_WORST), default=None)
    state, why, since, next_try = "unknown", "", 0, 0
    if worst is not None and worst.state == "paused":  # a report from before it was resumed
        state = "closed"  # since then nothing is known of its line
    elif worst is not None:
        state, why, since, next_try = worst.state, worst.why, worst.since, worst.next_try
    if sender.paused:
        by = f" (by {sender.paused_by})" if sender.paused_by else ""
        state, why, since = "paused", f"{sender.paused}{by}", sender.paused_at
        next_try = 0 if sender.paused_by else next_try
    return Seen(
        sender=sender,
        reports=reports,
        state="running" if state == "closed" else state,
        why=why,
        since=since,
        next_try=next_try,
        in_doubt=ends.in_doubt if ends else 0,
        unmatched=ends.unmatched if ends else 0,
    )


def _more(one: Seen, now: int) -> str:
    """Why a sender is not running, since when, and when it is tried again; one line, empty for one that runs."""
    if one.state == "running" and one.why:
        return f"{one.sender.name}: {one.why.rstrip('.')}."
    if one.state in ("running", "unknown"):
        return ""
    since = f" for {say.ago(one.since, now).removesuffix(' ago')}" if one.since else ""
    if one.state == "half_open" and (serves := min((report.serves for report in one.reports), default=0.0)):
        since += f", serving {serves:.0%} of its recipients"
    again = f" It is tried again in {(one.next_try - now + 999) // 1000} s." if one.next_try > now else ""
    return f"{one.sender.name} is {one.state.replace('_', ' ')}{since}: {one.why.rstrip('.')}.{again}"


def _answered(one: Seen) -> str:
    good, bad = sum(report.good for report in one.reports), sum(report.bad for report in one.reports)
    return f"{100 * good // (good + bad)} % of {good + bad}" if good + bad else "–"


def _plain(one: Seen, settings: Settings) -> dict[str, Any]:
    from heliograph.seal import is_sealed

    sender = one.sender
    good, bad = sum(report.good for report in one.reports), sum(report.bad for report in one.reports)
    return {
        "site": sender.site,
        "name": sender.name,
        "channel": sender.channel,
        "provider": sender.provider,
        "weight": sender.weight,
        "state": one.state,
        "why": one.why,
        "since": one.since or None,
        "next_try": one.next_try or None,
        "good": good,
        "bad": bad,
        "share": round(good / (good + bad), 4) if good + bad else None,
        "throttled": sum(report.throttled for report in one.reports),
        "in_doubt": one.in_doubt,
        "unmatched": one.unmatched,
        "paused": sender.paused,
        "paused_by": sender.paused_by,
        "callback": callback(sender, settings),
        "nodes": one.reports,
        "settings": {name: "set" if is_sealed(value) else value for name, value in sender.settings.items()},
    }


@app.command
def pause(
    site: str,
    name: str,
    /,
    *,
    why: str = "",
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Stop a sender: alerts go to the channel's other senders or to the next channel, or wait.

    Every node sees it within a second, and its log says who did it. What is under way is finished.

    Parameters
    ----------
    why
        Why, for those who look at it.
    """
    who = given.operator(by)
    _switch(given.settings(config, flags), site, name, why.strip() or "paused by an operator", who)
    _told(site, name, "paused", who, json)


@app.command
def resume(
    site: str,
    name: str,
    /,
    *,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Let a sender run again, whoever paused it; every node begins anew with it."""
    who = given.operator(by)
    _switch(given.settings(config, flags), site, name, "", who)
    _told(site, name, "running", who, json)


def _switch(settings: Settings, site: str, name: str, why: str, by: str) -> None:
    async def write() -> None:
        async with given.store(settings) as store:
            if not any((one.site, one.name) == (site, name) for one in (await store.changes(0)).senders):
                raise SetupError(
                    f"There is no sender {name} of site {site}. `heliograph senders` lists them.", code="unknown_sender"
                )
            await store.pause_sender(site, name, why, by)

    asyncio.run(write())


def _told(site: str, name: str, state: str, by: str, json: bool) -> None:
    if json:
        say.data({"site": site, "name": name, "state": state, "by": by})
    else:
        did = "paused" if state == "paused" else "resumed"
        say.line(f"{name} of site {site} is {did} by {by}. Every running node does so within a second.")
