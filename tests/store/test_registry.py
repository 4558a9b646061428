"""The registry on both engines: every change has a revision, and nothing that did not change has one."""

from __future__ import annotations

import asyncio

import msgspec

from heliograph import store
from heliograph.core.content import Text
from heliograph.core.ports import Changes
from heliograph.core.site import Key, Sender, Site
from heliograph.core.template import Template

SITE = Site(id="25508804", name="Acme Air", skills=("service",))
SENDER = Sender(
    site="25508804", name="acme", channel="rcs", provider="google-rbm", settings={"agent": "acme", "n": [1, 2]}
)
TEMPLATE = Template(
    site="25508804",
    name="flightdelay",
    version="1",
    languages={"es": {"rcs": Text(text="@T")}, "en": {"any": Text(text="@T")}},
)
KEY = Key(site="25508804", consumer_key="ck", consumer_secret="sealed:x", token="tk", token_secret="sealed:y")


async def put_all(opened):
    return [
        await opened.put_site(SITE),
        await opened.put_sender(SENDER),
        await opened.put_template(TEMPLATE),
        await opened.put_key(KEY),
    ]


async def test_what_was_put_comes_back(opened):
    assert await opened.changes(0) == Changes(revision=0)
    assert await put_all(opened) == [True] * 4
    assert await opened.changes(0) == Changes(
        revision=4, sites=(SITE,), senders=(SENDER,), templates=(TEMPLATE,), keys=(KEY,)
    )


async def test_the_same_again_is_no_change(opened):
    await put_all(opened)
    assert await put_all(opened) == [False] * 4
    assert await opened.changes(4) == Changes(revision=4)


async def test_only_what_changed_since(opened):
    await put_all(opened)
    paused = msgspec.structs.replace(SENDER, paused="config")
    assert await opened.put_sender(paused)
    assert await opened.changes(4) == Changes(revision=5, senders=(paused,))
    assert (await opened.changes(0)).senders == (paused,)


async def test_removed_and_put_again(opened):
    await put_all(opened)
    for kind, name in (("template", "flightdelay@1"), ("key", "ck/tk"), ("sender", "acme"), ("site", SITE.id)):
        assert await opened.remove(kind, SITE.id, name)
        assert not await opened.remove(kind, SITE.id, name)
    assert not await opened.remove("sender", SITE.id, "nobody")
    changes = await opened.changes(4)
    assert changes.removed == (
        ("template", SITE.id, "flightdelay@1"),
        ("key", SITE.id, "ck/tk"),
        ("sender", SITE.id, "acme"),
        ("site", SITE.id, SITE.id),
    )
    assert changes.revision == 8
    assert await opened.put_key(KEY)
    assert await opened.changes(8) == Changes(revision=9, keys=(KEY,))


async def test_a_name_belongs_to_a_site(opened):
    other = msgspec.structs.replace(SENDER, site="99")
    assert await opened.put_sender(SENDER)
    assert await opened.put_sender(other)
    assert len((await opened.changes(0)).senders) == 2


async def test_another_process_sees_it(opened, address):
    second = await store.open(address, migrate=False)
    await second.put_site(SITE)
    assert (await opened.changes(0)).sites == (SITE,)
    await second.close()


async def test_no_reader_misses_a_change(opened, address):
    """Writers on two stores, and a reader that always asks from where it is."""
    second = await store.open(address, migrate=False)
    seen: dict[str, Sender] = {}
    revision = 0

    async def writing(through, name):
        for weight in range(1, 21):
            await through.put_sender(msgspec.structs.replace(SENDER, name=name, weight=weight))

    work = asyncio.gather(writing(opened, "a"), writing(second, "b"), writing(opened, "c"))
    while True:
        last = work.done()
        changes = await opened.changes(revision)
        assert changes.revision >= revision
        revision = changes.revision
        seen.update({sender.name: sender for sender in changes.senders})
        if last:
            break
    await work
    assert {name: sender.weight for name, sender in seen.items()} == {"a": 20, "b": 20, "c": 20}
    assert revision == 60
    await second.close()
