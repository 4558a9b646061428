"""What a receipt says: the words of its text (SMPP 3.4 Appendix B) and its optional parameters, by tables. Pure.

    id:IIIIIIIIII sub:SSS dlvrd:DDD submit date:YYMMDDhhmm done date:YYMMDDhhmm stat:DDDDDDD err:EEE text:…

Where both are there the optional parameters are believed. Centres differ in upper case, spaces, order and length.
"""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.core.states import AttemptState

# stat → the attempt's state and our reason. UNKNOWN says that the centre does not know: that is no failure.
WORDS: dict[str, tuple[AttemptState, str]] = {
    "SCHEDUL": (AttemptState.SENT, ""),
    "ENROUTE": (AttemptState.SENT, ""),
    "ACCEPTD": (AttemptState.SENT, ""),
    "BUFFRED": (AttemptState.SENT, ""),
    "DELIVRD": (AttemptState.DELIVERED, ""),
    "EXPIRED": (AttemptState.EXPIRED, "expired"),
    "DELETED": (AttemptState.REVOKED, ""),
    "UNDELIV": (AttemptState.FAILED, "cannot_reach"),
    "REJECTD": (AttemptState.FAILED, "rejected"),
    "UNKNOWN": (AttemptState.SENT, "unknown"),
}
# The same words as some centres write them.
SPELLED = {
    "DELIVERED": "DELIVRD",
    "ACCEPTED": "ACCEPTD",
    "UNDELIVERABLE": "UNDELIV",
    "UNDELIVERED": "UNDELIV",
    "UNDELIVRD": "UNDELIV",
    "UNDLVRD": "UNDELIV",
    "FAILED": "UNDELIV",
    "REJECTED": "REJECTD",
    "SCHEDULED": "SCHEDUL",
    "BUFFERED": "BUFFRED",
}
# network_error_code of a GSM network (type 3): the errors of 3GPP TS 29.002 §17.6 that say something about a person.
GSM_ERRORS = {
    1: "unknown_recipient",
    5: "unknown_recipient",
    6: "cannot_reach",  # absent
    9: "blocked",  # illegal subscriber
    11: "unsupported",  # the subscription has no SMS
    12: "blocked",  # illegal equipment
    13: "blocked",  # barred
    21: "unsupported",
    27: "cannot_reach",  # absent
    31: "cannot_reach",  # busy
    32: "cannot_reach",  # the phone's memory is full, or a protocol error there
    33: "channel_fault",
    34: "channel_fault",
    35: "channel_fault",
    36: "channel_fault",
}
_GSM_NETWORK = 3

_FIELD = re.compile(rb"\b(id|sub|dlvrd|submit date|done date|stat|err)\s*:\s*([^\s:]*)", re.IGNORECASE)
_TEXT = re.compile(rb"\btext\s*:", re.IGNORECASE)


class Read(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One receipt. `stat` is the centre's word, `state` None where no table knows it. `at`: ms, None = not said."""

    id: str
    stat: str
    err: str
    state: AttemptState | None
    reason: str
    at: int | None


def read(text: bytes, optional: dict[int, bytes], *, errors: dict[str, str], zone: str) -> Read:
    """`errors`: the centre's own `err` words → our reasons. `zone`: the clock by which the centre writes dates."""
    head = text[: found.start()] if (found := _TEXT.search(text)) else text  # its words may look like fields
    fields = {name.lower(): value.decode("latin-1") for name, value in _FIELD.findall(head)}
    stat = fields.get(b"stat", "").upper()
    said = optional.get(n.TLV_MESSAGE_STATE, b"")
    if said:
        stat = n.STATES.get(said[0], stat if stat and said[0] == 0 else f"STATE {said[0]}")
    name = optional.get(n.TLV_RECEIPTED_MESSAGE_ID, b"").split(b"\0", 1)[0].decode("latin-1") or fields.get(b"id", "")
    state, reason = WORDS.get(SPELLED.get(stat, stat), (None, ""))
    err = fields.get(b"err", "")
    network = optional.get(n.TLV_NETWORK_ERROR_CODE, b"")
    if state is AttemptState.FAILED or state is AttemptState.EXPIRED:
        by_network = GSM_ERRORS.get(int.from_bytes(network[1:3])) if network[:1] == bytes((_GSM_NETWORK,)) else None
        reason = errors.get(err) or by_network or reason
    if not err and len(network) == 3:
        err = f"{network[0]}/{int.from_bytes(network[1:3])}"
    return Read(id=name, stat=stat, err=err, state=state, reason=reason, at=moment(fields.get(b"done date", ""), zone))


def moment(written: str, zone: str) -> int | None:
    """YYMMDDhhmm or YYMMDDhhmmss by the clock of `zone`, as ms; None where it cannot be read."""
    if len(written) not in (10, 12) or not (written.isascii() and written.isdigit()):
        return None
    try:
        local = datetime.strptime(written.ljust(12, "0"), "%y%m%d%H%M%S")
    except ValueError:
        return None
    return round(local.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
