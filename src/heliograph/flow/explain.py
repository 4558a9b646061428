"""The decision for a call, without sending: the same facts (flow/facts.py), the same rules (core/plan.py), the same
content. It uses up no limit, asks nobody outside and changes no cache; of the store it spends the call's nonce alone.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec

from heliograph.core.alert import Alert, AlertRequest
from heliograph.core.channel import Size
from heliograph.core.content import Content
from heliograph.core.plan import Considered, Decision, Facts, Stop, decide
from heliograph.core.ports import Claim
from heliograph.core.price import cost
from heliograph.core.record import decision_record
from heliograph.core.site import Hours, Site
from heliograph.flow.facts import Gathered, gather
from heliograph.flow.means import Means
from heliograph.flow.send import SENTENCES, held_against_its_site, spend


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """What one sender would send: the content, rendered and made to fit by `rules`, its `faults` and size, and what it
    costs in the site's currency (None where no price is known)."""

    channel: str
    sender: str
    provider: str
    content: Content
    rules: tuple[str, ...]
    faults: tuple[str, ...]
    size: Size
    cost: Decimal | None


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """Something that would stop the alert, or hold it until a moment (ms)."""

    code: str
    sentence: str
    until: int | None = None


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`alert`: as it would be taken. `record`: the decision record (JSON) as a send would keep it."""

    alert: Alert
    would: Literal["send", "hold", "refuse"]
    decision: Decision
    record: bytes
    messages: tuple[Shown, ...]
    obstacles: tuple[Obstacle, ...]
    currency: str


async def explain(request: AlertRequest, claims: tuple[Claim, ...], means: Means, *, request_id: str) -> Explanation:
    """What `flow.send` would do with this call now. Raises FieldFaults, NonceUsed, StoreAway as it does."""
    await spend(claims, means)
    now = means.clock.now()
    site, ready = held_against_its_site(request, means, id=request_id, now=now)
    alert = ready.alert
    opted_out: frozenset[str] = frozenset()
    scopes = await means.store.opted_out(site.id, alert.recipient, alert.skill)
    while True:
        gathered = await gather(alert, site, ready.template, means, deadline=0.0, opted_out=opted_out, looking=True)
        decision = decide(gathered.facts)
        if decision.stop is not None or scopes <= opted_out:
            break
        opted_out = scopes  # as `accept` does: it looks where something is to be sent or held
    return Explanation(
        alert=alert,
        would="refuse" if decision.stop else "hold" if decision.hold is not None else "send",
        decision=decision,
        record=decision_record(decision, alert),
        messages=tuple(_shown(line, gathered, alert, site, means) for line in _with_content(decision, gathered)),
        obstacles=tuple(obstacles(gathered.facts, scopes)),
        currency=site.prices.currency,
    )


def _with_content(decision: Decision, gathered: Gathered) -> list[Considered]:
    return [line for line in decision.considered if line.sender in gathered.contents]


def _shown(line: Considered, gathered: Gathered, alert: Alert, site: Site, means: Means) -> Shown:
    content = gathered.contents[line.sender]
    candidate = next(one for one in gathered.facts.candidates if one.sender == line.sender)
    opened = means.registry.sender(site.id, line.sender)
    size = opened.plug.measure(content) if opened and opened.plug else Size()
    return Shown(
        channel=line.channel,
        sender=line.sender,
        provider=candidate.provider,
        content=content,
        rules=candidate.rules,
        faults=candidate.content_faults,
        size=size,
        cost=cost(site.prices, line.channel, alert.recipient, size),
    )


def obstacles(facts: Facts, opted_out: frozenset[str]) -> list[Obstacle]:
    """Everything that is in the way, each by itself: a decision names only the first. Pure."""
    found: list[Obstacle] = []
    barred = opted_out & {"all", *facts.order}
    if barred:
        where = "everything" if "all" in barred else ", ".join(sorted(barred))
        found.append(Obstacle(code="opted_out", sentence=f"The recipient has opted out of {where}."))
    if facts.cap and facts.recent >= facts.cap:
        sentence = f"The recipient had {facts.recent} alerts within the cap's time; the site allows {facts.cap}."
        found.append(Obstacle(code="cap", sentence=sentence))
    if facts.quiet_until is not None and facts.quiet_rule is not Hours.IGNORE:
        reject = facts.quiet_rule is Hours.REJECT
        sentence = (
            SENTENCES[Stop.QUIET_HOURS] if reject else "It is the recipient's quiet hours: it is held until then."
        )
        found.append(Obstacle(code="quiet_hours", sentence=sentence, until=facts.quiet_until))
        if not reject and facts.quiet_until >= facts.expires:
            sentence = "The alert's time ends before the recipient's quiet hours do."
            found.append(Obstacle(code="expired", sentence=sentence, until=facts.expires))
    # What is left is up to the channels: the decision as it were without these rules.
    bare = decide(msgspec.structs.replace(facts, cap=0, quiet_until=None))
    if bare.hold is not None:
        sentence = "Every sender that could carry it is paused: it is held and looked at again then."
        found.append(Obstacle(code=bare.hold_reason, sentence=sentence, until=bare.hold))
    elif bare.stop is Stop.CONTENT:
        found.append(Obstacle(code="content_does_not_fit", sentence="No channel can carry this content as it is."))
    elif bare.stop is Stop.CANNOT_REACH:
        found.append(Obstacle(code=bare.stop.value, sentence="No channel of the site reaches the recipient."))
    elif bare.stop is not None and bare.stop is not Stop.OPTED_OUT:
        found.append(Obstacle(code=bare.stop.value, sentence=SENTENCES[bare.stop]))
    return found
