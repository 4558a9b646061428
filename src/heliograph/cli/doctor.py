"""`heliograph doctor`: what is wrong with this installation and how to mend it. It changes nothing."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from rich.text import Text

from heliograph.cli import given, say
from heliograph.cli.doctor_finding import Finding
from heliograph.cli.doctor_inside import clock, inside
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.settings import Settings

SYNCS = 20  # writes that are timed
SLOW_SYNC = 20.0  # ms; above it fewer than about 50 commits a second are possible, one at a time
NO_SYNC = 0.02  # ms; no disk is that quick: something acknowledges from its memory
ROOM = 1 << 30  # bytes free on the database's disk


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
    say.line(f"{len(findings)} checks: {failed} failed, {warnings} warning{'' if warnings == 1 else 's'}.")
    return 1 if failed else 0


def _findings(config: Path | None, flags: dict[str, str]) -> Iterator[Finding]:
    yield _python()
    yield clock(given.now(), 0)
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
    yield from asyncio.run(inside(settings))


def _python() -> Finding:
    """Pip refuses an older Python than 3.11, so this only tells which one it is."""
    return Finding(state="ok", check="python", found=f"Python {platform.python_version()}")


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
