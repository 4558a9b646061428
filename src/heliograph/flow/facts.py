"""Gathers the facts that a decision rests on: senders, content that fits, capabilities with their age, hours, caps.

Opt-outs are not read here on the way in: `accept` looks them up in its own transaction (core.ports.Barred) and the
decision is then made again with what it found. That keeps the hot path free of a read.
"""

from __future__ import annotations

import msgspec

from heliograph.core import hours, phone
from heliograph.core.alert import Alert
from heliograph.core.channel import Capability
from heliograph.core.content import Content, Named
from heliograph.core.fit import fit
from heliograph.core.plan import Candidate, Facts
from heliograph.core.site import Hours, Site
from heliograph.core.template import CompiledTemplate
from heliograph.flow.health import PROBE_EVERY
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

ASKED_FOR = 5.0  # seconds; a question that takes longer is unknown, and an unknown is tried


class Gathered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The facts, and the content as each sender (by name) carries it: rendered and fitted."""

    facts: Facts
    contents: dict[str, Content]


async def gather(
    alert: Alert,
    site: Site,
    template: CompiledTemplate,
    means: Means,
    *,
    deadline: float,
    opted_out: frozenset[str] = frozenset(),
    passed: frozenset[str] = frozenset(),
    tried: frozenset[str] = frozenset(),
) -> Gathered:
    """`passed`: channels that the alert has left, `tried`: senders that just failed; nobody is asked about them."""
    now = means.clock.now()
    order = (alert.channel_forced,) if alert.channel_forced else template.template.channels or site.channels
    contents: dict[str, Content] = {}
    candidates: list[Candidate] = []
    held_until = 0
    for channel in order:
        senders = means.registry.senders(site.id, channel)
        if not senders:
            continue
        content = template.render(alert.language, channel, alert.variables)
        for opened in senders:
            fitted = fit(content, opened.plug.CARRIES) if content is not None and opened.plug else None
            faults = tuple(opened.plug.check(fitted.content)) if fitted and opened.plug else ()
            if fitted:
                contents[opened.sender.name] = fitted.content
            fits = not (faults or content is None or channel in opted_out or "all" in opted_out)
            fits = fits and channel not in passed and opened.sender.name not in tried
            free = not (fitted and isinstance(fitted.content, Named))
            paused = _paused(opened, means, now, probe=fits)
            if paused and fits:
                again = means.healths.of(site.id, opened.sender.name).next_probe(now)
                again = max(again, now + PROBE_EVERY) if opened.provider is None else again
                held_until = min(held_until or again, again)
            candidates.append(
                Candidate(
                    channel=channel,
                    sender=opened.sender.name,
                    provider=opened.sender.provider,
                    has_content=content is not None,
                    content_faults=faults,
                    rules=fitted.rules if fitted else (),
                    capability=await capability(alert, opened, means, now, deadline) if fits and not paused else None,
                    paused=paused,
                    free=free,
                    window_ends=await window(alert, opened, means, now) if fits else None,
                )
            )
    rule = site.quiet_hours.rule
    quiet_until = None
    if rule is not Hours.IGNORE:
        zones = phone.zone_of(alert.recipient) or (site.quiet_hours.zone,)
        quiet_until = hours.quiet_until(now, site.quiet_hours, zones)
    recent = 0
    if site.cap.count:
        recent = await means.store.count_alerts(site.id, alert.recipient, now - site.cap.within * 1000)
    facts = Facts(
        now=now,
        expires=alert.expires,
        order=tuple(order),
        candidates=tuple(candidates),
        forced=alert.channel_forced,
        opted_out=opted_out,
        quiet_until=quiet_until,
        quiet_rule=rule,
        cap=site.cap.count,
        recent=recent,
        held_until=held_until,
        said=(template.template.fallback, site.fallback),
        passed=passed,
        tried=tried,
    )
    return Gathered(facts=facts, contents=contents)


async def window(alert: Alert, opened: OpenSender, means: Means, now: int) -> int | None:
    """Until when (ms) free content may be sent to the recipient, 0 where not now. None where this provider's window is
    always open: nothing is asked then."""
    length = opened.plug.CARRIES.window * 1000 if opened.plug else 0
    if not length:
        return None
    wrote = await means.store.last_inbound(alert.site, opened.sender.name, alert.recipient, now - length)
    return 0 if wrote is None else wrote + length


async def capability(alert: Alert, opened: OpenSender, means: Means, now: int, deadline: float) -> Capability | None:
    """From memory, else from the store, else from the provider; None where the provider cannot be asked."""
    provider = opened.provider
    if provider is None or not provider.asks_capability:
        return None
    site, name, recipient = alert.site, opened.known_as, alert.recipient
    known = means.capabilities.get(site, name, recipient, now)
    if known is None:
        known = await means.store.capability(site, name, recipient)
        if known is not None and means.capabilities.fresh(known, now):
            means.capabilities.put(site, name, recipient, known)
        else:
            soon = min(deadline, means.clock.loop_time() + ASKED_FOR)
            known = await provider.capability(recipient, now, soon)
            means.meters.capability(opened.sender.channel, known.reach.value)
            remember(alert, opened, known, means)
            if known.mark:
                marked(opened, recipient, means)
    return known


def marked(opened: OpenSender, recipient: str, means: Means) -> None:
    """The provider refused for a reason that may be the sender's: the third recipient in a row pauses it."""
    if means.healths.of(opened.sender.site, opened.sender.name).marked(recipient):
        pause(opened, "config: the provider refused three recipients in a row", means)


def pause(opened: OpenSender, why: str, means: Means) -> None:
    """Pauses a sender on every node and tells the operator. It is probed with one alert a minute."""
    means.healths.of(opened.sender.site, opened.sender.name).paused(means.clock.now())
    if opened.sender.paused:
        return
    means.log("error", f"The sender is paused: {why}.", action="sender.paused", sender=opened.sender.name)
    means.behind(means.store.pause_sender(opened.sender.site, opened.sender.name, why))


def succeeded(opened: OpenSender, means: Means) -> None:
    """The provider took a message: marks are forgotten, and a paused sender is back."""
    means.healths.of(opened.sender.site, opened.sender.name).succeeded()
    if opened.sender.paused:
        means.log("info", "The sender works again.", action="sender.resumed", sender=opened.sender.name)
        means.behind(means.store.pause_sender(opened.sender.site, opened.sender.name, ""))


def remember(alert: Alert, opened: OpenSender, answer: Capability, means: Means) -> None:
    """Keeps an answer here and, behind the call, in the store: losing it costs one question, no alert."""
    means.capabilities.put(alert.site, opened.known_as, alert.recipient, answer)
    means.behind(means.store.keep_capability(alert.site, opened.known_as, alert.recipient, answer))


def _paused(opened: OpenSender, means: Means, now: int, *, probe: bool) -> str:
    """Why this sender is not used now, empty if it is. `probe`: the alert could be the one that tries a paused one."""
    if opened.provider is None:
        return opened.fault
    if probe and opened.sender.paused and means.healths.of(opened.sender.site, opened.sender.name).may_probe(now):
        return ""
    return opened.sender.paused
