"""Who may call LivePerson: Sentinel's AppJWT, the IDP's ConsumerJWS, an agent's API key, the context service's login.

A JWT of the twin's own is signed with the app's secret (HS256; the real one with RS256): whoever calls does not look
into the signature, and the twin knows its own again. A ConsumerJWS has the claims account_id, ext_consumer_id and
lp_consumer_id, and no end.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.liveperson.twin_answers import Refused, asked, given, unauthorised

LIVES = 3600  # seconds of an AppJWT
SKEW = 300  # seconds that an OAuth timestamp may be off (chosen)
ISSUER = "Sentinel"


class Consumer(msgspec.Struct, frozen=True):
    """`name`: the caller's own id of it; `id`: LivePerson's."""

    name: str
    id: str


class _Order(msgspec.Struct):
    ext_consumer_id: str = ""


def app_token(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    rule = asked(world, "token", desk)
    form = dict(parse_qsl(call.body.decode("utf-8", "replace")))
    told = {**dict(parse_qsl(urlsplit(call.url).query)), **form}
    if told.get("grant_type") != "client_credentials":
        raise _oauth(400, "unsupported_grant_type", "grant_type must be client_credentials")
    secret = desk.credentials.get("client_secret", "")
    right = told.get("client_id") == desk.credentials.get("client_id") and bool(secret)
    if not right or not hmac.compare_digest(told.get("client_secret", "").encode(), secret.encode()):
        raise _oauth(401, "invalid_client", "Bad client credentials")
    now = world.now() // 1000
    claims = {"aud": desk.id, "azp": told["client_id"], "scope": "msg.consumer", "iss": ISSUER}
    token = _signed(desk, {**claims, "iat": now, "exp": now + LIVES, "jti": world.new_id()})
    return given({"access_token": token, "token_type": "Bearer"}, rule)


def consumer_token(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    check_app(call, desk, world)
    rule = asked(world, "token", desk)
    try:
        name = msgspec.json.decode(call.body, type=_Order).ext_consumer_id
    except (msgspec.DecodeError, UnicodeDecodeError):
        name = ""
    if not name:
        raise Refused(400, {"error": "ext_consumer_id is missing"}, "no ext_consumer_id")
    claims = {"account_id": desk.id, "ext_consumer_id": name, "lp_consumer_id": consumer_id(desk, name)}
    return given({"token": _signed(desk, claims)}, rule, 201)


def consumer_id(desk: KnownDesk, name: str) -> str:
    """64 hex digits, the same for the same consumer."""
    return hashlib.sha256(f"{desk.id}/{name}".encode()).hexdigest()


def check_app(call: Call, desk: KnownDesk, world: World) -> None:
    """The samples send the AppJWT bare; Bearer before it is taken too (chosen)."""
    token = call.headers.get("authorization", "").removeprefix("Bearer ").strip()
    if not token:
        raise unauthorised(40105)
    claims = _claims(token, desk)
    if claims is None or claims.get("iss") != ISSUER or claims.get("exp", 0) <= world.now() // 1000:
        raise unauthorised(40102)


def check_consumer(call: Call, desk: KnownDesk) -> Consumer:
    token = call.headers.get("x-lp-on-behalf", "").strip()
    if not token:
        raise unauthorised(40104)
    claims = _claims(token, desk)
    if claims is None or "ext_consumer_id" not in claims:
        raise unauthorised(40103)
    return Consumer(claims["ext_consumer_id"], claims["lp_consumer_id"])


def check_agent(call: Call, desk: KnownDesk, world: World) -> None:
    """An API key of four parts (OAuth 1.0a, HMAC-SHA1), or the bearer of a login."""
    header = call.headers.get("authorization", "")
    bearer = desk.credentials.get("bearer", "")
    if header.startswith("Bearer ") and bearer and hmac.compare_digest(header[7:].encode(), bearer.encode()):
        return
    if not header.startswith("OAuth ") or not _proves(header[6:], call, desk, world.now() // 1000):
        raise Refused(401, {"code": "0005", "message": "Authentication failed"}, "not signed")


def _proves(header: str, call: Call, desk: KnownDesk, now: int) -> bool:
    """RFC 5849 over the call as it came; a JSON body is not part of it."""
    given = {}
    for part in header.split(","):
        name, _, value = part.strip().partition("=")
        given[unquote(name)] = unquote(value.strip('"'))
    key = desk.credentials
    if given.get("oauth_consumer_key") != key.get("api_key") or given.get("oauth_token") != key.get("api_token"):
        return False
    stamp = given.get("oauth_timestamp", "")
    if given.get("oauth_signature_method") != "HMAC-SHA1" or not stamp.isdecimal() or abs(int(stamp) - now) > SKEW:
        return False
    signature = given.pop("oauth_signature", "")
    given.pop("realm", None)
    address = urlsplit(call.url)
    pairs = sorted((_escaped(n), _escaped(v)) for n, v in (*parse_qsl(address.query, True), *given.items()))
    parameters = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join(map(_escaped, (call.method, f"{address.scheme}://{address.netloc}{address.path}", parameters)))
    secret = "&".join(_escaped(key.get(part, "")) for part in ("api_secret", "api_token_secret"))
    right = b64encode(hmac.digest(secret.encode(), base.encode(), "sha1")).decode()
    return hmac.compare_digest(signature.encode(), right.encode())


def log_in(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    """The context service's. Chosen: the token as accessToken, since no page shows the answer."""
    rule = asked(world, "token", desk)
    now = world.now() // 1000
    return given({"accessToken": _signed(desk, {"sub": "context", "exp": now + LIVES, "jti": world.new_id()})}, rule)


def basic(call: Call) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (user, password) if scheme == "Basic" else ("", "")


def check_context(call: Call, desk: KnownDesk, world: World) -> None:
    token = dict(parse_qsl(urlsplit(call.url).query)).get("access_token", "")
    claims = _claims(token, desk)
    if claims is None or claims.get("sub") != "context" or claims["exp"] <= world.now() // 1000:
        raise Refused(401, {"message": "Unauthorized"}, "no token of the context service")


def _signed(desk: KnownDesk, claims: dict[str, Any]) -> str:
    head = _part(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))
    signed = f"{head}.{_part(msgspec.json.encode(claims))}"
    return f"{signed}.{_part(hmac.digest(_key(desk), signed.encode(), 'sha256'))}"


def _claims(token: str, desk: KnownDesk) -> dict[str, Any] | None:
    """None for a token that is not the twin's own for this account."""
    signed, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _part(hmac.digest(_key(desk), signed.encode(), "sha256")).encode()):
        return None
    part = signed.partition(".")[2]
    try:
        claims: dict[str, Any] = msgspec.json.decode(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (msgspec.DecodeError, binascii.Error):
        return None
    return claims


def _key(desk: KnownDesk) -> bytes:
    return desk.credentials.get("client_secret", "").encode()


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _escaped(text: str) -> str:
    return quote(text, safe="~")


def _oauth(status: int, error: str, words: str) -> Refused:
    return Refused(status, {"error": error, "error_description": words}, error)
