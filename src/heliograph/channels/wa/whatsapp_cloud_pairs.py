"""Recipients that WhatsApp said got too many messages (131056): who is held, and for how long.

About one message in six seconds goes to one recipient; a burst of up to 45 borrows from what follows, so that the wait
can be 270 s. Source: developers.facebook.com …/whatsapp/throughput (21 May 2026).
"""

from __future__ import annotations

from collections import OrderedDict

FIRST = 6.0  # seconds
LONGEST = 270.0
KEPT = 10_000  # recipients; alerts hardly ever come so thick, and one that is forgotten is told again


class Pairs:
    """Of one number. Recipients are remembered from their first refusal until a message is taken again."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, tuple[float, float]] = OrderedDict()  # recipient → (until, the wait that was set)

    def wait(self, recipient: str, now: float) -> float:
        """Seconds until this recipient may be written to; 0 = now."""
        held = self._held.get(recipient)
        return max(0.0, held[0] - now) if held else 0.0

    def refused(self, recipient: str, now: float, asked: float | None = None) -> float:
        """WhatsApp refused: hold the recipient, twice as long each time, and at least as long as it `asked`. The
        seconds."""
        before = self._held.pop(recipient, None)
        wait = max(min(before[1] * 2 if before else FIRST, LONGEST), asked or 0.0)
        self._held[recipient] = (now + wait, wait)
        if len(self._held) > KEPT:
            self._held.popitem(last=False)
        return wait

    def taken(self, recipient: str) -> None:
        if self._held:
            self._held.pop(recipient, None)
