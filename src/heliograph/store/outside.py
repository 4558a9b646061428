"""What comes from outside, made fit to be kept: keys that every index takes, events that every reader can read."""

from __future__ import annotations

from hashlib import sha256

import msgspec

from heliograph.core.event import ProviderEvent, UnknownEvent
from heliograph.store.codec import encode

LONGEST = 200  # characters; PostgreSQL's index rows end at 2,704 bytes, a key has up to four such parts
LATEST = 2**53  # ms; a provider's time beyond it (or before 1970) is no time
KEPT = 4_000  # characters of an event that cannot be written as it is
_NULL = msgspec.Raw(b"null")


def short(text: str) -> str:
    """The text itself, or the hash of one that no index takes: too long, with a NUL (PostgreSQL refuses it) or with
    half a surrogate pair (no UTF-8)."""
    if len(text) <= LONGEST and "\x00" not in text and (text.isascii() or _is_unicode(text)):
        return text
    return "sha256:" + sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sound(event: ProviderEvent) -> ProviderEvent:
    """The event as it can be written and read back. A `raw` that is not JSON becomes a JSON string; an event that no
    JSON can hold becomes an UnknownEvent of kind "broken" with as much of it as can be shown."""
    if not isinstance(event, UnknownEvent) and event.at is not None and not 0 <= event.at < LATEST:
        event = msgspec.structs.replace(event, at=None)
    try:
        event = msgspec.structs.replace(event, raw=_json(bytes(event.raw)))
        encode(event)
    except (ValueError, OverflowError, RecursionError):
        return UnknownEvent(event=event.event, kind="broken", raw=msgspec.Raw(encode(ascii(event)[:KEPT])))
    return event


def _json(raw: bytes) -> msgspec.Raw:
    if not raw:
        return _NULL
    try:
        msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return msgspec.Raw(encode(raw.decode("utf-8", "replace")))
    return msgspec.Raw(raw)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
