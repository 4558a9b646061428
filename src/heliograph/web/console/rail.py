"""What stands in the rail: the pages that a user may open, in their order, each with its letter after `g`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from heliograph.core.user import Role

if TYPE_CHECKING:
    from heliograph.web.console.visit import Visit


class Place(msgspec.Struct, frozen=True):
    """`icon`: its name in parts.html. `whole`: only for those who see every site."""

    path: str
    name: str
    letter: str
    icon: str
    least: Role
    whole: bool = False


PLACES = (
    Place("/console", "Overview", "o", "overview", Role.VIEWER),
    Place("/console/inbox", "Inbox", "i", "inbox", Role.AGENT),
    Place("/console/alerts", "Alerts", "a", "alerts", Role.VIEWER),
    Place("/console/opt-outs", "Opt-outs", "p", "optouts", Role.VIEWER),
    Place("/console/users", "Users", "u", "users", Role.ADMIN, whole=True),
    Place("/console/audit", "Audit log", "l", "audit", Role.ADMIN, whole=True),
)
KEYS = (("/", "search"), ("j  k", "next, previous row"), ("Enter", "open the row"), ("?", "these keys"))


def links(visit: Visit) -> list[tuple[Place, bool]]:
    """Each place whose row stands here and which the user may open, and whether the page is in it."""
    there = {route.path for route in visit.doors.routes}
    mine = [
        place
        for place in PLACES
        if place.path in there and visit.may(place.least) and (visit.sees_all or not place.whole)
    ]
    here = max((place.path for place in mine if _within(visit.path, place.path)), key=len, default="")
    return [(place, place.path == here) for place in mine]


def _within(path: str, place: str) -> bool:
    return path == place or (place != "/console" and path.startswith(f"{place}/"))
