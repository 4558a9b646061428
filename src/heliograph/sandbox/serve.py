"""The sandbox as a running server: uvicorn with uvloop and httptools, on a port of its own."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from heliograph.errors import SetupError
from heliograph.sandbox.asgi import DROP, asgi
from heliograph.sandbox.world import World

STOPPING = 2  # seconds that open requests get; those that are never answered would wait for ever


class _Protocol(HttpToolsProtocol):
    """Lets the application close a connection without a byte, which ASGI itself cannot say."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        # The specification gives each extension a dict of its own.
        self.scope["extensions"] = {DROP: {"abort": self.transport.abort}}


class _Server(uvicorn.Server):
    """Leaves signals to the program around it."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # a generator's in uvicorn
        return nullcontext()


class Running:
    """A sandbox that answers. `url` has no slash at its end."""

    def __init__(self, world: World, server: uvicorn.Server, task: asyncio.Task[None], host: str, port: int) -> None:
        self.world = world
        self.host = host
        self.port = port
        self.url = f"http://{'[' + host + ']' if ':' in host else host}:{port}"
        self._server = server
        self._task = task

    async def stop(self) -> None:
        """Ends it; callbacks that still wait are dropped. A second call does nothing."""
        self.world.end()
        self._server.should_exit = True
        await asyncio.wait({self._task})
        await self.world.stop()

    async def __aenter__(self) -> Running:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


async def serve(
    world: World,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    token: str = "",
    line_ports: Mapping[str, int] = {},
) -> Running:
    """Starts the sandbox in the running event loop and returns once it answers. Port 0 takes a free one. `line_ports`:
    by provider, for those that have a line of their own; one that is not named takes a free one.

    Raises SetupError if the address cannot be taken, or if it is not loopback and there is no `token`.
    """
    app = asgi(world, host=host, token=token)
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=STOPPING,
        backlog=2_048,
    )
    server = _Server(config)
    try:
        await _open_lines(world, host, line_ports)
        await world.start()
    except BaseException:
        listener.close()
        await world.stop()
        raise
    task = asyncio.create_task(server.serve([listener]))
    running = Running(world, server, task, host, listener.getsockname()[1])
    try:
        while not server.started:
            if task.done():
                await task
                raise SetupError(f"The sandbox did not start on {host}:{port}.", code="sandbox_not_started")
            await asyncio.sleep(0.005)
    except BaseException:  # a signal, too: nothing is left running
        await running.stop()
        raise
    world.reached_at = world.reached_at or running.url
    return running


async def _open_lines(world: World, host: str, ports: Mapping[str, int]) -> None:
    for provider, twin in world.twins.items():
        listen = getattr(twin, "listen", None)
        if listen is None:
            continue
        port = ports.get(provider, 0)
        try:
            world.lines[provider] = await listen(world, host, port)
        except OSError as fault:
            raise SetupError(
                f"The sandbox cannot listen on {host}:{port} for {provider}: {fault.strerror or fault}. Choose another "
                f"port with --{provider}-port (0 takes a free one).",
                code="sandbox_address_taken",
            ) from fault


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio sets TCP_NODELAY on what comes in: without it a call costs 40 ms and more.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as fault:
        listener.close()
        raise SetupError(
            f"The sandbox cannot listen on {host}:{port}: {fault.strerror or fault}. Choose another with "
            "--sandbox-port (0 takes a free one).",
            code="sandbox_address_taken",
        ) from fault
    listener.setblocking(False)
    return listener
