"""The ASGI callable over the route table: finds the row, reads the body within its limit, answers, counts.

No framework: a call costs a look into a dictionary. Whatever breaks inside a row is a 500 with a sentence and a stack
without values in the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from time import perf_counter
from typing import Any

from heliograph.errors import CallRefused, StoreAway
from heliograph.telemetry import stack_of
from heliograph.web import problem
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.route import Auth, Listener, Route, Table
from heliograph.web.server import BodyTimeout, BodyTooLarge, CallerGone, read_body, written
from heliograph.web.streaming import streamed

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = ("127.", "::1", "::ffff:127.")
CALLBACK_LIMIT = 4 << 20  # bytes; Meta posts up to 1,000 events at once, 3 MB, and what is refused is lost after 7 days
_FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")


def asgi(doors: Doors, listener: Listener = Listener.PUBLIC) -> App:
    """The callable for one listener. Without a private port, private rows answer on the public listener to this
    machine alone, and only to calls that no proxy handed on."""
    table = Table(doors.routes)
    settings = doors.settings
    limit, one_listener = settings.body_limit, settings.private_port is None

    def private(scope: Scope, headers: dict[bytes, bytes]) -> bool:
        if listener is Listener.PRIVATE:
            return True
        peer = scope.get("client") or ("",)
        return one_listener and peer[0].startswith(LOOPBACK) and not any(name in headers for name in _FORWARDED)

    def served(route: Route, is_private: bool) -> bool:
        if route.listener is Listener.PRIVATE:
            return is_private
        return route.listener is Listener.BOTH or listener is Listener.PUBLIC

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _other(scope, receive, send)
            return
        began = perf_counter()
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        method: str = scope["method"]
        found = table.find(method, raw_path)
        route = found.route
        if route is None:
            answer = (
                problem.wrong_method(method, raw_path, found.allowed)
                if found.allowed
                else problem.no_route(method, raw_path)
            )
        else:
            headers = _headers(scope)
            is_private = route.listener is not Listener.PUBLIC and private(scope, headers)
            if not served(route, is_private):
                route, answer = None, problem.no_route(method, raw_path)
            else:
                most = max(limit, CALLBACK_LIMIT) if route.auth is Auth.CALLBACK else limit
                try:
                    body = await read_body(scope, receive, most, settings.body_timeout)
                except BodyTooLarge:
                    answer = problem.too_large(raw_path, most)
                except BodyTimeout as late:
                    answer = problem.say(raw_path, 408, late.sentence, headers=((b"connection", b"close"),))
                except CallerGone:
                    return
                else:
                    call = WebCall(
                        method=method,
                        raw_path=raw_path,
                        query=scope["query_string"],
                        headers=headers,
                        body=body,
                        scope=scope,
                        params=found.params,
                        private=is_private,
                    )
                    answer = await _answer(route, call, doors)
        place = route.path if route else "none"
        if answer.stream is not None:
            # Measured to its beginning: how long somebody looks is no latency.
            doors.meters.call(place, answer.status, perf_counter() - began)
            await streamed(answer, answer.stream, method, scope, receive, send, doors.log, place)
            return
        await _write(answer, send)
        doors.meters.call(place, answer.status, perf_counter() - began)

    return app


async def _answer(route: Route, call: WebCall, doors: Doors) -> WebAnswer:
    try:
        return await route.function(call, doors)
    except StoreAway:
        return problem.store_away(call.raw_path)
    except CallRefused as error:
        return problem.say(call.raw_path, 400, error.sentence)
    except Exception as error:  # noqa: BLE001  a bug: the caller gets an answer, the log the place
        doors.log(
            "error",
            "A call broke on an error of our own.",
            action="call.broke",
            route=route.path,
            error=type(error).__name__,
            stack=stack_of(error),
        )
        return problem.our_fault(call.raw_path)


async def _write(answer: WebAnswer, send: Send) -> None:
    """Writes the answer and tells `after` whether it went out on a connection that still stood."""
    await send(
        {
            "type": "http.response.start",
            "status": answer.status,
            "headers": [(b"content-length", str(len(answer.body)).encode()), *answer.headers],
        }
    )
    await send({"type": "http.response.body", "body": answer.body})
    if answer.after is not None:
        await answer.after(written(send))


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """By name; one that came twice is joined with a comma (RFC 9110 section 5.2), so that two never pass for one."""
    pairs = scope["headers"]
    headers: dict[bytes, bytes] = dict(pairs)
    if len(headers) != len(pairs):
        headers = {}
        for name, value in pairs:
            headers[name] = b"%b, %b" % (headers[name], value) if name in headers else value
    return headers


async def _other(scope: Scope, receive: Receive, send: Send) -> None:
    """Lifespan events are nobody's business here (app.py starts and stops the house); web sockets are not taken."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1000})
        return
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
