"""POST /api/proactiveAlert: one signed call, one alert. The door only: what becomes of the alert is decided in flow/.

Order of the checks: (route and size in asgi.py) content type 415, credentials 401, call rate 429, JSON and fields 400,
site 403. Every refusal after the credentials spends the call's nonce before it leaves.
"""

from __future__ import annotations

import re
from functools import partial

import msgspec

from heliograph.core import intake
from heliograph.core.alert import AlertRequest
from heliograph.core.site import Kind, Scope, Site
from heliograph.errors import CallRefused, FieldFaults, HeliographError, StoreAway
from heliograph.flow import send
from heliograph.flow.means import Means
from heliograph.flow.result import Result
from heliograph.web import json_type
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.livedeflect import answers, shapes, wire
from heliograph.web.livedeflect.fields import DOCUMENTED
from heliograph.web.problem import refused, store_away
from heliograph.web.route import Docs, Said
from heliograph.web.signed import Signed, signed, spent, too_many

_idempotency_key = re.compile(r"[\x21-\x7E]{1,255}").fullmatch


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    if wrong := json_type.wrong(call):
        return refused(415, wrong)
    request_id = doors.means.clock.new_id()
    caller = await signed(call, doors, request_id)
    if isinstance(caller, WebAnswer):
        return caller
    if not caller.key.key.may(Scope.ALERTS_SEND):
        sentence = f"This key may not send alerts: it lacks the scope {Scope.ALERTS_SEND.value}. Use one that has it."
        return await spent(refused(403, sentence), caller.claim, call, doors)
    try:
        refusal = _over_rate(call, doors, caller) or await _alert(call, doors, caller, request_id)
    except StoreAway:
        return store_away(call.raw_path)
    except HeliographError:
        raise
    except Exception:
        # A bug of ours: the header must not serve for another body all the same. The nonce may be spent already, by us.
        await spent(refused(500, ""), caller.claim, call, doors)
        raise
    if refusal.spent:
        return refusal.answer
    return await spent(refusal.answer, caller.claim, call, doors)


class _Answered(msgspec.Struct, frozen=True, gc=False):
    """An answer, and whether the call's nonce is spent already."""

    answer: WebAnswer
    spent: bool = False


async def _alert(call: WebCall, doors: Doors, caller: Signed, request_id: str) -> _Answered:
    means, site = doors.means, caller.site
    once = call.header(b"idempotency-key")
    try:
        request, faults = wire.read(call.body, once, caller.key.key.consumer_key)
    except CallRefused as error:
        return _Answered(refused(400, error.sentence))
    if caller.key.key.kind is not Kind.LIVE:
        request = msgspec.structs.replace(request, kind=caller.key.key.kind)
    if once and not _idempotency_key(once):
        faults["Idempotency-Key"] = (
            f"Idempotency-Key is {len(once)} characters; 1 to 255 printable ASCII ones without spaces are taken."
        )
    if faults:
        if request.site in ("", site.id):
            faults = _with_those_of_the_site(request, faults, site, means, request_id)
        return _Answered(answers.faults(faults))
    if request.site != site.id:
        return _Answered(
            refused(
                403, f"The call names siteId {request.site}, the key belongs to site {site.id}. Sign with its own key."
            )
        )
    try:
        result = await send.send(request, (caller.claim,), means, request_id=request_id)
    except send.NonceUsed as error:
        return _Answered(answers.unauthorized(error.sentence), spent=True)
    except send.KeyReused as error:
        return _Answered(refused(422, error.sentence), spent=True)
    except CallRefused as error:
        return _Answered(answers.refusal(error), spent=True)
    if result.kind != "taken":  # what was taken stands in the record; a line each would cost 7 of its microseconds
        doors.log(
            "info",
            "The alert was answered.",
            action="alert.answered",
            alert=result.alert,
            outcome=result.kind,
            code=result.code,
            channel=result.channel,
        )
    outcome = answers.outcome(result, site.failures)
    return _Answered(msgspec.structs.replace(outcome, after=partial(_after, result, means)), spent=True)


async def _after(result: Result, means: Means, written: bool) -> None:
    await send.answered(result, written, means)


