"""The console's scripts, styles and pictures. Their address holds a digest of all of them, so that a browser keeps them
for ever and a new version has other addresses; scripts name each other without it (`./dom.js`)."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from heliograph.web.call import Doors, Headers, WebAnswer, WebCall

PLACE = Path(__file__).parent / "static"
TYPES = {
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml; charset=utf-8",
}
GUARDS: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


@cache
def _files() -> dict[str, tuple[bytes, bytes, bytes]]:
    """Name → type, bytes, ETag."""
    found = {}
    for file in sorted(PLACE.iterdir()):
        if file.suffix in TYPES:
            data = file.read_bytes()
            found[file.name] = (TYPES[file.suffix], data, f'"{hashlib.sha256(data).hexdigest()[:16]}"'.encode())
    return found


@cache
def digest() -> str:
    whole = hashlib.sha256()
    for name, (_, data, _) in _files().items():
        whole.update(f"{name}\0{len(data)}\0".encode() + data)
    return whole.hexdigest()[:16]


def address(name: str) -> str:
    """Where a file of static/ stands. Raises KeyError for one that is not there."""
    _files()[name]
    return f"/console/static/{digest()}/{name}"


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    """The file. Under the digest of another version it is served too (nodes are upgraded one after the other), and
    asked for again the next time."""
    found = _files().get(call.params["name"])
    if found is None:
        return WebAnswer(status=404, headers=GUARDS)
    kind, data, etag = found
    current = call.params["digest"] == digest()
    cache = b"public, max-age=31536000, immutable" if current else b"no-cache"
    headers: Headers = ((b"content-type", kind), (b"etag", etag), (b"cache-control", cache), *GUARDS)
    if etag.decode() in (one.strip() for one in call.header(b"if-none-match").split(",")):
        return WebAnswer(status=304, headers=headers)
    return WebAnswer(status=200, body=data, headers=headers)
