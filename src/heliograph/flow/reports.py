"""What this node says of its senders, written to the store every few seconds, so that commands and other nodes' pages
tell the truth of a running server; and the counts that its metrics show beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from heliograph.core.site import SenderReport
from heliograph.errors import StoreAway
from heliograph.flow.health import State
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

EVERY = 5.0  # seconds between two reports of a sender that changes
AT_LEAST = 20_000  # ms after which an unchanged one is reported again: the sign that the node lives
FRESH = 60_000  # ms after which a report says nothing any more
WHY = 300  # characters of a reason
UNMATCHED = 3_600_000  # ms after which a receipt without an attempt is called unmatched


def report(opened: OpenSender, means: Means, now: int) -> SenderReport:
    sender = opened.sender
    health = means.healths.of(sender.site, sender.name)
    good, bad = health.counts(now)
    state: str = health.state(now).value
    why, since, next_try = "", health.since, 0
    if opened.provider is None:
        state, why, since = "not_open", opened.fault, 0
    elif sender.paused:
        state, why, since = "paused", sender.paused, sender.paused_at
        next_try = 0 if sender.paused_by else health.next_probe(now)
    elif state != State.CLOSED:
        why, next_try = health.why, health.open_until(now)
    else:  # all is well as far as hand-overs tell; a line may be down all the same
        why = getattr(opened.provider, "trouble", str)()
    return SenderReport(
        site=sender.site,
        sender=sender.name,
        node=means.node,
        at=now,
        state=state,
        why=why[:WHY].encode("utf-8", "replace").decode(),
        since=since,
        next_try=next_try if next_try > now else 0,
        serves=round(health.share(now), 3),
        good=good,
        bad=bad,
        throttled=health.throttled,
    )


async def tell(means: Means, *, every: float = EVERY) -> None:
    """Reports for ever. A store that is away costs one report."""
    last: dict[tuple[str, str], SenderReport] = {}
    while True:
        now = means.clock.now()
        reports = [report(opened, means, now) for opened in means.registry.all_senders()]
        fresh = tuple(_worth_telling(reports, last))
        try:
            if fresh:
                await means.store.report_senders(fresh)
                last |= {(one.site, one.sender): one for one in fresh}
            if sites := means.registry.webhook_sites():
                means.events = {one.site: one for one in await means.store.waiting_events(sites)}
            else:
                means.events = {}
            means.loose_ends = {(one.site, one.sender): one for one in await means.store.loose_ends(now - UNMATCHED)}
        except StoreAway:
            means.log("warning", "The store is away; senders are not reported.", action="reports.store_away")
        await asyncio.sleep(every)


def _worth_telling(
    reports: Iterable[SenderReport], last: dict[tuple[str, str], SenderReport]
) -> Iterable[SenderReport]:
    for one in reports:
        former = last.get((one.site, one.sender))
        if former is None or one.at - former.at >= AT_LEAST or msgspec.structs.replace(former, at=one.at) != one:
            yield one
