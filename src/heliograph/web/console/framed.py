"""The context of a conversation within a desk's own agent workspace, which shows this page in a frame.

    GET  /console/context/{site}?conversation=<the desk's id of it>    the page, or the log-in to it
    POST                                                               that log-in, or the log-out

The id alone shows nothing: whoever looks is logged in, as an agent who sees the site and the skill. Only the origins
that the site's desk names may frame it; where it names none there is no page. A log-in in the frame has a cookie of its
own, which no other page of the console takes, so that they stay out of reach for whoever frames this one.
"""

from __future__ import annotations

import secrets

import msgspec

from heliograph.core.conversation import Conversation
from heliograph.core.desk import Context
from heliograph.core.user import Role
from heliograph.flow import sessions
from heliograph.flow.context import context
from heliograph.web.call import Doors, Headers, WebAnswer, WebCall
from heliograph.web.console import cookie, gate, inbox, inbox_info, login, render
from heliograph.web.console.visit import Visit, fields, token

SESSION, VISITOR = cookie.FRAMED[cookie.SESSION], cookie.FRAMED[cookie.VISITOR]
NOTHING = "There is nothing here that you see."
LONGEST = 200  # characters of a desk's id
PURPOSE = "login-framed"
_OURS = "frame-ancestors 'none'"


async def page(call: WebCall, doors: Doors) -> WebAnswer:
    """What the brand passed along with the alert that is answered there."""
    origins = _origins(call, doors)
    if not origins:
        return render.lost(404, NOTHING)
    found = await _visit(call, doors)
    if found is None:
        return _log_in(call, doors, origins)
    visit, own = found
    there = await _found(visit)
    if there is None:
        return _for(origins, visit.page("framed_lost.html", status=404, sentence=NOTHING, own=own))
    alert = there.alerts[-1] if there.alerts else there.alert
    about = await context(there.site, alert, there.recipient, visit.means, conversation=there.id)
    return _for(origins, visit.page("framed.html", there=there, about=about, info=_info(about), own=own))


async def enter(call: WebCall, doors: Doors) -> WebAnswer:
    """Logs in, or out (`do=leave`), and comes back to the page."""
    origins = _origins(call, doors)
    if not origins:
        return render.lost(404, NOTHING)
    if (wrong := gate.not_a_form(call)) is not None:
        return wrong
    given = fields(call.body)
    if given.get("do") == "leave":
        return await _leave(call, doors, origins)
    visitor = cookie.read(VISITOR, call, doors)
    if not gate.from_here(call, doors) or not visitor or not gate.same(token(visitor, PURPOSE), gate.sent_token(call)):
        return _log_in(call, doors, origins, status=403, name=given.get("name", "")[:64], fault=login.STALE)
    done = await login.attempt(call, doors, given, cookie.read(SESSION, call, doors))
    if isinstance(done, login.NotIn):
        return _log_in(call, doors, origins, status=done.status, name=given.get("name", "")[:64], fault=done.fault)
    return _back(call, doors, origins, SESSION, done.secret)


async def _leave(call: WebCall, doors: Doors, origins: tuple[str, ...]) -> WebAnswer:
    secret = cookie.read(SESSION, call, doors)
    found = await sessions.present(secret, gate.rules(doors.settings), doors.means)
    if found is not None:
        if not gate.from_here(call, doors) or not gate.same(token(secret, "csrf"), gate.sent_token(call)):
            return _for(origins, render.lost(403, gate.FOREIGN))
        await sessions.log_out(secret, found[1].name, doors.means)
    return _back(call, doors, origins, SESSION, "")


async def _visit(call: WebCall, doors: Doors) -> tuple[Visit, bool] | None:
    """Who looks: by the frame's own cookie (True), else by the console's, which a browser sends where both pages are of
    one site."""
    for name in (SESSION, cookie.SESSION):
        secret = cookie.read(name, call, doors)
        found = await sessions.present(secret, gate.rules(doors.settings), doors.means) if secret else None
        if found is not None:
            session, user = found
            return Visit(call, doors, user, session, secret), name == SESSION
    return None


async def _found(visit: Visit) -> Conversation | None:
    """The conversation that the desk knows by this id, where the user may see it in the inbox."""
    site, reference = visit.params["site"], _id(visit.call)
    if not visit.may(Role.AGENT) or not visit.sees(site) or not reference:
        return None
    desk = visit.means.registry.desk(site).setup.desk
    there = await visit.means.store.conversation_at(site, desk, reference)
    return there if there is not None and inbox.sees(visit, there) else None


def _info(about: Context) -> tuple[inbox_info.Node, ...]:
    return inbox_info.nodes(bytes(about.alert.alert_info)) if about.alert else ()


def _id(call: WebCall) -> str:
    given = fields(call.query).get("conversation", "")
    return given if len(given) <= LONGEST else ""


def _origins(call: WebCall, doors: Doors) -> tuple[str, ...]:
    return doors.means.registry.desk(call.params["site"]).framed


def _log_in(
    call: WebCall, doors: Doors, origins: tuple[str, ...], *, status: int = 200, name: str = "", fault: str = ""
) -> WebAnswer:
    visitor = cookie.read(VISITOR, call, doors) or secrets.token_urlsafe(18)
    answer = render.page(
        "framed_login.html",
        status=status,
        headers=(cookie.written(VISITOR, visitor, call, doors),),
        csrf=token(visitor, PURPOSE),
        action=_here(call),
        name=name,
        fault=fault,
    )
    return _for(origins, answer)


def _back(call: WebCall, doors: Doors, origins: tuple[str, ...], name: str, value: str) -> WebAnswer:
    cookies: Headers = (cookie.written(name, value, call, doors), cookie.written(VISITOR, "", call, doors))
    return _for(origins, render.redirect(_here(call), cookies))


def _here(call: WebCall) -> str:
    """This very address, which led here: a path of ours whatever stands in its query."""
    path = call.raw_path.decode("latin-1")
    return f"{path}?{call.query.decode('latin-1')}" if call.query else path


def _for(origins: tuple[str, ...], answer: WebAnswer) -> WebAnswer:
    """The same answer, with a policy that lets these origins frame it."""
    policy = render.POLICY.replace(_OURS, f"frame-ancestors {' '.join(origins)}").encode()
    headers = tuple((name, policy if name == b"content-security-policy" else value) for name, value in answer.headers)
    return msgspec.structs.replace(answer, headers=headers)
