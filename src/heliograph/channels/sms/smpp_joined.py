"""Long messages that come in are put together: by user data header (8 or 16 bit reference) or by SAR parameters."""

from __future__ import annotations

from itertools import groupby
from uuid import uuid4

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_pdu import Delivered
from heliograph.channels.sms.smpp_text import decoded

KEPT = 1_000  # unfinished messages; the oldest are given out as they are when there are more
GAP = "…"  # stands for what did not come
_GONE = -1


class Place(msgspec.Struct, frozen=True, gc=False):
    """Which part of which long message: the reference and the total name it together with who wrote to whom."""

    reference: int
    total: int
    number: int


class Whole(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A message put together. `id`: the same however often it is given out. `missing`: how many of its parts did not
    come. `text` None: it is no text."""

    id: str
    source_ton: int
    source: str
    destination: str
    text: str | None
    missing: int = 0


Key = tuple[str, str, int, int]


class _Open:
    __slots__ = ("first", "id", "parts", "until")

    def __init__(self, first: Delivered, until: float) -> None:
        self.id = uuid4().hex
        self.first = first
        self.parts: dict[int, tuple[int, bytes]] = {}  # number → (data_coding, octets)
        self.until = until


class Joined:
    """`within`: seconds that the parts of a message may be apart, by the event loop's clock."""

    def __init__(self, *, within: float, alphabet: str) -> None:
        self._within = within
        self._alphabet = alphabet
        self._open: dict[Key, _Open] = {}

    def __len__(self) -> int:
        return len(self._open)

    def take(self, part: Delivered, place: Place, octets: bytes, now: float) -> tuple[Key, Whole | None]:
        """The message that `part` belongs to, and all of it where it is complete. It is kept until `settled`: what
        cannot be written down now comes again."""
        key = (part.source, part.destination, place.reference, place.total)
        known = self._open.get(key)
        if known is None:
            known = self._open[key] = _Open(part, now + self._within)
        known.parts[place.number] = (part.data_coding, octets)
        return key, self._whole(key) if len(known.parts) == place.total else None

    def settled(self, key: Key) -> None:
        self._open.pop(key, None)

    def late(self, now: float) -> list[Whole]:
        """What did not become whole in its time, or is more than is kept, as it is. It is forgotten here."""
        over = max(0, len(self._open) - KEPT)
        keys = [key for place, (key, one) in enumerate(self._open.items()) if place < over or one.until <= now]
        return [self._give(key) for key in keys]

    def rest(self) -> list[Whole]:
        """All that is unfinished, as it is."""
        return [self._give(key) for key in list(self._open)]

    def _give(self, key: Key) -> Whole:
        whole = self._whole(key)
        self.settled(key)
        return whole

    def _whole(self, key: Key) -> Whole:
        known = self._open[key]
        there = (known.parts.get(number, (_GONE, b"")) for number in range(1, key[3] + 1))
        texts: list[str | None] = []
        for coding, run in groupby(there, key=lambda part: part[0]):
            # What one alphabet holds is read at once: the end of a part may cut a pair in two.
            octets = b"".join(part[1] for part in run)
            texts.append(GAP if coding == _GONE else decoded(octets, coding, self._alphabet))
        said = [text for text in texts if text is not None]
        return Whole(
            id=known.id,
            source_ton=known.first.source_ton,
            source=known.first.source,
            destination=known.first.destination,
            text="".join(said) if len(said) == len(texts) else None,
            missing=key[3] - len(known.parts),
        )


def split(part: Delivered) -> tuple[Place | None, bytes]:
    """The place of a part in its message, and its text without the header. A header that cannot be right is taken off
    and the part stands alone."""
    if part.esm_class & n.ESM_UDHI and part.text:
        length = part.text[0]
        header, octets = part.text[1 : 1 + length], part.text[1 + length :]
        return _place(header), octets
    optional = part.optional
    if n.TLV_SAR_MSG_REF_NUM in optional:
        place = Place(
            int.from_bytes(optional[n.TLV_SAR_MSG_REF_NUM]),
            int.from_bytes(optional.get(n.TLV_SAR_TOTAL_SEGMENTS, b"")),
            int.from_bytes(optional.get(n.TLV_SAR_SEGMENT_SEQNUM, b"")),
        )
        return _sound(place), part.text
    return None, part.text


def _place(header: bytes) -> Place | None:
    at = 0
    while at + 2 <= len(header):
        element, length = header[at], header[at + 1]
        value = header[at + 2 : at + 2 + length]
        if element == n.IE_CONCATENATED_8 and len(value) == 3:
            return _sound(Place(value[0], value[1], value[2]))
        if element == n.IE_CONCATENATED_16 and len(value) == 4:
            # Another room of references than that of 8 bits.
            return _sound(Place(0x10000 + int.from_bytes(value[:2]), value[2], value[3]))
        at += 2 + length
    return None


def _sound(place: Place) -> Place | None:
    return place if 1 < place.total <= 255 and 1 <= place.number <= place.total else None
