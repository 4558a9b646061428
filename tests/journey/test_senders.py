"""Two senders of one channel, one of which fails, by real processes: the other takes over, the failing one is left
alone, tried, and comes back; operators see it from another process, and stop it by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from heliograph.core.choice import in_order
from journey.house import House, until
from journey.sites import SENDER, site
from journey.stub import Stub, stub

SITE = "pair"
BAD, GOOD = "bad-rcs", "good-rcs"
TOOK = b'{"name": "phones/+1/agentMessages/x"}'


def of(name: str, many: int) -> list[str]:
    """National numbers of recipients who hear from this sender first."""
    both = [(one, one, 1) for one in (BAD, GOOD)]
    numbers = (f"40455501{n:02}" for n in range(100))
    return [number for number in numbers if in_order(both, f"+1{number}")[0] == name][:many]


@pytest.fixture(scope="module")
def provider() -> Iterator[Stub]:
    with stub() as made:
        yield made


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, provider: Stub) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("senders")
    made = House(
        directory,
        {
            "HELIOGRAPH_CALL_DEADLINE": "4",
            "HELIOGRAPH_BREAKER_PAUSE": "4",
            "HELIOGRAPH_BREAKER_BACK": "2",
            "HELIOGRAPH_REPEAT_SENDS_FOR": "0",  # what is in doubt stays so
        },
    )
    place = site(directory / "sites", SITE, sender=False)
    lines = SENDER.format(name=BAD, agent="stub", base_url=provider.url)
    lines += SENDER.format(name=GOOD, agent="${ACME_RBM_AGENT}", base_url="${ACME_RBM_BASE_URL}")
    with (place / "site.toml").open("a") as file:
        file.write(lines)
    try:
        made.open(directory / "sites", SITE)
        yield made
    finally:
        made.close()


def seen(house: House, name: str = BAD) -> Any:
    listed = json.loads(house.outside.run("senders", "--site", SITE, "--json").stdout)
    return next(one for one in listed if one["name"] == name)


def sender_of(house: House, alert: str) -> list[str]:
    return [one["sender"] for one in house.record(alert)["attempts"]]


def test_one_story(house: House, provider: Stub) -> None:
    caller, mine = house.callers[SITE], of(BAD, 12)

    provider.says = (503, "application/json", b"{}")
    first = [caller.to(number, externalAlertId=f"down-{n}") for n, number in enumerate(mine[:5])]
    # Five in a row: it is left alone, and nobody loses time with it.
    asked = provider.asked
    after = caller.to(mine[5], externalAlertId="after")
    assert provider.asked == asked and sender_of(house, after.alert) == [GOOD]
    assert all(said.json["success"] is True for said in first)  # the other sender took every one
    assert sender_of(house, first[0].alert) == [BAD, GOOD]
    down = until(lambda: one if (one := seen(house))["state"] in ("open", "half_open") else None, every=0.3)
    assert down["why"] == "5 hand-overs in a row failed" and down["share"] is not None
    metrics = house.get("/metrics").raw.decode()
    assert 'state="open"} 1.0' in metrics or 'state="half_open"} 1.0' in metrics

    # It works again: one alert tries it, then all are back, each recipient with his own sender.
    provider.says = (200, "application/json", TOOK)

    until(lambda: _first(house, caller, mine[6]) == BAD, 20, every=0.5)
    until(lambda: all(_first(house, caller, number) == BAD for number in mine[7:10]), 15, every=0.5)
    until(lambda: seen(house)["state"] == "running", every=0.3)

    # An operator stops it: within a second, with a name, and nothing tries it.
    house.outside.run("senders", "pause", SITE, BAD, "--why", "under review", "--by", "ann")
    until(lambda: "An operator paused the sender: under review." in house.log(), 3)
    asked = provider.asked
    assert _first(house, caller, mine[10]) == GOOD and provider.asked == asked
    paused = seen(house)
    assert (paused["state"], paused["why"]) == ("paused", "under review (by ann)")
    house.outside.run("senders", "resume", SITE, BAD, "--by", "bob")
    until(lambda: "An operator resumed the sender." in house.log(), 3)
    assert _first(house, caller, mine[11]) == BAD


_count = iter(range(10_000))


def _first(house: House, caller: Any, number: str) -> str:
    return sender_of(house, caller.to(number, externalAlertId=f"one-{next(_count)}").alert)[0]


def test_what_stays_in_doubt_an_operator_settles_and_a_server_does_the_rest(house: House) -> None:
    caller, numbers = house.callers[SITE], of(GOOD, 3)
    for do in ("lose_receipts", "silent"):
        house.phones.behave(do)
    doubted = [caller.to(number, externalAlertId=f"doubt-{number}") for number in numbers]
    house.phones.delete("/sandbox/behaviour")
    assert [said.failure["code"] for said in doubted] == ["in_doubt"] * 3
    listed = json.loads(house.outside.run("alerts", "list", "--state", "in_doubt", "--json").stdout)
    assert {row["id"] for row in listed} == {said.alert for said in doubted}
    assert seen(house, GOOD)["in_doubt"] == 3

    def settle(alert: str, what: str) -> None:
        house.outside.run("alerts", "settle", alert, what, "--by", "ann", "--why", "asked Google")

    sent, failed, again = (said.alert for said in doubted)
    settle(sent, "sent")
    settle(failed, "failed")
    settle(again, "resend")
    assert house.state(sent) == "sent"
    house.until_state(failed, "failed")
    record = house.until_state(again, "sent")
    assert [(one["state"], one["reason"]) for one in record["attempts"]] == [
        ("failed", "sent_again"),
        ("sent", ""),
    ]
    assert ("settled", "ann") in [(entry["kind"], entry["by"]) for entry in record["entries"]]
    assert seen(house, GOOD)["in_doubt"] == 0


def test_an_opt_out_written_by_another_process_is_followed_at_once(house: House) -> None:
    caller, number = house.callers[SITE], "4045550199"
    assert house.outside.run("opt-outs", "add", f"+1{number}", "--site", SITE, "--scope", "skill:service")
    said = caller.to(number)
    assert said.json == {"success": False, "error": said.json["error"]} and "opted out" in said.json["error"]
