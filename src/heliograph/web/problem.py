"""How a call is told that it cannot be answered: the documented shape under /api, problem+json (RFC 9457) elsewhere.

A sentence says what happened, to what, and what to do next (look.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

import msgspec

from heliograph.web.call import JSON, Headers, WebAnswer

encode = msgspec.json.Encoder().encode
PROBLEM: Headers = ((b"content-type", b"application/problem+json"),)
RETRY_STORE = 2  # seconds; a restarted database is back in about that time


def refused(status: int, sentence: str, *, fields: Mapping[str, str] | None = None, headers: Headers = ()) -> WebAnswer:
    """The documented shape: `{"success": false, "error": sentence}`, with `fields` where fields are at fault."""
    body: dict[str, object] = {"success": False, "error": sentence}
    if fields:
        body["fields"] = fields
    return WebAnswer(status=status, body=encode(body), headers=(*JSON, *headers))


def problem(status: int, sentence: str, *, headers: Headers = ()) -> WebAnswer:
    """RFC 9457."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": sentence}
    return WebAnswer(status=status, body=encode(body), headers=(*PROBLEM, *headers))


def say(raw_path: bytes, status: int, sentence: str, *, headers: Headers = ()) -> WebAnswer:
    """The shape that belongs to this path."""
    if raw_path[:5].lower() == b"/api/":
        return refused(status, sentence, headers=headers)
    return problem(status, sentence, headers=headers)


def shown(raw: bytes, most: int = 200) -> str:
    """A path of the caller's own for a sentence: cut, and nothing in it that does not print."""
    text = raw[:most].decode("ascii", "backslashreplace")
    return "".join(letter if letter.isprintable() else "?" for letter in text) + ("…" if len(raw) > most else "")


def no_route(method: str, raw_path: bytes) -> WebAnswer:
    return say(
        raw_path, 404, f"Nothing is at {method} {shown(raw_path)}. The addresses of this server are listed at /docs."
    )


def wrong_method(method: str, raw_path: bytes, allowed: tuple[str, ...]) -> WebAnswer:
    sentence = f"{shown(raw_path)} takes {' and '.join(allowed)}, the call is {method}."
    return say(raw_path, 405, sentence, headers=((b"allow", ", ".join(allowed).encode()),))


def too_large(raw_path: bytes, limit: int) -> WebAnswer:
    # Without `connection: close`, so that a caller that is still sending gets the answer (web/protocol.py).
    sentence = f"The body is larger than {limit:,} bytes, the most that is taken. Send less in alertInfo."
    return say(raw_path, 413, sentence)


def store_away(raw_path: bytes) -> WebAnswer:
    sentence = "The database does not answer. Nothing was stored and nothing was sent; call again."
    return say(raw_path, 503, sentence, headers=((b"retry-after", str(RETRY_STORE).encode()),))


def our_fault(raw_path: bytes) -> WebAnswer:
    sentence = "The server met an error of its own and stopped. Its log says where."
    return say(raw_path, 500, sentence)
