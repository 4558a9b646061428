"""An alert by SMS over SMPP, from the call to the phone and back, on the sandbox's SMS centre."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from journey.caller import Caller
from journey.house import House, until

SITE = """
[site]
id = "texts"
name = "Texts"
channels = ["sms"]

[[sender]]
name = "texts-smpp"
channel = "sms"
provider = "smpp"

[sender.settings]
host = "${ACME_SMPP_HOST}"
port = "${ACME_SMPP_PORT}"
system_id = "texts"
password = "${TEXTS_PASSWORD}"
address = "24242"
binds = 2
reconnect_least = 0.1
"""
TEMPLATE = """
name = "gate"
version = "1"
fallback_language = "en"

[variables]
Gate = "C35"

[languages.en.sms]
text = "Your flight leaves from gate @Gate."
"""
LONG = "C35, on the far side of {terminal} 2, which is twenty minutes on foot from security. " * 4


class Texts:
    def __init__(self, house: House) -> None:
        self.house = house
        self.caller: Caller = house.callers["texts"]

    def alert(self, number: str, gate: str = "C35", **changes: Any) -> Any:
        told = {"proactiveTemplate": "gate", "proactiveVariables": {"@Gate": gate}, "proactiveTemplateVersion": ...}
        return self.caller.to(number, **{**told, "proactiveChannel": "sms", **changes})


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Texts]:
    directory = tmp_path_factory.mktemp("smpp")
    house = House(directory, {"HELIOGRAPH_CALL_DEADLINE": "3"}, channels=("rcs", "smpp"))
    # The example's own sender is bound as well, with an account of its own: receipts come over any bind of an account.
    made = house.phones.post("/sandbox/senders", provider="smpp", sender="texts", name="Texts", address="24242")
    house.outside.environ["TEXTS_PASSWORD"] = made["credentials"]["password"]
    folder = directory / "sites" / "texts"
    (folder / "templates").mkdir(parents=True)
    (folder / "site.toml").write_text(SITE)
    (folder / "templates" / "gate.toml").write_text(TEMPLATE)
    try:
        house.open(directory / "sites", "texts")
        yield Texts(house)
    finally:
        house.close()


def test_from_the_call_to_the_phone_and_back(texts: Texts) -> None:
    said = texts.alert("4045550101")
    assert said.status == 200, said
    assert said.headers["heliograph-channel"] == "sms"
    record = texts.house.until_state(said.alert, "delivered")
    assert [entry["kind"] for entry in record["entries"]][:3] == ["accepted", "sent", "delivered"]
    (message,) = texts.house.phones.messages("4045550101")
    assert message["content"]["text"] == "Your flight leaves from gate C35."
    texts.house.phones.does("4045550101", "say", text="Thank you", sender="texts")
    until(lambda: "replied" in [entry["kind"] for entry in texts.house.record(said.alert)["entries"]], every=0.2)


def test_a_long_one_is_one_message_on_the_phone_and_delivered_with_its_last_part(texts: Texts) -> None:
    said = texts.alert("4045550102", LONG)
    record = texts.house.until_state(said.alert, "delivered")
    (message,) = texts.house.phones.messages("4045550102")
    assert message["content"]["text"] == f"Your flight leaves from gate {LONG}."
    assert message["parts"] == 3
    kinds = [entry["kind"] for entry in record["entries"]]
    assert kinds == ["accepted", "sent", "receipt", "receipt", "delivered"]


def test_no_answer_is_in_doubt_until_its_receipt_and_nothing_is_sent_twice(texts: Texts) -> None:
    for number in ("4045550148", "4045550149"):  # taken and never answered; taken, and the connection closed
        said = texts.alert(number)
        assert said.status == 200
        texts.house.until_state(said.alert, "delivered")
        assert len(texts.house.phones.messages(number)) == 1


def test_a_cut_line_comes_back(texts: Texts) -> None:
    texts.house.phones.post("/sandbox/lines/smpp/cut")
    said = texts.alert("4045550103")
    texts.house.until_state(said.alert, "delivered")
    assert len(texts.house.phones.messages("4045550103")) == 1


def test_receipts_that_come_while_the_server_is_away_are_heard_later(texts: Texts) -> None:
    texts.house.phones.behave("late_receipts", match={"number": "+14045550104"}, seconds=1.5)
    said = texts.alert("4045550104")
    texts.house.outside.stop()
    texts.house.outside.start()
    texts.house.until_state(said.alert, "delivered", 20)


def test_nothing_private_is_in_the_log(texts: Texts) -> None:
    log = texts.house.log()
    assert texts.house.outside.environ["TEXTS_PASSWORD"] not in log
    assert "404555010" not in log
    assert "gate C35" not in log
