"""The same call again is one alert: repeated, by twenty at once, with a key, over a restart; and what is another."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from journey.caller import PATH, Said, own_id, speak
from journey.house import EXAMPLE, House, until
from journey.sites import site


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("repeats")
    made = House(directory, {"HELIOGRAPH_CALL_DEADLINE": "4"})
    try:
        site(directory / "sites", "other")
        made.open(directory / "sites", "other")
        yield made
    finally:
        made.close()


def test_the_same_call_again_is_one_alert(house: House) -> None:
    first = house.acme.to("4045550120")
    again = [
        house.acme.to("4045550120"),
        house.acme.to("4045550120", unknownField=1),
        house.acme.to("4045550120", customerCountryCode=1, proactiveLanguage="en", siteId=25508804),
        house.acme.to("(404) 555-0120", externalAlertId=own_id("4045550120")),
        house.acme.to("4045550120", proactiveVariables={"Gate": "C35", "Time": "7:35 pm", "City": "Kansas City"}),
        house.acme.to("4045550120", alertInfo={"T-Shirt Size": "Large", "Sky Miles": 1234567890}),
    ]
    for said in again:
        assert (said.status, said.raw, said.alert) == (200, first.raw, first.alert)
        assert said.headers["idempotent-replayed"] == "true"
    assert len(house.phones.messages("4045550120")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"externalAlertId": "another"},
        {"proactiveVariables": {**EXAMPLE["proactiveVariables"], "@Gate": "C36"}},
        {"alertInfo": {"Sky Miles": 1234567891}},
        {"proactiveLanguage": "spanish"},
        {"firstName": "Mat"},
        {"proactiveTemplateVersion": ""},
    ],
    ids=lambda change: next(iter(change)),
)
def test_any_other_field_is_another_alert(house: House, change: dict[str, Any]) -> None:
    number = f"404555010{list(EXAMPLE).index(next(iter(change))) % 10}"
    first, other = house.acme.to(number), house.acme.to(number, **change)
    assert first.json["success"] is other.json["success"] is True
    assert first.alert != other.alert and "idempotent-replayed" not in other.headers


def test_one_id_for_all_passengers_of_a_flight(house: House) -> None:
    said = [house.acme.to(f"404555013{n}", externalAlertId="flight-1") for n in range(4)]
    assert len({one.alert for one in said}) == 4
    assert [len(house.phones.messages(f"404555013{n}")) for n in range(4)] == [1, 1, 1, 1]


@pytest.mark.parametrize("named", ["external", "key", "neither"])
def test_twenty_twins_at_once_are_one_message(house: House, named: str) -> None:
    number = {"external": "4045550140", "key": "4045550141", "neither": "4045550142"}[named]
    house.phones.behave("slow", match={"number": f"+1{number}"}, seconds=1.5)
    headers = {"Idempotency-Key": "twins"} if named == "key" else {}
    external = "twins" if named == "external" else ...
    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(house.acme.to, number, headers, externalAlertId=external) for _ in range(20)]
        said = [call.result() for call in calls]
    house.phones.delete("/sandbox/behaviour")
    assert {(one.status, one.raw, one.alert) for one in said} == {(200, said[0].raw, said[0].alert)}
    assert sum("idempotent-replayed" not in one.headers for one in said) == 1
    assert len(house.phones.messages(number)) == 1


def test_twins_of_a_call_that_fails_are_alerts_of_their_own_and_come_to_an_end(house: House) -> None:
    with ThreadPoolExecutor(5) as pool:
        said = list(pool.map(lambda _: house.acme.to("4055550184"), range(5)))
    assert all(one.failure["code"] in ("provider_fault", "not_sent", "in_doubt") for one in said)
    assert house.phones.messages("4055550184") == []


def test_without_id_and_key_a_second_call_is_a_second_alert(house: House) -> None:
    first = house.acme.to("4045550143", externalAlertId=...)
    second = until(lambda: _new(house.acme.to("4045550143", externalAlertId=...), first), 3)
    assert second.alert != first.alert
    assert len(house.phones.messages("4045550143")) == 2


def _new(said: Said, first: Said) -> Said | None:
    return said if said.alert != first.alert else None


def test_an_idempotency_key_names_the_call(house: House) -> None:
    once = {"Idempotency-Key": "k-1"}
    first = house.acme.to("4045550144", once, externalAlertId=...)
    again = house.acme.to("4045550144", once, externalAlertId=...)
    assert again.raw == first.raw and again.headers["idempotent-replayed"] == "true"
    other = house.acme.to("4045550144", once, externalAlertId=..., firstName="Another")
    assert other.status == 422 and other.json["success"] is False and "Idempotency-Key" in other.json["error"]
    assert len(house.phones.messages("4045550144")) == 1
    assert house.callers["other"].to("4045550145", once).status == 200  # another site's keys are its own


def test_a_repeat_after_a_restart_is_given_the_former_answer(house: House) -> None:
    first = house.acme.to("4045550146")
    headers = house.acme.sign(body=house.acme.body())
    assert speak(house.base_url, "POST", PATH, house.acme.body(), headers).status == 200
    assert house.outside.stop() == 0
    house.outside.start()
    again = house.acme.to("4045550146")
    assert (again.raw, again.alert) == (first.raw, first.alert)
    assert again.headers["idempotent-replayed"] == "true"
    replayed = speak(house.base_url, "POST", PATH, house.acme.body(), headers)
    assert (replayed.status, replayed.json) == (401, {"error": "Invalid Nonce - Nonce has been previously used"})
    assert len(house.phones.messages("4045550146")) == 1
