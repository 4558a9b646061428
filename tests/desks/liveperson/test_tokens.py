"""Tokens, consumers and domains: one call however many wait, renewed in time, fetched anew once where refused."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from desks.liveperson.conftest import ACCOUNT, CONTEXT, KEY, PHONE, TALK, jwt, settings, soon, turn
from heliograph.desks.liveperson.kept import Kept
from heliograph.errors import Fate, SendError

TOKEN = f"/sentinel/api/account/{ACCOUNT}/app/token"
CONSUMER = f"/api/account/{ACCOUNT}/consumer"
CREATE = f"/api/account/{ACCOUNT}/messaging/consumer/conversation"
SEND = f"{CREATE}/send"
SKILLS = f"/api/account/{ACCOUNT}/configuration/le-users/skills"
DOMAINS = f"/api/account/{ACCOUNT}/service/baseURI.json"
OPENED = {"status": 200, "body": [{"code": "OK", "body": {}}, {"code": "OK", "body": {"conversationId": "c-1"}}]}
SAID = {"status": 200, "body": {"reqId": "1", "code": "OK", "body": {"sequence": 0}}}
THERE = msgspec.structs.replace(TALK, reference="c-1")


def refusal(code: int) -> dict[str, object]:
    body = {"title": "x", "details": "y", "errorCode": code}
    return {"status": 401, "body": {"kind": "resp", "code": 401, "body": body, "type": ".ReqBody$ErrorResp"}}


def consumer(number: int) -> dict[str, object]:
    return {"status": 201, "body": {"token": jwt(lp_consumer_id=str(number) * 64)}}


async def test_the_token_is_asked_for_as_the_page_says_and_once_for_all(open_desk, stub) -> None:
    stub.replies[f"POST {CREATE}"] = [OPENED]
    desk = open_desk()
    people = [msgspec.structs.replace(TALK, id=f"t{n}", recipient=f"{PHONE[:-1]}{n % 3}") for n in range(12)]
    await asyncio.gather(*(desk.open(one, turn(), CONTEXT, soon()) for one in people))
    (asked,) = stub.asked_for("POST", TOKEN)
    assert asked.query == {"v": "1.0", "grant_type": "client_credentials"}
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"client_id=c1&client_secret=a-case-client-secret&grant_type=client_credentials"
    told = [json.loads(asked.body)["ext_consumer_id"] for asked in stub.asked_for("POST", CONSUMER)]
    assert sorted(told) == [f"{PHONE[:-1]}{n}" for n in range(3)]  # one JWS per consumer
    assert {asked.headers["authorization"] for asked in stub.asked_for("POST", CONSUMER)} == {
        jwt(iat=1000, exp=4600, n=0)
    }


@pytest.mark.parametrize(
    ("code", "tokens", "consumers"), [(40102, 2, 1), (40105, 2, 1), (40103, 1, 2), (40104, 2, 2), (0, 2, 1)]
)
async def test_a_token_that_is_refused_is_fetched_anew_once(open_desk, stub, code, tokens, consumers) -> None:
    stub.replies[f"POST {SEND}"] = [refusal(code), SAID]
    stub.replies[f"POST {CONSUMER}"] = [consumer(1), consumer(2)]
    await open_desk().say(THERE, turn(), None, soon())
    assert len(stub.asked_for("POST", TOKEN)) == tokens
    assert len(stub.asked_for("POST", CONSUMER)) == consumers
    first, second = stub.asked_for("POST", SEND)
    assert first.body == second.body
    assert (first.headers["authorization"] != second.headers["authorization"]) is (tokens == 2)
    assert (first.headers["x-lp-on-behalf"] != second.headers["x-lp-on-behalf"]) is (consumers == 2)


async def test_a_consumers_token_that_the_apps_token_does_not_get_is_asked_for_again(open_desk, stub) -> None:
    stub.replies[f"POST {SEND}"] = [SAID]
    stub.replies[f"POST {CONSUMER}"] = [refusal(40102), consumer(1)]
    await open_desk().say(THERE, turn(), None, soon())
    assert len(stub.asked_for("POST", TOKEN)) == 2


@pytest.mark.parametrize(
    ("reply", "code", "fate"),
    [
        ({"status": 401, "body": {"error": "invalid_client"}}, "token_refused", Fate.CONFIG),
        ({"status": 400, "body": ""}, "token_refused", Fate.CONFIG),
        ({"status": 200, "body": "<html>"}, "bad_answer", Fate.RETRY),
        ({"status": 200, "body": {"access_token": "a b\r\nx: y"}}, "bad_answer", Fate.RETRY),
        ({"status": 200, "body": {"token_type": "Bearer"}}, "bad_answer", Fate.RETRY),
        ({"status": 503, "body": ""}, "away", Fate.RETRY),
        ({"status": 429, "body": ""}, "throttled", Fate.RETRY),
    ],
)
async def test_without_a_token_nothing_is_said(open_desk, stub, reply, code, fate) -> None:
    stub.replies[f"POST {TOKEN}"] = [reply]
    with pytest.raises(SendError) as caught:
        await open_desk().say(THERE, turn(), None, soon())
    assert (caught.value.code, caught.value.fate) == (code, fate)
    assert not stub.asked_for("POST", SEND)
    assert "a-case-client-secret" not in repr((caught.value.sentence, caught.value.exchange, caught.value.raw))


async def test_a_token_that_does_not_come_is_a_retry_within_the_deadline(open_desk, stub) -> None:
    stub.replies[f"POST {TOKEN}"] = [{"silent": True}]
    with pytest.raises(SendError) as caught:
        await open_desk().say(THERE, turn(), None, soon(0.1))
    assert (caught.value.code, caught.value.fate) == ("no_time", Fate.RETRY)


@pytest.mark.parametrize("reply", [{"status": 200, "body": "{"}, {"status": 201, "body": {"token": ""}}])
async def test_nonsense_for_a_consumers_token_is_a_retry(open_desk, stub, reply) -> None:
    stub.replies[f"POST {CONSUMER}"] = [reply]
    with pytest.raises(SendError) as caught:
        await open_desk().say(THERE, turn(), None, soon())
    assert caught.value.fate is Fate.RETRY


async def test_skills_are_listed_once_and_an_unknown_name_does_not_ask_each_time(open_desk, stub) -> None:
    told = [{"id": 326244912, "name": "Delays", "deleted": False}, {"id": 5, "name": "Old", "deleted": True}]
    stub.replies[f"GET {SKILLS}"] = [{"status": 200, "body": told}]
    stub.replies[f"POST {CREATE}"] = [OPENED]
    desk = open_desk(skills={}, **KEY)
    await desk.open(TALK, turn(), CONTEXT, soon())
    await desk.open(TALK, turn(), CONTEXT, soon())
    assert json.loads(stub.asked_for("POST", CREATE)[0].body)[1]["body"]["skillId"] == "326244912"
    for name in ("Old", "Meals"):
        with pytest.raises(SendError, match=f"'{name}'.*known: Delays"):
            await desk.open(msgspec.structs.replace(TALK, skill=name), turn(), CONTEXT, soon())
    (asked,) = stub.asked_for("GET", SKILLS)
    assert asked.query == {"v": "2.0"}
    assert asked.headers["authorization"].startswith("OAuth ")
    assert all(part not in asked.headers["authorization"] for part in (KEY["api_secret"], KEY["api_token_secret"]))


async def test_skills_may_be_read_with_a_bearer(open_desk, stub) -> None:
    stub.replies[f"GET {SKILLS}"] = [{"status": 200, "body": [{"id": 1, "name": "Delays"}]}]
    stub.replies[f"POST {CREATE}"] = [OPENED]
    await open_desk(skills={}, bearer="b1").open(TALK, turn(), CONTEXT, soon())
    assert stub.asked_for("GET", SKILLS)[0].headers["authorization"] == "Bearer b1"


@pytest.mark.parametrize(
    ("more", "words"), [({"skills": {}}, "known: none"), ({"skills": {"B": "1", "A": "2"}}, "known: A, B")]
)
async def test_without_a_key_a_skill_must_be_in_the_settings(open_desk, stub, more, words) -> None:
    with pytest.raises(SendError, match=words) as caught:
        await open_desk(**more).open(TALK, turn(), CONTEXT, soon())
    assert (caught.value.code, caught.value.fate) == ("unknown_skill", Fate.CONFIG)
    assert stub.asked == []


async def test_a_skill_in_another_case_is_taken_where_it_is_one_alone(open_desk, stub) -> None:
    stub.replies[f"POST {CREATE}"] = [OPENED]
    desk = open_desk(skills={"DELAYS": "1", "delays": "2", "Bags": "3"})
    await desk.open(msgspec.structs.replace(TALK, skill="bags"), turn(), CONTEXT, soon())
    assert desk._skills.name("3") == "bags"  # as alerts write it, so that nothing looks transferred
    with pytest.raises(SendError, match="known: Bags"):
        await desk.open(TALK, turn(), CONTEXT, soon())


async def test_domains_are_asked_for_once(open_desk, stub) -> None:
    host = stub.url.removeprefix("http://")
    named = [{"service": one, "account": ACCOUNT, "baseURI": host} for one in ("sentinel", "idp", "asyncMessagingEnt")]
    stub.replies[f"GET {DOMAINS}"] = [{"status": 200, "body": {"baseURIs": named}}]
    stub.replies[f"POST {SEND}"] = [SAID]
    desk = open_desk(base_url="", domain=stub.url)
    await desk.say(THERE, turn("a", 1), None, soon())
    await desk.say(THERE, turn("b", 2), None, soon())
    (asked,) = stub.asked_for("GET", DOMAINS)
    assert asked.query == {"version": "1.0"}


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        ({"status": 200, "body": {"baseURIs": []}}, Fate.CONFIG),
        ({"status": 400, "body": ""}, Fate.CONFIG),
        ({"status": 200, "body": "<html>"}, Fate.RETRY),
        ({"status": 500, "body": ""}, Fate.RETRY),
    ],
)
async def test_domains_that_are_not_told(open_desk, stub, reply, fate) -> None:
    stub.replies[f"GET {DOMAINS}"] = [reply]
    with pytest.raises(SendError) as caught:
        await open_desk(base_url="", domain=stub.url).say(THERE, turn(), None, soon())
    assert caught.value.fate is fate


def test_without_a_base_url_the_domain_api_is_liveperson_s() -> None:
    assert settings().origin == "https://api.liveperson.net"


# ── Kept ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Source:
    """Gives 1, 2, 3 … for 100 seconds each; `fails` is raised instead."""

    def __init__(self, **more: object) -> None:
        self.now = 0.0
        self.asked = 0
        self.fails: SendError | None = None
        self.kept: Kept[int] = Kept(self.fetch, clock=lambda: self.now, **{"early": 30.0, **more})  # type: ignore[arg-type]

    async def fetch(self, deadline: float) -> tuple[int, float]:
        self.asked += 1
        await asyncio.sleep(0)
        if self.fails is not None:
            raise SendError(self.fails.sentence, code="x", fate=self.fails.fate)
        return self.asked, 100.0


async def test_a_value_is_renewed_in_the_background_before_its_end() -> None:
    source = Source()
    assert await source.kept.get(soon()) == 1
    source.now = 69
    assert await source.kept.get(soon()) == 1
    source.now = 71
    assert await source.kept.get(soon()) == 1  # the old one serves meanwhile
    await asyncio.sleep(0.01)
    assert (await source.kept.get(soon()), source.asked) == (2, 2)


async def test_one_call_however_many_wait() -> None:
    source = Source()
    assert set(await asyncio.gather(*(source.kept.get(soon()) for _ in range(20)))) == {1}


async def test_a_refusal_is_remembered_for_a_while() -> None:
    source = Source()
    source.fails = SendError("no", code="x", fate=Fate.CONFIG)
    for moment in (0.0, 29.0, 31.0):
        source.now = moment
        with pytest.raises(SendError):
            await source.kept.get(soon())
    assert source.asked == 2
    source.fails, source.now = None, 62.0
    assert await source.kept.get(soon()) == 3


@pytest.mark.parametrize(("outlives", "serves"), [(True, True), (False, False)])
async def test_what_is_over_serves_only_where_it_may(outlives, serves) -> None:
    source = Source(outlives=outlives)
    await source.kept.get(soon())
    source.fails, source.now = SendError("away", code="x", fate=Fate.RETRY), 500.0
    if serves:
        assert await source.kept.get(soon()) == 1
    else:
        with pytest.raises(SendError):
            await source.kept.get(soon())


async def test_only_the_value_that_was_refused_is_dropped() -> None:
    source = Source()
    await source.kept.get(soon())
    source.kept.drop(99)
    assert await source.kept.get(soon()) == 1
    source.kept.drop(1)
    assert await source.kept.get(soon()) == 2
