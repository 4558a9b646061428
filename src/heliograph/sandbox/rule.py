"""One misbehaviour as it is asked for: what is done, to whom, how often."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from heliograph.core.twin import Misbehaviour, Verb

# no_rcs is the former word for unreachable.
CallRule = Literal[
    "slow",
    "throttle",
    "refuse",
    "error",
    "unreachable",
    "no_rcs",
    "silent",
    "drop",
    "drop_before",
    "garble",
    "garble_before",
]
ReceiptRule = Literal[
    "lose_receipts",
    "double_receipts",
    "reorder_receipts",
    "late_receipts",
    "fail_receipt",
    "vanish",
    "revoke_fails",
]
_RECEIPTS = frozenset(ReceiptRule.__args__)  # type: ignore[attr-defined]  # typing keeps a Literal's values there
_UNREACHABLE = frozenset({"unreachable", "no_rcs"})

_DO = re.compile(r"`\$(?:\.rule\[[^\]]*\])?\.do`")

SECONDS = {"slow": 3.0, "throttle": 2.0, "late_receipts": 30.0}
STATUS = {"throttle": 429, "refuse": 403, "error": 500, "unreachable": 404}
AT_DESKS = frozenset({"desk_open", "desk_say", "desk_close", "token"})


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom a rule is about; empty = everyone. `agent` is the former word for `sender`. `call`: which call; empty =
    create (unreachable: capabilities too). `desk`: a desk instead of a provider, `sender` its account; without a `call`
    all of its calls."""

    number: str = ""
    channel: str = ""
    provider: str = ""
    sender: str = ""
    agent: str = ""
    desk: str = ""
    call: Verb | Literal[""] = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One misbehaviour as it is posted. `code`: the provider's own code for it. `times`: how often it applies, then it
    is gone. `per_message`: only to the first so many calls with one message id. `share`: to that part of the calls, by
    the world's seed."""

    do: CallRule | ReceiptRule
    match: Match = Match()
    seconds: Annotated[float, Meta(ge=0, le=86_400)] | None = None
    status: Annotated[int, Meta(ge=400, le=599)] | None = None
    code: Annotated[str, Meta(max_length=40)] = ""
    times: Annotated[int, Meta(ge=1)] | None = None
    per_message: Annotated[int, Meta(ge=1)] | None = None
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0

    def of_receipts(self) -> bool:
        return self.do in _RECEIPTS

    def about(self, asked: Asked) -> bool:
        match = self.match
        if (match.number and match.number != asked.number) or (match.channel and match.channel != asked.channel):
            return False
        if match.provider and match.provider != asked.provider:
            return False
        if (match.sender and match.sender != asked.sender) or (match.agent and match.agent != asked.sender):
            return False
        if match.desk and (match.desk != asked.provider or asked.verb not in AT_DESKS):
            return False
        if match.call:
            return match.call == asked.verb
        if match.desk:
            return True
        return asked.verb == "create" or (asked.verb == "capabilities" and self.do in _UNREACHABLE)

    def effect(self) -> Misbehaviour:
        do = "unreachable" if self.do == "no_rcs" else self.do
        seconds = SECONDS.get(do, 0.0) if self.seconds is None else self.seconds
        return Misbehaviour(do=do, seconds=seconds, status=self.status or STATUS.get(do, 500), code=self.code)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The call that a rule may be about. `provider`: or the desk."""

    verb: Verb
    number: str = ""
    channel: str = ""
    provider: str = ""
    sender: str = ""
    message: str = ""


def why(fault: Exception) -> str:
    """What is wrong with a rule or a scenario, as msgspec names it; with the words of `do` where that is at fault."""
    words = ", ".join((*CallRule.__args__, *ReceiptRule.__args__))  # type: ignore[attr-defined]
    return f"{fault}. What may be done: {words}" if _DO.search(str(fault)) else str(fault)
