"""The real sender bound to the sandbox's SMS centre: phones, rules, magic numbers, answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from channels.sms.smpp.conftest import PASSWORD, SYSTEM, message, soon, until
from heliograph.channels.sms import smpp_twin
from heliograph.clock import SystemClock
from heliograph.core.event import Inbound, Receipt
from heliograph.core.states import AttemptState
from heliograph.core.twin import KnownSender, Said
from heliograph.errors import Fate, SendError
from heliograph.sandbox import Pace, World, serve
from heliograph.sandbox.person import Saying, say
from heliograph.sandbox.rule import Match, Rule

PHONE = "+12025550123"
LONG = "The quick brown fox jumps over the lazy dog {again}. " * 8


def fresh(text: str = "Your flight is late.", **changes: object):
    """A message that is born now: the sandbox's clock is the real one."""
    now = SystemClock().now()
    return message(text, now=now, expires=now + 3_600_000, **changes)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World([smpp_twin], clock=SystemClock(), seed=7, pace=Pace(delivered=0.02, read=0.05))
    async with await serve(made):
        made.add_sender(
            KnownSender(id=SYSTEM, provider="smpp", name="Acme", address="24242", credentials={"password": PASSWORD})
        )
        yield made


@pytest.fixture
async def provider(world, opened):
    return await opened(world.lines["smpp"].port, address="24242", reconnect_least=0.05)


async def failed(sent) -> SendError:
    with pytest.raises(SendError) as caught:
        await sent
    return caught.value


@pytest.mark.parametrize("long", ["udh", "sar", "payload"])
async def test_a_text_reaches_its_phone_and_its_receipts_come_back(world, opened, heard, long):
    provider = await opened(world.lines["smpp"].port, long=long)
    taken = await provider.send(fresh(LONG), soon())
    await until(lambda: [event for event in heard.of(Receipt) if event.state is AttemptState.DELIVERED])
    handset = world.handset(PHONE)
    shown = [smpp_twin.content(bubble.resource, world).content.text for bubble in handset.messages]
    assert "".join(shown) == LONG
    assert sum(bubble.parts if not bubble.part else 1 for bubble in handset.messages) == 3
    assert {event.reference for event in heard.of(Receipt)} <= set(taken.references)


async def test_what_the_person_says_comes_back(world, provider, heard):
    await provider.send(fresh(), soon())
    say(world, world.handset(PHONE), Saying(text="Ja, bitte 👍 " * 20, sender=SYSTEM))
    await until(lambda: heard.of(Inbound))
    assert [(said.recipient, said.text) for said in heard.of(Inbound)] == [(PHONE, "Ja, bitte 👍 " * 20)]
    await until(lambda: world.handset(PHONE).messages[-1].state == "sent")


@pytest.mark.parametrize(
    ("do", "code", "fate"),
    [
        ("refuse", "rejected", Fate.NEXT_CHANNEL),
        ("error", "provider_fault", Fate.RETRY),
        ("unreachable", "invalid_recipient", Fate.NEXT_CHANNEL),
        ("silent", "no_answer", Fate.UNKNOWN),
        ("drop", "no_answer", Fate.UNKNOWN),
        ("drop_before", "no_answer", Fate.UNKNOWN),
        ("throttle", "throttled", Fate.RETRY),
    ],
)
async def test_it_misbehaves_as_it_is_told(world, provider, do, code, fate):
    world.behaviour.add(Rule(do=do, match=Match(provider="smpp")))
    error = await failed(provider.send(fresh(), soon(0.3)))
    assert (error.code, error.fate) == (code, fate)


async def test_a_rule_may_name_the_status(world, provider):
    world.behaviour.add(Rule(do="refuse", code="ESME_RMSGQFUL", times=1))
    world.behaviour.add(Rule(do="refuse", code="0x45", match=Match(number="+12025550124")))
    error = await failed(provider.send(fresh(recipient="+12025550124"), soon()))
    assert error.exchange.status == 0x45
    await provider.send(fresh(), soon())  # once throttled, then taken


async def test_once_per_message_knows_the_message_again(world, provider):
    world.behaviour.add(Rule(do="error", per_message=1))
    for name in ("m-1", "m-2"):
        error = await failed(provider.send(fresh(id=name), soon()))
        assert error.fate is Fate.RETRY
        await provider.send(fresh(id=name), soon())


async def test_refused_binds(world, opened):
    world.behaviour.add(Rule(do="refuse", match=Match(call="bind"), times=1))
    provider = await opened(world.lines["smpp"].port, wait=False, reconnect_least=0.2)
    error = await failed(provider.send(fresh(), soon()))
    assert (error.code, error.fate) == ("credentials_refused", Fate.CONFIG)
    await until(lambda: provider.health()["binds_up"] == 1)


async def test_a_phone_without_sms_and_one_that_expires(world, provider, heard):
    world.handset(PHONE).has_sms = False
    await provider.send(fresh(), soon())
    await until(lambda: heard.events)
    assert (heard.events[0].state, heard.events[0].reason) == (AttemptState.FAILED, "cannot_reach")
    other = "+12025550124"
    world.handset(other).signal = False
    now = SystemClock().now()
    await provider.send(message(recipient=other, id="m-2", now=now, expires=now + 1_000), soon())
    await until(lambda: len(heard.events) == 2)
    assert heard.events[1].state is AttemptState.EXPIRED


async def test_receipts_wait_for_a_line_that_was_cut(world, provider, heard):
    world.handset(PHONE).signal = False
    await provider.send(fresh(), soon())
    world.lines["smpp"].cut()
    handset = world.handset(PHONE)
    handset.signal = True
    world.delivery.deliver_waiting(handset)
    await until(lambda: [event for event in heard.of(Receipt) if event.state is AttemptState.DELIVERED])


async def test_query_and_cancel_know_the_phone(world, opened, heard):
    provider = await opened(world.lines["smpp"].port, query=True, cancel=True)
    world.handset(PHONE).signal = False
    taken = await provider.send(fresh(), soon())
    receipt = await provider.ask("m-1", taken.references, soon())
    assert receipt.state is AttemptState.SENT
    assert (await provider.revoke("m-1", PHONE, soon())).gone is True
    assert (await provider.ask("m-1", taken.references, soon())).state is AttemptState.REVOKED


@pytest.mark.parametrize("ids", ["same", "hex-decimal", "decimal-hex"])
async def test_a_senders_credentials_say_how_its_centre_writes_ids(world, opened, heard, ids):
    world.add_sender(
        KnownSender(
            id=SYSTEM, provider="smpp", name="A", credentials={"password": PASSWORD, "ids": ids, "receipts": "text"}
        )
    )
    provider = await opened(world.lines["smpp"].port)
    taken = await provider.send(fresh(), soon())
    await until(lambda: heard.events)
    assert heard.events[0].reference in taken.references


async def test_what_a_centre_does_not_tell_is_let_be(world):
    line = world.lines["smpp"]
    line.told(Said(number=PHONE, event="e", at=1, text="hi"), world.sender("smpp", SYSTEM), lambda: None)
    line.clear()
    assert smpp_twin.tell(Said(number=PHONE, event="e", at=1, text="hi"), world.sender("smpp", SYSTEM), world) is None
    assert msgspec.json.encode(smpp_twin.credentials(lambda digits: "0" * digits)) == b'{"password":"00000000"}'
    await asyncio.sleep(0)
