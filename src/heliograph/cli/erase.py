"""`heliograph erase`: all that is known of a person goes; their no is remembered without the number."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.ports import Erased, Store
    from heliograph.settings import Settings


def erase(
    recipient: str,
    /,
    *,
    site: str = "",
    dry_run: Annotated[bool, given.Switch] = False,
    yes: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Remove all that is known of RECIPIENT (as in +17703101414): alerts with their records, what they said,
    conversations, answers about capabilities, receipts. Cannot be undone.

    Opt-outs stay under a keyed hash of the number, so that nobody who was erased is sent to again. Ids of providers'
    events, and what could not be read, go by themselves within eight days; backups are yours to age.

    Parameters
    ----------
    site
        This site's only; every site's if not given.
    dry_run
        Say what is there and remove nothing.
    yes
        Ask nothing first.
    """
    from heliograph.cli.alerts import mask
    from heliograph.core import phone

    number = phone.international(recipient)
    if isinstance(number, phone.PhoneFault):
        raise say.NotUnderstood(number.sentence)
    settings = given.settings(config, flags)
    there = asyncio.run(_there(settings, number, site))
    if dry_run:
        _tell(there, mask(number), json, erased=False)
        return
    if not yes:
        _ask(there, mask(number))
    _tell(asyncio.run(_erase(settings, number, tuple(there))), mask(number), json, erased=True)


async def _there(settings: Settings, number: str, site: str) -> dict[str, Erased]:
    async with given.store(settings) as store:
        return {one: await store.erasable(one, number) for one in await _sites(store, site)}


async def _sites(store: Store, site: str) -> list[str]:
    sites = sorted(one.id for one in (await store.changes(0)).sites)
    if site and site not in sites:
        raise say.NotUnderstood(f"There is no site {site}. There is: {', '.join(sites) or 'none yet'}.")
    return [site] if site else sites


async def _erase(settings: Settings, number: str, sites: tuple[str, ...]) -> dict[str, Erased]:
    from heliograph.flow import erase as flow

    async with given.store(settings) as store:
        await flow.open_key(store, await given.sealer_of(store, settings))
        return {site: await flow.erase(store, site, number) for site in sites}


def _ask(there: dict[str, Erased], who: str) -> None:
    if not sys.stdin.isatty():
        raise SetupError("Erasing cannot be undone, and nobody is there to be asked. Add --yes.", code="not_confirmed")
    for site, one in there.items():
        say.line(f"Site {site}: {_words(one) or 'nothing'}.")
    say.line(f"Erase {who}? This cannot be undone. Write yes:")
    if sys.stdin.readline().strip().casefold() != "yes":
        raise SetupError("Nothing was erased.", code="not_confirmed")


def _tell(found: dict[str, Erased], who: str, json: bool, *, erased: bool) -> None:
    if json:
        say.data([{"site": site, "erased": erased, **_counts(one)} for site, one in found.items()])
        return
    told = [(site, words) for site, one in found.items() if (words := _words(one))]
    for site, words in told:
        say.line(f"Site {site}: {words}{' removed' if erased else ''}.")
    kept = sum(one.opt_outs for one in found.values())
    if kept:
        number = "1 opt-out" if kept == 1 else f"{kept} opt-outs"
        say.line(f"{number} {'would be' if not erased else 'is' if kept == 1 else 'are'} kept as a keyed hash.")
    if not told and not kept:
        say.line(f"Nothing is known of {who}.")


def _words(one: Erased) -> str:
    """`3 alerts, 1 conversation`; opt-outs are not removed and not among them."""
    counts = {name: count for name, count in _counts(one).items() if name != "opt_outs"}
    kinds = {"replies": "reply", "capabilities": "capability"}
    return ", ".join(
        f"{count:,} {kinds.get(name, name[:-1]) if count == 1 else name}" for name, count in counts.items() if count
    )


def _counts(one: Erased) -> dict[str, int]:
    return {name: getattr(one, name) for name in one.__struct_fields__}
