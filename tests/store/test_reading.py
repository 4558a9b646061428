"""Facts, lists and media on both engines."""

from __future__ import annotations

from heliograph.core.channel import Capability, Reach
from heliograph.core.ports import Uploaded
from heliograph.core.site import Site
from heliograph.core.states import AlertState

TO = "+17703101414"


async def test_the_newest_capability_stays(opened):
    assert await opened.capability("s", "acme", TO) is None
    yes = Capability(reach=Reach.YES, asked=200, features=("RICHCARD_STANDALONE",))
    await opened.keep_capability("s", "acme", TO, yes)
    await opened.keep_capability("s", "acme", TO, Capability(reach=Reach.NO, asked=100))
    assert await opened.capability("s", "acme", TO) == yes
    assert await opened.capability("s", "other", TO) is None
    await opened.keep_capability("s", "acme", TO, Capability(reach=Reach.NO, asked=200, mark=True))
    assert (await opened.capability("s", "acme", TO)).mark


async def test_old_capabilities_are_forgotten(opened):
    await opened.keep_capability("s", "acme", TO, Capability(reach=Reach.YES, asked=1000))
    assert await opened.purge(1000 + 31 * 86_400_000 - 1) == 0
    assert await opened.purge(1000 + 31 * 86_400_000) == 1
    assert await opened.capability("s", "acme", TO) is None


async def test_alerts_are_counted_per_recipient_and_time(opened, made, clock):
    for _ in range(3):
        await opened.accept(made.acceptance())
        clock.now += 1000
    await opened.accept(made.acceptance(alert=made.alert(recipient="+15550000000")))
    start = clock.now - 3000
    assert await opened.count_alerts(made.site, TO, start) == 3
    assert await opened.count_alerts(made.site, TO, start + 1) == 2
    assert await opened.count_alerts(made.site, TO, clock.now) == 0
    assert await opened.count_alerts("99", TO, 0) == 0


async def test_what_test_keys_send_is_counted_and_listed_apart(opened, made, clock):
    await opened.put_site(Site(id=made.site))
    live, test = made.alert(external_alert_id="e"), made.alert(external_alert_id="e", test=True)
    for alert in (live, test):
        await opened.accept(made.acceptance(alert=alert))
    assert await opened.count_alerts(made.site, TO, 0) == await opened.count_alerts(made.site, TO, 0, test=True) == 1
    for wanted in ({}, {"site": made.site}, {"recipient": TO}, {"external": "e"}, {"state": "sending"}):
        wanted = {"site": made.site, **wanted}
        assert [(row.id, row.test) for row in await opened.alerts(**wanted)] == [(test.id, True), (live.id, False)]
        assert [row.id for row in await opened.alerts(test=True, **wanted)] == [test.id]
    assert [row.id for row in await opened.alerts(test=True)] == [test.id]
    assert (await opened.record(test.id)).attempts[0].test and not (await opened.record(live.id)).attempts[0].test


async def test_lists_and_their_pages(opened, made, clock):
    await opened.put_site(Site(id=made.site))
    await opened.put_site(Site(id="99"))
    ids = []
    for number in range(12):
        clock.now += 1
        alert = made.alert(
            site="99" if number == 7 else made.site,
            recipient=TO if number % 2 else "+15550000000",
            state=AlertState.FAILED if number % 3 == 0 else AlertState.SENT,
            external_alert_id="flight" if number in (2, 5, 8) else "",
        )
        await opened.accept(made.acceptance(alert=alert))
        ids.append(alert.id)

    async def pages(size, **wanted):
        found, before = [], ""
        while rows := await opened.alerts(before=before, limit=size, **wanted):
            assert len(rows) <= size
            found += [ids.index(row.id) for row in rows]
            before = rows[-1].id
        return found

    for size in (1, 2, 5, 50):
        assert await pages(size) == [*range(11, -1, -1)]
        assert await pages(size, site=made.site) == [11, 10, 9, 8, 6, 5, 4, 3, 2, 1, 0]
        assert await pages(size, site="99") == [7]
        assert await pages(size, site=made.site, state="failed") == [9, 6, 3, 0]
        assert await pages(size, state="sent") == [11, 10, 8, 7, 5, 4, 2, 1]
        assert await pages(size, recipient=TO) == [11, 9, 7, 5, 3, 1]
        assert await pages(size, site=made.site, recipient=TO, state="failed") == [9, 3]
        assert await pages(size, site=made.site, external="flight") == [8, 5, 2]
        assert await pages(size, external="flight", recipient=TO, state="sent") == [5]
        assert await pages(size, state="read") == []
    row = (await opened.alerts(site=made.site, external="flight"))[0]
    assert (row.recipient, row.template, row.language, row.channel) == ("+15550000000", "flightdelay", "en", "rcs")
    assert (row.state, row.reason, row.external_alert_id) == (AlertState.SENT, "", "flight")


async def test_media_are_kept_once(opened):
    data = bytes(range(256)) * 4000
    assert await opened.put_media("s", "aa", "image/jpeg", data)
    assert not await opened.put_media("s", "aa", "image/jpeg", data)
    assert await opened.media("s", "aa") == ("image/jpeg", data)
    assert await opened.media("t", "aa") is None


async def test_an_upload_is_known_until_it_expires(opened):
    assert await opened.upload("s", "acme", "aa", 0) is None
    await opened.keep_upload("s", "acme", "aa", Uploaded(reference="files/1", expires=1000))
    assert await opened.upload("s", "acme", "aa", 999) == "files/1"
    assert await opened.upload("s", "acme", "aa", 1000) is None
    assert await opened.upload("s", "other", "aa", 0) is None
    await opened.keep_upload("s", "acme", "aa", Uploaded(reference="files/2", expires=5000))
    assert await opened.upload("s", "acme", "aa", 1000) == "files/2"
