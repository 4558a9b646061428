"""What the brand is told, written with what it tells of, and how far its telling has come."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.optout import OptOut
from heliograph.core.states import SAID_NO, AlertState
from heliograph.core.webhook import (
    ALERT_TYPES,
    NOTHING,
    TYPES,
    Body,
    Data,
    Event,
    Tell,
    Webhook,
    Words,
    opt_out_subject,
    rfc3339,
    sent_files,
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
    rows = yield "journal_first", (site, alert)
    if rows:
        spoken = yield "alert_spoken_of", (site, alert)
        data = _replace(
            _data(_alert(rows[0][0]), state, channel),
            conversation_id=spoken[0][0] if spoken else "",
            reason=reason,
            send_at=rfc3339(send_at),
            provider_time=rfc3339(provider_time),
        )
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


def turn_added(there: Conversation, turn: Turn, now: int, tell: Tell) -> Verb[None]:
    """A turn was written: the recipient's words, an agent's, or that the conversation was closed. One without a desk is
    an exchange of keywords, which nobody opened."""
    said = []
    if turn.number == 1 and there.desk:
        said.append("conversation.opened")
    if turn.by is By.RECIPIENT:
        said.append("reply.received")
    elif turn.by is By.AGENT:
        said.append("conversation.answered")
    elif turn.kind == "closed" and there.desk:
        said.append("conversation.closed")
    types = (yield from tells(there.site, tell)) if said else NOTHING
    for type in said:
        if type in types:
            words = turn if type in ("reply.received", "conversation.answered") else None
            yield from put(there.id, type, (yield from _spoken(there, turn, words, there.state.value)), now)


def turn_moved(there: Conversation, turn: Turn, now: int, tell: Tell) -> Verb[None]:
    """An agent's turn came into another state on its way to the recipient."""
    if turn.by is not By.AGENT or turn.state is None:
        return
    type = "turn.failed" if turn.state in SAID_NO else f"turn.{turn.state.value}"
    if type in TYPES and type in (yield from tells(there.site, tell)):
        data = yield from _spoken(there, turn, None, turn.state.value)
        data = _replace(data, reason=turn.reason, channel=turn.channel, turn=Words(number=turn.number))
        yield from put(there.id, type, data, now)


def _spoken(there: Conversation, turn: Turn, words: Turn | None, state: str) -> Verb[Data]:
    alert = turn.alert or (there.alerts[-1] if there.alerts else there.alert)
    rows = (yield "journal_first", (there.site, alert)) if alert else []
    about = _alert(rows[0][0]) if rows else None
    return Data(
        site=there.site,
        alert_id=alert,
        external_alert_id=about.external_alert_id if about else "",
        template=about.template if about else "",
        conversation_id=there.id,
        recipient=there.recipient,
        channel=turn.channel or there.channel,
        state=state,
        skill=there.skill,
        desk=there.desk,
        closed_by=there.closed_by.value if there.closed_by else "",
        turn=_words(words) if words else None,
        test=there.test,
    )


def _words(turn: Turn) -> Words:
    return Words(
        number=turn.number,
        by=turn.by.value,
        kind=turn.kind,
        text=turn.text,
        postback=turn.postback,
        rule=turn.rule,
        author=turn.author,
        attached=sent_files(turn.attached),
        place=turn.place,
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
