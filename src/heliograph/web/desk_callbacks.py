"""/callbacks/desk/<desk>/<site>: what a site's desk tells us. Its own folder reads it, flow writes it down, and the
answer leaves; nobody is called from here."""

from __future__ import annotations

from heliograph.flow.desk_heard import receive
from heliograph.web import callbacks
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    """404 for an address that is no site's desk, 401 for a callback that the desk did not sign, 503 while the store is
    away, else what the desk wants to hear."""
    params = call.params
    opened = doors.means.registry.desk(params["site"])
    if opened.desk is None or opened.setup.desk != params["desk"]:
        doors.meters.callback("none", 404)
        return problem(404, "No desk has this callback address. It is /callbacks/desk/<desk>/<site>.")
    kind = opened.setup.desk
    heard = callbacks.read(opened.desk.read, call, doors, kind, "desk")
    if isinstance(heard, WebAnswer):
        return heard
    await receive(opened, heard, doors.means)
    return callbacks.said(heard.answer, doors, kind)


DOCS = Docs(
    about="Called by a site's desk and signed in the desk's own way. Its address is shown by `heliograph desks`.",
    says=(
        Said(200, "Written down; the body is what the desk wants"),
        Said(401, "Not signed as the desk signs"),
        Said(404, "The site has no such desk"),
        Said(503, "The database is away: deliver again"),
    ),
    params={"desk": "liveperson, chatwoot, webhook …", "site": "The site's id"},
)
