"""A browser without a screen for the console: keeps cookies, reads forms, sends them as a page of ours would."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from html import unescape
from urllib.parse import urlencode

import msgspec
import pytest

from heliograph.clock import SystemClock
from heliograph.core.ports import Store
from heliograph.core.user import Role, Way
from heliograph.flow import users
from web.conftest import BASE, OTHER, SITE, Caller, Said

PASSWORD = "correct horse battery"
__all__ = ["BASE", "OTHER", "PASSWORD", "SITE", "Browser", "Said"]


class Browser:
    """`get`, `post`; `page` is the last answer's text. Cookies are kept as a browser keeps them."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.cookies: dict[str, str] = {}
        self.page = ""
        self.headers: dict[str, str] = {"sec-fetch-site": "same-origin", "origin": BASE}

    @property
    def store(self) -> Store:
        return self.caller.store

    async def get(self, path: str, **headers: str) -> Said:
        return await self._call("GET", path, b"", {"accept": "text/html", **headers})

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> Said:
        """With the token of the page that was loaded last, unless the fields bring one."""
        given = {"csrf": self.token(), **fields}
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._call("POST", path, urlencode(given).encode(), {**self.headers, **kind, **headers})

    async def _call(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Said:
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.cookies:
            pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        said = await self.caller.call(method, path, body, pairs)
        for cookie in said.cookies:
            name, _, rest = cookie.partition("=")
            if "Max-Age=0" in rest:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = rest.partition(";")[0]
        self.page = said.body.decode()
        return said

    def token(self) -> str:
        found = re.search(r'name="csrf" value="([^"]*)"', self.page)
        return unescape(found[1]) if found else ""

    async def log_in(self, name: str, password: str = PASSWORD, **fields: str) -> Said:
        await self.get("/console/login")
        return await self.post("/console/login", {"name": name, "password": password, **fields})


@pytest.fixture
async def people(caller: Caller) -> Caller:
    """ann administers, bob is an agent, vic reads, joe is an author; amy administers site 25508804 alone, and zoe reads
    site 999 alone."""
    ann = await users.create(caller.store, "ann", Role.ADMIN, PASSWORD, clock=SystemClock(), by="test")
    for name, role, sites in (
        ("bob", Role.AGENT, ()),
        ("vic", Role.VIEWER, ()),
        ("joe", Role.AUTHOR, ()),
        ("amy", Role.ADMIN, (SITE,)),
        ("zoe", Role.VIEWER, (OTHER,)),
    ):
        user = msgspec.structs.replace(ann, name=name, role=role, sites=sites)  # one hash costs 40 ms
        line = users.audited(SystemClock(), who="test", way=Way.CLI, what="user.added", on=name)
        assert await caller.store.put_user(user, line, expects=None)
    return caller


@pytest.fixture
def browser(people: Caller) -> Callable[[], Browser]:
    """`browser()` opens a new one without cookies."""
    return lambda: Browser(people)


@pytest.fixture
def at(browser: Callable[[], Browser]) -> Callable[[str], Awaitable[Browser]]:
    """`await at("ann")`: a browser in which she is logged in."""

    async def opened(name: str) -> Browser:
        made = browser()
        said = await made.log_in(name)
        assert said.status == 303, made.page
        return made

    return opened
