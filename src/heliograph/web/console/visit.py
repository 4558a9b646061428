"""One visit: who asks for a page, for what, and the ways to answer."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from heliograph.core.site import Site
from heliograph.core.user import Audited, Role, Session, User, Way
from heliograph.flow import sessions, users
from heliograph.flow.means import Means
from heliograph.web import address
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.console import render

MOST_FIELDS = 500  # of a form


class Visit:
    """`user`, `session`: whose call it is. `secret`: what the cookie holds; tokens are derived from it."""

    def __init__(self, call: WebCall, doors: Doors, user: User, session: Session, secret: str) -> None:
        self.call = call
        self.doors = doors
        self.user = user
        self.session = session
        self._secret = secret

    # ── what is asked ──

    @property
    def means(self) -> Means:
        return self.doors.means

    @property
    def now(self) -> int:
        return self.doors.means.clock.now()

    @property
    def params(self) -> Mapping[str, str]:
        return self.call.params

    @property
    def path(self) -> str:
        return self.call.raw_path.decode("latin-1").rstrip("/")

    @cached_property
    def query(self) -> dict[str, str]:
        """The query's fields, the first of each name; empty ones are left out."""
        return fields(self.call.query)

    @cached_property
    def form(self) -> dict[str, str]:
        """The fields of the form, the first of each name."""
        return fields(self.call.body)

    @property
    def network(self) -> str:
        return address.network_of(address.caller(self.doors.plate, self.call.scope))

    # ── who asks ──

    def may(self, least: Role) -> bool:
        return self.user.role.may(least)

    @property
    def sees_all(self) -> bool:
        """Whether the user sees every site, those to come too."""
        return not self.user.sites

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """The sites that the user sees, by id. Nothing of any other may be on a page."""
        return tuple(site for site in self.means.registry.sites() if self.user.sees(site.id))

    def sees(self, site: str) -> bool:
        return self.user.sees(site)

    @cached_property
    def csrf(self) -> str:
        """The token that every form brings back. Who has not the cookie cannot know it."""
        return token(self._secret, "csrf")

    async def still_in(self) -> bool:
        """Whether the session is still in force, for what stays open after its call was let in."""
        user = await sessions.stands(self.session.digest, self.means)
        return user is not None and user.role is self.user.role and user.sites == self.user.sites

    # ── what must not stand in a page or an address as it is ──

    def sealed(self, text: str) -> str:
        """A number (or anything) as a word that only the same log-in can read again: for forms and addresses of pages
        on which it is masked."""
        nonce = secrets.token_bytes(12)
        return urlsafe_b64encode(nonce + self._box.encrypt(nonce, text.encode(), b"")).decode().rstrip("=")

    def opened(self, sealed: str) -> str:
        """The text again; empty where it was not sealed by the same log-in."""
        try:
            data = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            return self._box.decrypt(data[:12], data[12:], b"").decode()
        except (ValueError, InvalidTag):
            return ""

    @cached_property
    def _box(self) -> AESGCM:
        return AESGCM(hmac.digest(self._secret.encode(), b"seal", "sha256"))

    # ── what is written down ──

    def audited(self, what: str, *, on: str = "", site: str = "", detail: str = "") -> Audited:
        """A line of the audit log, to be written with the change (or by `means.store.audit`)."""
        return users.audited(
            self.means.clock, who=self.user.name, way=Way.CONSOLE, what=what, on=on, site=site, detail=detail
        )

    # ── answers ──

    def page(self, template: str, *, status: int = 200, **values: Any) -> WebAnswer:
        return render.page(template, status=status, visit=self, csrf=self.csrf, now=self.now, **values)

    def redirect(self, path: str) -> WebAnswer:
        """To a page of the console, to be fetched with GET."""
        return render.redirect(path)

    def trouble(self, status: int, sentence: str) -> WebAnswer:
        return self.page("trouble.html", status=status, sentence=sentence)


def fields(raw: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    try:
        pairs: Iterable[tuple[str, str]] = parse_qsl(
            raw.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS, errors="replace"
        )
    except ValueError:  # more fields than any form of ours has
        pairs = ()
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def token(secret: str, purpose: str) -> str:
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), purpose.encode(), "sha256").hex()
