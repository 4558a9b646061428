"""What operators look at: attempts in doubt, receipts that nobody knows, nodes' reports of their senders."""

from __future__ import annotations

import msgspec

from heliograph.core.event import Receipt
from heliograph.core.ports import LooseEnds, Unmatched
from heliograph.core.site import SenderReport
from heliograph.core.states import AttemptState, doubtful
from heliograph.store.codec import encode
from heliograph.store.standing import Standing
from heliograph.store.verb import Verb

MOST = 10_000  # that are counted at most: no count grows with the data
_receipt = msgspec.json.Decoder(Receipt).decode
_report = msgspec.json.Decoder(SenderReport).decode


def doubted(site: str, alert: str, attempt: str, before: Standing, after: Standing, now: int) -> Verb[None]:
    """An attempt moved: into doubt, or out of it. All other moves cost nothing here."""
    was, is_ = (doubtful(AttemptState(one.state), one.reason) for one in (before, after))
    if is_ and not was:
        yield "doubt_put", (site, attempt, alert, after.sender, now)
    elif was and not is_:
        yield "doubt_drop", (site, attempt)


def loose_ends(before: int) -> Verb[list[LooseEnds]]:
    """Of each sender that has any: attempts in doubt, receipts that have waited for their attempt since `before`."""
    counts: dict[tuple[str, str], list[int]] = {}
    for site, sender, count in (yield "doubts_counted", (MOST,)):
        counts.setdefault((site, sender), [0, 0])[0] = count
    for site, sender, count in (yield "unmatched_counted", (before, MOST)):
        counts.setdefault((site, sender), [0, 0])[1] = count
    return [
        LooseEnds(site=site, sender=sender, in_doubt=in_doubt, unmatched=unmatched)
        for (site, sender), (in_doubt, unmatched) in sorted(counts.items())
    ]


def unmatched(before: int, limit: int) -> Verb[list[Unmatched]]:
    """Receipts that have waited for their attempt since `before`, the newest first."""
    rows = yield "unmatched", (before, limit)
    return [
        Unmatched(site=row[0], sender=row[1], channel=row[2], reference=row[3], at=row[4], receipt=_receipt(row[5]))
        for row in rows
    ]


def report(reports: tuple[SenderReport, ...]) -> Verb[None]:
    for one in reports:
        yield "report_put", (one.site, one.sender, one.node, one.at, encode(one))


def reports(since: int) -> Verb[list[SenderReport]]:
    rows = yield "reports_since", (since,)
    return [_report(row[0]) for row in rows]
