"""`heliograph db`: the database's schema and a backup while the server runs."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from heliograph.cli import given, say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.settings import Settings

app = App(name="db", help="The database: its schema's version, and a backup.", help_format="plaintext")


@app.command
def migrate(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """Bring the schema to this version. Safe to repeat; two at once wait for each other."""
    settings = given.settings(config, flags)
    before, after = asyncio.run(_migrate(settings))
    if json:
        say.data({"before": before, "after": after})
    elif before == after:
        say.line(f"The schema is version {after}; there was nothing to do.")
    else:
        say.line(f"The schema is version {after} now (it was {before or 'not there'}).")


async def _migrate(settings: Settings) -> tuple[str, str]:
    import heliograph.store

    before = (await heliograph.store.status(settings.database_url)).current
    await heliograph.store.migrate(settings.database_url)
    return before, (await heliograph.store.status(settings.database_url)).current


@app.command
def status(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> int:
    """Say which version the schema has and which this program needs. Exit code 1 if they differ."""
    import heliograph.store

    found = asyncio.run(heliograph.store.status(given.settings(config, flags).database_url))
    if json:
        say.data({"engine": found.engine, "current": found.current, "wanted": found.wanted})
    elif found.up_to_date:
        say.line(f"{found.engine}: the schema is version {found.current}, as this program needs it.")
    else:
        say.line(
            f"{found.engine}: the schema is {found.current or 'not there yet'}, this program needs {found.wanted}. "
            "Run `heliograph db migrate`."
        )
    return 0 if found.up_to_date else 1


@app.command
def backup(path: Path, /, *, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """Write a consistent copy of an embedded database to PATH while the server runs.

    The secret key is not in it: keep that apart.
    """
    if path.exists():
        raise SetupError(f"{path} is there already; a backup overwrites nothing. Name a new file.", code="path_taken")
    asyncio.run(_backup(given.settings(config, flags), path))
    size = path.stat().st_size
    if json:
        say.data({"path": str(path), "bytes": size})
    else:
        say.line(f"{path} holds the backup ({size:,} bytes).")


async def _backup(settings: Settings, path: Path) -> None:
    bar = Progress(
        TextColumn("backup"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"), TimeRemainingColumn(),
        console=say.console(errors=True), transient=True,
    )  # fmt: skip
    async with given.store(settings) as store:
        with bar:
            task = bar.add_task("backup", total=None)
            await store.backup(str(path), lambda done, total: bar.update(task, completed=done, total=total))
