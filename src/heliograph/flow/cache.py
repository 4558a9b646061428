"""Capabilities in memory, each believed for its time: a yes for a day, a no for an hour (settings). Bounded: the
answers used least recently go first. The store keeps them too, for the other nodes and the next start."""

from __future__ import annotations

from collections import OrderedDict

from heliograph.core.channel import Capability, Reach

ROOM = 100_000  # answers; about 30 MB


class CapabilityCache:
    def __init__(self, *, yes: int, no: int, room: int = ROOM) -> None:
        """`yes` and `no`: how long such an answer is believed, ms."""
        self._believed = {Reach.YES: yes, Reach.NO: no, Reach.UNKNOWN: 0}
        self._room = room
        self._answers: OrderedDict[tuple[str, str, str], Capability] = OrderedDict()

    def fresh(self, capability: Capability, now: int) -> bool:
        """Whether it is still believed. One from the future (a clock went back) is not."""
        return 0 <= now - capability.asked < self._believed[capability.reach] and not capability.mark

    def get(self, site: str, sender: str, recipient: str, now: int) -> Capability | None:
        place = (site, sender, recipient)
        capability = self._answers.get(place)
        if capability is None or not self.fresh(capability, now):
            return None
        self._answers.move_to_end(place)
        return capability

    def peek(self, site: str, sender: str, recipient: str) -> Capability | None:
        """What is kept, fresh or not; the order of use stays as it is."""
        return self._answers.get((site, sender, recipient))

    def put(self, site: str, sender: str, recipient: str, capability: Capability) -> None:
        self._answers[site, sender, recipient] = capability
        if len(self._answers) > self._room:
            self._answers.popitem(last=False)
