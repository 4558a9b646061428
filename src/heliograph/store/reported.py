"""What a report tells: the records of alerts in the order in which they began, with their conversations."""

from __future__ import annotations

from heliograph.core.ports import Reported
from heliograph.store import alerts, conversations
from heliograph.store.verb import Verb


def begun(site: str, since: int, until: int, after: str, test: bool, limit: int) -> Verb[list[Reported]]:
    """Alerts begun from `since` on and before `until` (ms), those after the alert `after`. `test`: of test keys alone;
    else of live ones. An id begins with its moment (RFC 9562, version 7), so that no other index is needed."""
    found: list[Reported] = []
    # One more than is asked for, where the page begins with the last one of the page before.
    rows = yield "begun_between", (site, after or _moment(since), _moment(until), limit + bool(after))
    for (id,) in rows:
        if id == after:
            continue
        record = yield from alerts.record(id)
        if record is not None and record.alert.test is test:
            spoken = yield "conversations_speaking", (site, id, 1)
            conversation = conversations.conversation_in(spoken[0][0]).id if spoken else ""
            found.append(Reported(record=record, conversation=conversation))
        elif record is not None:
            found.append(Reported(record=record, told=False))
    return found


def _moment(at: int) -> str:
    """What every id of that millisecond begins with or comes after."""
    digits = f"{max(0, at):012x}"
    return f"{digits[:8]}-{digits[8:]}"
