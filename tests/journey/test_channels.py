"""The example on all its channels: who has no RCS is told by WhatsApp, who has neither by SMS, and a tap is a tap."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from heliograph.cast import CAST
from journey.house import House, until

SMS_SENDER = next(role.id for role in CAST if role.provider == "twilio")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("channels"), channels=("rcs", "wa", "sms"))
    try:
        made.open(None)
        yield made
    finally:
        made.close()


def replied(house: House, alert: str) -> Any:
    """The first answer in the record, once it is there."""

    def look() -> Any:
        found = [entry["detail"] for entry in house.record(alert)["entries"] if entry["kind"] == "replied"]
        return found[0] if found else None

    return until(look, every=0.2)


def considered(record: Any) -> dict[str, Any]:
    decision = record["decision"]
    found = json.loads(decision) if isinstance(decision, str) else decision
    return {line["channel"]: line for line in found["considered"]}


def test_without_rcs_the_template_that_whatsapp_keeps_is_sent(house: House) -> None:
    number = "4045550110"
    house.phones.does(number, has_rcs=False)
    said = house.acme.to(number)
    assert (said.status, said.headers["heliograph-channel"]) == (200, "wa"), said
    record = house.until_state(said.alert, "delivered")
    assert considered(record)["rcs"]["why"] == "cannot_reach"
    (message,) = until(lambda: house.phones.messages(number))
    assert "Your flight to Kansas City is delayed. It now leaves at 7:35 pm from gate C35." in json.dumps(message)
    house.phones.does(number, "tap", message=message["id"], suggestion="-:1")
    answer = replied(house, said.alert)
    assert answer["event"]["kind"] == "tap"
    assert answer["event"]["postback"] == "postback_data_LearnMore"


def test_on_sms_the_options_are_numbered_and_an_answer_with_the_number_is_a_tap(house: House) -> None:
    number = "4045550111"
    house.phones.does(number, has_rcs=False, has_wa=False)
    said = house.acme.to(number, proactiveChannel="sms", proactiveLanguage="spanish")
    assert (said.status, said.headers["heliograph-channel"]) == (200, "sms"), said
    record = house.until_state(said.alert, "delivered")
    assert considered(record)["sms"]["rules"] == [
        "2 replies are numbered lines; an answer with the number counts as a tap."
    ]
    (message,) = house.phones.messages(number)
    assert message["content"]["text"] == (
        "Acme Air: su vuelo a Kansas City sale con retraso, a las 7:35 pm por la puerta C35.\n"
        "1. Ver las opciones\n2. Detalles"
    )
    assert "Made to fit sms: 2 replies are numbered lines" in house.outside.run("alerts", "show", said.alert).stdout
    house.phones.does(number, "say", text="2)", sender=SMS_SENDER)
    answer = replied(house, said.alert)
    assert (answer["rule"], answer["said"]) == ("option", "2)")
    assert (answer["event"]["kind"], answer["event"]["postback"]) == ("tap", "postback_data_LearnMore")


def test_a_text_that_the_caller_brings_goes_through_whole(house: House) -> None:
    number, words = "4045550112", "Acme Air: gate C35 @Gate, 100% sure."
    house.phones.does(number, has_rcs=False)
    variables = {"@sms_text": words}
    said = house.acme.to(number, proactiveTemplate="Proactive_Outbound", proactiveVariables=variables)
    assert (said.status, said.headers["heliograph-channel"]) == (200, "sms"), said
    (message,) = until(lambda: house.phones.messages(number))
    assert message["content"]["text"] == words
