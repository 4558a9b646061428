"""A sender's line to its centre: its binds, what waits for a window, throttling.

A part waits here until a bind has room, whichever it is; only what was written belongs to a bind. So a bind that breaks
takes with it what was unanswered (in doubt), and what waits goes over another, or over the next, once.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections import deque

from heliograph.channels.sms import smpp_answers
from heliograph.channels.sms.smpp_bind import Bind
from heliograph.channels.sms.smpp_faults import fault
from heliograph.channels.sms.smpp_hearing import Hearing
from heliograph.channels.sms.smpp_sending import Part, Sending
from heliograph.channels.sms.smpp_session import Session
from heliograph.channels.sms.smpp_settings import Settings
from heliograph.core.ports import Exchange, Out
from heliograph.errors import SendError

PAUSE_FIRST, PAUSE_MOST = 1.0, 30.0  # seconds that a throttled line is silent, doubled each time
LEAST_SECONDS = 0.02  # with less time left an answer could hardly come, and the message would be in doubt
LAST_WORDS = 0.25  # seconds that a connection gets to close by itself


class Line:
    def __init__(self, settings: Settings, out: Out, hearing: Hearing) -> None:
        """Raises ssl.SSLError for a `ca` that holds no certificate."""
        self._settings = settings
        self._hearing = hearing
        self._loop = asyncio.get_running_loop()
        tls = ssl.create_default_context(cadata=settings.ca or None) if settings.tls else None
        self._waiting: deque[Part] = deque()
        self._binds = [Bind(settings, out, tls, self) for _ in range(settings.binds)]
        self._turn = 0
        self._pauses = 0
        self._paused: asyncio.TimerHandle | None = None
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._ticking: asyncio.TimerHandle | None = None
        self._every = min(1.0, settings.response_timeout / 4, settings.enquire_link / 4, settings.join_within / 4)
        self._last = ""

    def start(self) -> None:
        """Begins to bind; until then whoever sends waits."""
        if self._closing:
            return
        self._tasks = [asyncio.ensure_future(bind.keep()) for bind in self._binds]
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
        if not any(bind.session for bind in self._binds):
            return "connecting"
        return "full"

    def pause_left(self) -> float:
        """Seconds until a throttled line goes on."""
        return max(0.0, self._paused.when() - self._loop.time()) if self._paused is not None else 0.0

    def first(self) -> Session | None:
        """A bind that is up, for what is asked seldom."""
        return next((bind.session for bind in self._binds if bind.session is not None), None)

    def down(self) -> SendError:
        """Why nothing can be asked now."""
        return self._down() or fault("connecting", exchange=self.exchange())

    def exchange(self, method: str = "submit_sm", **more: object) -> Exchange:
        return Exchange(method=method, url=self._settings.shown, **more)  # type: ignore[arg-type]

    def health(self) -> dict[str, object]:
        sessions = [bind.session for bind in self._binds if bind.session is not None]
        return {
            "binds": len(self._binds),
            "binds_up": len(sessions),
            "window": len(sessions) * self._settings.window,
            "window_used": sum(len(session.outstanding) for session in sessions),
            "waiting": len(self._waiting),
            "throttled_for": round(self.pause_left(), 1),
            "last_error": self._last,
        }

    def trouble(self) -> str:
        """Why the line is not as it should be, for an operator; empty where every bind is up."""
        up = sum(bind.session is not None for bind in self._binds)
        if up:
            return "" if up == len(self._binds) else f"{up} of its {len(self._binds)} binds are up"
        down = self._down()
        return f"no bind is up. {down.sentence.replace(' Nothing was sent.', '') if down else 'It is connecting.'}"

    def _pump(self) -> None:
        waiting = self._waiting
        least = self._loop.time() + LEAST_SECONDS
        while waiting and self._paused is None:
            sending = waiting[0].sending
            if sending.stopped or (sending.deadline < least and not sending.begun()):
                waiting.popleft()
                sending.stop("full")
                continue
            session = self._room()
            if session is None:
                return
            session.submit(waiting.popleft())

    def _room(self) -> Session | None:
        """The next bind in turn that has room."""
        binds = self._binds
        for step in range(len(binds)):
            at = (self._turn + step) % len(binds)
            session = binds[at].session
            if session is not None and session.has_room:
                self._turn = at + 1
                return session
        return None

    def _down(self) -> SendError | None:
        """The fault, where no bind is up and no try is under way that could still succeed for those who wait."""
        faults = [bind.fault for bind in self._binds if bind.session is None]
        known = [one for one in faults if one is not None]
        if len(known) < len(self._binds):
            return None
        # A refused bind says more than a broken connection.
        told = next((one for one in known if one.fate == "config"), known[0])
        return SendError(
            told.sentence, code=told.code, fate=told.fate, blame=told.blame, raw=told.raw, exchange=told.exchange
        )

    # ── what sessions tell (smpp_session.Owner) ─────────────────────────────────────────────────────────────────

    def answered(self) -> None:
        if self._waiting:
            self._pump()

    def recovered(self) -> None:
        self._pauses = 0
        self._last = ""

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
            for bind in self._binds:
                if bind.session is not None:
                    bind.session.slow_down()

    def _go_on(self) -> None:
        self._paused = None
        self._pump()

    def back(self, parts: list[Part]) -> None:
        self._waiting.extendleft(reversed(parts))

    def arrived(self, session: Session, command: int, sequence: int, body: bytes) -> None:
        self._hearing.arrived(session, command, sequence, body)

    def left(self, session: Session) -> None:
        for bind in self._binds:
            if bind.session is session:
                bind.session = None
                self._last = self._last or "the line broke"
        self._hearing.broke(session)
        self._pump()

    def said(self, words: str) -> None:
        self._last = words

    def up(self) -> None:
        self._last = ""
        self._pump()

    # ── the binds ───────────────────────────────────────────────────────────────────────────────────────────────────

    def fell(self) -> None:
        """Nobody waits for a line that is down: the attempt is tried again later, or on another channel."""
        if self._waiting and self._down() is not None:
            for sending in dict.fromkeys(part.sending for part in self._waiting):
                sending.stop("down")
            self._waiting.clear()

    def _tick(self) -> None:
        now = self._loop.time()
        for bind in self._binds:
            if bind.session is not None:
                bind.session.tick(now)
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
        sessions = [bind.session for bind in self._binds if bind.session is not None]
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
