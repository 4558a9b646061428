"""SMS by SMPP: parts per second through one bind to a centre on the other core.

    python benchmarks/smpp.py [--parts 20000] [--rounds 3] [--window 64] [--centre smpp34|twin|bare] [--long]

The sender is the real one (pace, encoding, window, ids), driven by twice as many tasks as the window holds. `bare` is
the cheapest centre there can be: it answers each submit with a ready id, so that only the sender is measured.
`--receipts` has the twin answer each part with a receipt too, which the sender reads and acknowledges.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import struct
import subprocess
import sys
import time
from typing import Any

import uvloop

import heliograph.out
from heliograph.channels.sms import smpp
from heliograph.core.content import Text
from heliograph.core.ports import Message, Ways
from heliograph.core.site import Sender
from heliograph.running import calm_collector

NOW = 1_795_402_843_120
SHORT = "Your flight HG 2041 to Lisbon leaves at 18:40 from gate B12, 35 minutes late. Reply 1 to rebook."
LONG = SHORT * 4  # three parts


class Bare(asyncio.Protocol):
    """Answers bind and submit by their numbers alone."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.held = b""

    def data_received(self, data: bytes) -> None:
        data, at, answers = self.held + data, 0, []
        while len(data) - at >= 16:
            length, command, _, sequence = struct.unpack_from(">4L", data, at)
            if len(data) - at < length:
                break
            body = b"%x\0" % sequence if command in (4, 9) else b""
            answers.append(struct.pack(">4L", 16 + len(body), command | 0x8000_0000, 0, sequence) + body)
            at += length
        self.held = data[at:]
        self.transport.write(b"".join(answers))


async def centre(kind: str, receipts: bool) -> None:
    """A centre of its own process: prints its port."""
    if kind == "bare":
        server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Event().wait()
    elif kind == "twin":
        from heliograph.channels.sms.smpp_twin_accounts import Account
        from heliograph.channels.sms.smpp_twin_centre import Centre, Taken

        def took(taken: Taken) -> None:
            if receipts:
                asyncio.get_running_loop().call_later(0.02, smsc.receipt, taken, "DELIVRD")

        smsc = Centre({"acme": Account("pw")}.get, took=took)
        await smsc.start()
        calm_collector()
        print(smsc.port, flush=True)
        await asyncio.Event().wait()
    else:
        import socket

        import smpp34

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        server = smpp34.Server("127.0.0.1", port, system_id="bench")
        await server.start()
        print(port, flush=True)
        count = 0
        while True:
            event = await server.next()
            if isinstance(event, smpp34.SubmitSmEvent):
                count += 1
                event.accept(f"{count:x}")


async def sender(port: int, parts: int, window: int, text: str, receipts: bool) -> dict[str, float]:
    heard = 0

    async def hears(events: tuple[Any, ...]) -> None:
        nonlocal heard
        heard += len(events)

    out = heliograph.out.open(allow_private=True)
    settings = smpp.Settings(
        host="127.0.0.1",
        port=port,
        system_id="acme",
        password="pw",
        address="ACME",
        window=window,
        registered_delivery=int(receipts),
    )
    provider = smpp.open(
        Sender(site="s", name="n", channel="sms", provider="smpp"), settings, Ways(out=out, callback=str, heard=hears)
    )
    while not provider.health()["binds_up"]:
        await asyncio.sleep(0.01)
    calm_collector()
    loop = asyncio.get_running_loop()
    content = Text(text=text)
    each = smpp.measure(content).parts
    messages = iter(range(parts // each))
    times: list[float] = []

    async def worker() -> None:
        for at in messages:
            began = time.perf_counter()
            await provider.send(
                Message(
                    id=f"0192d7c0-6d1c-7000-8000-{at:012d}",
                    recipient=f"+1202555{at % 10_000:04d}",
                    content=content,
                    expires=NOW + 3_600_000,
                    now=NOW,
                ),
                loop.time() + 30,
            )
            times.append(time.perf_counter() - began)

    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(window * 2)))
    done = len(times) * each
    while receipts and heard < done:
        await asyncio.sleep(0.005)
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    await provider.close()
    await out.close()
    times.sort()
    return {
        "parts/s": done / seconds,
        "CPU us/part": used / done * 1e6,
        "p50 ms": times[len(times) // 2] * 1e3,
        "p99 ms": times[len(times) * 99 // 100] * 1e3,
    }


def pin(core: int) -> None:
    if core < (os.cpu_count() or 1):
        os.sched_setaffinity(0, {core})


def main() -> None:
    read = argparse.ArgumentParser()
    read.add_argument("--parts", type=int, default=20_000)
    read.add_argument("--rounds", type=int, default=3)
    read.add_argument("--window", type=int, default=64)
    read.add_argument("--centre", choices=("bare", "twin", "smpp34"), default="bare")
    read.add_argument("--long", action="store_true")
    read.add_argument("--receipts", action="store_true")
    read.add_argument("--serve", action="store_true", help="be the centre (the program starts itself so)")
    given = read.parse_args()
    if given.serve:
        pin(1)
        uvloop.run(centre(given.centre, given.receipts))
        return
    pin(0)
    command = [sys.executable, __file__, "--serve", "--centre", given.centre] + ["--receipts"] * given.receipts
    other = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        rounds = []
        for _ in range(given.rounds):
            text = LONG if given.long else SHORT
            rounds.append(uvloop.run(sender(port, given.parts, given.window, text, given.receipts)))
            print("  ".join(f"{name} {value:,.1f}" for name, value in rounds[-1].items()), flush=True)
        middle = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        print("median:", "  ".join(f"{name} {value:,.1f}" for name, value in middle.items()))
    finally:
        other.terminate()


if __name__ == "__main__":
    main()
