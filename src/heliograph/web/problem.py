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


class FieldError(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one field of a call."""

    field: str
    detail: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a call was not answered as it asked (RFC 9457). `code` is for programs, `detail` for people; `errors` where
    fields are at fault; `alert`: the id of the refused alert's record, where there is one."""

    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    alert: str = ""


def problem(
    status: int,
    sentence: str,
    *,
    code: str = "",
    errors: Mapping[str, str] | None = None,
    alert: str = "",
    headers: Headers = (),
) -> WebAnswer:
    """RFC 9457; its `type` is about:blank, which may be left out. Without a `code` the status has one of its own."""
    body = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=sentence,
        code=code or CODES.get(status, "refused"),
        errors=[FieldError(field=field, detail=said) for field, said in (errors or {}).items()],
        alert=alert,
    )
    return WebAnswer(status=status, body=encode(body), headers=(*PROBLEM, *headers))


CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    408: "body_timeout",
    413: "body_too_large",
    414: "url_too_long",
    415: "not_json",
    422: "refused",
    429: "too_many_calls",
    431: "header_too_large",
    500: "our_fault",
    503: "store_away",
}


def say(raw_path: bytes, status: int, sentence: str, *, headers: Headers = ()) -> WebAnswer:
    """The shape that belongs to this path."""
    if raw_path == b"/console" or raw_path.startswith(b"/console/"):
        from heliograph.web.console import render  # its templates; nobody who calls an API waits for them

        return render.lost(status, sentence, headers)
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
    sentence = "The database does not answer. Nothing was sent so far; call again soon, the same call is one alert."
    return say(raw_path, 503, sentence, headers=((b"retry-after", str(RETRY_STORE).encode()),))


def our_fault(raw_path: bytes) -> WebAnswer:
    sentence = "The server met an error of its own and stopped. Its log says where."
    return say(raw_path, 500, sentence)
