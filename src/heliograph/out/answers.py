"""Answers read with a table: what a provider's or a desk's status or code means, and Retry-After."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import msgspec

from heliograph.core.ports import Response
from heliograph.errors import Blame, Fate, SendError
from heliograph.out import redact

# What reading somebody else's JSON may raise: it is none, a text in it is not UTF-8, it is nested without end.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
RETRY_AFTER_MOST = 3600.0  # seconds; a longer wish is cut to this, the alert's time to live ends most before it


class Row(msgspec.Struct, frozen=True):
    """What one of a provider's codes means: our code, its fate, the reason in words, who can mend it."""

    code: str
    fate: Fate
    words: str
    blame: Blame = Blame.PROVIDER


def error_from(response: Response, rows: Mapping[int, Row], *, who: str, detail: str = "") -> SendError:
    """The error that an answer means. `rows` maps a status to its row and holds three more for what it does not name:
    300, 400 and 500 stand for their whole class. `detail`: the provider's own words, redacted here."""
    row = rows.get(response.status) or rows[max(3, min(response.status // 100, 5)) * 100]
    return error(row, response, who=who, detail=detail)


def error(row: Row, response: Response, *, who: str, detail: str = "") -> SendError:
    """The error that `row` names, with the answer it came from."""
    said = f' {who} says: "{redact.text(detail).strip()}"' if detail else ""
    return SendError(
        f"{who} answered {response.status}: {row.words}{said}",
        code=row.code,
        fate=row.fate,
        blame=row.blame,
        raw=response.body,
        retry_after=retry_after(response.headers),
        exchange=response.exchange,
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a Retry-After header asks for (a number, or a date held against the answer's own Date, so that our
    clock does not matter). None where there is none or it cannot be read; at most an hour."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            now = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
            seconds = (parsedate_to_datetime(value) - now).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), RETRY_AFTER_MOST) if math.isfinite(seconds) else None
