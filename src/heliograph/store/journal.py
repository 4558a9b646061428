"""An alert's journal: one page for each commit that added to it, never changed. The record is read from it."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert, Attempt, attempt_id, number_of
from heliograph.core.content import Content
from heliograph.core.event import Entry
from heliograph.core.fallback import Need
from heliograph.core.states import AlertState, AttemptState
from heliograph.store.codec import encode
from heliograph.store.standing import Standing
from heliograph.store.verb import Row, Step

_alert = msgspec.json.Decoder(Alert).decode
_entries = msgspec.json.Decoder(tuple[Entry, ...]).decode
_names = msgspec.json.Decoder(tuple[str, ...]).decode
_replace = msgspec.structs.replace


class Begun(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What an attempt is from its beginning; the rest stands in its alert, or changes (store/standing.py). Short on
    purpose: two first pages of usual alerts then share a page of the file."""

    number: int
    channel: str
    provider: str
    sender: str
    created: int
    expires: int
    traffic: str
    content: Content
    need: Need = Need.SENT
    leave_at: int | None = None
    overlap: bool = False
    passed: tuple[str, ...] = ()
    window_ends: int | None = None


_begun = msgspec.json.Decoder(Begun).decode
_NULL = msgspec.Raw(b"null")
_OBJECT = msgspec.Raw(b"{}")


def first_page(alert: Alert, former: str, decision: bytes, attempt: Attempt | None, entries: tuple[Entry, ...]) -> Step:
    """The page of an acceptance. `alertInfo` stands beside the body: the caller's bytes as they came."""
    body = _replace(alert, alert_info=_NULL, former=former or alert.former)
    started, sender = _started(attempt)
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
    started, sender = _started(begun)
    return "journal_put", (
        *(site, alert, number, _lines(entries), None, None, decision, started, sender),
        *(answered or None, raw or None, encode(references) if references else None),
    )


def _started(attempt: Attempt | None) -> tuple[bytes | None, str | None]:
    if attempt is None:
        return None, None
    begun = Begun(
        attempt.number,
        attempt.channel,
        attempt.provider,
        attempt.sender,
        attempt.created,
        attempt.expires,
        attempt.traffic,
        attempt.content,
        attempt.need,
        attempt.leave_at,
        attempt.overlap,
        attempt.passed,
        attempt.window_ends,
    )
    return encode(begun), attempt.sender


class Pages:
    """An alert's pages, read."""

    def __init__(self, rows: list[Row]) -> None:
        """Rows of `journal_of`."""
        self.entries: tuple[Entry, ...] = tuple(entry for row in rows for entry in _entries(row[0]))
        self.decision: bytes = next((row[3] for row in reversed(rows) if row[3] is not None), b"")
        self._first = rows[0]
        self._begun = {begun.number: begun for begun in (_begun(row[4]) for row in rows if row[4] is not None)}
        self._answers = [row for row in rows if row[5] is not None]

    @property
    def contents(self) -> tuple[Content, ...]:
        """What was sent, attempt by attempt."""
        return tuple(begun.content for begun in self._begun.values())

    @property
    def recipient(self) -> str:
        return _alert(self._first[1]).recipient

    def begun(self, attempt: str) -> Begun:
        """How an attempt began."""
        return self._begun[number_of(attempt)]

    @property
    def skill(self) -> str:
        return _alert(self._first[1]).skill

    def alert(self, state: str, reason: str, send_at: int | None) -> Alert:
        _, body, info, *_ = self._first
        return _replace(
            _alert(body), alert_info=msgspec.Raw(info), state=AlertState(state), reason=reason, send_at=send_at
        )

    def attempt(self, id: str, standing: Standing) -> Attempt:
        begun, alert = self._begun[standing.number], _alert(self._first[1])
        raw: bytes = b""
        references: tuple[str, ...] = ()
        for *_, answered, answer, known_as in self._answers:
            if answered == id:
                raw = answer or raw
                references = _names(known_as) if known_as else references
        return Attempt(
            id=id,
            alert=alert.id,
            site=alert.site,
            number=begun.number,
            channel=begun.channel,
            provider=begun.provider,
            sender=begun.sender,
            recipient=alert.recipient,
            content=begun.content,
            expires=begun.expires,
            created=begun.created,
            traffic=begun.traffic,
            test=alert.test,
            need=begun.need,
            leave_at=begun.leave_at,
            overlap=begun.overlap,
            passed=begun.passed,
            window_ends=begun.window_ends,
            state=AttemptState(standing.state),
            reason=standing.reason,
            tries=standing.tries,
            revoke_asked=standing.revoke_asked,
            raw=raw,
            references=references,
        )


def content_of(alert: str, begun: bytes) -> tuple[str, Content]:
    """Id and content of an alert's attempt, as it began."""
    read = _begun(begun)
    return attempt_id(alert, read.number), read.content


def _lines(entries: tuple[Entry, ...]) -> bytes:
    """An entry without detail gets an empty object: an empty Raw is no JSON."""
    return encode([entry if bytes(entry.detail) else _replace(entry, detail=_OBJECT) for entry in entries])
