"""Users, sessions, tries to log in, the audit log: the same on both engines."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph import store
from heliograph.core.optout import OptOut
from heliograph.core.ports import Store, Written
from heliograph.core.site import Site
from heliograph.core.user import Audited, Role, Session, User, Way
from store.conftest import Clock, Made

ANN = User(name="ann", role=Role.AGENT, sites=("1",), skills=("service",), password="$argon2id$x", created=1)


def line(made: Made, what: str = "user.added", who: str = "root", **more: str) -> Audited:
    return Audited(id=made.id(), at=made.now, who=who, way=Way.CLI, what=what, **more)


def session(made: Made, digest: str = "d1", *, user: str = "ann", until: int = 1000) -> Session:
    return Session(digest=digest, user=user, created=made.now, seen=made.now, until=made.now + until)


async def whats(opened: Store) -> list[str]:
    return [one.what for one in await opened.audit_log()]


# ── users ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_user_is_new_once_and_comes_back_as_he_was(opened: Store, made: Made) -> None:
    assert await opened.users() == [] and await opened.user("ann") is None
    assert await opened.put_user(ANN, line(made), expects=None)
    assert not await opened.put_user(msgspec.structs.replace(ANN, role=Role.ADMIN), line(made), expects=None)
    assert await opened.user("ann") == ANN
    bob = msgspec.structs.replace(ANN, name="bob")
    assert await opened.put_user(bob, line(made), expects=None)
    assert await opened.users() == [ANN, bob]
    assert await whats(opened) == ["user.added", "user.added"]  # what was not done is not told


async def test_who_read_an_older_user_writes_nothing(opened: Store, made: Made) -> None:
    await opened.put_user(ANN, line(made), expects=None)
    admin, disabled = msgspec.structs.replace(ANN, role=Role.ADMIN), msgspec.structs.replace(ANN, disabled=5)
    assert await opened.put_user(admin, line(made, "user.changed"), expects=ANN)
    assert not await opened.put_user(disabled, line(made, "user.disabled"), expects=ANN)
    assert not await opened.put_user(ANN, line(made), expects=msgspec.structs.replace(ANN, name="nobody"))
    assert await opened.user("ann") == admin
    assert await whats(opened) == ["user.changed", "user.added"]


async def test_two_who_write_at_once_do_not_lose_each_other(opened: Store, made: Made, address: str) -> None:
    second = await store.open(address, migrate=False)
    await opened.put_user(ANN, line(made), expects=None)

    async def add_skill(through: Store, skill: str) -> None:
        while True:
            old = await through.user("ann")
            assert old is not None
            new = msgspec.structs.replace(old, skills=(*old.skills, skill))
            if await through.put_user(new, line(made, "user.changed"), expects=old):
                return

    names = [f"s{n}" for n in range(12)]
    await asyncio.gather(*(add_skill((opened, second)[n % 2], name) for n, name in enumerate(names)))
    found = await opened.user("ann")
    assert found is not None and set(found.skills) == {"service", *names}
    assert len(await whats(opened)) == 13
    await second.close()


# ── sessions ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_session_is_there_until_its_time_and_for_every_node(opened: Store, made: Made, address: str) -> None:
    await opened.put_user(ANN, line(made), expects=None)
    assert await opened.begin_session(session(made), ANN, line(made, "login", "ann"))
    second = await store.open(address, migrate=False)
    assert await second.session("d1", made.now + 999) == (session(made), ANN)
    assert await second.session("d1", made.now + 1000) is None
    assert await second.session("d2", made.now) is None
    await second.touch_session("d1", made.now + 10, made.now + 2000)
    found = await opened.session("d1", made.now + 1500)
    assert found is not None and (found[0].seen, found[0].until) == (made.now + 10, made.now + 2000)
    await second.touch_session("d1", made.now + 5, made.now + 9000)  # one that comes late takes nothing back
    assert await opened.session("d1", made.now + 2000) is None
    await second.close()


async def test_no_session_begins_for_a_user_who_was_changed_meanwhile(opened: Store, made: Made) -> None:
    await opened.put_user(ANN, line(made), expects=None)
    changed = msgspec.structs.replace(ANN, password="$argon2id$y")
    await opened.put_user(changed, line(made, "password.changed"), expects=ANN, ends=True)
    assert not await opened.begin_session(session(made), ANN, line(made, "login", "ann"))
    assert await opened.session("d1", made.now) is None
    assert await whats(opened) == ["password.changed", "user.added"]


async def test_sessions_end_one_all_or_all_but_one(opened: Store, made: Made) -> None:
    bob = msgspec.structs.replace(ANN, name="bob")
    for user in (ANN, bob):
        await opened.put_user(user, line(made), expects=None)
    for digest, user in (("a1", ANN), ("a2", ANN), ("a3", ANN), ("b1", bob)):
        await opened.begin_session(session(made, digest, user=user.name), user, line(made, "login"))

    async def there() -> list[str]:
        return [digest for digest in ("a1", "a2", "a3", "b1") if await opened.session(digest, made.now)]

    assert await opened.end_session("a3", line(made, "logout"))
    assert not await opened.end_session("a3", line(made, "logout"))  # was no session any more: nothing to tell
    assert await there() == ["a1", "a2", "b1"]
    await opened.put_user(ANN, line(made, "password.changed"), expects=ANN, ends=True, but="a2")
    assert await there() == ["a2", "b1"]
    assert await opened.end_sessions("ann", line(made, "logout.everywhere")) == 1
    assert await there() == ["b1"]
    assert (await whats(opened))[:3] == ["logout.everywhere", "password.changed", "logout"]


async def test_what_is_over_is_removed(opened: Store, made: Made, clock: Clock) -> None:
    await opened.put_user(ANN, line(made), expects=None)
    await opened.begin_session(session(made, "old", until=5), ANN, line(made, "login"))
    await opened.begin_session(session(made, "new", until=200_000_000), ANN, line(made, "login"))
    await opened.count_login((("k", 3),), made.now, 1000)
    assert await opened.purge(made.now + 5) == 1
    assert await opened.session("new", made.now) is not None
    clock.now += 86_400_000
    assert await opened.purge(clock.now) == 1  # the try
    assert len(await opened.audit_log()) == 3  # nothing is taken out of it


# ── tries to log in ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_tries_are_counted_by_all_nodes_and_end_with_their_window(
    opened: Store, made: Made, address: str
) -> None:
    second = await store.open(address, migrate=False)
    now = made.now
    keys = (("pair", 2), ("place", 3))
    assert [await each.count_login(keys, now, 1000) for each in (opened, second)] == [0, 0]
    assert await opened.count_login(keys, now + 400, 1000) == now + 1000
    assert await second.count_login((("other", 2), ("place", 3)), now + 500, 1000) == now + 1000  # the place's fourth
    assert await second.count_login((("other", 2),), now + 500, 1000) == 0
    assert await second.count_login(keys, now + 1000, 1000) == 0  # a new window
    await second.close()


async def test_a_right_try_begins_its_name_anew_and_does_not_count_for_its_place(opened: Store, made: Made) -> None:
    now = made.now
    for _ in range(10):
        assert await opened.count_login((("pair", 1), ("place", 1)), now, 1000) == 0
        await opened.forget_logins(("pair",), ("place",))
    assert await opened.count_login((("pair", 1), ("place", 1)), now, 1000) == 0
    assert await opened.count_login((("pair", 1), ("place", 1)), now, 1000) == now + 1000


async def test_a_burst_at_once_has_no_more_tries_than_a_row(opened: Store, made: Made) -> None:
    keys = (("place", 40), ("pair", 10))
    found = await asyncio.gather(*(opened.count_login(keys, made.now, 1000) for _ in range(30)))
    assert sum(1 for until in found if until == 0) == 10


# ── the audit log ───────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_log_is_read_a_page_at_a_time_by_who_and_what(opened: Store, made: Made, clock: Clock) -> None:
    lines = []
    for n in range(9):
        clock.now += 1
        lines.append(line(made, ("login", "logout")[n % 2], ("ann", "bob", "cat")[n % 3], on=str(n)))
        await opened.audit(lines[-1])
    lines.reverse()
    assert await opened.audit_log(limit=4) == lines[:4]
    assert await opened.audit_log(limit=4, before=lines[3].id) == lines[4:8]
    assert await opened.audit_log(who="bob") == [one for one in lines if one.who == "bob"]
    assert await opened.audit_log(who="bob", what="login") == [
        one for one in lines if (one.who, one.what) == ("bob", "login")
    ]
    assert await opened.audit_log(what="logout", limit=2) == [one for one in lines if one.what == "logout"][:2]


async def test_an_opt_out_is_told_with_its_own_commit_where_it_changed_anything(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    row = OptOut(site=made.site, recipient="+12025550100", at=1000, how="console", by="ann")
    told = line(made, "opt_out.added", "ann", on="+1••••••0100")
    assert await opened.put_opt_outs((row,), (told,)) == [Written.CHANGED]
    assert await opened.put_opt_outs((row,), (line(made, "opt_out.added"),)) == [Written.UNCHANGED]
    assert await opened.audit_log() == [told]
