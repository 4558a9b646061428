"""Users of the console: added, disabled, enabled, given other roles or passwords. Each change is one transaction with
its line in the audit log.

    made = await users.create(store, "ann", Role.AGENT, password, clock=SystemClock(), by="root", sites=("25508804",))

is all that a program needs to let somebody in (the demo does it so); the password is one of `users.new_password()` or
what a person typed.
"""

from __future__ import annotations

import secrets
from typing import Any

import msgspec

from heliograph.core.ports import Clock, Store
from heliograph.core.user import Audited, Role, User, UserFault, Way, check_password, read_name
from heliograph.errors import SetupError
from heliograph.flow.passwords import hashed

_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"  # none that is read for another one


def new_password() -> str:
    """Four groups of five signs, 100 bits: nobody guesses it, and it can be read out."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(5)) for _ in range(4))


def audited(clock: Clock, *, who: str, way: Way, what: str, on: str = "", site: str = "", detail: str = "") -> Audited:
    """A line of the audit log, now."""
    return Audited(id=clock.new_id(), at=clock.now(), who=who, way=way, what=what, on=on, site=site, detail=detail)


async def create(
    store: Store,
    name: str,
    role: Role,
    password: str,
    *,
    clock: Clock,
    by: str,
    way: Way = Way.CLI,
    sites: tuple[str, ...] = (),
    skills: tuple[str, ...] = (),
) -> User:
    """A new user who can log in at once. `sites`, `skills`: those that he sees, empty = all. `by`: who does it, for the
    audit log. Raises SetupError: a name or password that does not serve, a site that is not there, a name that is
    taken."""
    name = _fit(name, password)
    await _known(store, sites)
    now = clock.now()
    user = User(
        name=name, role=role, sites=sites, skills=skills, password=await hashed(password), created=now, changed=now
    )
    line = audited(clock, who=by, way=way, what="user.added", on=name, detail=rights(user))
    if not await store.put_user(user, line, expects=None):
        raise SetupError(
            f"There is a user {name} already. `heliograph users passwd {name}` gives another password, "
            f"`heliograph users roles {name}` other rights.",
            code="user_taken",
        )
    return user


async def find(store: Store, name: str) -> User:
    """Raises SetupError where there is none."""
    found = await store.user(name.strip().casefold())
    if found is None:
        raise SetupError(f"There is no user {name}. `heliograph users list` shows them all.", code="unknown_user")
    return found


async def disable(store: Store, name: str, *, clock: Clock, by: str, way: Way = Way.CLI) -> User:
    """From this moment on the user is logged out everywhere and cannot log in."""
    return await _change(store, name, "user.disabled", clock, by, way, ends=True, disabled=clock.now())


async def enable(store: Store, name: str, *, clock: Clock, by: str, way: Way = Way.CLI) -> User:
    return await _change(store, name, "user.enabled", clock, by, way, disabled=None)


async def set_rights(
    store: Store,
    name: str,
    *,
    role: Role | None,
    sites: tuple[str, ...] | None,
    skills: tuple[str, ...] | None,
    clock: Clock,
    by: str,
    way: Way = Way.CLI,
) -> User:
    """Other rights, in force with the user's next click; None leaves one as it is."""
    if sites is not None:
        await _known(store, sites)
    given: dict[str, Any] = {"role": role, "sites": sites, "skills": skills}
    return await _change(
        store, name, "user.changed", clock, by, way, **{name: one for name, one in given.items() if one is not None}
    )


async def set_password(
    store: Store, name: str, password: str, *, clock: Clock, by: str, way: Way = Way.CLI, but: str = ""
) -> User:
    """Another password; the user's sessions end, but for the one with the digest `but`."""
    user = await find(store, name)
    _fit(user.name, password)
    made = await hashed(password)
    return await _change(
        store, name, "password.changed", clock, by, way, ends=True, but=but, password=made, changed=clock.now()
    )


def rights(user: User) -> str:
    """In words, for the audit log."""
    sites = ", ".join(user.sites) or "all"
    skills = ", ".join(user.skills) or "all"
    return f"{user.role.value}; sites: {sites}; skills: {skills}"


async def _change(
    store: Store,
    name: str,
    what: str,
    clock: Clock,
    by: str,
    way: Way,
    *,
    ends: bool = False,
    but: str = "",
    **fields: Any,
) -> User:
    """Written anew on what somebody else wrote meanwhile, so that neither change is lost."""
    while True:
        old = await find(store, name)
        new = msgspec.structs.replace(old, **fields)
        detail = rights(new) if what == "user.changed" else ""
        line = audited(clock, who=by, way=way, what=what, on=old.name, detail=detail)
        if await store.put_user(new, line, expects=old, ends=ends, but=but):
            return new


def _fit(name: str, password: str) -> str:
    try:
        name = read_name(name)
        check_password(password, name)
    except UserFault as fault:
        raise SetupError(str(fault), code="user") from None
    return name


async def _known(store: Store, sites: tuple[str, ...]) -> None:
    there = {one.id for one in (await store.changes(0)).sites} if sites else set()
    for site in sites:
        if site not in there:
            known = ", ".join(sorted(there)) or "none yet"
            raise SetupError(f"There is no site {site} (known sites: {known}).", code="unknown_site")
