"""`heliograph keys`: the API keys of sites, and fresh secret keys."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from heliograph.cli import given, keys_made, say
from heliograph.core.site import USUAL_SCOPES
from heliograph.errors import SetupError

if TYPE_CHECKING:
    from heliograph.core.site import Key
    from heliograph.settings import Settings

app = App(name="keys", help="The API keys of sites: create, list, disable, enable, rotate.", help_format="plaintext")


app.command(keys_made.create)
app.command(keys_made.rotate)


@app.command(name="list")
def list_(*, site: str = "", json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List the keys of all sites, or of one. Secrets are never shown, of a bearer key its last four characters.

    Parameters
    ----------
    site
        This site's keys only.
    """
    keys = asyncio.run(_list(given.settings(config, flags), site))
    now = given.now()
    if json:
        shown = ("site", "consumer_key", "token", "kind", "last_four", "note", "created", "disabled", "expires")
        say.data(
            [
                {
                    "state": _state(key, now),
                    "auth": _auth(key),
                    "scopes": key.scopes or USUAL_SCOPES,
                    **{name: getattr(key, name) for name in shown},
                }
                for key in keys
            ]
        )
        return
    say.table(
        ("site", "=key", "kind", "may", "state", "made", "ends (UTC)", "note"),
        [
            (
                key.site,
                f"{key.consumer_key}…{key.last_four}" if key.digest else key.consumer_key,
                key.kind.value,
                "\n".join(key.scopes or USUAL_SCOPES),
                say.state(_state(key, now)),
                say.when(key.created)[:10],
                say.when(key.expires)[:16],
                key.note,
            )
            for key in keys
        ],
        empty="No keys yet. `heliograph keys create SITE` makes one.",
    )


async def _list(settings: Settings, site: str) -> list[Key]:
    async with given.store(settings) as store:
        return [key for key in (await store.changes(0)).keys if site in ("", key.site)]


def _auth(key: Key) -> str:
    return "bearer" if key.digest else "oauth1"


def _state(key: Key, now: int) -> str:
    if key.disabled is not None:
        return "disabled"
    if key.expires is None:
        return "valid"
    return "ended" if key.expires <= now else "ending"


@app.command
def disable(
    consumer_key: str, /, *, json: given.Json = False, config: given.Config = None, **flags: given.Flags
) -> None:
    """Refuse calls with this key from now on; a running server does so within a second."""
    asyncio.run(_switch(given.settings(config, flags), consumer_key, on=False))
    _told(consumer_key, "disabled", json)


@app.command
def enable(
    consumer_key: str, /, *, json: given.Json = False, config: given.Config = None, **flags: given.Flags
) -> None:
    """Take calls with this key again: takes back a disabling and an end date."""
    asyncio.run(_switch(given.settings(config, flags), consumer_key, on=True))
    _told(consumer_key, "valid", json)


async def _switch(settings: Settings, consumer_key: str, *, on: bool) -> None:
    from heliograph.flow import keys

    async with given.store(settings) as store:
        if on:
            await keys.enable(store, consumer_key)
        else:
            await keys.disable(store, consumer_key, now=given.now())


def _told(consumer_key: str, state: str, json: bool) -> None:
    if json:
        say.data({"consumer_key": consumer_key, "state": state})
    else:
        say.line(f"{consumer_key} is {state}.")


@app.command
def secret(*, file: Path | None = None, json: given.Json = False) -> None:
    """Print a fresh secret key for HELIOGRAPH_SECRET_KEY (256 random bits).

    To rotate: set "new,old", restart, run `heliograph keys reseal`, set "new".

    Parameters
    ----------
    file
        Write it there (0600) instead of printing it.
    """
    from heliograph.firstrun import write_new
    from heliograph.seal import new_secret_key

    key = new_secret_key()
    if file is not None and not write_new(file, key):
        raise SetupError(f"{file} is there already and was left as it is. Name a new file.", code="path_taken")
    if json:
        say.data({"file": str(file)} if file else {"secret_key": key})
    elif file is None:
        say.line(key)
    else:
        say.line(f"{file} holds the new key.")


@app.command
def reseal(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """Seal every secret in the database with the newest secret key, so that the former one may be dropped."""
    written = asyncio.run(_reseal(given.settings(config, flags)))
    if json:
        say.data({"resealed": written})
    else:
        say.line(
            f"{written} document{'' if written == 1 else 's'} sealed afresh. Only the newest secret key is needed."
        )


async def _reseal(settings: Settings) -> int:
    from heliograph.flow import erase, manage

    seals = given.sealer(settings)
    async with given.store(settings) as store:
        return await manage.reseal(store, seals) + await erase.reseal(store, seals)
