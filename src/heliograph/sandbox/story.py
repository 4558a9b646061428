"""A scenario while it runs: its rules come and go, its acts follow from the log or the clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.sandbox import desks
from heliograph.sandbox.handset import Switches
from heliograph.sandbox.ledger import Line
from heliograph.sandbox.person import ACTIONS, switch
from heliograph.sandbox.scenario import Act, On, PlannedRule, Scenario, agents_deed
from heliograph.sandbox.wrong import NotPossible, Wrong

if TYPE_CHECKING:
    from heliograph.sandbox.world import World

OWN = frozenset({"scenario", "misbehaves", "behaves"})  # kinds of lines that no act follows from


class Story:
    """`begin`, then `noticed` for each line of the log."""

    def __init__(self, world: World, scenario: Scenario) -> None:
        self._world = world
        self.scenario = scenario
        self.done = [0] * len(scenario.act)
        self.failed: list[str] = []
        self._seen = [0] * len(scenario.act)

    def begin(self) -> None:
        """From the start, also where it was told before."""
        self.done = [0] * len(self.scenario.act)
        self.failed = []
        self._seen = [0] * len(self.scenario.act)
        world = self._world
        for phone in self.scenario.phone:
            handset = world.handset(phone.number)
            switches = {name: getattr(phone, name) for name in Switches.__struct_fields__}
            switch(world, handset, Switches(**switches))
        for planned in self.scenario.rule:
            if planned.at:
                world.timers.after(planned.at, partial(self._misbehave, planned), patient=True)
            else:
                self._misbehave(planned)
        for index, act in enumerate(self.scenario.act):
            if act.at is not None:
                world.timers.after(act.at + act.after, partial(self._do, index, act, act.number), patient=True)

    def noticed(self, line: Line) -> None:
        """What follows from a line is done by a timer, never in the middle of what wrote it."""
        if line.kind in OWN:
            return
        for index, act in enumerate(self.scenario.act):
            if act.on is None or not _fits(act.on, line):
                continue
            self._seen[index] += 1
            if act.on.every or self._seen[index] == act.on.nth:
                self._world.timers.after(act.after, partial(self._do, index, act, act.number or line.number, line))

    def shown(self) -> dict[str, Any]:
        acts = [
            {**msgspec.to_builtins(act), "done": done} for act, done in zip(self.scenario.act, self.done, strict=True)
        ]
        return {"running": True, "seed": self._world.seed, "acts": acts, "failed": self.failed}

    def _misbehave(self, planned: PlannedRule) -> None:
        world = self._world
        active = world.behaviour.add(planned.rule())
        world.note("misbehaves", detail=f"rule {active.key}: {planned.do}")
        if planned.until is not None:
            world.timers.after(planned.until - planned.at, partial(self._behave, active.key), patient=True)

    def _behave(self, key: int) -> None:
        self._world.behaviour.remove(key)
        self._world.note("behaves", detail=f"rule {key} ended")

    def _do(self, index: int, act: Act, number: str, line: Line | None = None) -> None:
        world = self._world
        try:
            if act.desk:
                self._at_desk(act, line)
            else:
                self._act(act, number)
        except Wrong as fault:
            self.failed.append(f"act[{index}] {act.do}: {fault}")
            world.note("scenario", number=number, detail=f"act[{index}] {act.do} was not possible: {fault}")
            return
        self.done[index] += 1

    def _at_desk(self, act: Act, line: Line | None) -> None:
        world = self._world
        name, _, id = act.desk.partition("/")
        accounts = [known for known in world.desks(name) if id in ("", known.id)]
        if len(accounts) > 1 and line is not None:
            accounts = [known for known in accounts if known.id == line.sender]
        if len(accounts) != 1:
            raise NotPossible(f"{len(accounts)} accounts are registered as {act.desk!r}; one is right.")
        desks.do(agents_deed(act), accounts[0], world, about=line.message if line is not None else "")

    def _act(self, act: Act, number: str) -> None:
        world = self._world
        if act.do == "cut":
            world.cut(act.provider)
            return
        if not number:
            raise NotPossible("the line that it followed from names no phone; give the act a number.")
        handset = world.handset(number)
        if act.do == "switch":
            switch(world, handset, msgspec.convert(act.body, Switches))
        else:
            shape, do = ACTIONS[act.do]
            do(world, handset, msgspec.convert(act.body, shape))


async def begin(world: World, scenario: Scenario, *, seed: int | None = None) -> Story:
    """Empties the world and begins the story; a reset begins it again. `seed` wins over the scenario's own."""
    given = scenario.seed if seed is None else seed
    world.seed = world.usual_seed if given is None else given
    pace = {name: value for name, value in msgspec.structs.asdict(scenario.pace).items() if value is not None}
    world.delivery.pace = msgspec.structs.replace(world.usual_pace, **pace)
    world.story = story = Story(world, scenario)
    await world.reset()
    return story


async def end(world: World) -> None:
    """Empties the world and leaves it as it was before any story."""
    world.story = None
    world.seed, world.delivery.pace = world.usual_seed, world.usual_pace
    await world.reset()


def _fits(on: On, line: Line) -> bool:
    return (
        on.kind == line.kind
        and on.number in ("", line.number)
        and on.sender in ("", line.sender)
        and on.message in ("", line.message)
        and line.detail.startswith(on.detail)
    )
