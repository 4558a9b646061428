"""Which of several senders of one channel writes to a recipient. Pure, and the same on every node and at every time.

Each sender draws a number for each recipient, from their names alone (rendezvous hashing). A sender of weight 3 wins
three times as many recipients as one of weight 1. A recipient therefore keeps hearing from the same sender without any
memory; where that one is away the second in his order takes over, and only its own recipients move.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")


def fraction(*words: str) -> float:
    """A number above 0 and below 1 that these words always give; spread evenly over all words."""
    drawn = blake2b("\0".join(words).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return ((int.from_bytes(drawn, "big") >> 11) + 0.5) / 2**53


def in_order(senders: Sequence[tuple[T, str, int]], recipient: str) -> list[T]:
    """The senders, given as (sender, its name, its weight), in the order in which they are tried for this recipient. A
    weight of 0 or less is a spare: after all others."""
    if len(senders) < 2:
        return [sender for sender, _, _ in senders]
    drawn = sorted((_place(name, weight, recipient), name, n) for n, (_, name, weight) in enumerate(senders))
    return [senders[n][0] for _, _, n in drawn]


def _place(name: str, weight: int, recipient: str) -> tuple[bool, float]:
    """Smaller comes first. -ln(u) / weight is the time of the first event of a source with that rate: which source is
    first follows the weights."""
    drawn = -math.log(fraction("sender", name, recipient))
    return (weight <= 0, drawn / weight if weight > 0 else drawn)
