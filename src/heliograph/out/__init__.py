"""The only way out: every HTTP request to a provider, a desk or a webhook leaves through this room.

`open(allowed=…, allow_private=…)` gives the client that core.ports.Out describes. It keeps to the deadline, follows no
redirect, uses no proxy of the environment, refuses private addresses, and notes each exchange without credentials.
"""

from __future__ import annotations

from collections.abc import Sequence

from heliograph.out.address import Rules
from heliograph.out.client import HttpOut
from heliograph.out.fence import Fence

__all__ = ["Fence", "HttpOut", "Rules", "open"]


def open(
    *,
    allowed: Sequence[str] = (),
    allow_private: bool = False,
    only_allowed: bool = False,
    in_flight: int = 2000,
) -> HttpOut:
    """A client. It opens nothing until its first request; `await .close()` ends it.

    `allowed`: hosts ("10.0.0.7", "sandbox.local:8090", "[::1]:8090") that may be private and may be spoken to without
    TLS. `allow_private`: every private address may. `only_allowed`: no host but those.
    `in_flight`: requests at once; the next ones wait, within their deadline.
    """
    return HttpOut(Rules.of(allowed, allow_private=allow_private, only_allowed=only_allowed), in_flight=in_flight)
