"""GET /v1/conversations/{id}/turns/{number}/files/{place}: a file that a recipient sent, as its provider gives it.

Whoever shows it must take it for what it is: a stranger's. It is only ever offered to be saved, and runs nothing.
"""

from __future__ import annotations

import re

from heliograph.core.site import Scope
from heliograph.flow.files import NoFile, file_of
from heliograph.web.call import Doors, Headers, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said
from heliograph.web.v1.caller import caller, done
from heliograph.web.v1.conversations import GONE, there_of, unknown

READS = Scope.CONVERSATIONS_READ
HARMLESS: Headers = (
    (b"content-disposition", b"attachment"),
    (b"content-security-policy", b"default-src 'none'; sandbox"),
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"private, no-store"),
)
_number = re.compile(r"[0-9]{1,4}").fullmatch
_type = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}").fullmatch


async def one(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), READS)
    if isinstance(found, WebAnswer):
        return found
    there = await there_of(call, found, doors)
    number, place = call.params["number"], call.params["place"]
    if there is None:
        return await done(unknown(), found, call, doors)
    if not _number(number) or not _number(place):
        none = "A file is named by the number of its turn and its place in it, from 0."
        return await done(problem(404, none, code="no_file"), found, call, doors)
    got = await file_of(there, int(number), int(place), doors.means)
    if isinstance(got, NoFile):
        return await done(problem(502 if got.later else 404, got.sentence, code=got.code), found, call, doors)
    kind = got.content_type if _type(got.content_type) else "application/octet-stream"
    answer = WebAnswer(status=200, body=got.data, headers=((b"content-type", kind.encode()), *HARMLESS))
    return await done(answer, found, call, doors)


DOCS = Docs(
    about=(
        "A file of a recipient's turn, fetched from its provider now: providers delete files, Meta within days, and "
        "nothing of them is kept here. 16 MiB at most. Needs conversations:read."
    ),
    says=(
        Said(200, "The file, of the type that its provider says", media="*/*"),
        GONE,
        said.refused(502, "Its provider did not give it now; another try may bring it"),
        *said.ALL,
    ),
    params={
        "id": "The conversation's id.",
        "number": "The turn's number.",
        "place": "Which of the turn's files, from 0.",
    },
)
