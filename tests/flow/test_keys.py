"""API keys on a real SQLite file: four parts shown once, sealed; disabled, enabled, rotated with both valid."""

from __future__ import annotations

import re

import pytest
from oauthlib.oauth1 import RequestValidator

import heliograph.store
from heliograph.core.site import Site
from heliograph.errors import SetupError
from heliograph.flow import keys
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
