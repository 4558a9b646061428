"""A call that brings a new alert (sent or only explained): who calls, what is asked, and how a refusal is told."""

from __future__ import annotations

import re

import msgspec

from heliograph.core.alert import AlertRequest
from heliograph.core.site import Scope
from heliograph.errors import AlertRefused, CallRefused, FieldFaults
from heliograph.flow.once import KeyReused, NonceUsed
from heliograph.flow.send import held_against_its_site
from heliograph.web import json_type
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.signed import unauthorized
from heliograph.web.v1 import wire
from heliograph.web.v1.caller import Caller, caller, done

_idempotency_key = re.compile(r"[\x21-\x7E]{1,255}").fullmatch


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A caller and the alert that it asks for; nothing is wrong with its form."""

    caller: Caller
    request: AlertRequest


async def asked(call: WebCall, doors: Doors, request_id: str, scope: Scope, *, sends: bool) -> Asked | WebAnswer:
    """The request, or the answer that refuses the call: 415, 401, 403, 429, 400 with every fault at once."""
    if wrong := json_type.wrong(call):
        return problem(415, wrong)
    found = await caller(call, doors, request_id, scope, sends=sends)
    if isinstance(found, WebAnswer):
        return found
    once = call.header(b"idempotency-key")
    try:
        request, faults = wire.read(call.body, found.key, once)
    except CallRefused as error:
        return await done(refusal(error, call), found, call, doors)
    if once and not _idempotency_key(once):
        faults["Idempotency-Key"] = (
            f"Idempotency-Key is {len(once)} characters; 1 to 255 printable ASCII ones without spaces are taken."
        )
    if faults:
        try:
            held_against_its_site(request, doors.means, id=request_id, now=doors.means.clock.now())
        except FieldFaults as error:
            others = _named(error.fields, request)
            skip = {*faults, *(other for field in faults for other in _JUDGED_TOGETHER.get(field, ()))}
            faults |= {field: said for field, said in others.items() if field not in skip}
        return await done(field_problem(faults), found, call, doors)
    return Asked(found, request)


# A field whose form is wrong is judged once, and what can only be judged together with it not at all.
_JUDGED_TOGETHER = {
    "recipient": ("country_code",),
    "country_code": ("recipient",),
    "external_customer_id": ("external_customer_id_descriptor",),
    "external_customer_id_descriptor": ("external_customer_id",),
}


def refusal(error: CallRefused, call: WebCall, request: AlertRequest | None = None) -> WebAnswer:
    """A call that was understood and is not taken. 400: its form or its fields. 422: a rule forbids it."""
    match error:
        case FieldFaults(fields=fields):
            return field_problem(_named(fields, request), code=error.code)
        case AlertRefused(alert=alert):
            sentence = _SENTENCES.get(error.code, error.sentence)
            headers = ((b"heliograph-alert", alert.encode()),)
            return problem(422, sentence, code=error.code, alert=alert, headers=headers)
        case NonceUsed():
            return unauthorized(call, error.sentence, error.code)
        case KeyReused():
            return problem(422, error.sentence, code=error.code)
        case _:
            return problem(400, error.sentence, code=error.code)


_SENTENCES = {
    "cannot_reach": "No channel of the site reaches the recipient. Nothing was sent; the alert's record says why not.",
}


def field_problem(faults: dict[str, str], *, code: str = "invalid_fields") -> WebAnswer:
    return problem(400, " ".join(faults.values()), code=code, errors=faults)


def _named(fields: dict[str, str], request: AlertRequest | None) -> dict[str, str]:
    """Faults by the body's own names. A country code that came within `recipient` is that field's."""
    named = {wire.FIELD_OF.get(ours, ours): said for ours, said in fields.items()}
    if "country_code" in named and request is not None and request.phone.lstrip()[:1] in ("+", "0"):
        named.setdefault("recipient", named.pop("country_code"))
    return named
