"""A small desk of the tests' own: slips of paper in trays, and a postcard to our callback for what an agent does.

It has what real desks have: a token, a conversation that is opened, spoken in and closed, an id of its own for each, an
echo of the recipient's words, and misbehaviour where it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from heliograph.core.desk_twin import Deed, DeskCase, DeskLine
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Posting, TwinAnswer, Verb, World

NAME = "bureau"
PREFIXES = ("/bureau/",)
POSTING = Posting(any_2xx=True, tries=3)

_VERBS: dict[str, Verb] = {"open": "desk_open", "say": "desk_say", "close": "desk_close"}
_NOTED = {"open": "desk_opened", "say": "desk_said", "close": "desk_closed"}


class Slip(msgspec.Struct, kw_only=True):
    """A conversation as it is kept; `of`: the account."""

    id: str
    of: str
    customer: str
    skill: str
    open: bool = True
    agent: str = ""
    facts: dict[str, str] = {}
    lines: tuple[DeskLine, ...] = ()


def body_limit(path: str) -> int:
    return 10_000


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    return {"seal": secret(16)}


def answer(call: Call, world: World) -> TwinAnswer:
    """POST /bureau/<account>/open|say|close"""
    _, _, account, what = call.url.partition("//")[2].split("/")
    desk = next((one for one in world.desks(NAME) if one.id == account), None)
    if desk is None or call.headers.get("authorization") != f"Seal {desk.credentials['seal']}":
        return TwinAnswer(status=401)
    given: dict[str, Any] = msgspec.json.decode(call.body)
    rule = world.misbehaviour(_VERBS[what], given.get("customer", ""), account, provider=NAME)
    if rule is not None and rule.do in ("refuse", "error", "throttle"):
        return TwinAnswer(status=rule.status)
    if rule is not None and rule.do == "drop_before":
        return TwinAnswer(end="drop")
    shelf = world.shelf(NAME)
    if what == "open":
        slip = Slip(id=f"B{len(shelf) + 1}", of=account, customer=given["customer"], skill=given["skill"],
                    facts=given.get("facts", {}))  # fmt: skip
    else:
        slip = msgspec.json.decode(shelf[given["id"]], type=Slip)
    if text := given.get("text"):
        slip.lines += (DeskLine(by="recipient", text=text, at=world.now()),)
        world.desk_tells(desk, [_card(desk, "echo", slip.id, text)], slip.id)
    if what == "close":
        slip.open = False
    shelf[slip.id] = msgspec.json.encode(slip)
    world.note(_NOTED[what], sender=account, message=slip.id)
    if rule is not None and rule.do in ("silent", "drop"):
        return TwinAnswer(end="hang" if rule.do == "silent" else "drop")
    return TwinAnswer(body=msgspec.json.encode({"id": slip.id}), delay=rule.seconds if rule else 0)


def act(deed: Deed, desk: KnownDesk, world: World) -> list[Call]:
    shelf = world.shelf(NAME)
    slip = msgspec.json.decode(shelf[deed.conversation], type=Slip)
    match deed.do:
        case "say":
            slip.lines += (DeskLine(by="agent", text=deed.text, at=world.now(), author=deed.agent),)
        case "take":
            slip.agent = deed.agent
        case "transfer":
            if not slip.agent:
                raise ValueError("Only who has taken a conversation can transfer it.")
            slip.skill, slip.agent = deed.to, ""
        case "close":
            slip.open = False
        case _:
            return []  # nobody at the bureau tells that somebody types or reads
    shelf[slip.id] = msgspec.json.encode(slip)
    return [_card(desk, deed.do, slip.id, deed.text)]


def shown(desk: KnownDesk, world: World) -> list[DeskCase]:
    return list(_cases(desk, world))


def _cases(desk: KnownDesk, world: World) -> Iterator[DeskCase]:
    for document in world.shelf(NAME).values():
        slip = msgspec.json.decode(document, type=Slip)
        if slip.of == desk.id:
            yield DeskCase(id=slip.id, customer=slip.customer, skill=slip.skill, open=slip.open, agent=slip.agent,
                           facts=slip.facts, lines=slip.lines)  # fmt: skip


def _card(desk: KnownDesk, what: str, id: str, text: str) -> Call:
    body = msgspec.json.encode({"what": what, "id": id, "text": text})
    return Call(method="POST", url=desk.webhook, headers={"seal": desk.credentials["seal"]}, body=body)
