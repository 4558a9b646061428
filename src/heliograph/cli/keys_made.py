"""`heliograph keys create` and `rotate`: a new key, shown once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import msgspec
from cyclopts import Parameter

from heliograph.cli import given, say
from heliograph.core.site import Kind, Scope
from heliograph.settings import close

if TYPE_CHECKING:
    from heliograph.flow.keys import Bearer, FourParts
    from heliograph.settings import Settings


def create(
    site: str,
    /,
    *,
    bearer: Annotated[bool, given.Switch] = False,
    kind: Kind = Kind.LIVE,
    scope: Annotated[tuple[str, ...], Parameter(negative="", show_default=False)] = (),
    days: float | None = None,
    token: bool = True,
    note: str = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Make a key for SITE and print it. What is secret of it is shown this once.

    Parameters
    ----------
    bearer
        A bearer key for /v1, one word; else the four parts with which calls are signed by OAuth 1.0a, for every API.
    kind
        live reaches anybody; test the sandbox alone, never a real provider; team the site's own people ([team] in its
        file).
    scope
        What it may do, once for each: alerts:send, alerts:read, explain, capabilities:read, opt-outs:write,
        conversations:read, conversations:write, admin
        (everything). Without one the first three.
    days
        It ends after so many; without, never.
    token
        Without one (--no-token) an OAuth key has two parts, for callers that sign with consumer key and secret alone.
    note
        What the key is for, shown in the list.
    """
    if days is not None and days <= 0:
        raise say.NotUnderstood(f"--days is {days:g}; more than 0 is needed.")
    wish = _Wish(bearer=bearer, kind=kind, scopes=_scopes(scope), days=days, token=token, note=note)
    _print(site, asyncio.run(_create(given.settings(config, flags), site, wish)), json)


def _scopes(named: tuple[str, ...]) -> tuple[Scope, ...]:
    known = [one.value for one in Scope]
    for name in named:
        if name not in known:
            hint = close(name, known)
            raise say.NotUnderstood(f"--scope {name} is not a scope.{hint} There is: {', '.join(known)}.")
    return tuple(Scope(name) for name in dict.fromkeys(named))


class _Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The key that is to be made."""

    bearer: bool
    kind: Kind
    scopes: tuple[Scope, ...]
    days: float | None
    token: bool
    note: str


async def _create(settings: Settings, site: str, wish: _Wish) -> FourParts | Bearer:
    from heliograph.flow import keys

    now = given.now()
    ends = None if wish.days is None else now + int(wish.days * 86_400_000)
    async with given.store(settings, write=True) as store:
        if wish.bearer:
            return await keys.create_bearer(
                store, site, now=now, note=wish.note, kind=wish.kind, scopes=wish.scopes, expires=ends
            )
        seals = await given.sealer_of(store, settings)
        parts = keys.make(token=wish.token)
        return await keys.create(
            store, seals, site, now=now, note=wish.note, parts=parts, kind=wish.kind, scopes=wish.scopes, expires=ends
        )


def _print(site: str, made: FourParts | Bearer, json: bool) -> None:
    facts: dict[str, str] = msgspec.to_builtins(made)
    if json:
        say.data({"site": site, **facts})
        return
    for name, value in facts.items():
        if value:  # a key may have two parts alone
            say.line(f"{name:<16} {value}")
    what = "bearer key is" if "bearer" in facts else "two secrets are"
    say.note(f"Keep this now: the {what} not shown again. A running server takes the key within a second.")


def rotate(
    consumer_key: str,
    /,
    *,
    days: float = 7.0,
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Make a new key beside this one. Both are valid until the old one's end, so that callers change in their time.

    Parameters
    ----------
    days
        How long the old key stays valid.
    """
    if days < 0:
        raise say.NotUnderstood(f"--days is {days:g}; 0 or more is needed (0 ends the old key now).")
    site, parts, end = asyncio.run(_rotate(given.settings(config, flags), consumer_key, int(days * 86_400_000)))
    if json:
        say.data({"site": site, **msgspec.to_builtins(parts), "old_key": consumer_key, "old_key_ends": end})
        return
    _print(site, parts, json)
    say.note(f"The old key {consumer_key} is valid until {say.when(end)} UTC.")


async def _rotate(settings: Settings, consumer_key: str, both_for: int) -> tuple[str, FourParts | Bearer, int]:
    from heliograph.flow import keys

    async with given.store(settings) as store:
        seals = await given.sealer_of(store, settings)
        site = (await keys.find(store, consumer_key))[0].site
        parts, end = await keys.rotate(store, seals, consumer_key, now=given.now(), both_for=both_for)
        return site, parts, end
