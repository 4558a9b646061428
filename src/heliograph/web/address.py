"""Where a call went and whence it came: the URL as the caller wrote it, and the caller's own address. Pure.

The signature of a call covers its URL, so this must be what the caller typed, not what a proxy made of it. Forwarding
headers are believed only from peers that HELIOGRAPH_TRUSTED_PROXIES names, since anybody can write them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import msgspec

from heliograph.errors import SetupError

Scope = MutableMapping[str, Any]  # an ASGI HTTP scope
_FORWARDED_PAIR = re.compile(r'([A-Za-z]++)=(?:"([^"]*+)"|([^\s;,"]++))')


class Doorplate(msgspec.Struct, frozen=True, kw_only=True):
    """What the settings say about our own address, read once. `origin`: scheme, host and port of the public URL, empty
    = the Host header tells them. `prefix`: its path, which a proxy takes away before the call reaches us."""

    origin: str = ""
    prefix: str = ""
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()


def doorplate(public_url: str, trusted_proxies: str) -> Doorplate:
    """From the settings of these names (`trusted_proxies`: addresses or networks, commas between); SetupError."""
    return Doorplate(
        **_public(public_url.strip()),
        proxies=tuple(_network(piece.strip()) for piece in trusted_proxies.split(",") if piece.strip()),
    )


def url(plate: Doorplate, scope: Scope) -> str:
    """The absolute URL as the caller wrote it: path and query raw. Bytes that are not UTF-8 become surrogates."""
    path: str = scope["raw_path"].decode("utf-8", "surrogateescape")
    query: bytes = scope["query_string"]
    if query:
        path = f"{path}?{query.decode('utf-8', 'surrogateescape')}"
    if plate.origin:
        if plate.prefix and not path.startswith(f"{plate.prefix}/"):
            path = f"{plate.prefix}{path}"
        return f"{plate.origin}{path}"
    scheme, host = _reached(plate, scope)
    return f"{scheme}://{host}{path}"


def caller(plate: Doorplate, scope: Scope) -> str:
    """The caller's own address: the right-most hop that is not one of our proxies. Empty if it cannot be told."""
    peer = _peer(scope)
    if not plate.proxies or not _trusted(plate, peer):
        return peer
    return _outermost(plate, peer, _forwarding(scope))[0]


def network_of(address: str) -> str:
    """What limits are counted by: an IPv4 address itself, of IPv6 the /64, which one subscriber owns whole."""
    if ":" not in address:
        return address
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return str(found) if found else address


def _public(public_url: str) -> dict[str, str]:
    if not public_url:
        return {}
    found = re.fullmatch(r"(https?)://([^/?#@\s]+)(/[^?#\s]*)?", public_url, re.IGNORECASE)
    if found is None:
        raise SetupError(
            f"HELIOGRAPH_PUBLIC_URL is {public_url!r}, which is not an address such as https://alerts.acme.example. "
            "Set scheme and host as callers write them, without a query.",
            code="bad_public_url",
        )
    return {"origin": f"{found[1].lower()}://{found[2].lower()}", "prefix": (found[3] or "").rstrip("/")}


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SetupError(
            f"HELIOGRAPH_TRUSTED_PROXIES names {text!r}, which is neither an address nor a network. "
            "Write them like 10.0.0.7, 10.1.0.0/16, fd00::/8.",
            code="bad_trusted_proxies",
        ) from None


def _peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _reached(plate: Doorplate, scope: Scope) -> tuple[str, str]:
    """Scheme and host without a public URL: as forwarded by our own proxies, else as the connection says."""
    scheme: str = scope.get("scheme", "http")
    host = ""
    for name, value in scope["headers"]:
        if name == b"host":
            host = value.decode("latin-1").strip()
            break
    if not host:  # HTTP/1.0 need not say it
        server = scope.get("server") or ("localhost", None)
        host = f"[{server[0]}]" if ":" in server[0] else server[0]
        host = f"{host}:{server[1]}" if server[1] else host
    peer = _peer(scope)
    if plate.proxies and _trusted(plate, peer):
        _, said = _outermost(plate, peer, _forwarding(scope))
        scheme = said.get("proto", scheme).lower()
        if "host" in said:
            host = said["host"]
        if "port" in said and not re.search(r":\d+$", host):
            host = f"{host}:{said['port']}"
    return scheme, host


def _forwarding(scope: Scope) -> dict[str, str]:
    """The forwarding headers; a header that came several times is one list (RFC 9110 section 5.3)."""
    found: dict[str, str] = {}
    for raw, value in scope["headers"]:
        if raw.startswith(b"x-forwarded-") or raw == b"forwarded":
            name, text = raw.decode("latin-1"), value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if name in found else text
    return found


def _outermost(plate: Doorplate, peer: str, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """The caller's address and what the outermost of our proxies says of the call: proto, host, port.

    X-Forwarded-* go before Forwarded (RFC 7239): most proxies write only the former and let a caller's Forwarded pass.
    """
    if any(name.startswith("x-forwarded-") for name in headers):
        hops = _listed(headers.get("x-forwarded-for", ""))
        address, passed = _walk(plate, peer, hops)
        said = {}
        for name in ("proto", "host", "port"):
            values = _listed(headers.get(f"x-forwarded-{name}", ""))
            if values:  # each proxy adds one, or the last one writes it anew
                said[name] = values[max(len(values) - passed, 0)]
        return address, said
    elements = [
        {pair[0].lower(): pair[1] or pair[2] for pair in _FORWARDED_PAIR.findall(element)}
        for element in _listed(headers.get("forwarded", ""))
    ]
    address, passed = _walk(plate, peer, [element.get("for", "") for element in elements])
    return address, elements[max(len(elements) - passed, 0)] if elements else {}


def _walk(plate: Doorplate, peer: str, hops: Sequence[str]) -> tuple[str, int]:
    """From our side outward: the first hop that is not ours, and how many of our proxies the call passed. A hop that
    is no address ends the walk at the proxy before it."""
    address, passed = peer, 1
    for hop in reversed(hops):
        found = _address(hop)
        if found is None:
            break
        address = str(found)
        if not _trusted(plate, address):
            break
        passed += 1
    return address, min(passed, max(len(hops), 1))


def _trusted(plate: Doorplate, address: str) -> bool:
    found = _address(address)
    return found is not None and any(found in network for network in plate.proxies)


@lru_cache(maxsize=1024)  # proxies and callers come back; a parse costs 2 us
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address that may have a port (1.2.3.4:567, [::1]:567); IPv4 inside IPv6 counts as IPv4."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def _listed(value: str) -> list[str]:
    return [piece.strip() for piece in value.split(",") if piece.strip()]
