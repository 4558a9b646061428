"""What the connection itself answers where no call gets to the doors, in the form of that API's other refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from heliograph.web.problem import problem

Send = Callable[[Any], Awaitable[None]]

_PHRASES = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


def plain_answer(status: int, sentence: str, more: bytes = b"", *, path: bytes = b"") -> bytes:
    """The bytes of a whole HTTP answer that ends its connection; `more`: further header lines. `path`: as far as it is
    known."""
    kind, body = _body(status, sentence, path)
    return b"HTTP/1.1 %d %s\r\ncontent-type: %s\r\ncontent-length: %d\r\n%sconnection: close\r\n\r\n%s" % (
        status,
        _PHRASES[status],
        kind,
        len(body),
        more,
        body,
    )


def refusing(status: int, sentence: str) -> Any:
    """An ASGI application that answers this and ends the connection."""

    async def answer(scope: Any, receive: Any, send: Send) -> None:
        kind, body = _body(status, sentence, scope["raw_path"])
        headers = [
            (b"content-type", kind),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def _body(status: int, sentence: str, path: bytes) -> tuple[bytes, bytes]:
    """Content type and body: problem+json for the native API, the documented shape elsewhere."""
    if path.startswith(b"/v1/"):
        return b"application/problem+json", problem(status, sentence).body
    return b"application/json", msgspec.json.encode({"success": False, "error": sentence})
