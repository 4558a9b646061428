"""How an alert's attempts stand, kept in the alert's own row: one row is read and written for both."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import Attempt, attempt_id
from heliograph.store.codec import encode


class Standing(msgspec.Struct, array_like=True, gc=False):
    """What changes of an attempt; the rest stands in the journal, on the page on which it began."""

    number: int
    sender: str
    state: str
    reason: str
    tries: int
    revoke_asked: int | None


read = msgspec.json.Decoder(list[Standing]).decode


def begun(attempt: Attempt) -> Standing:
    return Standing(
        attempt.number, attempt.sender, attempt.state.value, attempt.reason, attempt.tries, attempt.revoke_asked
    )


def written(standings: list[Standing]) -> bytes:
    return encode(standings)


def of(alert: str, attempt: str, standings: list[Standing]) -> Standing | None:
    """The one that an attempt's id names."""
    for standing in standings:
        if attempt_id(alert, standing.number) == attempt:
            return standing
    return None