def _with_those_of_the_site(
    request: AlertRequest, faults: dict[str, str], site: Site, means: Means, request_id: str
) -> dict[str, str]:
    """All faults of a call at once: those of its form and, for what could be read, those that only the site can tell
    (no such template, a number that cannot exist). A field whose form is wrong is not judged a second time, nor one
    that can only be judged together with it."""
    try:
        intake.hold(
            msgspec.structs.replace(request, site=site.id),
            site,
            lambda name: means.registry.template(site.id, name),
            means.channels,
            id=request_id,
            now=means.clock.now(),
            names=lambda: means.registry.template_names(site.id),
        )
    except FieldFaults as error:
        derived = {name for wrong in faults for name in _JUDGED_TOGETHER.get(wrong, ())}
        others = {DOCUMENTED.get(name, name): sentence for name, sentence in error.fields.items()}
        return faults | {name: said for name, said in others.items() if name not in faults and name not in derived}
    return faults


_JUDGED_TOGETHER = {
    "customerCountryCode": ("customerPhoneNumber",),
    "customerPhoneNumber": ("customerCountryCode",),
    "proactiveTemplate": ("proactiveLanguage", "proactiveVariables", "proactiveChannel", "proactiveTemplateVersion"),
    "externalCustomerId": ("externalCustomerIdDescriptor",),
    "externalCustomerIdDescriptor": ("externalCustomerId",),
}


def _over_rate(call: WebCall, doors: Doors, caller: Signed) -> _Answered | None:
    site = caller.site
    if site.calls_per_second <= 0:
        return None
    key = f"{site.id}/{caller.key.key.consumer_key}"
    wait = doors.rates.take(key, site.calls_per_second, site.burst, doors.means.clock.loop_time())
    if wait <= 0:
        return None
    sentence = f"The key sends more than its {site.calls_per_second:g} calls a second. Call again in {wait:.1f} s."
    return _Answered(too_many(call, sentence, wait))


_HEADERS = {
    "Heliograph-Alert": "The alert's id in this server's record.",
    "Heliograph-Channel": "The channel that took it.",
    "Idempotent-Replayed": "true where the same call was answered before: nothing was sent for this one.",
}
_RETRY = {"Retry-After": "Seconds to wait."}
_RETRY_IF_USEFUL = {"Retry-After": "Seconds to wait, where a repeat may succeed."}
DOCS = Docs(
    about=(
        "Sends one alert to one recipient over the best channel that reaches them, and answers when a provider took it "
        "or none did. Signed with OAuth 1.0a in the Authorization header (HMAC-SHA1, HMAC-SHA256 or HMAC-SHA512); the "
        "same call with the same externalAlertId, or the same Idempotency-Key and body, is one alert."
    ),
    takes=shapes.ProactiveAlert,
    says=(
        Said(
            200,
            'Taken, scheduled, or not taken (success is then the string "false")',
            shapes.Success | shapes.Failure,
            _HEADERS,
        ),
        Said(
            400,
            "Fields are wrong, a rule forbids it, or no channel reaches the recipient (Failed Compatibility Check)",
            shapes.Refused,
        ),
        Said(
            401,
            "No credentials, a nonce used again, or credentials that are not right",
            shapes.NoCredentials,
            {"WWW-Authenticate": "OAuth"},
        ),
        Said(403, "The key belongs to another site", shapes.Refused),
        Said(405, "Another method", shapes.Refused, {"Allow": "The methods that the address takes."}),
        Said(413, "The body is too large", shapes.Refused),
        Said(415, "The body is not JSON in UTF-8", shapes.Refused),
        Said(422, "The Idempotency-Key was used with another body", shapes.Refused),
        Said(429, "Too many calls, or too many with wrong credentials", shapes.Refused, _RETRY),
        Said(502, "A provider refused it, where the site asks for status codes", shapes.Refused, _RETRY_IF_USEFUL),
        Said(503, "The database is away: nothing was stored or sent, call again", shapes.Refused, _RETRY),
    ),
    params={"Idempotency-Key": "Names the call: with the same body it is the same alert, with another it is refused."},
)
