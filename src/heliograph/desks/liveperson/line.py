"""Which alert a recipient's words answer, as one readable line before them.

The Send API cannot post as anybody but the consumer, so that the text which the recipient saw stands in no transcript
unless it is quoted here.
"""

from __future__ import annotations

from datetime import UTC, datetime

from heliograph.core.desk import Context
from heliograph.desks import kit

QUOTED = 160  # characters of what the recipient saw
VALUE = 80  # characters of one value; the context page shows it whole
SHORT = 240  # characters of a line without alertInfo


def line(context: Context, *, info: bool, longest: int) -> str:
    """`[Answers FlightDelay (A-7) of 2026-11-25 18:20 UTC, RCS: “Your flight …” | Seat: 12A | …]`, at most
    `longest` characters, empty where no alert is known. `info`: with the keys of alertInfo, in the caller's order."""
    alert = context.alert
    if alert is None:
        return ""
    day = datetime.fromtimestamp(alert.created / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    named = f" ({_cut(alert.external_alert_id, VALUE)})" if alert.external_alert_id else ""
    told = f"Answers {alert.template}{named} of {day}"
    if context.channel:
        told += f", {context.channel.upper()}"
    if context.words:
        told += f": “{_cut(context.words, QUOTED)}”"
    fields = [f"{_cut(key, VALUE)}: {_cut(value, VALUE)}" for key, value in kit.info(alert)] if info else []
    for number, field in enumerate(fields):
        more = f" | … {len(fields) - number} more"
        if len(told) + len(field) + 3 + (len(more) if number < len(fields) - 1 else 0) > longest - 2:
            told += more
            break
        told += f" | {field}"
    return f"[{_cut(told, longest - 2)}]"


def _cut(text: str, most: int) -> str:
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1] + "…"
