"""The HTTP/1.1 connection: uvicorn's httptools protocol with the limits that it lacks.

Read in uvicorn 0.54: any byte ends its keep-alive timer, so a header may take for ever; headers and URL have no limit;
a body that is answered before it came is read on without end; a peer that reads nothing holds its answer for ever.
Here each connection keeps moments (loop.time()) by which something must have happened, and one `sweep` per server looks
at all of them: no timer is made per request.
"""

from __future__ import annotations

import asyncio
from math import inf

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from heliograph.web.plain import plain_answer, refusing

DROPPED = 4 * 1024 * 1024  # bytes of a body that are read after its answer (413), so that the caller gets to read it


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may cost. Sizes in bytes, times in seconds; the names are those of the settings.

    `header_size` counts the URL too. `body_timeout`: from the first byte of a header to its end, and again for the
    whole body. `idle_timeout`: between two calls, and how long a peer may leave an answer unread. `url_size`: RFC 9110
    section 4.1 asks for 8,000 at least. `connections`: open at once; those beyond are told 503.
    """

    header_limit: int = 100
    header_size: int = 32_768
    url_size: int = 8_192
    body_limit: int = 262_144
    body_timeout: float = 10.0
    idle_timeout: float = 30.0
    connections: int = 2_000


class Connection(HttpToolsProtocol):
    """One connection. Private names of ours start with `our_`, since uvicorn's class is open."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        limits: Limits,
        loop: asyncio.AbstractEventLoop,
        stopping: asyncio.Event,
    ) -> None:
        """`stopping` is set when the server stops; a call finds it in `scope["state"]` (streaming.py)."""
        super().__init__(config, server_state, {"stopping": stopping}, loop)
        self.our_limits = limits
        self.our_header_by = inf  # a whole header must be here; inf while none is awaited
        self.our_body_by = inf  # an answered call's body must have ended
        self.our_read_by = inf  # the peer must have read what we write
        self.our_header_open = False
        self.our_chunk = 0  # bytes of the chunk being read
        self.our_header_first = 0  # bytes of the chunk in which the open header began (calls before it may fill it)
        self.our_header_seen = 0  # of that chunk and all since: the header cannot be larger
        self.our_dropped = 0  # bytes of a body that came after its answer

    # ── what arrives ───────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.our_header_by = self.loop.time() + self.our_limits.idle_timeout
        if len(self.connections) > self.our_limits.connections:
            transport.write(
                plain_answer(503, "Too many connections are open. Try again in a second.", b"retry-after: 1\r\n")
            )
            transport.close()

    def data_received(self, data: bytes) -> None:
        self.our_chunk = len(data)
        if self.our_header_open:
            self.our_header_seen += self.our_chunk
        try:
            self.our_feed(data)
        except HttpParserError:
            self.our_refuse(
                400, "This is not HTTP/1.1 as RFC 9112 has it. Check the request line, headers and framing."
            )
            return
        if self.our_header_open:  # it did not end with this chunk
            if self.our_header_seen > self.our_limits.header_size and self.our_too_big() is not None:
                self.our_refuse(431, "The header is too large.")
        elif self.cycle is not None and self.cycle.response_complete and self.cycle.more_body:
            self.our_dropped += self.our_chunk
            if self.our_dropped > DROPPED:
                self.transport.close()

    def our_feed(self, data: bytes) -> None:
        """Java's HttpClient asks for an upgrade to h2c with each call, body and all. httptools 0.9 would take the body
        for the other protocol's; RFC 9110 section 7.8 lets us ignore the wish, so the call is read again without it.

        CONNECT is an upgrade to the parser whatever its headers say: read again it would be one for ever."""
        while True:
            try:
                self.parser.feed_data(data)
                return
            except HttpParserUpgrade as upgrade:
                if self.parser.get_method() == b"CONNECT" or not any(name == b"upgrade" for name, _ in self.headers):
                    self.our_refuse(400, "CONNECT asks for a proxy, which this server is not. Send the call itself.")
                    return
                version = self.parser.get_http_version().encode()
                head = [self.parser.get_method(), b" ", self.url, b" HTTP/", version, b"\r\n"]
                for name, value in self.headers:
                    if name != b"upgrade":
                        head += [name, b": ", value, b"\r\n"]
                data = b"".join([*head, b"\r\n", data[upgrade.args[0] :]])
                self.parser = HttpRequestParser(self)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.our_header_open = True
        self.our_header_first = self.our_header_seen = self.our_chunk
        self.our_header_by = self.loop.time() + self.our_limits.body_timeout

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # read again without the wish, or refused, see our_feed
        self.our_header_open = False
        self.our_header_by = inf
        # Only what was more than one small chunk, or has many headers, is counted exactly.
        refusal = None
        if (
            len(self.headers) > self.our_limits.header_limit
            or len(self.url) > self.our_limits.url_size
            or self.our_header_seen > self.our_limits.header_size
        ):
            refusal = self.our_too_big()
        elif [name for name, _ in self.headers].count(b"host") > 1:
            # RFC 9112 section 3.2. The signature covers the host: two readers must not see two.
            refusal = 400, "The call has more than one Host header. Send one."
        if refusal is None:
            super().on_headers_complete()
            return
        # As an application of its own, so that it waits for the answers of calls that came before it.
        self.app = refusing(*refusal)
        super().on_headers_complete()
        self.app = self.config.loaded_app

    def our_too_big(self) -> tuple[int, str] | None:
        """Status and sentence if the header (as far as it is here) is beyond a limit."""
        limits = self.our_limits
        if len(self.url) > limits.url_size:
            return 414, f"The URL has {len(self.url)} bytes, {limits.url_size} are allowed. Send the rest in the body."
        if len(self.headers) > limits.header_limit:
            return 431, f"The call has more than {limits.header_limit} headers. Send fewer."
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if self.our_header_open:  # what the parser holds of an unfinished header cannot be seen: count what came
            size = max(size, self.our_header_seen - self.our_header_first)
        if size > limits.header_size:
            return 431, f"The header has more than {limits.header_size} bytes. Send less."
        return None

    # ── what leaves ────────────────────────────────────────────────────────────────────────────────────────────────

    def on_response_complete(self) -> None:
        """In place of uvicorn's: the next call of the pipeline starts, or the connection waits for one."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self.cycle.more_body:
            # Answered before the body came (401, 413). A close now would reset the connection and may take the answer
            # with it (RFC 9112 section 9.6), so the rest is dropped unread, up to a limit. A caller that waits for
            # "100 Continue" has nothing under way.
            if self.expect_100_continue:
                self.transport.close()
            self.our_dropped = 0
            self.our_body_by = self.loop.time() + self.our_limits.body_timeout
        elif not self.our_header_open:
            self.our_header_by = self.loop.time() + self.our_limits.idle_timeout

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        super().on_message_complete()
        if self.our_body_by != inf:  # an answered call's body came to its end after all: wait for the next call
            self.our_body_by = inf
            self.cycle.more_body = False
            self.our_header_by = self.loop.time() + self.our_limits.idle_timeout

    def our_refuse(self, status: int, sentence: str) -> None:
        """An answer outside of any call, then the end of the connection. It never overtakes an answer under way."""
        self.our_header_open = False
        cycle = self.cycle
        if cycle is None or cycle.response_complete or (cycle.more_body and not cycle.response_started):
            if not self.transport.is_closing():
                self.transport.write(plain_answer(status, sentence, path=self.url))
                self.transport.close()
        elif cycle.more_body:
            self.transport.close()  # its body broke off while the answer was leaving
        else:
            cycle.keep_alive = False  # calls before the broken one are answered, then the connection ends
            self.flow.pause_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.our_read_by = self.loop.time() + self.our_limits.idle_timeout

    def resume_writing(self) -> None:
        super().resume_writing()
        self.our_read_by = inf

    # ── the clock ──────────────────────────────────────────────────────────────────────────────────────────────────

    def sweep(self, now: float) -> None:
        """Ends the connection if one of its moments has passed. Called for each connection, some times a second."""
        if self.transport.is_closing():
            # Closed with an answer in the buffer that the peer does not read.
            self.our_read_by = min(self.our_read_by, now + self.our_limits.idle_timeout)
            if now >= self.our_read_by:
                self.transport.abort()
        elif now >= self.our_read_by:
            self.transport.abort()
        elif self.cycle is not None and not self.cycle.response_complete:
            return  # at work; its body is timed by read_body, its length by the call's deadline
        elif now >= self.our_header_by and self.our_header_open:
            self.our_refuse(408, f"The header did not end within {self.our_limits.body_timeout:g} s.")
        elif now >= min(self.our_header_by, self.our_body_by):
            self.transport.close()
