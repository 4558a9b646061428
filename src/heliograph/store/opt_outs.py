"""Opt-outs: written by providers' events, operators and callers, listed for people and exports."""

from __future__ import annotations

from heliograph.core.optout import ALL, OptOut, concerning, is_erased
from heliograph.core.ports import Written
from heliograph.core.user import Audited
from heliograph.core.webhook import Tell
from heliograph.store import journal, outbox, users
from heliograph.store.hidden import Hide
from heliograph.store.verb import Verb

REFUSED = "opted_out"  # the reason of an attempt that the provider refused since the recipient wants nothing (21610)


def put(rows: tuple[OptOut, ...], now: int, hide: Hide, audited: tuple[Audited, ...] = ()) -> Verb[list[Written]]:
    """Each in its turn; with it the line of the audit log that stands in its place, where the row changed anything."""
    told: list[Written] = []
    tells: dict[str, Tell] = {}
    for place, row in enumerate(rows):
        if row.site not in tells:
            tells[row.site] = yield from outbox.tells(row.site, None)
        told.append((yield from say(row, now, hide, tells[row.site])))
        if audited and told[-1] is Written.CHANGED:
            yield from users.say(audited[place])
    return told


def say(row: OptOut, now: int, hide: Hide, tell: Tell = None) -> Verb[Written]:
    """What changes is told to the brand, once."""
    told = yield from _written(row, hide)
    if told is Written.CHANGED and not is_erased(row.recipient):
        yield from outbox.opt_out(row, now, tell)
    return told


def _written(row: OptOut, hide: Hide) -> Verb[Written]:
    """What was said last decides, in whichever order it comes. Said again, the first no stays the proof, with its time,
    way and name. A yes is remembered also where there was no no: an older one may still come.

    Of somebody who was erased the row stands under the hidden name; the number is not written again for a no that is in
    force already."""
    hidden = hide(row.site, row.recipient)
    if hidden != row.recipient:
        there = yield "opt_out_lock", (row.site, hidden, row.scope)
        if there and (not there[0][0] or there[0][1] > row.at):
            told = yield from _say(row, hidden)
            mine = yield "opt_out_lock", (row.site, row.recipient, row.scope)
            return (yield from _say(row, row.recipient)) if mine and row.wanted else told
    return (yield from _say(row, row.recipient))


def _say(row: OptOut, recipient: str) -> Verb[Written]:
    place = row.site, recipient, row.scope
    there = yield "opt_out_lock", place
    wanted, at = there[0] if there else (1, -1)
    if there and bool(wanted) is row.wanted:
        yield "opt_out_again", (*place, row.at)
        return Written.UNCHANGED
    if at > row.at:
        return Written.NEWER
    yield "opt_out_put", (*place, int(row.wanted), row.at, row.how, row.by)
    return Written.CHANGED if bool(wanted) is not row.wanted else Written.UNCHANGED


def refused(site: str, alert: str, attempt: str, now: int, hide: Hide) -> Verb[None]:
    """The provider refused an attempt since the recipient wants nothing on its channel: written down as his no of the
    time at which the attempt began, so that whatever he said after that stands above it."""
    pages = journal.Pages((yield "journal_of", (site, alert)))
    begun = pages.begun(attempt)
    yield from say(
        OptOut(
            site=site,
            recipient=pages.recipient,
            scope=begun.channel,
            at=begun.created,
            how="provider",
            by=begun.sender,
        ),
        now,
        hide,
    )


def last_no(site: str, recipient: str, channel: str, skill: str, hide: Hide) -> Verb[int | None]:
    """When (ms) the newest no that bars this channel and skill was last said."""
    rows = yield "opt_outs_said", (site, recipient, hide(site, recipient))
    times = [at for scope, at in rows if concerning((scope,), skill) & {ALL, channel}]
    return max(times, default=None)


def listed(
    site: str, recipient: str, scope: str, erased: bool, after: tuple[str, str, str], limit: int, hide: Hide
) -> Verb[list[OptOut]]:
    """Those in force, by site, recipient and scope, from the one after `after` on. `erased`: of erased people alone."""
    sites = [site] if site else sorted(row[0] for row in (yield "sites", ()))
    found: list[OptOut] = []
    for one in sites:
        if one < after[0] or len(found) >= limit:
            continue
        start = after[1:] if one == after[0] else ("", "")
        who = (recipient, hide(one, recipient)) if recipient else ("", "")
        rows = yield "opt_outs_list", (one, *who, scope, int(erased), *start, limit - len(found))
        found += (OptOut(site=one, recipient=row[0], scope=row[1], at=row[2], how=row[3], by=row[4]) for row in rows)
    return found
