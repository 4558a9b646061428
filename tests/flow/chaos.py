"""The outside world and our own nodes, as bad as a seed makes them.

Providers refuse, throttle, hang and lose answers; receipts come late, twice, out of order, before our own write, or
never; a revoke is refused, unanswered, or answered though the phone has fetched the message already. Nodes stall and
die at any await, two may run at once, and another goes on with the same store. All of it in virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any

import msgspec

from flow.still import BEGINNING, Inline, StillClock
from flow.world import Counted, Plug
from heliograph.core.alert import AlertRequest
from heliograph.core.channel import Capability, Reach
from heliograph.core.content import Text
from heliograph.core.event import OptOutHeard, Receipt
from heliograph.core.fallback import Doubt, Fallback, Need, Overlap, Rule
from heliograph.core.ports import Answer, Call, Heard, Message, Record, Revoked, Taken, Uploaded
from heliograph.core.site import Hours, QuietHours, Sender, Site
from heliograph.core.states import AttemptState
from heliograph.core.template import Template, Variable
from heliograph.errors import Blame, CallRefused, Fate, SendError, StoreAway
from heliograph.flow import due, send
from heliograph.flow.means import Limits, Means
from heliograph.flow.receive import receive
from heliograph.flow.registry import OpenKey, OpenSender, Registry
from heliograph.store import alerts
from heliograph.store.database import Database

SITE = "25508804"
RECIPIENT = "+17705550101"
# Time begins at 13:46:40 on the recipient's wall.
QUIET = QuietHours(start="13:48", end="13:55", rule=Hours.DELAY, zone="America/New_York")
QUIET_FROM, QUIET_TO = BEGINNING + 80_000, BEGINNING + 500_000
DRIFT = 12_000  # ms that a decision may take: two providers that do not answer whether somebody can be reached
LIMITS = Limits(call_deadline=20.0)


class Kind(msgspec.Struct, frozen=True):
    """What a provider can do."""

    repeats: bool
    revokes: bool
    asks: bool
    named: bool  # our own id comes back with its receipts


KINDS = {
    "rcs": Kind(repeats=True, revokes=True, asks=False, named=True),
    "wa": Kind(repeats=False, revokes=False, asks=False, named=True),
    "sms": Kind(repeats=False, revokes=False, asks=True, named=False),
}


class Told(msgspec.Struct):
    """One message at a provider."""

    channel: str
    sender: str
    message: Message
    reference: str
    state: str = "queued"  # | delivered | failed | expired | revoked
    delivered_at: int | None = None
    late: bool = False  # the revoke was answered 200 and it was delivered all the same
    answered: bool = False  # we were told that it was taken


class World:
    """All that lies outside our process, and our database."""

    def __init__(self, path: str, seed: int, loop: asyncio.AbstractEventLoop) -> None:
        self.rng = rng = Random(seed)
        self.clock = StillClock(loop, rng)
        self.engine = Inline(path)
        self.store = Database(self.engine, self.clock.now)
        self.told: dict[str, Told] = {}
        self.revokes: dict[str, list[str]] = {}
        self.heard_delivered: set[str] = set()
        self.log: list[str] = []
        self.faults: list[str] = []
        self.answers: list[tuple[str, str]] = []  # alert, and what its caller was told
        self.nodes: list[Node] = []
        self.tasks: set[asyncio.Task[Any]] = set()
        self.events = 0
        self.opted_out: dict[str, int] = {}
        self.bad = rng.random() * 1.5  # how bad this world is
        self.stalls = False  # whether a node stands still now and then
        self.twist = rng.choice(["", "stalls", "overlap", "revokes", "doubts", "refusals"])  # what it is worst at
        self.plug = Plug()
        self.documents()

    def documents(self) -> None:
        """A site with one to three channels, and rules for falling back."""
        rng = self.rng
        channels = rng.sample(list(KINDS), 3 if self.twist == "overlap" else rng.choice([1, 2, 2, 2, 3, 3]))
        channels.sort(key=lambda one: one != "rcs" or (rng.random() < 0.3 and self.twist != "revokes"))
        self.site = Site(
            id=SITE,
            skills=("service",),
            channels=tuple(channels),
            fallback=self.fallback(channels, 0.9),
            quiet_hours=QUIET if rng.random() < 0.15 else QuietHours(),
        )
        self.senders = [Sender(site=SITE, name=f"a-{one}", channel=one, provider="scripted") for one in channels]
        if rng.random() < 0.2:
            self.senders.append(Sender(site=SITE, name="b", channel=rng.choice(channels), provider="scripted"))
        self.template = Template(
            site=SITE,
            name="delay",
            version="1",
            variables=(Variable(name="Time"),),
            languages={"en": {"any": Text(text="Flight at @Time")}},
            fallback=self.fallback(channels, 0.2),
        )
        self.reach = {one: rng.choice([Reach.YES] * 5 + [Reach.UNKNOWN, Reach.NO]) for one in channels}

    def fallback(self, channels: list[str], chance: float) -> Fallback:
        rng = self.rng
        if rng.random() > chance:
            return Fallback()
        need: list[Need | None] = [None, Need.DELIVERED, Need.DELIVERED, Need.DELIVERED, Need.SENT, Need.READ]
        within = [None, 0, 5, 10, 30, 30, 60, 60, 120, 900]
        overlap = [None, None, None, Overlap.DENY, Overlap.ALLOW]
        exact = {
            one: Rule(need=rng.choice(need), within=rng.choice(within), overlap=rng.choice(overlap))
            for one in channels
            if rng.random() < 0.2
        }
        if self.twist == "overlap":
            overlap, within = [Overlap.ALLOW], [5, 10, 30]
        if self.twist == "revokes":
            within = [5, 10, 30, 60]
        return Fallback(
            need=rng.choice(need),
            within=rng.choice(within),
            overlap=rng.choice(overlap),
            in_doubt=rng.choice([None, None, Doubt.ASSUME_SENT, Doubt.RESEND]),
            channels=exact,
        )

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability * self.bad

    def say(self, what: str) -> None:
        self.log.append(f"{self.clock.loop_time():10.3f}  {what}")

    def behind(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def records(self) -> list[Record]:
        """Every alert that was accepted."""
        rows = self.engine.session._cursor.execute("SELECT id FROM alerts ORDER BY id").fetchall()
        found = [self.engine.now(alerts.record, row[0]) for row in rows]
        return [record for record in found if record is not None]

    def fault(self, what: str) -> None:
        self.say(f"FAULT: {what}")
        self.faults.append(what)

    # what phones and networks do

    async def deliver(self, told: Told) -> None:
        """The life of a message that a provider took."""
        rng, clock = self.rng, self.clock
        wait = rng.choice([rng.uniform(0.05, 3), rng.uniform(0.05, 20), rng.uniform(5, 200), rng.uniform(30, 3000)])
        ends = (told.message.expires - clock.now()) / 1000
        name = told.message.id[-6:]
        if rng.random() < 0.5:
            self.behind(self.tell(told, AttemptState.SENT))
        if wait >= ends or self.chance(0.15):
            await asyncio.sleep(ends)
            if told.state == "queued":
                told.state = "expired"
                self.say(f"{told.channel} {name} expires at the provider")
                await self.tell(told, AttemptState.EXPIRED)
            return
        await asyncio.sleep(wait)
        if told.state != "queued":
            return
        if self.chance(0.25):
            told.state = "failed"
            self.say(f"{told.channel} {name} fails")
            await self.tell(told, AttemptState.FAILED)
            return
        await self.arrive(told)

    async def arrive(self, told: Told) -> None:
        told.state, told.delivered_at = "delivered", self.clock.now()
        self.say(f"{told.channel} {told.message.id[-6:]} DELIVERED{' late' if told.late else ''}")
        self.behind(self.tell(told, AttemptState.DELIVERED))
        if self.rng.random() < 0.4:
            await asyncio.sleep(self.rng.choice([0.1, 5, 60, 600]))
            await self.tell(told, AttemptState.READ)

    async def tell(self, told: Told, state: AttemptState) -> None:
        """A receipt on its way to us: late, twice, or never."""
        if self.chance(0.12):
            self.say(f"the receipt {state} of {told.message.id[-6:]} is lost")
            return
        self.events += 1
        named = KINDS[told.channel].named
        receipt = Receipt(
            event=f"e{self.events}",
            state=state,
            attempt=told.message.id if named else "",
            reference=told.reference,
            reason="told" if state in (AttemptState.FAILED, AttemptState.EXPIRED) else "",
        )
        for _ in range(2 if self.chance(0.15) else 1):
            late = self.rng.uniform(5, 100) if self.chance(0.15) else self.rng.uniform(0, 1.5)
            self.behind(self.call_back(told, receipt, late))

    async def call_back(self, told: Told, receipt: Receipt, wait: float) -> None:
        """Repeated until one of our nodes says that it has it, for a day."""
        for _ in range(2000):
            await asyncio.sleep(wait)
            if await self.on_a_node(lambda node: node.hear(told, receipt)):
                if receipt.state in (AttemptState.DELIVERED, AttemptState.READ):
                    self.heard_delivered.add(told.message.id)
                return
            wait = 7.0

    async def on_a_node(self, work: Callable[[Node], Awaitable[bool]]) -> bool:
        alive = [node for node in self.nodes if not node.dead]
        if not alive:
            return False
        node = self.rng.choice(alive)
        task = node.task(work(node))
        await asyncio.wait({task, node.died}, return_when=asyncio.FIRST_COMPLETED)
        return task.done() and not task.cancelled() and task.exception() is None and bool(task.result())

    async def opt_out(self, channel: str) -> None:
        await asyncio.sleep(
            self.rng.choice([self.rng.uniform(0, 1), self.rng.uniform(0, 20), self.rng.uniform(0, 200)])
        )
        sender = next(one for one in self.senders if one.channel == channel)
        # Confirmed by the provider itself: the schedules are about alerts, and confirm nothing.
        heard = OptOutHeard(event="stop", recipient=RECIPIENT, wanted=False, confirmed=True)
        await self.store.hear(SITE, channel, sender.name, (heard,), self.clock.now())
        self.opted_out[channel] = self.clock.now()
        self.say(f"opted out of {channel}")


class SimProvider:
    """One sender at its provider, as a node sees it (core.ports.Provider). What it does lies in the world: a node that
    dies takes nothing of it along."""

    def __init__(self, world: World, sender: Sender, node: Node) -> None:
        self.world = world
        self.sender = sender
        self.node = node
        self.kind = KINDS[sender.channel]
        self.repeats_are_ignored = self.kind.repeats
        self.can_revoke = self.kind.revokes
        self.can_ask = self.kind.asks
        self.asks_capability = sender.channel == "rcs"

    async def capability(self, recipient: str, now: int, deadline: float) -> Capability:
        await self.node.breath()
        reach = self.world.reach[self.sender.channel]
        return Capability(reach=reach, asked=now, reason="cannot_reach" if reach is Reach.NO else "")

    async def send(self, message: Message, deadline: float) -> Taken:
        world, channel = self.world, self.sender.channel
        world.say(f"{self.node.name} hands {channel} {message.id[-6:]} to {self.sender.name}")
        self._check(message)
        await self.node.breath()
        if world.clock.loop_time() > deadline:  # as out/ does: no connection in time, nothing was written
            raise self._error(Fate.RETRY, "not_connected")
        if world.chance(0.12):
            raise self._error(Fate.RETRY, "not_connected")
        if world.chance(0.05):
            raise self._error(Fate.RETRY, "throttled", retry_after=world.rng.choice([0.0, 1.0, 8.0, 60.0]))
        no = 0.4 if world.twist == "refusals" else 0.05
        if world.chance(no) and not (self.kind.repeats and message.id in world.told):
            fate = world.rng.choice([Fate.NEXT_CHANNEL, Fate.NEXT_CHANNEL, Fate.PERMANENT, Fate.CONFIG])
            raise self._error(fate, "told")
        lost = 0.3 if world.twist == "doubts" else 0.09
        if world.chance(lost / 2):
            await self._until(deadline)
            raise self._error(Fate.UNKNOWN, "no_answer")
        told = world.told.get(message.id)
        if told is None:
            reference = f"{channel}-{len(world.told)}"
            told = Told(channel=channel, sender=self.sender.name, message=message, reference=reference)
            world.told[message.id] = told
            world.behind(world.deliver(told))
        if world.chance(lost):
            await self._until(deadline)
            raise self._error(Fate.UNKNOWN, "no_answer")
        await asyncio.sleep(world.rng.choice([0.0, 0.01, 0.3, 2.0]))
        if world.clock.loop_time() > deadline:
            raise self._error(Fate.UNKNOWN, "no_answer")
        await self.node.breath()
        told.answered = True
        return Taken(references=(told.reference,), raw=b"{}")

    def _check(self, message: Message) -> None:
        """What must be true whenever something is handed to a provider."""
        world, now = self.world, self.world.clock.now()
        if now >= message.expires:
            world.fault(f"{message.id} is sent after its time to live")
        attempt = world.engine.now(alerts.attempt, message.id)
        if attempt is None:
            world.fault(f"{message.id} is sent before its intent is on disk")
        if attempt.revoke_asked is not None:
            world.fault(f"{message.id} is sent after a revoke was asked")
        if not self.kind.repeats and message.id in world.told:
            world.fault(f"{message.id} is sent twice to a provider that does not ignore repeats")
        quiet = world.site.quiet_hours == QUIET and QUIET_FROM + DRIFT < attempt.created < QUIET_TO
        if quiet and world.twist != "stalls" and not world.stalls:
            world.fault(f"{message.id} was begun in the recipient's quiet hours")
        for scope, since in world.opted_out.items():
            if scope in (attempt.channel, "all") and attempt.created > since:
                world.fault(f"{message.id} was begun after the recipient had opted out of {scope}")

    async def revoke(self, message_id: str, recipient: str, deadline: float) -> Revoked:
        await self.node.breath()
        if self.world.clock.loop_time() > deadline:
            raise self._error(Fate.RETRY, "not_connected")
        world, told = self.world, self.world.told.get(message_id)
        attempt = world.engine.now(alerts.attempt, message_id)
        if attempt is None or attempt.revoke_asked is None:
            world.fault(f"{message_id} is taken back before that is on disk")
        answers = world.revokes.setdefault(message_id, [])
        if world.chance(0.08):
            raise self._error(Fate.RETRY, "not_connected")
        if world.chance(0.1):
            answers.append("refused")
            world.say(f"the revoke of {message_id[-6:]} is refused")
            raise self._error(world.rng.choice([Fate.PERMANENT, Fate.CONFIG]), "told")
        lost = world.chance(0.15)
        done = not (lost and world.rng.random() < 0.5)
        gone = False
        if done and told is not None and told.state == "queued":
            gone = True
            if world.chance(0.1):
                told.late = True
                world.behind(self._fetched_before(told))
            told.state = "revoked"
        word = "unanswered" if lost else "gone" if gone else "not there"
        answers.append(word)
        world.say(f"{self.node.name} revokes {message_id[-6:]}: {word}{'' if done else ', not heard'}")
        if lost:
            await self._until(deadline)
            raise self._error(Fate.UNKNOWN, "no_answer")
        await self.node.breath()
        return Revoked(gone=gone)

    async def _fetched_before(self, told: Told) -> None:
        await asyncio.sleep(self.world.rng.choice([0.0, 1.0, 4.0, 30.0]))
        await self.world.arrive(told)

    async def ask(self, message_id: str, references: tuple[str, ...], deadline: float) -> Receipt | None:
        await self.node.breath()
        if self.world.chance(0.2):
            raise self._error(Fate.RETRY, "not_connected")
        told = self.world.told.get(message_id)
        states = {"queued": "sent", "delivered": "delivered", "failed": "failed", "expired": "expired"}
        if told is None or told.state not in states:
            return None
        return Receipt(event="", state=AttemptState(states[told.state]), reference=told.reference)

    async def upload(self, media: Any, data: bytes, content_type: str, now: int, deadline: float) -> Uploaded:
        raise NotImplementedError

    def read(self, call: Call) -> Heard:
        return Heard(events=(), answer=Answer())

    async def close(self) -> None:
        pass

    async def _until(self, deadline: float) -> None:
        """No answer comes: the connection breaks, or the time is over."""
        left = max(0.0, deadline - self.world.clock.loop_time())
        await asyncio.sleep(left if self.world.rng.random() < 0.5 else min(left, 0.2))
        await self.node.breath()

    def _error(self, fate: Fate, code: str, **more: Any) -> SendError:
        self.world.say(f"  {code} ({fate.value})")
        return SendError("The world is bad.", code=code, fate=fate, blame=Blame.PROVIDER, **more)


class _Store:
    """The store as a node reaches it: it may die, or stall, before a commit and after it."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        verb = getattr(self._node.world.store, name)

        async def reach(*args: Any, **kwargs: Any) -> Any:
            await self._node.breath()
            if self._node.world.chance(0.01):
                raise StoreAway("The world is bad.", code="store_away")
            value = await verb(*args, **kwargs)
            await self._node.breath()
            return value

        return reach


