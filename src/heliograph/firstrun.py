"""The secret key of an embedded installation: made on first start, kept in a 0600 file beside the database."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from heliograph.errors import SetupError
from heliograph.seal import new_secret_key
from heliograph.settings import Settings


def key_file(settings: Settings) -> Path:
    """Where an embedded installation keeps its secret key: `heliograph.db` → `heliograph.db.secret-key`."""
    path = unquote(settings.database_url.removeprefix("sqlite:///"))
    return Path(path + ".secret-key")


def secret_key_for(settings: Settings, warn: Callable[[str], None], *, make: bool = True) -> str:
    """The secret key in force (several, comma separated, newest first): the setting, else the file beside the SQLite
    database, else a new one that is written there and told through `warn`.

    Raises SetupError where there is none and none may be made: with PostgreSQL, since every node needs the same one,
    or with `make=False`.
    """
    if settings.secret_key:
        return settings.secret_key
    if not settings.embedded:
        raise SetupError(
            "HELIOGRAPH_SECRET_KEY is not set. With PostgreSQL every node needs the same one: make it once with "
            "`heliograph keys secret` and set it on all of them.",
            code="no_secret_key",
        )
    path = key_file(settings)
    try:
        kept = path.read_text("utf-8").strip()
    except FileNotFoundError:
        if not make:
            raise SetupError(
                f"There is no secret key: HELIOGRAPH_SECRET_KEY is not set and {path} is not there. Set the key that "
                "this database was made with, or start once with `heliograph serve` to make one.",
                code="no_secret_key",
            ) from None
        return _make(path, warn)
    except OSError as error:
        raise SetupError(
            f"The secret key in {path} cannot be read: {error.strerror}. Let this user read it.", code="secret_key_file"
        ) from None
    if not kept:
        raise SetupError(f"{path} is empty. Put the secret key back from a backup.", code="secret_key_file")
    return kept


def write_new(path: Path, text: str) -> bool:
    """Write `text` and a line's end to a new 0600 file. False where `path` is there already: it is left as it is.

    Written whole under another name, then linked (a link never overwrites): of two first starts at once both get the
    same key, and no crash leaves an empty file. Raises SetupError where it cannot be written.
    """
    # Not the process's number: two containers that share a folder have the same one.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, text.encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise SetupError(
            f"The secret key cannot be written to {path}: {error.strerror}. Make the folder writable, or set "
            "HELIOGRAPH_SECRET_KEY.",
            code="secret_key_file",
        ) from None
    return True


def _make(path: Path, warn: Callable[[str], None]) -> str:
    key = new_secret_key()
    if not write_new(path, key):
        return path.read_text("utf-8").strip()  # another process was first
    warn(
        f"HELIOGRAPH_SECRET_KEY is not set: a secret key was made and kept in {path} (0600). Back it up apart from the "
        "database; without it no sealed secret can be opened."
    )
    return key
