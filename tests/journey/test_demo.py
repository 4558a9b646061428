"""`heliograph demo` from outside: what it prints, what it leaves, how it ends, and that any client can try it."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from journey.caller import Caller, Phones, speak
from journey.demonstration import PLAIN, Demonstration, told_at_once
from journey.outside import PROGRAM, ROOT, free_port

EXAMPLE = (ROOT / "examples" / "acme-air" / "request.json").read_text()
# The answer that the API's page documents, field for field. Its name, time and file differ from call to call.
DOCUMENTED = {
    "success": True,
    "response": {
        "name": re.compile(r"phones/\+17703101414/agentMessages/[0-9a-f-]{36}"),
        "sendTime": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"),
        "contentMessage": {
            "richCard": {
                "standaloneCard": {
                    "cardOrientation": "VERTICAL",
                    "thumbnailImageAlignment": "RIGHT",
                    "cardContent": {
                        "title": "Tap to Select Desired Action",
                        "media": {"fileName": re.compile(r"files/\w+"), "height": "TALL"},
                        "suggestions": [
                            {"reply": {"text": "See Menu of Functions", "postbackData": "postback_data_Menu"}},
                            {"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}},
                        ],
                    },
                }
            }
        },
    },
}


def differences(expected: Any, found: Any, at: str = "answer") -> list[str]:
    """Where `found` lacks a documented field, or has another type or value."""
    match expected:
        case re.Pattern():
            return [] if isinstance(found, str) and expected.fullmatch(found) else [f"{at}: {found!r}"]
        case dict():
            if not isinstance(found, dict):
                return [f"{at}: {found!r} is no object"]
            return [
                one
                for name, value in expected.items()
                for one in (
                    differences(value, found[name], f"{at}.{name}") if name in found else [f"{at}.{name} lacks"]
                )
            ]
        case list():
            if not isinstance(found, list) or len(found) != len(expected):
                return [f"{at}: {found!r}"]
            return [
                one
                for n, pair in enumerate(zip(expected, found, strict=True))
                for one in differences(*pair, f"{at}[{n}]")
            ]
        case _:
            return [] if type(expected) is type(found) and expected == found else [f"{at}: {found!r}"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """One that stays for the tests that only look at it."""
    running = Demonstration(tmp_path_factory.mktemp("demo"))
    yield running
    code, errors = running.end()
    assert (code, errors) == (0, "")


def test_it_prints_the_call_word_for_word_and_the_documented_answer(tmp_path: Path) -> None:
    done = told_at_once(tmp_path, "--exit")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^POST http://127\.0\.0\.1:\d+/api/proactiveAlert$", done.stdout, re.M)
    assert EXAMPLE.rstrip() in done.stdout
    answer = re.search(r"^200 in \d+ ms\n(\{.*?^\})", done.stdout, re.M | re.S)
    assert answer is not None, done.stdout
    assert differences(DOCUMENTED, json.loads(answer[1])) == []
    told = done.stdout.partition("seen from outside:\n\n")[2]
    assert told.endswith("\n\nAll of it is right.\n")
    assert "beside it Sky Miles 1234567890 and T-Shirt Size Large" in told
    assert "the agent's answer is on Matt's phone" in told and "the answer from LivePerson is on Jane's phone" in told
    assert all(line.startswith("  ✓ ") and len(line) < 100 for line in told.splitlines()[:-2])
    assert "\x1b" not in done.stdout


def test_for_programs_it_tells_addresses_and_key_then_the_call(demo: Demonstration) -> None:
    assert set(demo.told) >= {
        "base_url", "sandbox_url", "docs_url", "inbox_url", "desk_url", "user", "password", "site",
        "consumer_key", "consumer_secret", "token", "token_secret",
    }  # fmt: skip
    assert demo.told["site"] == "25508804"
    assert all(isinstance(value, str) and value for value in demo.told.values())
    assert demo.call["request"] == {
        "method": "POST", "url": f"{demo.base_url}/api/proactiveAlert", "body": json.loads(EXAMPLE)
    }  # fmt: skip
    assert demo.call["status"] == 200
    assert differences(DOCUMENTED, demo.call["answer"]) == []
    assert demo.call["headers"]["heliograph-channel"] == "rcs"
    assert speak(demo.told["docs_url"], "GET", "/docs").status == 200
    assert speak(demo.sandbox_url, "GET", "/").status == 200


def test_any_client_can_be_tried_against_it(demo: Demonstration) -> None:
    caller = Caller(demo.base_url, demo.told, json.loads(EXAMPLE))
    said = caller.send(EXAMPLE.encode())
    assert said.status == 200 and said.headers["content-type"] == "application/json"
    assert said.headers["idempotent-replayed"] == "true"  # the demo sent this very call before
    assert differences(DOCUMENTED, said.json) == []
    fresh = caller.alert(externalAlertId="a call of one's own")
    assert fresh.status == 200 and "idempotent-replayed" not in fresh.headers
    assert differences(DOCUMENTED, fresh.json) == []
    card = fresh.json["response"]["contentMessage"]["richCard"]["standaloneCard"]["cardContent"]
    assert card["description"] == "Your flight to Kansas City is delayed. It now leaves at 7:35 pm from gate C35."
    messages = Phones(demo.sandbox_url).messages("7703101414")
    assert [f"phones/+17703101414/agentMessages/{one['id']}" for one in messages] == [
        demo.call["answer"]["response"]["name"], fresh.json["response"]["name"]
    ]  # fmt: skip


def test_every_file_it_leaves_is_its_owners_alone(demo: Demonstration) -> None:
    data = demo.directory / "heliograph-demo"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
    secret = {"heliograph.db.secret-key", "key.json", "care-key.json", "acme-service-account.json", "variables.sh"}
    assert {"heliograph.db", "heliograph.log", *secret} <= set(modes)
    assert {name: oct(mode) for name, mode in modes.items() if mode != 0o600} == {}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    key = json.loads((data / "key.json").read_text())
    assert key == {name: demo.told[name] for name in key} and len(key) == 5


def test_it_listens_on_loopback_alone(demo: Demonstration) -> None:
    theirs = set()
    for link in Path(f"/proc/{demo.process.pid}/fd").iterdir():
        try:
            theirs.add(os.readlink(link))
        except FileNotFoundError:
            continue  # closed since
    listening = []
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/{demo.process.pid}/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = row.split()
            if state == "0A" and f"socket:[{rest[5]}]" in theirs:
                listening.append(local)
    ports = {int(url.rpartition(":")[2]) for url in (demo.base_url, demo.sandbox_url)}
    assert {f"0100007F:{port:04X}" for port in ports} < set(listening)
    # The third is the SMS centre's, which has no URL.
    assert len(listening) == 3 and all(place.startswith("0100007F:") for place in listening)


def test_two_run_side_by_side_and_not_in_one_folder(demo: Demonstration, tmp_path: Path) -> None:
    other = Demonstration(tmp_path)
    try:
        assert {other.base_url, other.sandbox_url}.isdisjoint({demo.base_url, demo.sandbox_url})
        assert len(Phones(other.sandbox_url).messages("7703101414")) == 1
        theirs = Caller(demo.base_url, {**demo.told}, json.loads(EXAMPLE))
        theirs.key = other.told
        assert theirs.alert().status == 401  # each has a key of its own
        third = told_at_once(tmp_path, "--exit")
        assert third.returncode == 1 and third.stdout == ""
        folder = tmp_path / "heliograph-demo"
        assert third.stderr == (f"error: Another demo runs in {folder}. Stop it, or name another folder with --data.\n")
        assert Caller(other.base_url, other.told, json.loads(EXAMPLE)).alert().status == 200  # unharmed
    finally:
        assert other.end() == (0, "")


def test_ports_and_folder_are_honoured_and_a_repeat_is_fresh(tmp_path: Path) -> None:
    port, sandbox_port, data = free_port(), free_port(), tmp_path / "a b%20c"
    words = ("--port", str(port), "--sandbox-port", str(sandbox_port), "--data", str(data))
    keys = []
    for how in (signal.SIGTERM, signal.SIGINT):
        running = Demonstration(tmp_path, *words)
        assert running.base_url == f"http://127.0.0.1:{port}"
        assert running.sandbox_url == f"http://127.0.0.1:{sandbox_port}"
        assert "idempotent-replayed" not in running.call["headers"]
        assert len(Phones(running.sandbox_url).messages("7703101414")) == 1
        assert (data / "heliograph.db").is_file()
        keys.append((running.told["consumer_key"], (data / "heliograph.db.secret-key").read_text()))
        assert running.end(how) == (0, "")
    assert len({part for key in keys for part in key}) == 4


@pytest.mark.parametrize(("how", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_while_it_starts_ends_it_without_a_traceback(tmp_path: Path, how: signal.Signals, code: int) -> None:
    with subprocess.Popen(
        [PROGRAM, "demo", "--port", "0", "--sandbox-port", "0"],
        cwd=tmp_path, env=PLAIN, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as starting:  # fmt: skip
        end = time.monotonic() + 30
        begun = tmp_path / "heliograph-demo" / "heliograph.db.secret-key"
        while not begun.exists():  # and it does not serve yet
            assert time.monotonic() < end
            time.sleep(0.005)
        starting.send_signal(how)
        out, errors = starting.communicate(timeout=30)
    assert (starting.returncode, errors) == (code, "")
    assert "Ctrl-C stops it." not in out
    assert told_at_once(tmp_path, "--exit").returncode == 0  # and the folder can be used again


def test_a_wrong_handset_is_told_with_status_1(tmp_path: Path) -> None:
    sandbox_port = free_port()
    with subprocess.Popen(
        [PROGRAM, "demo", "--exit", "--json", "--port", "0", "--sandbox-port", str(sandbox_port)],
        cwd=tmp_path, env=PLAIN, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as running:  # fmt: skip
        phones = Phones(f"http://127.0.0.1:{sandbox_port}")
        end = time.monotonic() + 30
        while True:  # the sandbox answers some tenths of a second before the call is made
            try:
                phones.does("7703101414", has_rcs=False)
                break
            except OSError:
                assert time.monotonic() < end
                time.sleep(0.005)
        out, errors = running.communicate(timeout=30)
    told = [json.loads(line) for line in out.splitlines()]
    assert (running.returncode, errors) == (1, "")
    assert told[1]["status"] == 200
    assert told[1]["headers"]["heliograph-channel"] == "wa", "who has no RCS is told by WhatsApp"
    assert told[2]["right"] is False and {"answer", "handset"} <= set(told[2]["faults"])
    assert told[2]["checked"] == ["answer", "handset", "record"], "what would fail for the same reason is left out"


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--port", "{taken}"), 1, "The server cannot listen on 127.0.0.1:{taken}: Address already in use."),
        (("--sandbox-port", "{taken}"), 1, "The sandbox cannot listen on 127.0.0.1:{taken}: Address already in use."),
        (("--data", "{full}"), 1, "{full} has files that are not the demo's. Name another folder with --data."),
        (("--data", "{full}/mine"), 1, "{full}/mine cannot be used: File exists. Name another folder with --data."),
        (("--port", "80000"), 2, 'Invalid value "80000" for --port. Must be <= 65535.'),
        (("elsewhere",), 2, "elsewhere is too much here. `heliograph demo --help` shows how."),
    ],
)
def test_a_usual_mistake_gets_its_sentence(
    demo: Demonstration, tmp_path: Path, words: tuple[str, ...], code: int, says: str
) -> None:
    (tmp_path / "mine").write_text("a letter")
    facts = {"taken": demo.base_url.rpartition(":")[2], "full": str(tmp_path)}
    done = told_at_once(tmp_path, "--exit", *(word.format(**facts) for word in words))
    assert done.returncode == code
    assert done.stderr.startswith(f"error: {says.format(**facts)}"), done.stderr
    assert done.stdout == "" and "Traceback" not in done.stderr
    assert (tmp_path / "mine").read_text() == "a letter"


def test_what_it_says_to_try_can_be_tried_as_printed(tmp_path: Path) -> None:
    """The lines for another terminal, pasted into a shell whose PATH does not know the program."""
    port, sandbox_port = free_port(), free_port()
    with subprocess.Popen(
        [PROGRAM, "demo", "--port", str(port), "--sandbox-port", str(sandbox_port)],
        cwd=tmp_path, env={**PLAIN, "PATH": "/usr/bin:/bin"}, text=True, stdout=subprocess.PIPE,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        said = []
        while "Ctrl-C stops it.\n" not in said:
            said.append(running.stdout.readline())
            assert said[-1], said
        begin = said.index("Try it yourself, in another terminal:\n") + 1
        script = "".join(said[begin : said.index("\n", begin)])
        shell = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
        tried = subprocess.run(
            ["bash", "-e", "-c", script], env=shell, cwd="/", capture_output=True, text=True, check=False
        )
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
    assert (tried.returncode, tried.stderr) == (0, "")
    assert "Toque para elegir una opción" in tried.stdout
    assert tried.stdout.count("flightdelay") >= 3  # two rows of the list, and the record
    assert "The decision" in tried.stdout
