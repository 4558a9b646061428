"""Asks a provider to take a message back, and says what its answer means."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Attempt
from heliograph.core.ports import Exchange, Provider, Revoked
from heliograph.core.record import detail
from heliograph.core.states import AttemptState
from heliograph.errors import Fate, SendError
from heliograph.flow.means import Means

REVOKES = 3  # times that a provider which cannot be reached is asked
FIRST_WAIT = 0.5  # seconds between two of them, doubled


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """`state`: what the attempt is now; None where that is not known. `exception`: its name in the timeline where the
    recipient may get two. `told`: for the timeline."""

    state: AttemptState | None
    exception: str
    told: msgspec.Raw


async def take_back(attempt: Attempt, provider: Provider, means: Means, *, deadline: float, first: bool) -> Answer:
    """`first`: nobody has asked before. Only then "not there" says something of the message: after an answer that was
    lost it may be gone by that very question."""
    said, exchanges, turns = await _ask(attempt, provider, deadline, means)
    taken = attempt.state is AttemptState.SENT or bool(attempt.references)
    state, word, exception, code = None, "", "", ""
    match said:
        case Revoked(gone=True):
            state, word = AttemptState.REVOKED, "gone"
        case Revoked() if taken and first and turns == 1:
            state, word = AttemptState.DELIVERED, "not_there"
        case Revoked():
            word, exception = "not_there", "revoke_unknown"
        case SendError(fate=fate):
            word = "unanswered" if fate in (Fate.UNKNOWN, Fate.RETRY) else "refused"
            exception, code = f"revoke_{word}", said.code
    told = detail(answer=word, exception=exception, code=code, exchanges=exchanges)
    return Answer(state=state, exception=exception, told=told)


async def _ask(
    attempt: Attempt, provider: Provider, deadline: float, means: Means
) -> tuple[Revoked | SendError, tuple[Exchange, ...], int]:
    """The provider's answer, every exchange, and how often it was asked: again where the question did not get through,
    never after an answer that was lost."""
    exchanges: list[Exchange] = []
    for turn in range(REVOKES):
        if means.clock.loop_time() >= deadline:  # another node may ask by now, and be answered
            return (
                SendError("There was no time left to ask.", code="not_asked", fate=Fate.RETRY),
                tuple(exchanges),
                turn,
            )
        try:
            revoked = await provider.revoke(attempt.id, attempt.recipient, deadline)
        except SendError as error:
            if error.exchange is not None:
                exchanges.append(error.exchange)
            wait = max(FIRST_WAIT * 2.0**turn, error.retry_after or 0.0)
            last = turn == REVOKES - 1 or means.clock.loop_time() + wait > deadline
            if error.fate is not Fate.RETRY or last:
                return error, tuple(exchanges), turn + 1
            await means.clock.sleep(wait)
        else:
            if revoked.exchange is not None:
                exchanges.append(revoked.exchange)
            return revoked, tuple(exchanges), turn + 1
    raise AssertionError("the last turn returns")
