"""Others' SMPP against ours: smpplib and smpp34 bound to our centre, our sender bound to smpp34's."""

from __future__ import annotations

import asyncio
import socket
import threading

import pytest
import smpp34
import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

from channels.sms.smpp.conftest import NUMBER, PASSWORD, SYSTEM, message, soon, until
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_twin_accounts import Ruling
from heliograph.core import sms
from heliograph.core.event import Inbound, Receipt
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError

LONG = "Grüße aus Köln, ^{}\\[~]|€ " * 20


class Smpplib(threading.Thread):
    """A synchronous client in a thread of its own: binds, sends `text`, hears `hears` messages, unbinds."""

    def __init__(self, port: int, text: str, hears: int, password: str = PASSWORD) -> None:
        super().__init__(daemon=True)
        self.client = smpplib.client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
        self.text, self.hears, self.password = text, hears, password
        self.ids: list[str] = []
        self.heard: list[object] = []
        self.fault: Exception | None = None

    def run(self) -> None:
        client = self.client
        try:
            client.connect()
            client.bind_transceiver(system_id=SYSTEM, password=self.password)
            client.set_message_sent_handler(lambda pdu: self.ids.append(pdu.message_id.decode()))
            client.set_message_received_handler(lambda pdu: self.heard.append(pdu) or 0)
            parts, coding, esm_class = smpplib.gsm.make_parts(self.text)
            for part in parts:
                client.send_message(
                    source_addr_ton=5,
                    source_addr="ACME",
                    dest_addr_ton=1,
                    dest_addr_npi=1,
                    destination_addr=NUMBER[1:],
                    short_message=part,
                    data_coding=coding,
                    esm_class=esm_class,
                    registered_delivery=True,
                )
            while len(self.ids) < len(parts) or len(self.heard) < self.hears:
                client.read_once()
            client.unbind()
        except Exception as fault:  # noqa: BLE001  it belongs to the test, which asks for it
            self.fault = fault
        finally:
            client.disconnect()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("text", ["short [one]", "Ж" * 200, "plain words " * 30])
async def test_smpplib_sends_to_our_centre_and_hears_it(centre, text):
    smsc = await centre(took=lambda taken: smsc.receipt(taken, "DELIVRD"))
    parts = len(smpplib.gsm.make_parts(text)[0])
    peer = Smpplib(smsc.port, text, hears=parts + 1)
    peer.start()
    await until(lambda: smsc.counts["taken"] == parts)
    assert [taken.text for taken in smsc.taken.values() if taken.text is not None] == [text]
    smsc.say(SYSTEM, NUMBER, "ACME", "thanks")
    await until(lambda: not peer.is_alive())
    assert peer.fault is None
    assert peer.ids == [str(id) for id in smsc.taken]
    receipts = [pdu for pdu in peer.heard if pdu.esm_class == n.ESM_RECEIPT]
    assert {pdu.receipted_message_id.rstrip(b"\0").decode() for pdu in receipts} == set(peer.ids)
    assert {pdu.message_state for pdu in receipts} == {2}
    assert [pdu.short_message for pdu in peer.heard if not pdu.esm_class] == [b"thanks"]
    await until(lambda: not smsc.binds)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_smpplib_with_a_wrong_password_is_sent_away(centre):
    smsc = await centre()
    peer = Smpplib(smsc.port, "x", hears=0, password="wrong")
    peer.start()
    await until(lambda: not peer.is_alive())
    assert isinstance(peer.fault, smpplib.exceptions.PDUError)
    assert peer.fault.args[1] == n.RINVPASWD


def test_the_alphabets_agree_with_smpplib():
    for char in sms._CODES:
        if char not in "`§\f":  # smpplib's table has no section sign and no form feed, and ` for what is empty
            assert sms.encode_gsm7(char) == smpplib.gsm.gsm_encode(char), char


def test_the_numbers_agree_with_smpplib():
    named = {name.removeprefix("SMPP_"): value for name, value in vars(smpplib.consts).items() if "_ESME_" in name}
    assert named == {name: number for number, name in n.STATUS.items()}


