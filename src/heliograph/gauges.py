"""What is true of each sender and each webhook at the moment when Prometheus asks: read from the breaker and the
store's last counts.

Senders are named with their site: names are an operator's own, never a person's. At most ROOM senders are shown, those
first that are not well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from heliograph.core.site import SenderReport
from heliograph.core.webhook import Waiting
from heliograph.telemetry import masked

ROOM = 300  # senders
LABELS = ("provider", "site", "sender")
STATES = ("closed", "half_open", "open", "paused", "not_open")


class SenderNow(msgspec.Struct, frozen=True, kw_only=True):
    """A sender as its node sees it, and what of it waits for an operator."""

    provider: str
    report: SenderReport
    in_doubt: int = 0
    unmatched: int = 0


def families(senders: Iterable[SenderNow]) -> Iterator[Metric]:
    shown = sorted(senders, key=lambda one: (one.report.state == "closed", one.report.site, one.report.sender))[:ROOM]
    state = GaugeMetricFamily(
        "heliograph_sender_state", "1 for the state that a sender's breaker is in.", labels=(*LABELS, "state")
    )
    for one in shown:
        for word in STATES:
            state.add_metric((*_labels(one), word), int(one.report.state == word))
    yield state
    for name, words, value in (
        ("failure_share", "Share of the last minute's hand-overs that failed.", _failed),
        ("serves_share", "Share of the recipients that a sender serves; below 1 while it comes back.", _serves),
        ("in_doubt", "Attempts whose answer was lost, on all nodes.", lambda one: one.in_doubt),
        ("unmatched_receipts", "Receipts of no known attempt, an hour old or older.", lambda one: one.unmatched),
    ):
        gauge = GaugeMetricFamily(f"heliograph_sender_{name}", words, labels=LABELS)
        for one in shown:
            gauge.add_metric(_labels(one), value(one))
        yield gauge
    throttled = CounterMetricFamily(
        "heliograph_sender_throttled", "Hand-overs that met a rate limit, the provider's or its own.", labels=LABELS
    )
    for one in shown:
        throttled.add_metric(_labels(one), one.report.throttled)
    yield throttled


def webhook_families(sites: Iterable[Waiting], now: int) -> Iterator[Metric]:
    """Counted in the database: every node says the same. The latest first, ROOM at most."""
    shown = sorted(sites, key=lambda one: (one.oldest is None, one.oldest or 0, one.site))[:ROOM]
    for name, words, value in (
        ("waiting", "Events that the brand has not taken yet.", lambda one: one.waiting),
        ("failed", "Events that were given up within the last eight days.", lambda one: one.failed),
        ("oldest_seconds", "Since when the oldest of them waits.", lambda one: _age(one, now)),
    ):
        gauge = GaugeMetricFamily(f"heliograph_webhook_{name}", words, labels=("site",))
        for one in shown:
            gauge.add_metric((one.site[:60],), value(one))
        yield gauge


def _age(one: Waiting, now: int) -> float:
    return max(0, now - one.oldest) / 1000 if one.oldest is not None else 0.0


def _labels(one: SenderNow) -> tuple[str, ...]:
    """Words of the operator's own. A site's id is told as it is: it may be a run of digits, and masked all such sites
    would be one. A sender's name that looks like a number to dial is not."""
    return one.provider[:60], one.report.site[:60], masked(one.report.sender)[:60]


def _failed(one: SenderNow) -> float:
    all_of_them = one.report.good + one.report.bad
    return one.report.bad / all_of_them if all_of_them else 0.0


def _serves(one: SenderNow) -> float:
    return one.report.serves
