"""Whose call it is: OAuth 1.0a credentials against the registry's keys. The nonce becomes a claim, spent later.

The signature is checked before the nonce is spent, so that nobody can burn a caller's nonces; a call whose signature
is right spends its nonce whatever becomes of it.
"""

from __future__ import annotations

from math import ceil

import msgspec

from heliograph.core.ports import Claim
from heliograph.core.site import Site
from heliograph.errors import StoreAway
from heliograph.flow import send
from heliograph.flow.registry import OpenKey
from heliograph.web import address, oauth1, oauth1_faults
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.livedeflect.answers import REALM
from heliograph.web.livedeflect.answers import unauthorized as as_documented
from heliograph.web.oauth1 import Credentials, OAuthFault, Policy
from heliograph.web.problem import problem, say, store_away


class Signed(msgspec.Struct, frozen=True, gc=False):
    """A call whose signature is right: the key that signed it, the key's site, and the nonce to spend."""

    key: OpenKey
    site: Site
    claim: Claim


async def signed(call: WebCall, doors: Doors, request_id: str) -> Signed | WebAnswer:
    """Who signed the call, or the answer that says why nobody did (401, 429 for one address too often, 503).

    `request_id` owns the nonce: a repeat of the very same call has another and is refused.
    """
    now = doors.means.clock.now()
    try:
        credentials = oauth1.read(call.header(b"authorization"), call.query)
        opened = _key(credentials, doors, now)
    except OAuthFault as fault:
        return _refused(fault, call, doors)
    site = doors.means.registry.site(opened.key.site)
    rules = site or Site(id=opened.key.site)
    window = doors.settings.oauth_window
    claim = oauth1.nonce_claim(credentials, rules.id, now, window, request_id)
    try:
        oauth1.verify(
            credentials,
            http_method=call.method,
            url=address.url(doors.plate, call.scope),
            body=call.body,
            consumer_secret=opened.consumer_secret,
            token_secret=opened.token_secret,
            now_seconds=now // 1000,
            policy=Policy(window=window, plaintext=rules.plaintext, require_body_hash=rules.require_body_hash),
        )
    except OAuthFault as fault:
        if fault.signed:
            return await spent(unauthorized(call, fault.sentence, fault.code), claim, call, doors)
        return _refused(fault, call, doors)
    if site is None:  # told to those alone who hold the key
        gone = f"The key's site {rules.id} is no longer on this server. Apply it again."
        return await spent(say(call.raw_path, 403, gone), claim, call, doors)
    return Signed(opened, site, claim)


async def spent(answer: WebAnswer, claim: Claim, call: WebCall, doors: Doors) -> WebAnswer:
    """The answer, once the call's nonce is spent for good; another where it was used before, or the store is away."""
    try:
        await send.spend((claim,), doors.means)
    except send.NonceUsed as error:
        return unauthorized(call, error.sentence, error.code)
    except StoreAway:
        return store_away(call.raw_path)
    return answer


def _key(credentials: Credentials, doors: Doors, now: int) -> OpenKey:
    keys = doors.means.registry.key(credentials.consumer_key)
    if not keys:
        raise oauth1_faults.unknown_consumer_key(credentials.consumer_key)
    opened = next((opened for opened in keys if opened.key.token == credentials.token), None)
    if opened is None:
        raise oauth1_faults.unknown_token(credentials.token)
    if opened.key.disabled is not None and opened.key.disabled <= now:
        raise oauth1_faults.disabled_key()
    if opened.key.expires is not None and opened.key.expires <= now:
        raise oauth1_faults.expired_key(opened.key.expires)
    return opened


def _refused(fault: OAuthFault, call: WebCall, doors: Doors) -> WebAnswer:
    return refused_credentials(fault.code, fault.sentence, call, doors, guess=fault.code != "no_authorization")


def refused_credentials(code: str, sentence: str, call: WebCall, doors: Doors, *, guess: bool = True) -> WebAnswer:
    """401, or 429 where this address failed too often. A call with right credentials is never held back by it: else
    one caller behind a proxy could lock out all others. A call without any credentials is no `guess` and does not
    count."""
    doors.meters.credentials(code)
    if not guess:
        return unauthorized(call, sentence, code)
    place = address.caller(doors.plate, call.scope)
    moment = doors.means.clock.loop_time()
    if (wait := doors.failed.wait(place, moment)) > 0:
        return too_many(
            call,
            f"More than {doors.settings.failed_credentials} calls with wrong credentials came from this address within "
            f"a minute. The last one: {sentence}",
            wait,
        )
    doors.failed.failed(place, moment)
    return unauthorized(call, sentence, code)


def unauthorized(call: WebCall, sentence: str, code: str) -> WebAnswer:
    """401 in the form of this path, with the ways to sign that it takes (RFC 9110 section 11.6.1)."""
    if call.raw_path[:4] != b"/v1/":
        return as_documented(sentence)
    bearer = f'Bearer realm="{REALM}"' + ("" if code == "no_authorization" else ', error="invalid_token"')
    return problem(
        401,
        sentence,
        code=code,
        headers=((b"www-authenticate", bearer.encode()), (b"www-authenticate", b'OAuth realm="%b"' % REALM.encode())),
    )


def too_many(call: WebCall, sentence: str, wait: float) -> WebAnswer:
    """429; `wait` in seconds."""
    return say(call.raw_path, 429, sentence, headers=((b"retry-after", str(max(1, ceil(wait))).encode()),))
