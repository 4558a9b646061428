"""Who works in the console: users, their roles, their sessions, and what is written down of what they do.

Times are milliseconds since the epoch, UTC. A user is the installation's own, not a site's: `sites` says whose alerts
and conversations he sees.
"""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

SHORTEST, LONGEST = 12, 1_000  # characters of a password
_name = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}").fullmatch


class Role(StrEnum):
    """`viewer` reads; `agent` reads, answers and writes opt-outs down; `author` reads and writes templates; `admin`
    does everything."""

    VIEWER = "viewer"
    AGENT = "agent"
    AUTHOR = "author"
    ADMIN = "admin"

    def may(self, least: Role) -> bool:
        """Whether this role may do what asks for `least`. Agents and authors stand side by side."""
        return least is Role.VIEWER or self is least or self is Role.ADMIN


class User(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`name`: as typed at the log-in, in small letters. `sites`, `skills`: those that the user sees, empty = all.
    `password`: its Argon2id hash in the PHC form, empty = nobody can log in yet. `changed`: when it was set."""

    name: str
    role: Role
    sites: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    password: str = ""
    created: int = 0
    changed: int = 0
    disabled: int | None = None

    def sees(self, site: str) -> bool:
        return not self.sites or site in self.sites

    def __repr__(self) -> str:  # the hash stays out of logs and tracebacks
        return f"User({self.name}, {self.role.value})"


class Session(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`digest`: the SHA-256 (hex) of the secret in the cookie. `seen`: when it was last used, to the minute. `until`:
    it ends then, unless it is used before and its user's day is not over."""

    digest: str
    user: str
    created: int
    seen: int
    until: int


class Way(StrEnum):
    """Through which door something was done."""

    CONSOLE = "console"
    CLI = "cli"


class Audited(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the audit log. `what`: user.added | user.changed | user.disabled | user.enabled | password.changed |
    login | logout | logout.everywhere | opt_out.added | opt_out.removed | number.shown. `on`: a user's name, an alert's
    id, a number of which only the last four digits are there. `detail`: what was changed, in words."""

    id: str
    at: int
    who: str
    way: Way
    what: str
    on: str = ""
    site: str = ""
    detail: str = ""


class UserFault(ValueError):
    """What is wrong with a name or a password; the sentence never holds the password."""


def read_name(text: str) -> str:
    """A user's name as it is kept. Raises UserFault."""
    name = text.strip().casefold()
    if not _name(name):
        raise UserFault(
            "A user's name has 1 to 64 of the characters a-z 0-9 . _ @ + - and begins with a letter or a digit."
        )
    return name


def check_password(password: str, name: str) -> None:
    """Raises UserFault for one that is guessed at once. Length alone is asked for, no mixture of characters (NIST SP
    800-63B section 5.1.1.2)."""
    if len(password) < SHORTEST:
        raise UserFault(f"The password has {len(password)} characters, {SHORTEST} are needed. A few words will do.")
    if len(password) > LONGEST:
        raise UserFault(f"The password has {len(password)} characters, {LONGEST} are the most.")
    if name in password.casefold() and len(password) < len(name) + SHORTEST:
        raise UserFault("The password is little more than the user's name. Choose another one.")
    if len(set(password)) < 5:
        raise UserFault("The password is made of fewer than 5 different characters. Choose another one.")
