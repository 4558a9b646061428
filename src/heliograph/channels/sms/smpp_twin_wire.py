"""The centre's half of SMPP 3.4 on the wire: binds and submits read, receipts and messages from phones written.

From the specification, not from our adapter; the two share the numbers and nothing else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from heliograph.channels.sms import smpp_numbers as n

BINDS = (n.BIND_RECEIVER, n.BIND_TRANSMITTER, n.BIND_TRANSCEIVER)


class Garbage(Exception):
    """What came is no PDU that could be answered in kind. `status` goes into the refusal."""

    def __init__(self, status: int, sequence: int) -> None:
        super().__init__(n.STATUS.get(status, str(status)))
        self.status = status
        self.sequence = sequence


class Pdu(msgspec.Struct, frozen=True, gc=False):
    command: int
    status: int
    sequence: int
    body: bytes = b""

    def packed(self) -> bytes:
        return struct.pack(">4L", 16 + len(self.body), self.command, self.status, self.sequence) + self.body


class Inlet:
    """Cuts what comes in into PDUs. Raises Garbage where a length cannot be; nothing can be read after that."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[Pdu]:
        held = self._held
        held += data
        while len(held) >= 16:
            length, command, status, sequence = struct.unpack(">4L", held[:16])
            if length < 16 or length > n.PDU_BYTES_MOST:
                held.clear()
                raise Garbage(n.RINVCMDLEN, sequence)
            if len(held) < length:
                return
            body = bytes(held[16:length])
            del held[:length]
            yield Pdu(command, status, sequence, body)


class Reader:
    """Takes a body apart, field after field. Raises Garbage (RINVPARLEN) where it ends too early."""

    def __init__(self, pdu: Pdu) -> None:
        self._body = pdu.body
        self._sequence = pdu.sequence
        self._at = 0

    def string(self, most: int) -> str:
        """A C-string of at most `most` octets with its NUL."""
        end = self._body.find(0, self._at)
        if end < 0 or end - self._at >= most:
            raise Garbage(n.RINVPARLEN, self._sequence)
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def octet(self) -> int:
        if self._at >= len(self._body):
            raise Garbage(n.RINVPARLEN, self._sequence)
        self._at += 1
        return self._body[self._at - 1]

    def octets(self, many: int) -> bytes:
        if self._at + many > len(self._body):
            raise Garbage(n.RINVMSGLEN, self._sequence)
        self._at += many
        return self._body[self._at - many : self._at]

    def optional(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        while self._at < len(self._body):
            if self._at + 4 > len(self._body):
                raise Garbage(0xC0, self._sequence)
            tag, length = struct.unpack_from(">HH", self._body, self._at)
            self._at += 4
            if self._at + length > len(self._body):
                raise Garbage(n.RINVPARLEN, self._sequence)
            found[tag] = self._body[self._at : self._at + length]
            self._at += length
        return found


class Bind(msgspec.Struct, frozen=True):
    system_id: str
    password: str
    system_type: str
    version: int


def read_bind(pdu: Pdu) -> Bind:
    reader = Reader(pdu)
    bind = Bind(reader.string(16), reader.string(9), reader.string(13), reader.octet())
    reader.octet()
    reader.octet()
    reader.string(41)
    return bind


class Submit(msgspec.Struct, frozen=True):
    """A submit_sm as it was written. `octets`: short_message, or message_payload."""

    source_ton: int
    source_npi: int
    source: str
    destination_ton: int
    destination_npi: int
    destination: str
    esm_class: int
    validity: str
    registered: int
    data_coding: int
    octets: bytes
    optional: dict[int, bytes]


def read_submit(pdu: Pdu) -> Submit:
    reader = Reader(pdu)
    reader.string(6)
    source = (reader.octet(), reader.octet(), reader.string(21))
    destination = (reader.octet(), reader.octet(), reader.string(21))
    esm_class = reader.octet()
    reader.octet()
    reader.octet()
    reader.string(17)
    validity = reader.string(17)
    registered = reader.octet()
    reader.octet()
    data_coding = reader.octet()
    reader.octet()
    length = reader.octet()
    if length > n.SHORT_MESSAGE_MOST:
        raise Garbage(n.RINVMSGLEN, pdu.sequence)
    octets = reader.octets(length)
    optional = reader.optional()
    payload = optional.get(n.TLV_MESSAGE_PAYLOAD)
    if payload is not None and octets:
        raise Garbage(n.RINVMSGLEN, pdu.sequence)  # one of the two, §5.3.2.32
    return Submit(*source, *destination, esm_class, validity, registered, data_coding, payload or octets, optional)


def read_query(pdu: Pdu) -> str:
    return Reader(pdu).string(66)


def read_cancel(pdu: Pdu) -> str:
    reader = Reader(pdu)
    reader.string(6)
    return reader.string(66)


def string(text: str) -> bytes:
    return text.encode("latin-1", "replace") + b"\0"


def parameter(tag: int, value: bytes) -> bytes:
    return struct.pack(">HH", tag, len(value)) + value


def deliver(
    *,
    source: tuple[int, int, str],
    destination: tuple[int, int, str],
    esm_class: int,
    data_coding: int,
    octets: bytes,
    optional: bytes = b"",
) -> bytes:
    """The body of a deliver_sm. Addresses are (ton, npi, digits)."""
    return b"".join(
        (
            b"\0",
            bytes(source[:2]) + string(source[2]),
            bytes(destination[:2]) + string(destination[2]),
            bytes((esm_class, 0, 0)),
            b"\0\0",
            bytes((0, 0, data_coding, 0, len(octets))),
            octets,
            optional,
        )
    )