async def test_smpp34_sends_to_our_centre_and_hears_it(centre):
    smsc = await centre(took=lambda taken: smsc.receipt(taken, "UNDELIV", err="011"))
    client = smpp34.Client("127.0.0.1", smsc.port, SYSTEM, PASSWORD)
    bound = await client.connect()
    sent = await bound.submit_sm(
        NUMBER[1:],
        b"hello",
        source_addr="ACME",
        source_addr_ton=5,
        registered_delivery=1,
        tlvs=[smpp34.Tlv(n.TLV_USER_MESSAGE_REFERENCE, b"\x12\x34")],
    )
    (taken,) = smsc.taken.values()
    assert (sent.is_success, sent.message_id, taken.reference) == (True, str(taken.id), 0x1234)
    receipt = await asyncio.wait_for(bound.next(), 5)
    told = {tlv.tag: tlv for tlv in receipt.tlvs}
    assert told[n.TLV_RECEIPTED_MESSAGE_ID].as_string() == str(taken.id)
    assert told[n.TLV_MESSAGE_STATE].as_int() == 5
    assert b"stat:UNDELIV err:011" in receipt.short_message
    smsc.judge = lambda submit, system_id, id: Ruling(status=n.RTHROTTLED)
    assert (await bound.submit_sm(NUMBER[1:], b"hello")).command_status == n.RTHROTTLED
    smsc.say(SYSTEM, NUMBER, "ACME", "ъ")
    said = await asyncio.wait_for(bound.next(), 5)
    assert (said.short_message, said.data_coding) == ("ъ".encode("utf-16-be"), n.UCS2)
    await bound.unbind()
    await client.stop()


class Theirs:
    """smpp34's server; `answer` treats each submit."""

    def __init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.server = smpp34.Server("127.0.0.1", self.port, system_id="theirs")
        self.bound: list[smpp34.Esme] = []
        self.submits: list[smpp34.SubmitSmEvent] = []
        self.status = 0

    async def run(self) -> None:
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.bound.append(event)
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.submits.append(event)
                if self.status:
                    event.reject(self.status)
                else:
                    event.accept(f"{0xA000 + len(self.submits):X}")


@pytest.fixture
async def theirs():
    one = Theirs()
    await one.server.start()
    task = asyncio.ensure_future(one.run())
    yield one
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await one.server.stop()


@pytest.mark.parametrize("long", ["udh", "sar", "payload"])
async def test_our_sender_is_read_by_smpp34(theirs, opened, long):
    provider = await opened(theirs.port, long=long, message_id_base="same", window=1)  # it reads a window in any order
    taken = await provider.send(message(LONG), soon())
    assert taken.references == tuple(f"{0xA000 + at:X}" for at in range(1, len(theirs.submits) + 1))
    text = b""
    for at, submit in enumerate(theirs.submits, 1):
        assert (submit.source_addr, submit.source_addr_ton, submit.destination_addr) == ("ACME", 5, NUMBER[1:])
        told = {tlv.tag: tlv for tlv in submit.tlvs}
        assert len(told[n.TLV_USER_MESSAGE_REFERENCE].value) == 2
        match long:
            case "udh":
                assert submit.esm_class == n.ESM_UDHI
                assert submit.short_message[:3] == b"\x05\x00\x03"
                assert submit.short_message[4:6] == bytes((len(theirs.submits), at))
                text += submit.short_message[6:]
            case "sar":
                assert told[n.TLV_SAR_TOTAL_SEGMENTS].as_int() == len(theirs.submits)
                assert told[n.TLV_SAR_SEGMENT_SEQNUM].as_int() == at
                text += submit.short_message
            case _:
                text += told[n.TLV_MESSAGE_PAYLOAD].value
    assert text == sms.encode_gsm7(LONG)


async def test_our_sender_hears_smpp34(theirs, opened, heard):
    provider = await opened(theirs.port)
    taken = await provider.send(message(), soon())
    (esme,) = theirs.bound
    answer = await esme.deliver_sm(
        "ACME",
        f"id:{0xA001} sub:001 dlvrd:001 submit date:2611251200 done date:2611251201 stat:DELIVRD err:000".encode(),
        source_addr=NUMBER[1:],
        source_addr_ton=1,
        esm_class=n.ESM_RECEIPT,
    )
    assert answer.is_success
    answer = await esme.deliver_sm("ACME", b"yes \x1b\x65", source_addr=NUMBER[1:], source_addr_ton=1)
    assert answer.is_success
    (receipt,) = heard.of(Receipt)
    assert (receipt.state, receipt.reference in taken.references) == (AttemptState.DELIVERED, True)
    assert [said.text for said in heard.of(Inbound)] == ["yes €"]
    heard.away = 1
    answer = await esme.deliver_sm("ACME", b"again", source_addr=NUMBER[1:], source_addr_ton=1)
    assert answer.command_status == n.RX_T_APPN


async def test_our_sender_is_refused_by_smpp34(theirs, opened):
    provider = await opened(theirs.port)
    theirs.status = n.RINVDSTADR
    with pytest.raises(SendError) as caught:
        await provider.send(message(), soon())
    assert (caught.value.code, caught.value.fate) == ("invalid_recipient", Fate.NEXT_CHANNEL)
