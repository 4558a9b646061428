"""Whatever a desk and a network do, and wherever a node dies: turns come to the desk in order, none is lost, and none
is there twice unless its answer was lost and the desk cannot tell; answers reach the recipient in order, at most
once."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import heliograph.store
from flow.test_converse import ANSWERS, DESK, ScriptedDesk, alerted, answer, at_desk, says, to_desk
from flow.world import SITE, House, refusal
from heliograph.core.conversation import By
from heliograph.core.states import AttemptState
from heliograph.errors import DeskGone, Fate, SendError
from heliograph.flow import due
from heliograph.flow.means import Limits

EXAMPLES = int(os.environ.get("HELIOGRAPH_CONVERSATIONS", "30"))

# What one call of the desk meets: it is taken; refused before anything was; taken and the answer lost; not taken and no
# answer; closed there meanwhile.
DESK_STEPS = st.sampled_from(["taken", "taken", "refused", "lost", "silent", "gone"])
PROVIDER_STEPS = st.sampled_from(["taken", "taken", "refused", "lost"])
# What happens next: the recipient writes, an agent answers, due work is done, a node dies in the middle of it.
DEEDS = st.lists(st.sampled_from(["write", "write", "answer", "desk", "leave", "die"]), min_size=1, max_size=14)


class RoughDesk(ScriptedDesk):
    """A desk that does to each call what it is told, and remembers what it has."""

    def __init__(self, steps: list[str], tells: bool) -> None:
        super().__init__()
        self.steps = steps
        self.tells = tells
        self.lost: set[str] = set()

    async def say(self, conversation: Any, turn: Any, about: Any, deadline: float) -> Any:
        match self.steps.pop(0) if self.steps else "taken":
            case "refused":
                raise SendError("Not now.", code="refused", fate=Fate.RETRY)
            case "lost":
                self.lost.add(turn.text)
                await super().say(conversation, turn, about, deadline)
                raise SendError("No answer.", code="lost_answer", fate=Fate.UNKNOWN)
            case "silent":
                self.lost.add(turn.text)
                raise SendError("No answer.", code="lost_answer", fate=Fate.UNKNOWN)
            case "gone":
                raise DeskGone("Closed.", code="desk_gone")
        handed = await super().say(conversation, turn, about, deadline)
        await asyncio.sleep(0.001)  # where a node may die: the desk has it, and nobody wrote that down
        return handed

    async def taken(self, conversation: Any, turn: Any, deadline: float) -> bool | None:
        return (turn.text in [text for _, text in self.lines]) if self.tells else None


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    asyncio.run(heliograph.store.migrate(f"sqlite:///{tmp_path}/first.db"))
    yield tmp_path


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    deeds=DEEDS,
    desk_steps=st.lists(DESK_STEPS, max_size=12),
    at_provider=st.lists(PROVIDER_STEPS, max_size=8),
    tells=st.booleans(),
    repeatable=st.booleans(),
)
def test_whatever_happens(folder, deeds, desk_steps, at_provider, tells, repeatable):
    file = folder / f"{uuid4().hex}.db"
    shutil.copy(folder / "first.db", file)
    asyncio.run(_play(file, deeds, desk_steps, at_provider, tells, repeatable))
    for left in folder.glob(f"{file.name}*"):
        left.unlink()


async def _play(
    file: Path, deeds: list[str], desk_steps: list[str], at_provider: list[str], tells: bool, repeatable: bool
) -> None:
    store = await heliograph.store.open(f"sqlite:///{file}", migrate=False)
    house = House(store, Limits(call_deadline=2.0))
    desk = RoughDesk(list(desk_steps), tells)
    await alerted(house)
    await to_desk(house, desk)
    provider = house.providers["rcs"]
    provider.repeats_are_ignored = repeatable
    faults = {"taken": None, "refused": refusal(Fate.RETRY, retry_after=900.0), "lost": refusal(Fate.UNKNOWN)}
    provider.script = [faults[step] for step in at_provider]
    written: list[str] = []
    answers: list[str] = []
    there = await says(house, "first")
    written.append("first")
    for number, deed in enumerate(deeds):
        match deed:
            case "write":
                written.append(f"w{number}")
                await says(house, f"w{number}")
            case "answer":
                turn = await answer(house, there, f"a{number}")
                answers.append(turn.id)
            case "desk" | "leave":
                await _do(house, DESK if deed == "desk" else ANSWERS)
            case "die":
                await _die(house, desk)
    for _ in range(40):
        if not await _do(house, DESK) + await _do(house, ANSWERS):
            break
    lines = [text for _, text in desk.lines]
    once = list(dict.fromkeys(lines))
    assert once == written, "in order, and none is lost"
    for text in written:
        unknown = not tells and (text in desk.lost or "die" in deeds)
        assert lines.count(text) == 1 or unknown, f"{text} is there twice"
    turns = await store.turns(SITE, there.id)
    states = {turn.id: turn.state for turn in turns if turn.by is By.AGENT}
    assert set(states) == set(answers)
    assert not {AttemptState.INTENDED, AttemptState.SENDING} & set(states.values()), "nothing waits for ever"
    sent = [id for id in provider.seen if id in answers]
    assert list(dict.fromkeys(sent)) == [id for id in answers if id in sent], "in order"
    if not repeatable:
        lost = provider.seen.__len__() - len(set(provider.seen))
        assert lost <= at_provider.count("refused") * 4 + 1, "repeated only where nothing was taken"
    await house.means.settle()
    await store.close()


async def _do(house: Any, lane: int) -> int:
    """What is due within a quarter of an hour, as another hour would find it. How many rows that were."""
    now = house.clock.now()
    rows = await house.store.claim_due(now + 950_000, now + due.LEASE, "test", 20, lane)
    for row in rows:
        await due._do(row, house.means)
    return len(rows)


async def _die(house: Any, desk: ScriptedDesk) -> None:
    """A node takes the work of both lanes and dies before, or in the middle of it; its leases run out."""
    now = house.clock.now()
    for lane in (DESK, ANSWERS):
        for row in await house.store.claim_due(now + 950_000, now + 1, "dead", 20, lane):
            work = asyncio.ensure_future(due._do(row, house.means))
            await asyncio.sleep(0.002)
            work.cancel()
            await asyncio.wait([work])
            await house.store.push_due(row)
    house.means = house.another_node()
    at_desk(house, desk)
    await house.means.registry.refresh(house.store)
