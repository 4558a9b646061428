"""A keyword's confirmation leaves past the opt-out, in time or never; agents answer whoever has written since."""

from __future__ import annotations

from typing import Any

import msgspec

from flow.test_converse import ANSWERS, alerted, answer, newest, says
from flow.world import SITE
from heliograph.clock import SystemClock
from heliograph.core.content import Text
from heliograph.core.conversation import State, Turn
from heliograph.core.site import Covers, OptOuts
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError
from heliograph.flow import converse, due


class Ahead(SystemClock):
    """The real clock, put forward by hand (s)."""

    def __init__(self) -> None:
        super().__init__()
        self.by = 0.0

    def now(self) -> int:
        return super().now() + round(self.by * 1000)


async def covering(house: Any, covers: Covers) -> None:
    house.clock = Ahead()
    house.means = house.another_node()
    await house.set_up()
    site = house.means.registry.site(SITE)
    await house.store.put_site(msgspec.structs.replace(site, name="Acme", opt_outs=OptOuts(scope=covers)))
    await house.means.registry.refresh(house.store)


async def confirmation(house: Any, there: Any) -> Turn:
    turns = await house.store.turns(SITE, there.id)
    return next(turn for turn in turns if turn.kind == "confirmation")


async def test_the_confirmation_leaves_past_the_opt_out_once(house):
    await covering(house, Covers.ALL)
    await alerted(house)
    there = await says(house, "STOP")
    await says(house, "stop")
    sent = await confirmation(house, there)
    await due.once(house.means, ANSWERS)
    await due.once(house.means, ANSWERS)
    told = house.providers["rcs"].delivered[sent.id]
    assert told.content == Text(text=sent.text) and told.traffic == "acknowledgement"
    assert (await confirmation(house, there)).state is AttemptState.SENT
    assert [one.id for one in house.providers["rcs"].delivered.values()].count(sent.id) == 1
    bounds = await converse.limits((await house.store.conversations_of(SITE, there.recipient))[0], house.means)
    assert bounds.code == "closed"


async def test_it_waits_for_its_sender_for_five_minutes_at_most(house):
    await covering(house, Covers.ALL)
    await alerted(house)
    there = await says(house, "STOP")
    away = SendError("The provider is away.", code="away", fate=Fate.RETRY)
    house.providers["rcs"].script = [away] * 20
    await due.once(house.means, ANSWERS)
    assert (await confirmation(house, there)).state is AttemptState.INTENDED, "it is tried again"
    house.providers["rcs"].script = []
    house.clock.by += 5 * 60
    await due.once(house.means, ANSWERS)
    late = await confirmation(house, there)
    assert (late.state, late.reason) == (AttemptState.EXPIRED, "expired")
    assert late.id not in house.providers["rcs"].delivered


async def test_who_has_opted_out_is_answered_when_he_writes_again(house):
    await covering(house, Covers.SKILL)
    await alerted(house)
    await says(house, "Where is my bag?")
    for word in ("stop", "Stop!"):
        house.clock.by += 1
        there = await says(house, word)
        assert there.state is State.OPEN
        assert (await answer(house, there)).code == "opted_out"
    house.clock.by += 1
    there = await says(house, "And my bag?")
    turn = await answer(house, there)
    await due.once(house.means, ANSWERS)
    assert turn.id in house.providers["rcs"].delivered
    assert (await newest(house, there)).state is AttemptState.SENT
    assert [one.sender for one in await house.store.conversations_of(SITE, there.recipient)] == ["a-rcs"]
