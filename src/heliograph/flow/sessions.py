"""Who is at the console: log in, stay, log out. A session is 256 random bits in a cookie, of which the store has the
SHA-256 alone; it ends when it was not used for a while, and in any case after its day.

Tries are counted in the store before a password is looked at, for all nodes together and with no difference between
users who exist and others: for a name from one network, for a network, and for a name. So who guesses from one network
is stopped soon and locks out nobody else, and who guesses from many is stopped at the name.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec

from heliograph.core.user import Session, User, UserFault, Way, read_name
from heliograph.flow import passwords, users
from heliograph.flow.means import Means

WINDOW = 15 * 60_000  # ms over which tries are counted
OF_NETWORK, OF_NAME = 4, 6  # times as many tries as for a name from one network
TOUCH = 60_000  # ms; a session that is used all the time is written once a minute


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`idle`, `longest`: seconds after which a session ends, unused and in any case. `tries`: for a name from one
    network within WINDOW."""

    idle: int
    longest: int
    tries: int


class LoggedIn(msgspec.Struct, frozen=True, kw_only=True):
    """`secret`: for the cookie, to be told once."""

    user: User
    session: Session
    secret: str

    def __repr__(self) -> str:
        return f"LoggedIn({self.user.name})"


class NotIn(msgspec.Struct, frozen=True, kw_only=True):
    """Nobody, for a reason that is told to nobody. `until` (ms): too many tries, none is taken before; 0 = name and
    password do not fit. `busy`: too many are looked at now, and this one was neither looked at nor counted."""

    until: int = 0
    busy: bool = False


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


async def log_in(
    name: str, password: str, *, network: str, former: str, rules: Rules, means: Means
) -> LoggedIn | NotIn:
    """A session that is new, whatever cookie came with the call; the one of that cookie (`former`) ends."""
    store, clock = means.store, means.clock
    now = clock.now()
    name = name.strip().casefold()
    pair, place, person = (digest(f"{kind}\0{what}") for kind, what in (
        ("pair", f"{network}\0{name}"), ("network", network), ("name", name)
    ))  # fmt: skip
    if passwords.busy():
        return NotIn(busy=True)
    tries = rules.tries
    keys = ((pair, tries), (place, tries * OF_NETWORK), (person, tries * OF_NAME))
    if until := await store.count_login(keys, now, WINDOW):
        return NotIn(until=until)
    user = await store.user(name) if _readable(name) else None
    kept = user.password if user is not None and user.disabled is None else ""
    if not await passwords.right(kept, password) or user is None:
        return NotIn()
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    until = now + 1000 * min(rules.idle, rules.longest)
    session = Session(digest=digest(secret), user=name, created=now, seen=now, until=until)
    line = users.audited(clock, who=name, way=Way.CONSOLE, what="login", on=name)
    if not await store.begin_session(session, user, line):
        return NotIn()  # changed or disabled in this very moment
    await store.forget_logins((pair, person), (place,))
    if former and (owner := await stands(digest(former), means)) is not None:
        await log_out(former, owner.name, means)
    return LoggedIn(user=user, session=session, secret=secret)


async def present(secret: str, rules: Rules, means: Means) -> tuple[Session, User] | None:
    """Whose session this is. Asked of the store each time: who is disabled or logged out is so at once, on every
    node."""
    if not secret:
        return None
    now = means.clock.now()
    found = await means.store.session(digest(secret), now)
    if found is None:
        return None
    session, user = found
    end = session.created + 1000 * rules.longest
    if user.disabled is not None or end <= now or session.seen + 1000 * rules.idle <= now:
        return None
    if now - session.seen >= TOUCH:
        await means.store.touch_session(session.digest, now, min(end, now + 1000 * rules.idle))
    return session, user


async def stands(session: str, means: Means) -> User | None:
    """The user of a session that is still in force, by its digest: for what stays open after its call was let in. It
    does not count as use."""
    found = await means.store.session(session, means.clock.now())
    return found[1] if found is not None and found[1].disabled is None else None


async def log_out(secret: str, who: str, means: Means) -> None:
    line = users.audited(means.clock, who=who, way=Way.CONSOLE, what="logout", on=who)
    await means.store.end_session(digest(secret), line)


async def log_out_everywhere(user: User, means: Means) -> int:
    """How many sessions there were."""
    line = users.audited(means.clock, who=user.name, way=Way.CONSOLE, what="logout.everywhere", on=user.name)
    return await means.store.end_sessions(user.name, line)


async def change_password(
    user: User, session: Session, old: str, new: str, *, network: str, rules: Rules, means: Means
) -> NotIn | None:
    """None: done, and the user's other sessions are over. Tries are counted as at the log-in: a session that somebody
    left open is no way to guess the password. Raises SetupError for a new one that does not serve."""
    now = means.clock.now()
    pair = digest(f"pair\0{network}\0{user.name}")
    if until := await means.store.count_login(((pair, rules.tries),), now, WINDOW):
        return NotIn(until=until)
    if not await passwords.right(user.password, old):
        return NotIn()
    await users.set_password(
        means.store, user.name, new, clock=means.clock, by=user.name, way=Way.CONSOLE, but=session.digest
    )
    await means.store.forget_logins((pair,), ())
    return None


def _readable(name: str) -> bool:
    try:
        read_name(name)
    except UserFault:
        return False
    return True
