"""What is no SMPP, or comes at the wrong time: each side says so in the protocol's words and goes on, or hangs up."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest

from channels.sms.smpp.conftest import NUMBER, PASSWORD, SYSTEM, message, soon, until
from heliograph.channels.sms import smpp_hearing, smpp_pdu
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.core.event import Inbound, UnknownEvent
from heliograph.errors import Fate, SendError


class Raw:
    """A connection to our centre on which anything can be written."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def says(self, data: bytes) -> tuple[int, int, int, bytes]:
        """(command, status, sequence, body) of the answer."""
        self.writer.write(data)
        length, *head = struct.unpack(">4L", await asyncio.wait_for(self.reader.readexactly(16), 5))
        return (*head, await self.reader.readexactly(length - 16))  # type: ignore[return-value]

    async def bind(self, system_id: str = SYSTEM) -> int:
        body = smpp_pdu.bind(system_id, PASSWORD, "", ton=0, npi=0, address_range="", sequence=1)
        return (await self.says(body))[1]


@pytest.fixture
async def raw(centre):
    smsc = await centre()
    reader, writer = await asyncio.open_connection("127.0.0.1", smsc.port)
    yield Raw(reader, writer)
    writer.close()


async def test_our_centre_refuses_in_kind(raw):
    assert (await raw.says(smpp_pdu.pdu(n.SUBMIT_SM, 0, 5, b"")))[:3] == (n.SUBMIT_SM | n.RESP, n.RINVBNDSTS, 5)
    assert await raw.bind() == n.ROK
    assert await raw.bind() == n.RALYBND
    assert (await raw.says(smpp_pdu.pdu(0x0777, 0, 6)))[:3] == (n.GENERIC_NACK, n.RINVCMDID, 6)
    assert (await raw.says(smpp_pdu.pdu(n.SUBMIT_SM, 0, 7, b"\0\1")))[:3] == (n.SUBMIT_SM | n.RESP, n.RINVPARLEN, 7)
    assert (await raw.says(smpp_pdu.pdu(n.QUERY_SM, 0, 8, b"77\0\0\0\0")))[1] == n.RQUERYFAIL
    assert (await raw.says(smpp_pdu.pdu(n.UNBIND, 0, 9)))[:3] == (n.UNBIND | n.RESP, n.ROK, 9)
    assert await raw.reader.read() == b""


@pytest.mark.parametrize("length", [15, 0, 0xFFFF_FFFF])
async def test_our_centre_hangs_up_where_nothing_more_can_be_read(raw, length):
    answer = await raw.says(struct.pack(">4L", length, n.SUBMIT_SM, 0, 3))
    assert answer[:3] == (n.GENERIC_NACK, n.RINVCMDLEN, 3)
    assert await raw.reader.read() == b""


class Rude(asyncio.Protocol):
    """A centre that takes any bind and then writes what it is told."""

    def __init__(self) -> None:
        self.inlet = wire.Inlet()
        self.heard: list[wire.Pdu] = []
        self.ended = False

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: BaseException | None) -> None:
        self.ended = True

    def data_received(self, data: bytes) -> None:
        for pdu in self.inlet.feed(data):
            self.heard.append(pdu)
            if pdu.command == n.BIND_TRANSCEIVER:
                self.says(wire.Pdu(pdu.command | n.RESP, 0, pdu.sequence, b"x\0").packed())

    def says(self, data: bytes) -> None:
        self.transport.write(data)


@pytest.fixture
async def rude(opened):
    made: list[Rude] = []

    def one() -> Rude:
        made.append(Rude())
        return made[-1]

    server = await asyncio.get_running_loop().create_server(one, "127.0.0.1", 0)
    provider = await opened(server.sockets[0].getsockname()[1], reconnect_least=0.05)
    yield made[0], provider
    server.close()


