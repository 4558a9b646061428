"""What a centre's command_status means, as a table: → our code, its fate, the reason in words.

Source: SMPP 3.4 §5.1.3 for the meaning; the fates are ours. A refused submit_sm was not taken, whatever the status.
"""

from __future__ import annotations

import msgspec

from heliograph.channels.kit import Row
from heliograph.channels.sms import smpp_numbers as n
from heliograph.core.ports import Exchange
from heliograph.errors import Blame, Fate, SendError

WHO = "The SMS centre"

# The centre wants less: the window stops, nothing is lost, and it counts as no try.
THROTTLES = frozenset({n.RTHROTTLED, n.RMSGQFUL})


def _set_up(words: str) -> Row:
    return Row("sender_not_usable", Fate.CONFIG, words, Blame.US)


def _form(words: str) -> Row:
    return Row("invalid_message", Fate.PERMANENT, words, Blame.US)


ANSWERS = {
    n.RINVMSGLEN: Row("too_large", Fate.PERMANENT, "the message is too long for it.", Blame.CALLER),
    n.RINVCMDLEN: _form("it could not read the length of what we sent."),
    n.RINVCMDID: _form("it does not know this command."),
    n.RINVBNDSTS: Row("not_connected", Fate.RETRY, "the bind may not send now."),
    n.RALYBND: Row("not_connected", Fate.RETRY, "an earlier bind is still open."),
    0x06: _form("the priority is not valid; see `priority` of the sender."),
    0x07: _form("registered_delivery is not valid; see `registered_delivery` of the sender."),
    n.RSYSERR: Row("provider_fault", Fate.RETRY, "a fault on its side."),
    n.RINVSRCADR: _set_up("the source address is not valid or not yours; see `address` of the sender."),
    n.RINVDSTADR: Row("invalid_recipient", Fate.NEXT_CHANNEL, "the recipient's number is not valid.", Blame.RECIPIENT),
    n.RINVMSGID: Row("invalid_message", Fate.PERMANENT, "it does not know this message id."),
    n.RBINDFAIL: Row(
        "credentials_refused",
        Fate.CONFIG,
        "the bind failed. Check system_id, password, system_type and how many binds the account may have.",
        Blame.US,
    ),
    n.RINVPASWD: Row("credentials_refused", Fate.CONFIG, "the password is wrong.", Blame.US),
    n.RINVSYSID: Row("credentials_refused", Fate.CONFIG, "the system_id is not known.", Blame.US),
    n.RCANCELFAIL: Row("rejected", Fate.PERMANENT, "it could not take the message back."),
    n.RMSGQFUL: Row("throttled", Fate.RETRY, "its queue is full."),
    0x15: _set_up("the service_type is not valid."),
    0x43: _form("the esm_class is not valid; try another `long` in the sender's settings."),
    n.RSUBMITFAIL: Row("provider_fault", Fate.RETRY, "the submit failed."),
    0x48: _set_up("the type of number of the source is not valid; see `address_ton`."),
    0x49: _set_up("the numbering plan of the source is not valid; see `address_npi`."),
    0x50: _set_up("the type of number of the destination is not valid; see `recipient_ton`."),
    0x51: _set_up("the numbering plan of the destination is not valid; see `recipient_npi`."),
    0x53: Row("credentials_refused", Fate.CONFIG, "the system_type is not valid.", Blame.US),
    n.RTHROTTLED: Row("throttled", Fate.RETRY, "the agreed rate is used up."),
    0x61: _form("the scheduled time is not valid."),
    n.RINVEXPIRY: _form("the validity period is not valid; see `validity` of the sender."),
    n.RX_T_APPN: Row("provider_fault", Fate.RETRY, "a fault that passes."),
    0x65: Row("rejected", Fate.NEXT_CHANNEL, "a fault that stays."),
    0x66: Row("rejected", Fate.NEXT_CHANNEL, "the message was rejected."),
    n.RQUERYFAIL: Row("provider_fault", Fate.RETRY, "the question could not be answered."),
    0xC0: _form("it could not read the optional parameters."),
    0xC1: _form("an optional parameter is not allowed; try `reference = false` in the sender's settings."),
    n.RINVPARLEN: _form("a parameter has a wrong length."),
    0xC3: _form("an optional parameter is missing."),
    0xC4: _form("an optional parameter has a wrong value."),
    0xFE: Row("channel_fault", Fate.RETRY, "the delivery failed."),
    0xFF: Row("unknown", Fate.RETRY, "an unknown error."),
}
# Centres have numbers of their own (0x400 to 0x4FF, and others): it was not taken, and why is for their manual to say.
OTHER = Row("unknown", Fate.NEXT_CHANNEL, "a status that this version does not know. The centre's manual names it.")


def name(status: int) -> str:
    """ "ESME_RTHROTTLED (0x58)"."""
    return f"{n.STATUS.get(status, 'a status')} (0x{status:02X})"


def refused(status: int, *, exchange: Exchange, retry_after: float | None = None) -> SendError:
    """The error that a command_status means."""
    row = ANSWERS.get(status, OTHER)
    raw = {"command_status": status, "name": n.STATUS.get(status, "")}
    return SendError(
        f"{WHO} answered {name(status)}: {row.words} Nothing was sent.",
        code=row.code,
        fate=row.fate,
        blame=row.blame,
        raw=msgspec.json.encode(raw),
        retry_after=retry_after,
        exchange=exchange,
    )
