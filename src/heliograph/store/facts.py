"""What a decision needs to know of a recipient, and the lists of alerts."""

from __future__ import annotations

import msgspec

from heliograph.core.channel import Capability
from heliograph.core.optout import concerning
from heliograph.core.ports import AlertRow
from heliograph.core.states import AlertState, AttemptState
from heliograph.store.codec import encode
from heliograph.store.hidden import Hide
from heliograph.store.outside import short
from heliograph.store.verb import Row, Verb

MOST = 10_000  # alerts that are counted at most: no cap is higher, and no count grows with the data
_ENDED = frozenset({"scheduled", "refused", "failed", "expired", "cancelled"})  # those of the index alerts_ended
FIRST = "z"  # sorts after every id, in databases of any language: signs such as ~ do so in the collation C alone
_LATEST = 2**62  # ms, after every time
_capability = msgspec.json.Decoder(Capability).decode


def capability(site: str, sender: str, recipient: str) -> Verb[Capability | None]:
    rows = yield "capability_read", (site, sender, recipient)
    return _capability(rows[0][0]) if rows else None


def keep_capability(site: str, sender: str, recipient: str, answer: Capability) -> Verb[None]:
    """The newest answer stays, in whichever order they come."""
    yield "capability_put", (site, sender, recipient, answer.asked, encode(answer))


def opted_out(site: str, recipient: str, skill: str, hide: Hide) -> Verb[frozenset[str]]:
    rows = yield "opt_outs_of", (site, recipient, hide(site, recipient))
    return concerning((row[0] for row in rows), skill)


def count_alerts(site: str, recipient: str, since: int, test: bool) -> Verb[int]:
    rows = yield "alerts_count", (site, recipient, since, int(test), MOST)
    count: int = rows[0][0]
    return count


def alerts(
    site: str, state: str, recipient: str, external: str, before: str, test: bool, limit: int
) -> Verb[list[AlertRow]]:
    """Newest first, those older than the alert `before`. Without a site, the newest of every site's. The state
    `in_doubt` is an attempt's: alerts that have one. `test`: those of test keys alone."""
    if site:
        rows = yield from _of_site(site, state, recipient, external, before, test, limit)
        return [_row(row) for row in rows]
    sites = yield "sites", ()
    found: list[Row] = []
    for (one,) in sites:
        found += yield from _of_site(one, state, recipient, external, before, test, limit)
    found.sort(key=lambda row: row[0], reverse=True)
    return [_row(row) for row in found[:limit]]


def _of_site(
    site: str, state: str, recipient: str, external: str, before: str, test: bool, limit: int
) -> Verb[list[Row]]:
    cursor, least = before or FIRST, int(test)
    if external:
        return (yield "list_external", (site, short(external), state, recipient, cursor, least, limit))
    if recipient:
        rows = (yield "alert_created", (before,)) if before else []
        created = rows[0][0] if rows else _LATEST
        return (yield "list_recipient", (site, recipient, state, created, cursor, least, limit))
    if state == AttemptState.IN_DOUBT:
        return (yield "list_doubts", (site, cursor, least, limit))
    if not state:
        return (yield "list_site", (site, cursor, least, limit))
    return (yield "list_ended" if state in _ENDED else "list_under_way", (site, state, cursor, least, limit))


def _row(row: Row) -> AlertRow:
    return AlertRow(
        id=row[0],
        site=row[1],
        created=row[2],
        recipient=row[3],
        template=row[4],
        language=row[5],
        state=AlertState(row[6]),
        reason=row[7],
        channel=row[8],
        external_alert_id=row[9],
        test=bool(row[10]),
    )
