"""What is counted, and how Prometheus reads it.

Labels are words of ours, never anything of a caller's, and each family stops at ROOM combinations; there is no site
label, since a server may have any number of sites. Numbers are kept in plain dictionaries and become the library's
families only when they are asked for: counting one call takes 0.5 us instead of 1.2.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from heliograph import __version__
from heliograph.core.webhook import Waiting
from heliograph.gauges import SenderNow, families, webhook_families
from heliograph.telemetry import masked

ROOM = 300  # label combinations of one family; later ones are counted as "other"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
LAGS = (0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0)

Labels = tuple[str, ...]


class Count:
    """A counter: how often, by labels."""

    def __init__(self, name: str, help: str, *labels: str) -> None:
        self._name, self._help, self._labels = name, help, labels
        self._counts: dict[Labels, int] = {}

    def add(self, *labels: str) -> None:
        counts = self._counts
        if labels in counts:
            counts[labels] += 1
        else:
            labels = _room(labels, counts)
            counts[labels] = counts.get(labels, 0) + 1

    def family(self) -> Metric:
        family = CounterMetricFamily(self._name, self._help, labels=self._labels)
        for labels, count in sorted(self._counts.items()):
            family.add_metric(labels, count)
        return family


class Spread:
    """A histogram: how the values lie, by one label."""

    def __init__(self, name: str, help: str, bounds: Sequence[float], label: str) -> None:
        self._name, self._help, self._bounds, self._label = name, help, bounds, label
        self._buckets: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def add(self, label: str, value: float) -> None:
        labels: Labels = (label,)
        buckets = self._buckets.get(labels)
        if buckets is None:
            labels = _room(labels, self._buckets)
            buckets = self._buckets.setdefault(labels, [0] * (len(self._bounds) + 1))
            self._sums.setdefault(labels, 0.0)
        buckets[bisect_left(self._bounds, value)] += 1
        self._sums[labels] += value

    def family(self) -> Metric:
        family = HistogramMetricFamily(self._name, self._help, labels=(self._label,))
        names = [*(str(float(bound)) for bound in self._bounds), "+Inf"]
        for labels, buckets in sorted(self._buckets.items()):
            so_far = 0
            told = []
            for name, count in zip(names, buckets, strict=True):
                so_far += count
                told.append((name, so_far))
            family.add_metric(labels, told, self._sums[labels])
        return family


class Meters:
    """One per process. Every verb is called from the event loop's thread."""

    def __init__(self) -> None:
        self._calls = Count("heliograph_calls", "HTTP calls answered.", "route", "status")
        self._call_seconds = Spread("heliograph_call_seconds", "From a call's header to its answer.", SECONDS, "route")
        self._credentials = Count("heliograph_credentials_refused", "Calls with wrong credentials.", "code")
        self._callbacks = Count("heliograph_callbacks", "Providers' callbacks answered.", "provider", "status")
        self._alerts = Count("heliograph_alerts", "Alerts by what became of the call.", "outcome", "channel")
        self._attempts = Count("heliograph_attempts", "Hand-overs to a provider by outcome.", "provider", "outcome")
        self._provider = Spread("heliograph_provider_seconds", "How long a hand-over took.", SECONDS, "provider")
        self._capabilities = Count("heliograph_capabilities", "Capabilities asked of providers.", "channel", "answer")
        self._events = Count("heliograph_events", "Events heard from providers.", "channel", "kind")
        self._desks = Count("heliograph_desk_turns", "What passed between conversations and desks.", "desk", "what")
        self._due = Spread("heliograph_due_lag_seconds", "How late due work was begun.", LAGS, "kind")
        self._unknown = Count(
            "heliograph_unknown_words",
            "Providers' words that this version does not know: of a whole event, a failure's reason, an error.",
            "provider",
            "kind",
        )
        self._webhooks = Count("heliograph_webhook_posts", "Events posted to brands, by what became of it.", "outcome")
        self.waiting: Callable[[], tuple[Iterable[Waiting], int]] = lambda: ((), 0)  # and the time, ms
        self.senders: Callable[[], Iterable[SenderNow]] = tuple  # set by whoever knows them
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """For the library: all families as they stand."""
        build = GaugeMetricFamily("heliograph_build_info", "The version that runs.", labels=("version",))
        build.add_metric((__version__,), 1)
        yield build
        for one in vars(self).values():
            if isinstance(one, Count | Spread):
                yield one.family()
        yield from families(self.senders())
        yield from webhook_families(*self.waiting())

    def call(self, route: str, status: int, seconds: float) -> None:
        self._calls.add(route, str(status))
        self._call_seconds.add(route, seconds)

    def credentials(self, code: str) -> None:
        self._credentials.add(code)

    def callback(self, provider: str, status: int) -> None:
        self._callbacks.add(provider, str(status))

    def alert(self, outcome: str, channel: str) -> None:
        self._alerts.add(outcome, channel)

    def attempt(self, provider: str, outcome: str, seconds: float) -> None:
        self._attempts.add(provider, outcome)
        self._provider.add(provider, seconds)

    def capability(self, channel: str, answer: str) -> None:
        self._capabilities.add(channel, answer)

    def desk(self, desk: str, what: str) -> None:
        self._desks.add(desk, what)

    def event(self, channel: str, kind: str) -> None:
        self._events.add(channel, kind)

    def due(self, kind: str, lag_seconds: float) -> None:
        self._due.add(kind, lag_seconds)

    def unknown_word(self, provider: str, kind: str) -> None:
        self._unknown.add(provider, kind)

    def webhook(self, outcome: str) -> None:
        self._webhooks.add(outcome)

    def exposition(self) -> tuple[bytes, str]:
        """All of it in the Prometheus text format, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST


def _room(labels: Labels, known: dict[Labels, int] | dict[Labels, list[int]]) -> Labels:
    """The labels of a combination that is new: cleaned, or "other" where a family has enough."""
    if len(known) >= ROOM:
        return ("other",) * len(labels)
    return tuple(masked(label)[:60] for label in labels)
