"""Receipts move the record, however they come; what people say, tap and share is kept at the alert they answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from journey.house import House, until


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("receipts")
    made = House(directory, {"HELIOGRAPH_CALL_DEADLINE": "4"})
    try:
        made.open(None)
        yield made
    finally:
        made.close()


def test_receipts_move_the_record(house: House) -> None:
    said = house.acme.to("4045550150")
    record = house.until_state(said.alert, "read")
    kinds = [entry["kind"] for entry in record["entries"]]
    assert kinds == ["accepted", "sent", "delivered", "read"]
    assert [entry["by"] for entry in record["entries"]] == ["api", "heliograph", "provider", "provider"]


def test_doubled_receipts_count_once(house: House) -> None:
    said = house.acme.to("4045550192")
    record = house.until_state(said.alert, "read")
    assert [entry["kind"] for entry in record["entries"]].count("delivered") == 1


def test_read_before_delivered_stays_read(house: House) -> None:
    said = house.acme.to("4045550193")

    def receipts() -> list[tuple[str, str]] | None:
        entries = house.record(said.alert)["entries"]
        found = [(entry["kind"], entry["detail"]["state"]) for entry in entries if entry["by"] == "provider"]
        return found if len(found) == 2 else None

    assert until(receipts, every=0.2) == [("read", "read"), ("receipt", "delivered")]
    assert house.state(said.alert) == "read"


def test_late_receipts_move_the_record_when_they_come(house: House) -> None:
    house.phones.behave("late_receipts", match={"number": "+14045550151"}, seconds=2)
    said = house.acme.to("4045550151")
    house.phones.delete("/sandbox/behaviour")
    assert house.state(said.alert) == "sent"
    house.until_state(said.alert, "read")


def test_an_offline_phone_stays_sent_until_it_is_switched_on(house: House) -> None:
    said = house.acme.to("4045550194")
    assert house.state(said.alert) == "sent"
    house.phones.does("4045550194", online=True)
    house.until_state(said.alert, "read")


def test_what_a_person_says_taps_and_shares_is_recorded_at_the_alert(house: House) -> None:
    number = "4045550152"
    said = house.acme.to(number)
    message = until(lambda: house.phones.messages(number))[0]["id"]
    house.phones.does(number, "typing")
    house.phones.does(number, "say", text="Is there a later one? <b>“né”</b> 🛫")
    house.phones.does(number, "tap", message=message, suggestion="0:1")
    house.phones.does(number, "location", latitude=33.64, longitude=-84.43)

    def replies() -> list[Any] | None:
        found = [entry["detail"] for entry in house.record(said.alert)["entries"] if entry["kind"] == "replied"]
        return found if len(found) == 3 else None

    text, tap, place = until(replies, every=0.2)
    assert text["event"]["text"] == "Is there a later one? <b>“né”</b> 🛫"
    assert (tap["event"]["postback"], tap["rule"]) == ("postback_data_LearnMore", "offered")
    assert place["event"]["kind"] == "location"
    story = " ".join(house.outside.run("alerts", "show", said.alert).stdout.split())
    assert number not in story and "Learn More" in story
