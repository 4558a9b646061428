"""Whether recipients can be reached, for who wants to know it before an alert: what is believed comes from the cache,
the others are asked about, many at once where a provider can answer so. Nobody is marked or paused by a question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import islice
from typing import cast

import msgspec

from heliograph.core import choice
from heliograph.core.channel import Capability, Reach
from heliograph.core.ports import AsksMany, Provider
from heliograph.core.site import Site
from heliograph.flow import senders
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

FEW = 20  # so many are asked about one by one: that tells features, and why not
AT_ONCE = 20  # single questions under way
ONE_FOR, MANY_FOR = 5.0, 20.0  # seconds; a question that takes longer is unknown
ROWS = 500  # read from or written to the store together
NOT_ASKABLE = "not_askable"  # the provider answers no such question


class Told(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer for a recipient on a channel by the sender that would write to him. `cached`: nobody was asked now."""

    recipient: str
    channel: str
    sender: str
    capability: Capability
    cached: bool = False


class Estimate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of `sampled` recipients drawn at random so many have the channel, whether or not the sender may write to them."""

    channel: str
    sender: str
    sampled: int
    reachable: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """By recipient as they were given, then by channel as they were asked for."""

    told: tuple[Told, ...]
    estimates: tuple[Estimate, ...]


async def capabilities(
    site: Site, recipients: Sequence[str], means: Means, *, channels: Sequence[str], deadline: float, test: bool = False
) -> Found:
    """`recipients`: all different. `test`: of the sandbox's senders alone. Raises StoreAway."""
    told: dict[tuple[str, str], Told] = {}
    estimates: list[Estimate] = []
    for channel in channels:
        for opened, own in _shared_out(site, channel, recipients, means, test):
            answers, of_these = await _of_sender(opened, own, means, deadline)
            estimates += of_these
            for recipient, (capability, cached) in answers.items():
                told[recipient, channel] = Told(
                    recipient=recipient,
                    channel=channel,
                    sender=opened.sender.name,
                    capability=capability,
                    cached=cached,
                )
    return Found(
        told=tuple(told[one, channel] for one in recipients for channel in channels if (one, channel) in told),
        estimates=tuple(estimates),
    )


def _shared_out(
    site: Site, channel: str, recipients: Sequence[str], means: Means, test: bool
) -> list[tuple[OpenSender, list[str]]]:
    """The channel's senders, each with the recipients that it would write to: the first of each that is in use."""
    there = [one for one in means.registry.senders(site.id, channel) if one.sandbox or not test]
    usable = [one for one in there if one.provider is not None and not senders.by_operator(one.sender)] or there
    drawn = [(one, one.sender.name, one.sender.weight) for one in usable]
    shares: dict[str, tuple[OpenSender, list[str]]] = {}
    for recipient in recipients:
        for opened in choice.in_order(drawn, recipient)[:1]:
            shares.setdefault(opened.sender.name, (opened, []))[1].append(recipient)
    return list(shares.values())


async def _of_sender(
    opened: OpenSender, recipients: Sequence[str], means: Means, deadline: float
) -> tuple[dict[str, tuple[Capability, bool]], list[Estimate]]:
    now = means.clock.now()
    provider = opened.provider
    if provider is None or not provider.asks_capability:
        reason = "config" if provider is None and opened.fault else NOT_ASKABLE
        answer = Capability(reach=Reach.UNKNOWN, asked=now, reason=reason)
        return dict.fromkeys(recipients, (answer, False)), []
    found: dict[str, tuple[Capability, bool]] = {}
    for some in _bites(recipients, ROWS):
        for recipient, kept in zip(some, await _kept(opened, some, means, now), strict=True):
            if kept is not None:
                found[recipient] = (kept, True)
    rest = [one for one in recipients if one not in found]
    if provider.asks_many and len(rest) > FEW:
        answers, estimates = await _ask_many(cast(AsksMany, provider), opened, rest, means, now, deadline)
        # Google's no about many comes from a cache and may leave out testers: it is told and not believed. A send asks
        # for itself; a no that was kept would keep the recipient off the channel for an hour.
        keep = {one: answer for one, answer in answers.items() if answer.reach is Reach.YES}
    else:
        answers, estimates = await _ask_each(provider, rest, means, now, deadline), []
        keep = {one: a for one, a in answers.items() if a.reach is not Reach.UNKNOWN and not a.mark}
    for answer in answers.values():
        means.meters.capability(opened.sender.channel, answer.reach.value)
    await _keep(opened, keep, means)
    return found | {one: (answer, False) for one, answer in answers.items()}, estimates


async def _kept(opened: OpenSender, recipients: Sequence[str], means: Means, now: int) -> list[Capability | None]:
    """What is believed of each, from memory or the store."""
    site, name = opened.sender.site, opened.known_as

    async def one(recipient: str) -> Capability | None:
        known = means.capabilities.peek(site, name, recipient)
        if known is None or not means.capabilities.fresh(known, now):
            known = await means.store.capability(site, name, recipient)
        return known if known is not None and means.capabilities.fresh(known, now) else None

    return await asyncio.gather(*(one(recipient) for recipient in recipients))


async def _ask_many(
    provider: AsksMany, opened: OpenSender, recipients: Sequence[str], means: Means, now: int, deadline: float
) -> tuple[dict[str, Capability], list[Estimate]]:
    answers: dict[str, Capability] = {}
    estimates: list[Estimate] = []
    for some in _bites(recipients, provider.asks_many):
        soon = min(deadline, means.clock.loop_time() + MANY_FOR)
        reached = await provider.capabilities(some, now, soon)
        answers |= reached.answers
        if reached.sampled:
            estimates.append(
                Estimate(
                    channel=opened.sender.channel,
                    sender=opened.sender.name,
                    sampled=reached.sampled,
                    reachable=reached.reachable,
                )
            )
    return answers, estimates


async def _ask_each(
    provider: Provider, recipients: Sequence[str], means: Means, now: int, deadline: float
) -> dict[str, Capability]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def one(recipient: str) -> Capability:
        async with turn:
            soon = min(deadline, means.clock.loop_time() + ONE_FOR)
            return await provider.capability(recipient, now, soon)

    return dict(zip(recipients, await asyncio.gather(*map(one, recipients)), strict=True))


async def _keep(opened: OpenSender, answers: dict[str, Capability], means: Means) -> None:
    site, name = opened.sender.site, opened.known_as
    for some in _bites(list(answers), ROWS):
        for recipient in some:
            means.capabilities.put(site, name, recipient, answers[recipient])
        await asyncio.gather(*(means.store.keep_capability(site, name, one, answers[one]) for one in some))


def _bites(of: Sequence[str], size: int) -> list[tuple[str, ...]]:
    feed = iter(of)
    return list(iter(lambda: tuple(islice(feed, size)), ()))
