"""The list of alerts: filters in the address, the newest first, a page at a time."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from heliograph.core import phone
from heliograph.core.ports import AlertRow
from heliograph.core.states import AlertState
from heliograph.web.call import WebAnswer
from heliograph.web.console.visit import Visit

PAGE = 50
STATES = (*(state.value for state in AlertState), "in_doubt")
FILTERS = ("site", "state", "recipient", "external")
_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


async def page(visit: Visit) -> WebAnswer:
    asked = {name: visit.query[name].strip() for name in FILTERS if visit.query.get(name, "").strip()}
    faults: dict[str, str] = {}
    site, state, external = asked.get("site", ""), asked.get("state", ""), asked.get("external", "")
    recipient, before = "", visit.query.get("before", "")
    if site and site not in {one.id for one in visit.sites}:
        faults["site"] = f"There is no site {site[:80]} that you see."
    if state and state not in STATES:
        faults["state"] = f"There is no state {state[:80]}."
    if "recipient" in asked:
        # A plus that is not encoded stands for a space in a query.
        number = phone.international("+" + asked["recipient"].removeprefix("+"))
        if isinstance(number, phone.PhoneFault):
            faults["recipient"] = number.sentence
        else:
            recipient = number
    if before and not _id(before):
        faults["before"] = "The address of this page was changed on its way. Begin with the first page."
    if "\0" in external:
        faults["external"] = "No alert has such an external id."
    rows = (
        []
        if faults
        else await of_sites(
            visit, site=site, state=state, recipient=recipient, external=external, before=before, limit=PAGE + 1
        )
    )
    more = urlencode({**asked, "before": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
    return visit.page(
        "alerts.html",
        status=400 if faults else 200,
        rows=rows[:PAGE],
        asked=asked,
        faults=faults,
        more=more,
        first=urlencode(asked) if before else None,
        states=STATES,
    )


async def of_sites(
    visit: Visit,
    *,
    site: str = "",
    state: str = "",
    recipient: str = "",
    external: str = "",
    before: str = "",
    limit: int,
) -> list[AlertRow]:
    """The newest alerts of those sites that the user sees, or of one of them."""
    if site:
        sites = [site] if visit.sees(site) else []
    else:
        sites = [""] if visit.sees_all else [one.id for one in visit.sites]
    found: list[AlertRow] = []
    for one in sites:
        found += await visit.means.store.alerts(
            site=one, state=state, recipient=recipient, external=external, before=before, limit=limit
        )
    found.sort(key=lambda row: row.id, reverse=True)
    return found[:limit]