class _Clock(StillClock):
    def __init__(self, node: Node) -> None:
        super().__init__(asyncio.get_running_loop(), node.world.rng)
        self._node = node

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._node.breath()


class Node:
    """One of our processes. It draws `breaths` of them and is dead: what it was about to do then is never done."""

    def __init__(self, world: World, name: str, breaths: int | None, stalls: float) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self.died: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._breaths = breaths
        self._stalls = stalls
        self._tasks: set[asyncio.Task[Any]] = set()
        self.means = Means(
            store=_Store(self),  # type: ignore[arg-type]
            clock=_Clock(self),
            registry=Registry(
                open_key=lambda key: OpenKey(key=key, consumer_secret="", token_secret=""),
                open_sender=lambda sender: OpenSender(
                    sender=sender, plug=world.plug, provider=SimProvider(world, sender, self)
                ),
                closed=lambda provider: None,
            ),
            limits=LIMITS,
            meters=Counted(),  # type: ignore[arg-type]
            log=self._said,
            channels=frozenset(KINDS),
            node=name,
        )

    def _said(self, level: str, sentence: str, **told: Any) -> None:
        if told.get("action") == "due.broke":
            self.world.fault(f"a due row broke: {told.get('error')} at {told.get('place')}")

    async def breath(self) -> None:
        if self._breaths is not None and not self.dead:
            self._breaths -= 1
            if self._breaths <= 0:
                self.die()
        if self.dead:
            await asyncio.get_running_loop().create_future()  # it is never heard of again
        rng = self.world.rng
        if self._stalls and rng.random() < self._stalls:
            await asyncio.sleep(rng.choice([rng.uniform(1, 10), rng.uniform(10, 40), rng.uniform(30, 120)]))
        elif rng.random() < 0.3:
            await asyncio.sleep(rng.uniform(0, 0.05))

    def die(self) -> None:
        self.world.say(f"{self.name} dies")
        self.dead = True
        self.died.set_result(None)

    def task(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self.means.wake.set()

    def bury(self) -> None:
        for task in (*self._tasks, *self.means._behind):
            task.cancel()

    async def run(self) -> None:
        """The node's work until it dies, or until it is cancelled."""
        await self.means.registry.refresh(self.world.store)
        while not self.dead:
            self.means.wake.of(0).clear()
            await self.means.registry.refresh(self.world.store)
            at = self.world.engine.now(_next_due)
            now = self.world.clock.now()
            if at is not None and at <= now:
                for row in await due._claimed(self.means, due.AT_ONCE, 0):
                    self.task(self._do(row))
                await asyncio.sleep(0.01)
                continue
            nap = 60.0 if at is None else min(60.0, (at - now) / 1000 + 0.002)
            wake = asyncio.ensure_future(self.means.wake.of(0).wait())
            await asyncio.wait({wake, self.died}, timeout=nap, return_when=asyncio.FIRST_COMPLETED)
            wake.cancel()
            await asyncio.sleep(0.01)

    async def _do(self, row: Any) -> None:
        self.world.say(f"{self.name} looks at {row.kind} {row.ref[-6:]}")
        await due._do(row, self.means)

    async def hear(self, told: Told, receipt: Receipt) -> bool:
        self.world.say(f"{self.name} hears {receipt.state} of {told.message.id[-6:]}")
        opened = self.means.registry.sender(SITE, told.sender)
        if opened is None:
            return False
        try:
            await receive(opened, Heard(events=(receipt,)), self.means)
        except StoreAway:
            return False
        return True

    async def call(self, request: AlertRequest) -> bool:
        try:
            result = await send.send(request, (), self.means, request_id=self.world.clock.new_id())
        except (CallRefused, StoreAway) as refused:
            self.world.say(f"the caller hears: {refused}")
            return isinstance(refused, CallRefused)
        self.world.say(f"the caller hears: {result.kind} {result.code} by {result.channel}")
        self.world.answers.append((result.alert, result.kind))
        return True


def _next_due() -> Any:
    rows = yield "due_next", (0,)
    return rows[0][0]
