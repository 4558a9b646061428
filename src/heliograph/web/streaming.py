"""An answer without an end of its own: pieces are written as they come.

A piece waits until the connection takes it, so a caller that reads slowly holds one piece and the system's buffer
(64 KB above which uvicorn waits), and one that reads nothing for `idle_timeout` is cut (protocol.py). A quiet stream is
not: the connection is at work. Whoever makes the stream writes something now and then, for the proxies between.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, MutableMapping
from typing import Any

from heliograph.telemetry import stack_of
from heliograph.web.call import WebAnswer

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

LAST_WORD = 0.5  # seconds that the end of a stream may take; a caller that does not read is cut without it


async def streamed(
    answer: WebAnswer,
    pieces: AsyncGenerator[bytes],
    method: str,
    scope: MutableMapping[str, Any],
    receive: Receive,
    send: Send,
    log: Callable[..., None],
    place: str,
) -> None:
    """Writes `pieces` until they end, the caller is gone, or the server stops, whichever comes first."""
    await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
    stopping: asyncio.Event | None = scope.get("state", {}).get("stopping")
    gone = asyncio.ensure_future(_until_gone(receive))
    if method != "HEAD":
        writing = asyncio.ensure_future(_write(pieces, send))
        tasks: set[asyncio.Task[Any]] = {gone, writing}
        if stopping is not None:
            tasks.add(asyncio.ensure_future(stopping.wait()))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks - {gone}:
                task.cancel()
            await asyncio.wait(tasks - {gone})
        if not writing.cancelled() and (error := writing.exception()) is not None:
            log(
                "error",
                "A stream broke on an error of our own.",
                action="stream.broke",
                route=place,
                error=type(error).__name__,
                stack=stack_of(error),
            )
    await pieces.aclose()
    try:
        if not gone.done():
            async with asyncio.timeout(LAST_WORD):
                await send({"type": "http.response.body", "body": b""})
    except TimeoutError:
        transport = getattr(getattr(send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()
    finally:
        gone.cancel()
    if answer.after is not None:
        await answer.after(not gone.done())


async def _write(pieces: AsyncGenerator[bytes], send: Send) -> None:
    async for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        # To a caller who is gone `send` returns at once: without this, ready pieces would hold the loop.
        await asyncio.sleep(0)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
