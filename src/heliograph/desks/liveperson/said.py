"""What this process knows of words on their way to LivePerson, for when an answer is lost.

LivePerson's webhooks echo the consumer's own messages, with their text and the number that each has in its dialog
(`sequence`). An echo of words that are in doubt, under a number that no other message of ours was given, says that they
were taken. It comes to whichever node the webhook reaches; another node knows nothing of it and says so.

A long turn is several messages. How many of them were taken is remembered here, so that the rest alone is said, and
nothing of one that was taken whole (its note on our side may have been lost).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict

import msgspec

TURNS = 10_000  # that were said last, or are on their way
CONVERSATIONS = 5_000  # whose echoes are remembered
ECHOES = 50  # of one conversation

Key = tuple[str, int]  # our conversation's id, the turn's number


class Handing(msgspec.Struct):
    """A turn on its way. `taken`: how many of its parts. `doubt`: the next one had no answer. `began`, `since`: when
    that one was said (time.monotonic, ms)."""

    reference: str
    parts: tuple[str, ...]
    taken: int = 0
    doubt: bool = False
    began: float = 0.0
    since: int = 0
    last: int | None = None  # the sequence of the last part that was taken


class _Echo(msgspec.Struct):
    text: str
    at: float


class Memory:
    """Bounded: what is oldest is forgotten first, and then nothing is known of it."""

    def __init__(self) -> None:
        self._turns: OrderedDict[Key, Handing] = OrderedDict()
        self._echoes: OrderedDict[str, OrderedDict[int, _Echo]] = OrderedDict()
        self._ours: OrderedDict[str, OrderedDict[int, None]] = OrderedDict()  # numbers that our answers named
        self._open: OrderedDict[str, str] = OrderedDict()  # consumer's id there → its open conversation
        self._gone: OrderedDict[str, None] = OrderedDict()  # conversations that are closed there
        self._news = asyncio.Event()

    def begin(self, key: Key, reference: str, parts: tuple[str, ...]) -> Handing:
        """The turn as it is known, or a new one. Parts that were cut once stay as they are."""
        known = self._turns.get(key)
        if known is None or known.reference != reference:
            known = self._turns[key] = Handing(reference, parts)
            _bound(self._turns, TURNS)
        return known

    def turn(self, key: Key, reference: str) -> Handing | None:
        known = self._turns.get(key)
        return known if known is not None and known.reference == reference else None

    def end(self, handing: Handing) -> None:
        """All of it was taken. That is remembered, its words are not: whoever says it again says nothing."""
        handing.parts, handing.taken = (), 0

    def answered(self, handing: Handing, sequence: int | None) -> None:
        """The next part was taken, under this number."""
        handing.taken += 1
        handing.doubt = False
        handing.last = sequence
        if sequence is not None:
            self._numbers(handing.reference)[sequence] = None

    def echoed(self, reference: str, sequence: int, text: str) -> None:
        """A webhook shows the consumer's words."""
        heard = self._echoes.setdefault(reference, OrderedDict())
        self._echoes.move_to_end(reference)
        if sequence not in heard:
            heard[sequence] = _Echo(text, time.monotonic())
            _bound(heard, ECHOES)
        _bound(self._echoes, CONVERSATIONS)
        self._news.set()

    async def settled(self, handing: Handing, until: float) -> bool:
        """Waits for the echo of the part in doubt until that moment of the loop's clock; True: it was taken."""
        while (number := self._found(handing)) is None:
            self._news.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._news.wait()
            except TimeoutError:
                return False
        self.answered(handing, number)
        return True

    def known(self, reference: str) -> frozenset[int]:
        """Numbers that messages of ours are known to have there."""
        return frozenset(self._ours.get(reference, ()))

    # ── which conversation a consumer has open ──────────────────────────────────────────────────────────────────────

    def opened(self, consumer: str, reference: str) -> None:
        if consumer and reference:
            self._gone.pop(reference, None)  # agents may resume one
            self._open[consumer] = reference
            self._open.move_to_end(consumer)
            _bound(self._open, CONVERSATIONS)

    def closed(self, reference: str) -> None:
        self._gone[reference] = None
        _bound(self._gone, CONVERSATIONS)
        for consumer, one in list(self._open.items()):
            if one == reference:
                del self._open[consumer]

    def is_closed(self, reference: str) -> bool:
        return reference in self._gone

    def open_of(self, consumer: str) -> str:
        return self._open.get(consumer, "")

    def _found(self, handing: Handing) -> int | None:
        text = handing.parts[handing.taken]
        ours = self._ours.get(handing.reference, ())
        for number, echo in self._echoes.get(handing.reference, {}).items():
            if number not in ours and echo.text == text and echo.at >= handing.began:
                return number
        return None

    def _numbers(self, reference: str) -> OrderedDict[int, None]:
        numbers = self._ours.setdefault(reference, OrderedDict())
        self._ours.move_to_end(reference)
        _bound(self._ours, CONVERSATIONS)
        _bound(numbers, 4 * ECHOES)
        return numbers


def _bound(kept: OrderedDict, most: int) -> None:  # type: ignore[type-arg]  # of whatever
    while len(kept) > most:
        kept.popitem(last=False)
