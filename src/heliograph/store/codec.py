"""Core structs ↔ columns. What is searched or changed has a column of its own and wins over the body."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.alert import Alert, Attempt
from heliograph.core.content import Content
from heliograph.core.event import Entry
from heliograph.core.states import AlertState, AttemptState
from heliograph.store.verb import Row

encode = msgspec.json.Encoder().encode
_alert = msgspec.json.Decoder(Alert).decode
_attempt = msgspec.json.Decoder(Attempt).decode
_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_replace = msgspec.structs.replace
_NOTHING = msgspec.Raw(b"null")
_OBJECT = msgspec.Raw(b"{}")


def alert_values(alert: Alert, channel: str, claims: bytes, former: str, decision: bytes) -> tuple[Any, ...]:
    """Parameters of `alert_put`. `alertInfo` has a column of its own: the caller's bytes as they came."""
    body = _replace(alert, alert_info=_NOTHING, former=former or alert.former)
    return (
        alert.site,
        alert.id,
        alert.created,
        alert.recipient,
        alert.template,
        alert.language,
        alert.state.value,
        alert.reason,
        channel,
        alert.external_alert_id,
        alert.send_at,
        claims,
        bytes(alert.alert_info),
        encode(body),
        decision,
    )


def read_alert(row: Row) -> Alert:
    """An alert from `alert_read`'s first five columns."""
    state, reason, send_at, info, body = row[:5]
    return _replace(
        _alert(body), state=AlertState(state), reason=reason, send_at=send_at, alert_info=msgspec.Raw(info)
    )


def attempt_values(attempt: Attempt) -> tuple[Any, ...]:
    """Parameters of `attempt_put`."""
    return (
        attempt.site,
        attempt.alert,
        attempt.number,
        attempt.id,
        attempt.channel,
        attempt.sender,
        attempt.state.value,
        attempt.reason,
        attempt.tries,
        names(attempt.references),
        attempt.revoke_asked,
        attempt.raw,
        encode(_replace(attempt, raw=b"", references=()) if attempt.raw or attempt.references else attempt),
    )


def read_attempt(row: Row) -> Attempt:
    """An attempt from `attempt_read`."""
    state, reason, tries, known_as, revoke_asked, raw, body = row
    return _replace(
        _attempt(body),
        state=AttemptState(state),
        reason=reason,
        tries=tries,
        references=read_names(known_as),
        revoke_asked=revoke_asked,
        raw=raw,
    )


def content_of(body: bytes) -> Content:
    """The content in an attempt's body."""
    return _attempt(body).content


def names(values: tuple[str, ...]) -> str:
    return encode(values).decode() if values else "[]"


def read_names(text: str) -> tuple[str, ...]:
    return _names(text)


def entries(values: tuple[Entry, ...]) -> bytes:
    """A page of a timeline. An entry without detail gets an empty object: an empty Raw is no JSON."""
    if all(value.detail for value in values):
        return encode(values)
    return encode([value if value.detail else _replace(value, detail=_OBJECT) for value in values])


def read_entries(rows: list[Row]) -> tuple[Entry, ...]:
    return tuple(entry for row in rows for entry in _entries(row[0]))
