"""One server per SQLite file: the writer, the leases and the limits of an embedded installation live in one process."""

from __future__ import annotations

import fcntl
import os
from urllib.parse import unquote

from heliograph.errors import SetupError


class FileLock:
    """An advisory lock beside the database; the system frees it when the process dies, however it dies."""

    def __init__(self, database_url: str) -> None:
        # The real path: two names of one file are one database.
        self._path = os.path.realpath(unquote(database_url.removeprefix("sqlite:///"))) + ".lock"
        self._handle: int | None = None

    def take(self) -> None:
        """Raises SetupError where another server has the file."""
        os.makedirs(os.path.dirname(self._path), exist_ok=True)
        handle = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise SetupError(
                f"Another heliograph serves this database ({self._path} is locked). Stop it, or give this one another "
                "HELIOGRAPH_DATABASE_URL; several nodes need PostgreSQL.",
                code="database_in_use",
            ) from None
        self._handle = handle

    async def free(self) -> None:
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
