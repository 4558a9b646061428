"""One bind over one connection: what is written, whose answer is awaited, what the centre asks. No task per PDU.

    opening ─► bound ─► leaving ─► gone

What is put on the line in one turn of the event loop leaves in one write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_answers import THROTTLES
from heliograph.channels.sms.smpp_pdu import HEADER, pdu
from heliograph.channels.sms.smpp_sending import Part

SEQUENCES = 0x7FFF_FFFF
LATE = 10_000  # parts whose answer is still welcome although nobody waits for it any more
_SUBMIT_RESP = n.SUBMIT_SM | n.RESP
_NOTHING = b""


class Owner(Protocol):
    """What a session tells the line that it belongs to."""

    def answered(self) -> None: ...  # windows may have opened
    def throttled(self, part: Part, status: int) -> None: ...
    def recovered(self) -> None: ...  # after it throttled, the centre takes something again
    def back(self, parts: list[Part]) -> None: ...  # never given to the network
    def arrived(self, session: Session, command: int, sequence: int, body: bytes) -> None: ...
    def left(self, session: Session) -> None: ...
    def said(self, words: str) -> None: ...  # a fault, for the sender's health


class Session(asyncio.Protocol):
    """`window`: submits without an answer at most; `allowed`: how many of them are right now."""

    def __init__(
        self,
        owner: Owner,
        bind: Callable[[int], bytes],
        *,
        window: int,
        enquire_link: float,
        response_timeout: float,
        inactivity_timeout: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._owner = owner
        self._bind = bind
        self._window = self.allowed = window
        self._enquire_link = enquire_link
        self._response_timeout = response_timeout
        self._inactivity_timeout = inactivity_timeout
        self._transport: asyncio.Transport | None = None
        self._sequence = 0
        self._read = _NOTHING
        self._write: list[bytes] = []
        self._fresh: list[int] = []  # sequence numbers of parts in _write
        self._full = False
        self._slowed = False
        self._bind_sequence = 0
        self._enquired = 0.0  # when; 0 = no enquiry is open
        self._heard = self._loop.time()
        self._asked: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._late: dict[int, Part] = {}
        self.outstanding: dict[int, Part] = {}
        self.is_bound = False
        self.bound: asyncio.Future[int] = self._loop.create_future()  # the status of bind_resp; -1: the line broke
        self.gone: asyncio.Future[None] = self._loop.create_future()
        self.emptied: asyncio.Future[None] | None = None

    # ── what is written ─────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_room(self) -> bool:
        return self.is_bound and not self._full and len(self.outstanding) < self.allowed

    def submit(self, part: Part) -> None:
        """Writes a part; whoever calls has looked for room."""
        sequence = self._next()
        self.outstanding[sequence] = part
        part.at = self._loop.time()
        part.sending.written()
        self._fresh.append(sequence)
        self._put(HEADER.pack(n.HEADER_BYTES + len(part.body), n.SUBMIT_SM, 0, sequence) + part.body)

    def slow_down(self) -> None:
        """The window begins again with one submit, and opens by one with each that is taken."""
        self._slowed, self.allowed = True, 1

    def _recover(self) -> None:
        self.allowed = min(self._window, self.allowed + 1)
        self._slowed = self.allowed < self._window
        self._owner.recovered()

    def ask(self, command: int, body: bytes = _NOTHING) -> asyncio.Future[tuple[int, bytes]]:
        """Another request; the answer is (status, body). It breaks with ConnectionError where the line does."""
        sequence = self._next()
        asked = self._asked[sequence] = self._loop.create_future()
        asked.add_done_callback(lambda _: self._asked.pop(sequence, None))
        if self.gone.done():
            asked.set_exception(ConnectionError("the line broke"))
        self._put(pdu(command, 0, sequence, body))
        return asked

    def acknowledge(self, command: int, sequence: int, status: int) -> bool:
        """Answers a deliver_sm or data_sm; False where the line is gone."""
        if self.gone.done():
            return False
        self._put(pdu(command | n.RESP, status, sequence, b"\0"))
        return True

    def _next(self) -> int:
        self._sequence = self._sequence % SEQUENCES + 1
        return self._sequence

    def _put(self, data: bytes) -> None:
        if not self._write:
            self._loop.call_soon(self._flush)
        self._write.append(data)

    def _flush(self) -> None:
        if self._write and self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._write))
            self._write.clear()
            self._fresh.clear()

    # ── the connection (asyncio.Protocol) ───────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes
        self._bind_sequence = self._next()
        self._put(self._bind(self._bind_sequence))

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        self._owner.answered()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self.gone.done():
            return
        self.is_bound = False
        self.gone.set_result(None)
        if not self.bound.done():
            self.bound.set_result(-1)
        fresh, self._fresh = self._fresh, []
        self._write.clear()
        unsent = [self.outstanding.pop(sequence) for sequence in fresh if sequence in self.outstanding]
        lost, self.outstanding = list(self.outstanding.values()), {}
        self._late.clear()
        for asked in list(self._asked.values()):
            if not asked.done():
                asked.set_exception(ConnectionError("the line broke"))
        for part in unsent:
            part.sending.back()
        self._owner.back(unsent)
        for part in lost:
            part.sending.lose("line_broke")
        self._emptied()
        self._owner.left(self)

    def abort(self, words: str) -> None:
        """The line is of no use any more."""
        self._owner.said(words)
        self.is_bound = False
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard = self._loop.time()
        if self._read:
            data = self._read + data
        at, end, answers = 0, len(data), False
        while end - at >= n.HEADER_BYTES:
            length, command, status, sequence = HEADER.unpack_from(data, at)
            if not n.HEADER_BYTES <= length <= n.PDU_BYTES_MOST:
                # Where a length is wrong nothing after it can be read either.
                self._put(pdu(n.GENERIC_NACK, n.RINVCMDLEN, sequence))
                self._flush()
                self._read = _NOTHING
                self.abort(f"It sent a PDU of {length} bytes, which cannot be.")
                return
            if end - at < length:
                break
            if command == _SUBMIT_RESP:
                answers = True
                self._answered(status, sequence, data, at + n.HEADER_BYTES, at + length)
            else:
                self._other(command, status, sequence, data[at + n.HEADER_BYTES : at + length])
            at += length
        self._read = data[at:]
        if answers:
            self._emptied()
            self._owner.answered()

    # ── what the centre says ────────────────────────────────────────────────────────────────────────────────────

    def _answered(self, status: int, sequence: int, data: bytes, at: int, end: int) -> None:
        part = self.outstanding.pop(sequence, None)
        late = part is None
        if part is None:
            part = self._late.pop(sequence, None)
            if part is None:
                return  # an answer to nothing that we asked
        if status == 0:
            nul = data.find(b"\0", at, end)
            message_id = data[at : end if nul < 0 else nul].decode("latin-1")
            if self._slowed:
                self._recover()
            if late:
                part.sending.found(part, 0, message_id)
            else:
                part.sending.answered(part, 0, message_id)
        elif late:
            part.sending.found(part, status, "")
        elif status in THROTTLES:
            self._owner.throttled(part, status)
        else:
            part.sending.answered(part, status, "")

    def _other(self, command: int, status: int, sequence: int, body: bytes) -> None:
        if command in (n.DELIVER_SM, n.DATA_SM):
            self._owner.arrived(self, command, sequence, body)
        elif command == n.ENQUIRE_LINK:
            self._put(pdu(n.ENQUIRE_LINK | n.RESP, 0, sequence))
        elif command == n.ENQUIRE_LINK | n.RESP:
            self._enquired = 0.0
        elif command == n.UNBIND:
            self._put(pdu(n.UNBIND | n.RESP, 0, sequence))
            self._flush()
            self.is_bound = False
            self._owner.said("It unbound us.")
            if self._transport is not None:
                self._transport.close()
        elif command == n.GENERIC_NACK:
            self._nacked(status or n.RINVCMDID, sequence)
        elif sequence == self._bind_sequence and command & n.RESP:
            if not self.bound.done():
                self.is_bound = status == 0
                self.bound.set_result(status)
        elif command & n.RESP:
            asked = self._asked.get(sequence)
            if asked is not None and not asked.done():
                asked.set_result((status, body))
        elif command not in (n.ALERT_NOTIFICATION, n.OUTBIND):  # these two want no answer
            self._put(pdu(n.GENERIC_NACK, n.RINVCMDID, sequence))

    def _nacked(self, status: int, sequence: int) -> None:
        """The centre could not read what we sent under this number; 0 = it does not know the number either."""
        part = self.outstanding.pop(sequence, None)
        asked = self._asked.get(sequence)
        if part is not None:
            part.sending.answered(part, status, "")
            self._owner.answered()
        elif asked is not None and not asked.done():
            asked.set_result((status, _NOTHING))
        elif sequence == self._bind_sequence and not self.bound.done():
            self.bound.set_result(status)
        else:
            self._owner.said(f"It could not read what we sent ({n.STATUS.get(status, hex(status))}).")

    # ── timers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def tick(self, now: float) -> None:
        """Gives up what has waited too long for its answer, and asks whether the centre is there."""
        if self.gone.done():
            return
        for sequence, part in list(self.outstanding.items()):
            if part.at + self._response_timeout > now:
                break  # they stand in the order of writing
            del self.outstanding[sequence]
            if len(self._late) < LATE:
                self._late[sequence] = part
            part.sending.lose("no_answer")
        if not self.is_bound:
            return
        if now - self._heard > self._inactivity_timeout:
            self.abort(f"Nothing came from it for {self._inactivity_timeout:g} s.")
        elif self._enquired and now - self._enquired > self._response_timeout:
            self.abort(f"It did not answer enquire_link within {self._response_timeout:g} s.")
        elif not self._enquired and now - self._heard > self._enquire_link:
            self._enquired = now
            self._put(pdu(n.ENQUIRE_LINK, 0, self._next()))
        else:
            self._owner.answered()

    # ── the end ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def leave(self, deadline: float) -> None:
        """Unbinds: waits for the answers that are due, says good-bye, closes. At `deadline` it just closes."""
        if self.is_bound:
            self.is_bound = False
            if self.outstanding:
                self.emptied = self._loop.create_future()
                await asyncio.wait((self.emptied, self.gone), timeout=(deadline - self._loop.time()) / 2)
            farewell = self.ask(n.UNBIND)
            farewell.add_done_callback(lambda done: done.cancelled() or done.exception())  # what it says is all one
            await asyncio.wait((farewell, self.gone), timeout=deadline - self._loop.time())
            farewell.cancel()
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def _emptied(self) -> None:
        if self.emptied is not None and not self.emptied.done() and not self.outstanding:
            self.emptied.set_result(None)
