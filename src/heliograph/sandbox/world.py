"""The sandbox's world: phones, the senders that providers know, messages and what becomes of them. All in memory."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import OrderedDict
from collections.abc import Iterable, MutableMapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, cast

from heliograph.core.desk_twin import DeskTwin
from heliograph.core.ports import Call, Clock
from heliograph.core.twin import (
    Arrival,
    Happening,
    Kept,
    KnownDesk,
    KnownSender,
    Line,
    Medium,
    Misbehaviour,
    Twin,
    Verb,
)
from heliograph.errors import PlugError
from heliograph.sandbox import desks
from heliograph.sandbox.behaviour import Behaviour
from heliograph.sandbox.callbacks import Callbacks
from heliograph.sandbox.courtesies import Courtesies
from heliograph.sandbox.delivery import PACE, Delivery, Pace
from heliograph.sandbox.feed import Feed
from heliograph.sandbox.handset import Bubble, Handset
from heliograph.sandbox.ledger import MESSAGES, Ledger
from heliograph.sandbox.magic import magic
from heliograph.sandbox.media import Media, Shelf
from heliograph.sandbox.post import Post
from heliograph.sandbox.rule import Asked
from heliograph.sandbox.telling import Telling
from heliograph.sandbox.timers import Timers
from heliograph.sandbox.wrong import Garbled, NotPossible

if TYPE_CHECKING:
    from heliograph.sandbox.story import Story

HANDSETS = 10_000  # the one that was quiet longest goes first
TOKENS = 1_000
SETTLED = 0.05  # seconds between two looks whether anything is under way


class World:
    """Twins are handed in (`plugs.twins()`, `plugs.desk_twins()`): the sandbox knows no provider and no desk by itself.

    The same `seed` and the same calls in the same order give the same story; ids are new each time (a server that knew
    them from an earlier run would drop the events as repeated). `lanes`: callbacks
    posted at once per sender, see callbacks.py; `messages`: ids remembered.
    """

    def __init__(
        self,
        twins: Iterable[Twin | ModuleType],
        *,
        clock: Clock,
        desk_twins: Iterable[DeskTwin | ModuleType] = (),
        seed: int = 0,
        pace: Pace = PACE,
        lanes: int = 1,
        messages: int = MESSAGES,
    ) -> None:
        self.clock = clock
        self.twins = {twin.NAME: twin for twin in map(_twin, twins)}
        self.desk_twins = {twin.NAME: twin for twin in map(desks.twin, desk_twins)}
        self.random = random.Random(seed)
        self.senders: dict[tuple[str, str], KnownSender] = {}
        self.accounts_at_desks: dict[tuple[str, str], KnownDesk] = {}  # by (desk, account)
        self.handsets: OrderedDict[str, Handset] = OrderedDict()
        self.behaviour = Behaviour(seed)
        self.delivery = Delivery(self, pace)
        self.ledger = Ledger(messages)
        self.feed = Feed(clock.now())
        self.media = Media()
        self.lines: dict[str, Line] = {}  # of the twins that have one, by provider; serve.py opens them
        self.timers = Timers(clock)
        self.post = Post()
        self.courtesies = Courtesies(self)
        self.reached_at = ""  # where the server under test last reached it
        self.telling = Telling(self)
        self.callbacks = Callbacks(clock, self.post.send, self.telling.note_callback, lanes=lanes)
        self.seed = self.usual_seed = seed
        self.usual_pace = pace
        self.story: Story | None = None
        self.answering = False  # a twin answers a call over HTTP
        self.garbles = False  # which gets nonsense for an answer
        self._accounts: dict[str, list[str]] = {}
        self._shelves: dict[str, Shelf] = {}
        self._tokens: OrderedDict[str, tuple[str, int]] = OrderedDict()
        self.ended = asyncio.Event()  # calls that are never answered end with the sandbox
        self._timing: asyncio.Task[None] | None = None

    # ── running ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def start(self) -> None:
        if self._timing is None:
            self._timing = asyncio.ensure_future(self.timers.run())
            self._timing.add_done_callback(_report)

    async def stop(self) -> None:
        """Ends what is under way; callbacks that wait are dropped."""
        self.end()
        if self._timing is not None:
            self._timing.cancel()
            await asyncio.gather(self._timing, return_exceptions=True)
            self._timing = None
        await self.callbacks.stop()
        await self.post.close()
        while self.lines:
            await self.lines.popitem()[1].stop()

    def end(self) -> None:
        """Lets go of everybody who waits for something that does not come."""
        self.ended.set()
        self.feed.close()

    async def settle(self, seconds: float) -> bool:
        """Waits until all that is under way came to its end: receipts, readings, callbacks, what a scenario does upon
        them. False if that took longer. Messages that wait for their phones are not waited for."""
        until = self.clock.now() + seconds * 1_000
        quiet = 0
        while quiet < 2:  # twice, because what was just told may have an answer that is still on its way
            quiet = 0 if self.timers.busy or self.telling.busy() else quiet + 1
            if self.clock.now() > until:
                return False
            await self.clock.sleep(SETTLED)
        return True

    async def reset(self) -> None:
        """Empties phones, log, counts, behaviour and what is under way, and starts the story of the seed again.
        Accounts, tokens, senders, templates and files stay: the server under test goes on. Desks forget their
        conversations."""
        await self.callbacks.stop()
        for line in self.lines.values():
            line.clear()
        self.timers.clear()
        self.timers.settled = self.telling.settled if self.story is not None else None
        self.behaviour.reset(self.seed)
        self.ledger.reset()
        numbers = list(self.handsets)
        self.handsets.clear()
        for desk in self.desk_twins:
            self.shelf(desk).clear()
            self.desk_changed(desk)
        self.random.seed(self.seed)
        for number in numbers:
            self.feed.changed(number)
        if self.story is not None:
            self.story.begin()

    # ── what twins ask (core.twin.World) ────────────────────────────────────────────────────────────────────────

    def now(self) -> int:
        return self.clock.now()

    def new_id(self) -> str:
        return self.clock.new_id()

    def sample(self, of: Sequence[str], share: float) -> list[str]:
        return self.random.sample(list(of), round(len(of) * share))

    def add_account(self, email: str, public_key: str) -> None:
        keys = self._accounts.setdefault(email, [])
        if public_key not in keys:
            keys.append(public_key)

    def account_keys(self, email: str) -> tuple[str, ...]:
        return tuple(self._accounts.get(email, ()))

    def grant(self, token: str, scopes: str, until: int) -> None:
        if len(self._tokens) >= TOKENS:
            self._tokens.popitem(last=False)
        self._tokens[token] = (scopes, until)

    def granted(self, token: str) -> tuple[str, int] | None:
        return self._tokens.get(token)

    def add_sender(self, sender: KnownSender) -> None:
        """Registers or replaces an identity at a provider. Callbacks that wait go to its webhook of now."""
        former = self.senders.get((sender.provider, sender.id))
        self.senders[(sender.provider, sender.id)] = sender
        if former is not None and sender.webhook and former.webhook != sender.webhook:
            self.callbacks.moved(sender.id, former.webhook)

    def sender(self, provider: str, sender_id: str) -> KnownSender | None:
        return self.senders.get((provider, sender_id))

    def desks(self, desk: str) -> list[KnownDesk]:
        return [one for one in self.accounts_at_desks.values() if one.desk == desk]

    def add_desk(self, known: KnownDesk) -> None:
        """Registers or replaces an account at a desk. Callbacks that wait go to its webhook of now, at once."""
        former = self.accounts_at_desks.get((known.desk, known.id))
        self.accounts_at_desks[(known.desk, known.id)] = known
        if former is not None and known.webhook:
            self.callbacks.moved(known.id, former.webhook)
        self.desk_changed(known.desk)

    def desk_tells(self, desk: KnownDesk, calls: Sequence[Call], conversation: str = "") -> None:
        desks.post(desk, calls, self, conversation=conversation, kind="told")

    def desk_changed(self, desk: str) -> None:
        """Tells the pages of its accounts."""
        for known in self.desks(desk):
            self.feed.changed(f"{known.desk}/{known.id}")

    def known(self, provider: str) -> list[KnownSender]:
        return [sender for sender in self.senders.values() if sender.provider == provider]

    def new_credentials(self, provider: str) -> dict[str, str]:
        make = getattr(self.twins[provider], "credentials", None)
        return dict(make(self.secret)) if make else {}

    def secret(self, digits: int) -> str:
        """Hex digits that nobody can guess."""
        return secrets.token_hex(digits)[:digits]

    def reach(self, number: str) -> Handset:
        """The phone as it is, or as it would be: asking about a number does not make a phone."""
        return self.handsets.get(number) or _fresh(number)

    def last_said(self, number: str, provider: str, sender: str) -> int | None:
        return self.reach(number).said.get(f"{provider}/{sender}")

    def opted_out(self, number: str, provider: str, sender: str) -> bool:
        row = magic(number)
        if row is not None and row.stopped and row.channel == self._channel(provider):
            return True
        return f"{provider}/{sender}" in self.reach(number).stopped

    def opt_out(self, number: str, provider: str, sender: str, stopped: bool) -> None:
        handset, key = self.handset(number), f"{provider}/{sender}"
        if stopped:
            handset.stopped.add(key)
        else:
            handset.stopped.discard(key)
        self.note("opted_out" if stopped else "opted_in", number=number, sender=sender)
        self.feed.changed(number)

    def misbehaviour(
        self, verb: Verb, number: str, sender: str, message: str = "", *, provider: str = ""
    ) -> Misbehaviour | None:
        if not provider:
            known = ((one.provider, one.id) for one in self.senders.values())
            at_desks = ((one.desk, one.id) for one in self.accounts_at_desks.values())
            provider = next((name for name, id in (*known, *at_desks) if id == sender), "")
        rule = self.behaviour.on_call(
            Asked(
                verb=verb,
                number=number,
                channel=self._channel(provider),
                provider=provider,
                sender=sender,
                message=message,
            )
        )
        if rule is not None:
            self.note("misbehaviour", number=number, sender=sender, message=message, detail=f"{rule.do} on {verb}")
        if rule is not None and rule.do in ("garble", "garble_before"):
            # No twin's affair: it goes on as if nothing were, or is left here, and asgi.py answers. There is no such
            # thing over a line.
            self.garbles = self.answering
            if self.answering and rule.do == "garble_before":
                raise Garbled
            return None
        return rule

    def receipts_rule(self, number: str, bubble: Bubble, after: int) -> Misbehaviour | None:
        asked = Asked(
            verb="create",
            number=number,
            channel=bubble.channel,
            provider=bubble.provider,
            sender=bubble.sender,
            message=bubble.counted,
        )
        return self.behaviour.on_receipts(asked, after)

    def _channel(self, provider: str) -> str:
        twin = self.twins.get(provider)
        return twin.CHANNEL if twin else ""

    def received(self, sender: str, message: str) -> None:
        self.ledger.totals["creates"] += 1
        self.ledger.entry(sender, message).creates += 1

    def earlier(self, sender: str, message: str) -> bytes | None:
        known = self.ledger.find(sender, message)
        if known is None or known.answer is None:
            return None
        self.ledger.totals["repeats"] += 1
        return known.answer

    def spend_id(self, sender: str, event: str) -> None:
        known = self.ledger.entry(sender, event)
        if known.answer is None:
            known.answer = b""

    def kept(self, sender: str, message: str) -> Kept | None:
        return self.ledger.kept(sender, message)

    def keep(self, medium: Medium) -> str:
        return self.media.keep(medium)

    def medium(self, medium_id: str) -> Medium | None:
        return self.media.find(medium_id)

    def shelf(self, provider: str) -> MutableMapping[str, bytes]:
        return self._shelves.setdefault(provider, Shelf())

    async def sleep(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    def note(self, kind: str, *, number: str = "", sender: str = "", message: str = "", detail: str = "") -> None:
        line = self.ledger.note(self.clock.now(), kind, number, sender, message, detail)
        if self.story is not None:
            self.story.noticed(line)

    def writes(self, number: str, provider: str, sender: str, seconds: float) -> None:
        self.courtesies.writes(number, provider, sender, seconds)

    def saw(self, provider: str, sender: str, event: str, *, earlier: bool = False) -> str:
        return self.courtesies.saw(provider, sender, event, earlier=earlier)

    def address(self) -> str:
        return self.reached_at

    # ── messages and phones (the work is delivery.py's) ─────────────────────────────────────────────────────────

    def take(self, arrival: Arrival) -> None:
        self.delivery.take(arrival)

    def withdraw(self, sender: str, number: str, message: str) -> bool:
        return self.delivery.withdraw(sender, number, message)

    def handset(self, number: str) -> Handset:
        """The phone with this number, made if nobody used it yet."""
        handset = self.handsets.get(number)
        if handset is None:
            if len(self.handsets) >= HANDSETS:
                self.feed.forget(self.handsets.popitem(last=False)[0])
            handset = self.handsets[number] = _fresh(number)
        else:
            self.handsets.move_to_end(number)
        return handset

    # ── callbacks ───────────────────────────────────────────────────────────────────────────────────────────────

    def tell(self, bubble: Bubble, happening: Happening) -> None:
        self.telling.tell(bubble, happening)

    def cut(self, provider: str) -> None:
        """Breaks every connection of a provider's line."""
        line = self.lines.get(provider)
        if line is None:
            raise NotPossible(
                f"Provider {provider[:40]!r} has no line here; with one: {', '.join(self.lines) or 'none'}."
            )
        line.cut()
        self.note("cut", detail=provider)


def _twin(module: Twin | ModuleType) -> Twin:
    """Raises PlugError for a module that lacks what core.twin.Twin asks for."""
    lacks = [name for name in _TWIN if not hasattr(module, name)]
    if lacks:
        raise PlugError(f"{module} is not a twin: it does not export {', '.join(lacks)}.", code="plug_broken")
    return cast(Twin, module)


_TWIN = ("NAME", "CHANNEL", "PREFIXES", "body_limit", "answer", "tell", "challenge", "content", "keyword")


def _fresh(number: str) -> Handset:
    row = magic(number)
    if row is None:
        return Handset(number=number)
    return Handset(
        number=number,
        name=row.says,
        has_rcs=row.has_rcs,
        has_wa=row.has_wa,
        has_sms=row.has_sms,
        online=row.online,
        signal=row.signal,
    )


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "timers stopped", "exception": fault, "task": task})
