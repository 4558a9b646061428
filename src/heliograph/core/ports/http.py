"""HTTP as plugs see it: what came in, what goes out, and the only client.

`deadline` is a moment of the event loop's own clock (seconds, `loop.time()`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An HTTP request that came in. `url` is the public one as the caller wrote it; header names are lower case."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An HTTP response that goes out."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = {}


class Exchange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The redacted note of one HTTP exchange: no credential, and of a phone number the last four digits at most.

    `milliseconds`: how long it took; `response`: the first 4 KiB of a body that is no success, as text, redacted;
    `failure`: what broke where there is no status.
    """

    method: str
    url: str
    status: int | None = None
    milliseconds: float = 0.0
    response: str = ""
    failure: str = ""


class Response(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the outside answered to one of our requests. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    exchange: Exchange


class Out(Protocol):
    """The only HTTP client (out/). Raises SendError alone: fate `retry` where nothing was written (refused, no
    connection in time, no such host), `unknown` where the request may have been read and no answer came, `config`
    where the address is not allowed."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        secrets: Sequence[str] = (),
        limit: int = 1 << 20,
    ) -> Response:
        """`limit`: bytes of the answer's body at most; a longer one is `unknown`, code answer_too_long."""
        ...

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Where a provider with a line of its own may connect to, by the same rules. Raises SendError."""
        ...
