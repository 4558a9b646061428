"""`heliograph opt-outs`: who wants no messages. Phone numbers are masked unless `--full` is given or a file is asked
for."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

from cyclopts import App
from rich.progress import BarColumn, Progress, TextColumn

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.optout import Book, OptOut
    from heliograph.core.ports import Store, Written
    from heliograph.flow.opt_outs import Imported
    from heliograph.settings import Settings

STANDARD = Path("-")
SHOWN = 20  # faults of an import on a terminal
app = App(name="opt-outs", help="Who wants no messages: add, remove, list, import, export.", help_format="plaintext")


@app.command
def add(
    recipient: str,
    /,
    *,
    scope: str = "all",
    site: str = "",
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Send RECIPIENT (as in +17703101414) nothing more, from this moment on; alerts that are held are stopped too.

    Parameters
    ----------
    scope
        What is not wanted: all, a channel (rcs, wa, sms), or skill:NAME for one skill's alerts.
    site
        The site; may be left out where there is only one.
    """
    _told(*_one(given.settings(config, flags), recipient, scope, site, by, wanted=False), json)


@app.command
def remove(
    recipient: str,
    /,
    *,
    scope: str = "all",
    site: str = "",
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Let RECIPIENT have messages again: he asked for them. Only this scope is withdrawn.

    Parameters
    ----------
    scope
        What is wanted again: all, a channel (rcs, wa, sms), or skill:NAME.
    site
        The site; may be left out where there is only one.
    """
    _told(*_one(given.settings(config, flags), recipient, scope, site, by, wanted=True), json)


def _one(
    settings: Settings, recipient: str, scope: str, site: str, by: str, *, wanted: bool
) -> tuple[OptOut, Written, list[str]]:
    """What was written, what that changed, and the scopes that are in force for the recipient now."""
    import msgspec

    from heliograph.core.optout import RowFault, read

    async def write() -> tuple[OptOut, Written, list[str]]:
        async with given.store(settings) as store:
            await given.find_erased(store, settings)
            book = await _book(store, site, how="cli", by=given.operator(by))
            try:
                row = read({"recipient": recipient, "scope": scope}, book)
            except RowFault as fault:
                raise say.NotUnderstood(str(fault)) from None
            row = msgspec.structs.replace(row, wanted=wanted)
            what = (await store.put_opt_outs((row,)))[0]
            left = await store.opt_outs(site=row.site, recipient=row.recipient, scope="", limit=100)
            return row, what, [one.scope for one in left]

    return asyncio.run(write())


async def _book(store: Store, site: str, *, how: str, by: str, at: int | None = None) -> Book:
    from heliograph.core.optout import Book

    sites = {one.id: one for one in (await store.changes(0)).sites}
    if site and site not in sites:
        raise say.NotUnderstood(f"There is no site {site}. There is: {', '.join(sorted(sites)) or 'none yet'}.")
    only = next(iter(sites)) if len(sites) == 1 else ""
    now = given.now()
    channels = frozenset(channel for channel, _ in given.plugs())
    return Book(
        sites=sites, channels=channels, site=site or only, at=now if at is None else at, now=now, how=how, by=by
    )


def _told(row: OptOut, what: Written, left: list[str], json: bool) -> None:
    from heliograph.cli.alerts import mask

    if json:
        say.data({**_plain(row), "wanted": row.wanted, "what": what})
        return
    of = "everything" if row.scope == "all" else row.scope
    who, already = mask(row.recipient), what == "unchanged"
    if not row.wanted:
        say.line(f"{who} has {'already ' if already else ''}opted out of {of} of site {row.site}.")
    elif already:
        say.line(f"{who} has no opt-out of {of} at site {row.site}; nothing was changed.")
    else:
        say.line(f"{who} has no opt-out of {of} at site {row.site} any more.")
    if row.wanted and left:
        say.line(f"Still in force: {', '.join(left)}.")


@app.command(name="list")
def list_(
    *,
    site: str = "",
    recipient: str = "",
    scope: str = "",
    erased: Annotated[bool, given.Switch] = False,
    limit: int = 50,
    full: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """List opt-outs in force: since when, how they came and who wrote them down.

    Parameters
    ----------
    site
        This site's only.
    recipient
        Of this number, as in +17703101414.
    scope
        Of this scope: all, a channel, or skill:NAME.
    erased
        Of people who were erased only; a hash stands where the number was.
    limit
        How many at most (1 to 10000); `opt-outs export` gives all.
    full
        Show phone numbers whole.
    """
    from heliograph.cli.alerts import mask

    if not 1 <= limit <= 10_000:
        raise say.NotUnderstood(f"--limit is {limit}; 1 to 10000 is needed. `heliograph opt-outs export` gives all.")
    rows = asyncio.run(_list(given.settings(config, flags), site, _number(recipient), scope, erased, limit))
    if json:
        say.data([_plain(row) if full else {**_plain(row), "recipient": mask(row.recipient)} for row in rows])
        return
    say.table(
        ("site", "=recipient", "scope", "since (UTC)", "how", "by"),
        [
            (row.site, row.recipient if full else mask(row.recipient), row.scope, say.when(row.at), row.how, row.by)
            for row in rows
        ],
        empty="Nobody here has opted out. `heliograph opt-outs add RECIPIENT` writes it down.",
    )
    if len(rows) == limit:
        say.line("There may be more: `heliograph opt-outs export` gives all.")


def _number(text: str) -> str:
    from heliograph.core import phone

    found = phone.international(text) if text else ""
    if isinstance(found, phone.PhoneFault):
        raise say.NotUnderstood(found.sentence)
    return found


async def _list(settings: Settings, site: str, recipient: str, scope: str, erased: bool, limit: int) -> list[OptOut]:
    from heliograph.core.optout import RowFault, read_scope

    try:
        scope = read_scope(scope, {channel for channel, _ in given.plugs()}) if scope else ""
    except RowFault as fault:
        raise say.NotUnderstood(str(fault)) from None
    async with given.store(settings) as store:
        if recipient:
            await given.find_erased(store, settings)
        return await store.opt_outs(site=site, recipient=recipient, scope=scope, erased=erased, limit=limit)


def _plain(row: OptOut) -> dict[str, str]:
    at = say.when(row.at).replace(" ", "T") + "Z"
    return {"site": row.site, "recipient": row.recipient, "scope": row.scope, "at": at, "how": row.how, "by": row.by}


@app.command(name="import")
def import_(
    file: Path,
    /,
    *,
    site: str = "",
    at: str = "",
    dry_run: Annotated[bool, given.Switch] = False,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> int:
    """Bring in the opt-outs of a CSV FILE (- for standard input). Safe to repeat: the same file changes nothing.

    Its first line names the columns: recipient, and where there are any scope, site, at, how, by. A file without such
    a line is a list of numbers. Rows that are wrong are told by their line and stop no other; the exit code is 1 then.

    Parameters
    ----------
    site
        The site of rows that name none; may be left out where there is only one.
    at
        Since when rows that say nothing count, as in 2026-11-25T14:05:00Z; the file's own time of change if not given,
        so that an old list does not undo what a recipient said later.
    dry_run
        Read and check every row, write nothing.
    """
    settings = given.settings(config, flags)
    done = asyncio.run(_import(settings, file, site, at, dry_run, by))
    if json:
        say.data({"dry_run": dry_run, **{name: getattr(done, name) for name in done.__struct_fields__}})
    else:
        _tell(done, dry_run)
    return 1 if done.faults else 0


async def _import(settings: Settings, file: Path, site: str, at: str, dry_run: bool, by: str) -> Imported:
    from heliograph.core.optout import RowFault, read_time
    from heliograph.flow import opt_outs

    with _opened(file) as source:
        moment = round(os.fstat(source.fileno()).st_mtime * 1000) if file != STANDARD else given.now()
        if at:
            try:
                moment = read_time(at, given.now())
            except RowFault as fault:
                raise say.NotUnderstood(str(fault)) from None
        lines = _Lines(source)
        bar = Progress(
            TextColumn("opt-outs"), BarColumn(), TextColumn("{task.fields[rows]:,} rows"),
            console=say.console(errors=True), transient=True,
        )  # fmt: skip
        async with given.store(settings) as store:
            await given.find_erased(store, settings)
            book = await _book(store, site, how="file", by=given.operator(by), at=min(moment, given.now()))
            with bar:
                task = bar.add_task("opt-outs", total=lines.size, rows=0)
                return await opt_outs.bring_in(
                    lines, book, store, dry_run=dry_run,
                    told=lambda rows: bar.update(task, completed=lines.read, rows=rows),
                )  # fmt: skip


def _opened(file: Path) -> TextIO:
    if file == STANDARD:
        return io.TextIOWrapper(sys.stdin.buffer, "utf-8", errors="replace", newline="")
    try:
        return file.open("r", encoding="utf-8", errors="replace", newline="")
    except OSError as error:
        raise SetupError(f"{file} cannot be read: {error.strerror}.", code="file") from None


class _Lines:
    """The lines of a file, and how much of it was read (characters; about its bytes)."""

    def __init__(self, source: TextIO) -> None:
        self._source = source
        self.size = os.fstat(source.fileno()).st_size or None  # a pipe's is not known
        self.read = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._source:
            self.read += len(line)
            yield line


def _tell(done: Imported, dry_run: bool) -> None:
    for fault in done.faults[:SHOWN]:
        say.line(f"line {fault.line}: {fault.sentence}")
    if len(done.faults) > SHOWN:
        say.line(f"… and {len(done.faults) - SHOWN} more; --json lists all.")
    if dry_run:
        say.line(f"{done.rows:,} rows read, {len(done.faults):,} of them wrong. Nothing was written.")
        return
    newer = f", {done.newer:,} left as they are: the recipient said otherwise later" if done.newer else ""
    say.line(
        f"{done.rows:,} rows: {done.changed:,} written, {done.unchanged:,} were there already{newer}, "
        f"{len(done.faults):,} wrong."
    )


@app.command
def export(
    file: Path = Path("-"),
    /,
    *,
    site: str = "",
    scope: str = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Write all opt-outs as CSV, which `import` reads, to FILE (readable by its owner alone) or standard output.

    Parameters
    ----------
    site
        This site's only.
    scope
        Of this scope only.
    """
    settings = given.settings(config, flags)
    if file == STANDARD:
        asyncio.run(_export(settings, sys.stdout, site, scope))
        return
    try:
        to = os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline="")
    except FileExistsError:
        raise SetupError(
            f"{file} is there already and was left as it is. Name a new file.", code="path_taken"
        ) from None
    except OSError as error:
        raise SetupError(f"{file} cannot be written: {error.strerror}.", code="file") from None
    with to:
        rows = asyncio.run(_export(settings, to, site, scope))
    if json:
        say.data({"file": str(file), "rows": rows})
    else:
        say.line(f"{file} holds {rows:,} opt-out{'' if rows == 1 else 's'}.")


async def _export(settings: Settings, to: TextIO, site: str, scope: str) -> int:
    from heliograph.flow.opt_outs import COLUMNS, all_of

    rows = 0
    write = csv.DictWriter(to, COLUMNS, lineterminator="\n")
    write.writeheader()
    async with given.store(settings) as store:
        async for page in all_of(store, site=site, scope=scope):
            write.writerows({name: _cell(name, text) for name, text in _plain(row).items()} for row in page)
            rows += len(page)
    return rows


def _cell(name: str, text: str) -> str:
    """A name that a spreadsheet would run as a formula gets the apostrophe that makes it text there. A number begins
    with its plus and has digits alone."""
    return f"'{text}" if name != "recipient" and text[:1] in tuple("=+-@") else text
