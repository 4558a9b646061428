"""The fence around the sandbox: which senders speak to it alone, and a way out for them that leads nowhere else.

Every request of a fenced sender passes here, and every connect of one with a line of its own, whatever led to it: a
test key, a receipt's follow-up, a token that is renewed. What the fence lets through still has to pass the rules of the
client behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from heliograph.core.ports import Exchange, Out, Response
from heliograph.errors import Blame, Fate, SendError
from heliograph.out import redact
from heliograph.out.address import AddressRefused, Origin, Rules, prefix, read
from heliograph.out.client import ANSWER_LIMIT


class Fence:
    """`hosts`: "host" or "host:port", the setting sandbox_hosts."""

    def __init__(self, hosts: Sequence[str]) -> None:
        self._rules = Rules.of(hosts, allow_private=False, only_allowed=True)

    def holds(self, addresses: Iterable[str]) -> bool:
        """Whether all of them are inside. `addresses`: "https://host:port/…", "host:port" or "host"; none at all, or
        one that cannot be read, is outside."""
        found = [self._origin(address) for address in addresses]
        return bool(found) and all(origin is not None and self._rules.lists(origin) for origin in found)

    def around(self, out: Out) -> Fenced:
        return Fenced(self, out)

    def _origin(self, address: str) -> Origin | None:
        scheme, apart, rest = address.rpartition("://")
        try:
            return read(prefix(f"{scheme if apart and scheme in ('http', 'https') else 'http'}://{rest}"))
        except AddressRefused:
            return None


class Fenced:
    """core.ports.Out that reaches what the fence holds."""

    def __init__(self, fence: Fence, out: Out) -> None:
        self._fence = fence
        self._out = out
        self._passed: set[str] = set()  # origins that were checked; a fenced sender has two or three

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        secrets: Sequence[str] = (),
        limit: int = ANSWER_LIMIT,
    ) -> Response:
        origin = prefix(url)
        if origin not in self._passed:
            if not self._fence.holds((origin,)):
                raise _refused(method, url)
            self._passed.add(origin)
        return await self._out.request(
            method, url, deadline=deadline, headers=headers, body=body, secrets=secrets, limit=limit
        )

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """Asked before every connect of a provider with a line of its own (SMPP)."""
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if not self._fence.holds((place,)):
            raise _refused("connect", place)
        return await self._out.addresses(host, port)


def _refused(method: str, url: str) -> SendError:
    what = "this sender speaks to the sandbox alone, and the address is none of its"
    return SendError(
        f"{method} was not made: {what}. Nothing was sent. The sandbox's addresses are in HELIOGRAPH_SANDBOX_HOSTS.",
        code="address_refused",
        fate=Fate.CONFIG,
        blame=Blame.US,
        exchange=Exchange(method=method, url=redact.url(url, ()), failure=what),
    )
