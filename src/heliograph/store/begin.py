"""Whether an outcome may begin a further attempt, or ask for one to be taken back: held against what is there now,
inside the transaction, because receipts, opt-outs and other nodes do not wait for a decision."""

from __future__ import annotations

from heliograph.core.optout import ALL, SKILL, concerning
from heliograph.core.ports import Outcome
from heliograph.core.states import ENDS, AlertState, AttemptState
from heliograph.store import journal
from heliograph.store.hidden import Hide
from heliograph.store.verb import Verb

_ARRIVED = frozenset({AttemptState.DELIVERED, AttemptState.READ})
_FURTHER = {
    AlertState.DELIVERED: frozenset({AlertState.DELIVERED, AlertState.READ}),
    AlertState.READ: frozenset({AlertState.READ}),
}


def may(
    outcome: Outcome,
    alert: AlertState,
    attempt: AttemptState | None,
    revoke_asked: int | None,
    attempts: int,
    hide: Hide,
) -> Verb[bool]:
    """False: the decision rests on what is no longer so, and nothing of the outcome may be written. `alert`, `attempt`,
    `revoke_asked`, how many `attempts` there were: as they are now."""
    if outcome.revoke_asked is not None and (revoke_asked is not None or attempt in _ARRIVED):
        return False
    begun = outcome.next
    if begun is None:
        return True
    if alert in ENDS or alert in _FURTHER.get(outcome.unless, frozenset()):
        return False
    if attempts != begun.number - 1:
        return False
    place = outcome.site, begun.recipient, hide(outcome.site, begun.recipient)
    scopes = frozenset(row[0] for row in (yield "opt_outs_of", place))
    if any(scope.startswith(SKILL) for scope in scopes):
        pages = journal.Pages((yield "journal_of", (outcome.site, outcome.alert)))
        scopes = concerning(scopes, pages.skill)
    return not {ALL, begun.channel} & scopes
