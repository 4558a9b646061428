"""Reads OAuth 1.0a credentials out of an Authorization header (RFC 5849 section 3.5.1). Pure.

Percent-encoded values that are already in the one canonical form go into the base string as they came (the fast path:
nearly every caller); all others are decoded and encoded again.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, unquote_to_bytes

import msgspec

from heliograph.web import oauth1_faults as faults

HASHES = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256", "HMAC-SHA512": "sha512"}
PLAINTEXT = "PLAINTEXT"
VERSIONS = ("1.0", "1.0A", "1.0a")  # 1.0A stands in a widely copied example

_REQUIRED = ("oauth_consumer_key", "oauth_signature_method", "oauth_signature", "oauth_timestamp", "oauth_nonce")
_KNOWN = (*_REQUIRED, "oauth_token", "oauth_version", "oauth_body_hash", "realm")
_KNOWN_SET = frozenset(_KNOWN)
# What stands between two values when a header is split at its quotes → the name, for the ways that callers write it.
_BETWEEN = {f"{comma}{name}=": name for name in _KNOWN for comma in (",", ", ")}

# Possessive, so that a hostile header of 32 KiB costs one pass.
_PARAMETER = re.compile(r'[\s,]*+([^\s=",]++)\s*+=\s*+"((?:[^"\\]++|\\.)*+)"\s*+(?=,|$)')
# Canonical: unreserved characters as they are, all others as %XX in upper case (RFC 5849 section 3.6). A %XX of an
# unreserved character is not canonical.
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]*+").fullmatch
_CANONICAL = re.compile(
    r"(?:[A-Za-z0-9._~-]++|%(?!2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])[0-9A-F]{2})*+"
).fullmatch


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What an Authorization header says. Values are decoded; `timestamp` is in seconds since the epoch.

    `signed`: the parameters that the signature covers, names and values in canonical percent-encoding, unsorted.
    `body_hash` is None where the header has none. `token` is empty where it is absent or empty.
    """

    consumer_key: str
    token: str
    method: str
    signature: str
    timestamp: int
    nonce: str
    body_hash: str | None
    signed: list[tuple[str, str]]


def read(header: str | None, query: str | bytes = "") -> Credentials:
    """The credentials in an Authorization header (decoded as latin-1, as HTTP headers are).

    `query` is the URL's query as it came; credentials in it are refused with a sentence of their own. Raises
    OAuthFault, one sentence per mistake.
    """
    if query and _credentials_in(query):
        raise faults.in_query()
    header = header.strip() if header else ""
    if not header:
        raise faults.no_header()
    scheme, *after = header.split(None, 1)
    if scheme.lower() != "oauth":
        raise faults.other_scheme(scheme if after else "")
    rest = after[0] if after else ""
    # Fast: `name="value", name="value"` with known names splits at its quotes into separators and values.
    parts = f", {rest}".split('"')
    values = parts[1::2]
    try:
        names = [_BETWEEN[between] for between in parts[:-1:2]]
    except KeyError:
        names, values = _read_parameters(rest)
    else:
        if parts[-1] or len(names) != len(values):
            names, values = _read_parameters(rest)
    given = dict(zip(names, values, strict=True))
    if len(given) != len(names):
        raise faults.repeated(next(name for name in names if names.count(name) > 1))
    given.pop("realm", None)  # a hint for people; never signed (RFC 5849 section 3.4.1.3.1)
    return _credentials(given)


def pairs(query: str | bytes) -> list[tuple[str, str]]:
    """A query's parameters in canonical encoding (RFC 5849 section 3.4.1.3): repeated names stay, `+` is a space."""
    raw = query.encode("utf-8", "surrogateescape") if isinstance(query, str) else query
    found = []
    for piece in raw.replace(b"+", b"%20").split(b"&"):
        if piece:
            name, _, value = piece.partition(b"=")
            found.append((quote(unquote_to_bytes(name), safe=""), quote(unquote_to_bytes(value), safe="")))
    return found


