"""Wanted against registry, on a real SQLite file: what changed, safe to repeat, secrets by what they say."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import heliograph.store
from heliograph.core.content import Text
from heliograph.core.site import Sender, Site
from heliograph.core.template import Template
from heliograph.core.webhook import Webhook
from heliograph.errors import SetupError
from heliograph.flow import keys, manage
from heliograph.flow.manage import Medium, Wanted, What
from heliograph.seal import Sealer, is_sealed

OLD, NEW = "o" * 40, "n" * 40
SEALER = Sealer([NEW])


def wanted(**fields) -> Wanted:
    base = {
        "sites": (Site(id="1", name="Acme", channels=("rcs",)),),
        "senders": (
            Sender(
                site="1", name="s", channel="rcs", provider="p", settings={"agent": "a", "key": "hush", "token": ""}
            ),
        ),
        "templates": (Template(site="1", name="t", version="1", languages={"en": {"rcs": Text(text="Hello")}}),),
        "media": (Medium(site="1", digest="ab" * 32, content_type="image/png", data=b"png", name="a.png"),),
        "secrets": {("1", "s"): frozenset({"key", "token"})},
    }
    return Wanted(**{**base, **fields})


@pytest.fixture
async def store(tmp_path):
    opened = await heliograph.store.open(f"sqlite:///{tmp_path}/a.db", migrate=True)
    yield opened
    await opened.close()


def whats(changes) -> dict[str, What]:
    return {f"{change.kind} {change.name}": change.what for change in changes}


async def test_first_created_then_unchanged_and_nothing_is_written(store):
    assert set(whats(await manage.apply(wanted(), store, SEALER)).values()) == {What.CREATED}
    revision = (await store.changes(0)).revision
    again = await manage.apply(wanted(), store, SEALER)
    assert len(again) == 4
    assert set(whats(again).values()) == {What.UNCHANGED}
    assert (await store.changes(0)).revision == revision


async def test_what_is_stored_is_what_was_wanted_with_secrets_sealed(store):
    await manage.apply(wanted(), store, SEALER)
    there = await store.changes(0)
    assert there.sites == wanted().sites
    assert there.templates == wanted().templates
    settings = there.senders[0].settings
    assert is_sealed(settings["key"])
    assert SEALER.open(settings["key"]) == "hush"
    assert (settings["agent"], settings["token"]) == ("a", "")
    assert await store.media("1", "ab" * 32) == ("image/png", b"png")


async def test_changed_fields_are_named_and_a_secret_is_compared_by_what_it_says(store):
    await manage.apply(wanted(), store, SEALER)
    sender = msgspec.structs.replace(wanted().senders[0], settings={"agent": "b", "key": "new", "token": ""})
    site = msgspec.structs.replace(wanted().sites[0], skills=("sales",))
    template = msgspec.structs.replace(wanted().templates[0], languages={"en": {"rcs": Text(text="Bye")}})
    changes = await manage.apply(wanted(sites=(site,), senders=(sender,), templates=(template,)), store, SEALER)
    fields = {change.kind: change.fields for change in changes if change.what is What.CHANGED}
    assert fields["site"] == ("skills",)
    assert set(fields["sender"]) == {"settings.agent", "settings.key"}
    assert fields["template"] == ("languages.en.rcs.text",)
    there = await store.changes(0)
    assert SEALER.open(there.senders[0].settings["key"]) == "new"
    assert there.sites == (site,)


async def test_a_dry_run_says_the_same_and_writes_nothing(store):
    before = (await store.changes(0)).revision
    dry = await manage.apply(wanted(), store, SEALER, dry_run=True)
    assert (await store.changes(0)).revision == before
    assert await store.media("1", "ab" * 32) is None
    assert dry == await manage.apply(wanted(), store, SEALER)


async def test_without_a_store_everything_would_be_created():
    changes = await manage.apply(wanted(), None, SEALER, dry_run=True)
    assert set(whats(changes).values()) == {What.CREATED}


async def test_what_left_the_files_is_kept_until_pruned(store):
    second = msgspec.structs.replace(wanted().templates[0], version="2")
    await manage.apply(wanted(templates=(*wanted().templates, second)), store, SEALER)
    less = wanted(senders=())
    assert whats(await manage.apply(less, store, SEALER))["template t@2"] is What.KEPT
    dry = whats(await manage.apply(less, store, SEALER, prune=True, dry_run=True))
    assert len((await store.changes(0)).templates) == 2
    assert dry["sender s"] is dry["template t@2"] is What.REMOVED
    await manage.apply(less, store, SEALER, prune=True)
    there = await store.changes(0)
    assert [one.version for one in there.templates] == ["1"]
    assert there.senders == ()


async def test_another_site_is_left_alone_by_prune(store):
    await manage.apply(wanted(), store, SEALER)
    other = Wanted(sites=(Site(id="2"),))
    assert whats(await manage.apply(other, store, SEALER, prune=True)) == {"site 2": What.CREATED}
    assert len((await store.changes(0)).templates) == 1


async def test_a_pause_survives_an_apply(store):
    await manage.apply(wanted(), store, SEALER)
    there = (await store.changes(0)).senders[0]
    await store.put_sender(msgspec.structs.replace(there, paused="config"))
    assert whats(await manage.apply(wanted(), store, SEALER))["sender s"] is What.UNCHANGED
    assert (await store.changes(0)).senders[0].paused == "config"


async def test_a_secret_sealed_with_a_lost_key_stops_the_apply(store):
    await manage.apply(wanted(), store, Sealer([OLD]))
    with pytest.raises(SetupError, match="HELIOGRAPH_SECRET_KEY"):
        await manage.apply(wanted(), store, Sealer([NEW]))


async def test_reseal_makes_the_former_key_needless(store):
    await manage.apply(wanted(), store, Sealer([OLD]))
    parts = await keys.create(store, Sealer([OLD]), "1", now=1)
    assert await manage.reseal(store, Sealer([NEW, OLD])) == 2
    assert await manage.reseal(store, Sealer([NEW, OLD])) == 0
    there = await store.changes(0)
    assert SEALER.open(there.senders[0].settings["key"]) == "hush"
    assert SEALER.open(there.keys[0].consumer_secret) == parts.consumer_secret
    assert SEALER.open(there.keys[0].token_secret) == parts.token_secret


_plain = st.recursive(
    st.none() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=2), inner, max_size=3),
    max_leaves=8,
)


@given(_plain, _plain)
def test_differences_are_none_only_for_equals(one, two):
    assert manage.differences(one, one) == []
    assert (manage.differences(one, two) == []) == (one == two)


WEBHOOK = Webhook(
    site="1", url="https://crm.acme.example/h", secrets=("whsec_new", "whsec_old"), events=("alert.sent",)
)


async def test_a_webhooks_secrets_are_sealed_compared_by_what_they_say_and_sealed_anew(store):
    await manage.apply(wanted(webhooks=(WEBHOOK,)), store, Sealer([OLD]))
    [there] = (await store.changes(0)).webhooks
    assert all(is_sealed(one) for one in there.secrets) and "whsec" not in repr(there)
    both = Sealer([NEW, OLD])
    again = await manage.apply(wanted(webhooks=(WEBHOOK,)), store, both)
    assert whats(again)["webhook 1"] is What.UNCHANGED
    assert set(there.secrets) <= set(manage.sealed(await store.changes(0)))
    assert await manage.reseal(store, both) > 0
    [fresh] = (await store.changes(0)).webhooks
    assert [SEALER.open(one) for one in fresh.secrets] == ["whsec_new", "whsec_old"]
    rotated = msgspec.structs.replace(WEBHOOK, secrets=("whsec_newer", "whsec_new"))
    [change] = [one for one in await manage.apply(wanted(webhooks=(rotated,)), store, SEALER) if one.kind == "webhook"]
    assert (change.what, change.fields) == (What.CHANGED, ("secrets[0]", "secrets[1]"))
    [kept] = (await store.changes(0)).webhooks
    assert kept.secrets[1] == fresh.secrets[0], "one that says the same keeps its seal"


async def test_applying_enables_and_a_webhook_that_no_file_names_is_kept_until_pruned(store):
    await manage.apply(wanted(webhooks=(WEBHOOK,)), store, SEALER)
    await store.switch_webhook("1", WEBHOOK.url, "it answered 410")
    [change] = [one for one in await manage.apply(wanted(webhooks=(WEBHOOK,)), store, SEALER) if one.kind == "webhook"]
    assert change.what is What.CHANGED and set(change.fields) == {"disabled", "disabled_at"}
    assert (await store.changes(0)).webhooks[0].disabled == ""
    assert whats(await manage.apply(wanted(), store, SEALER))["webhook 1"] is What.KEPT
    assert len((await store.changes(0)).webhooks) == 1
    assert whats(await manage.apply(wanted(), store, SEALER, prune=True))["webhook 1"] is What.REMOVED
    assert (await store.changes(0)).webhooks == ()
