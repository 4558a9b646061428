"""The audit log: who did what, when, on what, through which door. The newest first; nothing is ever taken out."""

from __future__ import annotations

from urllib.parse import urlencode

from heliograph.web.call import WebAnswer
from heliograph.web.console.users import WHOLE
from heliograph.web.console.visit import Visit

PAGE = 100
WHAT = {
    "login": "logged in",
    "logout": "logged out",
    "logout.everywhere": "logged out everywhere",
    "password.changed": "changed a password",
    "user.added": "added a user",
    "user.changed": "changed a user's rights",
    "user.disabled": "disabled a user",
    "user.enabled": "enabled a user",
    "opt_out.added": "wrote an opt-out down",
    "opt_out.removed": "removed an opt-out",
    "number.shown": "looked at a whole number",
}


async def page(visit: Visit) -> WebAnswer:
    if not visit.sees_all:
        return visit.trouble(403, WHOLE)
    asked = {name: visit.query[name].strip()[:80] for name in ("who", "what") if visit.query.get(name, "").strip()}
    before = visit.query.get("before", "")[:36]
    rows = await visit.means.store.audit_log(
        who=asked.get("who", "").casefold().replace("\0", ""),
        what=asked.get("what", "").replace("\0", ""),
        before=before.replace("\0", ""),
        limit=PAGE + 1,
    )
    more = urlencode({**asked, "before": rows[PAGE - 1].id}) if len(rows) > PAGE else ""
    return visit.page(
        "audit.html", rows=rows[:PAGE], asked=asked, more=more, first=urlencode(asked) if before else None, words=WHAT
    )
