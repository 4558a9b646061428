"""What was handed to a provider, kept in memory: files, so that phones can show them, and named documents."""

from __future__ import annotations

import secrets
import string
from collections import OrderedDict

from heliograph.core.twin import Medium

FILES = 10_000
BYTES = 256 * 1_048_576  # of all files together; the oldest go first
_LETTERS = string.ascii_letters + string.digits


class Media:
    def __init__(self) -> None:
        self._kept: OrderedDict[str, Medium] = OrderedDict()
        self._bytes = 0

    def keep(self, medium: Medium) -> str:
        """Gives the file's id back: 24 letters and digits, as Google's."""
        name = "".join(secrets.choice(_LETTERS) for _ in range(24))
        self._kept[name] = medium
        self._bytes += len(medium.data)
        while len(self._kept) > FILES or (self._bytes > BYTES and len(self._kept) > 1):
            self._bytes -= len(self._kept.popitem(last=False)[1].data)
        return name

    def find(self, name: str) -> Medium | None:
        return self._kept.get(name)


class Shelf(OrderedDict[str, bytes]):
    """Documents of one provider by name. Bounded: the oldest goes first."""

    def __setitem__(self, name: str, document: bytes) -> None:
        super().__setitem__(name, document)
        while len(self) > FILES:
            self.popitem(last=False)
