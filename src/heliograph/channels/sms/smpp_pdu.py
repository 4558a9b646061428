"""SMPP's PDUs as bytes: what we write, and what a centre writes to us. Pure.

header  command_length, command_id, command_status, sequence_number (big-endian u32)
body    C-strings, octets, and at the end optional parameters: tag u16, length u16, value
"""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta

import msgspec

from heliograph.channels.sms.smpp_numbers import (
    BIND_TRANSCEIVER,
    HEADER_BYTES,
    SHORT_MESSAGE_MOST,
    TLV_MESSAGE_PAYLOAD,
    VERSION,
)

HEADER = struct.Struct(">IIII")
_TLV = struct.Struct(">HH")
LONGEST = timedelta(days=30)  # of a validity period; what lives longer is given this


class BadPdu(Exception):
    """A body that ends too early or breaks a length. The sentence names the field, never its value."""


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    return HEADER.pack(HEADER_BYTES + len(body), command, status, sequence) + body


def tlv(tag: int, value: bytes) -> bytes:
    return _TLV.pack(tag, len(value)) + value


def bind(
    system_id: str, password: str, system_type: str, *, ton: int, npi: int, address_range: str, sequence: int
) -> bytes:
    """bind_transceiver (§4.1.5). Lengths were checked with the settings."""
    body = b"".join(
        (
            *(text.encode("latin-1") + b"\0" for text in (system_id, password, system_type)),
            bytes((VERSION, ton, npi)),
            address_range.encode("latin-1") + b"\0",
        )
    )
    return pdu(BIND_TRANSCEIVER, 0, sequence, body)


def source(service_type: str, ton: int, npi: int, address: str) -> bytes:
    """How the body of each submit_sm of one sender begins."""
    return service_type.encode("latin-1") + b"\0" + bytes((ton, npi)) + address.encode("latin-1") + b"\0"


def submit(
    source: bytes,
    destination: bytes,
    *,
    esm_class: int,
    protocol_id: int,
    priority: int,
    validity: bytes,
    registered: int,
    data_coding: int,
    text: bytes,
    optional: bytes = b"",
) -> bytes:
    """The body of a submit_sm (§4.4.1). `destination`: ton, npi and address with its NUL. A `text` that is longer than
    short_message may be goes as message_payload."""
    if len(text) > SHORT_MESSAGE_MOST:
        optional += tlv(TLV_MESSAGE_PAYLOAD, text)
        text = b""
    return b"".join(
        (
            source,
            destination,
            bytes((esm_class, protocol_id, priority, 0)),  # and no schedule_delivery_time
            validity,
            b"\0",
            bytes((registered, 0, data_coding, 0, len(text))),
            text,
            optional,
        )
    )


def validity(form: str, now: int, expires: int) -> bytes:
    """The validity_period (§7.1.1) of what lives from `now` to `expires` (ms), to the second."""
    left = min(timedelta(seconds=max(1, (expires - now) // 1000)), LONGEST)
    if form == "relative":
        hours, rest = divmod(left.seconds, 3600)
        return b"0000%02d%02d%02d%02d000R" % (left.days, hours, *divmod(rest, 60))
    if form == "absolute":
        end = datetime.fromtimestamp(now // 1000, UTC) + left
        return end.strftime("%y%m%d%H%M%S000+").encode()
    return b""


def query(message_id: str, source: bytes) -> bytes:
    """The body of a query_sm (§4.8.1). `source`: ton, npi and address with its NUL."""
    return message_id.encode("latin-1") + b"\0" + source


def cancel(message_id: str, source: bytes, destination: bytes, service_type: str) -> bytes:
    """The body of a cancel_sm (§4.9.1)."""
    return service_type.encode("latin-1") + b"\0" + message_id.encode("latin-1") + b"\0" + source + destination


class Delivered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A deliver_sm or data_sm: a receipt, or what a recipient wrote. `text`: short_message or message_payload."""

    source_ton: int
    source: str
    destination: str
    esm_class: int
    data_coding: int
    text: bytes
    optional: dict[int, bytes]


def delivered(body: bytes) -> Delivered:
    """A deliver_sm (§4.6.1). Raises BadPdu."""
    at = _skip(body, 0, "service_type")
    source_ton = _octet(body, at, "source_addr_ton")
    source, at = _text(body, at + 2, "source_addr")
    destination, at = _text(body, at + 2, "destination_addr")
    esm_class = _octet(body, at, "esm_class")
    at = _skip(body, at + 3, "schedule_delivery_time")
    at = _skip(body, at, "validity_period")
    data_coding = _octet(body, at + 2, "data_coding")
    length = _octet(body, at + 4, "sm_length")
    at += 5
    text = body[at : at + length]
    if len(text) < length:
        raise BadPdu("short_message is shorter than its sm_length.")
    optional = parameters(body, at + length)
    return Delivered(
        source_ton=source_ton,
        source=source,
        destination=destination,
        esm_class=esm_class,
        data_coding=data_coding,
        text=text or optional.get(TLV_MESSAGE_PAYLOAD, b""),
        optional=optional,
    )


def data(body: bytes) -> Delivered:
    """A data_sm (§4.7.1). Raises BadPdu."""
    at = _skip(body, 0, "service_type")
    source_ton = _octet(body, at, "source_addr_ton")
    source, at = _text(body, at + 2, "source_addr")
    destination, at = _text(body, at + 2, "destination_addr")
    esm_class = _octet(body, at, "esm_class")
    data_coding = _octet(body, at + 2, "data_coding")
    optional = parameters(body, at + 3)
    return Delivered(
        source_ton=source_ton,
        source=source,
        destination=destination,
        esm_class=esm_class,
        data_coding=data_coding,
        text=optional.get(TLV_MESSAGE_PAYLOAD, b""),
        optional=optional,
    )


def parameters(body: bytes, at: int) -> dict[int, bytes]:
    """The optional parameters from `at` on. Some centres end a body with a stray octet or two: those are let be."""
    found: dict[int, bytes] = {}
    while at + 4 <= len(body):
        tag, length = _TLV.unpack_from(body, at)
        at += 4
        if at + length > len(body):
            raise BadPdu(f"the optional parameter 0x{tag:04X} is longer than what is left.")
        found[tag] = body[at : at + length]
        at += length
    return found


def _text(body: bytes, at: int, name: str) -> tuple[str, int]:
    end = body.find(b"\0", at)
    if end < 0:
        raise BadPdu(f"{name} does not end.")
    return body[at:end].decode("latin-1"), end + 1


def _skip(body: bytes, at: int, name: str) -> int:
    end = body.find(b"\0", at)
    if end < 0:
        raise BadPdu(f"{name} does not end.")
    return end + 1


def _octet(body: bytes, at: int, name: str) -> int:
    if at >= len(body):
        raise BadPdu(f"{name} is missing.")
    return body[at]
