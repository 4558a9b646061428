"""Which senders are used, and what the outcomes of hand-overs say of them: the breaker, the pause, the probe."""

from __future__ import annotations

from enum import StrEnum

from heliograph.core import choice
from heliograph.core.alert import Alert
from heliograph.core.site import Sender
from heliograph.errors import Blame, Fate, SendError
from heliograph.flow.health import PROBE_EVERY
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenSender

THROTTLED = "throttled"  # the code of a rate limit, the provider's or the sender's own (core.reason)


class Use(StrEnum):
    """`probe`: this alert is the one that tries a sender which is paused or open; it is tried before all others of its
    channel, else nobody would learn that it works again."""

    YES = "yes"
    PROBE = "probe"
    NO = "no"


def in_order(alert: Alert, channel: str, means: Means) -> list[OpenSender]:
    """The senders of a channel as this recipient meets them: by weight, the same one each time."""
    found = means.registry.senders(alert.site, channel)
    return choice.in_order([(one, one.sender.name, one.sender.weight) for one in found], alert.recipient)


def use(opened: OpenSender, alert: Alert, means: Means, now: int, *, take: bool) -> tuple[Use, str, int]:
    """Whether this sender is used for this alert; if not, why, and when it is looked at again (ms). `take`: the alert
    may be the one that tries it; else a turn to try is seen and left to others."""
    sender = opened.sender
    health = means.healths.of(sender.site, sender.name)
    if opened.provider is None:
        return Use.NO, opened.fault, now + PROBE_EVERY
    if sender.paused and by_operator(sender):
        return Use.NO, sender.paused, now + PROBE_EVERY
    if sender.paused:
        if health.may_probe(alert.id, now, paused=True, take=take):
            return Use.PROBE, "", 0
        return Use.NO, sender.paused, health.next_probe(now)
    if health.admits(sender.name, alert.recipient, now):
        return Use.YES, "", 0
    back = health.share(now) > 0
    if not back and health.may_probe(alert.id, now, paused=False, take=take):
        return Use.PROBE, "", 0
    why = f"coming back: {health.why}" if back else f"open: {health.why}"
    return Use.NO, why, health.again(sender.name, alert.recipient, now)


def by_operator(sender: Sender) -> bool:
    """Whether somebody paused it; what heliograph paused itself it also tries again."""
    return bool(sender.paused_by)


def note(opened: OpenSender, taken: bool, error: SendError | None, means: Means) -> None:
    """What one hand-over says of the sender's health. `error` is the last one that it met."""
    sender, now = opened.sender, means.clock.now()
    health = means.healths.of(sender.site, sender.name)
    if error is not None and error.code == "unknown":
        means.meters.unknown_word(sender.provider, "error")
    if error is not None and error.code == THROTTLED:
        health.throttled += 1
        if not taken:
            return  # it neither serves nor fails: it says when to come again
    if taken or (error is not None and error.fate in (Fate.NEXT_CHANNEL, Fate.PERMANENT)):
        if health.good(now):
            means.log("info", "The sender answers again; its recipients come back by and by.", **_of(sender, "back"))
        return
    if error is not None and error.fate is not Fate.CONFIG and error.blame is Blame.PROVIDER and health.bad(now):
        means.log("error", f"The sender is left alone for a while: {health.why}.", **_of(sender, "open"))


def _of(sender: Sender, what: str) -> dict[str, str]:
    return {"action": f"sender.{what}", "site": sender.site, "sender": sender.name, "provider": sender.provider}


def marked(opened: OpenSender, recipient: str, means: Means) -> None:
    """The provider refused for a reason that may be the sender's: the third recipient in a row pauses it."""
    if means.healths.of(opened.sender.site, opened.sender.name).marked(recipient):
        pause(opened, "config: the provider refused three recipients in a row", means)


def pause(opened: OpenSender, why: str, means: Means) -> None:
    """Pauses a sender on every node and tells the operator. It is probed with one alert a minute."""
    means.healths.of(opened.sender.site, opened.sender.name).paused(means.clock.now())
    if opened.sender.paused:
        return
    means.log("error", f"The sender is paused: {why}.", **_of(opened.sender, "paused"))
    means.behind(means.store.pause_sender(opened.sender.site, opened.sender.name, why))


def succeeded(opened: OpenSender, means: Means) -> None:
    """The provider took a message: marks are forgotten, and a sender that heliograph paused is back."""
    means.healths.of(opened.sender.site, opened.sender.name).succeeded()
    if opened.sender.paused and not by_operator(opened.sender):
        means.log("info", "The sender works again.", **_of(opened.sender, "resumed"))
        means.behind(means.store.pause_sender(opened.sender.site, opened.sender.name, ""))
