"""A database's address: `sqlite:///relative.db`, `sqlite:////absolute.db`, `postgresql://user@host/name`."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import msgspec

from heliograph.errors import SetupError

HOW = "Write sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host/name."


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """`path` for sqlite (as written, relative to the working directory), `dsn` for postgresql (holds a password:
    never shown)."""

    engine: str
    path: str = ""
    dsn: str = ""


def read(url: str) -> Address:
    """The address in `url`; SetupError if it is none. The url itself is not repeated: it may hold a password."""
    scheme, found, rest = url.partition("://")
    if not found:
        raise SetupError(f"HELIOGRAPH_DATABASE_URL has no scheme. {HOW}", code="database_url")
    if scheme == "sqlite":
        if not rest.startswith("/") or len(rest) < 2:
            raise SetupError(f"HELIOGRAPH_DATABASE_URL names no file. {HOW}", code="database_url")
        return Address(engine="sqlite", path=unquote(rest[1:]))
    if scheme in ("postgresql", "postgres"):
        parts = urlsplit(url)
        if parts.path in ("", "/"):
            raise SetupError(f"HELIOGRAPH_DATABASE_URL names no database. {HOW}", code="database_url")
        return Address(engine="postgresql", dsn=url)
    raise SetupError(f"HELIOGRAPH_DATABASE_URL begins with {scheme}://, which is no engine. {HOW}", code="database_url")
