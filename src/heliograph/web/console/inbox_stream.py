"""GET /console/live: what changes, as server-sent events (WHATWG HTML section 9.2), while the session stands."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from heliograph.errors import StoreAway
from heliograph.flow import sessions
from heliograph.web.call import WebAnswer
from heliograph.web.console.inbox_live import Fan
from heliograph.web.console.render import GUARDS, plain
from heliograph.web.console.visit import Visit

BEAT = 15.0  # seconds between two comments, so that proxies keep the line open, and between two looks at the session
MOST = 1_000  # browsers of one process
MOST_OF_ONE = 40  # pages of one user, so that nobody takes the places of all
RETRY = b"retry: 1000\n\n"
ENDED = b"event: ended\ndata: {}\n\n"  # the session is over: the page says so and asks no more


async def live(visit: Visit) -> WebAnswer:
    fan = visit.doors.fan
    if len(fan) >= MOST or fan.of(visit.user.name) >= MOST_OF_ONE:
        return plain(503, "Too many pages listen already. Close some of them; this one tries again by itself.")
    after = visit.call.header(b"last-event-id") or visit.query.get("after", "") or fan.place(visit.means)
    headers = ((b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no"), *GUARDS)
    return WebAnswer(status=200, headers=headers, stream=_pieces(visit, fan, after))


async def _pieces(visit: Visit, fan: Fan, after: str) -> AsyncGenerator[bytes]:
    clock = visit.means.clock
    looked = clock.loop_time()
    seat = fan.join(visit.user.sees, visit.user.skills, after, visit.means, visit.user.name)
    try:
        yield RETRY
        while True:
            found = await seat.bytes(BEAT)
            if clock.loop_time() - looked >= BEAT:
                looked = clock.loop_time()
                if not await _stands(visit):
                    yield ENDED
                    return
            yield found or b": quiet\n\n"
    finally:
        fan.leave(seat)


async def _stands(visit: Visit) -> bool:
    """Whether the session is in force and its user still sees the same. A store that is away ends nothing."""
    try:
        user = await sessions.stands(visit.session.digest, visit.means)
    except StoreAway:
        return True
    was = visit.user
    return user is not None and (user.role, user.sites, user.skills) == (was.role, was.sites, was.skills)
