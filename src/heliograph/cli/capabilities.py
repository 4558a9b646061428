"""`heliograph capabilities`: who can be reached on which channel. Phone numbers are masked unless `--full` is given."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.flow.capabilities import Found, Told
    from heliograph.settings import Settings

STANDARD = Path("-")
SHOWN = 50  # rows on a terminal; more are counted
FAULTS = 10
LONGEST = 1800.0  # seconds: some millions of numbers


def capabilities(
    site: str,
    /,
    *recipients: str,
    file: Annotated[Path | None, Parameter(show_default=False)] = None,
    channel: Annotated[tuple[str, ...], given.Many] = (),
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Tell who of RECIPIENTS (as in +17703101414) can be reached by SITE's senders, and how old each answer is.

    What is known is not asked again. Up to 20 others are asked about one by one, more of them many at once where the
    provider can answer so (Google: 10,000 in one call, without features). Nothing is sent.

    Parameters
    ----------
    site
        The site's id.
    recipients
        Numbers with their country codes.
    file
        More of them, one on each line (- for standard input); of a CSV file the first column counts.
    channel
        This channel alone, as in --channel rcs; the site's channels if not given. May be repeated.
    full
        Show phone numbers whole.
    """
    settings = given.settings(config, flags)
    numbers = _numbers([*((f"{place}. number", one) for place, one in enumerate(recipients, 1)), *_lines(file)])
    found = asyncio.run(_ask(settings, site, numbers, channel))
    now = given.now()
    if json:
        say.data(_plain(found, full, now))
        return
    rows = found.told if full or len(found.told) <= SHOWN else ()
    if rows:
        say.table(
            ("=recipient", "channel", "sender", "reach", "answered", "why, or features"),
            [_row(one, full, now) for one in rows],
            empty="",
        )
    for line in _summary(found):
        say.line(line)


def _lines(file: Path | None) -> list[tuple[str, str]]:
    if file is None:
        return []
    raw = sys.stdin.buffer.read() if file == STANDARD else given.text(file, "--file")
    rows = [line.partition(",")[0].strip(' \t"') for line in raw.decode("utf-8-sig", "replace").splitlines()]
    return [
        (f"line {place}", row)
        for place, row in enumerate(rows, 1)
        if row and not (place == 1 and row.casefold() == "recipient")
    ]


def _numbers(written: list[tuple[str, str]]) -> list[str]:
    """In E.164, each once. A wrong one is told by its place, never by itself."""
    from heliograph.core import phone

    read: dict[str, None] = {}
    faults = []
    for place, number in written:
        one = phone.international(number)
        if isinstance(one, phone.PhoneFault):
            faults.append(f"\n  {place}: {one.sentence}")
        else:
            read[one] = None
    if faults:
        more = f"\n  and {len(faults) - FAULTS} more" if len(faults) > FAULTS else ""
        raise say.NotUnderstood(f"Nobody was asked about; correct these first:{''.join(faults[:FAULTS])}{more}")
    if not read:
        raise say.NotUnderstood("There is nobody to ask about: give numbers as in +17703101414, or --file.")
    return list(read)


async def _ask(settings: Settings, site: str, recipients: list[str], channels: tuple[str, ...]) -> Found:
    from heliograph.asking import asking
    from heliograph.core.channel import SYNONYMS
    from heliograph.flow.capabilities import capabilities

    async with given.store(settings) as store:
        seals = await given.sealer_of(store, settings)
        async with asking(settings, store, seals) as means:
            known = means.registry.site(site)
            if known is None:
                sites = ", ".join(sorted(one.id for one in (await store.changes(0)).sites)) or "none yet"
                raise say.NotUnderstood(f"There is no site {site}. There is: {sites}.")
            wanted = tuple(dict.fromkeys(SYNONYMS.get(one.casefold(), one) for one in channels or known.channels))
            if strange := [one for one in wanted if channels and one not in means.channels]:
                there = ", ".join(sorted(means.channels))
                raise say.NotUnderstood(f"There is no channel {strange[0]}; there is {there}.")
            deadline = means.clock.loop_time() + LONGEST
            return await capabilities(known, recipients, means, channels=wanted, deadline=deadline)


def _row(one: Told, full: bool, now: int) -> tuple[Any, ...]:
    from heliograph.cli.alerts import mask

    known = one.capability
    return (
        one.recipient if full else mask(one.recipient),
        one.channel,
        one.sender,
        say.state(known.reach.value),
        say.ago(known.asked, now) if one.cached else "now",
        known.reason or ", ".join(known.features).lower(),
    )


def _summary(found: Found) -> list[str]:
    counts = Counter((one.channel, one.capability.reach.value) for one in found.told)
    lines = []
    for channel in dict.fromkeys(one.channel for one in found.told):
        yes, no, unknown = (counts[channel, word] for word in ("yes", "no", "unknown"))
        lines.append(f"{channel}: {yes:,} yes, {no:,} no, {unknown:,} unknown.")
    for one in found.estimates:
        lines.append(
            f"{one.channel} by {one.sender}: of {one.sampled:,} numbers drawn at random {one.reachable:,} have it at "
            "all, whether or not the sender is launched on their networks."
        )
    return lines or ["The site has no sender for these channels. `heliograph senders` lists them."]


def _plain(found: Found, full: bool, now: int) -> dict[str, Any]:
    from heliograph.cli.alerts import mask

    return {
        "answers": [
            {
                "recipient": one.recipient if full else mask(one.recipient),
                "channel": one.channel,
                "sender": one.sender,
                "reach": one.capability.reach,
                "reason": one.capability.reason,
                "asked": say.when(one.capability.asked).replace(" ", "T") + "Z",
                "age": max(0, now - one.capability.asked) // 1000,
                "cached": one.cached,
                "features": one.capability.features,
            }
            for one in found.told
        ],
        "estimates": found.estimates,
    }
