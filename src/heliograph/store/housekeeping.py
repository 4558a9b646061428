"""What has served its time is removed, a little at a time."""

from __future__ import annotations

from heliograph.store.verb import Verb

DAY = 86_400_000  # ms
EVENTS = 8 * DAY  # providers repeat callbacks for 7 days
CAPABILITIES = 31 * DAY
DOUBTS = 16 * DAY  # no alert lives for longer than 15: by then nobody can settle one any more
HEADS = 400 * DAY  # numbers of events: longer than any alert, conversation or repeat lives
LOGINS = DAY  # a window of tries is shorter
MANY = 2_000  # rows of a kind in one transaction (about 10 ms of the writer's time)


def purge(now: int) -> Verb[int]:
    """Claims and nonces whose time is over, ids of events and receipts without an attempt older than 8 days, answers
    about capabilities older than 31 days: at most MANY of each. Sessions that are over and yesterday's tries to log in,
    too; events that the brand has taken after three days, those that were given up after eight. What is in doubt for 16
    days is listed no longer. The number of rows removed; call again while it is at least MANY. The newest nonce among
    them becomes the site's floor: no nonce of its time or before is ever granted again."""
    gone = yield "claims_purge", (now, MANY)
    removed = len(gone)
    gone = yield "nonces_purge", (now, MANY)
    removed += len(gone)
    floors: dict[str, int] = {}
    for site, until in gone:
        floors[site] = max(floors.get(site, 0), until)
    for site, until in sorted(floors.items()):
        yield "floor_raise", (site, until)
    gone = yield "heard_purge", (now - EVENTS, MANY)
    removed += len(gone)
    gone = yield "early_old", (now - EVENTS, MANY)
    removed += len(gone)
    for site, sender, reference in gone:
        yield "reference_drop", (site, sender, reference)
    gone = yield "outbox_purge", (now, MANY)
    removed += len(gone)
    gone = yield "outbox_heads_purge", (now - HEADS, MANY)
    removed += len(gone)
    yield "reports_purge", (now - DAY,)
    yield "desk_early_purge", (now - DAY,)
    yield "doubts_purge", (now - DOUBTS,)
    gone = yield "sessions_purge", (now, MANY)
    removed += len(gone)
    gone = yield "logins_purge", (now - LOGINS, MANY)
    removed += len(gone)
    gone = yield "capabilities_purge", (now - CAPABILITIES, MANY)
    return removed + len(gone)


def ready() -> Verb[None]:
    """Fails where the database does not take a write."""
    yield "ready", ()
