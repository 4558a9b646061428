"""The user's own account: who one is here, another password, out everywhere."""

from __future__ import annotations

from math import ceil

from heliograph.core.user import SHORTEST
from heliograph.errors import SetupError
from heliograph.flow import sessions
from heliograph.flow.users import rights
from heliograph.web.call import WebAnswer
from heliograph.web.console.gate import rules
from heliograph.web.console.visit import Visit

DONE = "The password is changed. Every other log-in of yours is over."


async def page(visit: Visit) -> WebAnswer:
    return _page(visit, done=DONE if visit.query.get("done") == "password" else "")


async def change(visit: Visit) -> WebAnswer:
    old, new, again = (visit.form.get(name, "") for name in ("old", "new", "again"))
    if new != again:
        return _page(visit, status=400, fault="The new password was not typed twice the same. Nothing was changed.")
    try:
        refused = await sessions.change_password(
            visit.user,
            visit.session,
            old[:1000],
            new,
            network=visit.network,
            rules=rules(visit.doors.settings),
            means=visit.means,
        )
    except SetupError as fault:
        return _page(visit, status=400, fault=fault.sentence)
    if refused is None:
        return visit.redirect("/console/account?done=password")
    if refused.until:
        wait = max(1, ceil((refused.until - visit.now) / 60_000))
        return _page(visit, status=429, fault=f"Too many tries with a wrong password. None is taken for {wait} min.")
    return _page(visit, status=403, fault="The present password is another one. Nothing was changed.")


def _page(visit: Visit, *, status: int = 200, fault: str = "", done: str = "") -> WebAnswer:
    return visit.page(
        "account.html", status=status, fault=fault, done=done, shortest=SHORTEST, rights=rights(visit.user)
    )
