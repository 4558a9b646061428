"""What the story needs from the rest of the house, built once by app.py and handed to every step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

import msgspec

from heliograph.core.ports import Clock, LooseEnds, Out, Store
from heliograph.core.ports.writing import LANES
from heliograph.core.webhook import Waiting
from heliograph.flow.cache import CapabilityCache
from heliograph.flow.endpoints import Endpoints
from heliograph.flow.health import Healths, Rules
from heliograph.flow.live import Live
from heliograph.flow.registry import Registry


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `call_deadline`: how long a caller waits at most. `repeat_window`: how long the same call again is
    given the same answer. `capability_yes`/`capability_no`: how long such an answer is believed. `repeat_sends_for`:
    how long after an attempt began its message id may be repeated to a provider that ignores repeats. `breaker`: when a
    sender is left alone. `revoke_settle`: how long a late delivery is waited for after a message was taken back.
    `in_doubt_for`: how long an attempt that cannot be repeated is in doubt before the site's rule settles it."""

    call_deadline: float = 20.0
    repeat_window: int = 86_400
    capability_yes: int = 86_400
    capability_no: int = 3_600
    repeat_sends_for: int = 600
    breaker: Rules = Rules()
    revoke_settle: float = 5.0
    in_doubt_for: int = 120


class Meters(Protocol):
    """What the story counts. Labels hold no personal data."""

    def alert(self, outcome: str, channel: str) -> None: ...
    def attempt(self, provider: str, outcome: str, seconds: float) -> None: ...
    def capability(self, channel: str, answer: str) -> None: ...
    def event(self, channel: str, kind: str) -> None: ...
    def due(self, kind: str, lag_seconds: float) -> None: ...
    def desk(self, desk: str, what: str) -> None: ...
    def unknown_word(self, provider: str, kind: str) -> None: ...
    def webhook(self, outcome: str) -> None: ...


class Wake:
    """Wakes those who do what is due: one event for each lane, set together."""

    def __init__(self) -> None:
        self._events = [asyncio.Event() for _ in range(1 + max(LANES.values()))]

    def of(self, lane: int) -> asyncio.Event:
        return self._events[lane]

    def set(self) -> None:
        for event in self._events:
            event.set()


class Means:
    """`node` names this process among its equals. `under_way` maps an alert's id to the task that is sending it, so
    that a twin of its call waits for it. `log(level, sentence, action, **facts)` never gets personal data."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        registry: Registry,
        limits: Limits,
        meters: Meters,
        log: Callable[..., None],
        channels: frozenset[str],
        node: str,
    ) -> None:
        self.store = store
        self.clock = clock
        self.registry = registry
        self.limits = limits
        self.meters = meters
        self.log = log
        self.channels = channels
        self.node = node
        self.capabilities = CapabilityCache(yes=limits.capability_yes * 1000, no=limits.capability_no * 1000)
        self.healths = Healths(limits.breaker)
        self.loose_ends: dict[tuple[str, str], LooseEnds] = {}  # by (site, sender), a few seconds old (flow/reports.py)
        self.out: Out | None = None  # what webhooks are posted through, set by app.py
        self.out_private: Out | None = None  # the same for those that may be at a private address
        self.endpoints = Endpoints()  # of webhooks
        self.events: dict[str, Waiting] = {}  # by site, a few seconds old (flow/reports.py)
        self.uploads: dict[tuple[str, str, str], tuple[str, int]] = {}
        self.under_way: dict[str, asyncio.Future[Any]] = {}
        self.forgotten: set[str] = set()  # alerts whose call is just being forgotten (flow/once.py)
        self.wake = Wake()  # something became due at once; all else is found by a look each second
        self.live = Live()
        self._behind: set[asyncio.Task[Any]] = set()

    def behind(self, work: Any) -> None:
        """Runs work that no answer waits for; `settle` waits for it on the way out."""
        task = asyncio.ensure_future(work)
        self._behind.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.log("error", "Work behind an answer failed.", action="behind", error=type(error).__name__)

    async def settle(self) -> None:
        """Waits for what still runs behind answers."""
        while self._behind or self.under_way:
            await asyncio.wait([*self._behind, *self.under_way.values()])
