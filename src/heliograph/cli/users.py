"""`heliograph users`: who may use the console. Every change is in the audit log, with the account that ran it."""

from __future__ import annotations

import asyncio
import getpass
import sys
from typing import TYPE_CHECKING, Annotated, TypeVar

from cyclopts import App, Parameter

from heliograph.cli import given, say
from heliograph.core.user import Role

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from heliograph.core.ports import Store
    from heliograph.core.user import User
    from heliograph.settings import Settings

app = App(
    name="users", help="Who may use the console: add, list, disable, enable, passwd, roles.", help_format="plaintext"
)
T = TypeVar("T")
Standard = Annotated[bool, Parameter(name="--password-stdin", negative="", show_default=False)]


@app.command
def add(
    name: str,
    /,
    *,
    role: Role,
    site: Annotated[tuple[str, ...], given.Many] = (),
    skill: Annotated[tuple[str, ...], given.Many] = (),
    password_stdin: Standard = False,
    generate: Annotated[bool, given.Switch] = False,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Let somebody into the console under NAME. The password is asked for twice, unless it is given or made here.

    Parameters
    ----------
    role
        viewer reads; agent answers in the inbox and writes opt-outs down; author works on templates; admin does all.
    site
        A site that the user sees, once for each; without one every site, those to come too.
    skill
        A skill whose conversations the user sees, once for each; without one every skill.
    password_stdin
        Read the password from standard input, one line.
    generate
        Make a password and print it, this once.
    """
    settings = given.settings(config, flags)
    password, made = _password(name, password_stdin, generate)

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        who = given.operator(by)
        return await users.create(store, name, role, password, clock=SystemClock(), by=who, sites=site, skills=skill)

    user = _with_store(settings, work)
    if json:
        say.data({**_plain(user), **({"password": password} if made else {})})
        return
    say.line(f"{user.name} may log in at /console as {user.role.value}{_where(user)}.")
    if made:
        say.line(f"password  {password}")
        say.note("the password is not shown again")


@app.command(name="list")
def list_(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List everybody who may use the console, with roles, sites and skills. Passwords are never shown."""
    found = _with_store(given.settings(config, flags), lambda store: store.users())
    if json:
        say.data([_plain(user) for user in found])
        return
    say.table(
        ("=name", "role", "sites", "skills", "state", "added", "password set"),
        [
            (
                user.name,
                user.role.value,
                "\n".join(user.sites) or "all",
                "\n".join(user.skills) or "all",
                say.state("valid" if user.disabled is None else "disabled"),
                say.when(user.created)[:10],
                say.when(user.changed)[:10],
            )
            for user in found
        ],
        empty="No users yet. `heliograph users add NAME --role admin` makes one.",
    )


@app.command
def disable(
    name: str,
    /,
    *,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Log NAME out everywhere, at once, and take no log-in more. What he did stays in the audit log."""

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        return await users.disable(store, name, clock=SystemClock(), by=given.operator(by))

    _told(_with_store(given.settings(config, flags), work), "is disabled and logged out everywhere", json)


@app.command
def enable(
    name: str,
    /,
    *,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Let NAME log in again, with the password from before."""

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        return await users.enable(store, name, clock=SystemClock(), by=given.operator(by))

    _told(_with_store(given.settings(config, flags), work), "may log in again", json)


@app.command
def passwd(
    name: str,
    /,
    *,
    password_stdin: Standard = False,
    generate: Annotated[bool, given.Switch] = False,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Give NAME another password. He is logged out everywhere.

    Parameters
    ----------
    password_stdin
        Read the password from standard input, one line.
    generate
        Make a password and print it, this once.
    """
    settings = given.settings(config, flags)
    password, made = _password(name, password_stdin, generate)

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        return await users.set_password(store, name, password, clock=SystemClock(), by=given.operator(by))

    user = _with_store(settings, work)
    if json:
        say.data({**_plain(user), **({"password": password} if made else {})})
        return
    say.line(f"{user.name} has another password and is logged out everywhere.")
    if made:
        say.line(f"password  {password}")
        say.note("the password is not shown again")


@app.command
def roles(
    name: str,
    /,
    *,
    role: Role | None = None,
    site: Annotated[tuple[str, ...], given.Many] = (),
    all_sites: Annotated[bool, given.Switch] = False,
    skill: Annotated[tuple[str, ...], given.Many] = (),
    all_skills: Annotated[bool, given.Switch] = False,
    by: given.By = "",
    json: given.Json = False,
    config: given.Config = None,
    **flags: given.Flags,
) -> None:
    """Give NAME another role, other sites or skills; what is not named stays. In force with the user's next click.

    Parameters
    ----------
    role
        viewer, agent, author or admin.
    site
        A site that the user sees, once for each; they take the place of those before.
    all_sites
        Every site, those to come too.
    skill
        A skill whose conversations the user sees, once for each; they take the place of those before.
    all_skills
        Every skill.
    """
    if not (role or site or all_sites or skill or all_skills):
        raise say.NotUnderstood("Nothing is named to be changed. Name a --role, a --site, a --skill, or --all-sites.")
    if (site and all_sites) or (skill and all_skills):
        raise say.NotUnderstood("Some and all are named at once. Name one of the two.")

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        return await users.set_rights(
            store,
            name,
            role=role,
            sites=site if site or all_sites else None,
            skills=skill if skill or all_skills else None,
            clock=SystemClock(),
            by=given.operator(by),
        )

    user = _with_store(given.settings(config, flags), work)
    _told(user, f"is {user.role.value}{_where(user)}", json)


def _with_store(settings: Settings, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with given.store(settings) as store:
            return await work(store)

    return asyncio.run(run())


def _password(name: str, standard: bool, generate: bool) -> tuple[str, bool]:
    """The password, and whether it was made here."""
    if standard and generate:
        raise say.NotUnderstood("--password-stdin and --generate exclude each other. Name one of the two.")
    if generate:
        from heliograph.flow.users import new_password

        return new_password(), True
    if standard:
        return sys.stdin.readline().rstrip("\r\n"), False
    if not sys.stdin.isatty():
        raise say.NotUnderstood(
            "There is no terminal to ask for the password. Give it with --password-stdin, or have one made with "
            "--generate."
        )
    first = getpass.getpass(f"Password of {say.clean(name)}: ")
    if first != getpass.getpass("Once more: "):
        raise say.NotUnderstood("The password was not typed twice the same. Nothing was changed.")
    return first, False


def _where(user: User) -> str:
    sites = f" of {', '.join(user.sites)}" if user.sites else ""
    skills = f", for {', '.join(user.skills)}" if user.skills else ""
    return sites + skills


def _told(user: User, sentence: str, json: bool) -> None:
    if json:
        say.data(_plain(user))
    else:
        say.line(f"{user.name} {sentence}.")


def _plain(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "sites": user.sites,
        "skills": user.skills,
        "created": user.created,
        "changed": user.changed,
        "disabled": user.disabled,
    }
