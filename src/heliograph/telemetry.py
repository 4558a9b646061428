"""Logs and metrics, and what may never be in them: phone numbers, names, variables, texts, secrets.

A log line is a sentence, an action (a word for programs) and facts, the alert's id first. Callers pass no personal
data; `withheld` stands behind them all the same. Metrics have labels whose values are words of ours, and each family
stops at ROOM combinations; there is no site label, since a server may have any number of sites.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec
import structlog
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from heliograph import __version__

Log = Callable[..., None]

# ── What may not be said ────────────────────────────────────────────────────────────────────────────────────────────

_PRIVATE_KEY = re.compile(
    r"phone|number|recipient|msisdn|customer|first_?name|last_?name|variable|value|body|text|content|"
    r"secret|token|authorization|signature|password|address|url"
).search
_IDS = frozenset({"action", "alert", "attempt", "ref", "request", "node", "site", "level", "at"})
_ID = re.compile(r"[A-Za-z0-9_.:~-]{0,80}").fullmatch
# Kept: ids and dates. Masked: seven digits or more, however they are grouped (+1 770 310 1414, (0400) 111-222).
_RUN = re.compile(
    r"(?P<kept>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d:\d\d(?:\.\d+)?)?)"
    r"|\+?\d(?:[ ().\-/]{0,3}\d){6,}"
)
LONGEST = 500  # characters of one value


def masked(text: str) -> str:
    """The text without what could be a phone number."""
    return _RUN.sub(lambda found: found[0] if found["kept"] else "[number]", text[:LONGEST])


def withheld(logger: Any, method: str, facts: Any) -> Any:
    """A structlog processor, belt and braces: no key that names personal data, no value that looks like a number to
    dial, nothing that is not a plain word or number."""
    for key, value in facts.items():
        if key in _IDS and (not isinstance(value, str) or _ID(value)):
            continue
        if _PRIVATE_KEY(key):
            facts[key] = "[withheld]"
        elif isinstance(value, str):
            facts[key] = masked(value)
        elif isinstance(value, int | float):
            facts[key] = "[number]" if abs(value) >= 1_000_000 else value
        elif isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
            facts[key] = [masked(item) for item in value]
        elif value is not None:
            facts[key] = f"[{type(value).__name__}]"
    return facts


def stack_of(error: BaseException) -> list[str]:
    """Where it broke, the innermost place last: file, line and function. No locals and no message, which may quote
    what a caller sent."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{'/'.join(PurePath(code.co_filename).parts[-3:])} line {trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return [*(stack_of(cause) if cause else []), *places[-30:], type(error).__name__]


# ── Logs ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def logger(level: str = "info", form: str = "json", file: BinaryIO | None = None) -> Log:
    """`log(level, sentence, *, action, **facts)`, written to `file` (standard error if None) from `level` upwards."""
    least = logging.getLevelNamesMapping()[level.upper()]
    bound = structlog.wrap_logger(
        structlog.BytesLogger(file or sys.stderr.buffer),
        processors=[structlog.processors.add_log_level, _time, withheld, _json if form == "json" else _text],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        context_class=dict,
        cache_logger_on_first_use=True,
    ).bind()
    methods = {name: getattr(bound, name) for name in ("debug", "info", "warning", "error", "critical")}

    def log(level: str, sentence: str, *, action: str, **facts: object) -> None:
        methods[level](sentence, action=action, **facts)

    return log


def take_over(log: Log, level: str = "warning") -> None:
    """What libraries say through the standard library's logging goes the same way. Their words without their
    arguments, which may be a caller's."""
    root = logging.getLogger()
    root.handlers = [_Bridge(log)]
    root.setLevel(logging.getLevelNamesMapping()[level.upper()])


