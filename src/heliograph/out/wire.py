"""The one file that knows the HTTP library (pyreqwest 0.15: reqwest and hyper on Rust's own threads).

To put another library in its place, write `Line` again: one origin, one IP address, `exchange` and `close`. What the
rest of the room relies on: nothing is followed, decompressed, repeated after a byte was written, or sent through a
proxy of the environment; the body is never read beyond the limit; every failure says whether the request may have been
written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import msgspec
from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import BuilderError, DetailedPyreqwestError, PyreqwestError, RequestTimeoutError

from heliograph import __version__

CONNECT_SECONDS = 5.0
# Google's front end closes idle connections after some minutes, load balancers in between often after 60 s. A
# connection that we drop first cannot be found dead by a POST.
IDLE_SECONDS = 45.0

# The library's class names do not say when a failure happened: it raises ConnectError for a connection that broke after
# the request was written, and ConnectTimeoutError when the answer did not come in time. The chain of causes does say:
# hyper names its phase, and this one ends before the first byte of the request (DNS, TCP, TLS).
_CONNECT_PHASE = "client error (Connect)"
_BODY_PHASE = "error decoding response body"  # the head of an answer was there
# The first cause repeats the URL, and URLs hold phone numbers: causes with one are never passed on.
_WITH_URL = "://"


class Got(msgspec.Struct, frozen=True):
    """A whole answer. Header names are lower case; of repeated headers one is kept."""

    status: int
    headers: dict[str, str]
    body: bytes


class Broke(msgspec.Struct, frozen=True):
    """No whole answer. `written`: bytes of the request may have left. `late`: time ran out. `what`: words without
    address or number. `begun`: an answer began; `status` is its status where the library tells it (the start of a body
    is read together with the head, and a break there hides the head)."""

    written: bool
    late: bool
    what: str
    malformed: bool = False  # it can never be written
    begun: bool = False
    status: int | None = None
    long: bool = False  # an answer that is longer than was allowed


class Line:
    """Connections to one origin at one checked IP address; the library never asks the DNS itself, so that a name
    cannot lead elsewhere between the check and the connect."""

    def __init__(self, host: str, address: str) -> None:
        self.address = address
        # HTTP/1.1 only: measured 33 µs against 39 µs per request with HTTP/2, and over HTTP/1.1 hyper repeats a request
        # in one case alone, when a pooled connection closed before the request was taken from its queue.
        self._client = (
            ClientBuilder()
            .user_agent(f"heliograph/{__version__}")
            .http1_only()
            .follow_redirects(False)
            .referer(False)
            .no_proxy()
            .gzip(False)
            .brotli(False)
            .zstd(False)
            .deflate(False)
            .connect_timeout(timedelta(seconds=CONNECT_SECONDS))
            .pool_idle_timeout(timedelta(seconds=IDLE_SECONDS))
            .resolve(host, address, 0)  # port 0: the URL's own port
            .build()
        )

    async def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, *, seconds: float, limit: int
    ) -> Got | Broke:
        """One request and its whole answer within `seconds`, the body at most `limit` bytes. Never raises for what
        the network does."""
        status: int | None = None
        try:
            asked = self._client.request(method, url).headers(headers).timeout(timedelta(seconds=seconds))
            request = (asked.body_bytes(body) if body else asked).build_streamed()
        except (ValueError, PyreqwestError):  # whose words repeat the header's value, and that may be a credential
            return Broke(False, False, "its method, address or headers cannot be written as HTTP", malformed=True)
        try:
            async with request as answer:
                status = answer.status
                chunks: list[bytes] = []
                size = 0
                while (chunk := await answer.body_reader.read_chunk()) is not None:
                    size += len(chunk)
                    if size > limit:
                        what = f"it is longer than {limit // 1024} KiB"
                        return Broke(True, False, what, begun=True, status=status, long=True)
                    chunks.append(bytes(chunk))
                return Got(status, dict(answer.headers), chunks[0] if len(chunks) == 1 else b"".join(chunks))
        except PyreqwestError as error:
            return _broke(error, status)

    async def close(self) -> None:
        await self._client.close()


def _broke(error: PyreqwestError, status: int | None) -> Broke:
    causes: list[str] = []
    if isinstance(error, DetailedPyreqwestError) and error.details:
        causes = [cause["message"] for cause in error.details["causes"] or ()]
    begun = status is not None or _BODY_PHASE in causes
    before = not begun and (_CONNECT_PHASE in causes or isinstance(error, BuilderError))
    words = [
        cause for cause in causes if _WITH_URL not in cause and not cause.startswith(("client error (", _BODY_PHASE))
    ]
    late = isinstance(error, RequestTimeoutError)
    return Broke(not before, late, ": ".join(words) or type(error).__name__, begun=begun, status=status)
