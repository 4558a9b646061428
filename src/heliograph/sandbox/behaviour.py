"""How the sandbox misbehaves: rules that are set through the control API, and magic numbers that carry one for ever.

Magic numbers are `+1 NPA 555 01xx` in any area code: numbers that the North American plan keeps for fiction. 0100 to
0179 are ordinary phones; the rest is the table below (see README.md of this folder).
"""

from __future__ import annotations

import random
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from heliograph.core.twin import Misbehaviour, Verb

CallRule = Literal["slow", "throttle", "refuse", "error", "no_rcs", "silent", "drop", "drop_before"]
ReceiptRule = Literal["lose_receipts", "double_receipts", "reorder_receipts", "late_receipts", "revoke_fails"]
_RECEIPTS = frozenset(ReceiptRule.__args__)  # type: ignore[attr-defined]  # typing keeps a Literal's values there

SECONDS = {"slow": 3.0, "throttle": 2.0, "late_receipts": 30.0}
STATUS = {"throttle": 429, "refuse": 403, "error": 500, "no_rcs": 404}
MESSAGES_SEEN = 10_000  # ids that a rule with `per_message` remembers


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a rule is about; empty = everyone. `call`: which call; empty = create (no_rcs: capabilities too)."""

    number: str = ""
    agent: str = ""
    call: Verb | Literal[""] = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One misbehaviour as it is posted. `times`: how often it applies, then it is gone. `per_message`: only to the
    first so many calls with one message id. `share`: to that part of the calls, by the world's seed."""

    do: CallRule | ReceiptRule
    match: Match = Match()
    seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    times: Annotated[int, Meta(ge=1)] | None = None
    per_message: Annotated[int, Meta(ge=1)] | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0

    def of_receipts(self) -> bool:
        return self.do in _RECEIPTS

    def about(self, verb: str, number: str, sender: str) -> bool:
        match = self.match
        if (match.number and match.number != number) or (match.agent and match.agent != sender):
            return False
        if match.call:
            return match.call == verb
        return verb == "create" or (verb == "capabilities" and self.do == "no_rcs")


class Magic(msgspec.Struct, frozen=True, kw_only=True):
    """What a magic number does: a rule, or a phone in a certain state."""

    says: str
    rule: Rule | None = None
    has_rcs: bool = True
    online: bool = True


def _on(call: Verb) -> Match:
    return Match(call=call)


MAGIC = {
    "80": Magic(says="has no RCS", has_rcs=False),
    "81": Magic(says="taken, answered after 3 s", rule=Rule(do="slow")),
    "82": Magic(says="throttled: 429, Retry-After 2", rule=Rule(do="throttle")),
    "83": Magic(says="throttled once per message, then taken", rule=Rule(do="throttle", seconds=1, per_message=1)),
    "84": Magic(says="500, never taken", rule=Rule(do="error")),
    "85": Magic(says="500 once per message, then taken", rule=Rule(do="error", per_message=1)),
    "86": Magic(says="refused: 403", rule=Rule(do="refuse")),
    "87": Magic(says="refused: 400", rule=Rule(do="refuse", status=400)),
    "88": Magic(says="taken, never answered", rule=Rule(do="silent")),
    "89": Magic(says="taken, connection closed without an answer", rule=Rule(do="drop")),
    "90": Magic(says="taken and answered, no receipts", rule=Rule(do="lose_receipts")),
    "91": Magic(says="receipts 30 s late", rule=Rule(do="late_receipts")),
    "92": Magic(says="every receipt twice", rule=Rule(do="double_receipts")),
    "93": Magic(says="READ before DELIVERED", rule=Rule(do="reorder_receipts")),
    "94": Magic(says="offline: taken, not delivered until it is switched on", online=False),
    "95": Magic(says="connection closed before it was taken", rule=Rule(do="drop_before")),
    "96": Magic(says="capability yes, then 404 on create", rule=Rule(do="no_rcs", match=_on("create"))),
    "97": Magic(says="capability question answered 500", rule=Rule(do="error", match=_on("capabilities"))),
    "98": Magic(says="offline, and its expiry cannot be revoked", online=False, rule=Rule(do="revoke_fails")),
    "99": Magic(says="refused 503 once per message, then taken", rule=Rule(do="error", status=503, per_message=1)),
}


def magic(number: str) -> Magic | None:
    """The table's row for a number, if it is a magic one."""
    if len(number) == 12 and number.startswith("+1") and number[5:10] == "55501":
        return MAGIC.get(number[10:])
    return None


class Active:
    """A rule in force and what it has done so far."""

    def __init__(self, key: int, rule: Rule, seed: int) -> None:
        self.key = key
        self.rule = rule
        self.applied = 0
        self._dice = random.Random(f"{seed}/{key}/{rule.do}")
        self._seen: dict[str, int] = {}

    def applies(self, message: str) -> bool:
        if self.rule.share < 1 and self._dice.random() >= self.rule.share:
            return False
        if self.rule.per_message is not None:
            seen = self._seen.get(message, 0)
            if seen >= self.rule.per_message:
                return False
            if len(self._seen) >= MESSAGES_SEEN:
                self._seen.clear()
            self._seen[message] = seen + 1
        self.applied += 1
        return True

    @property
    def spent(self) -> bool:
        return self.rule.times is not None and self.applied >= self.rule.times

    def shown(self) -> dict[str, object]:
        return {"id": self.key, "applied": self.applied, **msgspec.to_builtins(self.rule)}


class Behaviour:
    """The rules in force, newest first, then the magic numbers. One rule at most applies to a call."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.reset()

    def reset(self) -> None:
        self.rules: list[Active] = []
        self._count = 0
        self._magic: dict[str, Active] = {}

    def add(self, rule: Rule) -> Active:
        self._count += 1
        active = Active(self._count, rule, self.seed)
        self.rules.insert(0, active)
        return active

    def on_call(self, verb: Verb, number: str, sender: str, message: str) -> Misbehaviour | None:
        active = self._first(False, verb, number, sender, message)
        if active is None:
            return None
        rule = active.rule
        return Misbehaviour(do=rule.do, seconds=_seconds(rule), status=rule.status or STATUS.get(rule.do, 500))

    def on_receipts(self, number: str, sender: str, message: str) -> Misbehaviour | None:
        active = self._first(True, "create", number, sender, message)
        return Misbehaviour(do=active.rule.do, seconds=_seconds(active.rule), status=0) if active else None

    def _first(self, of_receipts: bool, verb: str, number: str, sender: str, message: str) -> Active | None:
        for active in self.rules:
            rule = active.rule
            if rule.of_receipts() is of_receipts and rule.about(verb, number, sender) and active.applies(message):
                if active.spent:
                    self.rules.remove(active)
                return active
        row = magic(number)
        if row is None or row.rule is None:
            return None
        rule = row.rule
        if rule.of_receipts() is not of_receipts or not rule.about(verb, number, sender):
            return None
        known = self._magic.setdefault(number, Active(0, rule, self.seed))
        return known if known.applies(message) else None


def _seconds(rule: Rule) -> float:
    return SECONDS.get(rule.do, 0.0) if rule.seconds is None else rule.seconds
