"""Users, their sessions, their tries to log in, and the audit log."""

from __future__ import annotations

import msgspec

from heliograph.core.user import Audited, Session, User
from heliograph.store.codec import encode
from heliograph.store.facts import FIRST
from heliograph.store.verb import Verb

_user = msgspec.json.Decoder(User).decode
_audited = msgspec.json.Decoder(Audited).decode


def listed() -> Verb[list[User]]:
    rows = yield "users", ()
    return [_user(row[0]) for row in rows]


def one(name: str) -> Verb[User | None]:
    rows = yield "user_read", (name,)
    return _user(rows[0][0]) if rows else None


def put(user: User, audited: Audited, expects: User | None, ends: bool, but: str) -> Verb[bool]:
    """A new user who is there already, or one who is not as `expects`, is left as he is."""
    if expects is None:
        if not (yield "user_new", (user.name, encode(user))):
            return False
    else:
        rows = yield "user_lock", (user.name,)
        if not rows or rows[0][0] != encode(expects):
            return False
        yield "user_put", (user.name, encode(user))
    if ends:
        yield "sessions_end", (user.name, but)
    yield from say(audited)
    return True


def begin(session: Session, expects: User, audited: Audited) -> Verb[bool]:
    """The user's row is locked: a password that is changed, or a user who is disabled at this moment, has no session
    that begins after that."""
    rows = yield "user_lock", (session.user,)
    if not rows or rows[0][0] != encode(expects):
        return False
    yield "session_new", (session.digest, session.user, session.created, session.seen, session.until)
    yield from say(audited)
    return True


def session(digest: str, now: int) -> Verb[tuple[Session, User] | None]:
    rows = yield "session_read", (digest, now)
    if not rows:
        return None
    name, created, seen, until, body = rows[0]
    return Session(digest=digest, user=name, created=created, seen=seen, until=until), _user(body)


def touch(digest: str, seen: int, until: int) -> Verb[None]:
    yield "session_touch", (digest, seen, until)


def end(digest: str, audited: Audited) -> Verb[bool]:
    if not (yield "session_end", (digest,)):
        return False
    yield from say(audited)
    return True


def end_all(name: str, audited: Audited) -> Verb[int]:
    gone = yield "sessions_end", (name, "")
    yield from say(audited)
    return len(gone)


def count(keys: tuple[tuple[str, int], ...], now: int, window: int) -> Verb[int]:
    """In the order of the keys, so that two at once wait for each other instead of for ever."""
    until = 0
    for key, most in sorted(keys):
        rows = yield "login_count", (key, now, now - window)
        start, tries = rows[0]
        if tries > most:
            until = max(until, start + window)
    return until


def forget(keys: tuple[str, ...], less: tuple[str, ...]) -> Verb[None]:
    for key in sorted((*keys, *less)):
        yield "login_forget" if key in keys else "login_less", (key,)


def say(audited: Audited) -> Verb[None]:
    yield "audit_put", (audited.id, audited.who, audited.what, encode(audited))


def log(who: str, what: str, before: str, limit: int) -> Verb[list[Audited]]:
    cursor = before or FIRST
    rows = yield ("audit_of", (who, what, cursor, limit)) if who else ("audit_log", (what, cursor, limit))
    return [_audited(row[0]) for row in rows]
