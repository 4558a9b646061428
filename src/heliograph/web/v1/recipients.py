"""DELETE /v1/recipients: a person is erased from a site. What stays is the no, as a keyed hash of the number."""

from __future__ import annotations

import msgspec

from heliograph.core import phone
from heliograph.core.site import Kind, Scope
from heliograph.flow import erase
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said, shapes
from heliograph.web.v1.caller import caller, done, first
from heliograph.web.v1.query import filters
from heliograph.web.v1.request import field_problem

SCOPE = Scope.ADMIN


async def remove(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), SCOPE)
    if isinstance(found, WebAnswer):
        return found
    if found.key.kind is not Kind.LIVE:
        sentence = f"A {found.key.kind.value} key erases nobody. Use a live key that has the scope admin."
        return await done(problem(403, sentence, code="not_live"), found, call, doors)
    query, faults = filters(call.query, ("recipient",))
    recipient = phone.international(query.get("recipient", ""))
    if isinstance(recipient, phone.PhoneFault):
        faults.setdefault("recipient", recipient.sentence)
    if faults or isinstance(recipient, phone.PhoneFault):
        return await done(field_problem(faults, code="invalid_query"), found, call, doors)
    once = await first(found, call, doors)
    if isinstance(once, WebAnswer):
        return once
    gone = await erase.erase(doors.means.store, found.site.id, recipient)
    body = shapes.Erased(**{name: getattr(gone, name) for name in gone.__struct_fields__})
    doors.log("info", "A recipient was erased.", action="erased", site=found.site.id, key=found.key.consumer_key)
    return WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON)


DOCS = Docs(
    about=(
        "Removes all that is known of a recipient at the key's site: alerts with their records, replies, "
        "conversations, capabilities, receipts, what waits for webhooks. It cannot be undone; the same call again "
        "finds nothing. Opt-outs stay as a keyed hash of the number, so that whoever was erased is sent nothing. "
        "Needs a live key with admin."
    ),
    says=(Said(200, "What was removed", shapes.Erased), said.refused(400, "The number is wrong"), *said.ALL),
    query={"recipient": "The number with its country code."},
)
