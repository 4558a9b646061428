"""`HttpOut`: what core.ports.Out asks for, over lines to checked addresses.

A request: wait for a place → find or open the line of its origin → exchange → a Response, or a SendError whose fate
says whether the other side may have read it:

    retry     nothing was written: refused, no such host, no connection in time, TLS failed, no place, no time left
    unknown   bytes may have left and no whole answer came back
    config    the address is not one that may be spoken to, or the request cannot be written as HTTP
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from heliograph.core.ports import Exchange, Response
from heliograph.errors import Blame, Fate, SendError
from heliograph.out import redact
from heliograph.out.address import AddressRefused, Rules, prefix
from heliograph.out.lines import Lines, NoSuchHost
from heliograph.out.wire import Broke, Got, Line

ANSWER_LIMIT = 1 << 20  # bytes of an answer's body; providers' answers are below 10 KiB
# With less time than this an answer could hardly come back, and the message would be in doubt.
LEAST_SECONDS = 0.02


class HttpOut:
    """The HTTP client of all rooms. Safe for any number of tasks of one event loop."""

    def __init__(self, rules: Rules, *, in_flight: int = 2000) -> None:
        self._lines = Lines(rules)
        self._places = asyncio.Semaphore(in_flight)
        self._closed = False

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        secrets: Sequence[str] = (),
        limit: int = ANSWER_LIMIT,
    ) -> Response:
        """Sends one request and reads its whole answer, whatever its status, at most `limit` bytes, until `deadline`
        (`loop.time()` seconds). `secrets` and the Authorization header are taken out of the note. Raises SendError.
        """
        loop = asyncio.get_running_loop()
        started = time.perf_counter()  # uvloop's own clock stands still within a turn of the loop
        origin = prefix(url)
        line, failure = await self._line(origin, loop.time(), deadline)
        if line is not None:
            try:
                got = await self._exchange(origin, line, method, url, headers, body, deadline, limit)
            finally:
                self._places.release()
            if isinstance(got, Got):
                hidden = _hidden(headers, secrets)
                note = Exchange(
                    method=method,
                    url=redact.url(url, hidden),
                    status=got.status,
                    milliseconds=(time.perf_counter() - started) * 1000,
                    # What an answer of success says is kept whole by whoever asked for it.
                    response=redact.body(got.body, hidden) if got.status >= 300 else "",
                )
                return Response(status=got.status, headers=got.headers, body=got.body, exchange=note)
            failure = _failure(got)
        assert failure is not None
        code, fate, what, next_step, status = failure
        hidden = _hidden(headers, secrets)
        note = Exchange(
            method=method,
            url=redact.url(url, hidden),
            status=status,
            milliseconds=(time.perf_counter() - started) * 1000,
            failure=redact.text(what, hidden),
        )
        raise SendError(
            f"{method} to {_host(url)}: {note.failure}. {next_step}",
            code=code,
            fate=fate,
            blame=Blame.US if code in _OURS else Blame.PROVIDER,
            exchange=note,
        )

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """The IP addresses of a host that a provider with a line of its own may connect to, by the rules of this way
        out. Whether the line is encrypted is that provider's own setting. Raises SendError."""
        shown = f"[{host}]" if ":" in host else host
        try:
            found = await self._lines.addresses(f"https://{shown}:{port}")
        except AddressRefused as refused:
            code, fate, sentence = "address_refused", Fate.CONFIG, str(refused)
        except NoSuchHost as missing:
            code, fate, sentence = (
                "no_such_host",
                Fate.RETRY,
                f"{str(missing).capitalize()}. Check the name and the DNS.",
            )
        else:
            return found
        note = Exchange(method="connect", url=f"{shown}:{port}", failure=sentence)
        raise SendError(
            f"{sentence} {_NOTHING}",
            code=code,
            fate=fate,
            blame=Blame.US if code in _OURS else Blame.PROVIDER,
            exchange=note,
        )

    async def close(self) -> None:
        """Closes every connection; requests under way end with fate `unknown`."""
        self._closed = True
        await self._lines.close()

    async def _line(self, origin: str, now: float, deadline: float) -> tuple[Line | None, _Failure | None]:
        """The line, with a place taken that the caller gives back; or why there is none."""
        if self._closed:
            return None, ("closed", Fate.RETRY, "the HTTP client is closed", _NOTHING, None)
        line = self._lines.ready(origin, now)
        if line is not None and not self._places.locked():
            await self._places.acquire()  # does not wait
            return line, None
        try:
            async with asyncio.timeout_at(deadline):
                line = line or await self._lines.to(origin, now)
                await self._places.acquire()
            return line, None
        except TimeoutError:
            return None, ("no_time", Fate.RETRY, "the deadline came before a connection was free", _NOTHING, None)
        except AddressRefused as refused:
            return None, ("address_refused", Fate.CONFIG, str(refused).removesuffix("."), _NOTHING, None)
        except NoSuchHost as missing:
            return None, ("no_such_host", Fate.RETRY, str(missing), f"{_NOTHING} Check the name and the DNS.", None)

    async def _exchange(
        self,
        origin: str,
        line: Line,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        deadline: float,
        limit: int,
    ) -> Got | Broke:
        """Over `line`; where it does not connect, over the name's next address, for as long as nothing was written."""
        loop = asyncio.get_running_loop()
        tried: set[str] = set()
        while True:
            left = deadline - loop.time()
            if left < LEAST_SECONDS:
                return Broke(False, True, "no time was left to send")
            got = await line.exchange(method, url, headers, body, seconds=left, limit=limit)
            if isinstance(got, Got) or got.written:
                return got
            tried.add(line.address)
            other = self._lines.other(origin, line)
            if other is None or other.address in tried:
                return got
            line = other


_Failure = tuple[str, Fate, str, str, int | None]
_NOTHING = "Nothing was sent."
_OURS = frozenset({"closed", "no_time", "address_refused", "malformed"})


def _failure(broke: Broke) -> _Failure:
    if broke.malformed:
        return "malformed", Fate.CONFIG, broke.what, f"{_NOTHING} Look for line breaks or spaces in the settings.", None
    if not broke.written:
        code = "no_time" if broke.what.startswith("no time") else "not_connected"
        what = broke.what if code == "no_time" else f"no connection ({broke.what})"
        return code, Fate.RETRY, what, _NOTHING, None
    doubt = "The request may have been taken: it is in doubt until a receipt or a repeat with the same id settles it."
    if broke.begun:
        what = f"an answer began and did not come whole ({broke.what})"
        return "answer_too_long" if broke.long else "answer_broken", Fate.UNKNOWN, what, doubt, broke.status
    if broke.late:
        return "no_answer", Fate.UNKNOWN, "no answer came before the deadline", doubt, None
    return "no_answer", Fate.UNKNOWN, f"the connection ended without an answer ({broke.what})", doubt, None


def _hidden(headers: Mapping[str, str], secrets: Sequence[str]) -> Sequence[str]:
    """All that must not be kept: the given secrets and the credential of the Authorization header."""
    for name, value in headers.items():
        if len(name) == 13 and name.lower() == "authorization":
            return (*secrets, value.rpartition(" ")[2])
    return secrets


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "an address that cannot be read"
