"""Numbers that carry a misbehaviour for ever, so that none needs to be set.

They are `+1 NPA 555 01xx` in any area code: numbers that the North American plan keeps for fiction. 0100 to 0139 are
ordinary phones on every channel. Of the rest each misbehaves on one channel alone and is ordinary on the others, so
that a fall-back from it can be seen: 0140 to 0159 on SMS, 0160 to 0179 on WhatsApp, 0180 to 0199 on RCS.
"""

from __future__ import annotations

import msgspec

from heliograph.core.twin import Verb
from heliograph.sandbox.rule import Match, Rule


class Magic(msgspec.Struct, frozen=True, kw_only=True):
    """What a magic number does: a rule, or a phone in a certain state."""

    says: str
    channel: str
    rule: Rule | None = None
    has_rcs: bool = True
    has_wa: bool = True
    has_sms: bool = True
    online: bool = True
    signal: bool = True
    stopped: bool = False


def _on(call: Verb) -> Match:
    return Match(call=call)


# Rows that every channel has, by their place in the channel's twenty.
_EVERYWHERE = {
    1: ("taken, answered after 3 s", Rule(do="slow")),
    2: ("throttled, to be tried after 2 s, always", Rule(do="throttle")),
    3: ("throttled once per message, then taken", Rule(do="throttle", seconds=1, per_message=1)),
    4: ("broken (500), never taken", Rule(do="error")),
    5: ("broken (500) once per message, then taken", Rule(do="error", per_message=1)),
    6: ("refused (403)", Rule(do="refuse")),
    7: ("refused (400)", Rule(do="refuse", status=400)),
    8: ("taken, never answered", Rule(do="silent")),
    9: ("taken, connection closed without an answer", Rule(do="drop")),
    10: ("taken and answered, no receipts", Rule(do="lose_receipts")),
    11: ("receipts 30 s late", Rule(do="late_receipts")),
    12: ("every receipt twice", Rule(do="double_receipts")),
    13: ("receipts in the wrong order", Rule(do="reorder_receipts")),
    15: ("connection closed before it was taken", Rule(do="drop_before")),
    19: ("unavailable (503) once per message, then taken", Rule(do="error", status=503, per_message=1)),
}


def _twenty(channel: str, first: int, own: dict[int, Magic]) -> dict[str, Magic]:
    rows = {place: Magic(says=says, channel=channel, rule=rule) for place, (says, rule) in _EVERYWHERE.items()} | own
    return {f"{first + place}": rows[place] for place in sorted(rows)}


MAGIC = {
    **_twenty(
        "sms",
        40,
        {
            0: Magic(says="a landline: has no SMS", channel="sms", has_sms=False),
            14: Magic(says="no signal: taken, not delivered until it is switched on", channel="sms", signal=False),
            16: Magic(says="taken, then told as failed", channel="sms", rule=Rule(do="fail_receipt")),
            17: Magic(says="taken, then nothing: no delivery, no receipt", channel="sms", rule=Rule(do="vanish")),
            18: Magic(says="has opted out at the provider", channel="sms", stopped=True),
        },
    ),
    **_twenty(
        "wa",
        60,
        {
            0: Magic(says="has no WhatsApp", channel="wa", has_wa=False),
            14: Magic(says="offline: taken, not delivered until it is switched on", channel="wa", online=False),
            16: Magic(says="taken, then told as failed", channel="wa", rule=Rule(do="fail_receipt")),
            17: Magic(says="taken, then nothing: no delivery, no receipt", channel="wa", rule=Rule(do="vanish")),
            18: Magic(says="has opted out at the provider", channel="wa", stopped=True),
        },
    ),
    **_twenty(
        "rcs",
        80,
        {
            0: Magic(says="has no RCS", channel="rcs", has_rcs=False),
            14: Magic(says="offline: taken, not delivered until it is switched on", channel="rcs", online=False),
            13: Magic(says="READ before DELIVERED", channel="rcs", rule=Rule(do="reorder_receipts")),
            16: Magic(
                says="capability yes, then 404 on create",
                channel="rcs",
                rule=Rule(do="unreachable", match=_on("create")),
            ),
            17: Magic(
                says="capability question answered 500",
                channel="rcs",
                rule=Rule(do="error", match=_on("capabilities")),
            ),
            18: Magic(
                says="offline, and its expiry cannot be revoked",
                channel="rcs",
                online=False,
                rule=Rule(do="revoke_fails"),
            ),
        },
    ),
}


def magic(number: str, channel: str = "") -> Magic | None:
    """The table's row for a number, if it is a magic one; with a channel only if it misbehaves there."""
    if len(number) == 12 and number.startswith("+1") and number[5:10] == "55501":
        row = MAGIC.get(number[10:])
        return row if row is not None and channel in ("", row.channel) else None
    return None
