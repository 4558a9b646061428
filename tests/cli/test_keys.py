"""`heliograph keys` with kinds, scopes and bearer keys."""

from __future__ import annotations

import re

SITE = "25508804"


def test_a_bearer_key_is_shown_once(applied):
    made = applied("keys", "create", SITE, "--bearer", "--kind", "test", "--scope", "explain", "--scope", "alerts:read")
    bearer = re.search(r"^bearer +(hg_test_\S+)$", made.out, re.M)[1]
    name = bearer.rpartition("_")[0]
    assert "the bearer key is not shown again" in made.err
    listed = applied("keys", "list").out
    assert f"{name}…{bearer[-4:]}" in listed and bearer not in listed
    told = applied("keys", "list", "--json")
    [key] = told.data
    assert (key["auth"], key["kind"], key["scopes"]) == ("bearer", "test", ["explain", "alerts:read"])
    assert bearer not in told.out and "digest" not in told.out
    assert applied("keys", "disable", name).code == 0
    assert applied("keys", "rotate", name).code == 1
    assert applied("keys", "enable", name).code == 0
    fresh = applied("keys", "rotate", name, "--json").data
    assert fresh["bearer"].startswith("hg_test_") and fresh["old_key"] == name


def test_an_oauth_key_has_kind_scopes_and_an_end_too(applied):
    assert applied("keys", "create", SITE, "--kind", "team", "--scope", "alerts:send", "--days", "90").code == 0
    [key] = applied("keys", "list", "--json").data
    assert (key["auth"], key["kind"], key["scopes"], key["state"]) == ("oauth1", "team", ["alerts:send"], "ending")
    assert 89 * 86_400_000 < key["expires"] - key["created"] < 91 * 86_400_000


def test_a_scope_that_is_none(applied):
    ran = applied("keys", "create", SITE, "--scope", "alert:send")
    assert ran.code == 2 and "Did you mean alerts:send?" in ran.err
    assert applied("keys", "create", SITE, "--days", "0").code == 2
