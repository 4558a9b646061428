"""`heliograph apply PATH`: sites, senders and templates from their files, and what that changed."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.text import Text

from heliograph.cli import given, say

if TYPE_CHECKING:
    from heliograph.flow.manage import Change
    from heliograph.settings import Settings


def apply(
    path: Path,
    /,
    *,
    dry_run: Annotated[bool, given.Switch] = False,
    prune: Annotated[bool, given.Switch] = False,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Bring sites, senders and templates to what their files say; a running server sees it within a second.

    It says what changed and may be repeated. One fault in any file, and nothing is written.

    Parameters
    ----------
    path
        A site's folder (site.toml, templates/), a folder of such folders, or one file.
    dry_run
        Say what would change, and write nothing.
    prune
        Remove senders and template versions of these sites that no file names any more.
    """
    changes = asyncio.run(_apply(path, given.settings(config, flags), dry_run, prune))
    if json:
        say.data({"dry_run": dry_run, "changes": changes})
        return
    _tell(changes, path, dry_run)


async def _apply(path: Path, settings: Settings, dry_run: bool, prune: bool) -> list[Change]:
    import heliograph.store
    from heliograph import sitefiles
    from heliograph.flow import manage
    from heliograph.seal import Sealer, new_secret_key

    wanted = sitefiles.read(path, os.environ, given.plugs(), given.desks())
    for warning in wanted.notes:
        say.note(warning)
    if dry_run and not (await heliograph.store.status(settings.database_url)).current:
        # There is no database yet, and a dry run makes none, nor the secret key that goes with it.
        return await manage.apply(wanted, None, Sealer([new_secret_key()]), dry_run=True)
    async with given.store(settings, write=not dry_run) as store:
        seals = await given.sealer_of(store, settings)
        return await manage.apply(wanted, store, seals, dry_run=dry_run, prune=prune)


def _tell(changes: list[Change], path: Path, dry_run: bool) -> None:
    say.table(
        ("site", "what", "name", "change", "fields"),
        [
            (change.site, change.kind, change.name, say.state(change.what), Text(", ".join(_short(change.fields))))
            for change in changes
        ],
        empty=f"{path} asks for nothing: it has no site, sender or template.",
    )
    from heliograph.flow.manage import What

    counts = Counter(change.what for change in changes)
    say.line(("Would be: " if dry_run else "") + ", ".join(f"{count} {what}" for what, count in counts.items()) + ".")
    if counts[What.KEPT]:
        say.line("Kept: no file names them any more. --prune removes them.")


def _short(fields: tuple[str, ...]) -> list[str]:
    return [*fields[:4], f"{len(fields) - 4} more"] if len(fields) > 5 else list(fields)
