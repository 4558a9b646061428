"""Runs an ASGI application under uvicorn's HTTP (httptools, on the loop that runs: uvloop), and reads bodies.

uvicorn's own Server is left out: it takes the signals, ends the process when a port is taken and polls every 0.1 s.
"""

from __future__ import annotations

import asyncio
import os
import resource
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from heliograph.errors import CallRefused, SetupError
from heliograph.web.plain import Send
from heliograph.web.protocol import Connection, Limits

__all__ = ["BodyTimeout", "BodyTooLarge", "CallerGone", "Limits", "Server", "read_body", "written"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
App = Callable[[Any, Any, Any], Awaitable[None]]


class BodyTooLarge(CallRefused):
    """413. The rest of the body was not read; answer without `connection: close` (see protocol.py), so that a caller
    that is still sending gets the answer."""


class BodyTimeout(CallRefused):
    """408. Answer with `connection: close`: what may still come of this body cannot be told from the next call."""


class CallerGone(CallRefused):
    """The caller hung up before its body ended: there is nobody to answer."""


class Server:
    """One listening address. `start` in a running loop, `stop` before it ends; both once."""

    def __init__(
        self,
        app: App,
        host: str,
        port: int,
        limits: Limits,
        *,
        ended: Callable[[asyncio.Task[None]], None] | None = None,
    ) -> None:
        """`ended` is told of the task that keeps the connections' time, which should run until `stop`."""
        self._ended = ended
        self._host = host
        self._port = port
        self._limits = limits
        self._config = Config(
            app,
            http=Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # address.py reads them, by its own rules
            server_header=False,
        )
        self._state = ServerState()
        self._stopping = asyncio.Event()
        self._listener: asyncio.Server | None = None
        self._ticks: asyncio.Task[None] | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._state.connections)

    async def start(self) -> int:
        """Listens; the port it got (the given one, or any free one for 0). Raises SetupError if it cannot."""
        loop = asyncio.get_running_loop()
        _allow_files(2 * self._limits.connections)  # as many again for the database, providers and media
        self._config.load()
        self._set_date()
        try:
            self._listener = await loop.create_server(
                lambda: Connection(self._config, self._state, self._limits, loop, self._stopping),
                self._host,
                self._port,
                backlog=2048,
            )
        except OSError as broken:
            raise SetupError(
                f"The server cannot listen on {self._host}:{self._port}: {_reason(broken)}. Choose another with --port "
                "(0 takes a free one) or --host.",
                code="cannot_listen",
            ) from broken
        self._ticks = loop.create_task(self._tick(), name="connections")
        if self._ended is not None:
            self._ticks.add_done_callback(self._ended)
        return int(self._listener.sockets[0].getsockname()[1])

    async def stop(self, timeout: float) -> None:
        """Listens no more, ends streams, lets calls under way be answered for `timeout` seconds, then cuts what is
        left."""
        if self._listener is None or self._ticks is None:
            return
        self._listener.close()
        for connection in list(self._state.connections):
            connection.shutdown()  # idle: closed; at work: closed once it has answered
        self._stopping.set()
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        while self._state.tasks and loop.time() < end:  # a pipelined call starts a task of its own
            await asyncio.wait(set(self._state.tasks), timeout=end - loop.time())
        for connection in list(self._state.connections):
            # Not answered with uvicorn's 500, which would say that a repeat is safe.
            connection.transport.abort() if self._state.tasks else connection.transport.close()
        await asyncio.sleep(0)
        for task in list(self._state.tasks):
            task.cancel()
        if self._state.tasks:
            await asyncio.wait(set(self._state.tasks), timeout=1.0)
        self._ticks.cancel()
        await asyncio.wait([self._ticks])

    async def _tick(self) -> None:
        """The date header, and the moments of all connections: 2,000 connections cost 0.3 ms a time."""
        limits, loop = self._limits, asyncio.get_running_loop()
        every = min(1.0, limits.idle_timeout / 4, limits.body_timeout / 4)
        while True:
            await asyncio.sleep(every)
            self._set_date()
            now = loop.time()
            for connection in list(self._state.connections):
                connection.sweep(now)  # type: ignore[union-attr]  # all are ours

    def _set_date(self) -> None:
        self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]


async def read_body(scope: Scope, receive: Receive, limit: int, timeout: float) -> bytes:
    """A call's whole body. Raises BodyTooLarge (413) as soon as `limit` bytes are passed or announced to be,
    BodyTimeout (408) if it did not end within `timeout` seconds, CallerGone."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            if int(value) > limit:
                raise _too_large(int(value), limit)
            break
    # It is nearly always here with the header: then no timer is made (which costs 2 us).
    call = getattr(receive, "__self__", None)
    if isinstance(call, RequestResponseCycle) and not call.more_body:
        return await _collected(receive, limit)
    try:
        async with asyncio.timeout(timeout):
            return await _collected(receive, limit)
    except TimeoutError:
        raise BodyTimeout(
            f"The body did not end within {timeout:g} s. Send it whole, with its true Content-Length.",
            code="body_timeout",
        ) from None


def written(send: Send) -> bool:
    """Whether the answer went out on a connection that still stood: what the system took, not what the caller read."""
    call = getattr(send, "__self__", None)
    return not isinstance(call, RequestResponseCycle) or (call.response_complete and not call.disconnected)


def _reason(broken: OSError) -> str:
    """The system's word alone: asyncio's own sentence names the address once more."""
    return os.strerror(broken.errno) if broken.errno else str(broken)


def _allow_files(wanted: int) -> None:
    """Lifts the soft limit of open files, commonly 1,024, as far as the hard one allows: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


async def _collected(receive: Receive, limit: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise CallerGone("The caller hung up before its body ended.", code="caller_gone")
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise _too_large(size, limit)
        if not message.get("more_body", False):
            return b"".join([*pieces, piece]) if pieces else piece
        pieces.append(piece)


def _too_large(size: int, limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body has {size} bytes or more, {limit} are allowed. Send less.", code="body_too_large")
