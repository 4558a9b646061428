"""Time, ids and waiting."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time, ids and waiting, so that ten thousand schedules run in virtual time."""

    def now(self) -> int: ...
    def loop_time(self) -> float: ...
    def new_id(self) -> str: ...
    async def sleep(self, seconds: float) -> None: ...
