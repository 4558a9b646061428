"""examples/desk/desk.py, run as the page says: an alert's answer is printed there with its context, and what the desk
answers reaches the phone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from journey.house import House, until
from journey.outside import ROOT, free_port
from journey.sites import site

PAGE = (ROOT / "docs" / "how-to" / "desk.md").read_text("utf-8")
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SITE = "own-desk"


class Example:
    """The example's process; `lines` are what it printed."""

    def __init__(self, port: int) -> None:
        words = [sys.executable, str(ROOT / "examples" / "desk" / "desk.py"), "--secret", SECRET, "--port", str(port)]
        self.process = subprocess.Popen(
            [*words, "--reply", "Ann is looking for you."],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": ""},  # the standard library alone
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def types(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def printed(self, text: str) -> list[str]:
        """Waits for a line that holds this."""
        return until(lambda: [line for line in self.lines if text in line], 15.0)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Example]]:
    directory = tmp_path_factory.mktemp("own-desk")
    port = free_port()
    example = Example(port)
    made = House(directory)
    try:
        made.phones.post(
            "/sandbox/senders",
            sender=SITE,
            verify=False,
            client_token=made.outside.environ["ACME_RBM_WEBHOOK_TOKEN"],
            webhook=f"{made.base_url}/callbacks/rcs/google-rbm/{SITE}/{SITE}-rcs",
        )
        place = site(directory / "sites", SITE, 'skills = ["service"]', agent=SITE)
        (table,) = re.findall(r"^```toml\n(\[desk\]\nkind = \"webhook\".*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
        table = table.replace("http://127.0.0.1:8099/", f"http://127.0.0.1:{port}/")
        made.outside.environ["DESK_SECRET"] = SECRET
        with open(place / "site.toml", "a") as file:
            file.write("\n" + table)
        made.open(directory / "sites", SITE)
        yield made, example
    finally:
        made.close()
        example.close()


def test_an_answer_is_printed_with_its_context_and_the_desks_words_reach_the_phone(
    house: tuple[House, Example],
) -> None:
    made, example = house
    number = "2025550170"
    said = made.callers[SITE].to(number, skill="service", alertInfo={"Sky Miles": 1234567890, "T-Shirt Size": "Large"})
    assert said.status == 200, said
    until(lambda: made.phones.messages(number))
    made.phones.does(number, "say", text="Where do I go?", sender=SITE)
    example.printed("> Where do I go?")
    assert example.printed("Sky Miles: 1234567890") and example.printed("T-Shirt Size: Large")
    until(lambda: made.phones.messages(number)[1:])
    example.types("Gate B7, please hurry.")
    came = until(lambda: made.phones.messages(number)[2:])
    texts = [one["content"]["text"] for one in made.phones.messages(number)[1:]]
    assert texts == ["Ann is looking for you.", "Gate B7, please hurry."] and came
    example.types("/close")
    made.phones.does(number, "say", text="Thank you", sender=SITE)
    until(lambda: sum("answers" in line for line in example.lines) == 2, 15.0)
    assert [line for line in example.lines if line.startswith("> ")] == ["> Where do I go?", "> Thank you"]
