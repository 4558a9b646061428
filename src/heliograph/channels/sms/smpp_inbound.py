"""A deliver_sm as events: a receipt, or what a recipient wrote."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.channels import kit
from heliograph.channels.sms import smpp_followed, smpp_receipts
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_followed import Followed
from heliograph.channels.sms.smpp_ids import Ids
from heliograph.channels.sms.smpp_joined import Whole
from heliograph.channels.sms.smpp_pdu import Delivered
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.core.event import Inbound, ProviderEvent, Receipt, UnknownEvent


def is_receipt(said: Delivered) -> bool:
    """By its esm_class or its parameters, never by its words: those a recipient could write."""
    return said.esm_class & n.ESM_TYPE in (n.ESM_RECEIPT, n.ESM_INTERMEDIATE) or (
        n.TLV_RECEIPTED_MESSAGE_ID in said.optional and n.TLV_MESSAGE_STATE in said.optional
    )


def receipt(
    said: Delivered, settings: Settings, ids: Ids, followed: Followed
) -> tuple[ProviderEvent, Callable[[], None] | None]:
    """The event, and what undoes what was learned from it if it cannot be written down."""
    read = smpp_receipts.read(said.text, said.optional, errors=settings.errors, zone=settings.zone)
    recipient = number(said.source_ton, said.source)
    told: dict[str, object] = {"id": read.id, "stat": read.stat, "err": read.err}
    # The same receipt again says the same, whatever the centre changed around it.
    event = "r" + kit.fingerprint(f"{read.id} {read.stat} {read.err} {read.at} {recipient}".encode())
    if read.state is None:
        return UnknownEvent(event=event, kind=f"receipt {read.stat}"[:64].rstrip(), raw=_raw(told)), None
    name = ids.called(read.id)
    known = followed.find(name) if name else None
    attempt, state, reason = "", read.state, read.reason
    undo: Callable[[], None] | None = None
    if known is not None:
        message, part = known
        attempt = message.id
        state, reason = smpp_followed.heard(message, part, read.state, read.reason)
        if message.total > 1:
            told["part"] = f"{part + 1} of {message.total}"

            def undo() -> None:
                smpp_followed.unheard(message, part, read.state or state)

    elif n.TLV_USER_MESSAGE_REFERENCE in said.optional:
        echoed = int.from_bytes(said.optional[n.TLV_USER_MESSAGE_REFERENCE])
        guessed = followed.guess(echoed, recipient)
        if guessed is not None:
            attempt = guessed.id
            told["guess"] = "user_message_reference"
    if not name and not attempt:
        return UnknownEvent(event=event, kind="receipt without an id", raw=_raw(told)), None
    made = Receipt(
        event=event,
        state=state,
        attempt=attempt,
        reference=name,
        sender_of_event=recipient,
        at=read.at,
        reason=reason,
        raw=_raw(told),
    )
    return made, undo


def inbound(whole: Whole) -> Inbound | UnknownEvent:
    """What a recipient wrote. What is no text (a ringtone, a contact) is `other`. Without a source address nobody could
    be answered: it is kept as unknown."""
    told: dict[str, object] = {"to": whole.destination}
    if whole.missing:
        told["missing_parts"] = whole.missing
    if not whole.source:
        return UnknownEvent(event=whole.id, kind="message without a source", raw=_raw({**told, "text": whole.text}))
    return Inbound(
        event=whole.id,
        recipient=number(whole.source_ton, whole.source),
        kind="other" if whole.text is None else "text",
        text=whole.text or "",
        raw=_raw(told),
    )


def part(id: str, said: Delivered, place: str, text: str | None) -> UnknownEvent:
    """A part of a longer message, kept until the whole is there: its acknowledgement says that we have it."""
    told: dict[str, object] = {"from": number(said.source_ton, said.source), "part": place, "text": text}
    return UnknownEvent(event=id, kind="sms_part", raw=_raw(told))


def unreadable(body: bytes, why: str) -> UnknownEvent:
    return UnknownEvent(
        event="u" + kit.fingerprint(body), kind="unreadable", raw=_raw({"why": why, "body": body.hex()})
    )


def number(ton: int, address: str) -> str:
    """The address as E.164 where it is a whole number; short codes, names and national numbers stay as they came."""
    if address.startswith("+") or not address.isdigit():
        return address
    if ton == n.TON_INTERNATIONAL or (ton == n.TON_UNKNOWN and len(address) >= 10 and not address.startswith("0")):
        return f"+{address}"
    return address


def _raw(told: dict[str, object]) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(told))
