"""Signatures of the Standard Webhooks specification (v1, HMAC-SHA256), for what we post and for what is posted to us.

    webhook-id         unique, the same in every repeat
    webhook-timestamp  seconds since the epoch
    webhook-signature  `v1,<base64>`, several parted by spaces while secrets are rotated

Signed is `{id}.{timestamp}.{body}`, the body as its bytes are. A secret is `whsec_` and 24 to 64 bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence

PREFIX = "whsec_"
TOLERANCE = 300  # seconds that a timestamp may be off, either way
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class BadSecret(ValueError):
    """The secret is not written as the specification has it; the sentence does not hold it."""


def key_of(secret: str) -> bytes:
    """The bytes of a secret. Raises BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise BadSecret(f"A secret is {PREFIX} and base64; this one is not.") from None
    if not 24 <= len(key) <= 64:
        raise BadSecret(f"A secret has 24 to 64 bytes; this one has {len(key)}.")
    return key


def new_secret(random: bytes) -> str:
    """A secret of `random` bytes (24 to 64)."""
    return PREFIX + base64.b64encode(random).decode()


def sign(id: str, timestamp: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The three headers; one signature for each secret, the newest first. Raises BadSecret."""
    signed = f"{id}.{timestamp}.".encode() + body
    signatures = " ".join(f"v1,{_signature(key_of(secret), signed)}" for secret in secrets)
    return {ID: id, TIMESTAMP: str(timestamp), SIGNATURE: signatures}


def fault(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: int) -> str:
    """Why a call is not what its sender signed, in a sentence; empty where it is. Header names are lower case; `now`
    in seconds. Raises BadSecret."""
    id, timestamp, given = (headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE))
    if not (id and timestamp and given):
        missing = ", ".join(name for name in (ID, TIMESTAMP, SIGNATURE) if not headers.get(name))
        return f"The call lacks {missing}."
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp[:12])) > TOLERANCE:
        return f"{TIMESTAMP} is not within {TOLERANCE} seconds of this server's clock."
    signed = f"{id}.{timestamp}.".encode() + body
    ours = [_signature(key_of(secret), signed) for secret in secrets]
    theirs = [part.removeprefix("v1,") for part in given.split(" ") if part.startswith("v1,")]
    # Every pair is compared, so that the time says nothing of which one fits.
    fits = [hmac.compare_digest(one.encode(), two.encode()) for one in ours for two in theirs]
    return "" if any(fits) else f"{SIGNATURE} does not match the body."


def _signature(key: bytes, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
