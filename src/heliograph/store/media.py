"""Media that templates refer to, and what providers call them once they were uploaded."""

from __future__ import annotations

from heliograph.core.ports import Uploaded
from heliograph.store.verb import Verb


def put(site: str, digest: str, content_type: str, data: bytes) -> Verb[bool]:
    """Kept under its SHA-256; False where it was there."""
    rows = yield "medium_put", (site, digest, content_type, data)
    return bool(rows)


def get(site: str, digest: str) -> Verb[tuple[str, bytes] | None]:
    rows = yield "medium_read", (site, digest)
    return (rows[0][0], rows[0][1]) if rows else None


def upload(site: str, sender: str, digest: str, now: int) -> Verb[str | None]:
    """The provider's name for a medium, None where it has none or has forgotten it."""
    rows = yield "upload_read", (site, sender, digest, now)
    return rows[0][0] if rows else None


def keep_upload(site: str, sender: str, digest: str, uploaded: Uploaded) -> Verb[None]:
    yield "upload_put", (site, sender, digest, uploaded.reference, uploaded.expires)
