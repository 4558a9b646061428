"""What a command needs to ask providers by itself: the way out and the senders that can be asked, for as long as it
runs. The server's own rooms (app.py) are not opened."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import heliograph.out
from heliograph import meters, plugs, telemetry
from heliograph.clock import SystemClock
from heliograph.core.ports import Store, Ways
from heliograph.core.site import Sender
from heliograph.errors import SetupError
from heliograph.flow.means import Limits, Means
from heliograph.flow.registry import OpenSender, Registry
from heliograph.seal import Sealer
from heliograph.settings import Settings


@asynccontextmanager
async def asking(settings: Settings, store: Store, sealer: Sealer) -> AsyncIterator[Means]:
    """The means to ask. Senders whose provider answers no questions stay shut: no line is opened for one."""
    out = heliograph.out.open(
        allowed=settings.allowed_host_names,
        allow_private=settings.allow_private_addresses,
        only_allowed=bool(settings.allowed_hosts),
    )
    fence = heliograph.out.Fence(settings.sandbox_host_names)

    async def heard(events: object) -> None:
        raise SetupError("A provider told something to a command that only asks.", code="not_listening")

    def open_sender(sender: Sender) -> OpenSender:
        channel = plugs.channels().get(sender.channel)
        plug = channel.providers.get(sender.provider) if channel else None
        if plug is not None and not getattr(plug, "ASKS", False):
            return OpenSender(sender=sender, plug=plug, provider=None)
        return plugs.open_sender(sender, sealer, Ways(out=out, callback=lambda: "", heard=heard), fence)

    registry = Registry(open_key=lambda key: None, open_sender=open_sender, closed=lambda provider: None)
    clock = SystemClock()
    means = Means(
        store=store,
        clock=clock,
        registry=registry,
        limits=Limits(capability_yes=settings.capability_yes, capability_no=settings.capability_no),
        meters=meters.Meters(),
        log=telemetry.logger(settings.log_level, settings.log_format),
        channels=frozenset(plugs.channels()),
        node=f"command-{os.getpid()}",
    )
    try:
        await registry.refresh(store)
        yield means
    finally:
        for opened in registry.all_senders():
            if opened.provider is not None:
                await opened.provider.close()
        await means.settle()
        await out.close()
