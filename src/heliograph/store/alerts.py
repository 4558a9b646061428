"""The life of an alert: accepted, its attempts moved, read back."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from heliograph.core.alert import Attempt, alert_of, attempt_id
from heliograph.core.optout import concerning
from heliograph.core.ports import Acceptance, Accepted, Barred, Outcome, Record, Taker
from heliograph.core.states import ENDS, SAID_NO, AlertState, AttemptState, moved, shown
from heliograph.store import begin, claims, due, journal, operators, opt_outs, outbox, receipts, standing
from heliograph.store.hidden import Hide
from heliograph.store.outside import short
from heliograph.store.standing import Standing
from heliograph.store.verb import Verb

_ARRIVED = frozenset({AlertState.DELIVERED, AlertState.READ})
_TAKEN = frozenset({AttemptState.SENT, AttemptState.DELIVERED, AttemptState.READ})
_SENT = AttemptState.SENT.value
_UNDER_WAY = frozenset({AlertState.ACCEPTED, AlertState.SCHEDULED, AlertState.SENDING})


def accept(acceptance: Acceptance, hide: Hide) -> Verb[Accepted | Taker | Barred]:
    """Opt-outs, then claims, then the rest: what refuses comes before anything that would have to be undone."""
    alert, attempt = acceptance.alert, acceptance.attempt
    if acceptance.due:  # something is to be sent, now or later
        rows = yield "opt_outs_of", (alert.site, alert.recipient, hide(alert.site, alert.recipient))
        if rows:
            scopes = concerning((row[0] for row in rows), alert.skill)
            if not scopes <= acceptance.opted_out:
                return Barred(scopes=scopes)
    former = yield from claims.take(acceptance.claims, alert.created)
    if isinstance(former, Taker):
        return former
    marks = claims.marks_of(acceptance.claims)
    yield (
        "alert_put",
        (
            *(alert.site, alert.id, alert.created, alert.recipient, alert.template, alert.language, alert.state.value),
            *(alert.reason, attempt.channel if attempt else alert.channel_forced, short(alert.external_alert_id)),
            *(alert.send_at, marks, standing.written([standing.begun(attempt)]) if attempt else b"[]"),
            int(alert.test),
        ),
    )
    yield journal.first_page(alert, former, acceptance.decision, attempt, acceptance.entries)
    for row in acceptance.due:
        yield "due_new", due.values(row)
    if acceptance.tell is None or acceptance.tell:
        yield from outbox.accepted(alert, attempt.channel if attempt else alert.channel_forced, acceptance.tell)
    return Accepted(former=former)


def outcome(outcome: Outcome, clock: Callable[[], int], hide: Hide) -> Verb[bool]:
    """A receipt may have come first, so every state is held against what is there. False: it gave way or was late."""
    site, alert, now = outcome.site, outcome.alert, clock()
    if outcome.begun is not None and (yield from _taken(outcome, outcome.begun, now, hide)):
        return True
    attempt_state: AttemptState | None = None
    sender = ""
    rows = yield "alert_lock", (site, alert)
    now = clock()  # the lock may have kept it waiting
    if not rows or (outcome.until is not None and now > outcome.until):
        return False
    alert_state, reason, channel, _, pages, marks, kept = rows[0]
    standings = standing.read(kept)
    attempt: Standing | None = None
    if outcome.attempt:
        attempt = standing.of(alert, outcome.attempt, standings)
        if attempt is None:
            return False
        before_attempt, sender = AttemptState(attempt.state), attempt.sender
        if outcome.expects is not None:
            leased = yield "due_leased", (site, "attempt", outcome.attempt, now)
            if leased or before_attempt is not outcome.expects:
                return False
        if outcome.gives_way and before_attempt in _TAKEN:
            yield "alert_move", (site, alert, alert_state, reason, channel, None, pages + 1, kept)
            yield journal.page(site, alert, pages + 1, outcome.entries)
            return False
        attempt_state = moved(before_attempt, outcome.state) if outcome.state else before_attempt
        if before_attempt in SAID_NO and attempt_state in due.SETTLED:
            attempt_state = before_attempt  # guessed from a revoke's "not there"; a no that was heard says more
    before = AlertState(alert_state)
    if outcome.next or outcome.revoke_asked:
        asked = attempt.revoke_asked if attempt is not None else None
        if not (yield from begin.may(outcome, before, attempt_state, asked, len(standings), hide)):
            return False
    if attempt is not None and attempt_state is not None:
        was = msgspec.structs.replace(attempt)
        _move(attempt, outcome, attempt_state)
        yield from operators.doubted(site, alert, outcome.attempt, was, attempt, now)
    state = _alert_after(before, outcome, attempt_state)
    if state is not before:
        reason = outcome.reason if state in ENDS else ""
    if outcome.next is not None:
        standings.append(standing.begun(outcome.next))
        channel = outcome.next.channel
    send_at = outcome.send_at if state is AlertState.SCHEDULED else None
    yield (
        "alert_move",
        (site, alert, state.value, reason, channel, send_at, pages + 1, standing.written(standings)),
    )
    yield journal.page(
        site,
        alert,
        pages + 1,
        outcome.entries,
        decision=outcome.decision,
        begun=outcome.next,
        answered=outcome.attempt,
        raw=outcome.raw,
        references=outcome.references,
    )
    if outcome.state is AttemptState.FAILED and outcome.reason == opt_outs.REFUSED:
        yield from opt_outs.refused(site, alert, outcome.attempt, now, hide)
    if state is not before and (outcome.tell is None or outcome.tell):
        yield from outbox.moved(site, alert, state, now, outcome.tell, channel=channel, reason=reason, send_at=send_at)
    for kind, ref in outcome.done:
        yield "due_drop", (site, kind, ref)
    for row in outcome.due:
        yield "due_put", due.values(row)
    if outcome.release:
        yield from claims.release(site, alert, marks)
    if attempt_state is not None and outcome.state is not None and attempt_state is not outcome.state:
        # A receipt was here first: what it means for the due row stands above what this outcome asked for.
        yield from due.follow(site, outcome.attempt, attempt_state, state, now)
    if outcome.references:
        yield from receipts.name(site, sender, alert, outcome.attempt, outcome.references, now, hide, outcome.tell)
    return True


def _taken(outcome: Outcome, begun: Attempt, now: int, hide: Hide) -> Verb[bool]:
    """The usual end of a call: the first attempt was taken, and the alert is as its acceptance wrote it (one page).
    False: somebody changed it meanwhile, nothing was written."""
    site, alert = outcome.site, outcome.alert
    its = standing.begun(begun)
    its.state, its.tries = _SENT, outcome.tries
    taken = yield "alert_taken", (site, alert, begun.channel, standing.written([its]))
    if not taken:
        return False
    yield journal.page(
        site,
        alert,
        2,
        outcome.entries,
        answered=outcome.attempt,
        raw=outcome.raw,
        references=outcome.references,
    )
    if outcome.tell is None or outcome.tell:
        yield from outbox.moved(site, alert, AlertState.SENT, now, outcome.tell, channel=begun.channel)
    for row in outcome.due:
        yield "due_put", due.values(row)
    if outcome.references:
        yield from receipts.name(
            site, begun.sender, alert, outcome.attempt, outcome.references, now, hide, outcome.tell
        )
    return True


def _move(attempt: Standing, outcome: Outcome, after: AttemptState) -> None:
    if after is outcome.state or outcome.state is None:
        attempt.reason = outcome.reason or ("" if after.value != attempt.state else attempt.reason)
    attempt.state = after.value
    attempt.tries = outcome.tries or attempt.tries
    if outcome.revoke_asked is not None:
        attempt.revoke_asked = outcome.revoke_asked


def _alert_after(before: AlertState, outcome: Outcome, attempt: AttemptState | None) -> AlertState:
    state = before
    if outcome.alert_state is not None and before in _UNDER_WAY:
        state = outcome.alert_state
    if attempt is not None:
        state = shown(state, (attempt,))
    if outcome.end is not None and state not in _ARRIVED and state not in ENDS:
        state = outcome.end
    return state


def record(alert: str) -> Verb[Record | None]:
    rows = yield "alert_read", (alert,)
    if not rows:
        return None
    site, *state, kept = rows[0]
    pages = journal.Pages((yield "journal_of", (site, alert)))
    standings = sorted(standing.read(kept), key=lambda one: one.number)
    attempts = tuple(pages.attempt(attempt_id(alert, one.number), one) for one in standings)
    return Record(alert=pages.alert(*state), attempts=attempts, entries=pages.entries, decision=pages.decision)


def attempt(attempt: str) -> Verb[Attempt | None]:
    alert = alert_of(attempt)
    rows = yield "alert_read", (alert,)
    found = standing.of(alert, attempt, standing.read(rows[0][-1])) if rows else None
    if found is None:
        return None
    pages = journal.Pages((yield "journal_of", (rows[0][0], alert)))
    return pages.attempt(attempt, found)
