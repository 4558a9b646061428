"""The sandbox as an ASGI application: providers' paths to their twins, /sandbox to the control API, the rest to pages.

A bare callable, because the twins' paths are loaded in benchmarks: a create costs the server, the decoding and the
twin, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from heliograph.core.desk_twin import DeskTwin
from heliograph.core.ports import Answer, Call
from heliograph.core.twin import Twin, TwinAnswer
from heliograph.sandbox.control import control
from heliograph.sandbox.doors import PAGE_HEADERS, Doors
from heliograph.sandbox.pages import page
from heliograph.sandbox.world import World
from heliograph.sandbox.wrong import Garbled

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

CONTROL_BODY = 1_048_576  # bytes
# What a proxy that lost its way answers with 200 to any call.
NONSENSE = b"<!doctype html><title>Welcome</title><p>Please sign in to the network."
FILE_BODY = 24 * 1_048_576  # of a phone's file: 16 MiB in base64, and its JSON
DROP = "heliograph.drop"  # ASGI extension of serve.py: closes the connection without a byte


class _Gone(Exception):
    """The caller went away before its body was whole."""


class _TooLarge(Exception):
    pass


def asgi(world: World, *, host: str = "127.0.0.1", token: str = "") -> App:
    """The application for one world. `host` is what it listens on: off loopback a `token` is asked for, and its absence
    is a SetupError. The lifespan protocol starts and stops the world."""
    doors = Doors(host, token)
    everyone: list[Twin | DeskTwin] = [*world.twins.values(), *world.desk_twins.values()]
    twins = [(prefix, twin) for twin in everyone for prefix in twin.PREFIXES]
    twins.sort(key=lambda one: -len(one[0]))  # the longest that fits

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(world, receive, send)
            return
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if refused := doors.refuses_host(headers):
            await _answer(send, refused)
            return
        path: str = scope["path"]
        for prefix, twin in twins:
            if path.startswith(prefix):
                await _twin(twin, world, scope, headers, receive, send)
                return
        try:
            await _own(world, doors, scope, headers, receive, send)
        except _Gone:
            return
        except _TooLarge:
            await _answer(
                send,
                _said(413, f"The body is larger than {CONTROL_BODY:,} bytes (with a phone's file: {FILE_BODY:,})."),
            )

    return app


async def _twin(
    twin: Twin | DeskTwin, world: World, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    try:
        body = await _body(receive, headers, twin.body_limit(scope["path"]))
    except _Gone:
        return
    except _TooLarge:
        await _answer(send, _said(413, "The request is larger than the provider reads."))
        return
    raw = scope["raw_path"].decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    world.reached_at = f"{scope['scheme']}://{headers.get('host', '')}"
    url = f"{world.reached_at}{raw}{'?' + query if query else ''}"
    answer = _answered(twin, Call(method=scope["method"], url=url, headers=headers, body=body), world)
    if world.desk_twins.get(twin.NAME) is twin and scope["method"] != "GET":
        world.desk_changed(twin.NAME)
    if answer.delay or answer.end != "answer":
        await _late(answer, world, scope, receive, send)
    else:
        await _answer(send, answer)


def _answered(twin: Twin | DeskTwin, call: Call, world: World) -> TwinAnswer:
    """The twin's answer, or nonsense."""
    world.answering, world.garbles = True, False
    try:
        answer = twin.answer(call, world)
    except Garbled:
        return TwinAnswer(body=NONSENSE, headers={"content-type": "text/html"})
    finally:
        world.answering = False
    if world.garbles and answer.end == "answer":
        return TwinAnswer(body=NONSENSE, headers={"content-type": "text/html"}, delay=answer.delay)
    return answer


