"""Limits that one node counts in memory: calls per API key, failed credentials per address. No clock: `now` is given.

Each verb costs the same however many keys are known, and memory is bounded: the least recently used are forgotten.
`now` is in seconds of any clock that never goes back (`loop.time()`).
"""

from __future__ import annotations

from math import ceil

from heliograph.web.address import network_of

WINDOW = 60.0  # seconds over which failed credentials are counted


class Rates:
    """A token bucket per key, kept as one number: the moment at which the bucket will be full again (GCRA)."""

    def __init__(self, most: int = 10_000) -> None:
        self._full_at: dict[str, float] = {}
        self._most = most

    def take(self, key: str, per_second: float, burst: int, now: float) -> float:
        """Takes one call. 0.0 = taken; else nothing was taken, and so many seconds later one will be free.

        `per_second` 0 or less = no limit. `burst`: calls at once from a full bucket, at least 1 (0 = one second's).
        """
        if per_second <= 0.0:
            return 0.0
        each = 1.0 / per_second
        # Forgotten and put in again, so that the dictionary stays in the order of use.
        full_at = max(self._full_at.pop(key, now), now)
        wait = full_at + each - now - each * (burst or max(1, ceil(per_second)))
        taken = wait <= 1e-9  # less than a clock can tell, so that rounding never refuses
        self._full_at[key] = full_at + each if taken else full_at
        if len(self._full_at) > self._most:
            del self._full_at[next(iter(self._full_at))]
        return 0.0 if taken else wait

    def __len__(self) -> int:
        return len(self._full_at)


class FailedCredentials:
    """Calls whose credentials were wrong, counted per address in windows of a minute. IPv6 is counted by the /64."""

    def __init__(self, per_minute: int, most: int = 10_000) -> None:
        self._limit = per_minute
        self._most = most
        self._counts: dict[str, tuple[float, int]] = {}  # network → (window's start, failures), oldest start first

    def wait(self, address: str, now: float) -> float:
        """Seconds for which this address is refused; 0.0 = it may try. A limit of 0 refuses nobody."""
        if not self._counts or self._limit <= 0:
            return 0.0
        start, count = self._counts.get(network_of(address), (now, 0))
        return max(start + WINDOW - now, 0.0) if count >= self._limit else 0.0

    def failed(self, address: str, now: float) -> None:
        """Counts one failure."""
        network = network_of(address)
        start, count = self._counts.get(network, (now, 0))
        if now - start >= WINDOW:
            del self._counts[network]
            start, count = now, 0
        self._counts[network] = (start, count + 1)
        # The oldest window stands first. At most two go for the one that came, so this costs the same every time.
        for _ in range(2):
            oldest = next(iter(self._counts))
            if len(self._counts) > self._most or now - self._counts[oldest][0] >= WINDOW:
                del self._counts[oldest]

    def __len__(self) -> int:
        return len(self._counts)
