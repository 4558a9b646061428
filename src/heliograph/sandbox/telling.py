"""Tells senders what happened: over their provider's line, or by a callback to their webhook."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from heliograph.core.twin import Happening, KnownSender, Posting, Twin
from heliograph.sandbox.callbacks import Waiting
from heliograph.sandbox.handset import Bubble

if TYPE_CHECKING:
    from heliograph.sandbox.world import World


class Telling:
    def __init__(self, world: World) -> None:
        self._world = world
        self._posting: dict[str, Posting] = {
            name: getattr(twin, "POSTING", Posting()) for name, twin in world.twins.items()
        }

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
            line.told(happening, sender, lambda: self._acknowledged(happening.number, sender.id, message, kind, done))
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
