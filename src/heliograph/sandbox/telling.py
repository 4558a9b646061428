"""Tells senders what happened: over their provider's line, or by a callback to their webhook."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from heliograph.core.twin import Happening, KnownSender, Posting, Twin
from heliograph.sandbox.callbacks import Waiting
from heliograph.sandbox.handset import Bubble

if TYPE_CHECKING:
    from heliograph.sandbox.world import World


# Seconds that an acknowledgement over a line is waited for: a provider that does not tell such a thing acknowledges
# nothing, and nobody may be there to be told.
ACKNOWLEDGED = 0.1


class Telling:
    """`settled` returns when what was told has been answered, as far as that can be known."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._posting: dict[str, Posting] = {
            name: getattr(twin, "POSTING", Posting()) for name, twin in world.twins.items()
        }

        # What was told over a line while a scenario runs -> until when (the loop's time) its answer is awaited.
        self._unanswered: dict[int, float] = {}
        self._told = 0
        self._last = 0.0  # until when anything that was told over a line may still be answered
        self._progress = asyncio.Event()

    async def settled(self) -> None:
        await self._world.callbacks.answered()
        while (seconds := self._awaited()) > 0:
            self._progress.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for may lose a cancellation (Python 3.11)
                    await self._progress.wait()

    def busy(self) -> bool:
        """Whether something may still be answered."""
        return len(self._world.callbacks) > 0 or self._last > asyncio.get_running_loop().time()

    def _awaited(self) -> float:
        """Seconds that the youngest of what was told over a line is still waited for."""
        now = asyncio.get_running_loop().time()
        self._unanswered = {key: until for key, until in self._unanswered.items() if until > now}
        return max(self._unanswered.values(), default=now) - now

    def tell(self, bubble: Bubble, happening: Happening) -> None:
        """Tells the sender over its provider's line, or posts it to the webhook, where its provider tells such a thing
        at all. An out-going bubble is `sent` once that was acknowledged."""
        sender = self._world.sender(bubble.provider, bubble.sender)
        if sender is None:
            return

        def done() -> None:
            if bubble.state == "sending":
                bubble.state = "sent"
                self._world.feed.changed(happening.number)

        message = bubble.counted if bubble.direction == "in" else getattr(happening, "message", "")
        kind = type(happening).__name__.lower()
        if (line := self._world.lines.get(bubble.provider)) is not None:
            self._told += 1
            key = self._told
            self._last = asyncio.get_running_loop().time() + ACKNOWLEDGED
            if self._world.story is not None:
                self._unanswered[key] = self._last

            def acknowledged() -> None:
                self._unanswered.pop(key, None)
                self._acknowledged(happening.number, sender.id, message, kind, done)
                self._progress.set()

            line.told(happening, sender, acknowledged)
            return
        twin = self._world.twins[bubble.provider]
        if (call := twin.tell(happening, sender, self._world)) is None or not call.url:
            done()
            return
        self._world.callbacks.put(
            Waiting(
                call=call,
                posting=self._posting[bubble.provider],
                born=self._world.clock.now(),
                sender=sender.id,
                number=happening.number,
                message=message,
                kind=kind,
                done=done if bubble.state == "sending" else None,
                again=lambda: twin.tell(happening, self._now(sender), self._world),
                answered=lambda body: self._answered(twin, body, happening, sender),
            )
        )

    def _now(self, sender: KnownSender) -> KnownSender:
        """The sender as it is registered now."""
        return self._world.sender(sender.provider, sender.id) or sender

    def _acknowledged(self, number: str, sender: str, message: str, kind: str, done: Callable[[], None]) -> None:
        self._world.ledger.totals["callbacks"] += 1
        self._world.note("callback", number=number, sender=sender, message=message, detail=kind)
        done()

    def _answered(self, twin: Twin, body: bytes, happening: Happening, sender: KnownSender) -> None:
        if (answered := getattr(twin, "answered", None)) is not None:
            answered(body, happening, sender, self._world)

    def note_callback(self, kind: str, waiting: Waiting, detail: str) -> None:
        if kind == "callback":
            self._world.ledger.totals["callbacks"] += 1
        elif kind == "callback_lost":
            self._world.ledger.totals["callbacks_lost"] += 1
        self._world.note(
            kind,
            number=waiting.number,
            sender=waiting.sender,
            message=waiting.message,
            detail=f"{waiting.kind}: {detail}" if detail else waiting.kind,
        )
