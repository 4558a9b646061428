"""One message on its way in parts: which of them were taken, refused, lost without an answer, or never written. Pure.

    unwritten ──written──► flying ──► taken | refused | lost
        ▲───────back─────────┘        lost ──► taken | refused   (an answer that came late)

It is over when nothing flies and nothing more will be written. What is true then is read from the counts: all taken;
none taken and none lost (nothing of it left us that counts); or a part is in doubt, and with it the whole.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum


class Verdict(StrEnum):
    TAKEN = "taken"
    NOT_TAKEN = "not_taken"
    UNKNOWN = "unknown"


class Part:
    """One submit_sm. `body`: what stands after its header; `at`: when it was written (the loop's clock)."""

    __slots__ = ("at", "body", "number", "sending")

    def __init__(self, sending: Sending, number: int, body: bytes) -> None:
        self.sending = sending
        self.number = number
        self.body = body
        self.at = 0.0


class Sending:
    """`took(sending, number, id)` is told of each id that a part was given, `later(sending)` when an answer came after
    `over`. `why`: what ended it early, as a word of smpp_faults.py. `status`: the first refusal."""

    __slots__ = (
        "_later",
        "_took",
        "deadline",
        "flying",
        "id",
        "lost",
        "over",
        "parts",
        "recipient",
        "reference",
        "references",
        "refused",
        "status",
        "stopped",
        "taken",
        "throttled",
        "unwritten",
        "why",
    )

    def __init__(
        self,
        id: str,
        recipient: str,
        reference: int,
        bodies: list[bytes],
        *,
        deadline: float,
        over: asyncio.Future[None],
        took: Callable[[Sending, int, str], None],
        later: Callable[[Sending], None],
    ) -> None:
        self.id = id
        self.recipient = recipient
        self.reference = reference  # the user_message_reference, 16 bits
        self.parts = [Part(self, number, body) for number, body in enumerate(bodies)]
        self.references = [""] * len(bodies)
        self.deadline = deadline  # the loop's clock
        self.over = over
        self.unwritten = len(bodies)
        self.flying = self.taken = self.refused = self.lost = self.status = self.throttled = 0
        self.stopped = False
        self.why = ""
        self._took = took
        self._later = later

    def begun(self) -> bool:
        """Something of it was written at some time, and not refused for being too fast."""
        return self.unwritten < len(self.parts)

    @property
    def verdict(self) -> Verdict:
        if self.taken == len(self.parts):
            return Verdict.TAKEN
        return Verdict.UNKNOWN if self.taken or self.lost or self.flying else Verdict.NOT_TAKEN

    def written(self) -> None:
        self.unwritten -= 1
        self.flying += 1

    def back(self) -> None:
        """A part waits again: throttled, or never given to the network."""
        self.flying -= 1
        self.unwritten += 1
        self._settle()

    def answered(self, part: Part, status: int, message_id: str) -> None:
        """The answer to a part. A refusal stops the parts that are not written yet."""
        self.flying -= 1
        self._answer(part, status, message_id)

    def found(self, part: Part, status: int, message_id: str) -> None:
        """The answer to a part that was given up as lost."""
        self.lost -= 1
        self._answer(part, status, message_id)

    def lose(self, why: str) -> None:
        """No answer will come, or none in time. The parts that wait are sent all the same: if this one was taken, the
        recipient then has the whole."""
        self.flying -= 1
        self.lost += 1
        self.why = self.why or why
        self._settle()

    def stop(self, why: str) -> None:
        """Nothing more is written."""
        if not self.stopped:
            self.stopped = True
            self.why = self.why or why
            self._settle()

    def end(self, why: str) -> None:
        """Whoever waits waits no longer, also for what still flies."""
        self.stopped = True
        self.why = self.why or why
        if not self.over.done():
            self.over.set_result(None)

    def _answer(self, part: Part, status: int, message_id: str) -> None:
        if status == 0:
            self.taken += 1
            self.references[part.number] = message_id
            self._took(self, part.number, message_id)
        else:
            self.refused += 1
            self.status = self.status or status
            self.stopped = True
        self._settle()

    def _settle(self) -> None:
        if self.flying or (self.unwritten and not self.stopped):
            return
        if not self.over.done():
            self.over.set_result(None)
        else:
            self._later(self)
