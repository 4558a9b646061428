"""The health of senders, as this node sees it: a circuit breaker for each, fed by what became of hand-overs. No I/O.

    closed      all traffic
    open        none, until a pause has passed; each failed return doubles the pause
    half_open   then one alert tries it; once it was taken a growing share of the recipients comes back

It opens on a share of faults among the hand-overs of a rolling window, or on several faults in a row, so that a sender
with little traffic opens too. A fault is the provider's own (no connection, a 5xx, no answer). A no to one message is
none: the provider works. Neither is a rate limit: it says when to come again.

Beside it stands the pause as `config` (core.site.Sender.paused). Google answers 403 both for a number it will not serve
and for credentials that are not right: three different recipients in a row without a success pause the sender, so that
wrong credentials never pass for "cannot be reached". It is tried with one alert a minute and comes back with the first
success.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from heliograph.core.choice import fraction

MARKS = 3
PROBE_EVERY = 60_000  # ms between two alerts that try a paused sender
PROBE_LEASE = 30_000  # ms that the alert which tries an open one may take
IN_A_ROW = 5  # faults that open a closed one
IN_A_ROW_RETURNING = 2
LEAST_RETURNING = 5  # hand-overs after which the share of faults counts while it returns
FIRST_SHARE = 0.1  # of the recipients, right after the first success
SLOTS = 10  # of a window: the memory of a sender is this many numbers, however much it sends


class State(StrEnum):
    CLOSED = "closed"
    HALF_OPEN = "half_open"
    OPEN = "open"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`share` of faults among at least `least` hand-overs within `window` opens a breaker for `pause`, doubled each
    time up to `longest`; all are back `back` after the first success. Times in ms."""

    share: float = 0.5
    least: int = 10
    window: int = 60_000
    pause: int = 10_000
    longest: int = 300_000
    back: int = 60_000


