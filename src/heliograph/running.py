"""The programs that stay: the server and the sandbox, each until SIGINT or SIGTERM."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable
from pathlib import Path

import uvloop

from heliograph import telemetry
from heliograph.app import House
from heliograph.sandbox import Pace
from heliograph.settings import Settings
from heliograph.stage import Stage, set_stage


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


def run(settings: Settings) -> None:
    """Serves until it is told to stop."""

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
    settings: Settings, data: Path, *, webhook: str, seed: int, pace: Pace, ready: Callable[[Stage], None]
) -> None:
    """Serves the simulated outside world until it is told to stop. `ready` is told once it answers. What happens is
    told to the server of these settings; `webhook`: where the RBM agent's events go instead."""

    async def serve() -> None:
        stage = await set_stage(
            data,
            host=settings.sandbox_host,
            port=settings.sandbox_port,
            token=settings.sandbox_token,
            webhook=webhook,
            base_url=f"http://{settings.host}:{settings.port}",
            seed=seed,
            pace=pace,
        )
        try:
            ready(stage)
            await until_stopped()
        finally:
            await stage.sandbox.stop()

    uvloop.run(serve())
