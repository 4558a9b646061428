"""The pages of the sandbox: all phones, one page per phone, one per account at a desk, and what they are made of."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

__all__ = ["page"]

_HERE = Path(__file__).parent
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}
# E.164 allows 15 digits; seven is the shortest subscriber number with its country's code.
_HANDSET = re.compile(r"/handsets/\+?[1-9][0-9]{6,14}")
_DESK = re.compile(r"/desks/[a-z][a-z0-9-]*/[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_STATIC = "/pages/static/"


def page(path: str) -> tuple[str, bytes] | None:
    """The page that stands at an address: its content type and its bytes, or None where no page stands.

    `path` is the path of the request, percent-encoded or not, without the query. Pages hold no data: what a phone
    shows comes from `/sandbox/handsets`, so that any number has a page, also one that nobody used yet; so do desks.
    """
    path = unquote(path)
    if path == "/":
        return _file("overview.html")
    if _HANDSET.fullmatch(path):
        return _file("handset.html")
    if _DESK.fullmatch(path):
        return _file("desk.html")
    if path.startswith(_STATIC) and (name := path.removeprefix(_STATIC)) in _static_names():
        return _file(f"static/{name}")
    return None


@cache
def _static_names() -> frozenset[str]:
    # Names are compared, never joined unseen: `..` cannot leave the folder.
    return frozenset(file.name for file in (_HERE / "static").iterdir() if file.suffix in _TYPES)


@cache
def _file(name: str) -> tuple[str, bytes]:
    file = _HERE / name
    return _TYPES[file.suffix], file.read_bytes()
