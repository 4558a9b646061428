"""Before a page of the console is asked: whose session it is, whether the role suffices, and of every call that may
change something whether it comes from a page of ours."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from urllib.parse import quote

from heliograph.core.user import Role
from heliograph.flow import sessions
from heliograph.flow.sessions import Rules
from heliograph.settings import Settings
from heliograph.web import address
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.console import cookie, render
from heliograph.web.console.visit import Visit, fields

Page = Callable[[Visit], Awaitable[WebAnswer]]
READING = ("GET", "HEAD")
LOGIN = "/console/login"
FORM = "application/x-www-form-urlencoded"
FOREIGN = (
    "This form was not sent from a page of this console, or the page is from an earlier log-in. Nothing was changed. "
    "Load the page again and repeat it."
)


def rules(settings: Settings) -> Rules:
    return Rules(idle=settings.session_idle, longest=settings.session_length, tries=settings.failed_logins)


async def enter(page: Page, least: Role, call: WebCall, doors: Doors) -> WebAnswer:
    """The page for whom the call's session belongs to; else the way to the log-in, or a refusal."""
    secret = cookie.read(cookie.SESSION, call, doors)
    found = await sessions.present(secret, rules(doors.settings), doors.means)
    if found is None:
        return _to_login(call, doors)
    session, user = found
    visit = Visit(call, doors, user, session, secret)
    if not user.role.may(least):
        return visit.trouble(403, f"This page is for the role {least.value}; yours is {user.role.value}.")
    if call.method not in READING:
        if (wrong := not_a_form(call)) is not None:
            return wrong
        if not from_here(call, doors) or not same(visit.csrf, sent_token(call)):
            return visit.trouble(403, FOREIGN)
    return await page(visit)


def from_here(call: WebCall, doors: Doors) -> bool:
    """Whether the browser says that a page of our own origin made this call. No page can write these headers. The first
    one is the browser's own comparison, which no proxy can spoil; browsers send it over TLS and to loopback. Where
    there is neither, the token alone decides."""
    site, origin = call.header(b"sec-fetch-site"), call.header(b"origin")
    if site:
        return site == "same-origin"
    return not origin or origin.lower() == _origin(call, doors)


def same(wanted: str, sent: str) -> bool:
    return hmac.compare_digest(wanted.encode(), sent.encode("utf-8", "replace"))


def sent_token(call: WebCall) -> str:
    return call.header(b"x-csrf-token") or fields(call.body).get("csrf", "")


def not_a_form(call: WebCall) -> WebAnswer | None:
    """415 for a body that is no form: pages of other origins may send text/plain without asking."""
    kind = call.header(b"content-type").partition(";")[0].strip().lower()
    if call.body and kind != FORM:
        return render.plain(415, f"The console takes forms ({FORM}), the call sends {kind[:40] or 'no type'}.")
    return None


def _origin(call: WebCall, doors: Doors) -> str:
    scheme, _, rest = address.url(doors.plate, call.scope).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _to_login(call: WebCall, doors: Doors) -> WebAnswer:
    if call.method not in READING or b"text/html" not in call.headers.get(b"accept", b"text/html"):
        # A form that was filled in is not thrown away by a redirect: the browser's way back leads to it.
        return render.plain(401, "You are not logged in any more. Log in at /console/login and repeat it.")
    asked = call.raw_path.decode("latin-1")
    if call.query:
        asked = f"{asked}?{call.query.decode('latin-1')}"
    again = "" if asked == "/console" else f"?next={quote(asked, safe='')}"
    return render.redirect(LOGIN + again)
