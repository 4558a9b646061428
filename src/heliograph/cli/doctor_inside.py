"""What only the database can tell `heliograph doctor`: its schema, sealed secrets, sites, senders, the clock's past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heliograph.cli import given, say
from heliograph.cli.doctor_console import console_findings
from heliograph.cli.doctor_desk import desk_findings
from heliograph.cli.doctor_finding import Finding
from heliograph.cli.doctor_running import running
from heliograph.cli.doctor_sender import sender_finding
from heliograph.cli.doctor_webhook import webhook_findings
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.core.ports import Changes
    from heliograph.flow.manage import Seals
    from heliograph.settings import Settings

OLDEST = 1_767_225_600_000  # 2026-01-01: a clock before this program's birth is wrong


def clock(now: int, newest: int) -> Finding:
    """`newest`: when the newest alert was taken (ms), 0 for none."""
    found = f"{say.when(now)} UTC"
    step = "Set it by NTP: signed calls are refused 300 s off, and Google refuses our tokens."
    if now < OLDEST:
        return Finding(state="failed", check="clock", found=f"{found}, which is past", step=step)
    if newest > now + 60_000:
        return Finding(
            state="failed", check="clock", found=f"{found}, before the newest alert ({say.when(newest)})", step=step
        )
    return Finding(state="ok", check="clock", found=found)


async def inside(settings: Settings) -> list[Finding]:
    """What only the database can tell."""
    import heliograph.store
    from heliograph.flow import erase

    try:
        status = await heliograph.store.status(settings.database_url)
        if not status.current:
            step = "Run `heliograph apply PATH`." if settings.embedded else "Run `heliograph db migrate`."
            return [Finding(state="failed", check="database", found=f"{status.engine}, empty so far", step=step)]
        async with given.store(settings) as store:
            there = await store.changes(0)
            hides = await store.secret(erase.KEY)
            newest = await store.alerts(limit=1)
            at_work = await running(store, given.now())
            told = await store.waiting_events(tuple(one.site for one in there.webhooks))
            users = await store.users()
            waits = await store.desks_waiting()
    except HeliographError as error:
        return [Finding(state="failed", check="database", found="cannot be used", step=error.sentence)]
    findings = [Finding(state="ok", check="database", found=f"{status.engine}, schema {status.current}")]
    if newest:
        late = clock(given.now(), newest[0].created)
        findings += [late] if late.state != "ok" else []
    seals = None
    try:
        seals = given.sealer(settings)
        findings.append(_secrets(there, hides, seals))
    except HeliographError as error:
        findings.append(Finding(state="failed", check="secret key", found="none", step=error.sentence))
    plugs, public = given.plugs(), bool(settings.public_url)
    senders = [
        sender_finding(one, plugs.get((one.channel, one.provider)), seals, public=public) for one in there.senders
    ]
    ill = {one.check for one in at_work}  # what a node says of a sender stands above "its settings serve"
    senders = [one for one in senders if one.state != "ok" or one.check not in ill]
    desks = desk_findings(there.desks, given.desks(), seals, waits, public=public)
    webhooks = webhook_findings(there.webhooks, told, given.now())
    console = console_findings(users, settings)
    return [*findings, *_sites(there, given.now()), *senders, *at_work, *desks, *webhooks, *console]


def _secrets(there: Changes, hides: str, seals: Seals) -> Finding:
    from heliograph.flow.manage import sealed as all_sealed

    sealed = [*all_sealed(there), *([hides] if hides else [])]
    faults = []
    for secret in sealed:
        try:
            seals.open(secret)
        except HeliographError as error:
            faults.append(error.sentence)
    if faults:
        return Finding(
            state="failed",
            check="secret key",
            found=f"{len(faults)} of {len(sealed)} secrets stay shut",
            step=faults[0],
        )
    old = sum(not seals.is_newest(secret) for secret in sealed)
    if old:
        return Finding(
            state="warning", check="secret key", found=f"{old} of {len(sealed)} secrets need a former key",
            step="Run `heliograph keys reseal`, then drop the former key from HELIOGRAPH_SECRET_KEY.",
        )  # fmt: skip
    return Finding(state="ok", check="secret key", found=f"opens all {len(sealed)} secrets")


def _sites(there: Changes, now: int) -> Iterator[Finding]:
    if not there.sites:
        yield Finding(
            state="warning", check="sites", found="none yet",
            step="Run `heliograph apply PATH`; examples/acme-air is one to start from.",
        )  # fmt: skip
    for site in there.sites:
        check = f"site {site.id}"
        lacks = []
        channels = {one.channel for one in there.senders if one.site == site.id}
        if not channels & set(site.channels):
            lacks.append(f"a sender on one of its channels ({', '.join(site.channels)}), in site.toml")
        if not any(one.site == site.id for one in there.templates):
            lacks.append("a template, in templates/*.toml")
        if not any(
            one.site == site.id and one.disabled is None and (one.expires is None or one.expires > now)
            for one in there.keys
        ):
            lacks.append(f"a key that is valid: `heliograph keys create {site.id}`")
        if lacks:
            yield Finding(
                state="warning", check=check, found="cannot send yet", step="It needs " + "; ".join(lacks) + "."
            )
        else:
            yield Finding(state="ok", check=check, found="has a sender, a template and a key")
