"""In and out: the log-in, the log-out here and everywhere."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from math import ceil

import msgspec

from heliograph.flow import sessions
from heliograph.web import address
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.console import cookie, gate, render
from heliograph.web.console.visit import Visit, fields, token

WRONG = "Name and password do not fit, or the user is disabled. An administrator can give another password."
STALE = "The page was open for too long, or the browser keeps no cookies for this address. Log in once more."
BUSY = "Too many log in at this moment. Try again in a few seconds."
START = "/console"
# A path of the console and nothing that a browser could read as another place: no //, no dots that lead up (nor encoded
# ones), no backslash, no control.
_own = re.compile(r"/console(?:/[A-Za-z0-9_~+-][A-Za-z0-9._~+-]*)*(?:\?[A-Za-z0-9._~%+&=/:,@-]*)?").fullmatch


async def form(call: WebCall, doors: Doors) -> WebAnswer:
    """The page. Who is in already goes on."""
    next_ = own(fields(call.query).get("next", ""))
    if await sessions.present(cookie.read(cookie.SESSION, call, doors), gate.rules(doors.settings), doors.means):
        return render.redirect(next_)
    return _page(call, doors, next_=next_)


async def enter(call: WebCall, doors: Doors) -> WebAnswer:
    if (wrong := gate.not_a_form(call)) is not None:
        return wrong
    given = fields(call.body)
    next_, name = own(given.get("next", "")), given.get("name", "")[:64]
    visitor = cookie.read(cookie.VISITOR, call, doors)
    if not gate.from_here(call, doors) or not visitor or not gate.same(token(visitor, "login"), gate.sent_token(call)):
        return _page(call, doors, status=403, next_=next_, name=name, fault=STALE)
    done = await attempt(call, doors, given, cookie.read(cookie.SESSION, call, doors))
    if isinstance(done, NotIn):
        return _page(call, doors, status=done.status, next_=next_, name=name, fault=done.fault)
    return render.redirect(
        next_,
        (
            cookie.written(cookie.SESSION, done.secret, call, doors),
            cookie.written(cookie.VISITOR, "", call, doors),
        ),
    )


class NotIn(msgspec.Struct, frozen=True):
    """Why a log-in failed: the answer's status, and the sentence for the form."""

    status: int
    fault: str


async def attempt(call: WebCall, doors: Doors, given: Mapping[str, str], former: str) -> sessions.LoggedIn | NotIn:
    """A log-in by a form whose token was right. `former`: the session that it replaces."""
    done = await sessions.log_in(
        given.get("name", "")[:64],
        given.get("password", "")[:1000],
        network=address.network_of(address.caller(doors.plate, call.scope)),
        former=former,
        rules=gate.rules(doors.settings),
        means=doors.means,
    )
    if isinstance(done, sessions.LoggedIn):
        return done
    if done.busy:
        doors.meters.credentials("busy")
        return NotIn(503, BUSY)
    code = "too_many_logins" if done.until else "wrong_password"
    doors.meters.credentials(code)
    doors.log("warning", "A log-in to the console failed.", action="login.failed", code=code)
    if not done.until:
        return NotIn(401, WRONG)
    wait = max(1, ceil((done.until - doors.means.clock.now()) / 60_000))
    return NotIn(429, f"Too many log-ins failed. None is taken from here for {wait} minute{'s' if wait > 1 else ''}.")


async def leave(visit: Visit) -> WebAnswer:
    await sessions.log_out(cookie.read(cookie.SESSION, visit.call, visit.doors), visit.user.name, visit.means)
    return _out(visit)


async def leave_everywhere(visit: Visit) -> WebAnswer:
    await sessions.log_out_everywhere(visit.user, visit.means)
    return _out(visit)


def own(path: str) -> str:
    """The path where it is a page of the console, else the start page."""
    return path if len(path) <= 2_000 and _own(path) and not path.startswith(gate.LOGIN) else START


def _out(visit: Visit) -> WebAnswer:
    return render.redirect(gate.LOGIN, (cookie.written(cookie.SESSION, "", visit.call, visit.doors),))


def _page(call: WebCall, doors: Doors, *, status: int = 200, next_: str, name: str = "", fault: str = "") -> WebAnswer:
    """The form with its own token; the browser has its cookie from here on."""
    visitor = cookie.read(cookie.VISITOR, call, doors) or secrets.token_urlsafe(18)
    return render.page(
        "login.html",
        status=status,
        headers=(cookie.written(cookie.VISITOR, visitor, call, doors),),
        csrf=token(visitor, "login"),
        next=next_,
        name=name,
        fault=fault,
    )
