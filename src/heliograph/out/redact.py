"""Takes credentials and phone numbers out of what is kept of an exchange.

A number keeps its last four digits. What is removed is shown as ***, so that a reader sees that something was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

HIDDEN = "***"
KEPT_BYTES = 4096  # of a response's body
SHORTEST = 4  # characters of a secret; to blot out a shorter one would blot out half the text

# With a plus sign (raw or percent-encoded) a number may be formatted; without, it is a run of 7 to 15 digits (E.164's
# maximum) that does not touch letters, dashes or dots: groups of UUIDs, hex names and decimals are left alone. The
# pattern begins with a plain class because `re` skips ahead only then: 2 µs instead of 6 for a usual body.
_NUMBER = re.compile(
    r"[+%0-9](?:(?<=\+)[0-9][0-9 ().\-]{5,18}[0-9]"
    r"|(?<=%)2[Bb][0-9][0-9 ().\-]{5,18}[0-9]"
    r"|(?<=[0-9])(?<![0-9A-Za-z_.\-][0-9])[0-9]{6,14}(?![0-9A-Za-z_]|\.[0-9]))"
)
_NAMES = r"(?:(?:access|id|refresh|client|auth|verify)_?)?(?:token|secret|password|assertion|signature|private_?key)"
_JSON_VALUE = re.compile(rf'("{_NAMES}"\s*:\s*")(?:[^"\\]|\\.)*("?)', re.IGNORECASE)
_QUERY_VALUE = re.compile(rf"([?&](?:{_NAMES}|key|sig)=)[^&#\s\"]*", re.IGNORECASE)
_SCHEME = re.compile(r"\b(Bearer|Basic|OAuth)\s+[A-Za-z0-9._~+/=-]{6,}")


def _last_four(found: re.Match[str]) -> str:
    last = found[0][-4:]
    return HIDDEN + (last if last.isdecimal() else re.sub("[^0-9]", "", found[0][-8:])[-4:])


def _without(value: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        if len(secret) >= SHORTEST and secret in value:
            value = value.replace(secret, HIDDEN)
    return value


def numbers(text: str) -> str:
    """The text with every phone number masked but for its last four digits."""
    return _NUMBER.sub(_last_four, text)


def text(value: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given secrets, credentials under their usual names, and phone numbers."""
    value = _without(value, secrets)
    lowered = value.lower()
    if any(word in lowered for word in ("token", "secret", "password", "assertion", "signature", "private")):
        value = _JSON_VALUE.sub(rf"\1{HIDDEN}\2", value)
    if "earer" in value or "Basic" in value or "OAuth" in value:
        value = _SCHEME.sub(rf"\1 {HIDDEN}", value)
    if "=" in value:
        value = _QUERY_VALUE.sub(rf"\1{HIDDEN}", value)
    return _NUMBER.sub(_last_four, value)


def url(value: str, secrets: Iterable[str] = ()) -> str:
    """A URL without secrets in its query and without phone numbers anywhere."""
    value = _without(value, secrets)
    if "?" in value:
        value = _QUERY_VALUE.sub(rf"\1{HIDDEN}", value)
    return _NUMBER.sub(_last_four, value)


def body(value: bytes, secrets: Iterable[str] = ()) -> str:
    """The first 4 KiB of a body as text, redacted. It is cut after the redaction of a little more, so that a number
    or a secret that lies across the cut does not leave half of itself."""
    shown = value[: KEPT_BYTES + 1024].decode("utf-8", "replace")
    return text(shown, secrets)[:KEPT_BYTES]
