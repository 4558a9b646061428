"""One HTTP call as a door sees it, what a door answers, and what all doors need. No rule lives here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from heliograph.flow.means import Means
    from heliograph.meters import Meters
    from heliograph.settings import Settings
    from heliograph.web.address import Doorplate
    from heliograph.web.console.inbox_live import Fan
    from heliograph.web.rates import FailedCredentials, Rates
    from heliograph.web.route import Route

Headers = tuple[tuple[bytes, bytes], ...]


class WebCall(msgspec.Struct, kw_only=True):
    """A call that came in, body and all.

    `raw_path` and `query` are as the caller wrote them; header names are lower case, a header sent twice is joined with
    a comma (RFC 9110 section 5.2). `params` are the parts of the path that the route names. `private`: it came over the
    private listener, or from this machine where there is none.
    """

    method: str
    raw_path: bytes
    query: bytes
    headers: dict[bytes, bytes]
    body: bytes
    scope: MutableMapping[str, Any]
    params: Mapping[str, str]
    private: bool

    def header(self, name: bytes) -> str:
        """A header's value, "" where it is absent. Bytes beyond ASCII are read as Latin-1, as HTTP has it."""
        return self.headers.get(name, b"").decode("latin-1")


class WebAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What goes out. `after` is awaited when the answer was written (True) or the caller was gone before (False).

    `stream`: instead of a body, pieces that are written as they come, until it ends, the caller hangs up, or the server
    stops (streaming.py). It is closed (`aclose`) in each of these cases."""

    status: int
    body: bytes = b""
    headers: Headers = ()
    after: Callable[[bool], Awaitable[None]] | None = None
    stream: AsyncGenerator[bytes] | None = None


class Doors(msgspec.Struct, frozen=True, kw_only=True):
    """What doors need, built once by app.py. `log(level, sentence, *, action, **facts)` never gets personal data."""

    settings: Settings
    means: Means
    meters: Meters
    log: Callable[..., None]
    plate: Doorplate
    failed: FailedCredentials
    rates: Rates
    routes: tuple[Route, ...]
    fan: Fan


JSON: Headers = ((b"content-type", b"application/json"),)
