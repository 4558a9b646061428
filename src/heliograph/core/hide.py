"""The record of an alert as it may be shown to people who need not know the number. Pure."""

from __future__ import annotations

import msgspec

from heliograph.core import phone
from heliograph.core.ports.reading import Record


def hidden(record: Record) -> Record:
    """The record with the recipient's number masked wherever it stands, in answers and references too."""
    number = record.alert.recipient
    if not number:
        return record
    masked = phone.mask(number)
    pairs = [
        (number.encode(), masked.encode()),
        (b"%2B" + number[1:].encode(), masked.encode()),
        (number[1:].encode(), masked[1:].encode()),
    ]

    def blot(raw: bytes) -> bytes:
        for found, instead in pairs:
            raw = raw.replace(found, instead)
        return raw

    # The caller's own JSON and the providers' bodies are blotted as bytes: reading them as JSON could change a number.
    bare = msgspec.structs.replace(
        record,
        alert=msgspec.structs.replace(record.alert, alert_info=msgspec.Raw(b"null")),
        attempts=tuple(msgspec.structs.replace(one, raw=b"") for one in record.attempts),
        decision=b"",
    )
    bare = msgspec.json.decode(blot(msgspec.json.encode(bare)), type=type(record))
    info = msgspec.Raw(blot(bytes(record.alert.alert_info)))
    raws = zip(bare.attempts, record.attempts, strict=True)
    return msgspec.structs.replace(
        bare,
        alert=msgspec.structs.replace(bare.alert, alert_info=info),
        attempts=tuple(msgspec.structs.replace(one, raw=blot(whole.raw)) for one, whole in raws),
        decision=blot(record.decision),
    )
