"""Who wants no messages: found, written down, removed. What is written is told to the audit log in the same
transaction."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec

from heliograph.core import phone
from heliograph.core.optout import ALL, Book, OptOut, RowFault, read, read_scope
from heliograph.core.ports import Written
from heliograph.core.user import Role
from heliograph.web.call import WebAnswer
from heliograph.web.console.visit import Visit

PAGE = 50
STALE = "This page is from an earlier log-in. Open the list again."
_place = msgspec.json.Decoder(tuple[str, str, str]).decode


async def page(visit: Visit) -> WebAnswer:
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, shown: str = "", **more: object) -> WebAnswer:
    """The list. `shown`: the row (sealed) whose number is there whole."""
    asked = {
        name: visit.query[name].strip() for name in ("site", "recipient", "scope") if visit.query.get(name, "").strip()
    }
    faults: list[str] = []
    site, recipient, scope = asked.get("site", ""), "", ""
    if site and site not in {one.id for one in visit.sites}:
        faults.append(f"There is no site {site[:80]} that you see.")
    if "recipient" in asked:
        number = phone.international("+" + asked["recipient"].removeprefix("+"))
        if isinstance(number, phone.PhoneFault):
            faults.append(number.sentence)
        else:
            recipient = number
    try:
        scope = read_scope(asked["scope"], visit.means.channels) if "scope" in asked else ""
    except RowFault as fault:
        faults.append(str(fault))
    after = visit.opened(visit.query.get("after", "")) if visit.query.get("after") else ""
    if visit.query.get("after") and not after:
        faults.append(STALE)
    rows = [] if faults else await _listed(visit, site, recipient, scope, _place(after.encode()) if after else None)
    next_ = ""
    if len(rows) > PAGE:
        last = rows[PAGE - 1]
        next_ = urlencode({**asked, "after": visit.sealed(_key(last))})
    return visit.page(
        "opt_outs.html",
        status=400 if faults and status == 200 else status,
        rows=[(row, visit.sealed(_key(row)), _key(row) == shown) for row in rows[:PAGE]],
        asked=asked,
        faults=faults,
        more=next_,
        first=urlencode(asked) if after else None,
        scopes=_scopes(visit),
        may_add=visit.may(Role.AGENT),
        may_remove=visit.may(Role.ADMIN),
        here=visit.call.query.decode("latin-1"),
        done=_DONE.get(visit.query.get("done", ""), ""),
        **{"given": {}, "wrong": "", **more},
    )


_DONE = {
    "added": "It is written down: from now on nothing of this scope is sent, alerts that are held included.",
    "there": "This opt-out was there already; nothing was changed.",
    "removed": "The opt-out is removed: alerts of this scope are sent again.",
    "gone": "There was no such opt-out any more; nothing was changed.",
    "newer": "The recipient has said otherwise since; nothing was changed.",
}


async def _listed(
    visit: Visit, site: str, recipient: str, scope: str, after: tuple[str, str, str] | None
) -> list[OptOut]:
    """One more than a page holds, in the order of site, number and scope."""
    if site:
        sites = [site]
    else:
        sites = [""] if visit.sees_all else [one.id for one in visit.sites]
    found: list[OptOut] = []
    for one in sites:
        if after is not None and one and one < after[0]:
            continue
        place = after or ("", "", "")
        start = place if not one or one == place[0] else (one, "", "")
        found += await visit.means.store.opt_outs(
            site=one, recipient=recipient, scope=scope, after=start, limit=PAGE + 1 - len(found)
        )
        if len(found) > PAGE:
            break
    return found


def _key(row: OptOut) -> str:
    return msgspec.json.encode((row.site, row.recipient, row.scope)).decode()


def _scopes(visit: Visit) -> list[str]:
    """What can be chosen: everything, a channel, a skill that a site names."""
    skills = sorted({f"skill:{skill}" for site in visit.sites for skill in site.skills})
    return [ALL, *sorted(visit.means.channels), *skills]


async def add(visit: Visit) -> WebAnswer:
    given = {name: visit.form.get(name, "").strip() for name in ("site", "recipient", "scope")}
    only = visit.sites[0].id if len(visit.sites) == 1 else ""
    try:
        row = read({name: given[name] for name in given if given[name]}, _book(visit, only))
    except RowFault as fault:
        return await _page(visit, status=400, given=given, wrong=str(fault))
    what = await _write(visit, row)
    return visit.redirect(f"/console/opt-outs?done={'added' if what is Written.CHANGED else 'there'}")


async def show_number(visit: Visit) -> WebAnswer:
    """The list with one number whole, once it is written down that it was asked for."""
    row = _row(visit, visit.form.get("row", ""))
    if row is None:
        return visit.trouble(400, STALE)
    line = visit.audited("number.shown", on=phone.mask(row.recipient), site=row.site, detail="opt-outs")
    await visit.means.store.audit(line)
    return await _page(visit, shown=_key(row))


async def confirm(visit: Visit) -> WebAnswer:
    """Before anything is removed: what it is, and what that means."""
    row = _row(visit, visit.query.get("row", ""))
    if row is None:
        return visit.trouble(400, STALE)
    there = await visit.means.store.opt_outs(site=row.site, recipient=row.recipient, scope=row.scope, limit=1)
    if not there:
        return visit.redirect("/console/opt-outs?done=gone")
    return visit.page("opt_out_remove.html", row=there[0], sealed=visit.sealed(_key(row)))


async def remove(visit: Visit) -> WebAnswer:
    row = _row(visit, visit.form.get("row", ""))
    if row is None:
        return visit.trouble(400, STALE)
    what = await _write(visit, msgspec.structs.replace(row, wanted=True))
    done = {Written.CHANGED: "removed", Written.UNCHANGED: "gone", Written.NEWER: "newer"}[what]
    return visit.redirect(f"/console/opt-outs?done={done}")


def _row(visit: Visit, sealed: str) -> OptOut | None:
    """The row that a form of the visit names; None where it was not sealed by it, or is of a site that the user
    does not see (any more)."""
    opened = visit.opened(sealed)
    if not opened:
        return None
    site, recipient, scope = _place(opened.encode())
    if site not in {one.id for one in visit.sites}:
        return None
    return OptOut(site=site, recipient=recipient, scope=scope, at=visit.now, how="console", by=visit.user.name)


async def _write(visit: Visit, row: OptOut) -> Written:
    line = visit.audited(
        "opt_out.removed" if row.wanted else "opt_out.added",
        on=phone.mask(row.recipient),
        site=row.site,
        detail=f"scope {row.scope}",
    )
    what = (await visit.means.store.put_opt_outs((row,), (line,)))[0]
    visit.doors.log(
        "info", "An opt-out was written.", action="opt_out", scope=row.scope, wanted=row.wanted, what=what.value
    )
    return what


def _book(visit: Visit, site: str) -> Book:
    return Book(
        sites={one.id: one for one in visit.sites},
        channels=visit.means.channels,
        site=site,
        at=visit.now,
        now=visit.now,
        how="console",
        by=visit.user.name,
    )
