"""Text that comes from outside and becomes part of a key."""

from __future__ import annotations

from hashlib import sha256

LONGEST = 200  # characters; PostgreSQL's index rows end at 2,704 bytes, a key has up to four such parts


def short(text: str) -> str:
    """The text itself, or the hash of one that no index takes (too long, or with a NUL, which PostgreSQL refuses)."""
    if len(text) <= LONGEST and "\x00" not in text:
        return text
    return "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