async def test_our_sender_nacks_what_it_does_not_know_and_goes_on(rude, heard):
    other, provider = rude
    for pdu in (
        wire.Pdu(0x0777, 0, 1),
        wire.Pdu(n.SUBMIT_SM | n.RESP, 0, 999, b"9\0"),  # an answer to nothing
        wire.Pdu(n.GENERIC_NACK, n.RINVCMDID, 0),
        wire.Pdu(n.ALERT_NOTIFICATION, 0, 2, b"x"),
        wire.Pdu(n.ENQUIRE_LINK, 0, 3),
        wire.Pdu(n.DELIVER_SM, 0, 4, b"\0"),
        wire.Pdu(n.DATA_SM, 0, 5, b"\0\1\1123\0\0\0A\0\0\0\0" + wire.parameter(n.TLV_MESSAGE_PAYLOAD, b"hi")),
    ):
        other.says(pdu.packed())
    await until(lambda: len(other.heard) >= 5)
    answers = {(pdu.command, pdu.status, pdu.sequence) for pdu in other.heard[1:]}
    assert answers == {
        (n.GENERIC_NACK, n.RINVCMDID, 1),
        (n.ENQUIRE_LINK | n.RESP, 0, 3),
        (n.DELIVER_SM | n.RESP, 0, 4),
        (n.DATA_SM | n.RESP, 0, 5),
    }
    assert [event.kind for event in heard.of(UnknownEvent)] == ["unreadable"]
    assert [event.text for event in heard.of(Inbound)] == ["hi"]
    assert provider.health()["binds_up"] == 1
    assert "RINVCMDID" in str(provider.health()["last_error"])


async def test_our_sender_leaves_a_line_that_cannot_be_read(rude):
    other, provider = rude
    sending = asyncio.ensure_future(provider.send(message(), soon()))
    await until(lambda: len(other.heard) == 2)
    other.says(struct.pack(">4L", 7, n.SUBMIT_SM | n.RESP, 0, 2))
    with pytest.raises(SendError) as caught:
        await sending
    assert caught.value.fate is Fate.UNKNOWN
    await until(lambda: other.ended)
    assert other.heard[-1].command == n.GENERIC_NACK
    await until(lambda: provider.health()["binds_up"] == 1)


async def test_an_answer_in_pieces_is_read(rude):
    other, provider = rude
    sending = asyncio.ensure_future(provider.send(message(), soon()))
    await until(lambda: len(other.heard) == 2)
    for octet in wire.Pdu(n.SUBMIT_SM | n.RESP, 0, other.heard[1].sequence, b"77\0").packed():
        other.says(bytes((octet,)))
        await asyncio.sleep(0)
    assert (await sending).references[0] == "77"


@pytest.mark.parametrize("body", [b"", b"\0", b"77"])
async def test_an_answer_without_an_id_or_its_end_is_taken_all_the_same(rude, body):
    other, provider = rude
    sending = asyncio.ensure_future(provider.send(message(), soon()))
    await until(lambda: len(other.heard) == 2)
    other.says(wire.Pdu(n.SUBMIT_SM | n.RESP, 0, other.heard[1].sequence, body).packed())
    taken = await sending
    assert taken.references[:1] == (("77",) if body == b"77" else ())


async def test_more_than_can_be_kept_waiting_is_told_to_come_again(rude, heard, monkeypatch):
    monkeypatch.setattr(smpp_hearing, "WAITING", 3)
    other, _ = rude
    heard.pause = 0.1
    said = wire.deliver(source=(1, 1, NUMBER[1:]), destination=(0, 0, "A"), esm_class=0, data_coding=0, octets=b"hi")
    other.says(b"".join(wire.Pdu(n.DELIVER_SM, 0, at, said).packed() for at in range(1, 11)))
    await until(lambda: len(other.heard) == 11)
    statuses = [pdu.status for pdu in other.heard[1:]]
    assert statuses.count(n.RX_T_APPN) == 7
    assert len(heard.of(Inbound)) == 3


async def test_a_fault_of_ours_is_told_to_nobody_but_the_loop_and_nothing_is_acknowledged(rude, heard, monkeypatch):
    other, _ = rude
    told: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["exception"]))
    monkeypatch.setattr(type(heard), "__call__", lambda self, events: 1 / 0)
    said = wire.deliver(source=(1, 1, NUMBER[1:]), destination=(0, 0, "A"), esm_class=0, data_coding=0, octets=b"hi")
    other.says(wire.Pdu(n.DELIVER_SM, 0, 1, said).packed())
    await until(lambda: len(other.heard) == 2)
    assert other.heard[1].status == n.RX_T_APPN
    assert [type(fault) for fault in told] == [ZeroDivisionError]
