"""The store: verbs of the domain, each one transaction, grouped by noun. Every verb raises StoreAway if the database is
away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from heliograph.core.alert import Attempt
from heliograph.core.channel import Capability
from heliograph.core.desk import SiteDesk
from heliograph.core.event import ProviderEvent
from heliograph.core.optout import OptOut
from heliograph.core.ports.conversing import ConversationStore
from heliograph.core.ports.outbox import OutboxStore
from heliograph.core.ports.provider import Uploaded
from heliograph.core.ports.reading import (
    AlertRow,
    Changes,
    Erased,
    Joined,
    LooseEnds,
    Record,
    Reported,
    Unmatched,
    Written,
)
from heliograph.core.ports.users import UserStore
from heliograph.core.ports.writing import Acceptance, Accepted, Barred, Claim, Due, Outcome, Taker
from heliograph.core.site import Key, Sender, SenderReport, Site
from heliograph.core.template import Template
from heliograph.core.user import Audited
from heliograph.core.webhook import Tell


class AlertStore(Protocol):
    """The life of an alert, and what providers tell of it."""

    # the life of an alert
    async def accept(self, acceptance: Acceptance) -> Accepted | Taker | Barred: ...
    async def outcome(self, outcome: Outcome) -> bool: ...  # False: it gave way, or came too late
    async def spend(self, claims: tuple[Claim, ...]) -> Taker | None: ...
    async def keep(self, site: str, owner: str, until: int) -> None: ...
    # `lease` (ms) is the moment until which the rows are `node`'s own; oldest first
    async def claim_due(self, now: int, lease: int, node: str, limit: int, lane: int = 0) -> list[Due]: ...
    # a row that a receipt asked for anew while it was being done stays, and is due at once
    async def finish_due(self, site: str, kind: str, ref: str) -> None: ...
    async def push_due(self, due: Due) -> None: ...
    async def next_due(self) -> int | None: ...
    async def break_leases(self) -> None: ...  # one process alone on its file: nobody else can hold them

    # what providers tell; one commit for all events of a callback
    async def hear(
        self,
        site: str,
        channel: str,
        sender: str,
        events: tuple[ProviderEvent, ...],
        now: int,
        *,
        tell: Tell = None,
    ) -> list[Joined]: ...

    # reading
    async def record(self, alert: str) -> Record | None: ...
    async def alerts(
        self,
        *,
        site: str = "",
        state: str = "",
        recipient: str = "",
        external: str = "",
        before: str = "",
        test: bool = False,  # those of test keys alone
        limit: int = 50,
    ) -> list[AlertRow]: ...
    # alerts begun from `since` on and before `until` (ms), in that order, after one of them
    async def begun(
        self, site: str, since: int, until: int, *, after: str = "", test: bool = False, limit: int = 100
    ) -> list[Reported]: ...
    async def attempt(self, attempt: str) -> Attempt | None: ...
    async def inbound(self, site: str, recipient: str, limit: int = 50) -> list[ProviderEvent]: ...
    # when (ms) the recipient last wrote to this sender, None where that was before `since` or never
    async def last_inbound(self, site: str, sender: str, recipient: str, since: int) -> int | None: ...

    # facts for a decision
    async def capability(self, site: str, sender: str, recipient: str) -> Capability | None: ...
    async def keep_capability(self, site: str, sender: str, recipient: str, capability: Capability) -> None: ...
    # the scopes that bar an alert of this skill: "all", channels (core.optout.concerning)
    async def opted_out(self, site: str, recipient: str, skill: str) -> frozenset[str]: ...
    # `test`: of the alerts of test keys, else of the live ones
    async def count_alerts(self, site: str, recipient: str, since: int, *, test: bool = False) -> int: ...


class OptOutStore(Protocol):
    """Opt-outs as people and files write them."""

    # `audited`: empty, or a line of the audit log for each row, written where the row changed anything
    async def put_opt_outs(self, rows: tuple[OptOut, ...], audited: tuple[Audited, ...] = ()) -> list[Written]: ...
    # when (ms) the newest no that bars this channel and skill was last said; None where there is none
    async def last_no(self, site: str, recipient: str, channel: str, skill: str) -> int | None: ...
    # those in force, by (site, recipient, scope), from the one after `after` on
    async def opt_outs(
        self,
        *,
        site: str = "",
        recipient: str = "",
        scope: str = "",
        erased: bool = False,  # of erased people alone
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 50,
    ) -> list[OptOut]: ...


class ErasingStore(Protocol):
    """Erasing a recipient, a bite at a time: no alert waits for more than one of them."""

    # The key of the hash under which the opt-outs of erased people stand. Before anybody is erased: once, at the start.
    def hide_by(self, key: bytes) -> None: ...
    # secrets that the installation makes for itself, sealed by whoever writes them; "" = there is none
    async def secret(self, name: str) -> str: ...
    async def make_secret(self, name: str, value: str) -> str: ...  # the one that is there; `value` if there was none
    async def replace_secret(self, name: str, former: str, value: str) -> bool: ...
    async def hide_opt_outs(self, site: str, recipient: str) -> int: ...
    async def erase(self, site: str, recipient: str) -> Erased: ...  # counts nothing: nothing is left
    # among the next few hundred receipts without an attempt; the place to go on from, None = that was the last
    async def erase_unmatched(
        self, site: str, recipient: str, after: tuple[str, str, str]
    ) -> tuple[int, tuple[str, str, str] | None]: ...
    async def erasable(self, site: str, recipient: str) -> Erased: ...


class OperatorStore(Protocol):
    """What operators look at."""

    async def loose_ends(self, before: int) -> list[LooseEnds]: ...
    async def unmatched(self, before: int, limit: int) -> list[Unmatched]: ...
    async def report_senders(self, reports: tuple[SenderReport, ...]) -> None: ...
    async def sender_reports(self, since: int) -> list[SenderReport]: ...


class MediaStore(Protocol):
    """Files, and their names at providers."""

    async def put_media(self, site: str, digest: str, content_type: str, data: bytes) -> bool: ...
    async def media(self, site: str, digest: str) -> tuple[str, bytes] | None: ...
    async def upload(self, site: str, sender: str, digest: str, now: int) -> str | None: ...
    async def keep_upload(self, site: str, sender: str, digest: str, uploaded: Uploaded) -> None: ...


class RegistryStore(Protocol):
    """What is configured."""

    async def changes(self, since: int) -> Changes: ...
    async def put_site(self, site: Site) -> bool: ...
    async def put_sender(self, sender: Sender) -> bool: ...
    # why "" = it runs again; `by`: the operator, "" = heliograph, which undoes no operator's pause
    async def pause_sender(self, site: str, name: str, why: str, by: str = "") -> bool: ...
    async def put_desk(self, desk: SiteDesk) -> bool: ...
    async def put_template(self, template: Template) -> bool: ...
    async def put_key(self, key: Key) -> bool: ...
    async def remove(self, kind: str, site: str, name: str) -> bool: ...


class Store(
    AlertStore,
    ConversationStore,
    OptOutStore,
    ErasingStore,
    OperatorStore,
    MediaStore,
    RegistryStore,
    UserStore,
    OutboxStore,
    Protocol,
):
    """All of it, and the housekeeping."""

    async def purge(self, now: int) -> int: ...  # a bite of a few thousand rows; how many
    async def ready(self) -> None: ...
    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None: ...
    async def close(self) -> None: ...
