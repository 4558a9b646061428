"""An alert's journal: one page for each commit that added to it, never changed. The record is read from it."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.alert import Alert, Attempt
from heliograph.core.content import Content
from heliograph.core.event import Entry
from heliograph.core.states import AlertState, AttemptState
from heliograph.store.codec import encode
from heliograph.store.verb import Row, Step

_alert = msgspec.json.Decoder(Alert).decode
_attempt = msgspec.json.Decoder(Attempt).decode
_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_replace = msgspec.structs.replace
_NULL = msgspec.Raw(b"null")
_OBJECT = msgspec.Raw(b"{}")


def first_page(alert: Alert, former: str, decision: bytes, attempt: Attempt | None, entries: tuple[Entry, ...]) -> Step:
    """The page of an acceptance. `alertInfo` stands beside the body: the caller's bytes as they came."""
    body = _replace(alert, alert_info=_NULL, former=former or alert.former)
    started, sender = (encode(attempt), attempt.sender) if attempt is not None else (None, None)
    return "journal_put", (
        *(alert.site, alert.id, 1, _lines(entries), encode(body), bytes(alert.alert_info), decision),
        *(started, sender, None, None, None),
    )


def page(
    site: str,
    alert: str,
    number: int,
    entries: tuple[Entry, ...],
    *,
    decision: bytes | None = None,
    begun: Attempt | None = None,
    answered: str = "",
    raw: bytes = b"",
    references: tuple[str, ...] = (),
) -> Step:
    """A further page. `begun`: an attempt that begins; `raw` and `references`: what came back to `answered`."""
    started, sender = (encode(begun), begun.sender) if begun is not None else (None, None)
    return "journal_put", (
        *(site, alert, number, _lines(entries), None, None, decision, started, sender),
        *(answered or None, raw or None, encode(references) if references else None),
    )


class Pages:
    """An alert's pages, read."""

    def __init__(self, rows: list[Row]) -> None:
        """Rows of `journal_of`."""
        self.entries: tuple[Entry, ...] = tuple(entry for row in rows for entry in _entries(row[0]))
        self.decision: bytes = next((row[3] for row in reversed(rows) if row[3] is not None), b"")
        self._first = rows[0]
        self._begun = [_attempt(row[4]) for row in rows if row[4] is not None]
        self._answers = [row for row in rows if row[5] is not None]

    def alert(self, state: str, reason: str, send_at: int | None) -> Alert:
        _, body, info, *_ = self._first
        return _replace(
            _alert(body), alert_info=msgspec.Raw(info), state=AlertState(state), reason=reason, send_at=send_at
        )

    def attempts(self) -> list[str]:
        """The attempts' ids, in their order."""
        return [attempt.id for attempt in sorted(self._begun, key=lambda attempt: attempt.number)]

    def attempt(self, id: str, state: str, reason: str, tries: int, revoke_asked: int | None) -> Attempt:
        attempt = next(attempt for attempt in self._begun if attempt.id == id)
        raw, references = attempt.raw, attempt.references
        for *_, answered, answer, known_as in self._answers:
            if answered == id:
                raw = answer or raw
                references = _names(known_as) if known_as else references
        return _replace(
            attempt,
            state=AttemptState(state),
            reason=reason,
            tries=tries,
            revoke_asked=revoke_asked,
            raw=raw,
            references=references,
        )


def content_of(attempt: bytes) -> tuple[str, Content]:
    """Id and content of an attempt's body."""
    read: Any = _attempt(attempt)
    return read.id, read.content


def _lines(entries: tuple[Entry, ...]) -> bytes:
    """An entry without detail gets an empty object: an empty Raw is no JSON."""
    if all(bytes(entry.detail) for entry in entries):
        return encode(entries)
    return encode([entry if bytes(entry.detail) else _replace(entry, detail=_OBJECT) for entry in entries])
