"""The start page: agents go on to the inbox, the others see what became of the newest alerts and which senders have
trouble."""

from __future__ import annotations

from collections import Counter

from heliograph.core.ports import AlertRow
from heliograph.core.site import SenderReport
from heliograph.core.user import Role
from heliograph.flow.reports import FRESH
from heliograph.web.call import WebAnswer
from heliograph.web.console import alerts
from heliograph.web.console.visit import Visit

NEWEST = 500  # alerts that are looked at: no page costs more as the data grows
HOURS = 24
ORDER = ("sending", "scheduled", "sent", "delivered", "read", "failed", "refused", "expired", "cancelled", "accepted")


async def page(visit: Visit) -> WebAnswer:
    there = {route.path for route in visit.doors.routes}
    if visit.user.role is Role.AGENT:
        return visit.redirect("/console/inbox" if "/console/inbox" in there else "/console/alerts")
    since = visit.now - HOURS * 3_600_000
    newest = await alerts.of_sites(visit, limit=NEWEST)
    recent = [row for row in newest if row.created >= since]
    ends = [
        (site, sender, found)
        for (site, sender), found in sorted(visit.means.loose_ends.items())
        if visit.sees(site) and (found.in_doubt or found.unmatched)
    ]
    return visit.page(
        "start.html",
        figures=figures(recent),
        hours=HOURS,
        whole=len(newest) < NEWEST or len(recent) < len(newest),
        looked_at=len(recent),
        any=bool(newest),
        troubles=await troubles(visit),
        senders=sum(1 for opened in visit.means.registry.all_senders() if visit.sees(opened.sender.site)),
        loose_ends=ends,
    )


def figures(rows: list[AlertRow]) -> list[tuple[str, int]]:
    """How many alerts are in each state, in the order of an alert's life; states without any are left out."""
    counts = Counter(row.state.value for row in rows)
    return [(state, counts[state]) for state in ORDER if counts[state]]


async def troubles(visit: Visit) -> list[SenderReport]:
    """What the nodes said last of senders that do not serve, the worst of each sender."""
    found: dict[tuple[str, str], SenderReport] = {}
    for report in await visit.means.store.sender_reports(visit.now - FRESH):
        if not visit.sees(report.site) or (report.state == "closed" and not report.why):
            continue
        known = found.get((report.site, report.sender))
        if known is None or report.serves < known.serves:
            found[report.site, report.sender] = report
    return [found[place] for place in sorted(found)]
