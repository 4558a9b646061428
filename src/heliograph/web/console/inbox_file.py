"""A file that a recipient sent, through this server: the browser of an agent asks no provider and has no credentials.

It is whatever a stranger's phone sent. Pictures, sounds and films of types that run nothing are shown; all else is
only ever saved, and nothing of it may load or run anything.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from heliograph.flow.files import NoFile, file_of
from heliograph.web.call import Headers, WebAnswer
from heliograph.web.console import inbox
from heliograph.web.console.inbox_view import PICTURES, file_name
from heliograph.web.console.visit import Visit

SHOWN = PICTURES | {"audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg", "video/mp4", "video/3gpp"}
GUARDS: Headers = (
    (b"content-security-policy", b"default-src 'none'; img-src 'self'; media-src 'self'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"private, max-age=3600"),
)
_number = re.compile(r"[0-9]{1,4}").fullmatch


async def one(visit: Visit) -> WebAnswer:
    there = await inbox.found(visit)
    number, place = visit.params["number"], visit.params["place"]
    if there is None or not _number(number) or not _number(place):
        return visit.trouble(404, inbox.GONE)
    got = await file_of(there, int(number), int(place), visit.means)
    if isinstance(got, NoFile):
        return visit.trouble(502 if got.later else 404, got.sentence)
    turns = await visit.means.store.turns(there.site, there.id, after=int(number) - 1, limit=1)
    name = quote(file_name(turns[0].attached[int(place)].name) or "file", safe="")
    plain = got.content_type in SHOWN
    kind = got.content_type if plain else "application/octet-stream"
    how = f"{'inline' if plain else 'attachment'}; filename*=UTF-8''{name}"
    headers = ((b"content-type", kind.encode()), (b"content-disposition", how.encode()), *GUARDS)
    return WebAnswer(status=200, body=got.data, headers=headers)
