"""`heliograph users`: who may use the console. Every change is in the audit log, with the account that ran it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import App

from heliograph.cli import given, say, users_made
from heliograph.cli.users_told import plain, where, with_store
from heliograph.core.user import Role

if TYPE_CHECKING:
    from heliograph.core.ports import Store
    from heliograph.core.user import User

app = App(
    name="users", help="Who may use the console: add, list, disable, enable, passwd, roles.", help_format="plaintext"
)
app.command(users_made.add)
app.command(users_made.passwd)


@app.command(name="list")
def list_(*, json: given.Json = False, config: given.Config = None, **flags: given.Flags) -> None:
    """List everybody who may use the console, with roles, sites and skills. Passwords are never shown."""
    found = with_store(given.settings(config, flags), lambda store: store.users())
    if json:
        say.data([plain(user) for user in found])
        return
    say.table(
        ("=name", "role", "sites", "skills", "state", "added", "password set"),
        [
            (
                user.name,
                user.role.value,
                "\n".join(user.sites) or "all",
                "\n".join(user.skills) or "all",
                say.state("active" if user.disabled is None else "disabled"),
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

    _told(with_store(given.settings(config, flags), work), "is disabled and logged out everywhere", json)


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

    _told(with_store(given.settings(config, flags), work), "may log in again", json)


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

    user = with_store(given.settings(config, flags), work)
    _told(user, f"is {user.role.value}{where(user)}", json)


def _told(user: User, sentence: str, json: bool) -> None:
    if json:
        say.data(plain(user))
    else:
        say.line(f"{user.name} {sentence}.")
