"""Where an alert goes after a channel said no, or kept it waiting for too long: the decision made again, from the facts
of this moment, without the channels that it has left."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.content import Content
from heliograph.core.plan import Considered, Decision, Step, decide
from heliograph.flow.facts import gather
from heliograph.flow.means import Means


class Way(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The next `step` and the content for it, or the moment (`hold`, ms) from which there may be one, or neither.
    `passed`: the channels that were left. `decision` is what was decided, None where nothing could be."""

    step: Step | None = None
    contents: dict[str, Content] = {}
    traffic: str = "transaction"
    hold: int | None = None
    passed: tuple[str, ...] = ()
    decision: Decision | None = None
    why: str = ""

    @property
    def considered(self) -> tuple[Considered, ...]:
        return self.decision.considered if self.decision else ()


async def onward(
    alert: Alert, passed: Iterable[str], means: Means, *, deadline: float, tried: Iterable[str] = ()
) -> Way:
    """Opt-outs, hours and the alert's end are looked at as they are now; the cap is not, since this alert counts in it
    already. Raises StoreAway."""
    left = tuple(sorted(set(passed)))
    site = means.registry.site(alert.site)
    versions = means.registry.template(alert.site, alert.template)
    template = next((v for v in versions if v.template.version == alert.template_version), None)
    if site is None or template is None:
        return Way(passed=left, why="template_or_site_removed")
    if means.clock.now() >= alert.expires:
        return Way(passed=left, why="expired")
    gathered = await gather(
        alert,
        site,
        template,
        means,
        deadline=deadline,
        opted_out=await means.store.opted_out(alert.site, alert.recipient, alert.skill),
        passed=frozenset(left),
        tried=frozenset(tried),
    )
    decision = decide(msgspec.structs.replace(gathered.facts, cap=0))
    if means.clock.now() >= alert.expires:
        return Way(passed=left, decision=decision, why="expired")
    return Way(
        step=decision.steps[0] if decision.steps else None,
        contents=gathered.contents,
        traffic=template.template.traffic,
        hold=decision.hold if decision.hold is not None and decision.hold < alert.expires else None,
        passed=left,
        decision=decision,
        why=_why(decision),
    )


def _why(decision: Decision) -> str:
    """Why there is no step now; "" where there is one."""
    if decision.steps:
        return ""
    if decision.hold is not None:
        return decision.hold_reason
    left = any(line.why in ("passed", "tried") for line in decision.considered)
    return "no_channel_left" if left or decision.stop is None else decision.stop.value
