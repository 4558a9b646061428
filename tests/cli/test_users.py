"""`heliograph users`: who may use the console."""

from __future__ import annotations

import asyncio
import io
import re

import heliograph.store
from heliograph.flow import passwords

SITE = "25508804"
WORDS = "four words are enough"


def typed(monkeypatch, *lines):
    monkeypatch.setattr("sys.stdin", io.StringIO("".join(f"{line}\n" for line in lines)))


def kept(heliograph, tmp_path):
    """Users and audit log as they stand in the database."""

    async def read():
        store = await heliograph_store(tmp_path)
        try:
            return {user.name: user for user in await store.users()}, await store.audit_log()
        finally:
            await store.close()

    return asyncio.run(read())


async def heliograph_store(tmp_path):
    return await heliograph.store.open(f"sqlite:///{tmp_path}/a.db", migrate=False)


def test_a_user_is_added_with_a_password_from_standard_input(applied, monkeypatch, tmp_path):
    typed(monkeypatch, WORDS)
    ran = applied("users", "add", "Ann", "--role", "agent", "--site", SITE, "--skill", "service", "--password-stdin")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"ann may log in at /console as agent of {SITE}, for service.\n"
    users, audit = kept(applied, tmp_path)
    ann = users["ann"]
    assert (ann.role, ann.sites, ann.skills) == ("agent", (SITE,), ("service",))
    assert ann.password.startswith("$argon2id$") and WORDS not in ann.password
    assert asyncio.run(passwords.right(ann.password, WORDS))
    assert [(line.way, line.what, line.on) for line in audit] == [("cli", "user.added", "ann")]
    assert audit[0].who and audit[0].detail == f"agent; sites: {SITE}; skills: service"
    listed = applied("users", "list", "--json")
    assert [user["name"] for user in listed.data] == ["ann"] and "argon2" not in listed.out


def test_a_skill_that_no_site_names_is_told(applied):
    added = applied("users", "add", "zoe", "--role", "agent", "--skill", "servise", "--skill", "service", "--generate")
    assert added.code == 0 and "no site of zoe's names the skill servise;" in added.err


def test_a_generated_password_is_shown_once_and_works(applied, tmp_path):
    ran = applied("users", "add", "bob", "--role", "viewer", "--generate", "--by", "root")
    password = re.search(r"^password +(\S+)$", ran.out, re.M)[1]
    assert "not shown again" in ran.err
    users, audit = kept(applied, tmp_path)
    assert asyncio.run(passwords.right(users["bob"].password, password))
    assert audit[0].who == "root"
    assert "user.added" in applied("audit").out and applied("audit", "--limit", "0").code == 2
    assert [line["on"] for line in applied("audit", "--who", "ROOT", "--json").data] == ["bob"]
    fresh = applied("users", "passwd", "bob", "--generate", "--json").data["password"]
    users, _ = kept(applied, tmp_path)
    assert fresh != password and not asyncio.run(passwords.right(users["bob"].password, password))


def test_disabled_enabled_other_rights(applied, tmp_path):
    applied("users", "add", "bob", "--role", "viewer", "--generate")
    assert applied("users", "disable", "bob").code == 0
    assert kept(applied, tmp_path)[0]["bob"].disabled is not None
    assert "disabled" in applied("users", "list").out
    assert applied("users", "enable", "bob").code == 0
    assert applied("users", "roles", "bob", "--role", "admin", "--site", SITE).out == f"bob is admin of {SITE}.\n"
    assert applied("users", "roles", "bob", "--all-sites").out == "bob is admin.\n"
    users, audit = kept(applied, tmp_path)
    assert users["bob"].sites == () and users["bob"].disabled is None
    assert [line.what for line in audit] == [
        "user.changed", "user.changed", "user.enabled", "user.disabled", "user.added",
    ]  # fmt: skip


def test_what_does_not_serve_is_told_and_changes_nothing(applied, monkeypatch, tmp_path):
    add = ("users", "add", "bob", "--role", "viewer")
    assert applied(*add, "--generate").code == 0
    assert "There is a user bob already" in applied(*add, "--generate").err
    typed(monkeypatch, "short")
    assert "5 characters, 12 are needed" in applied("users", "passwd", "bob", "--password-stdin").err
    assert "no terminal" in applied("users", "passwd", "bob").err
    assert "There is no user joe" in applied("users", "disable", "joe").err
    assert "There is no site 1" in applied("users", "add", "joe", "--role", "agent", "--site", "1", "--generate").err
    assert "A user's name has" in applied("users", "add", "joe blow", "--role", "agent", "--generate").err
    assert applied("users", "roles", "bob").code == 2
    assert applied("users", "roles", "bob", "--site", SITE, "--all-sites").code == 2
    assert [line.what for line in kept(applied, tmp_path)[1]] == ["user.added"]


def test_a_password_is_asked_for_twice(applied, monkeypatch, tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    asked = []

    def getpass(prompt):
        asked.append(prompt)
        return next(typed)

    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr("getpass.getpass", getpass)
    typed = iter([WORDS, WORDS + "x", WORDS, WORDS])
    add = ("users", "add", "ann", "--role", "admin")
    assert "not typed twice the same" in applied(*add).err
    assert applied(*add).code == 0
    assert asked == ["Password of ann: ", "Once more: "] * 2
    assert asyncio.run(passwords.right(kept(applied, tmp_path)[0]["ann"].password, WORDS))
