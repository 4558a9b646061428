"""Google's token endpoint: a service account's signed assertion (RFC 7523) for a bearer of one hour, and its check."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from urllib.parse import parse_qs

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from heliograph.core.ports import Call
from heliograph.core.twin import TwinAnswer, World

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
SCOPE = "https://www.googleapis.com/auth/rcsbusinessmessaging"
SCOPES = frozenset({SCOPE, "https://www.googleapis.com/auth/businesscommunications"})
GOOGLE = "https://oauth2.googleapis.com/token"
LIFETIME = 3_600  # seconds, of the bearer and at most of the assertion
SKEW = 300  # seconds that the caller's clock may be off


class _Head(msgspec.Struct):
    alg: str = ""
    typ: str = ""


class _Claims(msgspec.Struct):
    iss: str = ""
    aud: str = ""
    scope: str = ""
    iat: float = 0
    exp: float = 0


class _Refused(Exception):
    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


def token(call: Call, world: World) -> TwinAnswer:
    """`POST /token`. Every refusal is a 400 in the form of RFC 6749 section 5.2, as Google gives it."""
    try:
        claims = _claims(_assertion(call), world)
        _check(claims, call, world.now() / 1_000)
    except _Refused as refused:
        world.note("token_refused", detail=refused.description)
        body = {"error": refused.error, "error_description": refused.description}
        return TwinAnswer(status=refused.status, body=msgspec.json.encode(body), headers=_JSON)
    bearer = "ya29.sandbox-" + world.new_id()
    world.grant(bearer, claims.scope, world.now() + LIFETIME * 1_000)
    world.note("token", detail=claims.iss)
    answer = {"access_token": bearer, "expires_in": LIFETIME, "token_type": "Bearer"}
    return TwinAnswer(body=msgspec.json.encode(answer), headers=_JSON)


_JSON = {"content-type": "application/json; charset=utf-8", "cache-control": "no-store"}


def _assertion(call: Call) -> str:
    if call.headers.get("content-type", "").partition(";")[0].strip() == "application/json":
        try:
            form = msgspec.json.decode(call.body, type=dict[str, str])
        except msgspec.DecodeError as fault:
            raise _Refused("invalid_request", "The body is not a JSON object of strings.") from fault
    else:
        form = {name: values[-1] for name, values in parse_qs(call.body.decode("utf-8", "replace")).items()}
    if "grant_type" not in form:
        raise _Refused("invalid_request", "Required parameter is missing: grant_type")
    if form["grant_type"] != GRANT:
        raise _Refused("unsupported_grant_type", f"Invalid grant_type: {form['grant_type'][:100]}")
    if "assertion" not in form:
        raise _Refused("invalid_request", "Required parameter is missing: assertion")
    return form["assertion"]


def _claims(assertion: str, world: World) -> _Claims:
    """The claims of an assertion whose signature is right."""
    signed, _, signature = assertion.rpartition(".")
    head_part, _, claims_part = signed.partition(".")
    try:
        head = msgspec.json.decode(_decoded(head_part), type=_Head)
        claims = msgspec.json.decode(_decoded(claims_part), type=_Claims)
        given = _decoded(signature)
    except (ValueError, msgspec.DecodeError) as fault:
        raise _Refused(
            "invalid_grant", "Invalid JWT: it must be three parts in base64url, the first two JSON."
        ) from fault
    if head.alg != "RS256":
        raise _Refused("invalid_grant", f"Invalid JWT: alg is {head.alg[:20]!r}; service accounts sign RS256.")
    keys = world.account_keys(claims.iss)
    if not keys:
        raise _Refused("invalid_grant", "Invalid grant: account not found")
    if not any(_signed(key, given, signed.encode()) for key in keys):
        raise _Refused("invalid_grant", "Invalid JWT Signature.")
    return claims


def _check(claims: _Claims, call: Call, now: float) -> None:
    right = call.url.partition("?")[0]
    # The scheme is left out: before a proxy that ends TLS it is not the one that the caller wrote.
    if claims.aud != GOOGLE and claims.aud.partition("://")[2] != right.partition("://")[2]:
        raise _Refused("invalid_grant", f"Invalid JWT: Failed audience check. The right audience is {right}")
    if not (claims.iat - SKEW <= now < claims.exp + SKEW and 0 < claims.exp - claims.iat <= LIFETIME):
        raise _Refused(
            "invalid_grant",
            "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
            "Check your iat and exp values in the JWT claim.",
        )
    scopes = claims.scope.split()
    if not scopes or not SCOPES.issuperset(scopes):
        raise _Refused("invalid_scope", "Invalid OAuth scope or ID token audience provided.")


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as fault:
        raise ValueError(str(fault)) from fault


@lru_cache(maxsize=64)
def _key(pem: str) -> rsa.RSAPublicKey:
    key = serialization.load_pem_public_key(pem.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a service account's key is RSA")
    return key


def _signed(pem: str, signature: bytes, message: bytes) -> bool:
    try:
        _key(pem).verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True
