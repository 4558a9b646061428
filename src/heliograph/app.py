"""The only file that sees every room: settings → store → plugs → flow → web. Started in order, stopped in reverse."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import heliograph.out
import heliograph.store
from heliograph import meters, plugs, telemetry
from heliograph.clock import SystemClock
from heliograph.core import language, phone
from heliograph.core.desk import SiteDesk
from heliograph.core.event import ProviderEvent
from heliograph.core.ports import Desk, DeskWays, Heard, LooseEnds, Out, Provider, Store, Ways
from heliograph.core.ports.writing import LANES
from heliograph.core.site import Key, Sender
from heliograph.core.webhook import Webhook
from heliograph.errors import HeliographError, StoreAway
from heliograph.firstrun import secret_key_for
from heliograph.flow import due, erase, live, manage, reports
from heliograph.flow.health import Rules
from heliograph.flow.means import Limits, Means
from heliograph.flow.receive import receive
from heliograph.flow.registry import OpenKey, OpenSender, OpenWebhook, Registry, watch
from heliograph.gauges import SenderNow
from heliograph.lock import FileLock
from heliograph.seal import Sealer
from heliograph.settings import Settings, parts
from heliograph.store.housekeeping import MANY
from heliograph.web import address
from heliograph.web.asgi import asgi
from heliograph.web.call import Doors
from heliograph.web.console import inbox_view
from heliograph.web.console.inbox_live import Fan
from heliograph.web.protocol import Limits as ConnectionLimits
from heliograph.web.rates import FailedCredentials, Rates
from heliograph.web.route import Listener
from heliograph.web.routes import standing
from heliograph.web.server import Server

REFRESH_EVERY = 0.4  # seconds: a change made by another process is seen within one second
PURGE_EVERY = 300.0  # seconds
SPARE = 5.0  # seconds beyond the stop's own patience, in which what was cut off comes to its end
LINGER = 60.0  # seconds that a replaced provider may still have calls under way


class House:
    """One running server. `start`, then `stop`; `port` is the public listener's."""

    def __init__(self, settings: Settings, *, log: telemetry.Log | None = None) -> None:
        self.settings = settings
        self.log = log or telemetry.logger(settings.log_level, settings.log_format)
        self.meters = meters.Meters()
        self.port = 0
        self.private_port = 0
        self._stops: list[Callable[[], Awaitable[Any]]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._lingering: dict[asyncio.TimerHandle, Provider | Desk] = {}

    async def start(self) -> None:
        """Opens everything in order. What was opened is closed again if a later step fails."""
        try:
            await self._start()
        except BaseException:
            await self.stop()
            raise

    async def _start(self) -> None:
        settings = self.settings
        phone.preload()
        language.preload()
        plugs.channels()  # a broken plug stops the start, by name
        plugs.desks()
        if settings.embedded:
            lock = FileLock(settings.database_url)
            lock.take()
            self._stops.append(lock.free)
        store = await heliograph.store.open(settings.database_url, migrate=settings.embedded)
        self._stops.append(store.close)
        # A new key is made only where nothing is sealed yet: a forgotten variable must not pass for a first start.
        first_start = not manage.sealed(await store.changes(0)) and not await store.secret(erase.KEY)
        sealer = Sealer(parts(secret_key_for(settings, self._warn, make=first_start)))
        await erase.open_key(store, sealer)
        out = heliograph.out.open(
            allowed=settings.allowed_host_names,
            allow_private=settings.allow_private_addresses,
            only_allowed=bool(settings.allowed_hosts),
        )
        self._stops.append(out.close)
        out_private = heliograph.out.open(
            allowed=settings.allowed_host_names, allow_private=True, only_allowed=bool(settings.allowed_hosts)
        )
        self._stops.append(out_private.close)
        fence = heliograph.out.Fence(settings.sandbox_host_names)
        registry = Registry(
            open_key=lambda key: self._open_key(key, sealer),
            open_sender=lambda sender: plugs.open_sender(sender, sealer, self._ways(sender, out), fence),
            open_desk=lambda setup: plugs.open_desk(setup, sealer, self._desk_ways(setup, out), fence),
            closed=self._linger,
            switched=self._switched,
            open_webhook=lambda webhook: self._open_webhook(webhook, sealer),
            webhook_changed=self._webhook_changed,
        )
        await registry.refresh(store)
        self._stops.append(lambda: self._close_all(registry))
        clock = SystemClock()
        self.means = means = Means(
            store=store,
            clock=clock,
            registry=registry,
            limits=Limits(
                call_deadline=settings.call_deadline,
                repeat_window=settings.repeat_window,
                capability_yes=settings.capability_yes,
                capability_no=settings.capability_no,
                repeat_sends_for=settings.repeat_sends_for,
                breaker=Rules(
                    share=settings.breaker_share,
                    pause=round(settings.breaker_pause * 1000),
                    back=round(settings.breaker_back * 1000),
                ),
                revoke_settle=settings.revoke_settle,
                in_doubt_for=settings.in_doubt_for,
            ),
            meters=self.meters,
            log=self.log,
            channels=frozenset(plugs.channels()),
            node=f"{socket.gethostname()}-{os.getpid()}-{clock.new_id()[-6:]}",
        )
        means.out, means.out_private = out, out_private
        self._stops.append(self._settled)
        self.meters.senders = self._senders_now
        self.meters.waiting = lambda: (means.events.values(), clock.now())
        if settings.embedded:
            await store.break_leases()  # this process alone holds the file: whoever held them is dead
        self._task(watch(registry, store, every=REFRESH_EVERY, failed=self._refresh_failed), "registry")
        self._task(self._purge(store), "purge")
        for lane in (0, *LANES.values()):
            self._task(due.work(means, lane, grace=settings.stop_timeout), f"due {lane}")
        if not settings.embedded:  # other nodes change conversations too
            self._task(live.watch(means.live, store, clock.now), "live")
        self._task(reports.tell(means), "reports")
        await self._listen()

    def _desk_ways(self, setup: SiteDesk, out: Out) -> DeskWays:
        return DeskWays(
            out=out,
            callback=lambda: self._address(f"/callbacks/desk/{setup.desk}/{setup.site}"),
            page=self._address,
        )

    def _address(self, path: str) -> str:
        base = self.settings.public_url or f"http://{self.settings.host}:{self.port or self.settings.port}"
        return base.rstrip("/") + path

    def _ways(self, sender: Sender, out: Out) -> Ways:
        place = f"/callbacks/{sender.channel}/{sender.provider}/{sender.site}/{sender.name}"

        def callback() -> str:
            return self._address(place)

        async def heard(events: tuple[ProviderEvent, ...]) -> None:
            # A sender that was removed is still heard while its line lingers: what is acknowledged must be on disk.
            known = self.means.registry.sender(sender.site, sender.name)
            opened = known or OpenSender(sender=sender, plug=None, provider=None)
            await receive(opened, Heard(events=events), self.means)

        return Ways(out=out, callback=callback, heard=heard)

    async def _listen(self) -> None:
        settings = self.settings
        fan = Fan(inbox_view.rendered)
        self._stops.append(fan.stop)
        doors = Doors(
            settings=settings,
            means=self.means,
            meters=self.meters,
            log=self.log,
            plate=address.doorplate(settings.public_url, settings.trusted_proxies),
            failed=FailedCredentials(settings.failed_credentials),
            rates=Rates(),
            fan=fan,
            routes=standing(console=settings.console, desks=plugs.desks()),
        )
        limits = ConnectionLimits(
            header_limit=settings.header_limit,
            header_size=settings.header_size,
            body_limit=settings.body_limit,
            body_timeout=settings.body_timeout,
            idle_timeout=settings.idle_timeout,
            connections=settings.max_concurrency,
        )
        if settings.private_port is not None:
            private = Server(
                asgi(doors, Listener.PRIVATE), settings.host, settings.private_port, limits, ended=self._ended
            )
            self.private_port = await private.start()
            self._stops.append(lambda: private.stop(1.0))
        public = Server(asgi(doors), settings.host, settings.port, limits, ended=self._ended)
        self.port = await public.start()
        self._stops.append(lambda: public.stop(settings.stop_timeout))
        self.log("info", "heliograph serves.", action="started", port=self.port, node=self.means.node)

    async def stop(self) -> None:
        """No new call, what is under way is finished, the rest is left to its lease."""
        while self._stops:
            await self._stopped(self._stops.pop())

    async def _stopped(self, step: Callable[[], Awaitable[Any]]) -> None:
        """Takes one step of the way out; one that breaks keeps no later one from being taken."""
        try:
            await step()
        except Exception as error:  # noqa: BLE001  whatever broke, the rest must still be closed
            self.log(
                "error",
                "A step of the stop broke; the rest is stopped all the same.",
                action="stop.failed",
                error=type(error).__name__,
                stack=telemetry.stack_of(error),
            )

    def _task(self, work: Any, name: str) -> None:
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        task.set_name(name)
        if not self._tasks:
            self._stops.append(self._tasks_ended)
        self._tasks.append(task)

    async def _tasks_ended(self) -> None:
        """All at once, so that a stop waits for what is under way once and not once for each; how each ended is told by
        _ended. One that does not end is asked again and then left behind: a stop comes to its end."""
        left = set(self._tasks)
        for patience in (self.settings.stop_timeout + SPARE, SPARE):
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=patience)
            if not left:
                return
        names = ", ".join(sorted(task.get_name() for task in left))
        self.log("error", f"Tasks did not end and are left behind: {names}.", action="stop.left")

    async def _settled(self) -> None:
        """What runs behind answers is waited for, but not for ever: its due row, or nobody, needs it."""
        try:
            async with asyncio.timeout(self.settings.stop_timeout + SPARE):
                await self.means.settle()
        except TimeoutError:
            self.log("error", "Work behind answers did not end and is left behind.", action="stop.left")

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that should run for ever broke on a bug: better a restart than a server that forgets half its work."""
        if not task.cancelled() and (error := task.exception()) is not None:
            try:
                self.log(
                    "critical",
                    f"The task {task.get_name()} broke; the server stops.",
                    action="task.broke",
                    error=type(error).__name__,
                    stack=telemetry.stack_of(error),
                )
            finally:
                os.kill(os.getpid(), signal.SIGTERM)

    def _senders_now(self) -> list[SenderNow]:
        means, now = self.means, self.means.clock.now()
        none = LooseEnds(site="", sender="")
        return [
            SenderNow(
                provider=opened.sender.provider,
                report=reports.report(opened, means, now),
                in_doubt=(ends := means.loose_ends.get((opened.sender.site, opened.sender.name), none)).in_doubt,
                unmatched=ends.unmatched,
            )
            for opened in means.registry.all_senders()
        ]

    def _switched(self, sender: Sender, anew: bool) -> None:
        """An operator's pause and resumption, here or at another node, stand in this node's log with the name; what
        heliograph itself does is told where it happens. One that is resumed or has other settings begins anew."""
        if anew or (sender.paused_by and not sender.paused):
            self.means.healths.forget(sender.site, sender.name)
        if anew or not sender.paused_by:
            return
        self.log(
            "warning",
            f"An operator paused the sender: {sender.paused}." if sender.paused else "An operator resumed the sender.",
            action="sender.paused" if sender.paused else "sender.resumed",
            by=sender.paused_by,
            site=sender.site,
            sender=sender.name,
        )

    def _linger(self, provider: Provider | Desk) -> None:
        """A provider that was replaced may still have calls under way: it is closed in a minute, or at the end."""

        def close() -> None:
            self._lingering.pop(handle)
            self.means.behind(_shut(provider))

        handle = asyncio.get_running_loop().call_later(LINGER, close)
        self._lingering[handle] = provider

    async def _close_all(self, registry: Registry) -> None:
        for handle in self._lingering:
            handle.cancel()
        in_use = [opened.provider for opened in registry.all_senders() if opened.provider is not None]
        desks = [opened.desk for opened in registry.all_desks() if opened.desk is not None]
        for one in (*self._lingering.values(), *in_use, *desks):
            await self._stopped(partial(_shut, one))

    def _open_key(self, key: Key, sealer: Sealer) -> OpenKey | None:
        try:
            return open_key(key, sealer)
        except HeliographError as error:
            self.log("error", error.sentence, action="key.sealed", key=key.consumer_key)
        except Exception as error:  # noqa: BLE001  this key's fault alone; the words may hold what was unsealed
            sentence = "A key could not be opened; calls signed with it are refused."
            self.log("error", sentence, action="key.sealed", key=key.consumer_key, error=type(error).__name__)
        return None

    def _open_webhook(self, webhook: Webhook, sealer: Sealer) -> OpenWebhook:
        try:
            return OpenWebhook(webhook=webhook, secrets=tuple(map(sealer.open, webhook.secrets)))
        except HeliographError as error:
            self.log("error", error.sentence, action="webhook.sealed", site=webhook.site)
            return OpenWebhook(webhook=webhook, secrets=(), fault="its secret cannot be opened")

    def _webhook_changed(self, site: str) -> None:
        """What was learned of the endpoint that it had says nothing of this one."""
        if hasattr(self, "means"):
            self.means.endpoints.forget(site)

    def _refresh_failed(self, error: Exception) -> None:
        self.log("warning", "The registry could not be refreshed.", action="registry.stale", error=type(error).__name__)

    def _warn(self, sentence: str) -> None:
        self.log("warning", sentence, action="secret_key.made")

    async def _purge(self, store: Store) -> None:
        while True:
            try:
                removed = MANY
                while removed >= MANY:  # each purge takes a bounded bite: alerts get in between
                    removed = await store.purge(SystemClock().now())
                    await asyncio.sleep(0.05)
            except StoreAway:
                self.log("warning", "The store is away; the purge waits.", action="purge.store_away")
            await asyncio.sleep(PURGE_EVERY)


async def _shut(one: Provider | Desk) -> None:
    await (one.shut() if hasattr(one, "shut") else one.close())


def open_key(key: Key, sealer: Sealer) -> OpenKey:
    """A key with its secrets opened. Raises SetupError where no secret key opens them."""
    if key.digest:
        return OpenKey(key=key, consumer_secret="", token_secret="")  # a bearer key has no secret to open
    return OpenKey(
        key=key,
        consumer_secret=sealer.open(key.consumer_secret),
        token_secret=sealer.open(key.token_secret) if key.token_secret else "",
    )