async def _late(answer: TwinAnswer, world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """Answers after a while, or never: then the connection stays open until the caller or the sandbox ends it."""
    gone = asyncio.ensure_future(_until_gone(receive))
    ended = asyncio.ensure_future(world.ended.wait())
    waiting = asyncio.ensure_future(world.clock.sleep(answer.delay))
    try:
        if answer.delay:
            await asyncio.wait({gone, ended, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if answer.end == "answer":
            if not gone.done():
                await _answer(send, answer)
            return
        if answer.end == "hang":
            await asyncio.wait({gone, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not gone.done():
            await _drop(scope, send)
            await gone
    finally:
        for task in (gone, ended, waiting):
            task.cancel()


async def _drop(scope: Scope, send: Send) -> None:
    """Closes the connection without a byte."""
    drop = scope.get("extensions", {}).get(DROP)
    if drop is not None:
        drop["abort"]()
    else:  # under another server the nearest thing: a head that promises more than comes
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _own(
    world: World, doors: Doors, scope: Scope, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    method: str = scope["method"]
    path: str = scope["path"]
    query = scope["query_string"].decode("latin-1")
    if refused := doors.refuses(method, path, query, headers):
        await _answer(send, refused)
    elif path == "/sandbox/events" and method == "GET":
        await _events(world, headers, receive, send)
    elif path.startswith("/sandbox/"):
        body = await _body(receive, headers, FILE_BODY if path.endswith("/file") else CONTROL_BODY)
        await _answer(send, await control(method, path[9:], dict(parse_qsl(query)), body, world))
    elif method not in ("GET", "HEAD"):
        await _answer(send, _said(405, f"{method} {path[:80]}: pages can only be read.", {"allow": "GET, HEAD"}))
    elif path.startswith("/media/"):
        await _answer(send, _medium(world, path[7:]))
    elif (found := page(path)) is not None:
        await _answer(send, Answer(body=found[1], headers={"content-type": found[0], "cache-control": "no-cache"}))
    else:
        await _answer(
            send, _said(404, f"Nothing is at {path[:80]}. The handsets are at /, the control API at /sandbox/.")
        )


def _medium(world: World, medium_id: str) -> Answer:
    medium = world.medium(medium_id)
    if medium is None or not medium.data:
        return _said(404, f"No file {medium_id[:40]!r} was uploaded here.")
    # Two policies are both kept to: that of pages and this one, with which no script of a file runs.
    headers = {"content-type": medium.content_type, "cache-control": "max-age=3600"}
    return Answer(body=medium.data, headers={**headers, "content-security-policy": "sandbox"})


async def _events(world: World, headers: Mapping[str, str], receive: Receive, send: Send) -> None:
    feed = world.feed
    if feed.full:
        await _answer(send, _said(503, "Too many pages listen already; close some.", {"retry-after": "5"}))
        return
    last = headers.get("last-event-id", "")
    after = int(last) if last.isdecimal() else None
    if after is not None and after > feed.now:  # from another sandbox: tell all there is
        after = 0
    head = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    gone = asyncio.ensure_future(_until_gone(receive))
    sending = asyncio.ensure_future(_stream(feed.listen(after), send))
    try:
        await asyncio.wait({gone, sending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (gone, sending):
            task.cancel()
        await asyncio.gather(gone, sending, return_exceptions=True)
    if sending.done() and not sending.cancelled() and (fault := sending.exception()) is not None:
        raise fault


async def _stream(lines: Any, send: Send) -> None:
    try:
        async for line in lines:
            await send({"type": "http.response.body", "body": line, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        await lines.aclose()


async def _body(receive: Receive, headers: Mapping[str, str], limit: int) -> bytes:
    announced = headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _TooLarge
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body"):
        if message["type"] == "http.disconnect":
            raise _Gone
        return body
    parts = [body]
    size = len(body)
    while message.get("more_body"):
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        if size > limit:
            raise _TooLarge
        parts.append(part)
    return b"".join(parts)


async def _answer(send: Send, answer: Answer) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers.items()]
    if type(answer) is not TwinAnswer:
        headers.extend(_PAGE_HEADERS)
    elif not answer.headers.get("content-type", "application/json").startswith("application/json"):
        headers.extend(_FILE_HEADERS)
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


# A file that somebody uploaded may be a page with a script: it is none of the sandbox's own.
_FILE_HEADERS = [(b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff")]
_PAGE_HEADERS = [(name.encode(), value.encode()) for name, value in PAGE_HEADERS.items()]


def _said(status: int, sentence: str, headers: Mapping[str, str] = {}) -> Answer:
    body = msgspec.json.encode({"error": sentence})
    return Answer(status=status, body=body, headers={"content-type": "application/json; charset=utf-8", **headers})


async def _lifespan(world: World, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await world.start()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await world.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
