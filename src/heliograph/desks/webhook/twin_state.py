"""What a small desk keeps, on the sandbox's shelf: its conversations, and the ids of the events that it has seen."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.core.desk_twin import DeskLine
from heliograph.core.twin import KnownDesk, World

SHELF = "webhook"


class Kept(msgspec.Struct, kw_only=True):
    """One conversation. `seen`: webhook-ids of the events that it took."""

    id: str
    customer: str
    number: str
    skill: str
    order: int
    open: bool = True
    agent: str = ""
    facts: dict[str, str] = {}
    lines: list[DeskLine] = []
    seen: list[str] = []


def kept(desk: KnownDesk, id: str, world: World) -> Kept | None:
    found = world.shelf(SHELF).get(f"{desk.id}/{id}")
    return msgspec.json.decode(found, type=Kept) if found is not None else None


def keep(desk: KnownDesk, one: Kept, world: World) -> None:
    world.shelf(SHELF)[f"{desk.id}/{one.id}"] = msgspec.json.encode(one)


def all_of(desk: KnownDesk, world: World) -> Iterator[Kept]:
    for key, found in list(world.shelf(SHELF).items()):
        if key.startswith(f"{desk.id}/"):
            yield msgspec.json.decode(found, type=Kept)
