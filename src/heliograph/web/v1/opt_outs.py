"""/v1/opt-outs: who wants no messages. A key writes and reads its own site's."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from heliograph.core.optout import Book, OptOut, RowFault, read, read_scope
from heliograph.core.ports import Written
from heliograph.core.site import Scope
from heliograph.web import json_type
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect.answers import rfc3339
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said, shapes
from heliograph.web.v1.caller import Caller, caller, done, first
from heliograph.web.v1.query import filters, page_of
from heliograph.web.v1.request import field_problem

SCOPE = Scope.OPT_OUTS_WRITE
MOST, USUAL = 1000, 100  # on a page
_body = msgspec.json.Decoder(shapes.NewOptOut).decode
_place = msgspec.json.Decoder(tuple[str, str]).decode


async def add(call: WebCall, doors: Doors) -> WebAnswer:
    if wrong := json_type.wrong(call):
        return problem(415, wrong)
    found = await caller(call, doors, doors.means.clock.new_id(), SCOPE)
    if isinstance(found, WebAnswer):
        return found
    try:
        asked = _body(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Its words name types and places, never what was sent.
        sentence = f"The body cannot be taken: {error}." if isinstance(error, msgspec.ValidationError) else _NO_JSON
        return await done(problem(400, sentence, code="invalid_fields"), found, call, doors)
    fields = {"recipient": asked.recipient, "scope": asked.scope, "at": asked.at or ""}
    return await _write(fields, found, call, doors, wanted=False)


_NO_JSON = "The body is not JSON in UTF-8. Send an object with recipient and, where it is not everything, scope."


async def remove(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), SCOPE)
    if isinstance(found, WebAnswer):
        return found
    query, faults = filters(call.query, ("recipient", "scope"))
    if not query.get("recipient") and "recipient" not in faults:
        faults["recipient"] = "recipient is missing. Send it in the query."
    if faults:
        return await done(field_problem(faults, code="invalid_query"), found, call, doors)
    return await _write(query, found, call, doors, wanted=True)


async def _write(fields: dict[str, str], found: Caller, call: WebCall, doors: Doors, *, wanted: bool) -> WebAnswer:
    try:
        row = read(fields, _book(found, doors))
    except RowFault as fault:
        return await done(field_problem({fault.field: str(fault)}), found, call, doors)
    once = await first(found, call, doors)
    if isinstance(once, WebAnswer):
        return once
    what = (await doors.means.store.put_opt_outs((msgspec.structs.replace(row, wanted=wanted),)))[0]
    doors.log("info", "An opt-out was written.", action="opt_out", scope=row.scope, wanted=wanted, what=what.value)
    body = shapes.OptOutChange(
        recipient=row.recipient,
        scope=row.scope,
        in_force=wanted if what is Written.NEWER else not wanted,
        changed=what is Written.CHANGED,
    )
    return WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON)


def _book(found: Caller, doors: Doors) -> Book:
    now = doors.means.clock.now()
    return Book(
        sites={found.site.id: found.site},
        channels=doors.means.channels,
        site=found.site.id,
        at=now,
        now=now,
        how="api",
        by=found.key.consumer_key,
    )


async def list_(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), SCOPE)
    if isinstance(found, WebAnswer):
        return found
    query, faults = filters(call.query, ("recipient", "scope", "cursor", "limit"))
    recipient, scope, after = "", "", ("", "")
    try:
        if query.get("recipient"):
            recipient = read({"recipient": query["recipient"]}, _book(found, doors)).recipient
        if query.get("scope"):
            scope = read_scope(query["scope"], doors.means.channels)
    except RowFault as fault:
        faults[fault.field] = str(fault)
    if query.get("cursor"):
        try:
            after = _place(urlsafe_b64decode(query["cursor"]))
        except (ValueError, msgspec.DecodeError):
            after = ("\0", "")
        if not all(part.isprintable() for part in after):
            faults["cursor"] = "cursor is not one of ours. Send `next` of the page before as it came."
    limit = page_of(query, USUAL, MOST, faults)
    if faults:
        return await done(field_problem(faults, code="invalid_query"), found, call, doors)
    rows = await doors.means.store.opt_outs(
        site=found.site.id, recipient=recipient, scope=scope, after=(found.site.id, *after), limit=limit + 1
    )
    page = rows[:limit]
    body = shapes.OptOutList(
        opt_outs=[_shape(row) for row in page], next=_cursor(page[-1]) if len(rows) > len(page) else None
    )
    return await done(WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON), found, call, doors)


def _shape(row: OptOut) -> shapes.OptOutShape:
    return shapes.OptOutShape(recipient=row.recipient, scope=row.scope, at=rfc3339(row.at), how=row.how, by=row.by)


def _cursor(row: OptOut) -> str:
    return urlsafe_b64encode(msgspec.json.encode((row.recipient, row.scope))).decode()


_CHANGED = Said(200, "How it stands now", shapes.OptOutChange)
ADD_DOCS = Docs(
    about=(
        "From this moment on the recipient is sent nothing of this scope; alerts that are held are stopped too. The "
        "same call again changes nothing: the first one's time and key are kept as the proof. Needs opt-outs:write."
    ),
    takes=shapes.NewOptOut,
    says=(_CHANGED, *said.WITH_BODY, *said.ALL),
)
REMOVE_DOCS = Docs(
    about="The recipient asked for messages again: withdraws one scope. Needs opt-outs:write.",
    says=(_CHANGED, said.refused(400, "A part of the query is wrong"), *said.ALL),
    query={"recipient": "The number with its country code.", "scope": "all (without), a channel, or skill:NAME."},
)
LIST_DOCS = Docs(
    about="Opt-outs in force, in the order of the numbers. Follow `next` for the rest. Needs opt-outs:write.",
    says=(Said(200, "A page of opt-outs", shapes.OptOutList), said.refused(400, "A filter is wrong"), *said.ALL),
    query={
        "recipient": "Of this number, with its country code.",
        "scope": "Of this scope: all, a channel, or skill:NAME.",
        "cursor": "`next` of the page before.",
        "limit": f"Opt-outs on a page, 1 to {MOST}; {USUAL} without.",
    },
)
