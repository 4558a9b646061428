"""What commands print: tables within 100 columns, JSON for programs, errors on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from heliograph.errors import SetupError

WIDTH = 100  # columns at most, on a wide screen and in a pipe alike

# One colour and one glyph for every state (the word stands beside it, so that neither is the only sign).
_MARKS = {
    "delivered": ("✓", "green"), "read": ("✓", "green"), "created": ("+", "green"), "ok": ("✓", "green"),
    "sent": ("→", ""), "sending": ("→", ""), "accepted": ("·", ""), "intended": ("·", ""), "unchanged": ("·", "dim"),
    "scheduled": ("◷", "yellow"), "changed": ("~", "yellow"), "kept": ("!", "yellow"), "warning": ("!", "yellow"),
    "in_doubt": ("?", "magenta"), "failed": ("✗", "red"), "refused": ("✗", "red"), "removed": ("-", "red"),
    "expired": ("✗", "bright_black"), "cancelled": ("✗", "bright_black"), "revoked": ("✗", "bright_black"),
    "disabled": ("✗", "bright_black"), "ended": ("✗", "bright_black"), "valid": ("✓", "green"),
    "ending": ("◷", "yellow"), "active": ("✓", "green"),
    "paused": ("◷", "yellow"), "running": ("✓", "green"), "published": ("✓", "green"), "draft": ("·", ""),
    "retired": ("✗", "bright_black"), "open": ("✗", "red"), "not_open": ("✗", "red"),
    "half_open": ("◷", "yellow"), "line_down": ("!", "yellow"), "yes": ("✓", "green"), "no": ("✗", "red"),
    "unknown": ("?", "bright_black"), "settled": ("✓", ""),
}  # fmt: skip


class NotUnderstood(SetupError):
    """The command line itself is wrong: exit code 2."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, code="usage")


def console(*, errors: bool = False) -> Console:
    found = Console(stderr=errors, highlight=False, markup=False, emoji=False)
    return Console(
        stderr=errors, highlight=False, markup=False, emoji=False, soft_wrap=False,
        width=min(found.width, WIDTH) if found.is_terminal else WIDTH,
    )  # fmt: skip


def show(*things: RenderableType) -> None:
    to = console()
    for thing in things:
        to.print(thing)


def line(text: str = "") -> None:
    """One line as it is, however long: addresses and keys are copied from it."""
    print(clean(text))


def error(sentence: str, *, code: str, json: bool = False) -> None:
    if json:
        print(msgspec.json.encode({"error": sentence, "code": code}).decode(), file=sys.stderr)
    else:
        text = Text("error: ", style="bold red")
        text.append(clean(sentence), style="not bold default")
        _aside(text)


def note(sentence: str) -> None:
    """A warning or a word on what goes on, beside the output proper."""
    text = Text("note: ", style="bold yellow")
    text.append(clean(sentence), style="not bold default")
    _aside(text)


def _aside(text: Text) -> None:
    to = console(errors=True)
    # In a pipe or a log each line stays whole, so that it can be searched.
    to.print(text, soft_wrap=not to.is_terminal)


def data(value: Any) -> None:
    """One JSON document on standard output."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def json_line(value: Any) -> None:
    """One JSON document on one line, there at once: for programs that read while the command still runs."""
    print(msgspec.json.encode(value).decode(), flush=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | Text]], *, empty: str) -> None:
    """A table; `empty` says what would stand here and which command makes it. A column `>count` holds numbers, one
    `=key` is what people copy: it is never broken into two lines."""
    found = list(rows)
    if not found:
        line(empty)
        return
    grid = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        grid.add_column(
            column.lstrip(">="),
            justify="right" if column.startswith(">") else "left",
            overflow="fold",
            no_wrap=column.startswith("="),
        )
    for row in found:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row))
    show(grid)


def state(word: str) -> Text:
    glyph, colour = _MARKS.get(word, ("·", ""))
    return Text(f"{glyph} {word.replace('_', ' ')}", style=colour)


def clean(text: str) -> str:
    """Without control characters: a name from outside must not steer the terminal (ESC, CSI, bidi overrides)."""
    return "".join(
        one if one in "\n\t" or (one.isprintable() and one not in _BIDI) or one == "\u00a0" else "�" for one in text
    )


_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def when(milliseconds: int | None) -> str:
    """`2026-11-23 14:05:09` UTC, or a dash."""
    if milliseconds is None:
        return "–"
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def ago(milliseconds: int, now: int) -> str:
    """How long ago, in the largest unit that says it: `12 s`, `3 min`, `5 h`, `2 d`."""
    seconds = max(0, now - milliseconds) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"
