"""The record of a decision, and the details of timeline entries: JSON that is kept as it was at that moment.

It is encoded here, at its birth, and never read back by a rule: what was decided then must not change its meaning when
a struct changes later.
"""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.plan import Considered, Decision, Step, Stop


class DecisionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What was considered and why, the steps that come of it, and the template version and language used."""

    template: str
    version: str
    version_tag: str
    language: str
    language_asked: str
    forced: str
    considered: tuple[Considered, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]
    unknown_fields: tuple[str, ...]
    stop: Stop | None
    hold: int | None
    hold_reason: str


_encode = msgspec.json.Encoder().encode


def decision_record(decision: Decision, alert: Alert) -> bytes:
    return _encode(
        DecisionRecord(
            template=alert.template,
            version=alert.template_version,
            version_tag=alert.version_tag,
            language=alert.language,
            language_asked=alert.language_asked,
            forced=decision.forced,
            considered=decision.considered,
            steps=decision.steps,
            notes=alert.notes,
            unknown_fields=alert.unknown,
            stop=decision.stop,
            hold=decision.hold,
            hold_reason=decision.hold_reason,
        )
    )


def detail(**facts: object) -> msgspec.Raw:
    """The detail of a timeline entry: an object of the facts that are not empty."""
    return msgspec.Raw(_encode({name: fact for name, fact in facts.items() if fact not in (None, "", (), [])}))
