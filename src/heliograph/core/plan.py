"""The decision: which channels are tried, in which order, and why not the others. Pure: facts in, decision out.

Order: forced by the call, else the template's, else the site's. A channel is a candidate if the site has a sender for
it that is not paused, the template has content for it that fits, the recipient has not opted out of it, and its
capability is not a no; an unknown capability is tried. Free content goes to a provider with a window only while that is
open. After a no the decision is made again from the facts of that moment, without the channels that were left.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from heliograph.core.channel import Capability, Reach
from heliograph.core.fallback import LAST, Fallback, Need, rule_of
from heliograph.core.reason import words
from heliograph.core.site import Hours


class Stop(StrEnum):
    """Why an alert is not tried at all; the code of its refusal."""

    OPTED_OUT = "opted_out"
    QUIET_HOURS = "quiet_hours"
    CAP = "cap"
    CONTENT = "content"  # no channel can carry this content
    NOT_FOR_TEST = "not_for_test"  # a test key, and no sender of the sandbox
    CANNOT_REACH = "cannot_reach"  # the documented "Failed Compatibility Check"


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One sender on one channel and what is known of it for this alert. `rules`: how its content was made to fit.
    `free`: its content is in free form, no message that the provider keeps under a name. `window_ends` (ms): until then
    free content may be sent; 0 = not now, None = this provider has no window."""

    channel: str
    sender: str
    provider: str
    has_content: bool = True
    content_faults: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    capability: Capability | None = None  # None: this provider cannot be asked
    paused: str = ""
    not_for_test: bool = False  # the alert is a test key's, and this sender is none of the sandbox's
    free: bool = True
    window_ends: int | None = None


class Facts(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All that a decision rests on. `order`: the channels to look at; `forced`: the one that the call named.
    `opted_out`: scopes ("all", a channel). `quiet_until`: the end of the recipient's quiet hours, None outside them.
    `recent`: alerts to this recipient within the cap's time. `held_until`: when a held alert is looked at again.
    `said`: what is said of falling back, the nearest first. `passed`: channels that the alert has left; `tried`:
    senders that just failed for a reason of their own."""

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
    said: tuple[Fallback, ...] = ()
    passed: frozenset[str] = frozenset()
    tried: frozenset[str] = frozenset()


class Considered(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the decision record. `age`: seconds since the capability was asked. `why`: one word. `rules`: how the
    content was made to fit (core.fit)."""

    channel: str
    sender: str
    chosen: bool
    why: str
    reach: Reach | None = None
    age: int | None = None
    detail: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()


class Step(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One channel to try. `need`: the status with which it has done its work, `within` (s) in which time; None: it is
    left on a no alone. `overlap`: it may be left by time though it cannot be taken back."""

    channel: str
    sender: str
    provider: str
    need: Need = Need.SENT
    within: int | None = None
    overlap: bool = False
    window_ends: int | None = None


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
    considered: list[Considered] = []
    chosen: list[Candidate] = []
    last = ""  # left for nothing; one whose sender is only paused may be back by then, and so comes after
    for channel in facts.order:
        found = False
        for candidate in facts.candidates:
            if candidate.channel != channel:
                continue
            found = True
            line = _line(facts, candidate)
            considered.append(line)
            if line.chosen:
                chosen.append(candidate)
            if line.chosen or line.why == "sender_paused":
                last = channel
        if not found:
            considered.append(Considered(channel=channel, sender="", chosen=False, why="no_sender"))
    stop, hold, why = _held_up(facts, considered, bool(chosen))
    return Decision(
        steps=tuple([_step(facts, one, last) for one in chosen]) if stop is None and hold is None else (),
        considered=tuple(considered),
        stop=stop,
        hold=hold,
        hold_reason=why,
        forced=facts.forced,
        opted_out=facts.opted_out,
    )


def _step(facts: Facts, candidate: Candidate, last: str) -> Step:
    rule = LAST if candidate.channel == last else rule_of(candidate.channel, facts.said)
    return Step(
        channel=candidate.channel,
        sender=candidate.sender,
        provider=candidate.provider,
        need=rule.need,
        within=rule.within,
        overlap=rule.overlap,
        window_ends=candidate.window_ends,
    )


def _held_up(facts: Facts, considered: list[Considered], chosen: bool) -> tuple[Stop | None, int | None, str]:
    """Why nothing is tried now: refused, or held until a moment (ms) and for what reason."""
    if facts.opted_out and ("all" in facts.opted_out or all(line.why == "opted_out" for line in considered)):
        return Stop.OPTED_OUT, None, ""
    if facts.cap and facts.recent >= facts.cap:
        return Stop.CAP, None, ""
    if facts.quiet_until is not None and facts.quiet_rule is not Hours.IGNORE:
        if facts.quiet_rule is Hours.REJECT or facts.quiet_until >= facts.expires:
            return Stop.QUIET_HOURS, None, ""
        return None, facts.quiet_until, "quiet_hours"
    if chosen:
        return None, None, ""
    whys = {line.why for line in considered if line.sender}
    if "sender_paused" in whys and facts.held_until < facts.expires:
        return None, facts.held_until, "sender_paused"
    if "content_does_not_fit" in whys and whys <= {"content_does_not_fit", "no_content", "opted_out"}:
        return Stop.CONTENT, None, ""
    if "opted_out" in whys and whys <= {"opted_out", "no_content"}:
        return Stop.OPTED_OUT, None, ""
    if "not_for_test" in whys and whys <= {"not_for_test", "no_content", "opted_out"}:
        return Stop.NOT_FOR_TEST, None, ""
    return Stop.CANNOT_REACH, None, ""


def _line(facts: Facts, candidate: Candidate) -> Considered:
    """Why this sender is chosen, or why not."""
    capability = candidate.capability
    reach = capability.reach if capability else None
    why = "chosen"
    detail: tuple[str, ...] = ()
    if facts.opted_out and (candidate.channel in facts.opted_out or "all" in facts.opted_out):
        why = "opted_out"
    elif candidate.channel in facts.passed:
        why = "passed"
    elif candidate.sender in facts.tried:
        why = "tried"
    elif not candidate.has_content:
        why = "no_content"
    elif candidate.content_faults:
        why, detail = "content_does_not_fit", candidate.content_faults
    elif candidate.not_for_test:
        why = "not_for_test"
    elif candidate.free and candidate.window_ends is not None and candidate.window_ends <= facts.now:
        why, detail = "outside_window", (words("outside_window"),)
    elif candidate.paused:
        why, detail = "sender_paused", (candidate.paused,)
    elif reach is Reach.NO:
        why, detail = "cannot_reach", (capability.reason,) if capability and capability.reason else ()
    return Considered(
        channel=candidate.channel,
        sender=candidate.sender,
        chosen=why == "chosen",
        why=why,
        reach=reach,
        age=max(0, facts.now - capability.asked) // 1000 if capability else None,
        detail=detail,
        rules=candidate.rules,
    )
