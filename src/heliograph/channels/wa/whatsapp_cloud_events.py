"""One event of WhatsApp's webhook → one of ours. Each function takes the event as it came and never raises: one that
cannot be read is kept as unknown.

Source: developers.facebook.com …/whatsapp/webhooks/reference (May to August 2026); (r) = recalled.
"""

from __future__ import annotations

import msgspec

from heliograph.channels import kit
from heliograph.channels.wa import whatsapp_cloud_answers
from heliograph.channels.wa.whatsapp_cloud_answers import Fault
from heliograph.channels.wa.whatsapp_cloud_said import said as said_in
from heliograph.channels.wa.whatsapp_cloud_shapes import Contact, Message, Preference, Status
from heliograph.core.event import Inbound, OptOutHeard, ProviderEvent, Receipt, UnknownEvent
from heliograph.core.states import AttemptState

# status → state of the attempt. `deleted` (the recipient took a message of theirs back) and words to come are unknown.
STATES = {
    "sent": AttemptState.SENT,
    "delivered": AttemptState.DELIVERED,
    "read": AttemptState.READ,
    "played": AttemptState.READ,  # of a voice message
    "failed": AttemptState.FAILED,
}
PREFERENCES = {"stop": False, "resume": True}  # does the recipient want messages
# Times are seconds in most webhooks and milliseconds in some; as seconds this would be the year 5138.
_MILLISECONDS = 100_000_000_000


_read_status = msgspec.json.Decoder(Status, strict=False).decode
_read_contact = msgspec.json.Decoder(Contact).decode
_read_message = msgspec.json.Decoder(Message, strict=False).decode
_read_preference = msgspec.json.Decoder(Preference).decode
_read_fault = msgspec.json.Decoder(Fault, strict=False).decode


def unknown(kind: str, raw: msgspec.Raw, event: str = "") -> UnknownEvent:
    return UnknownEvent(event=event or kit.fingerprint(bytes(raw)), kind=kind, raw=raw)


def people(raws: tuple[msgspec.Raw, ...]) -> dict[str, str]:
    """Business-scoped user id → number, as far as the webhook's contacts say both."""
    found = {}
    for raw in raws:
        try:
            contact = _read_contact(raw)
        except kit.UNREADABLE:
            continue
        if contact.user_id and contact.wa_id:
            found[contact.user_id] = contact.wa_id
    return found


def status(raw: msgspec.Raw) -> ProviderEvent:
    """What became of a message of ours. Its id is the message's and the word, so that a repeat is known as one."""
    try:
        told = _read_status(raw)
    except kit.UNREADABLE:
        return unknown("status.unreadable", raw)
    state = STATES.get(told.status)
    name = f"{told.id}:{told.status}"
    if state is None or not told.id:
        return unknown(f"status.{told.status or 'unnamed'}", raw, name if told.id else "")
    reason = ""
    if state is AttemptState.FAILED:
        reason = whatsapp_cloud_answers.reason(told.errors[0].code if told.errors else -1)
    return Receipt(
        event=name,
        state=state,
        attempt=told.biz_opaque_callback_data,
        reference=told.id,
        sender_of_event=_person(told.recipient_id, told.recipient_user_id),
        at=_time(told.timestamp),
        reason=reason,
        raw=raw,
    )


def message(raw: msgspec.Raw, known: dict[str, str]) -> ProviderEvent:
    """What a person said, tapped or sent."""
    try:
        said = _read_message(raw)
    except kit.UNREADABLE:
        return unknown("message.unreadable", raw)
    who = _person(said.sender or known.get(said.from_user_id, ""), said.from_user_id)
    what = None if said.group_id else said_in(said)
    if what is None or not who:
        kind = "group" if said.group_id else said.system.type if said.system else ""
        return unknown(f"message.{kind or said.type or 'unnamed'}", raw, said.id)
    return Inbound(
        event=said.id or kit.fingerprint(bytes(raw)),
        recipient=who,
        kind=what.kind,
        text=what.text,
        postback=what.postback,
        attached=what.attached,
        place=what.place,
        in_reply_to=said.reaction.message_id if said.reaction else said.context.id,
        at=_time(said.timestamp),
        raw=raw,
    )


def preference(raw: msgspec.Raw, known: dict[str, str]) -> ProviderEvent:
    """A person stopped or resumed marketing messages of this number."""
    try:
        told = _read_preference(raw)
    except kit.UNREADABLE:
        return unknown("user_preferences.unreadable", raw)
    who = _person(told.wa_id or known.get(told.user_id, ""), told.user_id)
    if told.value not in PREFERENCES or not who:
        return unknown(f"user_preferences.{told.value or 'unnamed'}", raw)
    # Without an id of its own; the same bytes come with each repeat.
    name = kit.fingerprint(bytes(raw))
    # It is said in a menu of WhatsApp's own, which shows what was chosen: nothing is left to be confirmed.
    wanted = PREFERENCES[told.value]
    return OptOutHeard(event=name, recipient=who, wanted=wanted, at=_time(told.timestamp), confirmed=True, raw=raw)


def fault(raw: msgspec.Raw) -> UnknownEvent:
    """A fault of the number, the app or the account, not of a message."""
    try:
        return unknown(f"error.{_read_fault(raw).code}", raw)
    except kit.UNREADABLE:
        return unknown("error.unreadable", raw)


def _person(wa_id: str, user_id: str) -> str:
    """The number in E.164, else the business-scoped user id ("US.13491208655302741918").

    WhatsApp's own ids kept numbers as they were written when people joined (r): Mexico's mobiles with a 1 behind the
    country code, given up in 2019; Brazil's without the ninth digit, which all mobiles (6 to 9) have by now."""
    digits = wa_id.removeprefix("+")
    if not digits.isdigit():
        return user_id or wa_id
    if digits.startswith("521") and len(digits) == 13:
        digits = "52" + digits[3:]
    elif digits.startswith("55") and len(digits) == 12 and digits[4] in "6789":
        digits = f"{digits[:4]}9{digits[4:]}"
    return "+" + digits


def _time(stamp: int | str) -> int | None:
    """Milliseconds since the epoch; None where it cannot be read."""
    try:
        number = int(stamp)
    except ValueError:
        return None
    if number <= 0:
        return None
    return number if number > _MILLISECONDS else number * 1000
