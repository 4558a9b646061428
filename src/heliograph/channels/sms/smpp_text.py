"""A text as the parts that go over the line: alphabet, cuts, and what joins the parts again. Pure.

udh      6 octets before the text: 05 00 03 reference total number (3GPP TS 23.040 §9.2.3.24.1), and the UDHI bit
sar      the same as three optional parameters; the centre makes the header
payload  the whole text as message_payload; the centre cuts it
"""

from __future__ import annotations

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_pdu import tlv
from heliograph.core import sms

PARTS_MOST = 255  # what one octet can count
LATIN1_ALONE, LATIN1_JOINED = 140, 134  # octets


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One submit_sm's share of a message. `esm_class`: the UDHI bit or nothing."""

    text: bytes
    esm_class: int = 0
    optional: bytes = b""


def pieces(text: str, *, long: str, latin1: bool, reference: int) -> tuple[int, list[Piece]]:
    """data_coding, and the parts of `text` in order. `latin1`: what GSM-7 lacks goes as Latin-1 where that suffices.
    `reference` (0 to 255) joins the parts."""
    encoding, parts = sms.encoded(text)
    data_coding = n.GSM if encoding == sms.GSM7 else n.UCS2
    if data_coding == n.UCS2 and latin1:
        try:
            octets = text.encode("latin-1")
        except UnicodeEncodeError:
            pass  # it is more than Latin-1 has, and goes as it would without the setting
        else:
            data_coding, parts = n.LATIN1, _cut(octets)
    if len(parts) == 1:
        return data_coding, [Piece(parts[0])]
    if long == "payload":
        return data_coding, [Piece(b"".join(parts))]
    return data_coding, [
        _udh(part, reference, len(parts), number) if long == "udh" else _sar(part, reference, len(parts), number)
        for number, part in enumerate(parts, 1)
    ]


def _udh(part: bytes, reference: int, total: int, number: int) -> Piece:
    header = bytes((5, n.IE_CONCATENATED_8, 3, reference, total & 0xFF, number & 0xFF))
    return Piece(header + part, n.ESM_UDHI)


def _sar(part: bytes, reference: int, total: int, number: int) -> Piece:
    optional = (
        tlv(n.TLV_SAR_MSG_REF_NUM, reference.to_bytes(2))
        + tlv(n.TLV_SAR_TOTAL_SEGMENTS, bytes((total & 0xFF,)))
        + tlv(n.TLV_SAR_SEGMENT_SEQNUM, bytes((number & 0xFF,)))
    )
    return Piece(part, 0, optional)


def _cut(octets: bytes) -> list[bytes]:
    if len(octets) <= LATIN1_ALONE:
        return [octets]
    return [octets[at : at + LATIN1_JOINED] for at in range(0, len(octets), LATIN1_JOINED)]


def decoded(data: bytes, data_coding: int, alphabet: str) -> str | None:
    """The text in a message's octets; None where they are no text (binary data, ringtones). `alphabet`: what the
    centre's default alphabet is."""
    if data_coding in (2, n.OCTETS):
        return None
    if data_coding == n.IA5:
        return data.decode("ascii", "replace")
    if data_coding == n.LATIN1:
        return data.decode("latin-1")
    kind = _alphabet_bits(data_coding)
    if kind == n.UCS2:
        return data.decode("utf-16-be", "replace")
    if kind == n.OCTETS:
        return None
    if alphabet == "gsm":
        return sms.decode_gsm7(data)
    return data.decode("latin-1" if alphabet == "latin1" else "ascii", "replace")


def _alphabet_bits(data_coding: int) -> int:
    """0, 4 or 8 (GSM, octets, UCS-2) of a data_coding in the form of 3GPP TS 23.038 §4; what is reserved there, and
    the tables of other countries, is no text that we could read."""
    if data_coding < 0x40:
        return n.OCTETS if 5 <= data_coding <= 0x0F and data_coding != n.UCS2 else data_coding & 0x0C
    if 0xC0 <= data_coding <= 0xDF:
        return n.GSM
    if 0xE0 <= data_coding <= 0xEF:
        return n.UCS2
    if data_coding >= 0xF0:
        return data_coding & 0x04
    return n.OCTETS
