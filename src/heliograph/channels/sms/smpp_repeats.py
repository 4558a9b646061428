"""Which deliver_sm is one that came before. SMPP gives what a person writes neither an id nor a time, so that only the
way in which it comes tells a repeat from the same words said again.

A repeat is what has the same octets and

    the same sequence_number on the same line      the centre writes a PDU again whose answer it waited for too long
    comes while the first waits for its answer,    the same under a new number, or over another line
    and has waited for 5 s or more
    comes after a line broke that our answer may   the centre delivers again what it believes is not here
    not have crossed any more, within ten minutes

All else was said again: the same words in a PDU of their own, on a line that works, are two turns, a second apart too.
In doubt it is two turns: a word twice costs an agent a glance, a word that is dropped is lost.
What is remembered dies with the process: after a crash between a commit and its answer a message counts twice.
"""

from __future__ import annotations

from collections import OrderedDict

from heliograph.channels.sms.smpp_session import Session

KEPT = 20_000  # messages of each kind; the oldest are forgotten
SLOW = 5.0  # seconds without an answer after which a centre may ask again; phones' "yes, yes" come within less
UNSURE = 10.0  # seconds before a break in which an answer may not have arrived
RECENT = 120.0  # seconds in which a sequence number is known again; centres wait 10 to 60 for an answer
# Seconds in which what was answered on a line that broke may come again. Centres deliver again as soon as they are
# bound; later the same word is more likely a person's next answer.
AGAIN = 600.0

Place = tuple[Session, int]


class Repeats:
    """Times are the event loop's (seconds). What was `taken` is open until it is `answered` or `undone`."""

    def __init__(self) -> None:
        self._taken: dict[Place, tuple[bytes, float]] = {}  # the octets, and when they came
        self._first: dict[bytes, float] = {}  # octets that are open → when they first came
        self._answered: OrderedDict[Place, tuple[float, bytes]] = OrderedDict()
        self._lost: OrderedDict[bytes, list[float]] = OrderedDict()  # until when each may come again
        self._made_up: dict[Place, bytes] = {}  # came again, and is being answered once more

    def known(self, session: Session, sequence: int, body: bytes, now: float) -> bool:
        """Whether it came before. It is answered once more, and `told` says whether that worked."""
        place = (session, sequence)
        if place in self._taken:
            return self._taken[place][0] == body
        if place in self._answered and self._answered[place][1] == body:
            return True
        if body in self._first and now - self._first[body] >= SLOW:
            return True
        lost = self._lost.get(body)
        if lost is None:
            return False
        until = lost.pop(0)
        if not lost:
            del self._lost[body]
        if until <= now:
            return False
        self._made_up[place] = body
        return True

    def taken(self, session: Session, sequence: int, body: bytes, now: float) -> None:
        self._taken[(session, sequence)] = (body, now)
        self._first.setdefault(body, now)

    def answered(self, session: Session, sequence: int, now: float, *, sure: bool) -> None:
        """It is on disk and its answer was written; `sure` False: the line was gone by then."""
        body = self._close((session, sequence))
        if body is None:
            return
        if not sure:
            self._lose(body, now)
            return
        while len(self._answered) >= KEPT:
            self._answered.popitem(last=False)
        self._answered[(session, sequence)] = (now, body)

    def told(self, session: Session, sequence: int, now: float, *, sure: bool) -> None:
        """A repeat was answered; `sure` False: the line was gone, or it was told to come again."""
        body = self._made_up.pop((session, sequence), None)
        if body is not None and not sure:
            self._lose(body, now)

    def undone(self, session: Session, sequence: int) -> None:
        """It is not on disk, and comes again."""
        self._close((session, sequence))

    def broke(self, session: Session, now: float) -> None:
        for place, (at, body) in list(self._answered.items()):
            if place[0] is session:
                del self._answered[place]
                if at > now - UNSURE:
                    self._lose(body, now)

    def tick(self, now: float) -> None:
        while self._answered and next(iter(self._answered.values()))[0] < now - RECENT:
            self._answered.popitem(last=False)
        while self._lost and next(iter(self._lost.values()))[0] <= now:
            self._lost.popitem(last=False)

    def _close(self, place: Place) -> bytes | None:
        body, at = self._taken.pop(place, (None, 0.0))
        if body is not None and self._first.get(body) == at:
            del self._first[body]
        return body

    def _lose(self, body: bytes, now: float) -> None:
        while len(self._lost) >= KEPT:
            self._lost.popitem(last=False)
        self._lost.setdefault(body, []).append(now + AGAIN)
