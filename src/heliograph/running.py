"""The programs that stay: the server and the sandbox, each until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import uvloop

from heliograph import telemetry
from heliograph.app import House
from heliograph.sandbox import Pace, Scenario, begin
from heliograph.settings import Settings
from heliograph.stage import Stage, Webhook, set_stage


async def until_stopped() -> None:
    """Returns at SIGINT or SIGTERM."""
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, asked.set)
    await asked.wait()


def calm_collector() -> None:
    """What was made at the start (phone metadata, templates) stays and need not be looked at again; an alert makes no
    cycles, so looking less often costs no memory."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 100)


def let_work_end() -> None:
    """Asks Linux not to interrupt one of our threads whenever another has something to do (SCHED_BATCH, which needs no
    right). The event loop, the store's writer and the HTTP client wake each other twice an alert; each time the caches
    are swept. Measured on one core: 2.0 to 0.02 interruptions and 350 to 285 us CPU per alert. Threads made later
    inherit it. Elsewhere, and where a container forbids it, nothing changes."""
    if hasattr(os, "SCHED_BATCH"):
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def run(settings: Settings) -> None:
    """Serves until it is told to stop."""

    let_work_end()

    async def serve() -> None:
        house = House(settings)
        telemetry.take_over(house.log)
        await house.start()
        calm_collector()
        try:
            await until_stopped()
        finally:
            house.log("info", "heliograph stops.", action="stopping")
            await house.stop()

    uvloop.run(serve())


def run_sandbox(
    settings: Settings,
    data: Path,
    *,
    webhook: Webhook,
    providers: Sequence[str] = (),
    line_ports: Mapping[str, int] = {},
    scenario: Scenario | None = None,
    seed: int | None = None,
    pace: Pace,
    ready: Callable[[Stage], None],
) -> None:
    """Serves the simulated outside world until it is told to stop. `ready` is told once it answers."""

    async def serve() -> None:
        stage = await set_stage(
            data,
            host=settings.sandbox_host,
            port=settings.sandbox_port,
            token=settings.sandbox_token,
            webhook=webhook,
            providers=providers,
            line_ports=line_ports,
            seed=seed or 0,
            pace=pace,
        )
        try:
            if scenario is not None:
                await begin(stage.sandbox.world, scenario, seed=seed)
            ready(stage)
            await until_stopped()
        finally:
            await stage.sandbox.stop()

    uvloop.run(serve())
