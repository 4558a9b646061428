"""`heliograph doctor`: what is wrong with this installation and how to mend it. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec
from rich.text import Text

from heliograph.cli import given, say
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.core.ports import Changes, Plug
    from heliograph.core.site import Sender
    from heliograph.flow.manage import Seals
    from heliograph.settings import Settings

OLDEST = 1_767_225_600_000  # 2026-01-01: a clock before this program's birth is wrong
SYNCS = 20  # writes that are timed
SLOW_SYNC = 20.0  # ms; above it fewer than about 50 commits a second are possible, one at a time
NO_SYNC = 0.02  # ms; no disk is that quick: something acknowledges from its memory
ROOM = 1 << 30  # bytes free on the database's disk


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """`state`: ok | warning | failed. `step`: what to do, empty where it is ok."""

    state: str
    check: str
    found: str
    step: str = ""


def doctor(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> int:
    """Look this installation over: Python, settings, database, secrets, sites and senders, address, clock, disk.

    Exit code 1 if something has failed; warnings alone are 0.
    """
    findings = list(_findings(config, flags))
    failed = sum(one.state == "failed" for one in findings)
    if json:
        say.data({"failed": failed, "findings": findings})
        return 1 if failed else 0
    say.table(
        ("check", "state", "found"),
        [
            (one.check, say.state(one.state), Text(say.clean(f"{one.found}\n→ {one.step}" if one.step else one.found)))
            for one in findings
        ],
        empty="",
    )
    warnings = sum(one.state == "warning" for one in findings)
    say.line(f"{len(findings)} checks: {failed} failed, {warnings} warnings.")
    return 1 if failed else 0


def _findings(config: Path | None, flags: dict[str, str]) -> Iterator[Finding]:
    yield _python()
    yield _clock(given.now(), 0)
    try:
        settings = given.settings(config, flags)
    except say.NotUnderstood:
        raise
    except HeliographError as error:
        yield Finding(state="failed", check="settings", found="some cannot be used", step=error.sentence)
        return
    yield Finding(state="ok", check="settings", found="every one can be used")
    yield _address(settings)
    if settings.embedded:
        yield from _disk(settings)
    yield from asyncio.run(_inside(settings))


def _python() -> Finding:
    found = f"Python {platform.python_version()}"
    if sys.version_info < (3, 11):
        return Finding(state="failed", check="python", found=found, step="Run heliograph with Python 3.11 or newer.")
    return Finding(state="ok", check="python", found=found)


def _clock(now: int, newest: int) -> Finding:
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


def _address(settings: Settings) -> Finding:
    if not settings.public_url:
        return Finding(
            state="warning", check="public address", found="not set: the Host header is believed",
            step="Set HELIOGRAPH_PUBLIC_URL: signatures cover it, and providers' callbacks need it.",
        )  # fmt: skip
    host = urlsplit(settings.public_url).hostname or ""
    if settings.public_url.startswith("http:") and host not in ("localhost", "127.0.0.1", "::1"):
        return Finding(
            state="warning", check="public address", found=f"{settings.public_url} is not encrypted",
            step="Put TLS in front and set HELIOGRAPH_PUBLIC_URL to the https:// address.",
        )  # fmt: skip
    return Finding(state="ok", check="public address", found=settings.public_url)


def _disk(settings: Settings) -> Iterator[Finding]:
    folder = Path(unquote(settings.database_url.removeprefix("sqlite:///"))).resolve().parent
    try:
        median = _sync_time(folder)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield Finding(
            state="failed", check="disk", found=f"{folder}: {error.strerror}", step="Make the folder and let us write."
        )
        return
    found = f"a synced write takes {median:.2f} ms"
    if median > SLOW_SYNC:
        yield Finding(state="warning", check="disk", found=found, step="Every alert waits for two: use a quicker disk.")
    elif median < NO_SYNC:
        yield Finding(
            state="warning", check="disk", found=f"{found}: too quick to be true",
            step="It acknowledges before it keeps; a power cut may lose alerts. Use a real disk.",
        )  # fmt: skip
    else:
        yield Finding(state="ok", check="disk", found=found)
    state = "ok" if free >= ROOM else "warning"
    step = "" if state == "ok" else "Make room: a full disk stops every call."
    yield Finding(state=state, check="room", found=f"{free / (1 << 30):.1f} GiB free", step=step)


def _sync_time(folder: Path) -> float:
    """The median time of a 4 KiB write with fsync, ms."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            began = time.perf_counter()
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return sorted(times)[SYNCS // 2]


async def _inside(settings: Settings) -> list[Finding]:
    """What only the database can tell."""
    import heliograph.store

    try:
        status = await heliograph.store.status(settings.database_url)
        if not status.current:
            step = "Run `heliograph apply PATH`." if settings.embedded else "Run `heliograph db migrate`."
            return [Finding(state="failed", check="database", found=f"{status.engine}, empty so far", step=step)]
        async with given.store(settings) as store:
            there = await store.changes(0)
            newest = await store.alerts(limit=1)
    except HeliographError as error:
        return [Finding(state="failed", check="database", found="cannot be used", step=error.sentence)]
    findings = [Finding(state="ok", check="database", found=f"{status.engine}, schema {status.current}")]
    if newest:
        clock = _clock(given.now(), newest[0].created)
        findings += [clock] if clock.state != "ok" else []
    try:
        seals = given.sealer(settings)
    except HeliographError as error:
        return [*findings, Finding(state="failed", check="secret key", found="none", step=error.sentence)]
    return [*findings, _secrets(there, seals), *_sites(there, given.plugs(), given.now())]


def _secrets(there: Changes, seals: Seals) -> Finding:
    sealed = [secret for key in there.keys for secret in (key.consumer_secret, key.token_secret) if secret]
    sealed += [
        value
        for sender in there.senders
        for value in sender.settings.values()
        if isinstance(value, str) and value.startswith("sealed:")
    ]
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


def _sites(there: Changes, plugs: dict[tuple[str, str], Plug], now: int) -> Iterator[Finding]:
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
    for sender in there.senders:
        yield _sender(sender, plugs.get((sender.channel, sender.provider)))


def _sender(sender: Sender, plug: Plug | None) -> Finding:
    check = f"sender {sender.name}"
    if plug is None:
        return Finding(
            state="failed", check=check, found=f"{sender.provider} on {sender.channel} is not installed",
            step="Install its package, or remove the sender from site.toml and apply with --prune.",
        )  # fmt: skip
    try:
        msgspec.convert(sender.settings, plug.Settings)
    except msgspec.ValidationError as error:
        return Finding(
            state="failed", check=check, found=f"its settings do not serve: {error}",
            step="Mend them in site.toml and apply it again.",
        )  # fmt: skip
    if sender.paused:
        return Finding(
            state="warning", check=check, found=f"paused: {sender.paused}",
            step="Mend what is named, then apply its files again.",
        )  # fmt: skip
    unset = sorted(name for name in plug.SECRETS if not sender.settings.get(name))
    if unset:
        return Finding(
            state="warning", check=check, found=f"{', '.join(unset)} not set",
            step="Set it in site.toml and apply again: without it this sender sends or hears nothing.",
        )  # fmt: skip
    return Finding(state="ok", check=check, found=f"{sender.provider} on {sender.channel}")
