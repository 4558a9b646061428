"""A story for the sandbox, written down: phones, what goes wrong and when, what people do and upon what.

The same scenario with the same seed and the same calls gives the same story. What follows from something (`on`) is
surer than what comes at a moment (`at`): it does not depend on how quick the machine is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from heliograph.errors import SetupError
from heliograph.sandbox.desks import AgentDeed
from heliograph.sandbox.handset import Switches
from heliograph.sandbox.person import ACTIONS
from heliograph.sandbox.rule import Rule, why

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
Seconds = Annotated[float, Meta(ge=0, le=30 * 86_400)]


class PhoneAtStart(Switches, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phone as it is when the story begins."""

    number: str


class PlannedRule(Rule, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A misbehaviour from `at` to `until` seconds after the beginning; without them from the first moment, for ever."""

    at: Seconds = 0
    until: Seconds | None = None

    def rule(self) -> Rule:
        return Rule(**{name: getattr(self, name) for name in Rule.__struct_fields__})


class On(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of the log that something follows from: its `kind` (taken, delivered, callback, said …), and what else of
    it is to be so; empty = anything. `detail` is what the line's detail begins with. `nth`: the nth such line alone;
    `every`: each of them."""

    kind: str
    number: str = ""
    sender: str = ""
    message: str = ""
    detail: str = ""
    nth: Annotated[int, Meta(ge=1)] = 1
    every: bool = False


class Act(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens at a moment (`at`, seconds after the beginning), or `after` seconds upon a line of the log (`on`).

    `do`: what a person does, by the control API's word (say, tap, read, typing, location, file, unsubscribe, subscribe,
    accept) or `switch` (the phone's switches), with the body that the control API takes in `with`; or `cut`, which
    breaks the connections of `provider`. `number`: whose phone; upon a line it may be left out: that line's phone.

    With a `desk` (its name, or desk/account where it has several) an agent does it: say, type, read, take, transfer or
    close, in the conversation that `with` names, else in the line's, else in the open one that was spoken in last.
    """

    do: str
    at: Seconds | None = None
    on: On | None = None
    after: Seconds = 0
    number: str = ""
    provider: str = ""
    desk: str = ""
    body: dict[str, Any] = msgspec.field(name="with", default_factory=dict)


class PaceOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How quick phones and people are, seconds; absent = as it is."""

    delivered: Seconds | None = None
    read: Seconds | None = None
    receipts: bool | None = None


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`seed`: for all chance in it; the one that is named on the command line wins."""

    seed: int | None = None
    pace: PaceOf = PaceOf()
    phone: tuple[PhoneAtStart, ...] = ()
    rule: tuple[PlannedRule, ...] = ()
    act: tuple[Act, ...] = ()


def read(text: bytes, *, name: str = "The scenario") -> Scenario:
    """TOML, or JSON where it begins with a brace. Raises SetupError, naming the place that is wrong."""
    decode = msgspec.json.decode if text.lstrip()[:1] == b"{" else msgspec.toml.decode
    try:
        scenario: Scenario = decode(text, type=Scenario)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError) as fault:
        raise SetupError(f"{name} cannot be read: {why(fault)}.", code="bad_scenario") from fault
    if said := next(_faults(scenario), ""):
        raise SetupError(f"{name}: {said}", code="bad_scenario")
    return scenario


def _faults(scenario: Scenario) -> Iterator[str]:
    for index, phone in enumerate(scenario.phone):
        if not NUMBER.fullmatch(phone.number):
            yield f"phone[{index}].number is {phone.number!r}; it must be E.164, e.g. +12025550100."
    for index, rule in enumerate(scenario.rule):
        if rule.until is not None and rule.until <= rule.at:
            yield f"rule[{index}] ends at {rule.until:g} s, before it begins at {rule.at:g} s."
    for index, act in enumerate(scenario.act):
        yield from (f"act[{index}] {said}" for said in _act_faults(act))


def _act_faults(act: Act) -> Iterator[str]:
    if (act.at is None) is (act.on is None):
        yield "needs either at (seconds) or on (a line of the log)."
    if act.desk:
        try:
            agents_deed(act)
        except msgspec.ValidationError as fault:
            yield f"is an agent's: {fault}."
        return
    if act.do == "cut":
        if not act.provider:
            yield "cuts a line: name its provider."
        return
    shape = Switches if act.do == "switch" else ACTIONS[act.do][0] if act.do in ACTIONS else None
    if shape is None:
        yield f"do is {act.do!r}; there are: {', '.join([*ACTIONS, 'switch', 'cut'])}."
        return
    if act.number and not NUMBER.fullmatch(act.number):
        yield f"number is {act.number!r}; it must be E.164, e.g. +12025550100."
    if not act.number and act.on is None:
        yield "needs the number of a phone."
    try:
        msgspec.convert(act.body, shape)
    except msgspec.ValidationError as fault:
        yield f"with: {fault}."


def agents_deed(act: Act) -> AgentDeed:
    """What an agent is to do. Raises msgspec.ValidationError."""
    return msgspec.convert({**act.body, "do": act.do}, AgentDeed)


Told = Literal["waits", "done", "not possible"]
