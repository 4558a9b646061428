"""Who can be reached: what is believed is not asked again, many are asked at once, a no about many is not kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flow.world import SITE, House, Scripted, ask
from heliograph.core.channel import Capability, Reach, Reached
from heliograph.core.site import Sender
from heliograph.flow.capabilities import FEW, Found, capabilities
from heliograph.flow.send import send

MANY = [f"+1202555{n:04d}" for n in range(50)]


class Bulk(Scripted):
    """One that is asked about twenty at once; odd numbers are a yes."""

    asks_many = 20

    def __init__(self) -> None:
        super().__init__()
        self.bites: list[int] = []

    async def capabilities(self, recipients: Sequence[str], now: int, deadline: float) -> Reached:
        self.bites.append(len(recipients))
        answers = {
            one: Capability(reach=Reach.YES if int(one[-1]) % 2 else Reach.NO, asked=now, reason="")
            for one in recipients
        }
        return Reached(answers=answers, sampled=10, reachable=4)


async def found(house: House, recipients: list[str], **more: object) -> Found:
    site = house.means.registry.site(SITE)
    assert site is not None
    given = {"channels": site.channels, "deadline": asyncio.get_running_loop().time() + 2, **more}
    return await capabilities(site, recipients, house.means, **given)  # type: ignore[arg-type]


async def test_what_is_known_is_not_asked_again_and_a_send_knows_it_too(house: House) -> None:
    await house.set_up()
    provider = house.providers["rcs"]
    first = await found(house, ["+17703101414"])
    assert [(t.channel, t.sender, t.capability.reach, t.cached) for t in first.told] == [
        ("rcs", "a-rcs", Reach.YES, False)
    ]
    again = await found(house, ["+17703101414"])
    assert (again.told[0].cached, again.told[0].capability) == (True, first.told[0].capability)
    await send(ask(), (), house.means, request_id=house.means.clock.new_id())
    assert provider.questions == 1


async def test_another_node_knows_it_from_the_store(house: House) -> None:
    await house.set_up()
    await found(house, ["+17703101414"])
    house.means = house.another_node()
    await house.means.registry.refresh(house.store)
    assert (await found(house, ["+17703101414"])).told[0].cached
    assert house.providers["rcs"].questions == 1


async def test_many_are_asked_at_once_and_few_one_by_one(house: House) -> None:
    bulk = house.providers["rcs"] = Bulk()
    await house.set_up()
    few = await found(house, MANY[:FEW])
    assert (bulk.questions, bulk.bites, few.estimates) == (FEW, [], ())
    many = await found(house, MANY)
    assert bulk.bites == [20, 10] and bulk.questions == FEW
    assert [one.recipient for one in many.told] == MANY
    assert [one.cached for one in many.told] == [True] * FEW + [False] * 30
    assert [(e.sender, e.sampled, e.reachable) for e in many.estimates] == [("a-rcs", 10, 4)] * 2


async def test_a_yes_about_many_is_kept_and_a_no_is_not(house: House) -> None:
    bulk = house.providers["rcs"] = Bulk()
    await house.set_up()
    await found(house, MANY)
    again = await found(house, MANY)
    assert [one.recipient for one in again.told if one.cached] == [one for one in MANY if int(one[-1]) % 2]
    assert sum(bulk.bites) == 75


async def test_a_mark_pauses_nobody_who_only_asks(house: House) -> None:
    await house.set_up()
    house.providers["rcs"].reach = Capability(reach=Reach.NO, asked=0, reason="sender_not_allowed", mark=True)
    told = (await found(house, MANY[:6])).told
    assert {one.capability.reason for one in told} == {"sender_not_allowed"}
    assert house.said == [] and not (await found(house, MANY[:1])).told[0].cached


async def test_a_channel_that_cannot_be_asked_is_unknown(house: House) -> None:
    house.providers["sms"].asks_capability = False
    await house.set_up(channels=("rcs", "sms"))
    rcs, sms = (await found(house, MANY[:1])).told
    assert (sms.channel, sms.capability.reach, sms.capability.reason) == ("sms", Reach.UNKNOWN, "not_askable")
    assert rcs.capability.reach is Reach.YES and house.providers["sms"].questions == 0


async def test_each_is_asked_about_through_the_sender_that_would_write_to_him(house: House) -> None:
    house.providers["b-rcs"] = Scripted()
    await house.set_up()
    await house.store.put_sender(Sender(site=SITE, name="b-rcs", channel="rcs", provider="scripted"))
    await house.means.registry.refresh(house.store)
    told = (await found(house, MANY[:12])).told
    by = {name: sum(one.sender == name for one in told) for name in ("a-rcs", "b-rcs")}
    assert by == {"a-rcs": house.providers["rcs"].questions, "b-rcs": house.providers["b-rcs"].questions}
    assert min(by.values()) > 0


async def test_a_test_key_asks_the_sandboxs_senders_alone(house: House) -> None:
    await house.set_up()
    assert (await found(house, MANY[:1], test=True)).told == ()
    assert house.providers["rcs"].questions == 0
