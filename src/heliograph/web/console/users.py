"""Who may use the console. It is read here and changed by `heliograph users`."""

from __future__ import annotations

from heliograph.web.call import WebAnswer
from heliograph.web.console.visit import Visit

WHOLE = "This page speaks of every site; you see only some. An administrator of all sites can open it."


async def page(visit: Visit) -> WebAnswer:
    if not visit.sees_all:
        return visit.trouble(403, WHOLE)
    return visit.page("users.html", users=await visit.means.store.users())
