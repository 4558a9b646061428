"""Logs, and what may never be in them: phone numbers, names, variables, texts, secrets.

A log line is a sentence, an action (a word for programs) and facts, the alert's id first. Callers pass no personal
data; `withheld` stands behind them all the same. Metrics are in meters.py.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import PurePath
from typing import Any, BinaryIO

import msgspec
import structlog

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
    what a caller sent. An error that is among its own causes is told once."""
    stack: list[str] = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        stack = [*_places(cause)[-30:], type(cause).__name__, *stack]
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return stack


def _places(error: BaseException) -> list[str]:
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{'/'.join(PurePath(code.co_filename).parts[-3:])} line {trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return places


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
    arguments, which may be a caller's; and nothing below `info`, where oauthlib writes the tokens that it signs with
    into its words."""
    root = logging.getLogger()
    root.handlers = [_Bridge(log)]
    root.setLevel(max(logging.getLevelNamesMapping()[level.upper()], logging.INFO))


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
