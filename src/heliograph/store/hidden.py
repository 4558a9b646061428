"""What an erased recipient's opt-outs stand under: a keyed hash of the number, made with a key of its own.

A plain hash would hide nothing: there are some 10^10 numbers, and trying all takes a minute. The site is part of it, so
that no two sites' lists can be compared. 2 to 5 us each.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable

from heliograph.core.optout import ERASED, is_erased

Hide = Callable[[str, str], str]  # (site, recipient) → the name of the recipient once he is erased


def nobody(site: str, recipient: str) -> str:
    """Where there is no key yet nobody can have been erased: every name is itself."""
    return recipient


def by(key: bytes) -> Hide:
    def hide(site: str, recipient: str) -> str:
        if is_erased(recipient):
            return recipient
        digest = hmac.digest(key, f"{site}\0{recipient}".encode(), "sha256")
        return ERASED + urlsafe_b64encode(digest).decode().rstrip("=")

    return hide
