"""What a row of the route table holds, and how a path finds its row.

A path under /api is matched without regard to case, with or without a slash at its end, and with percent-encoded
letters read as letters; it is never redirected, since a redirect makes a GET without a body of a POST. The spelling
that callers are told of is found with one look into a dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any

import msgspec

from heliograph.core.site import Scope
from heliograph.core.user import Role
from heliograph.web.call import Doors, WebAnswer, WebCall

Function = Callable[[WebCall, Doors], Awaitable[WebAnswer]]


class Auth(StrEnum):
    """Who may call. Every row says it; open is spelled out."""

    OAUTH1 = "oauth1"  # signed with a site's key
    KEY = "key"  # a site's bearer key, or a call signed with its OAuth key; the row says which scope the key needs
    CALLBACK = "callback"  # signed as the provider signs its callbacks; the provider's own file checks it
    SESSION = "session"  # a user who is logged in to the console; the row says which role is the least
    OPEN = "open"  # anybody
    PRIVATE = "private"  # nobody from outside: the private listener, or this machine


class Listener(StrEnum):
    PUBLIC = "public"
    PRIVATE = "private"
    BOTH = "both"


class Said(msgspec.Struct, frozen=True):
    """One answer of a route, for its documentation. `shape` is a struct, or None where the body is not JSON."""

    status: int
    means: str
    shape: Any = None
    headers: Mapping[str, str] = {}
    media: str = "application/json"


class Docs(msgspec.Struct, frozen=True, kw_only=True):
    """What the OpenAPI document says of a route beyond its summary."""

    about: str
    takes: Any = None
    says: tuple[Said, ...]
    params: Mapping[str, str] = {}  # of the path, and headers
    query: Mapping[str, str] = {}


class Route(msgspec.Struct, frozen=True):
    """A row. `path` may name parts in braces. `scope`: what a key must be allowed to do. `role`: the least role of a
    user; a row of Auth.SESSION has one, no other row has. `docs` None: a page of the console, no part of the API.
    `desk`: the row stands only where this desk is installed."""

    method: str
    path: str
    function: Function
    auth: Auth
    listener: Listener
    summary: str
    docs: Docs | None = None
    scope: Scope | None = None
    role: Role | None = None
    desk: str = ""

    def __post_init__(self) -> None:
        if (self.auth is Auth.SESSION) is not (self.role is not None):
            raise ValueError(
                f"{self.method} {self.path}: a row of Auth.SESSION says its least role, no other row does."
            )


class Found(msgspec.Struct, frozen=True, gc=False):
    """Where a path led: a route, or the methods that the address takes, or nothing."""

    route: Route | None = None
    params: Mapping[str, str] = {}
    allowed: tuple[str, ...] = ()


_NOTHING = Found()
# RFC 3986 section 2.3: these mean the same encoded or not. Anything else that is encoded (a slash, say) stays so.
_encoded = re.compile(rb"%(?:2[dDeE]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])")


def canonical(raw_path: bytes) -> str:
    """The path as the table spells it, its letters' case aside: letters decoded, no slash at the end. Never raises."""
    if b"%" in raw_path:
        raw_path = _encoded.sub(lambda match: bytes([int(match[0][1:], 16)]), raw_path)
    path = raw_path.decode("latin-1")
    return path[:-1] if len(path) > 1 and path[-1] == "/" else path


class Table:
    """The rows, ready to be searched."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._spelled: dict[bytes, dict[str, Found]] = {}
        self._plain: dict[str, dict[str, Found]] = {}
        self._named: list[tuple[tuple[str, ...], dict[str, Route]]] = []
        named: dict[str, dict[str, Route]] = {}
        for route in routes:
            if "{" in route.path:
                named.setdefault(route.path, {})[route.method] = route
            else:
                methods = self._plain.setdefault(_folded(route.path), {})
                methods[route.method] = Found(route)
                self._spelled[route.path.encode()] = methods
        self._named = [(tuple(path.split("/")), methods) for path, methods in named.items()]

    def find(self, method: str, raw_path: bytes) -> Found:
        methods = self._spelled.get(raw_path)
        if methods is None:
            path = canonical(raw_path)
            methods = self._plain.get(_folded(path))
            if methods is None:
                return self._find_named(method, path)
        found = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
        return found or Found(allowed=_allowed(methods))

    def _find_named(self, method: str, path: str) -> Found:
        parts = path.split("/")
        for pattern, methods in self._named:
            params = _match(pattern, parts)
            if params is not None:
                route = methods.get(method) or (methods.get("GET") if method == "HEAD" else None)
                return Found(route, params) if route else Found(allowed=_allowed(methods))
        return _NOTHING


def _allowed(methods: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))


def _folded(path: str) -> str:
    return path.lower() if path[:5].lower() == "/api/" else path


def _match(pattern: tuple[str, ...], parts: list[str]) -> dict[str, str] | None:
    if len(pattern) != len(parts):
        return None
    any_case = parts[1].lower() == "api"
    params = {}
    for want, part in zip(pattern, parts, strict=True):
        if want[:1] == "{":
            if not part:
                return None
            params[want[1:-1]] = part
        elif want != part and not (any_case and want.lower() == part.lower()):
            return None
    return params
