"""The console's rows of the route table, each with the least role that is let in (web/console/__init__.py says how a
page is added)."""

from __future__ import annotations

from functools import partial

from heliograph.core.user import Role
from heliograph.web.console import (
    account,
    alert,
    alerts,
    audit,
    files,
    framed,
    gate,
    inbox,
    inbox_acts,
    inbox_file,
    inbox_stream,
    login,
    opt_outs,
    start,
    users,
)
from heliograph.web.console.gate import Page
from heliograph.web.route import Auth, Listener, Route


def row(method: str, path: str, page: Page, role: Role, summary: str, *, desk: str = "") -> Route:
    """A page for who is logged in. `desk`: it stands only where this desk is installed."""
    enter = partial(gate.enter, page, role)
    return Route(method, path, enter, Auth.SESSION, Listener.PUBLIC, summary, role=role, desk=desk)


# fmt: off
ROWS: tuple[Route, ...] = (
    Route("GET", "/console/login", login.form, Auth.OPEN, Listener.PUBLIC, "The log-in to the console"),
    Route("POST", "/console/login", login.enter, Auth.OPEN, Listener.PUBLIC, "Log in to the console"),
    Route("GET", "/console/static/{digest}/{name}", files.answer, Auth.OPEN, Listener.PUBLIC,
          "The console's scripts and styles"),
    row("POST", "/console/logout", login.leave, Role.VIEWER, "Log out"),
    row("POST", "/console/logout-everywhere", login.leave_everywhere, Role.VIEWER, "Log out on every device"),
    row("GET", "/console/account", account.page, Role.VIEWER, "The user's own account"),
    row("POST", "/console/account/password", account.change, Role.VIEWER, "Another password for oneself"),
    row("GET", "/console", start.page, Role.VIEWER, "The console's overview"),
    row("GET", "/console/alerts", alerts.page, Role.VIEWER, "Find alerts"),
    row("GET", "/console/alerts/{id}", alert.page, Role.VIEWER, "The record of an alert"),
    row("POST", "/console/alerts/{id}", alert.show_number, Role.AGENT, "The record with the number, which is audited"),
    row("GET", "/console/media/{site}/{upload}", alert.medium, Role.VIEWER, "A picture of a message"),
    row("GET", "/console/opt-outs", opt_outs.page, Role.VIEWER, "Who wants no messages"),
    row("POST", "/console/opt-outs", opt_outs.add, Role.AGENT, "Write an opt-out down"),
    row("POST", "/console/opt-outs/show", opt_outs.show_number, Role.AGENT, "A number of the list, which is audited"),
    row("GET", "/console/opt-outs/remove", opt_outs.confirm, Role.ADMIN, "Before an opt-out is removed"),
    row("POST", "/console/opt-outs/remove", opt_outs.remove, Role.ADMIN, "Remove an opt-out"),
    row("GET", "/console/inbox", inbox.page, Role.AGENT, "The inbox", desk="console"),
    row("GET", "/console/inbox/{site}/{id}", inbox.one, Role.AGENT, "A conversation", desk="console"),
    row("GET", "/console/inbox/{site}/{id}/turns", inbox.earlier, Role.AGENT, "The turns of an earlier conversation",
        desk="console"),
    row("GET", "/console/inbox/{site}/{id}/files/{number}/{place}", inbox_file.one, Role.AGENT,
        "A file that a recipient sent", desk="console"),
    *(row("POST", f"/console/inbox/{{site}}/{{id}}/{name}", page, Role.AGENT, summary, desk="console")
      for name, (page, summary) in inbox_acts.ACTS.items()),
    row("GET", "/console/live", inbox_stream.live, Role.AGENT, "What changes in conversations", desk="console"),
    # Within the agent workspace of a site's desk: a log-in and a cookie of its own
    Route("GET", "/console/context/{site}", framed.page, Auth.OPEN, Listener.PUBLIC,
          "The context of a conversation, within the desk's own page; or the log-in to it"),
    Route("POST", "/console/context/{site}", framed.enter, Auth.OPEN, Listener.PUBLIC,
          "Log in to that page, or out of it"),
    row("GET", "/console/users", users.page, Role.ADMIN, "Who may use the console"),
    row("GET", "/console/audit", audit.page, Role.ADMIN, "Who did what"),
)
# fmt: on