def _read_parameters(rest: str) -> tuple[list[str], list[str]]:
    """The general way: spaces, empty list elements, unknown parameters, a realm with escaped quotes."""
    names: list[str] = []
    values: list[str] = []
    position = 0
    rest = rest.rstrip(" \t,")
    while position < len(rest):
        found = _PARAMETER.match(rest, position)
        if found is None:
            after = f" after {faults.shown(names[-1], 60)}" if names else ""
            raise faults.malformed(f'no name="value" stands at character {position + 1}{after}')
        names.append(found[1])
        values.append(found[2])
        position = found.end()
    return names, values


def _credentials(given: dict[str, str]) -> Credentials:
    lacking = [name for name in _REQUIRED if not given.get(name)]
    if lacking:
        raise faults.missing(lacking)
    signature = _decoded("oauth_signature", given.pop("oauth_signature"))
    signed = list(given.items())
    written = "~".join(given.values())
    if _UNRESERVED(written) and given.keys() <= _KNOWN_SET and given["oauth_signature_method"] in HASHES:
        quick = _quick(given, signature, signed)  # what nearly all libraries send: nothing in it is encoded
        if quick is not None:
            return quick
    if _CANONICAL(written) is None or not given.keys() <= _KNOWN_SET:
        signed = [(quote(unquote_to_bytes(n), safe=""), quote(unquote_to_bytes(v), safe="")) for n, v in signed]
        if any(name.startswith("oauth_") and name not in given for name, _ in signed):
            raise faults.malformed("the name of an oauth_ parameter is percent-encoded")
    method = _decoded("oauth_signature_method", given["oauth_signature_method"])
    if method not in HASHES and method != PLAINTEXT:
        raise faults.unsupported_method(method, HASHES)
    version = given.get("oauth_version")
    if version is not None and version not in VERSIONS and _decoded("oauth_version", version) not in VERSIONS:
        raise faults.unsupported_version(version)
    stamp = _decoded("oauth_timestamp", given["oauth_timestamp"])
    # At most 15 digits: the year 33658 in milliseconds; int() of a long string is slow, and refused above 4,300 digits.
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 15 and int(stamp)):
        raise faults.bad_timestamp(stamp)
    body_hash = given.get("oauth_body_hash")
    return Credentials(
        consumer_key=_decoded("oauth_consumer_key", given["oauth_consumer_key"]),
        token=_decoded("oauth_token", given.get("oauth_token", "")),
        method=method,
        signature=signature,
        timestamp=int(stamp),
        nonce=_decoded("oauth_nonce", given["oauth_nonce"]),
        body_hash=None if body_hash is None else _decoded("oauth_body_hash", body_hash),
        signed=signed,
    )


def _quick(given: dict[str, str], signature: str, signed: list[tuple[str, str]]) -> Credentials | None:
    """Values that stand for themselves. None where one of them is odd: the general way says what is wrong."""
    stamp = given["oauth_timestamp"]
    if not (stamp.isdigit() and len(stamp) <= 15 and int(stamp)):
        return None
    if given.get("oauth_version", "1.0") not in VERSIONS:
        return None
    return Credentials(
        consumer_key=given["oauth_consumer_key"],
        token=given.get("oauth_token", ""),
        method=given["oauth_signature_method"],
        signature=signature,
        timestamp=int(stamp),
        nonce=given["oauth_nonce"],
        body_hash=given.get("oauth_body_hash"),
        signed=signed,
    )


def _decoded(name: str, value: str) -> str:
    if not value.isascii():
        raise faults.malformed(f"{name} holds a character that is not percent-encoded")
    # Base64 holds these three alone; the general way is five times slower.
    quick = value.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=") if "%" in value else value
    if "%" not in quick:
        return quick
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise faults.malformed(f"{name} is not UTF-8 once it is decoded") from None


def _credentials_in(query: str | bytes) -> bool:
    return any(name.startswith("oauth_") for name, _ in pairs(query))
