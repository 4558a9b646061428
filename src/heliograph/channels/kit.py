"""For providers: their answers read with a table, Retry-After, signatures, times."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import quote_plus

from heliograph.core.event import Place
from heliograph.out.answers import RETRY_AFTER_MOST, UNREADABLE, Row, error, error_from, retry_after

__all__ = [
    "RETRY_AFTER_MOST",
    "UNREADABLE",
    "Row",
    "error",
    "error_from",
    "fingerprint",
    "form",
    "hmac_base64",
    "hmac_hex",
    "milliseconds",
    "place",
    "retry_after",
    "rfc3339",
    "same",
    "where",
]


def hmac_base64(key: str, message: bytes, algorithm: str) -> str:
    """The HMAC of `message` in base64; `algorithm` as hashlib names it ("sha512")."""
    return b64encode(hmac.digest(key.encode(), message, algorithm)).decode()


def hmac_hex(key: str, message: bytes, algorithm: str) -> str:
    """The same in lower-case hex digits."""
    return hmac.digest(key.encode(), message, algorithm).hex()


def same(given: str, expected: str) -> bool:
    """Compared in constant time; an empty expectation equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def fingerprint(data: bytes) -> str:
    """A stable id for an event that carries none: the first 32 hex digits of its SHA-256."""
    return hashlib.sha256(data).hexdigest()[:32]


def form(fields: Iterable[tuple[str, str]]) -> bytes:
    """Fields as application/x-www-form-urlencoded, a name as often as it stands there; the bytes of urllib's urlencode
    in less than half of its time. Raises UnicodeEncodeError for half of a surrogate pair."""
    return "&".join([f"{_quoted(name)}={_quoted(value)}" for name, value in fields]).encode("ascii")


def _quoted(text: str) -> str:
    """Each byte of the UTF-8 stands for itself or for its row of the table."""
    return (text if text.isascii() else text.encode().decode("latin-1")).translate(_FORM)


# A space is a plus in a form, which is what quote_plus says in two steps.
_FORM = [quote_plus(bytes([byte])) for byte in range(256)]


def milliseconds(rfc3339: str) -> int | None:
    """A provider's time as milliseconds since the epoch; None where it cannot be read. No offset means UTC."""
    try:
        moment = datetime.fromisoformat(rfc3339)
    except ValueError:
        return None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as "2026-11-23T03:00:43.120Z"."""
    return f"{_second(ms // 1000)}.{ms % 1000:03d}Z"


@lru_cache(maxsize=256)  # under load the same second is asked for again and again
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19]


def place(latitude: float, longitude: float, label: str = "") -> Place | None:
    """A place on Earth; None for degrees that are none (not a number, out of range)."""
    if -90 <= latitude <= 90 and -180 <= longitude <= 180:
        return Place(latitude=latitude, longitude=longitude, label=label)
    return None


def where(place: Place) -> str:
    """A place in words: its label, if it has one, and its degrees to a tenth of a metre."""
    degrees = f"{place.latitude:.6f}, {place.longitude:.6f}"
    return f"{place.label}, {degrees}" if place.label else degrees
