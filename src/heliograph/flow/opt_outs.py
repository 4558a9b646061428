"""Opt-outs written by people and files: one at a time, or a list of any length, row by row."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator

import msgspec

from heliograph.core.optout import Book, OptOut, RowFault, read
from heliograph.core.ports import Store, Written
from heliograph.errors import SetupError

ROWS = 500  # in one transaction: some 10 ms of the writer's time, so that alerts get in between
PAGE = 2_000  # rows of an export that are read at once
COLUMNS = ("site", "recipient", "scope", "at", "how", "by")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A row that was not taken. `line` counts from 1, the heading included."""

    line: int
    sentence: str


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """`newer`: recipients who said otherwise after the row's time; they stay as they are."""

    rows: int
    changed: int
    unchanged: int
    newer: int
    faults: tuple[Fault, ...]


async def bring_in(
    lines: Iterable[str],
    book: Book,
    store: Store,
    *,
    dry_run: bool = False,
    told: Callable[[int], None] = lambda n: None,
) -> Imported:
    """Writes the rows of a CSV file. A wrong row is told by its line and stops no neighbour; the same file again
    changes nothing. `told` hears how many rows are done. Raises SetupError for a file without a recipient column,
    StoreAway where a repeat finishes what was begun."""
    faults: list[Fault] = []
    counts: Counter[Written] = Counter()
    rows = 0
    batch: list[OptOut] = []

    async def write() -> None:
        if batch and not dry_run:
            counts.update(await store.put_opt_outs(tuple(batch)))
        batch.clear()
        told(rows)

    for line, fields in _rows(lines):
        rows += 1
        try:
            batch.append(read(fields, book))
        except RowFault as fault:
            faults.append(Fault(line=line, sentence=str(fault)))
        if len(batch) >= ROWS:
            await write()
    await write()
    return Imported(
        rows=rows,
        changed=counts[Written.CHANGED],
        unchanged=counts[Written.UNCHANGED],
        newer=counts[Written.NEWER],
        faults=tuple(faults),
    )


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and fields of each row. Columns are named by the first line; without names the first one is the
    recipient."""
    feed = iter(lines)
    first = next(feed, "").removeprefix("\ufeff")
    mark = max(",;\t", key=first.count)
    heading = [name.strip().casefold() for name in next(csv.reader([first], delimiter=mark), [])]
    if any(cell.lstrip("+0 (").isdigit() for cell in heading):
        heading, before = ["recipient", *([""] * (len(heading) - 1))], 0
        reader = csv.reader(_again(first, feed), delimiter=mark)
    else:
        reader, before = csv.reader(feed, delimiter=mark), 1
    if "recipient" not in heading:
        raise SetupError(
            "The file's first line names no column `recipient`. Its columns may be: " + ", ".join(COLUMNS) + ".",
            code="no_recipient_column",
        )
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield before + reader.line_num, dict(zip(heading, cells, strict=False))
    except csv.Error as error:
        raise SetupError(
            f"Line {before + reader.line_num} is no CSV: {error}. The rows before it are written; mend it and repeat.",
            code="no_csv",
        ) from None


def _again(first: str, feed: Iterator[str]) -> Iterator[str]:
    yield first
    yield from feed


async def all_of(store: Store, *, site: str = "", scope: str = "") -> AsyncIterator[list[OptOut]]:
    """Every opt-out in force, a page at a time."""
    after = ("", "", "")
    while page := await store.opt_outs(site=site, scope=scope, after=after, limit=PAGE):
        yield page
        after = (page[-1].site, page[-1].recipient, page[-1].scope)
