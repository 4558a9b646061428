"""Tells the brand: posts a subject's events to its site's webhook, one after the other, until one is not taken.

    2xx                taken
    410                the endpoint wants nothing any more: it is disabled, and what waits stays where it is
    429, 502, 504      not taken, and the endpoint is left alone for a while (Retry-After, or 30 s)
    anything else      (also a redirect, no answer within 15 s, no connection) not taken

What was not taken is posted again after the pauses of core.webhook, with the same webhook-id and the same bytes. The
answer is written down after it came: a process that dies between the two posts the event once more.

An endpoint that is down (no answer, a 5xx) is left alone by a breaker: one subject tries it, the others wait, and none
of their tries is used up. One that says no to an event works (endpoints.py).
"""

from __future__ import annotations

import random

import msgspec

from heliograph.core.ports import Due, Response
from heliograph.core.standard_webhooks import sign
from heliograph.core.webhook import KEPT, Event, next_try, wish_of
from heliograph.errors import SendError
from heliograph.flow.endpoints import Endpoint
from heliograph.flow.health import Health
from heliograph.flow.leave import Shift
from heliograph.flow.means import Means
from heliograph.flow.registry import OpenWebhook

TIMEOUT = 15.0  # seconds for one answer; the specification asks for 15 to 30
THROTTLED = frozenset({429, 502, 504})
PAUSE = 30.0  # seconds that an endpoint is left alone which asked for it and did not say for how long
ALSO = 503  # says for how long, or is a failure like any other
LONGEST = 3_600.0  # seconds that one answer may hold up a whole endpoint
GONE = 410
IDLE = 600_000
SPREAD = 5_000  # ms over which those come back that waited for one moment