class Window:
    """Good and bad outcomes of the last `length` ms, in SLOTS slots."""

    def __init__(self, length: int) -> None:
        self._width = max(1, length // SLOTS)
        self.clear()

    def clear(self) -> None:
        self._when = [-1] * SLOTS
        self._good = [0] * SLOTS
        self._bad = [0] * SLOTS

    def add(self, now: int, *, good: bool) -> None:
        number = now // self._width
        slot = number % SLOTS
        if self._when[slot] != number:
            self._when[slot], self._good[slot], self._bad[slot] = number, 0, 0
        if good:
            self._good[slot] += 1
        else:
            self._bad[slot] += 1

    def counts(self, now: int) -> tuple[int, int]:
        """Good and bad ones."""
        newest = now // self._width
        live = [slot for slot, number in enumerate(self._when) if newest - SLOTS < number <= newest]
        return sum(self._good[slot] for slot in live), sum(self._bad[slot] for slot in live)


class Health:
    """One sender's. Every verb is given the time (ms)."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._longest = max(rules.longest, rules.pause)
        self._window = Window(rules.window)
        self._marked: set[str] = set()  # recipients marked since the last success; at most MARKS
        self._probed, self._prober = 0, ""
        self._pause = rules.pause  # of the next opening
        self._open_span = 0  # the pause of this one
        self._open_until = 0  # 0: not open
        self._back_since = 0  # 0: not returning
        self._in_a_row = 0
        self.since = 0  # ms of the last change of state, 0: none yet
        self.why = ""  # of the last opening
        self.throttled = 0  # hand-overs that met a rate limit, since the start

    # what became of a hand-over

    def good(self, now: int) -> bool:
        """The provider answered. True when that brings a sender that was open back into use."""
        self._in_a_row = 0
        if self._open_until:
            if self._open_for(now):
                return False  # handed over before it was opened
            self._open_until, self._back_since, self.since = 0, now, now
            self._window.clear()
            return True
        self._window.add(now, good=True)
        if self._back_since and not 0 <= now - self._back_since < self._rules.back:
            self._back_since, self._pause, self.since = 0, self._rules.pause, now
        return False

    def bad(self, now: int) -> bool:
        """The provider's fault. True when that opens it."""
        if self._open_until:
            if self._open_for(now):
                return False
            return self._open(now, "the hand-over that tried it failed")
        self._window.add(now, good=False)
        self._in_a_row += 1
        good, bad = self._window.counts(now)
        least, row = self._rules.least, IN_A_ROW
        if self._back_since:
            least, row = min(least, LEAST_RETURNING), IN_A_ROW_RETURNING
        if good + bad >= least and bad >= self._rules.share * (good + bad):
            return self._open(now, f"{bad} of {good + bad} hand-overs failed")
        if self._in_a_row >= row:
            return self._open(now, f"{self._in_a_row} hand-overs in a row failed")
        return False

    def _open(self, now: int, why: str) -> bool:
        self._open_until, self._back_since, self._in_a_row = now + self._pause, 0, 0
        self._open_span = self._pause
        self._pause = min(self._longest, self._pause * 2)
        self._probed, self._prober = 0, ""
        self.since, self.why = now, why
        return True

    def succeeded(self) -> None:
        self._marked.clear()

    def marked(self, recipient: str) -> bool:
        """Notes a mark; True when it is the one that pauses the sender."""
        if len(self._marked) < MARKS:  # a paused one is probed for as long as it stays so
            self._marked.add(recipient)
        return len(self._marked) >= MARKS

    # whether it is used

    def state(self, now: int) -> State:
        if self._open_until:
            return State.OPEN if self._open_for(now) else State.HALF_OPEN
        return State.HALF_OPEN if self._share(now) < 1 else State.CLOSED

    def admits(self, sender: str, recipient: str, now: int) -> bool:
        """Whether this recipient is among those that it serves; an open one serves none (see may_probe)."""
        if self._open_until:
            return False
        share = self._share(now)
        return share >= 1 or fraction("back", sender, recipient) < share

    def may_probe(self, alert: str, now: int, *, paused: bool, take: bool = True) -> bool:
        """Whether this alert may try a sender that is paused or open. A yes is `alert`'s own until the next may, unless
        it only looks (`take` False)."""
        if self._prober == alert and self._probed:
            return True
        if self._open_for(now) or 0 <= now - self._probed < (PROBE_EVERY if paused else PROBE_LEASE):
            return False
        if take:
            self._probed, self._prober = now, alert
        return True

    def paused(self, now: int) -> None:
        self._probed, self._prober = now, ""

    def next_probe(self, now: int) -> int:
        """When a sender that is paused as `config` may be tried again."""
        return max(now, self._probed + PROBE_EVERY)

    def again(self, sender: str, recipient: str, now: int) -> int:
        """When an alert that waits for an open or returning sender is looked at again (ms). Those that wait come one
        after the other, as its share grows, not all at once."""
        drawn = fraction("back", sender, recipient)
        if self._back_since:
            turn = self._rules.back * max(0.0, drawn - FIRST_SHARE) / (1 - FIRST_SHARE)
            return max(now, self._back_since + round(turn)) + 1
        return max(now + 1000, self._open_until) + round(drawn * self._open_span / 2)

    # shown

    def counts(self, now: int) -> tuple[int, int]:
        """Good and bad hand-overs of the window."""
        return self._window.counts(now)

    def open_until(self, now: int) -> int:
        """When an open one is tried again; 0 where it is not open."""
        return self._open_until

    def share(self, now: int) -> float:
        """Of the recipients that it serves."""
        return 0.0 if self._open_until else self._share(now)

    def _share(self, now: int) -> float:
        if not self._back_since:
            return 1.0
        past = max(0, now - self._back_since) / max(1, self._rules.back)
        return min(1.0, FIRST_SHARE + (1 - FIRST_SHARE) * past)

    def _open_for(self, now: int) -> bool:
        """Whether its pause lasts. One that is longer than any pause comes from a clock that went back."""
        return 0 < self._open_until - now <= self._longest


class Healths:
    """One Health per sender of this node."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._of: dict[tuple[str, str], Health] = {}

    def of(self, site: str, sender: str) -> Health:
        health = self._of.get((site, sender))
        if health is None:
            health = self._of[site, sender] = Health(self._rules)
        return health

    def forget(self, site: str, sender: str) -> None:
        """An operator had it run again: it begins anew."""
        self._of.pop((site, sender), None)
