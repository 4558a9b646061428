"""The lines that are open: for each origin one, to an address that was resolved and checked by us.

A name is asked again every minute, and at once after a connection failed; a line keeps its address for as long as the
name still has it, so that pooled connections live on.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from heliograph.out.address import AddressRefused, IpAddress, Origin, Rules, read
from heliograph.out.wire import Line

RESOLVE_EVERY = 60.0  # seconds
RESOLVE_SECONDS = 5.0
KEPT = 256  # origins; webhooks may name many, and each line is a pool of its own


class NoSuchHost(Exception):
    """The name has no address, or the DNS does not answer."""


class _Way:
    """An origin, its checked addresses, and the line to one of them."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.addresses: list[IpAddress] = []
        self.line: Line | None = None
        self.ask_again = 0.0
        self.asking: asyncio.Lock = asyncio.Lock()


class Lines:
    """All ways out of this process, at most 256; the one that was opened first goes first."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._ways: dict[str, _Way] = {}

    def ready(self, prefix: str, now: float) -> Line | None:
        """The line to "https://host:port" if it is open and its name need not be asked again."""
        way = self._ways.get(prefix)
        return way.line if way is not None and now < way.ask_again else None

    async def to(self, prefix: str, now: float) -> Line:
        """The line to "https://host:port", opened or checked again. Raises AddressRefused and NoSuchHost."""
        way = self._ways.get(prefix)
        if way is None:
            way = _Way(read(prefix))
            self._rules.check(way.origin, ())  # a host that is not allowed at all is not even looked up
            while len(self._ways) >= KEPT:
                # Not closed: requests under way hold it, and its connections end when the last one lets it go.
                del self._ways[next(iter(self._ways))]
            self._ways[prefix] = way
        async with way.asking:
            if way.line is not None and now < way.ask_again:
                return way.line  # somebody else asked while we waited
            if way.line is not None:
                way.ask_again = now + RESOLVE_SECONDS  # until this answer is there, the others use the checked address
            try:
                addresses = await self._resolve(way.origin)
            except NoSuchHost:
                if way.line is None:
                    raise
                return way.line  # the DNS is away; the address was checked and is as good as a minute ago
            try:
                self._rules.check(way.origin, addresses)
            except AddressRefused:
                way.line = None  # the name leads elsewhere now: nothing more goes to it
                raise
            way.addresses = addresses
            way.ask_again = now + RESOLVE_EVERY
            if way.line is None or ipaddress.ip_address(way.line.address) not in addresses:
                way.line = Line(way.origin.host, str(addresses[0]))
            return way.line

    def other(self, prefix: str, failed: Line) -> Line | None:
        """After a connect to `failed` broke: a line to the name's next address, None where there is no other. The name
        is asked again by the next request."""
        way = self._ways.get(prefix)
        if way is None:
            return None
        way.ask_again = 0.0
        if way.line is not failed and way.line is not None:
            return way.line  # another task has moved on already
        here = [str(address) for address in way.addresses]
        if len(here) < 2 or failed.address not in here:
            return None
        way.line = Line(way.origin.host, here[(here.index(failed.address) + 1) % len(here)])
        return way.line

    async def addresses(self, prefix: str) -> tuple[str, ...]:
        """The checked addresses of "https://host:port", for a line that is not HTTP. Raises as `to` does."""
        origin = read(prefix)
        self._rules.check(origin, ())
        found = await self._resolve(origin)
        self._rules.check(origin, found)
        return tuple(str(address) for address in found)

    async def close(self) -> None:
        ways, self._ways = list(self._ways.values()), {}
        for way in ways:
            if way.line is not None:
                await way.line.close()

    async def _resolve(self, origin: Origin) -> list[IpAddress]:
        if origin.literal is not None:
            return [origin.literal]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RESOLVE_SECONDS):
                found = await loop.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
        except TimeoutError:  # an OSError too, so it comes first
            raise NoSuchHost(f"the DNS did not answer for {origin.host} within {RESOLVE_SECONDS:g} s") from None
        except (OSError, UnicodeError):
            raise NoSuchHost(f"no address is known for {origin.host}") from None
        unique = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
        if not unique:
            raise NoSuchHost(f"no address is known for {origin.host}")
        return [ipaddress.ip_address(text) for text in unique]
