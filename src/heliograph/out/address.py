"""Which addresses may be spoken to: the host as it is written in a URL, and the IP address behind it.

Our reading of a host must not differ from the HTTP library's (WHATWG): a difference would let a URL pass this check
and reach another host. So only plain spellings are taken: letters, digits, dots and dashes, or an IP address in its
usual form. User names, backslashes, "127.1", "0x7f000001" and the like are refused, not interpreted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

import msgspec

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_ORIGIN = re.compile(r"(https?)://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?", re.ASCII)
_END = re.compile(r"[/?#\\]")
_PORTS = {"http": 80, "https": 443}
# IPv6 forms that carry an IPv4 address in their last 32 bits: NAT64 (RFC 6052) and IPv4-compatible (RFC 4291).
_CARRIERS = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


class AddressRefused(Exception):
    """The sentence says which host and what to do."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Scheme, host (lower case, IPv6 without brackets) and port. `literal`: the host when it is an IP address."""

    scheme: str
    host: str
    port: int
    literal: IpAddress | None = None

    @property
    def shown(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def prefix(url: str) -> str:
    """The part of a URL that names the origin, not yet checked: all before the path, the query or the fragment."""
    found = _END.search(url, 8)
    return url if found is None else url[: found.start()]


def read(text: str) -> Origin:
    """The origin in "https://host:port". Raises AddressRefused for any spelling that is not plain."""
    found = _ORIGIN.fullmatch(text)
    if found is None:
        raise AddressRefused(
            "The address is not of the form https://host[:port]/… in plain letters (no user name, no spaces, "
            "international names in their xn-- form)."
        )
    scheme, host, port = found.groups()
    host = host.lower()
    if host.endswith("."):
        raise AddressRefused(f"{host} ends with a dot; write it without.")
    number = int(port) if port else _PORTS[scheme]
    if not 0 < number < 65536:
        raise AddressRefused(f"Port {number} does not exist; ports are 1 to 65535.")
    literal: IpAddress | None = None
    try:
        literal = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        last = host.rpartition(".")[2]
        if host.startswith("[") or last.isdigit() or last.startswith("0x"):
            raise AddressRefused(f"{host} is not an IP address in its usual form; write it as 192.0.2.1.") from None
    return Origin(scheme=scheme, host=host.strip("[]"), port=number, literal=literal)


def is_public(address: IpAddress) -> bool:
    """True for an address of the open internet. IPv6 forms that wrap an IPv4 address are judged by what they wrap."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            return False
        wrapped = address.ipv4_mapped or address.sixtofour or (address.teredo and address.teredo[1])
        if not wrapped and any(address in network for network in _CARRIERS):
            wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped:
            return is_public(wrapped)
    return address.is_global and not address.is_multicast and not address.is_reserved


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be spoken to. `allowed` holds "host" and "host:port", lower case."""

    allowed: frozenset[str] = frozenset()
    allow_private: bool = False
    only_allowed: bool = False

    @classmethod
    def of(cls, allowed: Sequence[str], *, allow_private: bool, only_allowed: bool) -> Rules:
        """A single string is read as a comma separated list, as the setting is written."""
        names = allowed.split(",") if isinstance(allowed, str) else allowed
        listed = frozenset(name.strip().lower() for name in names if name.strip())
        return cls(allowed=listed, allow_private=allow_private, only_allowed=only_allowed)

    def lists(self, origin: Origin) -> bool:
        bare = f"[{origin.host}]" if ":" in origin.host else origin.host
        return bool(self.allowed) and not self.allowed.isdisjoint((origin.host, bare, origin.shown))

    def check(self, origin: Origin, addresses: Sequence[IpAddress]) -> None:
        """Raises AddressRefused unless every one of `addresses` may be spoken to. One private address among public
        ones refuses the host: honest names do not mix them."""
        if self.lists(origin):
            return
        if self.only_allowed:
            raise AddressRefused(
                f"{origin.shown} is not an allowed host here; these are: {', '.join(sorted(self.allowed)) or 'none'}. "
                "If it is wanted, add it to HELIOGRAPH_ALLOWED_HOSTS."
            )
        public = [is_public(address) for address in addresses]
        if not all(public) and not self.allow_private:
            raise AddressRefused(
                f"{origin.shown} is a private address. If that is wanted, set HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES=true, "
                "or name it and every other host that is called in HELIOGRAPH_ALLOWED_HOSTS."
            )
        if origin.scheme == "http" and any(public):
            raise AddressRefused(
                f"{origin.shown} is on the open internet and http:// would send credentials in clear. Use https://."
            )
