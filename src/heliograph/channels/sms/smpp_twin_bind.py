"""One connection to the centre, seen from the centre."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.channels.sms.smpp_twin_accounts import Ruling

if TYPE_CHECKING:
    from heliograph.channels.sms.smpp_twin_centre import Centre, Delivery

BIND_WITHIN = 30.0  # seconds; who does not bind is sent away


class Bound(asyncio.Protocol):
    """`receives`/`transmits`: by the kind of bind. `unacknowledged`: what was delivered and not answered yet."""

    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self._loop = asyncio.get_running_loop()
        self._inlet = wire.Inlet()
        self._transport: asyncio.Transport | None = None
        self._sequence = 0
        self._unanswered = 0
        self._out: list[bytes] = []
        self._timer: asyncio.TimerHandle | None = None
        self.system_id = ""
        self.receives = self.transmits = False
        self.unacknowledged: dict[int, Delivery] = {}
        self.enquiries = 0
        self.submits = 0
        self.deaf = False  # it reads and says nothing any more
        self.gone: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none of asyncio's classes
        self._timer = self._loop.call_later(BIND_WITHIN, self.drop)
        self._centre.binds.append(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.receives = self.transmits = False
        if self in self._centre.binds:
            self._centre.binds.remove(self)
        if self._timer is not None:
            self._timer.cancel()
        for delivery in self.unacknowledged.values():
            self._centre.later(self.system_id, delivery)
        self.unacknowledged.clear()
        if not self.gone.done():
            self.gone.set_result(None)

    def drop(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def unbind(self) -> None:
        """The centre wants the line closed."""
        self._sequence += 1
        self._put(wire.Pdu(n.UNBIND, 0, self._sequence))

    def data_received(self, data: bytes) -> None:
        if self.deaf:
            return
        try:
            for pdu in self._inlet.feed(data):
                try:
                    self._take(pdu)
                except wire.Garbage as garbage:
                    # The PDU is whole, its body is not: it is refused in kind.
                    self._put(wire.Pdu(pdu.command | n.RESP, garbage.status, pdu.sequence, b""))
        except wire.Garbage as garbage:
            self._put(wire.Pdu(n.GENERIC_NACK, garbage.status, garbage.sequence))
            self._flush()
            if self._transport is not None:
                self._transport.close()

    def deliver(self, delivery: Delivery) -> None:
        self._sequence += 1
        self.unacknowledged[self._sequence] = delivery
        self._put(wire.Pdu(n.DELIVER_SM, 0, self._sequence, delivery.body))

    def _put(self, pdu: wire.Pdu) -> None:
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(pdu.packed())

    def _flush(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def _take(self, pdu: wire.Pdu) -> None:
        command = pdu.command
        if command == n.SUBMIT_SM:
            self._submit(pdu)
        elif command == n.DELIVER_SM | n.RESP:
            self._acknowledged(pdu)
        elif command == n.ENQUIRE_LINK:
            self.enquiries += 1
            self._put(wire.Pdu(n.ENQUIRE_LINK | n.RESP, 0, pdu.sequence))
        elif command in wire.BINDS:
            self._bind(pdu)
        elif command == n.UNBIND:
            self._put(wire.Pdu(n.UNBIND | n.RESP, 0, pdu.sequence))
            self._close()
        elif command == n.UNBIND | n.RESP:
            self._close()
        elif command in (n.QUERY_SM, n.CANCEL_SM):
            self._question(pdu)
        elif not command & n.RESP:
            self._put(wire.Pdu(n.GENERIC_NACK, n.RINVCMDID, pdu.sequence))

    def _close(self) -> None:
        self.receives = self.transmits = False
        self._flush()
        if self._transport is not None:
            self._transport.close()

    def _bind(self, pdu: wire.Pdu) -> None:
        bind = wire.read_bind(pdu)
        if self.system_id:
            self._put(wire.Pdu(pdu.command | n.RESP, n.RALYBND, pdu.sequence))
            return
        ruling = self._centre.admit(bind)
        if ruling.end == "drop":
            self.drop()
        elif ruling.end == "answer" and ruling.delay:
            self._loop.call_later(ruling.delay, self._admit, pdu, bind, ruling.status)
        elif ruling.end == "answer":
            self._admit(pdu, bind, ruling.status)

    def _admit(self, pdu: wire.Pdu, bind: wire.Bind, status: int) -> None:
        if status:
            # A refused bind has no body, §4.1.2.
            self._put(wire.Pdu(pdu.command | n.RESP, status, pdu.sequence))
            return
        self.system_id = bind.system_id
        self.receives = pdu.command != n.BIND_TRANSMITTER
        self.transmits = pdu.command != n.BIND_RECEIVER
        body = wire.string("sandbox") + wire.parameter(n.TLV_SC_INTERFACE_VERSION, bytes((n.VERSION,)))
        self._put(wire.Pdu(pdu.command | n.RESP, 0, pdu.sequence, body))
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._enquire()
        if self.receives:
            self._centre.bound(self)

    def _enquire(self) -> None:
        if every := self._centre.options(self.system_id).enquire:
            self._sequence += 1
            self._put(wire.Pdu(n.ENQUIRE_LINK, 0, self._sequence))
            self._timer = self._loop.call_later(every, self._enquire)

    def _submit(self, pdu: wire.Pdu) -> None:
        centre = self._centre
        centre.counts["submits"] += 1
        self.submits += 1
        if not self.transmits:
            self._put(wire.Pdu(n.SUBMIT_SM | n.RESP, n.RINVBNDSTS, pdu.sequence))
            return
        submit = wire.read_submit(pdu)
        if centre.throttles(self.system_id, self._unanswered + 1):
            centre.counts["throttled"] += 1
            self._put(wire.Pdu(n.SUBMIT_SM | n.RESP, n.RTHROTTLED, pdu.sequence))
            return
        status = 0 if submit.destination.removeprefix("+").isdigit() else n.RINVDSTADR
        id = centre.next_id()
        ruling = centre.judge(submit, self.system_id, id)
        if status or ruling.status:
            self._unanswered += 1
            self._answer(ruling, wire.Pdu(n.SUBMIT_SM | n.RESP, status or ruling.status, pdu.sequence))
            return
        answer = wire.Pdu(n.SUBMIT_SM | n.RESP, 0, pdu.sequence, b"\0")
        if ruling.taken:
            taken = centre.take(submit, self.system_id, id)
            answer = wire.Pdu(n.SUBMIT_SM | n.RESP, 0, pdu.sequence, wire.string(centre.answered_id(taken)))
            if ruling.first:
                centre.receipt(taken, ruling.first)
        self._unanswered += 1
        self._answer(ruling, answer)

    def _answer(self, ruling: Ruling, answer: wire.Pdu) -> None:
        if ruling.end == "hang":
            return
        if ruling.delay:
            self._loop.call_later(ruling.delay, self._answer_now, ruling.end, answer)
        else:
            self._answer_now(ruling.end, answer)

    def _answer_now(self, end: str, answer: wire.Pdu) -> None:
        self._unanswered -= 1
        if end == "drop":
            self.drop()
        else:
            self._put(answer)

    def _acknowledged(self, pdu: wire.Pdu) -> None:
        delivery = self.unacknowledged.pop(pdu.sequence, None)
        if delivery is None:
            return
        if pdu.status == 0:
            self._centre.counts["acknowledged"] += 1
            if delivery.done is not None:
                delivery.done()
        elif pdu.status in (n.RX_T_APPN, n.RMSGQFUL, n.RTHROTTLED, n.RSYSERR):
            self._centre.later(self.system_id, delivery)

    def _question(self, pdu: wire.Pdu) -> None:
        asked = wire.read_query(pdu) if pdu.command == n.QUERY_SM else wire.read_cancel(pdu)
        taken = self._centre.find(self.system_id, asked)
        if taken is None:
            status = n.RQUERYFAIL if pdu.command == n.QUERY_SM else n.RINVMSGID
            self._put(wire.Pdu(pdu.command | n.RESP, status, pdu.sequence))
        elif pdu.command == n.QUERY_SM:
            state = next((state for state, word in n.STATES.items() if word == self._centre.stat(taken)), 7)
            body = wire.string(asked) + b"\0" + bytes((state, 0))
            self._put(wire.Pdu(n.QUERY_SM | n.RESP, 0, pdu.sequence, body))
        else:
            gone = self._centre.withdraw(taken)
            self._put(wire.Pdu(n.CANCEL_SM | n.RESP, 0 if gone else n.RCANCELFAIL, pdu.sequence))