class Verdict(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one post. `why`: empty where it was taken. `down`: the endpoint does not work. `wish`: the seconds
    that it asked for; `pause`: those that it is left alone for."""

    why: str = ""
    gone: bool = False
    down: bool = False
    wish: float | None = None
    pause: float | None = None


async def notify(shift: Shift, means: Means) -> None:
    """Does a due row of kind "webhook". Raises StoreAway."""
    row = shift.row
    event = await means.store.next_event(row.site, row.ref)
    if event is None:
        await means.store.finish_due(row.site, row.kind, row.ref)
    while event is not None:
        event = await _one(event, row, shift.deadline, means)


async def _one(event: Event, row: Due, deadline: float, means: Means) -> Event | None:
    """The event that comes next where this one is done with; None where the subject has to wait, or has no more."""
    now, store = means.clock.now(), means.store
    opened = means.registry.webhook(event.site)
    if opened is not None and opened.webhook.disabled and await means.registry.refresh(store):
        opened = means.registry.webhook(event.site)  # it was enabled this moment: that is why this row is due
    if opened is None:
        return await _given_up(event, "the site has no webhook any more", means)
    if opened.webhook.disabled or opened.fault:
        return await _wait(event, now + _idle(), opened.fault or "the webhook is disabled", means)
    endpoint = means.endpoints.of(event.site, opened.webhook.url)
    if now < endpoint.paused_until:
        back = endpoint.paused_until + random.randrange(SPREAD)
        return await _wait(event, back, "the endpoint asked for a pause", means)
    if not _admitted(endpoint.health, event, opened, now):
        again = endpoint.health.again(opened.webhook.url, event.subject, now)
        return await _wait(event, again, f"the endpoint is left alone: {endpoint.health.why}", means)
    if not await endpoint.place():
        return await _wait(event, endpoint.turn(means.clock.now()), "the endpoint has too much to do", means)
    try:
        if deadline - means.clock.loop_time() < TIMEOUT:
            await store.events_later(row.site, row.ref, means.clock.now())
            return None
        verdict = await _post(event, opened, means.clock.loop_time() + TIMEOUT, means)
    finally:
        endpoint.free()
    if verdict.gone:
        await _disable(opened, verdict.why, means)
        return await _wait(event, now + _idle(), verdict.why, means)
    now = means.clock.now()
    _learn(endpoint, verdict, event.site, now, means)
    if not verdict.why:
        means.meters.webhook("delivered")
        return await store.event_taken(event, now)
    means.meters.webhook("refused")
    at = next_try(event, now, random.random(), verdict.wish)
    if at is None:
        return await _given_up(event, verdict.why, means)
    await store.event_failed(event, verdict.why, at)
    return None


def _idle() -> int:
    """ms until a subject is looked at again whose webhook is posted to no more. Whoever enables it makes all of them
    due at once; this is for a node that had not heard of that yet and put one off in the same moment."""
    return round(IDLE * random.uniform(0.8, 1.2))


def _learn(endpoint: Endpoint, verdict: Verdict, site: str, now: int, means: Means) -> None:
    """What a post says of its endpoint."""
    health = endpoint.health
    if verdict.pause is not None:
        endpoint.paused_until = max(endpoint.paused_until, now + round(verdict.pause * 1000))
    elif not verdict.down:
        if health.good(now):
            means.log("info", "A webhook's endpoint answers again.", action="webhook.back", site=site)
    elif health.bad(now):
        sentence = f"A webhook's endpoint is left alone for a while: {health.why}."
        means.log("warning", sentence, action="webhook.open", site=site, why=verdict.why)


def _admitted(health: Health, event: Event, opened: OpenWebhook, now: int) -> bool:
    """Whether its subject may post now: the endpoint is well, or it is this one's turn to try it."""
    if health.admits(opened.webhook.url, event.subject, now):
        return True
    return bool(health.open_until(now)) and health.may_probe(event.subject, now, paused=False)


async def _wait(event: Event, at: int, why: str, means: Means) -> Event | None:
    """Not posted now, and no try used up; what has waited for its three days is given up."""
    now = means.clock.now()
    if now - event.since >= KEPT:
        return await _given_up(event, why, means)
    await means.store.events_later(event.site, event.subject, max(at, now + 1))
    return None


async def _given_up(event: Event, why: str, means: Means) -> Event | None:
    means.meters.webhook("given_up")
    means.log("warning", "An event was given up.", action="webhook.given_up", site=event.site, kind=event.type, why=why)
    return await means.store.event_given_up(event, why, means.clock.now())


async def _disable(opened: OpenWebhook, why: str, means: Means) -> None:
    webhook = opened.webhook
    if await means.store.switch_webhook(webhook.site, webhook.url, why):
        sentence = "A webhook is disabled: its endpoint answered 410. `heliograph webhooks enable` undoes it."
        means.log("error", sentence, action="webhook.disabled", site=webhook.site)
        await means.registry.refresh(means.store)


async def _post(event: Event, opened: OpenWebhook, ends: float, means: Means) -> Verdict:
    out = means.out_private if opened.webhook.allow_private else means.out
    assert out is not None, "app.py hands the way out in"
    now = means.clock.now()
    headers = {"content-type": "application/json", **sign(event.id, now // 1000, event.body, opened.secrets)}
    try:
        answer = await out.request("POST", opened.webhook.url, deadline=ends, headers=headers, body=event.body)
    except SendError as error:
        failure = error.exchange.failure if error.exchange is not None else error.code
        return Verdict(why=f"no answer: {failure}"[:300], down=True)
    return _read(answer, means.clock.now())


def _read(answer: Response, now: int) -> Verdict:
    status = answer.status
    if 200 <= status < 300:
        return Verdict()
    wish = wish_of(answer.headers.get("retry-after", ""), now)
    pause = None
    if status in THROTTLED or (status == ALSO and wish is not None):
        pause = min(PAUSE if wish is None else wish, LONGEST)
    moved = " (redirects are not followed)" if 300 <= status < 400 else ""
    return Verdict(why=f"it answered {status}{moved}", gone=status == GONE, down=status >= 500, wish=wish, pause=pause)
