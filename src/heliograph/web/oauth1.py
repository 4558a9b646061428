"""OAuth 1.0a, the provider's side (RFC 5849): verifies the signature of a call, and names its nonce. Pure.

`read` (oauth1_header.py) → the door looks the key up → `verify` → `nonce_claim`, spent with the alert's commit.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from binascii import b2a_base64
from functools import lru_cache
from urllib.parse import quote

import msgspec

from heliograph.core.ports import Claim
from heliograph.web import oauth1_faults as faults
from heliograph.web.oauth1_faults import OAuthFault
from heliograph.web.oauth1_header import HASHES, PLAINTEXT, Credentials, pairs, read

__all__ = ["Credentials", "OAuthFault", "Policy", "nonce_claim", "read", "verify"]

_BODY_HASHES = {
    "HMAC-SHA1": hashlib.sha1,
    "HMAC-SHA256": hashlib.sha256,
    "HMAC-SHA512": hashlib.sha512,
    PLAINTEXT: hashlib.sha1,
}
UNDER_WAY = 61  # seconds: one to the end of the timestamp's last, and a minute for a replay on its way to the store
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*+").fullmatch


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What a site and the settings allow. `window`: seconds that a timestamp may be off, either way."""

    window: int = 300
    plaintext: bool = False
    require_body_hash: bool = False


def verify(
    credentials: Credentials,
    *,
    http_method: str,
    url: str,
    body: bytes,
    consumer_secret: str,
    token_secret: str,
    now_seconds: int,
    policy: Policy,
) -> None:
    """Whether the holder of the secrets signed this call just now; raises OAuthFault if not.

    `url` is the absolute one as the caller wrote it: raw path, query and all (bytes that are not UTF-8 as surrogates).
    The body is not covered but by `oauth_body_hash`. The nonce is not looked at: claim it afterwards (`nonce_claim`),
    also when the fault raised here is `signed`.
    """
    if credentials.method == PLAINTEXT and not (policy.plaintext and url.startswith("https://")):
        raise faults.plaintext_refused(over_tls=url.startswith("https://"))
    if not -policy.window <= now_seconds - credentials.timestamp <= policy.window:
        raise faults.timestamp_off(credentials.timestamp, now_seconds, policy.window)
    key = _key(consumer_secret, token_secret)
    before_query, _, query = url.partition("?")
    signed = credentials.signed
    if query:
        parameters = pairs(query)
        if any(name.startswith("oauth_") for name, _ in parameters):
            raise faults.in_query()
        signed = signed + parameters
    if credentials.method == PLAINTEXT:
        right = key
    else:
        text = "&".join([f"{name}={value}" for name, value in sorted(signed)])
        # Already percent-encoded once, so only these three are left to encode.
        text = text.replace("%", "%25").replace("&", "%26").replace("=", "%3D")
        base = f"{_base_start(http_method, before_query)}{text}"
        digest = hmac.digest(key, base.encode(), HASHES[credentials.method])
        right = b2a_base64(digest, newline=False)
    if not hmac.compare_digest(right, credentials.signature.encode()):
        raise faults.wrong_signature(http_method, url)
    if credentials.body_hash is not None:
        _verify_body(credentials.method, credentials.body_hash, body)
    elif policy.require_body_hash:
        raise faults.body_hash_missing()


def nonce_claim(credentials: Credentials, site: str, now_ms: int, window_s: int, owner: str) -> Claim:
    """The claim that makes a nonce good for one call: per consumer key, token and timestamp, held a minute longer than
    the timestamp would still be accepted (at least until `now_ms`): a replay whose timestamp was good a moment ago may
    still be on its way to the store. Two claims of one window stand in the order of their
    timestamps by `until`, which is what the store keeps as its floor: nothing at or before a purged one is granted.

    The key is a BLAKE2b of 20 bytes, so that nonces of any length and alphabet cost the index the same.
    """
    spelt = (
        f"{len(credentials.consumer_key)}:{credentials.consumer_key}{len(credentials.token)}:{credentials.token}"
        f"{credentials.timestamp}:{credentials.nonce}"
    )
    return Claim(
        site=site,
        scope="nonce",
        key=hashlib.blake2b(spelt.encode(), digest_size=20).hexdigest(),
        # Accepted while now // 1000 <= timestamp + window.
        until=max((credentials.timestamp + window_s + UNDER_WAY) * 1000, now_ms),
        owner=owner,
        value=str(credentials.timestamp),  # the store keeps the nonces of one second together
    )


@lru_cache(maxsize=1024)  # the registry holds the same secrets; a call costs 1 us less
def _key(consumer_secret: str, token_secret: str) -> bytes:
    return f"{_encoded(consumer_secret)}&{_encoded(token_secret)}".encode()


def _encoded(secret: str) -> str:
    return secret if _PLAIN(secret) else quote(secret, safe="")


@lru_cache(maxsize=128)  # callers use few addresses; holds method and address, nothing secret
def _base_start(http_method: str, address: str) -> str:
    """The base string up to the parameters: method and base string URI (RFC 5849 section 3.4.1.2), encoded."""
    scheme, _, rest = address.partition("://")
    authority, _, path = rest.partition("/")
    scheme, authority = scheme.lower(), authority.lower()
    authority = authority.removesuffix(":80" if scheme == "http" else ":443")
    uri = f"{scheme}://{authority}/{path}".encode("utf-8", "surrogateescape")
    return f"{quote(http_method.upper(), safe='')}&{quote(uri, safe='')}&"


def _verify_body(method: str, claimed: str, body: bytes) -> None:
    """Against the signature method's hash; against SHA-1 too, which the extension's draft names and which common
    libraries use with every method (oauthlib 4.0 does)."""
    for hashed in (_BODY_HASHES[method], hashlib.sha1):
        right = b2a_base64(hashed(body).digest(), newline=False)
        if hmac.compare_digest(right, claimed.encode()):
            return
    raise faults.body_hash_wrong(len(body))
