"""docs/how-to/add-a-provider.md, done: its files are the example's, the contract runs on its cases, and an alert goes
through it to a phone and back."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journey.caller import Phones
from journey.house import until
from journey.outside import ROOT, Outside

PAGE = (ROOT / "docs" / "how-to" / "add-a-provider.md").read_text("utf-8")
EXAMPLE = ROOT / "examples" / "heliograph-46elks"
FILES = dict(re.findall(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
COMMANDS = "\n".join(re.findall(r"^```sh\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


def command(begins: str) -> list[str]:
    (line,) = [line for line in COMMANDS.splitlines() if line.startswith(begins)]
    return shlex.split(line)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page's files, as an installer would leave them: the package, and its entry points beside it."""
    place = tmp_path_factory.mktemp("installed")
    for name, text in FILES.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    about = place / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n", "utf-8"
    )
    points = project["entry-points"]
    lines = [f"[{group}]\n" + "".join(f"{n} = {v}\n" for n, v in named.items()) for group, named in points.items()]
    (about / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    return place


@pytest.fixture(scope="module")
def path_with_it(installed: Path) -> str:
    return os.pathsep.join([str(installed), *filter(None, [os.environ.get("PYTHONPATH", "")])])


def test_the_pages_files_are_the_examples() -> None:
    there = {
        path.relative_to(EXAMPLE).as_posix(): path.read_text("utf-8")
        for path in EXAMPLE.rglob("*")
        if path.suffix in (".py", ".toml", ".json") and not path.relative_to(EXAMPLE).parts[0].startswith(".")
    }
    assert there == FILES


def test_the_contract_runs_on_its_cases(path_with_it: str) -> None:
    words = command("pytest")[1:]  # -q is a setting of the repository: a dot for each test
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path_with_it},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    cases = json.loads(FILES["heliograph_46elks/cases/elks.json"])
    assert done.stdout.count(".") >= len(cases["sends"]) + len(cases["callbacks"])


class Elks:
    """The page's fifth step: sandbox, account, site, server."""

    def __init__(self, place: Path, path: str) -> None:
        self.outside = Outside(place, {"PYTHONPATH": path, "HELIOGRAPH_CALL_DEADLINE": "2"}, channels=())
        self.phones = Phones(self.outside.sandbox_url)

    def here(self, text: str) -> str:
        """What the page says, with the addresses of this run."""
        text = text.replace("http://127.0.0.1:8090", self.outside.sandbox_url)
        return text.replace("http://127.0.0.1:8080", self.outside.base_url)

    def begin(self, site: Path) -> None:
        (body,) = re.findall(r"curl \S+/sandbox/senders -d '(.*?)'", COMMANDS, re.DOTALL)
        made = self.phones.post("/sandbox/senders", **json.loads(self.here(body)))
        assert made["channel"] == "sms" and made["verified"]
        for line in COMMANDS.splitlines():
            if line.startswith("export "):
                pairs = (one.partition("=") for one in shlex.split(self.here(line))[1:])
                self.outside.environ.update({name: value for name, _, value in pairs})
        assert command("heliograph apply")[2] == "./examples/heliograph-46elks/site"
        self.outside.run("apply", str(site))
        key = self.outside.run(*command("heliograph keys")[1:-2]).stdout
        (self.outside.directory / "key.json").write_text(key)
        self.outside.start()

    def send(self, *more: str, phone: str = "2025550110") -> Any:
        words = [self.here(word).replace("2025550110", phone) for word in command("heliograph send")[1:]]
        return self.outside.run(*words, *more, check=False)

    def record(self, alert: str) -> Any:
        return json.loads(self.outside.run("alerts", "show", alert, "--full", "--json").stdout)

    def until_delivered(self, alert: str) -> Any:
        def look() -> Any:
            record = self.record(alert)
            return record if record["alert"]["state"] == "delivered" else None

        return until(look, every=0.2)


@pytest.fixture(scope="module")
def elks(installed: Path, path_with_it: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Elks]:
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = path_with_it  # the sandbox plays what is installed
    made = Elks(tmp_path_factory.mktemp("elks"), path_with_it)
    try:
        made.begin(shutil.copytree(installed / "site", made.outside.directory / "site"))
        yield made
    finally:
        made.outside.close()
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def test_an_alert_goes_through_it_to_a_phone_and_back(elks: Elks) -> None:
    said = elks.send("--json")
    assert said.returncode == 0, said.stdout + said.stderr
    alert = json.loads(said.stdout)["headers"]["heliograph-alert"]
    (attempt,) = elks.until_delivered(alert)["attempts"]
    assert (attempt["channel"], attempt["provider"]) == ("sms", "46elks")
    (message,) = elks.phones.messages("2025550110")
    assert "Your flight leaves from gate C35." in json.dumps(message)
    elks.phones.does("2025550110", "say", text="Thanks", sender="+12025550150")
    until(lambda: [e for e in elks.record(alert)["entries"] if e["kind"] == "replied"], every=0.2)


def test_an_answer_that_is_lost_is_in_doubt_and_settled_by_the_report(elks: Elks) -> None:
    """The magic number whose message is taken and never answered: one message, and the report finds it."""
    number = "2025550148"
    said = elks.send("--json", phone=number)
    assert said.returncode == 4, said.stdout + said.stderr
    (row,) = json.loads(elks.outside.run("alerts", "list", "--recipient", f"+1{number}", "--json").stdout)
    record = elks.until_delivered(row["id"])
    assert [entry["kind"] for entry in record["entries"]].count("in_doubt") == 1
    assert elks.phones.creates(record["attempts"][0]["id"]) == 1
