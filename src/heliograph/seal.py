"""Secrets at rest: sealed with AES-256-GCM under a key made from HELIOGRAPH_SECRET_KEY, with that key's id inside.

A sealed value reads `sealed:1:<key id>:<nonce and ciphertext, base64url>`. Several secret keys may be in force: the
first one seals, all of them open, so that a key is rotated without a moment in which nothing can be read.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from heliograph.errors import SetupError

_MARK = "sealed:1:"
_NONCE = 12  # bytes; NIST SP 800-38D asks for 96 bits, random ones are safe for 2^32 values per key


def new_secret_key() -> str:
    """A fresh secret key: 256 random bits in 43 URL-safe characters."""
    return secrets.token_urlsafe(32)


def is_sealed(value: object) -> bool:
    return isinstance(value, str) and value.startswith(_MARK)


@cache
def _stretched(secret_key: str) -> bytes:
    """scrypt (RFC 7914) with N = 2^14 makes each guess at a thought-up phrase cost about 40 ms and 16 MiB;
    kept for the process, since it costs us the same. The salt is fixed: every node must come to the same key."""
    return Scrypt(salt=b"heliograph.seal", length=32, n=2**14, r=8, p=1).derive(secret_key.encode())


def _derive(secret_key: str, purpose: bytes, length: int) -> bytes:
    """One key for each purpose (HKDF-Expand, RFC 5869)."""
    return HKDFExpand(algorithm=SHA256(), length=length, info=purpose).derive(_stretched(secret_key))


def key_id(secret_key: str) -> str:
    """Eight hex characters that name a secret key and tell nothing of it."""
    return _derive(secret_key, b"id", 4).hex()


class Sealer:
    """Seals with the first of `secret_keys` (newest first) and opens with any of them.

    Raises SetupError (`no_secret_key`, `cannot_open`), whose sentence names HELIOGRAPH_SECRET_KEY.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        if not secret_keys:
            raise SetupError(
                "There is no secret key, so no secret can be sealed or opened. Make one with `heliograph keys secret` "
                "and set HELIOGRAPH_SECRET_KEY.",
                code="no_secret_key",
            )
        self._boxes = {key_id(key): AESGCM(_derive(key, b"seal", 32)) for key in secret_keys}
        self._newest = key_id(secret_keys[0])

    def __repr__(self) -> str:
        return f"Sealer({', '.join(self._boxes)})"

    def seal(self, text: str) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._boxes[self._newest].encrypt(nonce, text.encode(), _MARK.encode())
        return f"{_MARK}{self._newest}:{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, sealed: str) -> str:
        if not is_sealed(sealed):
            raise _cannot("It is not a sealed value", "the row was written by hand or by another program: apply again")
        name, _, body = sealed[len(_MARK) :].partition(":")
        box = self._boxes.get(name)
        if box is None:
            raise _cannot(
                f"It was sealed with key {name}, HELIOGRAPH_SECRET_KEY holds {', '.join(self._boxes)}",
                "add the former key after a comma, or enter the secret afresh",
            )
        try:
            data = base64.urlsafe_b64decode(body)
            return box.decrypt(data[:_NONCE], data[_NONCE:], _MARK.encode()).decode()
        except (InvalidTag, ValueError):
            raise _cannot(
                f"It names key {name}, which HELIOGRAPH_SECRET_KEY holds, and its bytes were changed",
                "restore the row from a backup, or enter the secret afresh",
            ) from None

    def is_newest(self, sealed: str) -> bool:
        """Whether it was sealed with the first key, so that the others may be dropped."""
        return sealed.startswith(f"{_MARK}{self._newest}:")


def _cannot(why: str, step: str) -> SetupError:
    return SetupError(f"A secret in the database cannot be opened. {why}: {step}.", code="cannot_open")
