"""`heliograph users add` and `passwd`: who gets a password, which is asked for, read or made, and never kept."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from heliograph.cli import given, say
from heliograph.cli.users_told import plain, where, with_store
from heliograph.core.user import Role

if TYPE_CHECKING:
    from heliograph.core.ports import Store
    from heliograph.core.user import User

Standard = Annotated[bool, Parameter(name="--password-stdin", negative="", show_default=False)]


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

    strange: list[str] = []

    async def work(store: Store) -> User:
        from heliograph.clock import SystemClock
        from heliograph.flow import users

        who = given.operator(by)
        his = [one for one in (await store.changes(0)).sites if not site or one.id in site]
        if his and all(one.skills for one in his):  # a site that names none takes any
            strange.extend(name for name in skill if not any(name in one.skills for one in his))
        return await users.create(store, name, role, password, clock=SystemClock(), by=who, sites=site, skills=skill)

    user = with_store(settings, work)
    if strange:
        say.note(f"no site of {user.name}'s names the skill {', '.join(strange)}; `heliograph users roles` corrects it")
    if json:
        say.data({**plain(user), **({"password": password} if made else {})})
        return
    say.line(f"{user.name} may log in at /console as {user.role.value}{where(user)}.")
    if made:
        say.line(f"password  {password}")
        say.note("the password is not shown again")


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

    user = with_store(settings, work)
    if json:
        say.data({**plain(user), **({"password": password} if made else {})})
        return
    say.line(f"{user.name} has another password and is logged out everywhere.")
    if made:
        say.line(f"password  {password}")
        say.note("the password is not shown again")


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
