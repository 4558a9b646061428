"""One alert in still time: what a provider answers and tells is said line by line, and hours pass in no time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from flow.still import Inline, StillClock, StillLoop
from flow.world import SITE, House, Scripted, ask
from heliograph.core.alert import Attempt
from heliograph.core.event import OptOutHeard, ProviderEvent, Receipt
from heliograph.core.ports import Heard, Record
from heliograph.core.site import Sender
from heliograph.core.states import AttemptState
from heliograph.flow import due, send
from heliograph.flow.means import Limits
from heliograph.flow.receive import receive
from heliograph.flow.result import Result
from heliograph.store.database import Database


class Stage:
    """A house of ours on a real SQLite file whose worker runs. `providers` are the outside world."""

    def __init__(self, path: Path, loop: StillLoop) -> None:
        clock = StillClock(loop, Random(1))
        self.clock = clock
        self.store = Database(Inline(str(path)), clock.now)
        self.house = House(self.store, Limits(), clock)
        for name in ("wa", "sms"):
            provider = self.house.providers[name]
            provider.repeats_are_ignored = provider.can_revoke = provider.asks_capability = False
        self.alert = ""
        self._events = 0

    def provider(self, channel: str) -> Scripted:
        return self.house.providers[channel]

    async def set_up(self, *channels: str, **more: Any) -> None:
        await self.house.set_up(channels=channels, **more)

    async def send(self, **more: Any) -> Result:
        result = await send.send(ask(**more), (), self.house.means, request_id=self.clock.new_id())
        self.alert = result.alert
        return result

    async def another_sender(self, channel: str, name: str) -> None:
        await self.store.put_sender(Sender(site=SITE, name=name, channel=channel, provider="scripted"))
        await self.house.means.registry.refresh(self.store)

    async def pause(self, channel: str, why: str) -> None:
        await self.store.pause_sender(SITE, f"a-{channel}", why)
        await self.house.means.registry.refresh(self.store)
        self.house.means.healths.of(SITE, f"a-{channel}").paused(self.clock.now())

    async def dies_while_sending(self) -> None:
        """Our process ends while a provider is spoken to, and another one begins."""
        work = asyncio.ensure_future(self.send())
        await asyncio.sleep(1)
        self.alert = next(iter(self.house.means.under_way))
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    async def passes(self, seconds: float) -> None:
        """Time passes while our worker does what is due."""
        await asyncio.sleep(seconds)

    async def tell(self, channel: str, state: AttemptState, *, number: int = 0) -> None:
        """A receipt for the newest attempt on a channel (or the one of that number)."""
        attempt = [
            one for one in (await self.record()).attempts if one.channel == channel and number in (0, one.number)
        ]
        self._events += 1
        await self.hear(channel, Receipt(event=f"e{self._events}", state=state, attempt=attempt[-1].id))

    async def hear(self, channel: str, *events: ProviderEvent) -> None:
        opened = self.house.means.registry.sender(SITE, f"a-{channel}")
        assert opened is not None
        await receive(opened, Heard(events=events), self.house.means)

    async def opt_out(self, channel: str) -> None:
        await self.hear(channel, OptOutHeard(event=f"stop-{channel}", recipient="+17703101414", wanted=False))

    async def record(self) -> Record:
        found = await self.store.record(self.alert)
        assert found is not None
        return found

    async def attempts(self) -> list[Attempt]:
        return list((await self.record()).attempts)

    async def newest(self) -> str:
        """The id of the newest attempt."""
        return (await self.attempts())[-1].id

    async def path(self) -> str:
        """`rcs:revoked sms:sent | sent`: the attempts, and what the alert shows."""
        record = await self.record()
        return f"{' '.join(f'{one.channel}:{one.state}' for one in record.attempts)} | {record.alert.state}"

    async def lines(self, kind: str = "") -> list[tuple[str, dict[str, Any]]]:
        """The timeline: kind and detail of each entry."""
        entries = (await self.record()).entries
        return [(one.kind, msgspec.json.decode(one.detail)) for one in entries if kind in ("", one.kind)]

    async def exceptions(self) -> list[str]:
        return [detail["exception"] for _, detail in await self.lines() if "exception" in detail]

    async def due(self) -> list[str]:
        cursor = self.store._engine.session._cursor  # type: ignore[attr-defined]
        return [row[0] for row in cursor.execute("SELECT kind FROM due ORDER BY kind").fetchall()]


Story = Callable[[Stage], Awaitable[None]]


def still(story: Story) -> Callable[[Path], None]:
    """A test in still time: it is given a Stage (the fixture `migrated_file` is its database)."""

    def played(migrated_file: Path) -> None:
        loop = StillLoop()

        async def whole() -> None:
            stage = Stage(migrated_file, loop)
            worker = asyncio.ensure_future(due.work(stage.house.means))
            try:
                await story(stage)
                assert not [said for said in stage.house.said if said.get("action") == "due.broke"]
            finally:
                worker.cancel()
                await asyncio.gather(worker, return_exceptions=True)
                await stage.house.means.settle()
                await stage.store.close()

        try:
            loop.run_until_complete(whole())
        finally:
            loop.close()

    played.__name__ = getattr(story, "__name__", "story")
    played.__doc__ = story.__doc__
    return played
