"""What the twin keeps: conversations as documents on the sandbox's shelf, and which one a consumer has open."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.twin import KnownDesk, World
from heliograph.desks.liveperson.twin_answers import NAME

_CONVERSATION, _OPEN, _PROFILE = "conversation/", "open/", "profile/"


class Line(msgspec.Struct, kw_only=True):
    """A message or a thing that happened. `number`: its sequence, -1 for what is none."""

    by: str  # recipient | agent | system
    text: str
    at: int
    number: int = -1
    author: str = ""


class Conversation(msgspec.Struct, kw_only=True):
    """`consumer`: LivePerson's id; `name`: the caller's. `next`: the sequence of the next event. `read`: up to which
    sequence the consumer has read, by its own word."""

    id: str
    account: str
    consumer: str
    name: str
    skill: str
    began: int
    changed: int
    ttr: str = "NORMAL"
    campaign: dict[str, Any] = {}
    ended: int = 0
    closed_by: str = ""
    agent: str = ""  # its name
    agent_id: str = ""
    next: int = 0
    lines: list[Line] = []
    typing: bool = False
    read: int = -1


def put(world: World, one: Conversation) -> None:
    shelf = world.shelf(NAME)
    shelf[f"{_CONVERSATION}{one.account}/{one.id}"] = msgspec.json.encode(one)
    place = f"{_OPEN}{one.account}/{one.consumer}"
    if one.ended:
        if shelf.get(place) == one.id.encode():
            del shelf[place]
    else:
        shelf[place] = one.id.encode()


def find(world: World, desk: KnownDesk, id: str) -> Conversation | None:
    kept = world.shelf(NAME).get(f"{_CONVERSATION}{desk.id}/{id}")
    return None if kept is None else msgspec.json.decode(kept, type=Conversation)


def open_of(world: World, desk: KnownDesk, consumer: str) -> Conversation | None:
    id = world.shelf(NAME).get(f"{_OPEN}{desk.id}/{consumer}")
    return None if id is None else find(world, desk, id.decode())


def every(world: World, desk: KnownDesk) -> list[Conversation]:
    """The account's, the newest first."""
    start = f"{_CONVERSATION}{desk.id}/"
    kept = [document for name, document in world.shelf(NAME).items() if name.startswith(start)]
    found = [msgspec.json.decode(document, type=Conversation) for document in kept]
    return sorted(found, key=lambda one: one.began, reverse=True)


def put_profile(world: World, desk: KnownDesk, consumer: str, profile: dict[str, Any]) -> None:
    world.shelf(NAME)[f"{_PROFILE}{desk.id}/{consumer}"] = msgspec.json.encode(profile)


def profile(world: World, desk: KnownDesk, consumer: str) -> dict[str, Any]:
    kept = world.shelf(NAME).get(f"{_PROFILE}{desk.id}/{consumer}")
    found: dict[str, Any] = {} if kept is None else msgspec.json.decode(kept)
    return found
