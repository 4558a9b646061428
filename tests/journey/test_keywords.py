"""STOP, START and HELP from the phone, and a person who is erased: over SMPP and RCS, on the sandbox."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from journey.house import House, until

SITE = """
[site]
id = "words"
name = "Acme Words"
channels = ["sms"]

[opt_outs]
contact = "+1 202 555 0100"
words.stop = ["enough of it"]

[[sender]]
name = "words-smpp"
channel = "sms"
provider = "smpp"

[sender.settings]
host = "${ACME_SMPP_HOST}"
port = "${ACME_SMPP_PORT}"
system_id = "words"
password = "${WORDS_PASSWORD}"
address = "24243"
reconnect_least = 0.1
"""
TEMPLATE = """
name = "gate"
version = "1"
fallback_language = "en"

[languages.en.sms]
text = "Your flight leaves from gate C35."

[languages.es.sms]
text = "Su vuelo sale de la puerta C35."
"""
TOLD = {
    "proactiveTemplate": "gate",
    "proactiveVariables": {},
    "proactiveTemplateVersion": ...,
    "proactiveChannel": "sms",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("words")
    made = House(directory, {"HELIOGRAPH_CALL_DEADLINE": "3"}, channels=("rcs", "smpp"))
    account = made.phones.post("/sandbox/senders", provider="smpp", sender="words", name="Words", address="24243")
    made.outside.environ["WORDS_PASSWORD"] = account["credentials"]["password"]
    folder = directory / "sites" / "words"
    (folder / "templates").mkdir(parents=True)
    (folder / "site.toml").write_text(SITE)
    (folder / "templates" / "gate.toml").write_text(TEMPLATE)
    try:
        made.open(directory / "sites", "words")
        yield made
    finally:
        made.close()


def alert(house: House, number: str, language: str = "english") -> Any:
    once = {"externalAlertId": f"{number}-{time.monotonic_ns()}"}
    return house.callers["words"].to(number, proactiveLanguage=language, **{**TOLD, **once})


def texts(house: House, number: str) -> list[str]:
    return [one["content"]["text"] for one in house.phones.messages(number)]


def says(house: House, number: str, text: str) -> None:
    house.phones.does(number, "say", text=text, sender="words")


def test_stop_start_and_help_by_sms(house: House) -> None:
    number = "2025550171"
    assert alert(house, number).status == 200
    until(lambda: texts(house, number))
    says(house, number, "Stop ")
    came = until(lambda: texts(house, number)[1:])
    assert came == ["Acme Words: You will get no more messages from us. Reply START to get them again."]
    refused = alert(house, number)
    assert not refused.json["success"] and "opted out" in refused.json["error"], refused
    says(house, number, "STOP")
    says(house, number, "help")
    came = until(lambda: texts(house, number)[2:])
    assert came == ["Acme Words: Help: +1 202 555 0100. Reply STOP to get no more."], "the second STOP is not confirmed"
    says(house, number, "start")
    came = until(lambda: texts(house, number)[3:])
    assert came == ["Acme Words: You will get messages from us again. Reply STOP to get no more."]
    assert alert(house, number).status == 200
    until(lambda: texts(house, number)[4:])


def test_the_language_of_the_alert_and_the_words_of_the_site(house: House) -> None:
    number = "2025550172"
    assert alert(house, number, "spanish").status == 200
    until(lambda: texts(house, number))
    says(house, number, "¡Baja!")
    (came,) = until(lambda: texts(house, number)[1:])
    assert came.startswith("Acme Words: Ya no recibirá")
    says(house, "2025550173", "Enough of it.")
    (came,) = until(lambda: texts(house, "2025550173"))
    assert came.startswith("Acme Words: You will get no more"), "nothing was ever sent to that number"


def test_the_menu_of_rcs_is_confirmed_once(house: House) -> None:
    number = "4043438661"
    assert house.acme.to(number).status == 200
    until(lambda: house.phones.messages(number))
    house.phones.does(number, "unsubscribe")
    until(lambda: texts_after(house, number))
    until(lambda: house.phones.get("/sandbox/idle?timeout=5")["idle"])
    assert len(texts_after(house, number)) == 1
    rows = json.loads(house.outside.run("opt-outs", "list", "--recipient", f"+1{number}", "--json").stdout)
    assert {(row["scope"], row["how"]) for row in rows} == {("all", "keyword"), ("rcs", "provider")}


def texts_after(house: House, number: str) -> list[str]:
    found = [one["content"].get("text", "") for one in house.phones.messages(number)]
    return [text for text in found if "START" in text]


def test_whoever_is_erased_is_not_sent_to_again(house: House) -> None:
    number = "2025550175"
    told = alert(house, number)
    until(lambda: texts(house, number))
    says(house, number, "stop")
    until(lambda: texts(house, number)[1:])
    gone = json.loads(house.outside.run("erase", f"+1{number}", "--yes", "--json").stdout)
    counts = next(one for one in gone if one["site"] == "words")
    assert (counts["alerts"], counts["replies"], counts["conversations"], counts["opt_outs"]) == (1, 1, 1, 1)
    assert house.outside.run("alerts", "show", told.alert, check=False).returncode != 0
    refused = alert(house, number)
    assert not refused.json["success"] and "opted out" in refused.json["error"], refused
    says(house, number, "START")
    until(lambda: texts(house, number)[2:])
    assert alert(house, number).status == 200
