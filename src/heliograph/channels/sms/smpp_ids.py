"""A centre's message ids: it may answer in hex and write receipts in decimal, or the other way round.

same          the id comes back as it was given
hex-decimal   given in hex, comes back in decimal
decimal-hex   given in decimal, comes back in hex
auto          every spelling is expected, until twenty receipts in a row agreed on one of the three
"""

from __future__ import annotations

from collections.abc import Sequence

SURE = 20  # receipts
RECENT = 5_000  # names whose receipt is waited for while it is not known how they come back
_HEX = frozenset("0123456789abcdefABCDEF")


class Ids:
    """What the ids of one sender are called. `base` is one of the words above."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._recent: dict[str, tuple[str, str]] = {}  # a name → (the kind of spelling that it is, the id as given)
        self._agreed = ("", 0)

    def names(self, given: Sequence[str]) -> tuple[str, ...]:
        """Every name under which a receipt may call a message that was answered with these ids; first the ids as they
        came, in order."""
        if self.base == "auto":
            for one in given:
                self._expect(one)
        return names(given, self.base)

    def called(self, name: str) -> str:
        """How a receipt's id is written among `names`."""
        if self.base == "auto":
            self._learn(name)
        return name if self.base == "same" else plain(name)

    def _expect(self, given: str) -> None:
        while len(self._recent) >= RECENT:
            del self._recent[next(iter(self._recent))]
        for kind in ("decimal-hex", "hex-decimal"):
            for other in spelled(given, kind):
                self._recent[other] = (kind, given)
        self._recent[plain(given)] = ("same", given)

    def _learn(self, name: str) -> None:
        kind, given = self._recent.get(plain(name), ("", ""))
        if not kind or (kind == "same" and name != given):
            return
        former, times = self._agreed
        self._agreed = (kind, times + 1 if kind == former else 1)
        if self._agreed[1] >= SURE:
            self.base = kind
            self._recent.clear()


def plain(name: str) -> str:
    """Hex may come in either case and filled up with zeros."""
    return name.lstrip("0").lower() or "0" if name and _HEX.issuperset(name) else name


def spelled(given: str, base: str) -> tuple[str, ...]:
    """`given` in the other base, if it is a number in its own."""
    if base == "hex-decimal" and _HEX.issuperset(given):
        return (str(int(given, 16)),) if given else ()
    if base == "decimal-hex" and given.isascii() and given.isdigit():
        return (f"{int(given):x}",)
    return ()


def names(given: Sequence[str], base: str) -> tuple[str, ...]:
    """The ids as they came, in order, and then their other spellings."""
    found = dict.fromkeys(given)
    for one in given if base != "same" else ():
        if base == "auto":
            found.update(dict.fromkeys((plain(one), *spelled(one, "hex-decimal"), *spelled(one, "decimal-hex"))))
        else:
            found.update(dict.fromkeys(spelled(one, base)))
    return tuple(found)


def as_given(references: tuple[str, ...]) -> tuple[str, ...]:
    """The ids as they came among the names that were made of them, whatever the base was then."""
    for many in range(1, len(references)):
        if any(names(references[:many], base) == references for base in ("auto", "hex-decimal", "decimal-hex")):
            return references[:many]
    return references
