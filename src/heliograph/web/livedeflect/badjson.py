"""A body as a JSON object, or why it is none, in words that tell the caller what to mend. Pure.

The usual mistakes are recognised: quotes copied from a web page, single quotes, a trailing comma, words of Python and
JavaScript, a form, JSON inside a string, UTF-16, Latin-1.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw

from heliograph.errors import CallRefused
from heliograph.web.livedeflect.fields import DEEPEST
from heliograph.web.livedeflect.scan import depth

_CURLY = "“”„‟«»″"
_any = msgspec.json.Decoder(Raw).decode
_object = msgspec.json.Decoder(dict[str, Raw]).decode
_place = re.compile(r"\(byte (\d+)\)")
_word = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|\b(NaN|Infinity|True|False|None|undefined)\b', re.DOTALL)
_single = re.compile(rb"[{,\[]\s*'")
_trailing = re.compile(rb",\s*[}\]]")
_form = re.compile(rb"[A-Za-z]++=[^&]*+(?:&[A-Za-z]++=[^&]*+)*+")
_half = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])")
_UTF16_32 = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read_object(body: bytes, info: str) -> dict[str, Raw]:
    """The fields of a body, each as it came. `info`: the field in which callers nest. Raises CallRefused."""
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise CallRefused(why_not_utf8(body, error), code="not_utf8") from None
    if depth(body, DEEPEST) > DEEPEST:
        raise CallRefused(
            f"The body is nested more than {DEEPEST} levels deep. Flatten {info}.", code="nested_too_deep"
        )
    try:
        return _object(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CallRefused(why_not_json(body, str(error)), code="not_json") from None


def why_not_utf8(body: bytes, error: UnicodeDecodeError) -> str:
    if body.startswith(_UTF16_32) or b"\x00" in body[:4]:
        return "The body is UTF-16 or UTF-32. Send JSON as UTF-8."
    return (
        f"The body is not UTF-8: byte 0x{body[error.start]:02X} at offset {error.start}. "
        "It looks like Latin-1 or Windows-1252. Send JSON as UTF-8."
    )


def why_not_json(body: bytes, said: str) -> str:
    """`said`: msgspec's own message, which names the byte."""
    text = body.strip(b" \t\r\n")
    if not text:
        return "The body is empty. Send a JSON object."
    if b"\x00" in body[:4]:
        return "The body is UTF-16 or UTF-32. Send JSON as UTF-8."
    if _parses(text):
        return _not_an_object(text)
    at = int(found[1]) if (found := _place.search(said)) else len(body)
    where = f" at byte {at:,}"
    if _curly(body, at):
        return (
            "The body is not JSON: it has typographic quotes (“ ”), as they come from a web page or a word processor"
            f'{where}. Write straight quotes (").'
        )
    if _single.search(text) and b'"' not in text[: text.find(b"'")]:
        return "The body is not JSON: strings and names stand in single quotes ('). Write double quotes (\")."
    if "trailing comma" in said or (_trailing.match(body, _comma(body, at)) is not None):
        return f"The body is not JSON: a comma without anything after it{where}. Remove it."
    word = next((match[1].decode() for match in _word.finditer(text) if match[1]), "")
    if word:
        return f"The body is not JSON: it has the word {word}, which JSON does not know. {_INSTEAD[word]}"
    if "surrogate" in said or _half_pair(body):
        return f"The body is not JSON: it has half of a surrogate pair (\\uD800 to \\uDFFF){where}. Send both halves."
    if _form.fullmatch(text):
        return "The body is a form, not JSON. Send a JSON object."
    if "truncated" in said:
        return f"The body is not JSON: it ends too early, after {len(body):,} bytes. Send the whole object."
    reason = said.removeprefix("JSON is malformed: ").split(" (byte")[0] or "it cannot be read"
    return f"The body is not JSON: {reason}{where}. Send a JSON object."


_INSTEAD = {
    "NaN": "Send null or a number.",
    "Infinity": "Send null or a number.",
    "True": "Write true.",
    "False": "Write false.",
    "None": "Write null.",
    "undefined": "Write null.",
}


def _half_pair(body: bytes) -> bool:
    """Half a pair right before the end is what msgspec takes for a text that ends too early."""
    return _half.search(body) is not None


def _parses(text: bytes) -> bool:
    try:
        _any(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _not_an_object(text: bytes) -> str:
    """The text is JSON, but not what is asked for."""
    if text[:1] == b'"':
        inner = msgspec.json.decode(text, type=str).strip()
        if inner.startswith("{"):
            return "The body is JSON inside a string: it was encoded twice. Send the object itself."
        return "The body must be a JSON object, the call sends a string."
    kind = {b"[": "an array", b"t": "a boolean", b"f": "a boolean", b"n": "null"}.get(text[:1], "a number")
    return f"The body must be a JSON object, the call sends {kind}."


def _curly(body: bytes, at: int) -> bool:
    """Whether typographic quotes are what broke it: reading stopped at one, or straight quotes mend the text."""
    text = body.decode()
    if body[at : at + 4].decode(errors="ignore")[:1] in tuple(_CURLY):
        return True
    if not any(quote in text for quote in _CURLY):
        return False
    return _parses(text.translate({ord(quote): '"' for quote in _CURLY}).encode())


def _comma(body: bytes, at: int) -> int:
    """The last comma before the place where reading stopped, or the place itself."""
    return max(body.rfind(b",", 0, at + 1), 0)
