"""What a sender shows a person beside its messages: that it writes, and that it read what the person sent."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING

from heliograph.sandbox.handset import Bubble, Handset

if TYPE_CHECKING:
    from heliograph.sandbox.world import World

REMEMBERED = 50_000  # what people sent, to find it by its id alone; the oldest are forgotten


class Courtesies:
    def __init__(self, world: World) -> None:
        self._world = world
        self._numbers: OrderedDict[tuple[str, str, str], str] = OrderedDict()  # (provider, sender, event) → the phone

    def sent(self, handset: Handset, bubble: Bubble) -> None:
        """The person sent it."""
        if len(self._numbers) >= REMEMBERED:
            self._numbers.popitem(last=False)
        self._numbers[(bubble.provider, bubble.sender, bubble.id)] = handset.number

    def writes(self, number: str, provider: str, sender: str, seconds: float) -> None:
        world = self._world
        handset, key = world.handset(number), f"{provider}/{sender}"
        until = world.now() + round(seconds * 1000)
        handset.written_by[key] = until
        world.note("sender_writes", number=number, sender=sender)
        world.feed.changed(number)
        world.timers.at(until, partial(self._over, handset, key), patient=True)

    def wrote(self, handset: Handset, provider: str, sender: str) -> None:
        """Its message is there: nobody writes any more."""
        handset.written_by.pop(f"{provider}/{sender}", None)

    def saw(self, provider: str, sender: str, event: str, *, earlier: bool) -> str:
        world = self._world
        number = self._numbers.get((provider, sender, event), "")
        handset = world.handsets.get(number)
        if handset is None:
            return ""
        own = [
            one for one in handset.messages if (one.direction, one.provider, one.sender) == ("out", provider, sender)
        ]
        place = next((place for place, one in enumerate(own) if one.id == event), None)
        if place is not None:
            for bubble in own[0 if earlier else place : place + 1]:
                bubble.state = "read"
        world.note("sender_read", number=number, sender=sender, message=event)
        world.feed.changed(number)
        return number

    def _over(self, handset: Handset, key: str) -> None:
        until = handset.written_by.get(key)
        if until is not None and until <= self._world.now():
            del handset.written_by[key]
            self._world.feed.changed(handset.number)
