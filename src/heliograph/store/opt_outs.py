"""Opt-outs: written by providers' events, operators and callers, listed for people and exports."""

from __future__ import annotations

from heliograph.core.optout import OptOut
from heliograph.core.ports import Written
from heliograph.store.verb import Verb


def put(rows: tuple[OptOut, ...]) -> Verb[list[Written]]:
    """Each in its turn. What is there already keeps its own time, way and name: the first no is the proof."""
    told: list[Written] = []
    for row in rows:
        there = yield "opt_out_read", (row.site, row.recipient, row.scope)
        wanted, at = there[0] if there else (1, -1)
        if bool(wanted) is row.wanted:
            told.append(Written.UNCHANGED)
            continue
        if at > row.at:
            told.append(Written.NEWER)
            continue
        yield "opt_out_put", (row.site, row.recipient, row.scope, int(row.wanted), row.at, row.how, row.by)
        told.append(Written.CHANGED)
    return told


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
