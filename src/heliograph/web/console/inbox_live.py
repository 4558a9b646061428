"""What changes in conversations, from flow to the agents' browsers: each change is read and rendered once per process,
and the same bytes go to all who may see that site and skill.

Every event has a number. The last ones are kept, so that a browser that was away for a moment (or a page that was
rendered a moment ago) gets exactly what it missed; where that is not known any more, `missed` tells it to look again.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable

import msgspec

from heliograph.core.conversation import CONSOLE, Conversation, Turn
from heliograph.errors import HeliographError
from heliograph.flow.live import Change
from heliograph.flow.means import Means
from heliograph.telemetry import stack_of

KEPT = 2_000  # events that are kept for those who come back
WAITING = 500  # events that wait for one browser; one that has more to read looks anew
TURNS = 50  # of one conversation in one event
ELSEWHERE = 10  # newest turns that are told where another node changed something
COUNTS = 1.0  # seconds between two counts of a site's queues
QUIET = 60.0  # seconds without a browser after which nothing is rendered any more
KNOWN = 20_000  # conversations whose last state is remembered
SLACK = 2_000  # ms by which another node's clock and commit may be late
BITE = 3  # conversations that other nodes changed, between two looks at what happened here
AGAIN = 0.5  # seconds after which a store that was away is asked again

encode = msgspec.json.Encoder().encode
Rendered = Callable[[Conversation, list[Turn]], dict[str, object]]


class Event(msgspec.Struct, frozen=True, gc=False):
    """`data`: for whom sees `skill`; `gone`: for whom sees `former` alone, the skill that it had before."""

    number: int
    site: str
    skill: str
    data: bytes
    former: str = ""
    gone: bytes = b""


class Seat:
    """One browser: what it may see, and the bytes that wait for it."""

    def __init__(self, sees: Callable[[str], bool], skills: tuple[str, ...], user: str = "") -> None:
        self.user = user
        self._sees = sees
        self._skills = skills
        self._waiting: list[bytes] = []
        self._some = asyncio.Event()

    def tell(self, event: Event) -> None:
        if self._sees(event.site):
            if not self._skills or event.skill in self._skills:
                self.put(event.data)
            elif event.gone and event.former in self._skills:
                self.put(event.gone)

    def put(self, data: bytes) -> None:
        if len(self._waiting) >= WAITING:
            self._waiting = [MISSED]
        self._waiting.append(data)
        self._some.set()

    async def bytes(self, timeout: float) -> bytes:
        """All that waits, empty where nothing came within `timeout` seconds."""
        try:
            async with asyncio.timeout(timeout):
                await self._some.wait()
        except TimeoutError:
            return b""
        self._some.clear()
        found, self._waiting = self._waiting, []
        return b"".join(found)


MISSED = b"event: missed\ndata: {}\n\n"


class Fan:
    """All browsers of this process. It works while one is there, and a minute longer."""

    def __init__(self, rendered: Rendered) -> None:
        self._rendered = rendered
        self._seats: set[Seat] = set()
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._known: OrderedDict[str, tuple[int, str]] = OrderedDict()  # id → touched, skill
        self._count = 0
        self._began = ""
        self._since = 0  # ms; pages are younger
        self._work: asyncio.Task[None] | None = None
        self._counts: dict[str, asyncio.Task[None]] = {}
        self._skills: dict[str, set[str]] = {}  # of a site, those whose counts somebody may look at

    def __len__(self) -> int:
        return len(self._seats)

    def of(self, user: str) -> int:
        """How many browsers of one user are there."""
        return sum(seat.user == user for seat in self._seats)

    def place(self, means: Means) -> str:
        """Where the stream is now: what changes after it is told to whoever takes a seat with it."""
        if self._work is None or self._work.done():
            self._began = means.clock.new_id()[-15:-3].replace("-", "")
            self._kept.clear()
            self._count = 0
            self._since = means.clock.now() - SLACK
            self._work = asyncio.get_running_loop().create_task(self._run(means), name="inbox")
        return f"{self._began}.{self._count}"

    def join(
        self, sees: Callable[[str], bool], skills: tuple[str, ...], after: str, means: Means, user: str = ""
    ) -> Seat:
        """A seat that gets what comes, and first what came after the place `after` (empty: nothing)."""
        now = self.place(means)
        seat = Seat(sees, skills, user)
        began, _, number = after.rpartition(".")
        if after and after != now:
            last = int(number) if number.isdecimal() and len(number) < 16 else -1
            first = self._count - len(self._kept)
            if began != self._began or not first <= last <= self._count or self._count - last >= WAITING:
                seat.put(MISSED)
            else:
                for event in self._kept:
                    if event.number > last:
                        seat.tell(event)
        self._seats.add(seat)
        return seat

    def leave(self, seat: Seat) -> None:
        self._seats.discard(seat)

    async def stop(self) -> None:
        tasks = [task for task in (self._work, *self._counts.values()) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # ── the work ──

    async def _run(self, means: Means) -> None:
        listener = means.live.listen()
        alone_since = means.clock.loop_time()
        later: OrderedDict[tuple[str, str], Change] = OrderedDict()
        try:
            while True:
                found = await listener.changes(0.0 if later else 5.0)
                if self._seats:
                    alone_since = means.clock.loop_time()
                elif means.clock.loop_time() - alone_since > QUIET:
                    return
                if listener.missed:
                    listener.missed = False
                    self._all_missed()
                # What happened here goes first: what other nodes did may be hundreds of conversations at once.
                later |= {(one.site, one.conversation): one for one in found if one.what == "elsewhere"}
                await self._tell([one for one in found if one.what != "elsewhere"], means)
                await self._tell([later.popitem(last=False)[1] for _ in range(min(BITE, len(later)))], means)
        finally:
            means.live.leave(listener)

    async def _tell(self, changes: Iterable[Change], means: Means) -> None:
        grouped: dict[tuple[str, str], list[Change]] = {}
        for change in changes:
            grouped.setdefault((change.site, change.conversation), []).append(change)
        for (site, id), mine in grouped.items():
            try:
                await self._one(site, id, mine, means)
            except HeliographError:  # the store is away: whoever looks is to look again when it is back
                await asyncio.sleep(AGAIN)
                self._all_missed()
            except Exception as error:  # noqa: BLE001  a bug: the others' changes are told all the same
                means.log(
                    "error",
                    "A change of a conversation could not be shown.",
                    action="inbox.broke",
                    error=type(error).__name__,
                    stack=stack_of(error),
                )
                self._all_missed()

    async def _one(self, site: str, id: str, changes: list[Change], means: Means) -> None:
        there = await means.store.conversation(site, id)
        if there is None or there.desk != CONSOLE:
            return
        whats = {change.what for change in changes}
        touched, former = self._known.get(id, (0, there.skill))
        if whats == {"elsewhere"} and (touched == there.touched or there.touched < self._since):
            return  # our own change, seen once more; or one that every page shows already
        if whats == {"typing"}:
            self._say(there, "typing", encode({"site": site, "id": id}))
            return
        turns: list[Turn] = []
        numbers = [change.number for change in changes if change.number]
        if numbers:
            turns = await means.store.turns(site, id, after=min(numbers) - 1, limit=TURNS)
        elif "elsewhere" in whats:
            turns = await means.store.turns(site, id, newest=True, limit=ELSEWHERE)
        self._skills.setdefault(site, set()).update((there.skill, former))
        self._known[id] = (there.touched, there.skill)
        self._known.move_to_end(id)
        if len(self._known) > KNOWN:
            self._known.popitem(last=False)
        said = {**self._rendered(there, turns), "said": "said" in whats}
        self._say(there, "turn", encode(said), former if former != there.skill else "")
        if (whats - {"answered", "handed"}) and site not in self._counts:
            self._counts[site] = asyncio.get_running_loop().create_task(self._count_later(site, means))

    def _say(self, there: Conversation, kind: str, data: bytes, former: str = "") -> None:
        gone = b""
        if former:
            gone = self._wire("gone", encode({"site": there.site, "id": there.id}), self._count + 1)
        self._put(there.site, there.skill, kind, data, former, gone)

    def _put(self, site: str, skill: str, kind: str, data: bytes, former: str = "", gone: bytes = b"") -> None:
        self._count += 1
        event = Event(self._count, site, skill, self._wire(kind, data, self._count), former, gone)
        self._kept.append(event)
        for seat in self._seats:
            seat.tell(event)

    def _wire(self, kind: str, data: bytes, number: int) -> bytes:
        return b"id: %b.%d\nevent: %b\ndata: %b\n\n" % (self._began.encode(), number, kind.encode(), data)

    def _all_missed(self) -> None:
        self._kept.clear()
        for seat in self._seats:
            seat.put(MISSED)

    async def _count_later(self, site: str, means: Means) -> None:
        """The site's queues are counted once a second at most, for all who look."""
        await asyncio.sleep(COUNTS)
        del self._counts[site]  # what changes from here on asks for another count
        try:
            skills = tuple(sorted(self._skills.get(site, ())))  # named, so that an empty one is told too
            for queue in await means.store.queues(site, skills):
                data = encode({"site": site, "skill": queue.skill, "open": queue.open, "unclaimed": queue.unclaimed})
                self._put(site, queue.skill, "queue", data)
        except HeliographError:
            self._all_missed()
