"""What commands are given: `--json`, `--config`, any setting as a flag; from them settings, store and sealer."""

from __future__ import annotations

import getpass
import os
import time
import tomllib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

from cyclopts import Parameter

from heliograph import settings as table
from heliograph.cli import say
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.ports import DeskPlug, Plug, Store
    from heliograph.core.site import Site
    from heliograph.seal import Sealer

Json = Annotated[bool, Parameter(name="--json", negative="", show_default=False, help="Print JSON for programs.")]
Config = Annotated[
    Path | None,
    Parameter(help="The settings file; heliograph.toml in this folder if there is one.", show_default=False),
]
Flags = Annotated[str, Parameter(show=False)]  # any setting: --database-url, --port …
By = Annotated[
    str, Parameter(show_default=False, help="Who does it, for the record; this account's name if not given.")
]
Switch = Parameter(negative="", show_default=False)
Many = Parameter(negative="", show_default=False, consume_multiple=False)  # may be repeated


def operator(by: str) -> str:
    """Whose name stands in the record: `--by`, else the account's that runs the command."""
    try:
        return by.strip() or getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        raise say.NotUnderstood("This account has no name; say who does it with --by NAME.") from None


def site_known(site: str, there: Iterable[Site]) -> None:
    """Raises NotUnderstood where `site` is none of those that are `there`."""
    known = sorted(one.id for one in there)
    if site not in known:
        raise say.NotUnderstood(f"There is no site {site}. There is: {', '.join(known) or 'none yet'}.")


def now() -> int:
    return time.time_ns() // 1_000_000


def file_of(config: Path | None) -> tuple[Mapping[str, Any], str]:
    """The settings file's content and its name. No file is no fault unless one was named."""
    named = config or (Path(os.environ[table.FILE_VARIABLE]) if os.environ.get(table.FILE_VARIABLE) else None)
    path = named or Path(table.FILE)
    try:
        return tomllib.loads(path.read_text("utf-8")), str(path)
    except FileNotFoundError:
        if named:
            raise SetupError(f"The settings file {path} is not there. Correct --config.", code="settings") from None
        return {}, str(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}.", code="settings") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} is not TOML: {error}. Mend that line.", code="settings") from None


def text(path: Path, option: str) -> bytes:
    """A file that an option names. Raises SetupError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}. Correct {option}.", code="no_file") from None


def names(flags: Mapping[str, str]) -> dict[str, str]:
    """Flags by their settings' names. Raises NotUnderstood for one that is none."""
    known = {row.name: row for row in table.TABLE}
    out = {}
    for flag, value in flags.items():
        name = flag.replace("-", "_")
        if name not in known:
            hint = table.close(f"--{flag}", [row.flag for row in table.TABLE])
            raise say.NotUnderstood(f"There is no option --{flag}.{hint} Add --help to the command to see its options.")
        out[name] = value
    return out


def settings(config: Path | None, flags: Mapping[str, str]) -> table.Settings:
    """The settings in force: file < environment < flags."""
    named = names(flags)
    file, name = file_of(config)
    return table.load(file, os.environ, named, file_name=name)


def database_file(url: str) -> str:
    """The file of `sqlite:///…`."""
    return unquote(url.removeprefix("sqlite:///"))


@asynccontextmanager
async def store(settings: table.Settings, *, write: bool = False) -> AsyncIterator[Store]:
    """The store, opened for one command. `write` brings an embedded database to this version's schema, so that
    `heliograph apply` may be the first command; a shared one is migrated by `heliograph db migrate` alone."""
    import heliograph.store

    if settings.embedded and not write and not Path(file := database_file(settings.database_url)).exists():
        raise SetupError(
            f"There is no database {file}. Name the server's with --database-url or HELIOGRAPH_DATABASE_URL; "
            "`heliograph apply` makes a new one.",
            code="no_database",
        )
    opened = await heliograph.store.open(settings.database_url, migrate=write and settings.embedded)
    try:
        yield opened
    finally:
        await opened.close()


def desks() -> dict[str, DeskPlug]:
    """The desks that are installed, by name."""
    from heliograph import plugs as found

    return found.desks()


def plugs() -> dict[tuple[str, str], Plug]:
    """Every provider's module by (channel, provider)."""
    import heliograph.plugs

    channels = heliograph.plugs.channels().values()
    return {(channel.name, name): plug for channel in channels for name, plug in channel.providers.items()}


def sealer(settings: table.Settings, *, make: bool = False) -> Sealer:
    """Seals and opens with the secret key in force; `make` it where an embedded installation has none yet."""
    from heliograph.firstrun import secret_key_for
    from heliograph.seal import Sealer

    text = secret_key_for(settings, say.note, make=make)
    return Sealer(table.parts(text))


async def sealer_of(store: Store, settings: table.Settings) -> Sealer:
    """The sealer that this database's secrets were sealed with; a new key is made only where none is sealed yet.

    A server may have HELIOGRAPH_SECRET_KEY in its own environment and this shell not: what we sealed with another key
    it could never open. Raises SetupError then.
    """
    from heliograph.flow import erase
    from heliograph.flow.manage import sealed

    there = [one for one in (await store.secret(erase.KEY), *sealed(await store.changes(0))) if one]
    found = sealer(settings, make=not there)
    if there:
        found.open(there[-1])
    return found


async def find_erased(store: Store, settings: table.Settings) -> None:
    """Lets the store know erased people by their numbers, where there are any: a command that only writes an opt-out
    needs no secret key else."""
    from heliograph.flow import erase

    if await store.opt_outs(erased=True, limit=1):
        await erase.open_key(store, sealer(settings))
