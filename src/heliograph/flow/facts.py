"""Gathers the facts that a decision rests on: senders, content that fits, capabilities with their age, hours, caps.

Opt-outs are not read here on the way in: `accept` looks them up in its own transaction (core.ports.Barred) and the
decision is then made again with what it found. That keeps the hot path free of a read.
"""

from __future__ import annotations

import msgspec

from heliograph.core import hours, phone
from heliograph.core.alert import Alert
from heliograph.core.channel import Capability, Reach
from heliograph.core.content import Content, Named
from heliograph.core.fit import fit
from heliograph.core.plan import Candidate, Facts
from heliograph.core.site import Hours, Site
from heliograph.core.template import CompiledTemplate
from heliograph.flow import senders
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender
from heliograph.flow.senders import Use

NOT_ASKED = "not_asked"  # why a capability is unknown to a dry run
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
    looking: bool = False,
) -> Gathered:
    """`passed`: channels that the alert has left, `tried`: senders that just failed; nobody is asked about them.
    `looking`: nothing is going to be sent (explain), so nothing is changed: no turn to try a paused sender is taken,
    nobody outside is asked, no cache is written; a capability that is not known is `unknown`."""
    now = means.clock.now()
    order = (alert.channel_forced,) if alert.channel_forced else template.template.channels or site.channels
    contents: dict[str, Content] = {}
    candidates: list[Candidate] = []
    held_until = 0
    found_one = False  # whether a channel will do: then no later one takes a turn to try a sender
    for channel in order:
        found = senders.in_order(alert, channel, means)
        if not found:
            continue
        content = template.render(alert.language, channel, alert.variables)
        first, here = len(candidates), False  # whether a sender of this channel will do
        for opened in found:
            fitted = fit(content, opened.carries) if content is not None and opened.plug else None
            faults = tuple(opened.plug.check(fitted.content)) if fitted and opened.plug else ()
            if fitted:
                contents[opened.sender.name] = fitted.content
            outside = alert.test and not opened.sandbox
            left = channel in passed or opened.sender.name in tried
            barred = channel in opted_out or "all" in opted_out
            fits = not (faults or content is None or outside or left or barred)
            free = fitted is None or not isinstance(fitted.content, Named)
            limited = opened.plug is not None and opened.plug.CARRIES.window  # else nothing is to be awaited
            window_ends = await window(alert, opened, means, now) if fits and limited else None
            fits = fits and not (free and window_ends is not None and window_ends <= now)
            use, paused, again = senders.use(opened, alert, means, now, take=fits and not found_one and not looking)
            if use is Use.NO and fits:
                held_until = min(held_until or again, again)
            # Where one of the channel's senders will do, the next is asked about no recipient before it is needed.
            asks = fits and use is not Use.NO and not here
            known = await capability(alert, opened, means, now, deadline, looking=looking) if asks else None
            candidate = Candidate(
                channel=channel,
                sender=opened.sender.name,
                provider=opened.sender.provider,
                has_content=content is not None,
                content_faults=faults,
                rules=fitted.rules if fitted else (),
                capability=known,
                paused=paused,
                not_for_test=outside,
                free=free,
                window_ends=window_ends,
            )
            here = here or (fits and use is not Use.NO and not (known and known.reach is Reach.NO))
            candidates.insert(first if use is Use.PROBE else len(candidates), candidate)
        found_one = found_one or here
    rule = site.quiet_hours.rule
    quiet_until = None
    if rule is not Hours.IGNORE:
        zones = phone.zone_of(alert.recipient) or (site.quiet_hours.zone,)
        quiet_until = hours.quiet_until(now, site.quiet_hours, zones)
    recent = 0
    if site.cap.count:
        since = now - site.cap.within * 1000
        recent = await means.store.count_alerts(site.id, alert.recipient, since, test=alert.test)
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


async def capability(
    alert: Alert, opened: OpenSender, means: Means, now: int, deadline: float, *, looking: bool = False
) -> Capability | None:
    """From memory, else from the store, else from the provider; None where the provider cannot be asked."""
    provider = opened.provider
    if provider is None or not provider.asks_capability:
        return None
    site, name, recipient = alert.site, opened.known_as, alert.recipient
    if looking:
        for kept in (
            means.capabilities.peek(site, name, recipient),
            await means.store.capability(site, name, recipient),
        ):
            if kept is not None and means.capabilities.fresh(kept, now):
                return kept
        return Capability(reach=Reach.UNKNOWN, asked=now, reason=NOT_ASKED)
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
                senders.marked(opened, recipient, means)
    return known


def remember(alert: Alert, opened: OpenSender, answer: Capability, means: Means) -> None:
    """Keeps an answer here and, behind the call, in the store: losing it costs one question, no alert."""
    means.capabilities.put(alert.site, opened.known_as, alert.recipient, answer)
    means.behind(means.store.keep_capability(alert.site, opened.known_as, alert.recipient, answer))
