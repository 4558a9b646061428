"""`heliograph settings`: every setting in force and where its value comes from. Secrets are `set` or `not set`."""

from __future__ import annotations

import os

import msgspec
from rich.text import Text

from heliograph import settings as table
from heliograph.cli import given, say


def settings(*, config: given.Config = None, json: given.Json = False, **flags: given.Flags) -> None:
    """List every setting: its value, where that comes from, and what it does."""
    named = given.names(flags)
    file, name = given.file_of(config)
    in_force = table.load(file, os.environ, named, file_name=name)
    sources = table.origins(file, os.environ, named, file_name=name)
    values = table.shown(in_force)
    if json:
        say.data(
            [
                {
                    "name": row.name,
                    "value": values[row.name],
                    "source": sources[row.name],
                    "variable": row.variable,
                    "help": row.help,
                }
                for row in table.TABLE
            ]
        )
        return
    say.table(
        ("setting", "from", "value, and what it does"),
        [
            (row.name, sources[row.name], Text.assemble(_text(values[row.name]) or "–", "\n", (row.help, "dim")))
            for row in table.TABLE
        ],
        empty="",
    )
    say.line(f"In the environment a setting is written {table.PREFIX}NAME, on the command line --name.")


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else msgspec.json.encode(value).decode()
