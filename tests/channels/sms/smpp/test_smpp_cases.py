"""The cases of cases/smpp.json, against a centre that follows them to the letter. For every case besides: no password,
no whole number and no text in the note of the exchange, the error or the log."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

import heliograph.channels.sms
from channels.sms.smpp.conftest import Heard, message, soon, until
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms import smpp_twin_wire as wire
from heliograph.core.content import Content
from heliograph.core.event import ProviderEvent
from heliograph.errors import SendError

DOCUMENT = json.loads((Path(next(iter(heliograph.channels.sms.__path__))) / "cases" / "smpp.json").read_text())


def cases(kind: str) -> Any:
    return pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in DOCUMENT[kind]])


class Script(asyncio.Protocol):
    """Answers each submit with the next of `replies`, the last of which stays."""

    def __init__(self, replies: list[dict[str, Any]]) -> None:
        self.replies = replies
        self.submits: list[wire.Submit] = []
        self.acknowledged: list[int] = []
        self.inlet = wire.Inlet()

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        for pdu in self.inlet.feed(data):
            match pdu.command:
                case n.SUBMIT_SM:
                    self.submits.append(wire.read_submit(pdu))
                    self.answer(pdu, self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])
                case n.BIND_TRANSCEIVER | n.UNBIND:
                    self.put(pdu.command | n.RESP, 0, pdu.sequence, b"case\0")
                case command if command == n.DELIVER_SM | n.RESP:
                    self.acknowledged.append(pdu.status)

    def answer(self, pdu: wire.Pdu, reply: dict[str, Any]) -> None:
        if reply.get("drop"):
            self.transport.abort()
        elif "nack" in reply:
            self.put(n.GENERIC_NACK, reply["nack"], pdu.sequence)
        elif not reply.get("silent"):
            body = wire.string(reply["message_id"]) if "message_id" in reply else b""
            self.put(n.SUBMIT_SM | n.RESP, reply["status"], pdu.sequence, body)

    def put(self, command: int, status: int, sequence: int, body: bytes = b"") -> None:
        self.transport.write(wire.Pdu(command, status, sequence, body).packed())


@pytest.fixture
async def scripted(opened):
    """`await scripted(case)`: a sender with the case's settings, bound to its script."""
    servers = []

    async def start(case: dict[str, Any]) -> tuple[Any, Script]:
        script = Script(list(case.get("replies", ())))
        server = await asyncio.get_running_loop().create_server(lambda: script, "127.0.0.1", 0)
        servers.append(server)
        settings = {**DOCUMENT["settings"], **case.get("settings", {})}
        return await opened(server.sockets[0].getsockname()[1], **settings), script

    yield start
    for server in servers:
        server.close()


def _message(given: dict[str, Any]) -> Any:
    base, content = DOCUMENT["message"], dict(given["content"])
    content["text"] *= content.pop("times", 1)
    return message(
        id=base["id"],
        recipient=base["recipient"],
        content=msgspec.convert(content, Content),
        now=base["now"],
        expires=base["now"] + base["lives_ms"],
    )


def _same(submit: wire.Submit, wanted: dict[str, Any]) -> None:
    octets = submit.octets
    shown = {
        **msgspec.structs.asdict(submit),
        "octets": octets.hex(),
        "length": len(octets),
        "begins": octets.hex()[: len(wanted.get("begins", ""))],
        "ends": octets.hex()[-len(wanted.get("ends", "x")) :],
        "optional": {
            f"{tag:04x}": value.hex()
            for tag, value in submit.optional.items()
            if f"{tag:04x}" in wanted.get("optional", {})
        },
    }
    assert {name: shown[name] for name in wanted} == wanted


@cases("sends")
async def test_send(case, scripted, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    provider, script = await scripted(case)
    given, outcome = _message(case["given"]), case["outcome"]
    kept: tuple[object, ...]
    try:
        taken = await provider.send(given, soon(case.get("deadline", 5.0)))
    except SendError as error:
        told = {"code": error.code, "fate": str(error.fate), "blame": str(error.blame)}
        assert {name: told[name] for name in outcome["error"]} == outcome["error"]
        assert error.sentence.endswith((".", ")"))
        kept = (error.exchange, error.sentence, error.raw)
    else:
        assert list(taken.references) == outcome["taken"]["references"]
        if "raw" in outcome["taken"]:
            assert json.loads(taken.raw) == outcome["taken"]["raw"]
        kept = (taken.exchange,)
    assert kept[0] is not None
    for submit, wanted in zip(script.submits, case.get("submits", script.submits), strict=True):
        if isinstance(wanted, dict):
            _same(submit, wanted)
    assert len(script.submits) == outcome.get("submits", len(script.submits))
    printed = capsys.readouterr()
    told = " ".join(map(repr, kept)) + caplog.text + printed.out + printed.err
    for private in (DOCUMENT["message"]["recipient"][1:], DOCUMENT["settings"]["password"]):
        assert private not in told


@cases("deliveries")
async def test_delivery(case, scripted, heard: Heard):
    _, script = await scripted(case)
    given = case["deliver"]
    if "body" in given:
        body = bytes.fromhex(given["body"])
    else:
        body = wire.deliver(
            source=tuple(given["source"]),
            destination=tuple(given["destination"]),
            esm_class=given["esm_class"],
            data_coding=given["data_coding"],
            octets=bytes.fromhex(given["hex"]) if "hex" in given else given["text"].encode("ascii"),
            optional=b"".join(
                wire.parameter(int(tag, 16), bytes.fromhex(value)) for tag, value in given.get("optional", {}).items()
            ),
        )
    script.put(n.DELIVER_SM, 0, 1, body)
    await until(lambda: script.acknowledged)
    assert script.acknowledged == [n.ROK]
    wanted = [msgspec.convert(event, ProviderEvent) for event in case["events"]]
    assert [msgspec.structs.replace(event, event="", raw=msgspec.Raw(b"")) for event in heard.events] == wanted
    for event in heard.events:
        assert event.event
        assert json.loads(bytes(event.raw)) == case["says"]
    if wanted[0].__class__.__name__ != "Inbound":
        script.put(n.DELIVER_SM, 0, 2, body)  # the same again is the same event
        await until(lambda: len(script.acknowledged) == 2)
        assert len(heard.events) == 1
