"""Receipts: they move an attempt and its alert, at once or as soon as the attempt's outcome is known."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import alert_of
from heliograph.core.conversation import Turn
from heliograph.core.event import Entry, Receipt
from heliograph.core.ports import TurnOutcome
from heliograph.core.states import AlertState, AttemptState, doubtful, moved, shown
from heliograph.core.webhook import Tell
from heliograph.store import due, journal, operators, opt_outs, outbox, standing, turns
from heliograph.store.codec import encode
from heliograph.store.hidden import Hide
from heliograph.store.outside import short
from heliograph.store.verb import Verb

waiting = msgspec.json.Decoder(Receipt).decode
_ARRIVED = frozenset({AttemptState.DELIVERED, AttemptState.READ})
_SHOWN = frozenset({AlertState.DELIVERED, AlertState.READ})
OWN = 36  # characters of our ids
TURN = "turn"  # in an alert's place: the id beside it is that of a conversation's turn


def find(site: str, sender: str, attempt: str, reference: str) -> Verb[tuple[str, str]]:
    """The alert and the attempt that our own id or the provider's name stands for, empty where nobody knows (yet). Of
    a turn that left: TURN and its id."""
    for id in (attempt, reference[-OWN:]):
        if id:
            alert = alert_of(short(id))
            rows = yield "alert_read", (alert,)
            if rows and rows[0][0] == site and standing.of(alert, id, standing.read(rows[0][-1])):
                return alert, id
    if reference:
        rows = yield "reference_read", (site, sender, short(reference))
        if rows:
            return rows[0][0], rows[0][1]
    turn = (yield from turns.find(site, attempt or reference[-OWN:])) if attempt or reference else None
    return (TURN, turn.id) if turn else ("", "")


def name(
    site: str,
    sender: str,
    alert: str,
    attempt: str,
    references: tuple[str, ...],
    now: int,
    hide: Hide,
    tell: Tell = None,
) -> Verb[None]:
    """Remember the provider's names for an attempt, and apply the receipts that waited for one of them. A name that
    ends in our own id (Google's `phones/…/agentMessages/<id>`) needs no remembering: `find` reads the id in it."""
    for reference in references:
        if reference.endswith(attempt) and len(attempt) == OWN:
            continue
        rows = yield "reference_put", (site, sender, short(reference), alert, attempt)
        if rows[0][0]:
            yield from _join(site, sender, short(reference), alert, attempt, now, hide, tell)


def wait(site: str, channel: str, sender: str, receipt: Receipt, event: str, now: int) -> Verb[tuple[str, str]]:
    """Keep a receipt whose attempt nobody knows. Where an outcome has named it in this very moment, that is given."""
    reference = short(receipt.reference or receipt.attempt)
    if receipt.reference:
        rows = yield "reference_hold", (site, sender, reference)
        if rows[0][1]:
            return rows[0][0], rows[0][1]
    yield "early_put", (site, sender, reference, event, channel, now, encode(receipt))
    return "", ""


def turn_outcome(told: TurnOutcome, now: int, hide: Hide) -> Verb[Turn | None]:
    """What became of a turn of ours that was handed over, with the provider's names for it."""
    turn = yield from turns.outcome(told, now)
    if turn is None or not told.references:
        return turn
    yield from name(told.site, turn.sender, TURN, turn.id, told.references, now, hide, None)
    return (yield from turns.find(told.site, turn.id))


def _join(
    site: str, sender: str, reference: str, alert: str, attempt: str, now: int, hide: Hide, tell: Tell
) -> Verb[None]:
    """Apply the receipts that waited for this reference, in the order in which they were heard."""
    rows = yield "early_take", (site, sender, reference)
    for _, _, body in sorted((row[0], row[1], row[2]) for row in rows):
        yield from apply(site, alert, attempt, waiting(body), now, hide, tell=tell)


def apply(
    site: str,
    alert: str,
    attempt: str,
    receipt: Receipt,
    now: int,
    hide: Hide,
    via: str = "",
    tell: Tell = None,
) -> Verb[AttemptState | None]:
    """Move the attempt and what its alert shows, as far as core.states allows; the timeline keeps every receipt. The
    attempt's new state, None where it stays as it was. `via`: its channel, shown as the alert's where it arrived."""
    if alert == TURN:
        return (yield from turns.receipt(site, attempt, receipt.state, receipt.reason, now, tell))
    rows = yield "alert_lock", (site, alert)
    if not rows:
        return None
    alert_state, reason, channel, send_at, pages, _, kept = rows[0]
    standings = standing.read(kept)
    its = standing.of(alert, attempt, standings)
    if its is None:
        return None
    before, alert_before = AttemptState(its.state), AlertState(alert_state)
    after = moved(before, receipt.state)
    alert_after = shown(alert_before, (after,))
    # What only passes for sent is sent now.
    settled = after is before and receipt.state is after and doubtful(before, its.reason)
    if after is not before or settled:
        was = msgspec.structs.replace(its)
        its.state, its.reason = after.value, receipt.reason
        yield from operators.doubted(site, alert, attempt, was, its, now)
    if after is not before:
        yield from due.follow(site, attempt, after, alert_after, now)
    if alert_after is not alert_before:
        reason, send_at = "", None
        channel = via if via and alert_after in _SHOWN else channel
    moves = (alert_after.value, reason, channel, send_at, pages + 1, standing.written(standings))
    yield "alert_move", (site, alert, *moves)
    kind = after.value if after is not before else "receipt"
    late = its.revoke_asked is not None and after is not before and after in _ARRIVED
    line = entry(receipt, kind, attempt, now, exception="late_delivered" if late else "")
    yield journal.page(site, alert, pages + 1, (line,))
    if after is AttemptState.FAILED and receipt.reason == opt_outs.REFUSED:
        yield from opt_outs.refused(site, alert, attempt, now, hide)
    if alert_after is not alert_before and (tell is None or tell):
        yield from outbox.moved(site, alert, alert_after, now, tell, channel=channel, provider_time=receipt.at)
    return after if after is not before else None


def entry(receipt: Receipt, kind: str, attempt: str, now: int, *, exception: str = "") -> Entry:
    """`exception`: late_delivered, where the provider had been asked to take the message back."""
    detail: dict[str, object] = {"event": receipt.event, "state": receipt.state.value, "raw": receipt.raw}
    if receipt.at is not None:
        detail["at"] = receipt.at
    if receipt.reason:
        detail["reason"] = receipt.reason
    if exception:
        detail["exception"] = exception
    return Entry(at=now, kind=kind, by="provider", attempt=attempt, detail=msgspec.Raw(encode(detail)))
