"""The brand hears of it, by real processes: an endpoint that fails, is slow, is away or closed, and a server killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from journey.house import House, until
from journey.receiver import Receiver
from journey.sites import site

SITE, SILENT = "25508804", "silent"
SECRET = "whsec_" + "dGhlIGVuZHBvaW50J3Mgb3duIHNlY3JldCE="
STATES = ["alert.accepted", "alert.sent", "alert.delivered"]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    made = Receiver(SECRET)
    made.begin()
    yield made
    made.end()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("webhooks")
    made = House(directory, {"ACME_WEBHOOK_URL": receiver.url, "ACME_WEBHOOK_SECRET": SECRET})
    site(directory / "sites", SILENT)
    try:
        made.open(directory / "sites", SILENT)
        yield made
    finally:
        made.close()


def listed(house: House) -> Any:
    [one] = json.loads(house.outside.run("webhooks", "list", "--json").stdout)
    return one


def test_from_the_call_to_the_reply_and_again_after_a_failure(house: House, receiver: Receiver) -> None:
    receiver.answers["first"] = [(500, 0.0), (204, 1.0)]  # fails once, then is slow once
    number = "4045550801"
    said = house.acme.to(number, externalAlertId="first")
    until(lambda: receiver.types("first")[1:4] == STATES, 20)
    posts = [one for one in receiver.got if one.data["externalAlertId"] == "first"]
    assert posts[0].id == posts[1].id and posts[0].raw == posts[1].raw, "the one that failed came again"
    house.phones.does(number, "say", text="thank you")
    reply = until(lambda: next((one for one in receiver.got if one.type == "reply.received"), None))
    assert (reply.data["turn"]["text"], reply.data["alertId"]) == ("thank you", said.alert)
    assert reply.data["conversationId"] and reply.data["externalAlertId"] == "first"
    assert all(one.verified for one in receiver.got)
    assert [one.data["sequence"] for one in posts] == [1, 1, *range(2, len(posts))]
    metrics = house.get("/metrics").raw.decode()
    assert 'heliograph_webhook_posts_total{outcome="delivered"}' in metrics
    assert f'heliograph_webhook_waiting{{site="{SITE}"}}' in metrics


def test_a_site_without_one_is_told_nothing(house: House, receiver: Receiver) -> None:
    house.callers[SILENT].to("4045550802", externalAlertId="nobodys")
    house.acme.to("4045550803", externalAlertId="somebodys")
    until(lambda: "alert.sent" in receiver.types("somebodys"))
    assert receiver.types("nobodys") == []


def test_an_endpoint_that_restarts_and_a_server_that_is_killed(house: House, receiver: Receiver) -> None:
    receiver.end()
    house.acme.to("4045550804", externalAlertId="away")
    until(lambda: listed(house)["waiting"], every=0.2)
    waiting = json.loads(house.outside.run("webhooks", "failed", "--waiting", "--json").stdout)
    assert [one["state"] for one in waiting] == ["waiting"] * len(waiting)
    receiver.begin()
    until(lambda: "alert.sent" in receiver.types("away"), 25)

    receiver.answers["killed"] = [(204, 3.0)]  # it has the event, and we do not know that when we die
    house.acme.to("4045550805", externalAlertId="killed")
    until(lambda: receiver.types("killed"))
    house.outside.kill()
    house.outside.start()
    until(lambda: "alert.sent" in receiver.types("killed"), 20)
    posts = [one for one in receiver.got if one.data.get("externalAlertId") == "killed"]
    assert [one.type for one in posts[:3]] == ["alert.accepted", "alert.accepted", "alert.sent"]
    assert posts[0].id == posts[1].id and posts[0].raw == posts[1].raw, "at least once, with the same id"


def test_410_stops_it_until_an_operator_says_so(house: House, receiver: Receiver) -> None:
    receiver.answers["gone"] = [(410, 0.0)]
    house.acme.to("4045550806", externalAlertId="gone")
    until(lambda: listed(house)["state"] == "disabled", every=0.2)
    assert len(receiver.types("gone")) == 1
    found = json.loads(house.outside.run("doctor", "--json", check=False).stdout)["findings"]
    [finding] = [one for one in found if one["check"] == f"webhook of {SITE}"]
    assert finding["state"] == "warning" and "it answered 410" in finding["found"]
    house.outside.run("webhooks", "enable", SITE)
    until(lambda: receiver.types("gone")[1:3] == ["alert.accepted", "alert.sent"])
    assert listed(house)["state"] == "running"

    again = next(one.id for one in receiver.got if one.data.get("externalAlertId") == "gone")
    house.outside.run("webhooks", "replay", SITE, again)
    until(lambda: receiver.types("gone").count("alert.accepted") == 3)
    assert SECRET not in house.log() and "4045550806" not in house.log()
