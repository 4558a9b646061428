"""What the sandbox remembers of every message id, and its log. Both are bounded: the oldest go first."""

from __future__ import annotations

from collections import OrderedDict, deque
from itertools import islice
from typing import Literal

import msgspec

from heliograph.core.twin import Arrival, Kept

MESSAGES = 200_000  # message ids remembered, over all phones: about 1 KB each with a short card
LINES = 20_000


State = Literal["taken", "sent", "delivered", "read", "failed", "expired", "revoked"]


# A later word of the provider takes the place of an earlier one unless it stands lower here.
_FURTHER: dict[State, int] = {
    "taken": 0,
    "sent": 1,
    "failed": 2,
    "expired": 2,
    "revoked": 2,
    "delivered": 3,
    "read": 4,
}


class Known(msgspec.Struct, kw_only=True):
    """One id that a sender used. `creates`: requests that came with it; `deliveries`: times it was put on a phone.
    `answer`: None = never taken, b"" = the id of an event. The rest is what the provider knows of a message; where the
    sender's own id is another, it has an entry of its own that counts."""

    creates: int = 0
    deliveries: int = 0
    answer: bytes | None = None
    resource: bytes = b""
    ours: str = ""
    number: str = ""
    state: State = "taken"
    code: str = ""
    taken: int = 0
    at: int = 0


class Line(msgspec.Struct, kw_only=True, omit_defaults=True):
    n: int
    at: int
    kind: str
    number: str = ""
    sender: str = ""
    agent: str = ""  # the former word for sender
    message: str = ""
    detail: str = ""


class Ledger:
    """Message ids by (sender, id), the totals, and the log."""

    def __init__(self, messages: int = MESSAGES, lines: int = LINES) -> None:
        self.messages = messages
        self._lines = lines
        self._count = 0  # never goes back: a reader's `since` stays good over a reset
        self.reset()

    def reset(self) -> None:
        self.known: OrderedDict[tuple[str, str], Known] = OrderedDict()
        self.log: deque[Line] = deque(maxlen=self._lines)
        self.totals = {"creates": 0, "taken": 0, "deliveries": 0, "repeats": 0, "callbacks": 0, "callbacks_lost": 0}

    def entry(self, sender: str, message: str) -> Known:
        key = (sender, message)
        known = self.known.get(key)
        if known is None:
            if len(self.known) >= self.messages:
                self.known.popitem(last=False)
            known = self.known[key] = Known()
        return known

    def took(self, arrival: Arrival, at: int) -> None:
        """A provider took a message. Where the sender's own id is another, deliveries are counted by that."""
        known = self.entry(arrival.sender, arrival.id)
        known.answer = arrival.answer or arrival.resource
        known.resource = arrival.resource
        known.ours = arrival.ours
        known.number = arrival.number
        known.state, known.code, known.taken, known.at = "taken", "", at, at
        self.totals["taken"] += 1

    def mark(self, sender: str, message: str, state: State, at: int, code: str = "") -> None:
        """What became of a message, for who asks its provider; a delivery is not taken back by what comes after it."""
        known = self.known.get((sender, message))
        if known is None or known.answer is None or _FURTHER[state] < _FURTHER[known.state]:
            return
        known.state, known.code, known.at = state, code, at

    def find(self, sender: str, message: str) -> Known | None:
        return self.known.get((sender, message))

    def kept(self, sender: str, message: str) -> Kept | None:
        known = self.find(sender, message)
        if known is None or not known.answer:
            return None
        return Kept(
            id=message,
            ours=known.ours,
            number=known.number,
            resource=known.resource,
            answer=known.answer,
            state=known.state,
            code=known.code,
            taken=known.taken,
            at=known.at,
        )

    def note(self, at: int, kind: str, number: str, sender: str, message: str, detail: str) -> Line:
        self._count += 1
        line = Line(
            n=self._count,
            at=at,
            kind=kind,
            number=number,
            sender=sender,
            agent=sender,
            message=message,
            detail=detail,
        )
        self.log.append(line)
        return line

    def since(self, n: int, limit: int = 1_000) -> tuple[int, list[Line]]:
        """Up to `limit` lines after number `n`, and the number to ask with next."""
        first = self.log[0].n if self.log else self._count + 1
        lines = list(islice(self.log, max(0, n + 1 - first), max(0, n + 1 - first) + limit))
        return (lines[-1].n if lines else max(n, 0)), lines

    def counts(self, message: str = "") -> dict[str, object]:
        """By message id: creates received and deliveries. Two senders' equal ids are summed."""
        shown: dict[str, dict[str, int]] = {}
        for (_, known_id), known in self.known.items():
            if not known.creates or (message and known_id != message):
                continue
            counted = shown.setdefault(known_id, {"creates": 0, "deliveries": 0})
            counted["creates"] += known.creates
            counted["deliveries"] += known.deliveries
        return {"messages": shown, "totals": dict(self.totals)}
