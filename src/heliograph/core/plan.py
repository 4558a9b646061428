"""The decision: which channels are tried, in which order, and why not the others. Pure: facts in, decision out.

Order: forced by the call, else the template's, else the site's. A channel is a candidate if the site has a sender for
it that is not paused, the template has content for it that fits, the recipient has not opted out of it, and its
capability is not a no; an unknown capability is tried.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from heliograph.core.channel import Capability, Reach
from heliograph.core.site import Hours


class Stop(StrEnum):
    """Why an alert is not tried at all; the code of its refusal."""

    OPTED_OUT = "opted_out"
    QUIET_HOURS = "quiet_hours"
    CAP = "cap"
    CONTENT = "content"  # no channel can carry this content
    CANNOT_REACH = "cannot_reach"  # the documented "Failed Compatibility Check"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One sender on one channel and what is known of it for this alert."""

    channel: str
    sender: str
    provider: str
    has_content: bool = True
    content_faults: tuple[str, ...] = ()
    capability: Capability | None = None  # None: this provider cannot be asked
    paused: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a decision rests on. `order`: the channels to look at; `forced`: the one that the call named.
    `opted_out`: scopes ("all", a channel). `quiet_until`: the end of the recipient's quiet hours, None outside them.
    `recent`: alerts to this recipient within the cap's time. `held_until`: when a held alert is looked at again."""

    now: int
    expires: int
    order: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    forced: str = ""
    opted_out: frozenset[str] = frozenset()
    quiet_until: int | None = None
    quiet_rule: Hours = Hours.IGNORE
    cap: int = 0
    recent: int = 0
    held_until: int = 0


class Considered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the decision record. `age`: seconds since the capability was asked. `why`: one word."""

    channel: str
    sender: str
    chosen: bool
    why: str
    reach: Reach | None = None
    age: int | None = None
    detail: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One channel to try."""

    channel: str
    sender: str
    provider: str


class Decision(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`steps` in order; empty with `stop` (refused) or with `hold` (ms: look again then)."""

    steps: tuple[Step, ...] = ()
    considered: tuple[Considered, ...] = ()
    stop: Stop | None = None
    hold: int | None = None
    hold_reason: str = ""
    forced: str = ""
    opted_out: frozenset[str] = frozenset()


def decide(facts: Facts) -> Decision:
    """The decision for these facts. The same facts give the same decision, byte for byte."""
    lines = tuple(_line(facts, candidate) for candidate in _in_order(facts))
    missing = tuple(
        Considered(channel=channel, sender="", chosen=False, why="no_sender")
        for channel in facts.order
        if all(line.channel != channel for line in lines)
    )
    considered = lines + missing
    steps = tuple(
        Step(channel=line.channel, sender=line.sender, provider=_provider(facts, line)) for line in lines if line.chosen
    )
    decision = Decision(considered=considered, forced=facts.forced, opted_out=facts.opted_out)

    if "all" in facts.opted_out or (considered and all(line.why == "opted_out" for line in considered)):
        return msgspec.structs.replace(decision, stop=Stop.OPTED_OUT)
    if facts.cap and facts.recent >= facts.cap:
        return msgspec.structs.replace(decision, stop=Stop.CAP)
    if facts.quiet_until is not None and facts.quiet_rule is not Hours.IGNORE:
        if facts.quiet_rule is Hours.REJECT or facts.quiet_until >= facts.expires:
            return msgspec.structs.replace(decision, stop=Stop.QUIET_HOURS)
        return msgspec.structs.replace(decision, hold=facts.quiet_until, hold_reason="quiet_hours")
    if steps:
        return msgspec.structs.replace(decision, steps=steps)
    whys = {line.why for line in lines}
    if "sender_paused" in whys and facts.held_until < facts.expires:
        return msgspec.structs.replace(decision, hold=facts.held_until, hold_reason="sender_paused")
    if "content_does_not_fit" in whys and whys <= {"content_does_not_fit", "no_content", "opted_out"}:
        return msgspec.structs.replace(decision, stop=Stop.CONTENT)
    if "opted_out" in whys and whys <= {"opted_out", "no_content"}:
        return msgspec.structs.replace(decision, stop=Stop.OPTED_OUT)
    return msgspec.structs.replace(decision, stop=Stop.CANNOT_REACH)


def _in_order(facts: Facts) -> Iterator[Candidate]:
    for channel in facts.order:
        for candidate in facts.candidates:
            if candidate.channel == channel:
                yield candidate


def _line(facts: Facts, candidate: Candidate) -> Considered:
    capability = candidate.capability
    reach = capability.reach if capability else None
    age = max(0, facts.now - capability.asked) // 1000 if capability else None

    def line(why: str, *, chosen: bool = False, detail: tuple[str, ...] = ()) -> Considered:
        return Considered(
            channel=candidate.channel,
            sender=candidate.sender,
            chosen=chosen,
            why=why,
            reach=reach,
            age=age,
            detail=detail,
        )

    if candidate.channel in facts.opted_out or "all" in facts.opted_out:
        return line("opted_out")
    if not candidate.has_content:
        return line("no_content")
    if candidate.content_faults:
        return line("content_does_not_fit", detail=candidate.content_faults)
    if candidate.paused:
        return line("sender_paused", detail=(candidate.paused,))
    if reach is Reach.NO:
        return line("cannot_reach", detail=(capability.reason,) if capability and capability.reason else ())
    return line("chosen", chosen=True)


def _provider(facts: Facts, line: Considered) -> str:
    return next(c.provider for c in facts.candidates if c.channel == line.channel and c.sender == line.sender)
