"""What the connection itself answers where no call gets to the doors, in the form of the API's other refusals."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

Send = Callable[[Any], Awaitable[None]]

_PHRASES = {
    400: b"Bad Request",
    408: b"Request Timeout",
    431: b"Request Header Fields Too Large",
    503: b"Service Unavailable",
}


def plain_answer(status: int, sentence: str, more: bytes = b"") -> bytes:
    """The bytes of a whole HTTP answer that ends its connection; `more`: further header lines."""
    body = _body(sentence)
    return (
        b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n%sconnection: close\r\n\r\n%s"
        % (
            status,
            _PHRASES[status],
            len(body),
            more,
            body,
        )
    )


def refusing(status: int, sentence: str) -> Any:
    """An ASGI application that answers this and ends the connection."""

    async def answer(scope: Any, receive: Any, send: Send) -> None:
        body = _body(sentence)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return answer


def _body(sentence: str) -> bytes:
    return msgspec.json.encode({"success": False, "error": sentence})
