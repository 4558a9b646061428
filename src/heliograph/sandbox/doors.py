"""Who may come in: the Host and Origin of a request, and the token where the sandbox is not on loopback.

On loopback any page in the user's browser could reach it: by a name that it points at 127.0.0.1 (so Host must be a
loopback name), or by a form posted across (so Origin must be the sandbox itself). The providers' own paths ask for
their provider's credentials and need no token.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import msgspec

from heliograph.core.ports import Answer
from heliograph.errors import SetupError

COOKIE = "heliograph_sandbox"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

# Nothing is sent to any other host, and nothing is loaded from one but the media that a message names by address: a
# phone fetches them too. No script or style stands in a page itself.
PAGE_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: http: https:; "
        "media-src 'self' http: https:; "
        "connect-src 'self'; font-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Doors:
    """`host`: what the sandbox listens on. Raises SetupError if that is not loopback and there is no token."""

    def __init__(self, host: str, token: str) -> None:
        self._loopback = is_loopback(host)
        if not self._loopback and not token:
            raise SetupError(
                f"The sandbox would listen on {host}, where others reach it. Set HELIOGRAPH_SANDBOX_TOKEN to a secret "
                "of your choice, or listen on 127.0.0.1.",
                code="sandbox_token_missing",
            )
        self._names = LOOPBACK | {host.strip("[]").lower()}
        self._token = token
        self._ticket = hmac.new(token.encode(), b"heliograph sandbox", hashlib.sha256).hexdigest()

    def refuses_host(self, headers: Mapping[str, str]) -> Answer | None:
        """On loopback only loopback names and the bound one are answered."""
        if not self._loopback:
            return None
        name = _host_name(headers.get("host", ""))
        if name in self._names:
            return None
        return _said(421, f"The sandbox does not answer to {name[:80]!r}; use 127.0.0.1 or localhost.")

    def refuses(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer | None:
        """For pages and the control API: None = come in."""
        if method not in SAFE and (refused := self._foreign(headers)):
            return refused
        return self._unknown(method, path, query, headers) if self._token else None

    def _foreign(self, headers: Mapping[str, str]) -> Answer | None:
        origin = headers.get("origin")
        if origin is None:
            # No browser: programs send neither header. A browser that sends no Origin says where it comes from here.
            if headers.get("sec-fetch-site", "none") in ("none", "same-origin"):
                return None
            return _said(403, "This request comes from another page; only the sandbox's own pages may change it.")
        if urlsplit(origin).netloc.lower() == headers.get("host", "").lower():
            return None
        return _said(403, f"This request comes from {origin[:80]}; only the sandbox's own pages may change it.")

    def _unknown(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer | None:
        if self._ticket_shown(headers):
            return None
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and hmac.compare_digest(bearer.strip().encode(), self._token.encode()):
            return None
        parameters = parse_qsl(query, keep_blank_values=True)
        given = dict(parameters).get("token")
        if method == "GET" and given is not None and hmac.compare_digest(given.encode(), self._token.encode()):
            rest = urlencode([pair for pair in parameters if pair[0] != "token"])
            cookie = f"{COOKIE}={self._ticket}; Path=/; HttpOnly; SameSite=Strict"
            # One slash at the front, whatever came: a second would make it another host's address.
            where = "/" + quote(path.lstrip("/\\"), safe="/+") + (f"?{rest}" if rest else "")
            return Answer(status=303, headers={"location": where, "set-cookie": cookie, "cache-control": "no-store"})
        sentence = "The sandbox asks for its token: open it once with ?token=…, or send Authorization: Bearer …"
        return _said(401, sentence, {"www-authenticate": 'Bearer realm="heliograph sandbox"'})

    def _ticket_shown(self, headers: Mapping[str, str]) -> bool:
        try:
            shown = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return shown is not None and hmac.compare_digest(shown.value.encode(), self._ticket.encode())


def _host_name(host: str) -> str:
    """The name in a Host header, without the port and brackets, in small letters."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _said(status: int, sentence: str, headers: Mapping[str, str] = {}) -> Answer:
    body = msgspec.json.encode({"error": sentence})
    return Answer(status=status, body=body, headers={"content-type": "application/json; charset=utf-8", **headers})
