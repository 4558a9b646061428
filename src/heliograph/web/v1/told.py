"""Alerts and explanations as the native API tells them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from heliograph.core.alert import Alert, Attempt
from heliograph.core.conversation import Conversation
from heliograph.core.ports import AlertRow, Record
from heliograph.flow.explain import Explanation, Shown
from heliograph.flow.result import Result
from heliograph.web.livedeflect.answers import rfc3339
from heliograph.web.v1 import shapes


def line(row: AlertRow) -> shapes.AlertLine:
    return shapes.AlertLine(
        id=row.id,
        created=rfc3339(row.created),
        recipient=row.recipient,
        template=row.template,
        language=row.language,
        state=row.state.value,
        reason=row.reason,
        channel=row.channel,
        external_alert_id=row.external_alert_id,
        test=row.test,
    )


def state(record: Record) -> shapes.AlertState:
    alert = record.alert
    return shapes.AlertState(
        id=alert.id,
        state=alert.state.value,
        reason=alert.reason,
        channel=record.attempts[-1].channel if record.attempts else "",
        send_at=rfc3339(alert.send_at) if alert.send_at is not None else "",
    )


def begun(result: Result) -> shapes.AlertState:
    """An alert that was accepted this moment."""
    held = result.send_at is not None
    return shapes.AlertState(
        id=result.alert,
        state="scheduled" if held else "sending",
        channel=result.channel,
        send_at=rfc3339(result.send_at) if result.send_at is not None else "",
    )


def record(found: Record, conversations: Sequence[Conversation] = ()) -> shapes.AlertRecord:
    alert = found.alert
    same = {name: getattr(alert, name) for name in _AS_THEY_ARE}
    return shapes.AlertRecord(
        **same,
        state=alert.state.value,
        created=rfc3339(alert.created),
        expires=rfc3339(alert.expires),
        send_at=rfc3339(alert.send_at) if alert.send_at is not None else None,
        alert_info=_json(bytes(alert.alert_info)),
        notes=list(alert.notes),
        decision=_json(found.decision),
        attempts=[attempt(one) for one in found.attempts],
        timeline=[
            shapes.Happening(
                at=rfc3339(entry.at),
                kind=entry.kind,
                by=entry.by,
                attempt=entry.attempt,
                detail=_json(bytes(entry.detail)),
            )
            for entry in found.entries
        ],
        conversations=[one.id for one in conversations],
    )


# What stands in an alert's record as it is kept.
_AS_THEY_ARE = sorted(
    {field.name for field in msgspec.structs.fields(shapes.AlertRecord)}
    & {field.name for field in msgspec.structs.fields(Alert)}
    - {"state", "created", "expires", "send_at", "alert_info", "notes"}
)


def attempt(one: Attempt) -> shapes.AttemptShape:
    return shapes.AttemptShape(
        id=one.id,
        number=one.number,
        channel=one.channel,
        provider=one.provider,
        sender=one.sender,
        state=one.state.value,
        reason=one.reason,
        created=rfc3339(one.created),
        tries=one.tries,
        content=one.content,
        references=list(one.references),
        response=_json(one.raw),
    )


def explanation(found: Explanation) -> shapes.ExplanationShape:
    alert, decision = found.alert, found.decision
    lines = {considered.sender: considered for considered in decision.considered}
    return shapes.ExplanationShape(
        would=found.would,
        recipient=alert.recipient,
        template=alert.template,
        template_version=alert.template_version,
        language=alert.language,
        expires=rfc3339(alert.expires),
        channels=list(dict.fromkeys(step.channel for step in decision.steps)),
        hold_until=rfc3339(decision.hold) if decision.hold is not None else None,
        obstacles=[
            shapes.ObstacleShape(
                code=one.code, detail=one.sentence, until=rfc3339(one.until) if one.until is not None else ""
            )
            for one in found.obstacles
        ],
        messages=[message(one, lines[one.sender].chosen, lines[one.sender].why) for one in found.messages],
        currency=found.currency,
        notes=list(alert.notes),
        decision=Raw(found.record),
    )


def message(one: Shown, chosen: bool, why: str) -> shapes.MessageShape:
    return shapes.MessageShape(
        channel=one.channel,
        sender=one.sender,
        provider=one.provider,
        chosen=chosen,
        why=why,
        content=one.content,
        rules=list(one.rules),
        faults=list(one.faults),
        parts=one.size.parts,
        encoding=one.size.encoding,
        units=one.size.units,
        forced_by=one.size.forced_by,
        cost=None if one.cost is None else f"{one.cost:f}",
    )


_decode: Callable[[bytes], Raw] = msgspec.json.Decoder(Raw).decode


def _json(raw: bytes) -> Raw:
    """The bytes themselves where they are JSON, null for none, else a string of them."""
    if not raw.strip():
        return Raw(b"null")
    try:
        _decode(raw)
        raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Raw(msgspec.json.encode(raw.decode("utf-8", "replace")))
    return Raw(raw)
