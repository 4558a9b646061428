"""Texts as a centre and a phone see them: read from the alphabets on the wire, long ones joined, and written back.

The alphabet is typed from 3GPP TS 23.038 §6.2.1, a second time: the adapter's is core/sms.py.
"""

from __future__ import annotations

import msgspec

from heliograph.channels.sms import smpp_numbers as n

_ROWS = (
    "@£$¥èéùìòÇ\nØø\rÅå",
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ",
    " !\"#¤%&'()*+,-./",
    "0123456789:;<=>?",
    "¡ABCDEFGHIJKLMNO",
    "PQRSTUVWXYZÄÖÑÜ§",
    "¿abcdefghijklmno",
    "pqrstuvwxyzäöñüà",
)
_CHARACTERS = "".join(_ROWS)
_AFTER_ESCAPE = dict(zip(bytes.fromhex("0a14 2829 2f3c 3d3e 4065"), "\f^{}\\[~]|€", strict=True))
_OCTETS = {char: bytes((at,)) for at, char in enumerate(_CHARACTERS) if at != 0x1B}
_OCTETS |= {char: bytes((0x1B, at)) for at, char in _AFTER_ESCAPE.items()}


def read(octets: bytes, data_coding: int) -> str:
    """What a phone shows; octets that are no text as hex."""
    if data_coding in (n.GSM, 0xF0, 0xF1):
        shown, escape = "", False
        for octet in octets:
            if escape:
                shown, escape = shown + _AFTER_ESCAPE.get(octet, " "), False
            elif octet == 0x1B:
                escape = True
            else:
                shown += _CHARACTERS[octet] if octet < 128 else "?"
        return shown
    if data_coding == n.UCS2:
        return octets.decode("utf-16-be", "replace")
    if data_coding in (n.IA5, n.LATIN1):
        return octets.decode("latin-1")
    return octets.hex()


def write(text: str) -> tuple[int, list[bytes]]:
    """data_coding, and the octets of each part of what a phone sends: GSM where it can, else UCS-2."""
    units: list[bytes]
    if all(char in _OCTETS for char in text):
        coding, alone, joined = n.GSM, 160, 153
        units = [_OCTETS[char] for char in text]
    else:
        coding, alone, joined = n.UCS2, 140, 134
        units = [char.encode("utf-16-be") for char in text]
    if sum(map(len, units)) <= alone:
        return coding, [b"".join(units)]
    parts = [b""]
    for unit in units:
        if len(parts[-1]) + len(unit) > joined:
            parts.append(b"")
        parts[-1] += unit
    return coding, parts


def headed(parts: list[bytes], reference: int) -> list[bytes]:
    """Each part with its user data header."""
    return [bytes((5, 0, 3, reference & 0xFF, len(parts), at)) + part for at, part in enumerate(parts, 1)]


class Spot(msgspec.Struct, frozen=True):
    """Which part of which long message."""

    reference: int
    total: int
    number: int


def spot(esm_class: int, octets: bytes, optional: dict[int, bytes]) -> tuple[Spot | None, bytes]:
    """The place of a part, and its octets without the header."""
    if esm_class & n.ESM_UDHI and octets:
        header, rest = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
        while len(header) >= 2:
            element, value = header[0], header[2 : 2 + header[1]]
            if element == n.IE_CONCATENATED_8 and len(value) == 3:
                return Spot(value[0], value[1], value[2]), rest
            if element == n.IE_CONCATENATED_16 and len(value) == 4:
                return Spot(int.from_bytes(value[:2]), value[2], value[3]), rest
            header = header[2 + header[1] :]
        return None, rest
    if n.TLV_SAR_MSG_REF_NUM in optional:
        reference, total, number = (
            int.from_bytes(optional.get(tag, b""))
            for tag in (n.TLV_SAR_MSG_REF_NUM, n.TLV_SAR_TOTAL_SEGMENTS, n.TLV_SAR_SEGMENT_SEQNUM)
        )
        return Spot(reference, total, number), octets
    return None, octets


class Puzzle:
    """Long messages of which parts have come. `add` gives the whole text with the last part."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, str, int, int], dict[int, tuple[int, bytes]]] = {}

    def add(self, source: str, destination: str, spot: Spot, data_coding: int, octets: bytes) -> str | None:
        key = (source, destination, spot.reference, spot.total)
        parts = self._open.setdefault(key, {})
        parts[spot.number] = (data_coding, octets)
        if len(parts) < spot.total:
            if len(self._open) > 1_000:
                del self._open[next(iter(self._open))]
            return None
        del self._open[key]
        return "".join(read(told, coding) for _, (coding, told) in sorted(parts.items()))


def parts(text: str, data_coding: int) -> int:
    """How many parts a text takes that came as one payload."""
    if data_coding == n.GSM:
        length, alone, joined = sum(len(_OCTETS.get(char, b"?")) for char in text), 160, 153
    else:
        wide = data_coding == n.UCS2
        length, alone, joined = len(text.encode("utf-16-be" if wide else "latin-1", "replace")), 140, 134
    return 1 if length <= alone else -(-length // joined)
