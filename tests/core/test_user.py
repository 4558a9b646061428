"""Users: what roles may do, names, passwords."""

from __future__ import annotations

import pytest

from heliograph.core.user import Role, User, UserFault, check_password, read_name

V, G, A, X = Role.VIEWER, Role.AGENT, Role.AUTHOR, Role.ADMIN


def test_what_each_role_may_do() -> None:
    allowed = {V: {V}, G: {V, G}, A: {V, A}, X: {V, G, A, X}}
    assert {role: {least for least in Role if role.may(least)} for role in Role} == allowed


def test_a_user_without_sites_sees_every_one() -> None:
    assert User(name="a", role=V).sees("1")
    assert [User(name="a", role=X, sites=("1",)).sees(site) for site in ("1", "2")] == [True, False]


def test_names() -> None:
    assert [read_name(name) for name in (" Ann ", "a.b-c_d@x.org+1", "0")] == ["ann", "a.b-c_d@x.org+1", "0"]
    for name in ("", " ", ".ann", "ann blow", "änn", "a" * 65, "ann\n\nbob", "<b>"):
        with pytest.raises(UserFault, match="A user's name has"):
            read_name(name)


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("short", "5 characters, 12 are needed"), ("x" * 1001, "1000 are the most"), ("ababababababab", "fewer than 5"),
        ("annannann-ann", "little more than"), ("", "0 characters"),
    ],
)  # fmt: skip
def test_passwords_that_are_guessed_at_once(password: str, word: str) -> None:
    with pytest.raises(UserFault, match=word) as fault:
        check_password(password, "ann")
    assert not password or password not in str(fault.value)


def test_passwords_that_serve() -> None:
    for password in ("correct horse battery", "joanna likes long walks", "密码密码一二三四五六七八九十"):
        check_password(password, "ann")
