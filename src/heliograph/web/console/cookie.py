"""The cookies of the console: the session's, and the one that a form has before anybody is logged in.

Over TLS their names begin with `__Host-`: a browser takes such a cookie from this very host alone, so that no other
host of the domain can plant one (RFC 6265bis section 4.1.3.2). Without TLS, on a loopback address, they have no prefix.

Within another's page (framed.py) cookies of their own stand: those of the console stay at home. Over TLS they are
`SameSite=None; Secure; Partitioned`: the browser keeps them for that page alone.
"""

from __future__ import annotations

from heliograph.web import address
from heliograph.web.call import Doors, WebCall

SESSION, VISITOR = "heliograph", "heliograph-visitor"
FRAMED = {SESSION: "heliograph-frame", VISITOR: "heliograph-frame-visitor"}
_AWAY = frozenset(FRAMED.values())


def secure(call: WebCall, doors: Doors) -> bool:
    """Whether the browser speaks TLS to us, or to a proxy of ours."""
    return address.url(doors.plate, call.scope).startswith("https:")


def read(name: str, call: WebCall, doors: Doors) -> str:
    """What the cookie holds, "" where there is none. Two of one name are none."""
    wanted = _name(name, call, doors)
    found = [
        value.strip()
        for part in call.header(b"cookie").replace(",", ";").split(";")
        for key, _, value in (part.partition("="),)
        if key.strip() == wanted
    ]
    return found[0] if len(found) == 1 else ""


def written(name: str, value: str, call: WebCall, doors: Doors) -> tuple[bytes, bytes]:
    """The header that sets it until the browser ends; an empty value takes it away."""
    parts = [f"{_name(name, call, doors)}={value}", "Path=/", "HttpOnly"]
    if not secure(call, doors):
        parts.append("SameSite=Lax")
    elif name in _AWAY:
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", "Secure"]
    if not value:
        parts.append("Max-Age=0")
    return b"set-cookie", "; ".join(parts).encode()


def _name(name: str, call: WebCall, doors: Doors) -> str:
    return f"__Host-{name}" if secure(call, doors) else name
