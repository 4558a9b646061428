"""From alert to agent and back at a desk of the sandbox; a desk in trouble loses nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from heliograph import plugs
from journey.desks import ACCOUNTS, Bench
from journey.house import House, until

PLAYED = [desk for desk in ACCOUNTS if desk in plugs.desk_twins()]
INFO = {"Sky Miles": 1234567890, "T-Shirt Size": "Large"}


@pytest.fixture(scope="module")
def benches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Bench]]:
    """One server, with a site for each desk that the sandbox plays."""
    directory = tmp_path_factory.mktemp("desks")
    house = House(directory)
    folder = directory / "sites"
    try:
        found = {desk: Bench(house, desk, folder) for desk in PLAYED}
        house.open(folder, *(bench.site for bench in found.values()))
        yield found
    finally:
        house.close()


@pytest.fixture(params=PLAYED)
def bench(benches: dict[str, Bench], request: pytest.FixtureRequest) -> Iterator[Bench]:
    found = benches[request.param]
    yield found
    found.recovers()


def told(bench: Bench, number: str) -> None:
    """An alert comes to the phone of this number."""
    said = bench.house.callers[bench.site].to(number, skill="service", alertInfo=INFO)
    assert said.status == 200, said
    until(lambda: bench.house.phones.messages(number))


def says(bench: Bench, number: str, text: str) -> None:
    bench.house.phones.does(number, "say", text=text, sender=bench.site)


def test_a_tap_reaches_an_agent_with_its_context_and_the_answer_the_phone(bench: Bench) -> None:
    number = bench.numbers[0]
    told(bench, number)
    bench.house.phones.does(number, "tap", text="Learn More")
    bench.hears("Learn More")
    (case,) = bench.cases()
    beside = " ".join(
        [*(f"{label}: {value}" for label, value in case["facts"].items()), *(line["text"] for line in case["lines"])]
    )
    assert case["open"] and all(word in beside for word in ("Sky Miles", "1234567890", "T-Shirt Size", "Large")), case
    bench.does("take", agent="Ada")
    bench.does("say", agent="Ada", text="It leaves at 7:35 pm from gate C35.")
    came = until(lambda: bench.house.phones.messages(number)[1:])
    assert [one["content"]["text"] for one in came] == ["It leaves at 7:35 pm from gate C35."]
    bench.does("close", agent="Ada")
    says(bench, number, "Thank you")
    bench.hears("Learn More", "Thank you")  # what comes after it was closed opens another
    assert len(bench.cases()) == 2


def test_a_desk_in_trouble_loses_nothing_and_hears_everything_once_in_order(bench: Bench) -> None:
    number = bench.numbers[1]
    heard = len(bench.heard())
    told(bench, number)
    bench.behave("error", status=503)
    for text in ("one", "two"):
        says(bench, number, text)
    waits = until(lambda: next((one for one in bench.seen() if one["waiting"]), None))  # operators see it
    assert waits["waiting"] == 1 and waits["why"], waits
    assert len(bench.heard()) == heard
    bench.behave("garble", times=3)  # taken, and answered with nonsense: nobody here can know
    says(bench, number, "three")
    time.sleep(1.5)
    bench.behave("garble_before", times=2)  # the same nonsense, and nothing was taken
    bench.behave("slow", seconds=0.5)
    says(bench, number, "four")
    words = ["one", "two", "three", "four"]
    until(lambda: len(bench.heard()) >= heard + 4, 40)
    bench.recovers()
    assert bench.heard()[heard:] == words
    until(lambda: [one["waiting"] for one in bench.seen()] == [0])
    assert bench.heard()[heard:] == words, "what was settled came once"
