"""The health of senders: who is refused for reasons of its own, and when it is tried again.

Google answers 403 both for a number it will not serve and for credentials that are not right. Three different
recipients in a row without a success therefore pause the sender as `config`, so that wrong credentials never pass for
"cannot be reached". A paused sender is probed with one alert a minute and comes back with the first success.
"""

from __future__ import annotations

MARKS = 3
PROBE_EVERY = 60_000  # ms


class Health:
    def __init__(self) -> None:
        self._marked: set[str] = set()  # recipients marked since the last success
        self._probed = 0

    def succeeded(self) -> None:
        self._marked.clear()

    def marked(self, recipient: str) -> bool:
        """Notes a mark; True when it is the one that pauses the sender."""
        self._marked.add(recipient)
        return len(self._marked) >= MARKS

    def may_probe(self, now: int) -> bool:
        """Whether a paused sender may be tried with one alert now; a yes starts the next minute."""
        if not self.probe_is_free(now):
            return False
        self._probed = now
        return True

    def probe_is_free(self, now: int) -> bool:
        """The same question, and nothing is spent."""
        return not 0 <= now - self._probed < PROBE_EVERY

    def paused(self, now: int) -> None:
        self._probed = now

    def next_probe(self, now: int) -> int:
        return max(now, self._probed + PROBE_EVERY)


class Healths:
    """One Health per sender of this node."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], Health] = {}

    def of(self, site: str, sender: str) -> Health:
        health = self._of.get((site, sender))
        if health is None:
            health = self._of[site, sender] = Health()
        return health
