"""One language on one channel as `heliograph templates preview` shows it: the message, how much it is, and why."""

from __future__ import annotations

from typing import Any

from heliograph.cli import say
from heliograph.cli.bubble import bubble
from heliograph.core import sms
from heliograph.core.content import Named
from heliograph.core.preview import Seen


def draw(seen: Seen) -> None:
    """The message, and below it one line for each thing that is worth knowing."""
    by = f" ({', '.join(seen.providers)})" if seen.providers else ""
    say.line(f"\n{seen.language} · {seen.channel}{by}")
    say.show(bubble(seen.content))
    for line in _notes(seen):
        say.line(f"  {line}")
    if isinstance(seen.content, Named) and seen.content.free is not None:
        say.line(f"\n{seen.language} · {seen.channel}{by}, within {seen.window // 3600} hours of the recipient's words")
        say.show(bubble(seen.content.free))


def as_json(seen: Seen) -> dict[str, Any]:
    """For programs: all of it."""
    return {
        "language": seen.language,
        "channel": seen.channel,
        "own": seen.own,
        "providers": seen.providers,
        "content": seen.content,
        "parts": seen.size.parts,
        "encoding": seen.size.encoding,
        "units": seen.size.units,
        "forced_by": seen.size.forced_by,
        "rules": seen.rules,
        "lost": seen.lost,
        "faults": seen.faults,
        "window": seen.window,
    }


def _notes(seen: Seen) -> list[str]:
    size = seen.size
    lines = []
    if isinstance(seen.content, Named):
        language = f", {seen.content.language}" if seen.content.language else ""
        lines.append(f"kept by the provider as {seen.content.name}{language}")
    elif seen.window:
        lines.append(f"sent only within {seen.window // 3600} hours of the recipient's last message")
    if size.encoding:
        forced = f", forced by {sms.said(size.forced_by)}" if size.forced_by else ""
        parts = f"{size.parts} part{'' if size.parts == 1 else 's'}"
        lines.append(f"{parts}, {size.encoding}, {size.units} units{forced}")
    lines += [f"made to fit: {rule}" for rule in seen.rules]
    if not seen.providers:
        lines.append("no provider of this channel is installed")
    return [*lines, *(f"would not be sent: {fault}" for fault in seen.faults)]
