"""Opt-outs: written by providers' events, operators and callers, listed for people and exports."""

from __future__ import annotations

from heliograph.core.optout import OptOut
from heliograph.core.ports import Written
from heliograph.core.webhook import Tell
from heliograph.store import outbox
from heliograph.store.verb import Verb


def put(rows: tuple[OptOut, ...], now: int) -> Verb[list[Written]]:
    """Each in its turn."""
    told: list[Written] = []
    tells: dict[str, Tell] = {}
    for row in rows:
        if row.site not in tells:
            tells[row.site] = yield from outbox.tells(row.site, None)
        told.append((yield from say(row, now, tells[row.site])))
    return told


def say(row: OptOut, now: int, tell: Tell = None) -> Verb[Written]:
    """What was said last decides, in whichever order it comes. Said again, the first no stays the proof, with its time,
    way and name. A yes is remembered also where there was no no: an older one may still come."""
    place = row.site, row.recipient, row.scope
    there = yield "opt_out_lock", place
    wanted, at = there[0] if there else (1, -1)
    if there and bool(wanted) is row.wanted:
        yield "opt_out_again", (*place, row.at)
        return Written.UNCHANGED
    if at > row.at:
        return Written.NEWER
    yield "opt_out_put", (*place, int(row.wanted), row.at, row.how, row.by)
    if bool(wanted) is row.wanted:
        return Written.UNCHANGED
    yield from outbox.opt_out(row, now, tell)
    return Written.CHANGED


def listed(site: str, recipient: str, scope: str, after: tuple[str, str, str], limit: int) -> Verb[list[OptOut]]:
    """Those in force, by site, recipient and scope, from the one after `after` on."""
    sites = [site] if site else sorted(row[0] for row in (yield "sites", ()))
    found: list[OptOut] = []
    for one in sites:
        if one < after[0] or len(found) >= limit:
            continue
        start = after[1:] if one == after[0] else ("", "")
        rows = yield "opt_outs_list", (one, recipient, scope, *start, limit - len(found))
        found += (OptOut(site=one, recipient=row[0], scope=row[1], at=row[2], how=row[3], by=row[4]) for row in rows)
    return found
