"""The store behind core.ports.Store: every verb, and the module that holds it. One line each; the work is there."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.core.alert import Attempt
from heliograph.core.channel import Capability
from heliograph.core.desk import SiteDesk
from heliograph.core.event import ProviderEvent
from heliograph.core.optout import OptOut
from heliograph.core.ports import (
    Acceptance,
    Accepted,
    AlertRow,
    Barred,
    Changes,
    Claim,
    Due,
    Erased,
    Joined,
    LooseEnds,
    Outcome,
    Record,
    Reported,
    Taker,
    Unmatched,
    Uploaded,
    Written,
)
from heliograph.core.site import Key, Sender, SenderReport, Site
from heliograph.core.template import Template
from heliograph.core.user import Audited
from heliograph.core.webhook import Event, Tell, Waiting, Webhook
from heliograph.store import (
    alerts,
    claims,
    due,
    erase,
    facts,
    heard,
    hidden,
    housekeeping,
    media,
    operators,
    opt_outs,
    outbox,
    registry,
    reported,
    secrets,
    webhooks,
)
from heliograph.store.database_conversations import Conversations
from heliograph.store.database_users import Users
from heliograph.store.verb import Engine


class Database(Conversations, Users):
    """core.ports.Store on an engine. `now` (ms) dates what a verb is given no time for."""

    def __init__(self, engine: Engine, now: Callable[[], int]) -> None:
        self._engine = engine
        self._write = engine.write
        self._read = engine.read
        self._look = engine.look
        self._now = now
        self._hide: hidden.Hide = hidden.nobody

    # the life of an alert
    async def accept(self, acceptance: Acceptance) -> Accepted | Taker | Barred:
        return await self._write(alerts.accept, acceptance, self._hide)

    async def outcome(self, outcome: Outcome) -> bool:
        return await self._write(alerts.outcome, outcome, self._now, self._hide)

    async def spend(self, taken: tuple[Claim, ...]) -> Taker | None:
        return await self._write(claims.spend, taken, self._now())

    async def keep(self, site: str, owner: str, until: int) -> None:
        await self._write(claims.keep, site, owner, until)

    async def claim_due(self, now: int, lease: int, node: str, limit: int, lane: int = 0) -> list[Due]:
        return await self._write(due.claim, now, lease, node, limit, lane)

    async def finish_due(self, site: str, kind: str, ref: str) -> None:
        await self._write(due.finish, site, kind, ref)

    async def push_due(self, row: Due) -> None:
        await self._write(due.push, row)

    async def next_due(self) -> int | None:
        return await self._read(due.upcoming)

    async def break_leases(self) -> None:
        await self._write(due.break_leases)

    # what providers tell
    async def hear(
        self,
        site: str,
        channel: str,
        sender: str,
        events: tuple[ProviderEvent, ...],
        now: int,
        *,
        tell: Tell = None,
    ) -> list[Joined]:
        return await self._write(heard.hear, site, channel, sender, events, now, self._hide, tell)

    # reading
    async def record(self, alert: str) -> Record | None:
        return await self._read(alerts.record, alert)

    async def alerts(
        self,
        *,
        site: str = "",
        state: str = "",
        recipient: str = "",
        external: str = "",
        before: str = "",
        test: bool = False,
        limit: int = 50,
    ) -> list[AlertRow]:
        return await self._look(facts.alerts, site, state, recipient, external, before, test, limit)

    async def begun(
        self, site: str, since: int, until: int, *, after: str = "", test: bool = False, limit: int = 100
    ) -> list[Reported]:
        return await self._look(reported.begun, site, since, until, after, test, limit)

    async def attempt(self, attempt: str) -> Attempt | None:
        return await self._read(alerts.attempt, attempt)

    async def inbound(self, site: str, recipient: str, limit: int = 50) -> list[ProviderEvent]:
        return await self._read(heard.inbound, site, recipient, limit)

    async def last_inbound(self, site: str, sender: str, recipient: str, since: int) -> int | None:
        return await self._read(heard.last_inbound, site, sender, recipient, since)

    # facts for a decision
    async def capability(self, site: str, sender: str, recipient: str) -> Capability | None:
        return await self._read(facts.capability, site, sender, recipient)

    async def keep_capability(self, site: str, sender: str, recipient: str, capability: Capability) -> None:
        await self._write(facts.keep_capability, site, sender, recipient, capability)

    async def opted_out(self, site: str, recipient: str, skill: str) -> frozenset[str]:
        return await self._read(facts.opted_out, site, recipient, skill, self._hide)

    async def count_alerts(self, site: str, recipient: str, since: int, *, test: bool = False) -> int:
        return await self._read(facts.count_alerts, site, recipient, since, test)

    # opt-outs as people and files write them
    async def put_opt_outs(self, rows: tuple[OptOut, ...], audited: tuple[Audited, ...] = ()) -> list[Written]:
        return await self._write(opt_outs.put, rows, self._now(), self._hide, audited)

    async def last_no(self, site: str, recipient: str, channel: str, skill: str) -> int | None:
        return await self._read(opt_outs.last_no, site, recipient, channel, skill, self._hide)

    async def opt_outs(
        self,
        *,
        site: str = "",
        recipient: str = "",
        scope: str = "",
        erased: bool = False,
        after: tuple[str, str, str] = ("", "", ""),
        limit: int = 50,
    ) -> list[OptOut]:
        return await self._look(opt_outs.listed, site, recipient, scope, erased, after, limit, self._hide)

    # erasing a recipient
    def hide_by(self, key: bytes) -> None:
        self._hide = hidden.by(key)

    async def secret(self, name: str) -> str:
        return await self._read(secrets.read, name)

    async def make_secret(self, name: str, value: str) -> str:
        return await self._write(secrets.make, name, value)

    async def replace_secret(self, name: str, former: str, value: str) -> bool:
        return await self._write(secrets.replace, name, former, value)

    async def hide_opt_outs(self, site: str, recipient: str) -> int:
        return await self._write(erase.hide, site, recipient, self._hide)

    async def erase(self, site: str, recipient: str) -> Erased:
        return await self._write(erase.bite, site, recipient)

    async def erase_unmatched(
        self, site: str, recipient: str, after: tuple[str, str, str]
    ) -> tuple[int, tuple[str, str, str] | None]:
        return await self._write(erase.unmatched, site, recipient, after)

    async def erasable(self, site: str, recipient: str) -> Erased:
        return await self._look(erase.counted, site, recipient)

    # what operators look at
    async def loose_ends(self, before: int) -> list[LooseEnds]:
        return await self._look(operators.loose_ends, before)

    async def unmatched(self, before: int, limit: int) -> list[Unmatched]:
        return await self._look(operators.unmatched, before, limit)

    async def report_senders(self, reports: tuple[SenderReport, ...]) -> None:
        await self._write(operators.report, reports)

    async def sender_reports(self, since: int) -> list[SenderReport]:
        return await self._look(operators.reports, since)

    # media
    async def put_media(self, site: str, digest: str, content_type: str, data: bytes) -> bool:
        return await self._write(media.put, site, digest, content_type, data)

    async def media(self, site: str, digest: str) -> tuple[str, bytes] | None:
        return await self._read(media.get, site, digest)

    async def upload(self, site: str, sender: str, digest: str, now: int) -> str | None:
        return await self._read(media.upload, site, sender, digest, now)

    async def keep_upload(self, site: str, sender: str, digest: str, uploaded: Uploaded) -> None:
        await self._write(media.keep_upload, site, sender, digest, uploaded)

    # the registry
    async def changes(self, since: int) -> Changes:
        return await self._read(registry.changes, since)

    async def put_site(self, site: Site) -> bool:
        return await self._write(registry.put, site)

    async def put_sender(self, sender: Sender) -> bool:
        return await self._write(registry.put, sender)

    async def pause_sender(self, site: str, name: str, why: str, by: str = "") -> bool:
        return await self._write(registry.pause_sender, site, name, why, by, self._now())

    async def put_desk(self, desk: SiteDesk) -> bool:
        return await self._write(registry.put, desk)

    async def put_template(self, template: Template) -> bool:
        return await self._write(registry.put, template)

    async def put_key(self, key: Key) -> bool:
        return await self._write(registry.put, key)

    async def remove(self, kind: str, site: str, name: str) -> bool:
        return await self._write(registry.remove, kind, site, name)

    # what the brand is told
    async def next_event(self, site: str, subject: str) -> Event | None:
        return await self._read(outbox.following, site, subject)

    async def event_taken(self, event: Event, now: int) -> Event | None:
        return await self._write(outbox.taken, event, now)

    async def event_given_up(self, event: Event, why: str, now: int) -> Event | None:
        return await self._write(outbox.given_up, event, why, now)

    async def event_failed(self, event: Event, why: str, at: int) -> None:
        await self._write(outbox.failed, event, why, at)

    async def events_later(self, site: str, subject: str, at: int) -> None:
        await self._write(outbox.later, site, subject, at)

    async def waiting_events(self, sites: tuple[str, ...]) -> list[Waiting]:
        return await self._look(webhooks.waiting, sites)

    async def events(self, site: str, *, state: str = "", subject: str = "", limit: int = 50) -> list[Event]:
        return await self._look(webhooks.events, site, state, subject, limit)

    async def replay_events(self, site: str, ids: tuple[str, ...], since: int, now: int) -> int:
        return await self._write(webhooks.replay, site, ids, since, now)

    async def put_webhook(self, webhook: Webhook) -> bool:
        return await self._write(webhooks.put, webhook, self._now())

    async def switch_webhook(self, site: str, url: str, why: str) -> bool:
        return await self._write(webhooks.switch, site, url, why, self._now())

    # housekeeping
    async def purge(self, now: int) -> int:
        return await self._write(housekeeping.purge, now)

    async def ready(self) -> None:
        """Raises StoreAway unless the database takes a write now."""
        await self._write(housekeeping.ready)

    async def backup(self, path: str, progress: Callable[[int, int], None]) -> None:
        await self._engine.backup(path, progress)

    async def close(self) -> None:
        await self._engine.close()
