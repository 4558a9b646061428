"""Sites' webhooks, and what operators see of their events and do about them."""

from __future__ import annotations

import msgspec

from heliograph.core.webhook import Event, Waiting, Webhook, subject_of
from heliograph.store import outbox, registry
from heliograph.store.verb import Verb

MOST = 10_000  # that are counted at most
BITE = 1_000  # events that are posted again by one transaction
_webhook = msgspec.json.Decoder(Webhook).decode


def put(webhook: Webhook, now: int) -> Verb[bool]:
    """One that has another address by now, or is posted to again, is told at once of all that waits."""
    there = yield from _there(webhook.site)
    if not (yield from registry.put(webhook)):
        return False
    if there is not None and not webhook.disabled and (there.disabled or there.url != webhook.url):
        yield "outbox_due_all", (webhook.site, now)
    return True


def switch(site: str, url: str, why: str, now: int) -> Verb[bool]:
    """`why` it is posted to no more, empty where it is again. `url`: the address that this is said of, empty = the one
    that is there."""
    there = yield from _there(site)
    if there is None or (url and there.url != url) or there.disabled == why or (there.disabled and why):
        return False
    changed = msgspec.structs.replace(there, disabled=why, disabled_at=now if why else 0)
    return (yield from put(changed, now))


def _there(site: str) -> Verb[Webhook | None]:
    rows = yield "document_read", (site, "webhook", site)
    return _webhook(rows[0][0]) if rows and rows[0][0] else None


def waiting(sites: tuple[str, ...]) -> Verb[list[Waiting]]:
    found: list[Waiting] = []
    for site in sites:
        rows = yield "outbox_waiting_counted", (site, MOST)
        count, oldest = rows[0]
        failed = yield "outbox_failed_counted", (site, MOST)
        found.append(Waiting(site=site, waiting=count, failed=failed[0][0], oldest=oldest))
    return found


def events(site: str, state: str, subject: str, limit: int) -> Verb[list[Event]]:
    if subject:
        rows = yield "outbox_of", (site, subject, limit)
    elif state == "failed":
        rows = yield "outbox_failed", (site, 0, limit)
    else:
        rows = yield "outbox_waiting", (site, limit)
    return [outbox.event(site, row) for row in rows]


def replay(site: str, ids: tuple[str, ...], since: int, now: int) -> Verb[int]:
    """Without ids those that were given up since then, BITE at most."""
    places = [place for id in ids if (place := subject_of(id)) is not None]
    if not ids:
        places = [(row[0], row[1]) for row in (yield "outbox_failed", (site, since, BITE))]
    count = 0
    for subject, number in sorted(places):
        if (yield "outbox_again", (site, subject, number, now)):
            count += 1
            yield "outbox_due_at_once", (site, subject, now)
    return count
