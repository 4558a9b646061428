"""What desks share: their answers read with a table, signatures, times, and a context as readable lines."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.desk import Context
from heliograph.core.ports import Response
from heliograph.errors import Blame, Fate, SendError
from heliograph.out import answers
from heliograph.out.answers import UNREADABLE, Row, error, retry_after

__all__ = ["UNREADABLE", "USUAL", "Row", "error", "error_from", "retry_after"]

LONGEST_VALUE = 1_000  # characters of one value in a text; the context page and the API show it whole
LONGEST_TEXT = 8_000  # characters of a context's text

# What a status means at any desk that says nothing else of it. A fault of the desk's side leaves in doubt what it did.
USUAL: dict[int, Row] = {
    300: Row(
        "wrong_address", Fate.CONFIG, "it sends elsewhere. Write the address that it names into the settings.", Blame.US
    ),
    400: Row("invalid_message", Fate.PERMANENT, "what was said is not valid there.", Blame.US),
    401: Row("credentials_refused", Fate.CONFIG, "the credentials are not valid. Apply new ones.", Blame.US),
    403: Row("credentials_refused", Fate.CONFIG, "the credentials lack a permission.", Blame.US),
    404: Row("wrong_address", Fate.CONFIG, "there is nothing at that address. Check the settings.", Blame.US),
    408: Row("no_answer", Fate.UNKNOWN, "it may have been taken."),
    413: Row("too_large", Fate.PERMANENT, "it is larger than the desk takes."),
    425: Row("throttled", Fate.RETRY, "too early."),
    429: Row("throttled", Fate.RETRY, "too many calls."),
    500: Row("no_answer", Fate.UNKNOWN, "a fault on its side; it may have been taken."),
}


def error_from(response: Response, *, who: str, rows: Mapping[int, Row] = USUAL, detail: str = "") -> SendError:
    """The error that a desk's answer means; `rows` where a desk has a table of its own (out.answers.error_from).
    `detail`: the desk's own words, redacted there."""
    return answers.error_from(response, rows, who=who, detail=detail)


def hmac_hex(key: str, message: bytes, algorithm: str = "sha256") -> str:
    """The HMAC of `message` in lower-case hex digits."""
    return hmac.digest(key.encode(), message, algorithm).hex()


def same(given: str, expected: str) -> bool:
    """Compared in constant time; an empty expectation equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def fingerprint(*parts: str | bytes) -> str:
    """A stable id for an event that carries none: the first 32 hex digits of the SHA-256 of its parts."""
    whole = b"\x00".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(whole).hexdigest()[:32]


def milliseconds(told: str | int | float | None) -> int | None:
    """A desk's time as milliseconds since the epoch: ISO 8601 (no offset means UTC), or seconds since the epoch. None
    where it cannot be read."""
    try:
        match told:
            case str() if told:
                moment = datetime.fromisoformat(told)
                return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
            case int() | float() if not isinstance(told, bool):
                return round(told * 1000)
    except (ValueError, OverflowError):
        return None
    return None


# ── A context as lines ──────────────────────────────────────────────────────────────────────────────────────────────


def info(alert: Alert) -> list[tuple[str, str]]:
    """Every key of alertInfo in the caller's order. A text is its words, anything else stands as the caller wrote it,
    so that a long number keeps its digits."""
    raw = bytes(alert.alert_info)
    if not raw or raw == b"null":
        return []
    try:
        keys = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
        return [(key, _value(bytes(value))) for key, value in keys.items()]
    except UNREADABLE:
        return [("alertInfo", raw.decode("utf-8", "replace"))]


def _value(raw: bytes) -> str:
    return msgspec.json.decode(raw, type=str) if raw.startswith(b'"') else raw.decode()


def name(alert: Alert) -> str:
    """First and last name as the caller gave them; empty where it gave none."""
    return " ".join(part for part in (alert.first_name.strip(), alert.last_name.strip()) if part)


def facts(context: Context) -> list[tuple[str, str]]:
    """What the brand passed along with an alert, label and value: who, the external ids, then every key of alertInfo.
    Empty where no alert is known."""
    alert = context.alert
    if alert is None:
        return []
    known = [
        ("Name", name(alert)),
        ("External customer id", alert.external_customer_id),
        ("External customer id descriptor", alert.external_customer_id_descriptor),
        ("External alert id", alert.external_alert_id),
    ]
    return [(label, value) for label, value in known if value] + info(alert)


def text(context: Context, longest: int = LONGEST_TEXT) -> str:
    """A context for a desk that shows text alone: which alert, what the recipient saw, what the brand knows of them,
    earlier alerts. At most `longest` characters; what does not fit is counted. Empty where no alert is known."""
    alert = context.alert
    if alert is None:
        return ""
    lines = [_alert_line(context, alert)]
    if context.words:
        lines.append(f"“{_cut(context.words)}”")
    lines += [f"{label}: {_cut(value)}" for label, value in facts(context)]
    lines += [f"Earlier: {one.template}, {_day(one.at)}, {one.state}" for one in context.earlier[:3]]
    return _bounded(lines, longest)


def _alert_line(context: Context, alert: Alert) -> str:
    state = context.path[-1].state if context.path else str(alert.state)
    on = f", {context.channel.upper()}" if context.channel else ""
    written = f"version {alert.template_version}, {alert.language}"
    return f"Answers {alert.template} ({written}) of {_day(alert.created)}{on}: {state}"


def _bounded(lines: list[str], longest: int) -> str:
    whole = "\n".join(lines)
    if len(whole) <= longest:
        return whole
    kept: list[str] = []
    room = longest - 30  # for the line that counts what is left out
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return "\n".join([*kept, f"… and {len(lines) - len(kept)} more lines"])[:longest]


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
