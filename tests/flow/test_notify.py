"""The brand is told, in still time: days of repeats pass at once, and the endpoint answers as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

from flow.stage import Stage, still
from flow.world import SITE, refusal
from heliograph.core.event import Inbound
from heliograph.core.optout import OptOut
from heliograph.core.ports import Exchange, Response
from heliograph.core.site import Site
from heliograph.core.standard_webhooks import fault, new_secret
from heliograph.core.states import AttemptState
from heliograph.core.webhook import Event, Webhook
from heliograph.errors import Fate, SendError
from heliograph.flow import due, settle
from heliograph.flow.registry import OpenWebhook

URL = "https://crm.acme.example/heliograph"
OLD, NEW = new_secret(b"o" * 32), new_secret(b"n" * 32)
LOOKS = 120.0  # seconds


class Endpoint:
    """core.ports.Out with one endpoint behind it. `script` holds what each post meets: a status, a status with its
    headers, an error, or seconds to hang; an empty one is answered `usual`."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.script: list[int | tuple[int, dict[str, str]] | SendError | float] = []
        self.usual: int | SendError | float = 204
        self.refuses = ""  # events of this type are answered 422
        self.urls: list[str] = []
        self.most = self._now = 0  # posts under way at once
        self.posts: list[tuple[int, str, dict[str, Any]]] = []  # when, webhook-id, body
        self.raw: list[bytes] = []
        self.faults: list[str] = []
        self.secrets: tuple[str, ...] = (NEW,)

    async def request(
        self,
        method: str,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str] = {},
        body: bytes = b"",
        secrets: Sequence[str] = (),
    ) -> Response:
        assert (method, headers["content-type"]) == ("POST", "application/json")
        now = self._clock.now()
        self.urls.append(url)
        self.faults.append(fault(headers, body, self.secrets, now // 1000))
        self.posts.append((now, headers["webhook-id"], msgspec.json.decode(body)))
        self.raw.append(body)
        says = self.script.pop(0) if self.script else self.usual
        if self.refuses and self.posts[-1][2]["type"] == self.refuses:
            says = 422
        if isinstance(says, float) and url == URL:
            left = deadline - self._clock.loop_time()
            self._now += 1
            self.most = max(self.most, self._now)
            await asyncio.sleep(min(says, left))
            self._now -= 1
            if says > left:
                raise SendError("late", code="no_answer", fate=Fate.UNKNOWN, exchange=note(failure="no answer came"))
        if isinstance(says, float):
            says = 200
        if isinstance(says, SendError):
            raise says
        status, more = says if isinstance(says, tuple) else (says, {})
        return Response(status=status, headers=more, body=b"", exchange=note(status=status))

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        raise AssertionError("no webhook has a line of its own")

    def types(self) -> list[str]:
        return [body["type"] for _, _, body in self.posts]

    def times(self, id: str = "") -> list[float]:
        """Seconds since the first post of this event, or of the first one."""
        first = id or self.posts[0][1]
        times = [at for at, one, _ in self.posts if one == first]
        return [(at - times[0]) / 1000 for at in times]


def note(**more: Any) -> Exchange:
    return Exchange(method="POST", url=URL, **more)


DOWN = SendError("refused", code="not_connected", fate=Fate.RETRY, exchange=note(failure="no connection (refused)"))


class Told(Stage):
    endpoint: Endpoint

    async def begin(self, *channels: str, **webhook: Any) -> None:
        await self.set_up(*(channels or ("rcs",)))
        registry = self.house.means.registry
        registry._open_webhook = lambda one: OpenWebhook(webhook=one, secrets=one.secrets)
        registry._webhook_changed = self.house.means.endpoints.forget
        self.endpoint = Endpoint(self.clock)
        self.house.means.out = self.endpoint
        await self.webhook(**webhook)

    async def webhook(self, **more: Any) -> None:
        await self.store.put_webhook(Webhook(**{"site": SITE, "url": URL, "secrets": (NEW,), **more}))
        await self.house.means.registry.refresh(self.store)

    async def many(self, count: int) -> None:
        for n in range(count):
            await self.send(external_alert_id=f"many-{n}")

    async def long(self, hours: float) -> None:
        """Hours pass; the workers look round every two minutes, so that days cost no seconds of ours."""
        nap, due.LONGEST_NAP = due.LONGEST_NAP, LOOKS
        try:
            await self.passes(hours * 3600)
        finally:
            due.LONGEST_NAP = nap

    async def left(self) -> list[Event]:
        return await self.store.events(SITE, state="waiting", limit=1000)

    async def lost(self) -> list[Event]:
        return await self.store.events(SITE, state="failed", limit=1000)


def told(story: Callable[[Told], Awaitable[None]]) -> Callable[[Path], None]:
    """As `still`, with a worker that tells the brand."""

    async def whole(stage: Stage) -> None:
        stage.__class__ = Told
        assert isinstance(stage, Told)
        worker = asyncio.ensure_future(due.work(stage.house.means, 3))
        try:
            await story(stage)
        finally:
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)

    whole.__name__, whole.__doc__ = story.__name__, story.__doc__
    return still(whole)


# ── taken ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@told
async def test_every_state_is_posted_in_order_signed_and_once(stage: Told) -> None:
    await stage.begin()
    await stage.send(external_alert_id="order-1")
    await stage.passes(2)
    await stage.tell("rcs", AttemptState.DELIVERED)
    await stage.tell("rcs", AttemptState.READ)
    said = Inbound(event="w1", recipient="+17703101414", kind="text", text="thanks")
    await stage.hear("rcs", said)
    await stage.passes(2)
    types = stage.endpoint.types()
    assert [one for one in types if one.startswith("alert.")] == [
        "alert.accepted",
        "alert.sent",
        "alert.delivered",
        "alert.read",
    ]
    assert [one for one in types if not one.startswith("alert.")] == ["conversation.opened", "reply.received"]
    assert set(stage.endpoint.faults) == {""}
    assert len({id for _, id, _ in stage.endpoint.posts}) == 6
    [reply] = [body["data"] for _, _, body in stage.endpoint.posts if body["type"] == "reply.received"]
    assert (reply["turn"]["text"], reply["turn"]["rule"], reply["externalAlertId"]) == ("thanks", "newest", "order-1")
    await stage.long(72)
    assert len(stage.endpoint.posts) == 6
    assert await stage.left() == []


@told
async def test_while_secrets_are_rotated_both_sign(stage: Told) -> None:
    await stage.begin(secrets=(NEW, OLD))
    stage.endpoint.secrets = (OLD,)
    await stage.send()
    await stage.passes(2)
    assert stage.endpoint.faults == ["", ""]


@told
async def test_a_site_without_a_webhook_posts_and_keeps_nothing(stage: Told) -> None:
    await stage.begin()
    await stage.store.remove("webhook", SITE, SITE)
    await stage.house.means.registry.refresh(stage.store)
    await stage.send()
    await stage.tell("rcs", AttemptState.DELIVERED)
    await stage.passes(5)
    assert stage.endpoint.posts == [] and await stage.left() == []


@told
async def test_where_there_is_none_no_statement_is_about_webhooks(stage: Told) -> None:
    """From the call to the receipt and the reply, statement by statement as the database sees them."""
    await stage.begin()
    await stage.store.remove("webhook", SITE, SITE)
    await stage.house.means.registry.refresh(stage.store)
    asked = await _statements(stage)
    assert len(asked) > 30 and not [one for one in asked if "outbox" in one or "'webhook'" in one]
    await stage.webhook()
    asked = await _statements(stage)
    assert [one for one in asked if "INSERT INTO outbox " in one], "this test sees what it looks for"


async def _statements(stage: Told) -> list[str]:
    asked: list[str] = []
    connection = stage.store._engine.session._connection  # type: ignore[attr-defined]
    connection.set_trace_callback(asked.append)
    await stage.send(external_alert_id=stage.clock.new_id())
    await stage.tell("rcs", AttemptState.DELIVERED)
    said = Inbound(event=stage.clock.new_id(), recipient="+17703101414", kind="text", text="thanks")
    await stage.hear("rcs", said)
    connection.set_trace_callback(None)
    return asked


@told
async def test_what_an_operator_settles_by_another_process_is_told(stage: Told) -> None:
    """That process has no registry: the store itself looks up who is told."""
    await stage.begin("wa", events=("alert.sent", "alert.failed"))
    stage.provider("wa").script = [refusal(Fate.UNKNOWN)]
    await stage.send()
    await settle.settle(stage.alert, "sent", stage.store, by="ann", why="asked", now=stage.clock.now())
    await stage.passes(2)
    assert stage.endpoint.types() == ["alert.sent"]


@told
async def test_only_where_it_is_allowed_a_private_address_may_be_posted_to(stage: Told) -> None:
    """app.py hands in two ways out, of which one refuses private addresses (tests/out)."""
    await stage.begin(events=("alert.accepted",))
    inside = stage.house.means.out_private = Endpoint(stage.clock)
    await stage.send(external_alert_id="one")
    await stage.passes(2)
    await stage.webhook(allow_private=True, events=("alert.accepted",))
    await stage.send(external_alert_id="two")
    await stage.passes(2)
    told = [[body["data"]["externalAlertId"] for _, _, body in one.posts] for one in (stage.endpoint, inside)]
    assert told == [["one"], ["two"]]


# ── not taken ───────────────────────────────────────────────────────────────────────────────────────────────────────


@told
async def test_repeated_for_three_days_with_one_id_and_the_same_bytes_then_given_up(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.usual = 400
    await stage.send()
    await stage.passes(400)
    await stage.long(95)
    wanted = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
    times = stage.endpoint.times()
    pauses = [after - before for before, after in pairwise(times)]
    assert len(times) == 10
    for pause, schedule in zip(pauses, wanted, strict=True):
        assert 0.79 * schedule <= pause <= 1.1 * schedule + (2 if schedule < 1000 else 2 * LOOKS), (pause, schedule)
    assert len(set(stage.endpoint.raw)) == 1 and len({id for _, id, _ in stage.endpoint.posts}) == 1
    assert set(stage.endpoint.faults) == {""}, "each is signed for its own moment"
    [lost] = await stage.lost()
    assert (lost.why, await stage.left()) == ("it answered 400", [])


@told
async def test_a_failing_subject_holds_up_no_other_and_keeps_its_order(stage: Told) -> None:
    await stage.begin()
    stage.endpoint.script = [500]
    await stage.send(external_alert_id="first")
    await stage.passes(1)
    await stage.send(external_alert_id="second")
    await stage.passes(1)
    names = [(body["data"]["externalAlertId"], body["type"]) for _, _, body in stage.endpoint.posts]
    assert names == [("first", "alert.accepted"), ("second", "alert.accepted"), ("second", "alert.sent")]
    await stage.passes(8)
    names = [(body["data"]["externalAlertId"], body["type"]) for _, _, body in stage.endpoint.posts]
    assert names[3:] == [("first", "alert.accepted"), ("first", "alert.sent")]


@told
async def test_a_redirect_is_a_failure_and_so_is_silence(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.script = [302, 60.0]
    await stage.send()
    await stage.passes(3)
    [event] = await stage.left()
    assert event.why == "it answered 302 (redirects are not followed)"
    await stage.passes(25)
    [event] = await stage.left()
    assert (event.tries, event.why) == (2, "no answer: no answer came")
    await stage.passes(400)
    assert await stage.left() == [] and len(stage.endpoint.posts) == 3


@told
async def test_a_retry_after_is_waited_for(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.script = [(400, {"retry-after": "600"}), (400, {"retry-after": "1"})]
    await stage.send()
    await stage.passes(1200)
    first, second, third = stage.endpoint.times()
    assert 600 <= second - first <= 602
    assert 240 <= third - second <= 362, "a wish shorter than our pause is no hurry"


# ── the endpoint as a whole ─────────────────────────────────────────────────────────────────────────────────────────


@told
async def test_a_throttling_endpoint_is_left_alone_as_long_as_it_asks(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.script = [(429, {"retry-after": "120"})]
    await stage.send(external_alert_id="one")
    await stage.passes(1)
    await stage.many(20)
    await stage.passes(110)
    assert len(stage.endpoint.posts) == 1, "nobody else is posted meanwhile"
    await stage.passes(60)
    assert len(stage.endpoint.posts) == 22 and await stage.left() == []
    assert all(event.tries == 0 for event in await stage.left())


@told
async def test_thousands_of_subjects_do_not_hammer_an_endpoint_that_is_down(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.usual = DOWN
    await stage.many(300)
    await stage.passes(3600)
    first_minute = sum(at < stage.endpoint.posts[0][0] + 60_000 for at, _, _ in stage.endpoint.posts)
    assert first_minute < 90, "those under way when it fell, and one try after each pause"
    assert len(stage.endpoint.posts) < 140
    waiting = await stage.left()
    assert len(waiting) == 300 and sum(event.tries == 0 for event in waiting) > 200
    stage.endpoint.usual = 200
    await stage.long(30)
    assert await stage.left() == [] and await stage.lost() == []
    assert len({id for _, id, _ in stage.endpoint.posts}) == 300


@told
async def test_what_an_endpoint_that_stays_down_never_took_is_given_up_after_three_days(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.usual = DOWN
    await stage.many(60)
    await stage.long(75)
    assert len(await stage.left()) > 50
    await stage.long(2)
    assert await stage.left() == [] and len(await stage.lost()) == 60
    assert "webhook" not in await stage.due()


@told
async def test_an_endpoint_that_says_no_to_some_holds_up_nobody_else(stage: Told) -> None:
    """It works; what it does not take has its own pauses."""
    await stage.begin(events=("alert.accepted", "alert.sent"))
    stage.endpoint.refuses = "alert.accepted"
    await stage.many(30)
    await stage.passes(2)
    assert len(stage.endpoint.posts) == 30
    stage.endpoint.refuses = ""
    await stage.passes(10)
    assert await stage.left() == []


@told
async def test_a_slow_endpoint_leaves_places_to_other_sites(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.usual = 10.0  # seconds, and then an answer
    await stage.many(120)
    await stage.store.put_site(Site(id="2", channels=("rcs",)))
    other = "https://other.example/"
    await stage.store.put_webhook(Webhook(site="2", url=other, secrets=(NEW,)))
    await stage.house.means.registry.refresh(stage.store)
    await stage.passes(2)
    await stage.store.put_opt_outs((OptOut(site="2", recipient="+12025550100", at=1),))
    await stage.passes(3)
    assert [url for url in stage.endpoint.urls if url == other] == [other]
    assert stage.endpoint.most == 20
    await stage.passes(200)
    assert await stage.left() == [] and len(stage.endpoint.posts) == 121


@told
async def test_410_disables_it_and_whoever_enables_it_gets_what_waited(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.script = [410]
    await stage.send(external_alert_id="one")
    await stage.passes(2)
    await stage.send(external_alert_id="two")
    await stage.long(24)
    assert len(stage.endpoint.posts) == 1
    opened = stage.house.means.registry.webhook(SITE)
    assert opened is not None and opened.webhook.disabled == "it answered 410"
    assert [said for said in stage.house.said if said.get("action") == "webhook.disabled"]
    assert await stage.store.switch_webhook(SITE, "", "")
    await stage.house.means.registry.refresh(stage.store)
    await stage.passes(3)
    names = [body["data"]["externalAlertId"] for _, _, body in stage.endpoint.posts]
    assert sorted(names) == ["one", "one", "two"] and await stage.left() == []


@told
async def test_another_address_is_not_judged_by_the_one_before(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    stage.endpoint.usual = DOWN
    await stage.many(10)
    await stage.passes(10)
    stage.endpoint.usual = 200
    await stage.webhook(secrets=(OLD,), events=("alert.accepted",), disabled="")
    stage.endpoint.secrets = (OLD,)
    await stage.many(11)
    await stage.passes(2)
    assert stage.endpoint.posts[-1][2]["data"]["externalAlertId"] == "many-10"


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@told
async def test_a_crash_between_the_answer_and_our_commit_posts_the_same_event_again(stage: Told) -> None:
    await stage.begin(events=("alert.accepted",))
    keeps, deaths = stage.store.event_taken, iter([True])

    async def dies(event: Event, now: int) -> Event | None:
        if next(deaths, False):
            raise asyncio.CancelledError  # the process ends here: the brand has it, we have not written that
        return await keeps(event, now)

    stage.store.event_taken = dies  # type: ignore[method-assign]
    await stage.send()
    await stage.passes(30)
    assert len(stage.endpoint.posts) == 1, "its lease holds"
    await stage.passes(60)
    [one, again] = stage.endpoint.posts
    assert one[1] == again[1] and stage.endpoint.raw[0] == stage.endpoint.raw[1]
    assert await stage.left() == []


@told
async def test_two_nodes_post_each_event_once(stage: Told) -> None:
    await stage.begin(events=("alert.accepted", "alert.sent"))
    other = stage.house.another_node()
    other.registry._open_webhook = lambda one: OpenWebhook(webhook=one, secrets=one.secrets)
    other.out = stage.endpoint
    await other.registry.refresh(stage.store)
    second = asyncio.ensure_future(due.work(other, 3))
    await stage.many(40)
    await stage.passes(5)
    second.cancel()
    ids = [id for _, id, _ in stage.endpoint.posts]
    assert len(ids) == len(set(ids)) == 80
