"""`heliograph capabilities` with the real adapter against the sandbox's Google: one by one, many, and an agent that is
not launched."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from cli.conftest import EXAMPLE
from heliograph.stage import Stage, set_stage

SITE = "25508804"


class Beside:
    """The sandbox in a thread with a loop of its own, as another process would be."""

    def __init__(self, folder: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever)
        self.thread.start()
        self.stage: Stage = self.do(set_stage(folder, host="127.0.0.1", port=0, providers=("google-rbm",)))
        self.world = self.stage.sandbox.world

    def do(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(20)

    def change_agent(self, **changes: Any) -> None:
        known = next(iter(self.world.known("google-rbm")))
        self.world.add_sender(msgspec.structs.replace(known, **changes))

    def questions(self, kind: str) -> int:
        return sum(entry.kind == kind for entry in self.world.log.entries)

    def end(self) -> None:
        self.do(self.stage.sandbox.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def beside(heliograph: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[Beside]:
    made = Beside(tmp_path / "stage")
    for name, value in made.stage.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES", "true")
    assert heliograph("apply", EXAMPLE).code == 0
    yield made
    made.end()


def ask(heliograph: Any, *words: object) -> Any:
    return heliograph("capabilities", SITE, *words, "--channel", "rcs", "--json").data


def test_a_few_with_features_and_then_from_the_cache(heliograph: Any, beside: Beside) -> None:
    no_rcs = "+12025550120"
    beside.world.handset(no_rcs).has_rcs = False
    first = ask(heliograph, "+12025550110", no_rcs, "--full")["answers"]
    assert [(one["recipient"], one["reach"], one["reason"], one["cached"]) for one in first] == [
        ("+12025550110", "yes", "", False), (no_rcs, "no", "cannot_reach", False),
    ]  # fmt: skip
    assert "RICHCARD_STANDALONE" in first[0]["features"]
    again = ask(heliograph, "+12025550110", no_rcs)["answers"]
    assert [(one["recipient"], one["cached"]) for one in again] == [("+1••••••0110", True), ("+1••••••0120", True)]
    shown = heliograph("capabilities", SITE, no_rcs, "--channel", "rcs").out
    assert "cannot_reach" in shown and "rcs: 0 yes, 1 no, 0 unknown." in shown and no_rcs not in shown


def test_a_file_of_many_is_one_question_with_an_estimate(heliograph: Any, beside: Beside, tmp_path: Any) -> None:
    numbers = [f"+1202556{n:04d}" for n in range(600)]
    beside.world.handset(numbers[5]).has_rcs = False
    file = tmp_path / "people.csv"
    file.write_text("recipient,name\n" + "".join(f'"{one}",x\n' for one in [*numbers, numbers[0]]))
    said = ask(heliograph, "--file", file, "--full")
    assert [one["recipient"] for one in said["answers"]] == numbers
    assert [one["recipient"] for one in said["answers"] if one["reach"] == "no"] == [numbers[5]]
    assert said["estimates"][0]["sampled"] == 450 and said["estimates"][0]["reachable"] in (449, 450)
    shown = heliograph("capabilities", SITE, "--file", file, "--channel", "rcs").out
    assert "rcs: 599 yes, 1 no, 0 unknown." in shown


def test_an_agent_that_is_not_launched_reaches_its_testers(heliograph: Any, beside: Beside) -> None:
    tester, other = "+12025550111", "+12025550112"
    for refusal, reason in ((404, "cannot_reach"), (403, "sender_not_allowed")):
        beside.change_agent(launched=False, refusal=refusal, testers={tester: "ACCEPTED"})
        answers = {one["recipient"]: one for one in ask(heliograph, tester, other, "--full")["answers"]}
        assert answers[tester]["reach"] == "yes"
        assert (answers[other]["reach"], answers[other]["reason"]) == ("no", reason)
        other = "+12025550113"  # what was learned of the first is believed for an hour


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((SITE,), "There is nobody to ask about"),
        ((SITE, "2025550110"), "1. number: The phone number does not begin with a country code"),
        (("1", "+12025550110"), "There is no site 1."),
        ((SITE, "+12025550110", "--channel", "fax"), "There is no channel fax"),
    ],
)
def test_what_is_not_understood(applied: Any, words: tuple[str, ...], sentence: str) -> None:
    ran = applied("capabilities", *words)
    assert ran.code == 2 and sentence in ran.err and "2025550110" not in ran.err
