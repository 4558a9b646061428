"""A sender's line to its centre: the binds, what waits for a window, throttling, reconnecting.

A part waits here until a bind has room, whichever it is; only what was written belongs to a bind. So a bind that breaks
takes with it what was unanswered (in doubt), and what waits goes over another, or over the next, once.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque

from heliograph.channels.sms import smpp_answers, smpp_pdu
from heliograph.channels.sms.smpp_faults import fault
from heliograph.channels.sms.smpp_hearing import Hearing
from heliograph.channels.sms.smpp_sending import Part, Sending
from heliograph.channels.sms.smpp_session import Session
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.core.ports import Exchange, Out
from heliograph.errors import SendError

PAUSE_FIRST, PAUSE_MOST = 1.0, 30.0  # seconds that a throttled line is silent, doubled each time
STEADY = 5.0  # seconds after which a bind counts as one that worked
LAST_WORDS = 0.25  # seconds that a connection gets to close by itself
SOON = 0.2  # seconds at most before a bind that worked and broke is made again


class Slot:
    """One of a sender's binds. `fault`: why its last try failed; None while it is up or has not failed since."""

    def __init__(self) -> None:
        self.session: Session | None = None
        self.fault: SendError | None = None
        self.failures = 0


class Line:
    def __init__(self, settings: Settings, out: Out, hearing: Hearing) -> None:
        """Raises ssl.SSLError for a `ca` that holds no certificate."""
        self._settings = settings
        self._out = out
        self._hearing = hearing
        self._loop = asyncio.get_running_loop()
        self._tls = ssl.create_default_context(cadata=settings.ca or None) if settings.tls else None
        self._waiting: deque[Part] = deque()
        self._slots = [Slot() for _ in range(settings.binds)]
        self._turn = 0
        self._pauses = 0
        self._paused: asyncio.TimerHandle | None = None
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ticking: asyncio.TimerHandle | None = None
        self._every = min(1.0, settings.response_timeout / 4, settings.enquire_link / 4, settings.join_within / 4)
        self._last = ""

    def start(self) -> None:
        self._tasks = [asyncio.ensure_future(self._keep(slot)) for slot in self._slots]
        for task in self._tasks:
            task.add_done_callback(_report)
        self._tick()

    # ── sending ─────────────────────────────────────────────────────────────────────────────────────────────────

    def put(self, sending: Sending) -> None:
        """The parts wait for a bind with room. Raises SendError where none is up and the last try of each failed."""
        if self._closing:
            raise fault("closed", exchange=self.exchange())
        if (down := self._down()) is not None:
            raise down
        self._waiting.extend(sending.parts)
        self._pump()

    def why(self, sending: Sending) -> str:
        """Why its parts are still waiting, as a word of smpp_faults.py."""
        if sending.throttled:
            return "throttled"
        if not any(slot.session for slot in self._slots):
            return "connecting"
        return "full"

    def pause_left(self) -> float:
        """Seconds until a throttled line goes on."""
        return max(0.0, self._paused.when() - self._loop.time()) if self._paused is not None else 0.0

    def first(self) -> Session | None:
        """A bind that is up, for what is asked seldom."""
        return next((slot.session for slot in self._slots if slot.session is not None), None)

    def down(self) -> SendError:
        """Why nothing can be asked now."""
        return self._down() or fault("connecting", exchange=self.exchange())

    def exchange(self, method: str = "submit_sm", **more: object) -> Exchange:
        return Exchange(method=method, url=self._settings.shown, **more)  # type: ignore[arg-type]

    def health(self) -> dict[str, object]:
        sessions = [slot.session for slot in self._slots if slot.session is not None]
        return {
            "binds": len(self._slots),
            "binds_up": len(sessions),
            "window": len(sessions) * self._settings.window,
            "window_used": sum(len(session.outstanding) for session in sessions),
            "waiting": len(self._waiting),
            "throttled_for": round(self.pause_left(), 1),
            "last_error": self._last,
        }

    def _pump(self) -> None:
        waiting = self._waiting
        while waiting and self._paused is None:
            if waiting[0].sending.stopped:
                waiting.popleft()
                continue
            session = self._room()
            if session is None:
                return
            session.submit(waiting.popleft())

    def _room(self) -> Session | None:
        """The next bind in turn that has room."""
        slots = self._slots
        for step in range(len(slots)):
            at = (self._turn + step) % len(slots)
            session = slots[at].session
            if session is not None and session.has_room:
                self._turn = at + 1
                return session
        return None

    def _down(self) -> SendError | None:
        """The fault, where no bind is up and no try is under way that could still succeed for those who wait."""
        faults = [slot.fault for slot in self._slots if slot.session is None]
        known = [one for one in faults if one is not None]
        if len(known) < len(self._slots):
            return None
        # A refused bind says more than a broken connection.
        told = next((one for one in known if one.fate == "config"), known[0])
        return SendError(
            told.sentence, code=told.code, fate=told.fate, blame=told.blame, raw=told.raw, exchange=told.exchange
        )

    # ── what sessions tell (smpp_session.Owner) ─────────────────────────────────────────────────────────────────

    def answered(self) -> None:
        if self._paused is None:
            self._pauses = 0
            if self._waiting:
                self._pump()

    def throttled(self, part: Part, status: int) -> None:
        """The window stops for a while and opens again slowly; the part waits first in line."""
        part.sending.throttled = status
        part.sending.back()
        self._waiting.appendleft(part)
        if self._paused is None and not self._closing:
            pause = min(PAUSE_MOST, PAUSE_FIRST * 2.0**self._pauses) * random.uniform(0.75, 1.25)
            self._pauses += 1
            self._paused = self._loop.call_later(pause, self._go_on)
            self._last = f"{smpp_answers.name(status)}: paused for {pause:.1f} s"
            for slot in self._slots:
                if slot.session is not None:
                    slot.session.allowed = 1

    def _go_on(self) -> None:
        self._paused = None
        self._pump()

    def back(self, parts: list[Part]) -> None:
        self._waiting.extendleft(reversed(parts))

    def arrived(self, session: Session, command: int, sequence: int, body: bytes) -> None:
        self._hearing.arrived(session, command, sequence, body)

    def left(self, session: Session) -> None:
        for slot in self._slots:
            if slot.session is session:
                slot.session = None
                self._last = self._last or "the line broke"
        self._hearing.broke(session)
        self._pump()

    def said(self, words: str) -> None:
        self._last = words

    # ── binds ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def _keep(self, slot: Slot) -> None:
        """Keeps one bind up: connects, binds, waits until it breaks, and again."""
        while True:
            try:
                session = await self._bound()
            except SendError as failed:
                slot.fault = failed
                slot.failures += 1
                self._last = failed.sentence
                self._fell()
            else:
                slot.session, slot.fault = session, None
                self._last = ""
                began = self._loop.time()
                self._pump()
                await asyncio.shield(session.gone)  # to cancel this task must not pass for the line's end
                if self._loop.time() - began >= STEADY:
                    slot.failures = 0
                slot.failures += 1
                if slot.failures == 1:  # it worked, and the next may: whoever waits is kept waiting
                    await asyncio.sleep(random.uniform(0, SOON))
                    continue
                slot.fault = fault("not_connected", exchange=self.exchange("bind_transceiver"), detail="it hung up")
                self._fell()
            settings = self._settings
            longest = min(settings.reconnect_most, settings.reconnect_least * 2.0 ** min(slot.failures - 1, 16))
            await asyncio.sleep(longest * random.uniform(0.5, 1.0))

    def _fell(self) -> None:
        """Nobody waits for a line that is down: the attempt is tried again later, or on another channel."""
        if self._waiting and self._down() is not None:
            for sending in dict.fromkeys(part.sending for part in self._waiting):
                sending.stop("down")
            self._waiting.clear()

    async def _bound(self) -> Session:
        """A new bind. Raises SendError."""
        settings = self._settings
        note = self.exchange("bind_transceiver")
        deadline = self._loop.time() + settings.bind_timeout
        session: Session | None = None
        try:
            async with asyncio.timeout_at(deadline):
                addresses = await self._out.addresses(settings.host, settings.port)
                session = await self._connected(addresses)
                status = await session.bound
        except TimeoutError:
            if session is not None:
                session.abort("It did not answer the bind.")
            raise fault("not_connected" if session is None else "bind_silent", exchange=note) from None
        except ssl.SSLCertVerificationError as refused:
            raise fault("tls_refused", exchange=note, detail=refused.verify_message) from None
        except ssl.SSLError as broken:
            raise fault("tls_failed", exchange=note, detail=broken.reason or "TLS failed") from None
        except OSError as broken:
            raise fault("not_connected", exchange=note, detail=broken.strerror or "no connection") from None
        except BaseException:
            if session is not None:
                session.abort("The sender is being closed.")
            raise
        if status == 0:
            return session
        session.abort("The bind was refused.")
        if status < 0:
            raise fault("not_connected", exchange=note, detail="it hung up before it answered the bind")
        raise smpp_answers.refused(status, exchange=self.exchange("bind_transceiver", status=status))

    async def _connected(self, addresses: tuple[str, ...]) -> Session:
        """Over the first address that takes us. Raises OSError."""
        settings = self._settings

        def bind(sequence: int) -> bytes:
            return smpp_pdu.bind(
                settings.system_id,
                settings.password,
                settings.system_type,
                ton=settings.ton if settings.address_range else 0,
                npi=settings.npi if settings.address_range else 0,
                address_range=settings.address_range,
                sequence=sequence,
            )

        def made() -> Session:
            return Session(
                self,
                bind,
                window=settings.window,
                enquire_link=settings.enquire_link,
                response_timeout=settings.response_timeout,
                inactivity_timeout=settings.inactivity_timeout,
            )

        name = (settings.tls_name or settings.host) if self._tls is not None else None
        broken: OSError | None = None
        for address in addresses:
            try:
                _, session = await self._loop.create_connection(
                    made, address, settings.port, ssl=self._tls, server_hostname=name
                )
                return session
            except ssl.SSLError:
                raise
            except OSError as fault:
                broken = fault
        raise broken or OSError("no address")

    def _tick(self) -> None:
        now = self._loop.time()
        for slot in self._slots:
            if slot.session is not None:
                slot.session.tick(now)
        self._hearing.tick(now)
        self._ticking = self._loop.call_later(self._every, self._tick)

    async def close(self, deadline: float) -> None:
        """Says good-bye on each bind. What waits was not sent; what is unanswered at the end is in doubt."""
        self._closing = True
        if self._paused is not None:
            self._paused.cancel()
        for sending in dict.fromkeys(part.sending for part in self._waiting):
            sending.stop("closed")
        self._waiting.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        sessions = [slot.session for slot in self._slots if slot.session is not None]
        await asyncio.gather(*(session.leave(deadline) for session in sessions))
        if self._ticking is not None:
            self._ticking.cancel()

        if sessions:
            await asyncio.wait([session.gone for session in sessions], timeout=LAST_WORDS)
        for session in sessions:
            session.abort("The sender is being closed.")


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (broken := task.exception()) is not None:
        task.get_loop().call_exception_handler(
            {"message": "a bind is no longer kept", "exception": broken, "task": task}
        )
