"""POST /v1/alerts/explain: what would become of an alert, without sending it."""

from __future__ import annotations

import msgspec

from heliograph.core.site import Scope
from heliograph.errors import CallRefused
from heliograph.flow.explain import explain
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said, shapes, told
from heliograph.web.v1.request import asked, refusal

SCOPE = Scope.EXPLAIN


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    request_id = doors.means.clock.new_id()
    found = await asked(call, doors, request_id, SCOPE, sends=False)
    if isinstance(found, WebAnswer):
        return found
    try:
        explanation = await explain(found.request, found.caller.claims, doors.means, request_id=request_id)
    except CallRefused as error:
        return refusal(error, call, found.request)
    return WebAnswer(status=200, body=msgspec.json.encode(told.explanation(explanation)), headers=JSON)


DOCS = Docs(
    about=(
        "Takes the body of POST /v1/alerts and tells what it would do now: the decision, the content of each channel "
        "as the recipient would see it, parts and cost, and all that would stop it. Nothing is sent, no provider is "
        "asked, no limit is used up. A capability that is not known yet is unknown here, where a send would ask."
    ),
    takes=shapes.NewAlert,
    says=(
        Said(200, "The explanation, also of an alert that would be refused", shapes.ExplanationShape),
        *said.WITH_BODY,
        *said.ALL,
    ),
)
