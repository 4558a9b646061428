"""What a provider tells us (events, a tagged union read with `match`) and what the timeline keeps (entries)."""

from __future__ import annotations

import msgspec

from heliograph.core.states import AttemptState


class Receipt(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="receipt"):
    """What became of an attempt. `event` is the provider's id of this event (duplicates are dropped by it).

    `attempt` is our own attempt id where it came back, else empty and `reference` is the provider's name for it.
    `at`: the provider's time, ms. `state`: one of sent, delivered, read, failed, expired, revoked. `reason`: our code.
    """

    event: str
    state: AttemptState
    attempt: str = ""
    reference: str = ""
    sender_of_event: str = ""  # the recipient's number, E.164
    at: int | None = None
    reason: str = ""
    raw: msgspec.Raw = msgspec.Raw(b"")


class Attached(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A file that somebody sent. `url`: where it is, if it can be fetched by anybody who knows that; else `reference`,
    the provider's own name of it, by which its provider fetches it. `size` in bytes, 0 = not told. `thumbnail`: where a
    small picture of it is."""

    url: str = ""
    reference: str = ""
    thumbnail: str = ""
    content_type: str = ""
    name: str = ""
    size: int = 0


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A location, degrees."""

    latitude: float
    longitude: float
    label: str = ""


class Inbound(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="inbound"):
    """The recipient's words or tap, one for each message of theirs. `kind`: text | tap | location | file | typing |
    other. `text`: the words, the caption of a file, the place's label and degrees; `attached` and `place` hold what is
    no words. `event` is the provider's id of the message: the same again is no second one, whichever callback of the
    site it comes to."""

    event: str
    recipient: str
    kind: str
    text: str = ""
    postback: str = ""
    in_reply_to: str = ""  # our attempt id or the provider's reference where it is quoted
    at: int | None = None
    attached: tuple[Attached, ...] = ()
    place: Place | None = None
    keyword: str = ""  # stop | start | yes | help: what the provider understood, and has answered itself
    raw: msgspec.Raw = msgspec.Raw(b"")


class OptOutHeard(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="opt_out"):
    """The provider says that the recipient wants no more (`wanted` False) or wants messages again (True)."""

    event: str
    recipient: str
    wanted: bool
    at: int | None = None
    confirmed: bool = False  # the provider has told the recipient itself, so that we do not
    raw: msgspec.Raw = msgspec.Raw(b"")


class UnknownEvent(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag="unknown"):
    """Something this version cannot read. Kept and counted, never an error. `kind` is the provider's word for it."""

    event: str
    kind: str
    raw: msgspec.Raw = msgspec.Raw(b"")


ProviderEvent = Receipt | Inbound | OptOutHeard | UnknownEvent


class Entry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of an alert's timeline. `kind`: accepted, scheduled, refused, sending, sent, delivered, read, failed,
    in_doubt, retry, revoke, expired, receipt, replied, opted_out, resumed, helped … `by`: api | provider | heliograph |
    a user's name. `detail` is JSON (an object)."""

    at: int
    kind: str
    by: str = "heliograph"
    attempt: str = ""
    detail: msgspec.Raw = msgspec.Raw(b"{}")
