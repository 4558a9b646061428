"""Templates to answers: the environment, the headers of every page, and what templates may call."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from heliograph.core import phone
from heliograph.web.call import Headers, WebAnswer
from heliograph.web.console import files, rail, words

# Nothing is fetched from elsewhere, nothing inline runs or styles, nobody frames a page, forms go home.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# same-origin, not no-referrer: with that, browsers send `Origin: null` with our own forms.
GUARDS: Headers = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
HTML: Headers = ((b"content-type", b"text/html; charset=utf-8"), *GUARDS)
TEXT: Headers = ((b"content-type", b"text/plain; charset=utf-8"), *GUARDS)

_environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


@jinja2.pass_context
def _csrf_field(context: jinja2.runtime.Context) -> Markup:
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["csrf"])


_environment.globals.update(
    static=files.address,
    csrf_field=_csrf_field,
    rail=rail.links,
    rail_keys=rail.KEYS,
    state_of=words.state,
    channel_of=words.channel,
    reason_of=words.reason,
    ago=words.ago,
)
_environment.filters.update(
    mask=phone.mask,
    iso=words.iso,
    exact=words.exact,
    day=words.day,
    spaced=words.spaced,
)


def teach(**known: Any) -> None:
    """Names that templates may use from now on, those of one part of the console."""
    _environment.globals.update(known)


def page(template: str, *, status: int = 200, headers: Headers = (), **values: Any) -> WebAnswer:
    """`template` filled with `values`; those that a frame needs (visit, csrf, now) come from Visit.page."""
    body = _environment.get_template(template).render(**values)
    return WebAnswer(status=status, body=body.encode("utf-8", "replace"), headers=(*HTML, *headers))


def text(template: str, **values: Any) -> str:
    """A part of a page, to be put into one that is open."""
    return _environment.get_template(template).render(**values)


def redirect(path: str, headers: Headers = ()) -> WebAnswer:
    """303: to be fetched with GET, so that a reload repeats nothing."""
    return WebAnswer(status=303, headers=((b"location", path.encode("ascii", "replace")), *TEXT, *headers))


def lost(status: int, sentence: str, headers: Headers = ()) -> WebAnswer:
    """A page for whoever it is: what is not there, or does not work now."""
    title = HTTPStatus(status).phrase
    return page("lost.html", status=status, headers=headers, csrf="", title=title, sentence=sentence)


def plain(status: int, sentence: str) -> WebAnswer:
    """A sentence without a page, for calls that no page made, or whose page is gone."""
    return WebAnswer(status=status, body=sentence.encode(), headers=TEXT)
