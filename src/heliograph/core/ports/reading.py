"""What the store gives to read."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from heliograph.core.alert import Alert, Attempt
from heliograph.core.desk import SiteDesk
from heliograph.core.event import Entry, Receipt
from heliograph.core.site import Key, Sender, Site
from heliograph.core.states import AlertState, AttemptState
from heliograph.core.template import Template
from heliograph.core.webhook import Webhook


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that is known of one alert."""

    alert: Alert
    attempts: tuple[Attempt, ...]
    entries: tuple[Entry, ...]
    decision: bytes


class Reported(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert in a report, with the newest conversation that speaks of it. `told` False: it is not for this reader,
    and only counts as a step of the walk."""

    record: Record
    conversation: str = ""
    told: bool = True


class AlertRow(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An alert in a list."""

    id: str
    site: str
    created: int
    recipient: str
    template: str
    language: str
    state: AlertState
    reason: str
    channel: str
    external_alert_id: str
    test: bool = False


class Changes(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What changed in the registry since a revision; removed documents are named as (kind, site, name), where the name
    is a site's own id (of its desk and its webhook too), a sender's name, `template@version`, `consumer_key/token`."""

    revision: int
    sites: tuple[Site, ...] = ()
    senders: tuple[Sender, ...] = ()
    templates: tuple[Template, ...] = ()
    keys: tuple[Key, ...] = ()
    desks: tuple[SiteDesk, ...] = ()
    webhooks: tuple[Webhook, ...] = ()
    removed: tuple[tuple[str, str, str], ...] = ()


class Joined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one heard event: `duplicate` (seen before), `alert` it belongs to ("" = unmatched, kept).
    `state`: the attempt's new state where this event changed it. `conversation`, `turn`: the
    turn that it became, or (a receipt) whose turn it moved."""

    alert: str = ""
    attempt: str = ""
    duplicate: bool = False
    state: AttemptState | None = None
    conversation: str = ""
    turn: int = 0


class Written(StrEnum):
    """What became of an opt-out that was to be written: `newer` = the recipient said otherwise later."""

    CHANGED = "changed"
    UNCHANGED = "unchanged"
    NEWER = "newer"


class Erased(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much of a recipient was removed. `receipts`: those without an attempt. `opt_outs`: kept, under a keyed hash
    of the number."""

    alerts: int = 0
    conversations: int = 0
    replies: int = 0
    capabilities: int = 0
    receipts: int = 0
    opt_outs: int = 0


class LooseEnds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of one sender: how many attempts are in doubt, how many receipts belong to no attempt that is known."""

    site: str
    sender: str
    in_doubt: int = 0
    unmatched: int = 0


class Unmatched(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A receipt whose attempt nobody knows. `at`: when it was heard (ms)."""

    site: str
    sender: str
    channel: str
    reference: str
    at: int
    receipt: Receipt
