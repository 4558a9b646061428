"""Who calls the native API: a bearer key, or a key that signed by OAuth 1.0a; and whether it may do what it asks."""

from __future__ import annotations

import msgspec

from heliograph.core.ports import Claim
from heliograph.core.site import Key, Scope, Site
from heliograph.flow import keys
from heliograph.web.call import Doors, Headers, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.signed import refused_credentials, signed, spent, too_many, unauthorized

NO_CREDENTIALS = (
    "The call has no Authorization header. Send Authorization: Bearer with a key (`heliograph keys create SITE "
    "--bearer`), or sign it with OAuth 1.0a."
)


class Caller(msgspec.Struct, frozen=True, gc=False):
    """A key that may do what it asks, its site, and the claims (a signed call's nonce) that are still to be spent."""

    key: Key
    site: Site
    claims: tuple[Claim, ...] = ()


async def caller(
    call: WebCall, doors: Doors, request_id: str, scope: Scope, *, sends: bool = False
) -> Caller | WebAnswer:
    """Who calls, or the answer that says why it may not: 401, 403, 429. `sends`: it counts against the key's rate of
    alerts; what only looks has a count of its own, so that looking uses up no limit of sending."""
    found = await _who(call, doors, request_id)
    if isinstance(found, WebAnswer):
        return found
    if not found.key.may(scope):
        sentence = f"This key may not do that: it lacks the scope {scope.value}. Use one that has it."
        return await done(problem(403, sentence, code="scope_missing", headers=_wanted(scope)), found, call, doors)
    site = found.site
    place = f"{site.id}/{found.key.consumer_key}" + ("" if sends else "/looks")
    wait = doors.rates.take(place, site.calls_per_second, site.burst, doors.means.clock.loop_time())
    if wait > 0:
        sentence = f"The key calls more than its {site.calls_per_second:g} times a second. Call again in {wait:.1f} s."
        return await done(too_many(call, sentence, wait), found, call, doors)
    return found


async def first(found: Caller, call: WebCall, doors: Doors) -> Caller | WebAnswer:
    """The caller with its nonce spent, before anything is written for it; or the answer, where the call is a replay."""
    spent_now = await done(_NOTHING, found, call, doors)
    return Caller(found.key, found.site) if spent_now is _NOTHING else spent_now


_NOTHING = WebAnswer(status=204)


async def done(answer: WebAnswer, found: Caller, call: WebCall, doors: Doors) -> WebAnswer:
    """The answer, once a signed call's nonce is spent for good. For calls that only look: see `first`."""
    return await spent(answer, found.claims[0], call, doors) if found.claims else answer


async def _who(call: WebCall, doors: Doors, request_id: str) -> Caller | WebAnswer:
    header = call.header(b"authorization")
    scheme, _, rest = header.partition(" ")
    if not header.strip():
        return refused_credentials("no_authorization", NO_CREDENTIALS, call, doors, guess=False)
    if scheme.lower() == "bearer":
        return _bearer(rest.strip(), call, doors)
    by_signature = await signed(call, doors, request_id)
    if isinstance(by_signature, WebAnswer):
        return by_signature
    return Caller(by_signature.key.key, by_signature.site, (by_signature.claim,))


def _bearer(bearer: str, call: WebCall, doors: Doors) -> Caller | WebAnswer:
    now = doors.means.clock.now()
    key = doors.means.registry.bearer(keys.name_of(bearer))
    if key is None or not keys.is_bearer(key, bearer):
        # Whether the name is known is told to nobody who does not hold the key.
        sentence = "The bearer key is not known. Check that it was copied whole; `heliograph keys list` shows all keys."
        return refused_credentials("unknown_bearer_key", sentence, call, doors)
    if key.disabled is not None and key.disabled <= now:
        return unauthorized(call, "The bearer key is disabled. Use another.", "disabled_key")
    if key.expires is not None and key.expires <= now:
        return unauthorized(call, "The bearer key has ended. Use the one that replaced it.", "expired_key")
    site = doors.means.registry.site(key.site)
    if site is None:
        sentence = f"The key's site {key.site} is no longer on this server. Apply it again."
        return problem(403, sentence, code="unknown_site")
    return Caller(key, site)


def _wanted(scope: Scope) -> Headers:
    """RFC 6750 section 3.1."""
    return ((b"www-authenticate", b'Bearer error="insufficient_scope", scope="%b"' % scope.value.encode()),)
