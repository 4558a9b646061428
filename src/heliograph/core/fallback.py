"""When a channel is left for the next one: what sites and templates say of it, and what then holds for one step."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated

import msgspec

from heliograph.core.states import AlertState, AttemptState

Seconds = Annotated[int, msgspec.Meta(ge=0)]


class Need(StrEnum):
    """The status with which a step has done its work. `sent`: the provider took it, whatever becomes of it then."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"


class Overlap(StrEnum):
    """Whether a channel that cannot take a message back may be left by time. The recipient may then get two."""

    DENY = "deny"
    ALLOW = "allow"


class Doubt(StrEnum):
    """What becomes of an attempt that stays in doubt: it passes for sent, or it is sent once more."""

    ASSUME_SENT = "assume_sent"
    RESEND = "resend"


class Rule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is said of a step; None = nothing. `within`: seconds in which the status must come; 0 = no limit, the
    channel is left on a no alone."""

    need: Need | None = None
    within: Seconds | None = None
    overlap: Overlap | None = None


class Fallback(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A site's or a template's `fallback`: a rule for all channels, and `channels` with more exact ones."""

    need: Need | None = None
    within: Seconds | None = None
    overlap: Overlap | None = None
    in_doubt: Doubt | None = None
    channels: dict[str, Rule] = {}


class StepRule(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What holds for one step. `within`: seconds, None = it is left on a no alone."""

    need: Need = Need.DELIVERED
    within: int | None = None
    overlap: bool = False


# Where nobody says anything a channel is left on a no alone, so that nobody gets an alert twice.
PLAIN = StepRule()
LAST = StepRule(need=Need.SENT)  # nothing comes after it

_NOTHING = Fallback()
_REACHED = {
    AttemptState.SENT: (Need.SENT,),
    AttemptState.DELIVERED: (Need.SENT, Need.DELIVERED),
    AttemptState.READ: (Need.SENT, Need.DELIVERED, Need.READ),
}


def rule_of(channel: str, said: Iterable[Fallback]) -> StepRule:
    """The rule for a channel. `said`: who is to be heard, the nearest first (the template, then the site); of each its
    word on this channel comes before its word on all."""
    need: Need | None = None
    within: int | None = None
    overlap: Overlap | None = None
    heard = False
    for one in said:
        if one == _NOTHING:
            continue
        heard = True
        exact = one.channels.get(channel, Rule())
        need = need or exact.need or one.need
        for limit in (exact.within, one.within):
            within = limit if within is None else within
        overlap = overlap or exact.overlap or one.overlap
    if not heard:
        return PLAIN
    return StepRule(need=need or Need.DELIVERED, within=within or None, overlap=overlap is Overlap.ALLOW)


def doubt_of(said: Iterable[Fallback]) -> Doubt:
    return next((one.in_doubt for one in said if one.in_doubt), Doubt.ASSUME_SENT)


def reached(state: AttemptState, need: Need) -> bool:
    """Whether an attempt in `state` has what its step needs."""
    return need in _REACHED.get(state, ())


def enough(need: Need) -> AlertState:
    """What an alert must not have come to yet, for another channel to be tried after a step that needs `need`."""
    return AlertState.READ if need is Need.READ else AlertState.DELIVERED


def unwise(fallback: Fallback) -> list[tuple[str, str]]:
    """What is allowed and worth a look: place and sentence."""
    found: list[tuple[str, str]] = []
    rules = [("fallback", Rule(need=fallback.need, within=fallback.within, overlap=fallback.overlap))]
    rules += [(f"fallback.channels.{channel}", rule) for channel, rule in fallback.channels.items()]
    for place, rule in rules:
        within = fallback.within if rule.within is None else rule.within
        if rule.need is Need.READ and within:
            found.append(
                (f"{place}.need", "who got the message and has not read it in time gets it again on the next channel.")
            )
        if rule.need is Need.READ and not within:
            found.append(
                (f"{place}.need", "without within no channel is left by time, read or not: say how long it may take.")
            )
        if rule.overlap is Overlap.ALLOW and within:
            found.append(
                (f"{place}.overlap", "a message that comes late comes twice: once here and once on the next channel.")
            )
    return found
