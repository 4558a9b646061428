"""Whatever a centre does, what is said of a message is true: nothing is lost, nothing is sent twice, and what may have
been sent is said to be in doubt. Seeded, over several binds that break in the middle of their windows."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest

from channels.sms.smpp.conftest import message, soon, until
from heliograph.channels.sms import smpp_line
from heliograph.channels.sms import smpp_numbers as n
from heliograph.channels.sms.smpp_twin_accounts import Options, Ruling
from heliograph.core.event import Receipt
from heliograph.core.ports import Taken
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError

MESSAGES = 150


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_said_is_true(centre, opened, heard, monkeypatch, seed):
    monkeypatch.setattr(smpp_line, "PAUSE_FIRST", 0.02)
    monkeypatch.setattr(smpp_line, "PAUSE_MOST", 0.05)
    dice = random.Random(seed)

    def judge(submit, system_id, id):
        fall = dice.random()
        if fall < 0.10:
            return Ruling(status=dice.choice((n.RTHROTTLED, n.RMSGQFUL)))
        if fall < 0.16:
            return Ruling(status=dice.choice((n.RSYSERR, n.RINVDSTADR)))
        if fall < 0.18:
            return Ruling(end="hang", taken=dice.random() < 0.5)
        if fall < 0.20:
            return Ruling(end="drop", taken=dice.random() < 0.5)
        if fall < 0.5:
            return Ruling(delay=dice.random() * 0.03, first="DELIVRD" if dice.random() < 0.3 else "")
        return Ruling()

    smsc = await centre(judge=judge, options=Options(window=6, again=0.05))
    provider = await opened(
        smsc.port,
        binds=2,
        window=6,
        reconnect_least=0.02,
        reconnect_most=0.05,
        response_timeout=0.4,
        registered_delivery=1,
    )
    heard.pause = 0.005

    async def one(at: int) -> Taken | SendError:
        await asyncio.sleep(dice.random() * 0.5)
        long = at % 5 == 0
        try:
            return await provider.send(message(f"text {at} " * (40 if long else 1), id=f"m-{at}"), soon(2.5))
        except SendError as error:
            return error

    async def storm() -> None:
        while True:
            await asyncio.sleep(0.1)
            if smsc.binds and dice.random() < 0.5:
                dice.choice(smsc.binds).drop()
            if dice.random() < 0.3:
                heard.away = 1

    storming = asyncio.ensure_future(storm())
    ends = await asyncio.gather(*(one(at) for at in range(MESSAGES)))
    storming.cancel()
    heard.away = 0
    smsc.judge = lambda submit, system_id, id: Ruling()

    parts = Counter(
        f"m-{at}"
        for at in range(MESSAGES)
        for taken in smsc.taken.values()
        if taken.submit.optional[n.TLV_USER_MESSAGE_REFERENCE] == _reference(f"m-{at}")
    )
    for at, end in enumerate(ends):
        whole = 3 if at % 5 == 0 and len(f"text {at} " * 40) > 306 else 2 if at % 5 == 0 else 1
        if isinstance(end, Taken):
            assert parts[f"m-{at}"] == whole, at
        elif end.fate is not Fate.UNKNOWN:
            assert parts[f"m-{at}"] == 0, (at, end)
        else:
            assert parts[f"m-{at}"] <= whole, at
    assert sum(isinstance(end, Taken) for end in ends) > MESSAGES / 3
    assert any(isinstance(end, SendError) and end.fate is Fate.UNKNOWN for end in ends)

    # Every receipt is heard at last, and what is settled late is settled as it was.
    for taken in list(smsc.taken.values()):
        smsc.receipt(taken, "DELIVRD")
    await until(lambda: not smsc.waiting(), 20)
    names = {event.reference for event in heard.of(Receipt)}
    assert {str(taken.id) for taken in smsc.taken.values()} <= names
    for event in heard.of(Receipt):
        if event.event.startswith("late-"):
            at = int(event.attempt.removeprefix("m-"))
            assert isinstance(ends[at], SendError) and ends[at].fate is Fate.UNKNOWN
            assert (parts[event.attempt] == 0) == (event.state is AttemptState.FAILED)
    # The line is whole again.
    await until(lambda: provider.health()["binds_up"] == 2)
    await provider.send(message(id="m-last"), soon())
    await until(lambda: provider.health()["window_used"] == 0)
    assert provider.health()["waiting"] == 0


def _reference(id: str) -> bytes:
    import zlib

    return (zlib.crc32(id.encode()) & 0xFFFF).to_bytes(2)
