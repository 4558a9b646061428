"""Which misbehaviour applies to a call: the rules in force, newest first, then the magic numbers."""

from __future__ import annotations

import random

import msgspec

from heliograph.core.twin import Misbehaviour
from heliograph.sandbox.magic import magic
from heliograph.sandbox.rule import Asked, Rule

MESSAGES_SEEN = 10_000  # ids that a rule with `per_message` remembers


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
        self.reset(seed)

    def reset(self, seed: int | None = None) -> None:
        if seed is not None:
            self.seed = seed
        self.rules: list[Active] = []
        self.count = 0
        self._magic: dict[tuple[str, str], Active] = {}

    def add(self, rule: Rule) -> Active:
        self.count += 1
        active = Active(self.count, rule, self.seed)
        self.rules.insert(0, active)
        return active

    def remove(self, key: int) -> None:
        self.rules = [active for active in self.rules if active.key != key]

    def on_call(self, asked: Asked) -> Misbehaviour | None:
        return self._first(False, asked)

    def on_receipts(self, asked: Asked, after: int = -1) -> Misbehaviour | None:
        """`after`: only rules that were added after that count, and no magic number: it had its say."""
        return self._first(True, asked, after)

    def _first(self, of_receipts: bool, asked: Asked, after: int = -1) -> Misbehaviour | None:
        for active in self.rules:
            if active.key <= after:
                return None  # newest first: all that follow are older
            rule = active.rule
            if rule.of_receipts() is of_receipts and rule.about(asked) and active.applies(asked.message):
                if active.spent:
                    self.rules.remove(active)
                return rule.effect()
        row = magic(asked.number, asked.channel) if after < 0 else None
        if row is None or row.rule is None or row.rule.of_receipts() is not of_receipts or not row.rule.about(asked):
            return None
        known = self._magic.setdefault((asked.number, asked.channel), Active(0, row.rule, self.seed))
        return row.rule.effect() if known.applies(asked.message) else None
