"""An alert, the call it comes from, and its attempts.

Times are milliseconds since the epoch, UTC. Identifiers are UUIDs in their usual text form, in the order of time. Those
that a clock gives end in three zeros; the attempts of an alert have its id with their number there. So whoever knows an
attempt's id (a receipt, a due row) knows its alert's too, without a look into any index.
"""

from __future__ import annotations

import msgspec

from heliograph.core.content import Content
from heliograph.core.fallback import Need
from heliograph.core.site import Kind
from heliograph.core.states import AlertState, AttemptState


class AlertRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a caller asked for: read from a door's wire form, types right, not yet held against the site.

    `country_code` and `phone` are as sent (digits may be formatted); `language`, `version_tag` and `channel` as sent.
    `alert_info` is the caller's own JSON, byte for byte. `unknown` lists fields that no page names.
    `idempotency_key` is that header's value. `notes` are tolerances used, for the record.
    """

    site: str
    template: str
    language: str
    country_code: str
    phone: str
    skill: str = ""
    variables: dict[str, str] = {}
    channel: str = ""
    version_tag: str = ""
    external_alert_id: str = ""
    external_customer_id: str = ""
    external_customer_id_descriptor: str = ""
    first_name: str = ""
    last_name: str = ""
    alert_info: msgspec.Raw = msgspec.Raw(b"")
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    idempotency_key: str = ""
    key: str = ""  # the consumer key (or bearer key id) that signed the call
    time_to_live: int | None = None  # seconds
    kind: Kind = Kind.LIVE  # of that key


class Alert(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One notice to one recipient, held against the site: it can be sent.

    `recipient` is E.164 (+17703101414). `template_version` is the version used, `version_tag` what the call said.
    `language` is the one used, `language_asked` what the call said. `former`: the alert that this one repeats after a
    refusal or a settled failure.
    """

    id: str
    site: str
    created: int
    expires: int
    recipient: str
    template: str
    template_version: str
    language: str
    language_asked: str
    variables: dict[str, str]
    skill: str
    state: AlertState = AlertState.ACCEPTED
    reason: str = ""  # the code of the end it came to, empty otherwise
    channel_forced: str = ""
    version_tag: str = ""
    external_alert_id: str = ""
    external_customer_id: str = ""
    external_customer_id_descriptor: str = ""
    first_name: str = ""
    last_name: str = ""
    alert_info: msgspec.Raw = msgspec.Raw(b"")
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    key: str = ""
    former: str | None = None
    send_at: int | None = None  # while scheduled
    test: bool = False  # a test key's: it goes to sandbox senders alone


NUMBERED = 3  # hex digits: 4,095 attempts; one held for 15 days is tried every 15 minutes, 1,440 times by each sender
MOST_ATTEMPTS = 4000  # after which an alert is not tried once more; those of one round still find their numbers


def attempt_id(alert: str, number: int) -> str:
    """The id of an alert's attempt, from 1."""
    return f"{alert[:-NUMBERED]}{number:0{NUMBERED}x}"


def number_of(attempt: str) -> int:
    """The number in an attempt's id, or in a turn's (core.conversation)."""
    return int(attempt[-NUMBERED:], 16)


def alert_of(attempt: str) -> str:
    """The alert's id in an attempt's. Of any other text something that is no alert's id, at worst an alert's that has
    no such attempt."""
    return attempt[:-NUMBERED] + "0" * NUMBERED


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One alert tried on one channel. `id` travels to the provider (for RCS it is the message id).

    `tries`: how often it was handed to the provider or the hand-over was tried. `references`: the provider's own names
    for it. `raw`: the provider's success body, or its last error body.

    The step that it takes: `need` is the status that it must reach, `leave_at` (ms) until when (None: it is left on a
    no alone), `overlap`: it may then be left though it cannot be taken back. `passed`: channels that were left before.
    `window_ends` (ms): until then free content may be sent, None where the provider has no such window.
    """

    id: str
    alert: str
    site: str
    number: int
    channel: str
    provider: str
    sender: str
    recipient: str
    content: Content
    expires: int
    created: int
    traffic: str = "transaction"
    state: AttemptState = AttemptState.INTENDED
    reason: str = ""
    tries: int = 0
    references: tuple[str, ...] = ()
    raw: bytes = b""
    revoke_asked: int | None = None
    test: bool = False  # its alert's
    need: Need = Need.SENT
    leave_at: int | None = None
    overlap: bool = False
    passed: tuple[str, ...] = ()
    window_ends: int | None = None