class _Bridge(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = (
            "error" if record.levelno >= logging.ERROR else "warning" if record.levelno >= logging.WARNING else "info"
        )
        facts: dict[str, object] = {"library": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            facts["stack"] = stack_of(record.exc_info[1])
        self._log(level, str(record.msg).splitlines()[0] if record.msg else "", action="library", **facts)


_time = structlog.processors.TimeStamper(fmt="iso", utc=True, key="at")
_encode = msgspec.json.Encoder().encode


def _json(logger: Any, method: str, facts: Any) -> bytes:
    line = {"at": facts.pop("at"), "level": facts.pop("level"), "message": facts.pop("event"), **facts}
    return _encode(line)


def _text(logger: Any, method: str, facts: Any) -> bytes:
    at, level, sentence = facts.pop("at"), facts.pop("level"), facts.pop("event")
    rest = " ".join(f"{key}={value}" for key, value in facts.items() if value not in ("", None))
    return f"{at[11:23]} {level:<7} {sentence}  {rest}".rstrip().encode()


# ── Metrics ─────────────────────────────────────────────────────────────────────────────────────────────────────────

ROOM = 300  # label combinations of one family; later ones are counted as "other"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
LAGS = (0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 3600.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)

Family = TypeVar("Family", Counter, Histogram)


class Meters:
    """What is counted. One per process; each verb costs about a microsecond (children are bound once)."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        Gauge("heliograph_build_info", "The version that runs.", ["version"], registry=registry).labels(
            __version__
        ).set(1)

        def counter(name: str, help: str, *labels: str) -> _Children[Counter]:
            return _Children(Counter(f"heliograph_{name}", help, labels, registry=registry))

        def histogram(name: str, help: str, buckets: Sequence[float], *labels: str) -> _Children[Histogram]:
            return _Children(Histogram(f"heliograph_{name}", help, labels, registry=registry, buckets=buckets))

        self._calls = counter("calls_total", "HTTP calls answered.", "route", "status")
        self._call_seconds = histogram("call_seconds", "From a call's header to its answer.", SECONDS, "route")
        self._credentials = counter("credentials_refused_total", "Calls with wrong credentials.", "code")
        self._callbacks = counter("callbacks_total", "Providers' callbacks answered.", "provider", "status")
        self._alerts = counter("alerts_total", "Alerts by what became of the call.", "outcome", "channel")
        self._attempts = counter("attempts_total", "Hand-overs to a provider by outcome.", "provider", "outcome")
        self._provider = histogram("provider_seconds", "How long a hand-over took.", SECONDS, "provider")
        self._capabilities = counter("capabilities_total", "Capability answers used.", "channel", "answer")
        self._events = counter("events_total", "Events heard from providers.", "channel", "kind")
        self._due = histogram("due_lag_seconds", "How late due work was begun.", LAGS, "kind")
        self._commit_size = histogram("commit_verbs", "Verbs of the store in one commit.", SIZES)
        self._commit_seconds = histogram("commit_seconds", "How long a commit took.", SECONDS)

    def call(self, route: str, status: int, seconds: float) -> None:
        self._calls(route, status).inc()
        self._call_seconds(route).observe(seconds)

    def credentials(self, code: str) -> None:
        self._credentials(code).inc()

    def callback(self, provider: str, status: int) -> None:
        self._callbacks(provider, status).inc()

    def alert(self, outcome: str, channel: str) -> None:
        self._alerts(outcome, channel).inc()

    def attempt(self, provider: str, outcome: str, seconds: float) -> None:
        self._attempts(provider, outcome).inc()
        self._provider(provider).observe(seconds)

    def capability(self, channel: str, answer: str) -> None:
        self._capabilities(channel, answer).inc()

    def event(self, channel: str, kind: str) -> None:
        self._events(channel, kind).inc()

    def due(self, kind: str, lag_seconds: float) -> None:
        self._due(kind).observe(lag_seconds)

    def commit(self, verbs: int, seconds: float) -> None:
        self._commit_size().observe(verbs)
        self._commit_seconds().observe(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """All of it in the Prometheus text format, and its content type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class _Children(Generic[Family]):
    """The children of a family, bound once: `labels()` of the library takes a lock and costs five times as much."""

    def __init__(self, family: Family) -> None:
        self._family: Family = family
        self._bound: dict[tuple[object, ...], Family] = {}

    def __call__(self, *labels: object) -> Family:
        child = self._bound.get(labels)
        if child is None:
            if len(self._bound) >= ROOM:
                labels = ("other",) * len(labels)
            words = [masked(str(label))[:60] for label in labels]
            child = self._bound[labels] = self._family.labels(*words) if labels else self._family
        return child
