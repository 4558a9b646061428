"""What the brand is told, written with what it tells of, and how far its telling has come."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.optout import OptOut
from heliograph.core.states import AlertState
from heliograph.core.webhook import (
    ALERT_TYPES,
    NOTHING,
    Body,
    Data,
    Event,
    Tell,
    Webhook,
    opt_out_subject,
    rfc3339,
)
from heliograph.store.codec import encode
from heliograph.store.verb import Row, Verb

DAY = 86_400_000  # ms
KEPT_TAKEN = 3 * DAY
KEPT_FAILED = 8 * DAY  # those that were given up: an operator may have them posted again
_alert = msgspec.json.Decoder(Alert).decode
_webhook = msgspec.json.Decoder(Webhook).decode
_replace = msgspec.structs.replace


def tells(site: str, tell: Tell) -> Verb[frozenset[str]]:
    """The types that the site's brand is told of: as the caller knows them, else as the registry has them."""
    if tell is not None:
        return tell
    rows = yield "document_read", (site, "webhook", site)
    return _webhook(rows[0][0]).tells if rows and rows[0][0] else NOTHING


def put(subject: str, type: str, data: Data, at: int) -> Verb[None]:
    """One event, behind those that its subject has."""
    rows = yield "outbox_number", (data.site, subject, at)
    number = rows[0][0]
    body = Body(type=type, timestamp=rfc3339(at), data=_replace(data, sequence=number))
    yield "outbox_put", (data.site, subject, number, type, at, encode(body))
    yield "outbox_due", (data.site, subject, at)


def accepted(alert: Alert, channel: str, tell: Tell) -> Verb[None]:
    """An alert was accepted; one that is held tells that besides, one that is refused nothing else."""
    types = yield from tells(alert.site, tell)
    refused = alert.state is AlertState.REFUSED
    said = ["alert.refused"] if refused else ["alert.accepted"]
    if alert.state is AlertState.SCHEDULED:
        said.append("alert.scheduled")
    for type in said:
        if type in types:
            data = _data(alert, AlertState.ACCEPTED if type == "alert.accepted" else alert.state, channel)
            held = type == "alert.scheduled"
            reason = alert.reason if refused else ""
            data = _replace(data, reason=reason, send_at=rfc3339(alert.send_at) if held else "")
            yield from put(alert.id, type, data, alert.created)


def moved(
    site: str,
    alert: str,
    state: AlertState,
    now: int,
    tell: Tell,
    *,
    channel: str,
    reason: str = "",
    send_at: int | None = None,
    provider_time: int | None = None,
) -> Verb[None]:
    """An alert came into another state. That it is on its way to a provider is told to nobody."""
    type = f"alert.{state.value}"
    if type not in ALERT_TYPES or type not in (yield from tells(site, tell)):
        return
    rows = yield "alert_facts", (site, alert)
    if rows:
        data = _data(_alert(rows[0][0]), state, channel)
        data = _replace(data, reason=reason, send_at=rfc3339(send_at), provider_time=rfc3339(provider_time))
        yield from put(alert, type, data, now)


def _data(alert: Alert, state: AlertState, channel: str) -> Data:
    return Data(
        site=alert.site,
        alert_id=alert.id,
        external_alert_id=alert.external_alert_id,
        recipient=alert.recipient,
        channel=channel,
        template=alert.template,
        state=state.value,
        created=rfc3339(alert.created),
        test=alert.test,
    )


def opt_out(row: OptOut, now: int, tell: Tell) -> Verb[None]:
    """A recipient's no that came into force, or was withdrawn."""
    type = "opt_out.removed" if row.wanted else "opt_out.added"
    if type in (yield from tells(row.site, tell)):
        data = Data(site=row.site, recipient=row.recipient, scope=row.scope, how=row.how, since=rfc3339(row.at))
        yield from put(opt_out_subject(row.site, row.recipient, row.scope), type, data, now)


# ── Posting them ────────────────────────────────────────────────────────────────────────────────────────────────────


def following(site: str, subject: str) -> Verb[Event | None]:
    """The event that is to be posted now."""
    rows = yield "outbox_next", (site, subject)
    return event(site, rows[0]) if rows else None


def taken(event: Event, now: int) -> Verb[Event | None]:
    yield "outbox_ended", (event.site, event.subject, event.number, "taken", "", now + KEPT_TAKEN)
    return (yield from _next(event))


def given_up(event: Event, why: str, now: int) -> Verb[Event | None]:
    yield "outbox_ended", (event.site, event.subject, event.number, "failed", why, now + KEPT_FAILED)
    return (yield from _next(event))


def _next(event: Event) -> Verb[Event | None]:
    """What comes after it; where that is nothing the subject's due row is done with."""
    found = yield from following(event.site, event.subject)
    if found is None:
        rows = yield "due_finish", (event.site, "webhook", event.subject)
        if not rows:
            yield "due_again", (event.site, "webhook", event.subject)
    return found


def failed(event: Event, why: str, at: int) -> Verb[None]:
    yield "outbox_tried", (event.site, event.subject, event.number, why)
    yield "outbox_due_later", (event.site, event.subject, at)


def later(site: str, subject: str, at: int) -> Verb[None]:
    yield "outbox_due_later", (site, subject, at)


def event(site: str, row: Row) -> Event:
    """A row of outbox_next and its kin."""
    return Event(
        site=site,
        subject=row[0],
        number=row[1],
        type=row[2],
        at=row[3],
        since=row[4],
        state=row[5],
        tries=row[6],
        why=row[7],
        until=row[8],
        body=row[9],
    )
