"""API keys on a real SQLite file: four parts shown once, sealed; disabled, enabled, rotated with both valid."""

from __future__ import annotations

import re

import pytest
from oauthlib.oauth1 import RequestValidator

import heliograph.store
from heliograph.core.site import Key, Kind, Scope, Site
from heliograph.errors import SetupError
from heliograph.flow import keys
from heliograph.flow.registry import OpenKey, Registry
from heliograph.seal import Sealer

SEALER = Sealer(["k" * 40])
DAY = 86_400_000


@pytest.fixture
async def store(tmp_path):
    opened = await heliograph.store.open(f"sqlite:///{tmp_path}/a.db", migrate=True)
    await opened.put_site(Site(id="1"))
    yield opened
    await opened.close()


def test_parts_are_what_common_libraries_take():
    rules = RequestValidator()
    parts = keys.make()
    assert rules.check_client_key(parts.consumer_key)
    assert rules.check_access_token(parts.token)
    assert all(
        re.fullmatch("[A-Za-z0-9]+", part)
        for part in (parts.consumer_key, parts.consumer_secret, parts.token, parts.token_secret)
    )
    assert parts.consumer_secret not in repr(parts)
    assert keys.make() != parts


async def test_created_keys_are_sealed_and_open_to_what_was_shown(store):
    parts = await keys.create(store, SEALER, "1", now=5, note="n")
    [key] = (await store.changes(0)).keys
    assert (key.consumer_key, key.token, key.note, key.created) == (
        parts.consumer_key,
        parts.token,
        "n",
        5,
    )
    assert parts.consumer_secret not in key.consumer_secret
    assert SEALER.open(key.consumer_secret) == parts.consumer_secret
    assert SEALER.open(key.token_secret) == parts.token_secret


async def test_no_key_for_a_site_that_is_not_there(store):
    with pytest.raises(SetupError, match="known sites: 1"):
        await keys.create(store, SEALER, "2", now=1)


async def test_disable_and_enable(store):
    parts = await keys.create(store, SEALER, "1", now=1)
    await keys.disable(store, parts.consumer_key, now=7)
    assert (await keys.find(store, parts.consumer_key))[0].disabled == 7
    await keys.enable(store, parts.consumer_key)
    assert (await keys.find(store, parts.consumer_key))[0].disabled is None
    with pytest.raises(SetupError, match="keys list"):
        await keys.disable(store, "nobody", now=1)


async def test_rotation_leaves_both_valid_until_the_old_ones_end(store):
    old = await keys.create(store, SEALER, "1", now=1, note="crm")
    fresh, end = await keys.rotate(store, SEALER, old.consumer_key, now=100, both_for=DAY)
    assert end == 100 + DAY
    [before] = await keys.find(store, old.consumer_key)
    [after] = await keys.find(store, fresh.consumer_key)
    assert (before.expires, before.disabled) == (end, None)
    assert (after.expires, after.disabled, after.note) == (None, None, "crm")
    # A second rotation of the old key does not lengthen its life.
    _, second = await keys.rotate(store, SEALER, old.consumer_key, now=200, both_for=30 * DAY)
    assert second == end


async def test_a_disabled_key_is_not_rotated(store):
    parts = await keys.create(store, SEALER, "1", now=1)
    await keys.disable(store, parts.consumer_key, now=2)
    with pytest.raises(SetupError, match="disabled"):
        await keys.rotate(store, SEALER, parts.consumer_key, now=3)
    assert len((await store.changes(0)).keys) == 1


async def test_a_bearer_key_is_kept_as_its_digest_alone(store):
    made = await keys.create_bearer(store, "1", now=5, note="n", kind=Kind.TEST, scopes=(Scope.EXPLAIN,))
    assert re.fullmatch("hg_test_[A-Za-z0-9]{12}_[A-Za-z0-9]{43}", made.bearer)
    assert made.bearer not in repr(made) and keys.name_of(made.bearer) == made.name
    [key] = await keys.find(store, made.name)
    assert (key.kind, key.scopes, key.last_four, key.note) == (Kind.TEST, (Scope.EXPLAIN,), made.bearer[-4:], "n")
    assert made.bearer[len(made.name) + 1 :] not in repr(key)
    assert keys.is_bearer(key, made.bearer)
    assert not keys.is_bearer(key, made.bearer[:-1] + ("a" if made.bearer[-1] != "a" else "b"))
    assert not keys.is_bearer(key, "") and not keys.is_bearer(Key(site="1", consumer_key="ck"), "")


async def test_a_bearer_key_is_rotated_to_one_of_its_sort(store):
    old = await keys.create_bearer(store, "1", now=1, kind=Kind.TEAM, scopes=(Scope.ALERTS_READ,))
    fresh, end = await keys.rotate(store, SEALER, old.name, now=100, both_for=DAY)
    assert fresh.bearer.startswith("hg_team_") and end == 100 + DAY
    [after] = await keys.find(store, fresh.name)
    assert (after.kind, after.scopes) == (Kind.TEAM, (Scope.ALERTS_READ,))


async def test_rotation_keeps_kind_and_scopes_of_an_oauth_key(store):
    old = await keys.create(store, SEALER, "1", now=1, kind=Kind.TEST, scopes=(Scope.ALERTS_SEND,))
    fresh, _ = await keys.rotate(store, SEALER, old.consumer_key, now=100)
    [after] = await keys.find(store, fresh.consumer_key)
    assert (after.kind, after.scopes) == (Kind.TEST, (Scope.ALERTS_SEND,))


def test_what_a_key_may():
    usual = Key(site="1", consumer_key="ck")
    assert usual.may(Scope.ALERTS_SEND) and usual.may(Scope.ALERTS_READ) and usual.may(Scope.EXPLAIN)
    assert not usual.may(Scope.OPT_OUTS_WRITE) and not usual.may(Scope.ADMIN)
    assert not Key(site="1", consumer_key="ck", scopes=(Scope.EXPLAIN,)).may(Scope.ALERTS_SEND)
    assert all(Key(site="1", consumer_key="ck", scopes=(Scope.ADMIN,)).may(scope) for scope in Scope)


async def test_a_bearer_key_signs_nothing(store):
    """Its name as a consumer key, with the empty secret that it has, must open no door."""
    made = await keys.create_bearer(store, "1", now=1)
    registry = Registry(
        open_key=lambda key: OpenKey(key=key, consumer_secret="", token_secret=""),
        open_sender=lambda sender: None,
        closed=lambda provider: None,
    )
    await registry.refresh(store)
    assert registry.key(made.name) == ()
    assert registry.bearer(made.name).consumer_key == made.name
    assert registry.bearer("hg_live_nobody") is None
