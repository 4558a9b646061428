"""A phone that is off when the alert comes: what waits for it at Google is taken back, and SMS tells it, once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journey.house import House, until
from journey.outside import ROOT

SAID = """
[site.fallback]
need = "delivered"
within = "2s"
"""


def folder(directory: Path) -> Path:
    """The example with two seconds for each channel."""
    place = Path(shutil.copytree(ROOT / "examples" / "acme-air", directory / "acme-air"))
    site = (place / "site.toml").read_text()
    assert "\n# Who sends." in site
    (place / "site.toml").write_text(site.replace("\n# Who sends.", SAID + "\n# Who sends.", 1))
    return place


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("fallback")
    made = House(directory, {"HELIOGRAPH_REVOKE_SETTLE": "0.5"}, channels=("rcs", "sms"))
    try:
        made.open(folder(directory))
        yield made
    finally:
        made.close()


def channels(record: Any) -> list[tuple[str, str]]:
    return [(attempt["channel"], attempt["state"]) for attempt in record["attempts"]]


def test_an_offline_phone_gets_an_sms_and_no_second_message_when_it_is_back(house: House) -> None:
    number = "4045550120"
    house.phones.does(number, online=False)
    said = house.acme.to(number)
    assert (said.json["success"], said.headers["heliograph-channel"]) == (True, "rcs")

    def left() -> Any:
        record = house.record(said.alert)
        return record if len(record["attempts"]) == 2 else None

    record = until(left, every=0.2)
    assert channels(record)[0] == ("rcs", "revoked")
    house.phones.does(number, online=True)
    record = house.until_state(said.alert, "delivered")
    assert channels(record) == [("rcs", "revoked"), ("sms", "delivered")]
    assert [message["channel"] for message in house.phones.messages(number)] == ["sms"]
    assert not [entry for entry in record["entries"] if "exception" in entry["detail"]]


def test_a_phone_that_is_on_gets_one_message(house: House) -> None:
    number = "4045550121"
    said = house.acme.to(number)
    record = house.until_state(said.alert, "read")
    assert channels(record) == [("rcs", "read")]
