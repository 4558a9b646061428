"""An SMS centre: binds, submits, receipts and messages from phones over real connections.

It knows no phones: who owns it is asked how a submit is to be treated, is told what was taken, and says what becomes of
it (`receipt`, `say`). What no bind acknowledged is delivered again over the next.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_tell as tell
from heliograph.channels.sms import smpp_twin_text as texts
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.channels.sms.smpp_twin_accounts import Account, Options, Ruling
from heliograph.channels.sms.smpp_twin_bind import Bound

IDS = 200_000  # messages remembered for receipts, query_sm and cancel_sm


class Taken(msgspec.Struct, kw_only=True):
    """A message that the centre has. `id` is its number; `text` the whole once every part has come, else None."""

    id: int
    system_id: str
    submit: wire.Submit
    text: str | None
    stat: str = "ENROUTE"
    at: int = 0

    @property
    def number(self) -> str:
        return "+" + self.submit.destination.removeprefix("+")

    @property
    def reference(self) -> int | None:
        found = self.submit.optional.get(n.TLV_USER_MESSAGE_REFERENCE)
        return None if found is None else int.from_bytes(found)


class Delivery(msgspec.Struct, frozen=True):
    """A deliver_sm on its way; `done` is called when it was acknowledged."""

    body: bytes
    done: Callable[[], None] | None = None


class Centre:
    """`account(system_id)`: who that is, None = nobody. `judge(submit, account, id)` says how a submit is treated,
    `admits` how a bind is; `took` is told of each message that was taken, `withdraw` asked whether it can be taken
    back, `stat` for its word of now. `now` gives ms. Ids count from `first_id`."""

    def __init__(
        self,
        account: Callable[[str], Account | None],
        *,
        judge: Callable[[wire.Submit, str, int], Ruling] = lambda submit, system_id, id: Ruling(),
        took: Callable[[Taken], None] = lambda taken: None,
        withdraw: Callable[[Taken], bool] = lambda taken: True,
        stat: Callable[[Taken], str] = lambda taken: taken.stat,
        admits: Callable[[str], Ruling] = lambda system_id: Ruling(),
        now: Callable[[], int] = lambda: round(datetime.now(UTC).timestamp() * 1000),
        first_id: int = 0x0A3F_0001,
    ) -> None:
        self.account = account
        self.judge = judge
        self.admits = admits
        self.stat = stat
        self.taken: OrderedDict[int, Taken] = OrderedDict()
        self.binds: list[Bound] = []
        self.counts = {"submits": 0, "taken": 0, "throttled": 0, "acknowledged": 0, "again": 0}
        self._took = took
        self._withdraw = withdraw
        self._now = now
        self._next_id = first_id
        self._reference = 0
        self._puzzle = texts.Puzzle()
        self._undelivered: dict[str, deque[Delivery]] = {}
        self._again: set[asyncio.TimerHandle] = set()
        self._server: asyncio.Server | None = None
        self._rate: dict[str, tuple[float, int]] = {}
        self.port = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Bound(self), host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Closes the door and every connection."""
        if self._server is not None:
            self._server.close()
        gone = [bound.gone for bound in self.binds]
        for bound in list(self.binds):
            bound.drop()
        if gone:
            await asyncio.wait(gone, timeout=1)

    def clear(self) -> None:
        """Forgets what waits to be delivered."""
        self._undelivered.clear()
        for timer in self._again:
            timer.cancel()
        self._again.clear()

    def drop(self) -> None:
        """Breaks every connection without a word."""
        for bound in list(self.binds):
            bound.drop()

    # ── what comes in (from smpp_twin_bind) ─────────────────────────────────────────────────────────────────────

    def options(self, system_id: str) -> Options:
        account = self.account(system_id)
        return account.options if account is not None else Options()

    def admit(self, bind: wire.Bind) -> Ruling:
        """How a bind is answered."""
        account = self.account(bind.system_id)
        if account is None:
            return Ruling(status=n.RINVSYSID)
        if account.password != bind.password:
            return Ruling(status=n.RINVPASWD)
        ruling = self.admits(bind.system_id)
        same = sum(1 for bound in self.binds if bound.system_id == bind.system_id)
        if not ruling.status and account.options.binds and same >= account.options.binds:
            return Ruling(status=n.RALYBND)
        return ruling

    def throttles(self, system_id: str, unanswered: int) -> bool:
        options = self.options(system_id)
        if options.window and unanswered > options.window:
            return True
        if options.per_second:
            second = asyncio.get_running_loop().time() // 1
            known = self._rate.get(system_id, (second, 0))
            used = known[1] if known[0] == second else 0
            if used >= options.per_second:
                return True
            self._rate[system_id] = (second, used + 1)
        return False

    def next_id(self) -> int:
        self._next_id += 1
        return self._next_id

    def take(self, submit: wire.Submit, system_id: str, id: int) -> Taken:
        spot, octets = texts.spot(submit.esm_class, submit.octets, submit.optional)
        if spot is None:
            text: str | None = texts.read(octets, submit.data_coding)
        else:
            text = self._puzzle.add(submit.source, submit.destination, spot, submit.data_coding, octets)
        taken = Taken(id=id, system_id=system_id, submit=submit, text=text, at=self._now())
        if len(self.taken) >= IDS:
            self.taken.popitem(last=False)
        self.taken[taken.id] = taken
        self.counts["taken"] += 1
        self._took(taken)
        return taken

    def answered_id(self, taken: Taken) -> str:
        """The id as it stands in submit_sm_resp."""
        return f"{taken.id:X}" if self._ids(taken.system_id) == "hex-decimal" else str(taken.id)

    def receipt_id(self, taken: Taken) -> str:
        return f"{taken.id:x}" if self._ids(taken.system_id) == "decimal-hex" else str(taken.id)

    def find(self, system_id: str, message_id: str) -> Taken | None:
        """By the id as it was answered to this account."""
        try:
            found = self.taken.get(int(message_id, 16 if self._ids(system_id) == "hex-decimal" else 10))
        except ValueError:
            return None
        return found if found is not None and found.system_id == system_id else None

    def _ids(self, system_id: str) -> str:
        return self.options(system_id).ids

    def withdraw(self, taken: Taken) -> bool:
        """Takes a message back that is still on its way."""
        if self.stat(taken) not in ("ENROUTE", "ACCEPTD") or not self._withdraw(taken):
            return False
        taken.stat = "DELETED"
        return True

    # ── what goes out ───────────────────────────────────────────────────────────────────────────────────────────

    def receipt(
        self,
        taken: Taken,
        stat: str,
        *,
        err: str = "000",
        network: bytes = b"",
        done: Callable[[], None] | None = None,
    ) -> None:
        """Tells the account what became of a message, if it asked for that (registered_delivery: 1 always, 2 if it
        failed)."""
        taken.stat = stat
        asked = taken.submit.registered & 0x03
        if asked == 0 or (asked == 2 and stat == "DELIVRD"):
            return
        body = tell.receipt(
            taken.submit,
            self.options(taken.system_id),
            id=self.receipt_id(taken),
            stat=stat,
            err=err,
            network=network,
            shown=taken.text or "",
            taken_at=taken.at,
            now=self._now(),
        )
        self.deliver(taken.system_id, Delivery(body, done))

    def say(
        self,
        system_id: str,
        number: str,
        to: str,
        text: str,
        *,
        sar: bool = False,
        done: Callable[[], None] | None = None,
    ) -> None:
        """A phone writes to the account; what is long comes in parts, by user data header or by parameters."""
        self._reference = (self._reference + 1) & 0xFF
        bodies = tell.said(number, to, text, reference=self._reference, sar=sar)
        for at, body in enumerate(bodies, 1):
            self.deliver(system_id, Delivery(body, done if at == len(bodies) else None))

    def deliver(self, system_id: str, delivery: Delivery) -> None:
        """Over the bind that has least to acknowledge; without one it waits."""
        able = [bound for bound in self.binds if bound.system_id == system_id and bound.receives]
        if able:
            min(able, key=lambda bound: len(bound.unacknowledged)).deliver(delivery)
        else:
            self._undelivered.setdefault(system_id, deque(maxlen=IDS)).append(delivery)

    def waiting(self) -> int:
        """How much is not acknowledged yet."""
        held = sum(map(len, self._undelivered.values())) + len(self._again)
        return held + sum(len(bound.unacknowledged) for bound in self.binds)

    def later(self, system_id: str, delivery: Delivery) -> None:
        """It was not taken, and is delivered again after a while."""
        self.counts["again"] += 1

        def again() -> None:
            self._again.discard(timer)
            self.deliver(system_id, delivery)

        timer = asyncio.get_running_loop().call_later(self.options(system_id).again, again)
        self._again.add(timer)

    def bound(self, bound: Bound) -> None:
        """What waited for a bind goes to it."""
        for delivery in self._undelivered.pop(bound.system_id, ()):
            self.deliver(bound.system_id, delivery)
