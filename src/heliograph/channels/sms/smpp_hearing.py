"""Hears what a centre delivers: all that waits is written down in one commit, and only then acknowledged.

What cannot be written down now is answered with a temporary error, and the centre delivers it again. One task per
sender does it, not one per PDU.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

from heliograph.channels.sms import smpp_inbound, smpp_joined
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_followed import Followed
from heliograph.channels.sms.smpp_ids import Ids
from heliograph.channels.sms.smpp_joined import Joined, Whole
from heliograph.channels.sms.smpp_pdu import BadPdu, data, delivered
from heliograph.channels.sms.smpp_repeats import Repeats
from heliograph.channels.sms.smpp_session import Session
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.channels.sms.smpp_text import decoded
from heliograph.core.event import ProviderEvent
from heliograph.errors import StoreAway

AT_ONCE = 500  # events in one commit
WAITING = 20_000  # PDUs that wait to be written down; more are told to come again
RETRY = 1.0  # seconds between tries to write down what nobody will tell us again


class Arrived(NamedTuple):
    session: Session
    command: int
    sequence: int
    body: bytes
    at: float


class _Noted(NamedTuple):
    """An event, who waits for its acknowledgement (None: nobody), and what is done where it is or is not on disk."""

    event: ProviderEvent | None
    arrived: Arrived | None
    kept: Callable[[], None] | None
    undo: Callable[[], None] | None


class Hearing:
    def __init__(
        self,
        settings: Settings,
        heard: Callable[[tuple[ProviderEvent, ...]], Awaitable[None]],
        ids: Ids,
        followed: Followed,
    ) -> None:
        self._settings = settings
        self._heard = heard
        self._ids = ids
        self._followed = followed
        self._joined = Joined(within=settings.join_within, alphabet=settings.alphabet)
        self._arrived: deque[Arrived] = deque()
        self._ours: deque[ProviderEvent] = deque()  # what nobody will tell us again
        self._wake = asyncio.Event()
        self._repeats = Repeats()
        self._task: asyncio.Task[None] | None = None
        self._closing = self._inherited = False

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        self._task.add_done_callback(_report)

    def arrived(self, session: Session, command: int, sequence: int, body: bytes) -> None:
        if len(self._arrived) >= WAITING:
            session.acknowledge(command, sequence, n.RX_T_APPN)
            return
        now = asyncio.get_running_loop().time()
        self._arrived.append(Arrived(session, command, sequence, body, now))
        self._wake.set()

    def tell(self, event: ProviderEvent) -> None:
        """An event of our own making (an answer that came late). It is tried until it is on disk."""
        self._ours.append(event)
        self._wake.set()

    def tick(self, now: float) -> None:
        for whole in self._joined.late(now):
            self.tell(smpp_inbound.inbound(whole))
        self._repeats.tick(now)

    def broke(self, session: Session) -> None:
        """The line is gone: what was acknowledged just now may come again."""
        self._repeats.broke(session, asyncio.get_running_loop().time())

    def inherit(self, former: Hearing) -> None:
        """What another began to put together is gone on with here."""
        self._joined, self._repeats = former._joined, former._repeats
        former._inherited = True

    async def close(self, deadline: float) -> None:
        """Writes down what waits, also long messages that are not whole. What the store does not take until `deadline`
        is delivered again by the centre."""
        for whole in [] if self._inherited else self._joined.rest():
            self.tell(smpp_inbound.inbound(whole))
        self._closing = True
        self._wake.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=max(0.0, deadline - asyncio.get_running_loop().time()))
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if not self._arrived and not self._ours:
                if self._closing:
                    return
                self._wake.clear()
                await self._wake.wait()
            ours = [self._ours.popleft() for _ in range(min(AT_ONCE, len(self._ours)))]
            arrived = [self._arrived.popleft() for _ in range(min(AT_ONCE, len(self._arrived)))]
            noted = [_Noted(event, None, None, None) for event in ours]
            noted += [self._read(one) for one in arrived]
            try:
                events = tuple(one.event for one in noted if one.event is not None)
                if events:
                    await self._heard(events)
            except StoreAway:
                status = n.RX_T_APPN
            except Exception as error:  # noqa: BLE001  whatever it is: nothing was written, and the next may be
                status = n.RX_T_APPN
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "what the SMS centre delivered was not written down", "exception": error}
                )
            else:
                status = n.ROK
            self._settle(noted, status)
            if status:
                self._ours.extendleft(reversed(ours))
                await asyncio.sleep(RETRY if ours else 0)

    def _settle(self, noted: list[_Noted], status: int) -> None:
        now = asyncio.get_running_loop().time()
        for one in noted:
            follow = one.undo if status else one.kept
            if follow is not None:
                follow()
            if one.arrived is None:
                continue
            session, command, sequence, _, _ = one.arrived
            sure = session.acknowledge(command, sequence, status)
            if one.event is None:
                self._repeats.told(session, sequence, now, sure=sure and status == n.ROK)
            elif status == n.ROK:
                self._repeats.answered(session, sequence, now, sure=sure)
            else:
                self._repeats.undone(session, sequence)

    def _read(self, arrived: Arrived) -> _Noted:
        body = arrived.body
        try:
            said = delivered(body) if arrived.command == n.DELIVER_SM else data(body)
        except BadPdu as bad:
            return _Noted(smpp_inbound.unreadable(body, str(bad)), arrived, None, None)
        if smpp_inbound.is_receipt(said):
            event, undo = smpp_inbound.receipt(said, self._settings, self._ids, self._followed)
            return _Noted(event, arrived, None, undo)
        # A receipt that comes again has its id; what a person wrote has none.
        if self._repeats.known(arrived.session, arrived.sequence, body, arrived.at):
            return _Noted(None, arrived, None, None)  # the first is on disk, or is written down in this very commit
        self._repeats.taken(arrived.session, arrived.sequence, body, arrived.at)
        place, octets = smpp_joined.split(said)
        if place is None:
            whole = Whole(
                id=f"m{uuid4().hex}",
                source_ton=said.source_ton,
                source=said.source,
                destination=said.destination,
                text=decoded(octets, said.data_coding, self._settings.alphabet),
            )
            return _Noted(smpp_inbound.inbound(whole), arrived, None, None)
        key, complete = self._joined.take(said, place, octets, asyncio.get_running_loop().time())
        if complete is None:
            text = decoded(octets, said.data_coding, self._settings.alphabet)
            kept = smpp_inbound.part(f"p{uuid4().hex}", said, f"{place.number} of {place.total}", text)
            return _Noted(kept, arrived, None, None)
        return _Noted(smpp_inbound.inbound(complete), arrived, lambda: self._joined.settled(key), None)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        task.get_loop().call_exception_handler({"message": "hearing stopped", "exception": fault, "task": task})
