"""The tutorial and the how-tos as a newcomer follows them: every command block, in order, as it stands on the page.

What is not copied from the page: `make setup` (the environment is there), the home folder, and the ports, since others
may hold the usual ones here.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heliograph.rehearsal import ANSWER, BESIDE, TAP, at_desk, in_console
from journey.caller import Phones
from journey.demonstration import PLAIN
from journey.house import until
from journey.outside import PROGRAM, ROOT, free_port

SERVER, SANDBOX = "127.0.0.1:8080", "127.0.0.1:8090"


def blocks(page: str, language: str = "sh") -> dict[str, list[str]]:
    """Heading → its blocks of this language."""
    found: dict[str, list[str]] = {}
    for section in re.split(r"^## ", (ROOT / "docs" / page).read_text("utf-8"), flags=re.M):
        heading = section.partition("\n")[0]
        found[heading] = re.findall(rf"^```{language}\n(.*?)^```", section, re.M | re.S)
    return found


class Terminals:
    """Shells in one folder. What stays runs in a terminal of its own until the end."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port, self.sandbox_port = free_port(), free_port()
        # `make setup` is what brings the program; here it is there already, in an environment of another name.
        self.environ = {
            **PLAIN,
            "HOME": str(home),
            "PATH": f"{Path(PROGRAM).parent}:{os.environ['PATH']}",
            "HELIOGRAPH_PORT": str(self.port),
            "HELIOGRAPH_SANDBOX_PORT": str(self.sandbox_port),
        }
        self.begin = f'cd "{ROOT}"\n'
        self.staying: list[subprocess.Popen[str]] = []

    def here(self, text: str) -> str:
        text = text.replace("--sandbox-port 8090", f"--sandbox-port {self.sandbox_port}")
        return text.replace(SERVER, f"127.0.0.1:{self.port}").replace(SANDBOX, f"127.0.0.1:{self.sandbox_port}")

    def run(self, *scripts: str) -> str:
        """The scripts in one shell, which ends at the first command that fails; what it prints."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.begin + self.here("\n".join(scripts))],
            env=self.environ, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    def stay(self, script: str, until: str) -> list[str]:
        """Starts what stays; the lines that it prints up to one that holds `until`."""
        started = subprocess.Popen(
            ["bash", "-c", f"{self.begin}{self.here(script)}"],
            env=self.environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        self.staying.append(started)
        assert started.stdout is not None
        said: list[str] = []
        while not said or until not in said[-1]:
            said.append(started.stdout.readline())
            assert said[-1], said
        return said

    def close(self) -> None:
        for started in self.staying:
            os.killpg(started.pid, signal.SIGTERM)
            started.communicate(timeout=30)


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[Terminals]:
    opened = Terminals(tmp_path)
    yield opened
    opened.close()


def test_the_tutorial_can_be_followed_word_for_word(terminals: Terminals) -> None:
    page = {heading[:2].strip("."): found for heading, found in blocks("tutorial.md").items()}
    assert list(page) == ["# ", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]
    make, *rest = page["1"][0].splitlines()
    assert make.startswith("make setup ")
    terminals.begin += "\n".join(rest) + "\n"

    terminals.stay(page["2"][0], until="Ctrl-C stops it.")
    terminals.begin += page["2"][1]

    assert "8 created." in terminals.run(*page["3"])
    assert "8 unchanged." in terminals.run("heliograph apply my-site")
    terminals.run(*page["4"])
    terminals.stay(page["5"][0], until="heliograph serves.")
    sent = terminals.run(page["6"][0])
    alert = re.search(r"heliograph alerts show (\S+)`", sent)
    assert alert is not None, sent
    phones = Phones(terminals.here(f"http://{SANDBOX}"))
    assert phones.messages("7703101414")[0]["content"]["card"]["title"] == "Tap to Select Desired Action"
    record = terminals.run(page["6"][1].replace("ID", alert[1]))
    assert "flightdelay" in record and "The decision" in record

    _answered(terminals, phones, page["7"])

    template = terminals.home / "alerts" / "my-site" / "templates" / "flightdelay.toml"
    template.write_text(template.read_text().replace("Your flight to @City is delayed.", "@City: your flight is late."))
    told_changes = terminals.run(*page["8"])
    assert "0 warnings" in told_changes and "Kansas City: your flight is late." in told_changes
    assert "7 unchanged, 1 changed." in told_changes
    time.sleep(1)  # "within a second"
    terminals.run(page["6"][0])
    assert phones.messages("7703101414")[-1]["content"]["card"]["description"].startswith("Kansas City: your")

    dry, *_ = told_dry = terminals.run(page["9"][0]).split("POST ")[1:]
    assert len(told_dry) == 2 and "This was a dry run." in dry
    assert "The provider took the message on wa." in told_dry[1]
    assert [one["channel"] for one in phones.messages("7705550180")] == ["wa"]

    callback = re.search(r"https://alerts\.example\.com(/callbacks/\S+)", page["10"][0])
    assert callback is not None
    agents = {one["agent"]: one for one in phones.get("/sandbox/agents")["agents"]}
    assert agents["acme-air"]["webhook"].endswith(callback[1])  # the receipts above came in by the address on the page


def _answered(terminals: Terminals, phones: Phones, blocks: list[str]) -> None:
    """The section of the tutorial in which an agent answers, with its clicks as a browser makes them."""
    send, conversations, elsewhere = blocks
    password = re.search(r"^password\s+(\S+)$", terminals.run(send), re.M)
    assert password is not None
    sandbox = terminals.here(f"http://{SANDBOX}")
    scenes = in_console(
        terminals.here(f"http://{SERVER}"), sandbox,
        site="25508804", number="+17703101414", who="Matt", user="ada", password=password[1],
    )  # fmt: skip
    assert [(scene.name, scene.fault) for scene in scenes if scene.fault] == []
    list_, show = conversations.splitlines()
    id = re.search(r"[0-9a-f]{8}-[0-9a-f-]{27}", terminals.run(list_))
    assert id is not None
    told = terminals.run(show.replace(" ID", f" {id[0]}"))
    assert TAP in told and ANSWER in told
    terminals.run(elsewhere)
    account = "liveperson/12345678"
    scenes = at_desk(sandbox, desk="LivePerson", account=account, number="+17705550110", who="Jane")
    faults = {scene.name: scene.fault for scene in scenes if scene.fault}
    # This call says nothing of Jane beside her alert.
    assert faults == {"LivePerson context": f"it lacks {', '.join(BESIDE)}"}
    phones.post(f"/sandbox/desks/{account}/deeds", do="say", text=ANSWER)
    until(lambda: ANSWER in str(phones.messages("7705550110")))


def test_the_sandbox_page_can_be_followed(terminals: Terminals) -> None:
    page = blocks("how-to/sandbox.md")
    terminals.begin = f'cd "{terminals.home}"\n'
    start, *calls = page["In your CI"][0].split("# … your tests send …\n")
    terminals.stay(f"{start}\ncat sandbox.json; wait", until="sandbox_url")
    desks = terminals.run(*page["Desks: the agents' side"])
    assert '"desk":"chatwoot"' in desks and '"api_access_token"' in desks  # registered, with credentials that were made
    assert '"conversations":[]' in desks and desks.count("No conversation is open at this desk") == 2
    assert '"do":"garble"' in desks
    out = terminals.run(*calls, *page["Let it misbehave"])
    assert '"messages"' in out and '"creates"' in out and '"reset":true' in out
    phones = Phones(terminals.here(f"http://{SANDBOX}"))
    assert {rule["do"] for rule in phones.get("/sandbox/behaviour")["rules"]} == {
        "throttle",
        "silent",
        "fail_receipt",
        "refuse",
    }
    (terminals.home / "trouble.toml").write_text(blocks("how-to/sandbox.md", "toml")["Write the story down"][0])
    _, post = page["Write the story down"][0].splitlines()
    assert '"running":true' in terminals.run(post)
    assert [rule["do"] for rule in phones.get("/sandbox/behaviour")["rules"]] == ["error"]


def test_the_template_page_shows_a_template_without_a_fault(terminals: Terminals) -> None:
    sections = [text for texts in blocks("how-to/templates.md", "toml").values() for text in texts]
    *template, prices = sections
    toml = "\n".join(template)
    commands = _only(blocks("how-to/templates.md"))
    site = terminals.home / "my-site"
    terminals.begin = (
        f'cd "{terminals.home}"\ncp -r "{ROOT}/examples/acme-air" my-site\ncp gatechange.toml my-site/templates/\n'
    )
    (terminals.home / "gatechange.toml").write_text(toml)
    example = (ROOT / "examples" / "acme-air" / "site.toml").read_text()
    (terminals.home / "site.toml").write_text(example.partition("[prices]")[0] + prices)
    terminals.begin += "cp site.toml my-site/\n"
    out = terminals.run(commands)
    assert "Your flight to Kansas City now leaves from" in out
    assert "3 templates: no fault, 1 warning." in out  # Spanish has nothing for WhatsApp and SMS
    assert "kept by the provider as gate_change, en_US" in out
    assert "forced by Ł" in out
    assert (site / "templates" / "gatechange.toml").is_file()


def test_the_pages_for_operators_can_be_followed(terminals: Terminals) -> None:
    page = blocks("how-to/run.md")
    terminals.begin = f'cd "{terminals.home}"\nexport ACME_RBM_AGENT=acme-air ACME_RBM_KEY_FILE="$PWD/account.json"\n'
    terminals.stay("heliograph sandbox --data sandbox --sandbox-port 0", until="Ctrl-C stops it.")
    terminals.run(f'cp sandbox/acme-service-account.json account.json\nheliograph apply "{ROOT}/examples/acme-air"')
    create, rotate, disable = page["Keys"][0].splitlines()
    made = terminals.run(create.replace("SITE", "25508804"), "heliograph keys create 25508804 --no-token")
    keys = re.findall(r"^consumer_key\s+(\S+)$", made, re.M)
    assert len(keys) == 2 and made.count("token_secret") == 1
    terminals.run(*(line.replace("CONSUMER_KEY", keys[0]) for line in (rotate, disable)))
    assert "disabled" in terminals.run("heliograph keys list")
    terminals.run(page["Back up and upgrade"][0], "ls alerts-*.db", "heliograph doctor", "heliograph senders")


def _only(found: dict[str, list[str]]) -> str:
    (one,) = (text for texts in found.values() for text in texts)
    return one
