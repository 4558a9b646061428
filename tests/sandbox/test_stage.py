"""The stage: one sender at every provider that is installed, credentials that stay, and `heliograph sandbox`."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from heliograph import plugs
from heliograph.cast import CAST, DESKS
from heliograph.cli.say import NotUnderstood
from heliograph.cli.stage_shown import webhooks
from heliograph.errors import SetupError
from heliograph.stage import Stage, set_stage

SERVER = "http://127.0.0.1:8080"
PROGRAM = str(Path(sys.executable).with_name("heliograph"))
RBM = CAST[0]


async def test_every_provider_has_a_sender_with_all_that_the_example_asks_for(tmp_path: Path) -> None:
    stage = await set_stage(tmp_path, host="127.0.0.1", port=0)
    try:
        assert {played.role.provider for played in stage.cast} == set(plugs.twins())
        assert all(stage.variables.values()), stage.variables
        examples = Path(__file__).parents[2] / "examples"
        sites = "".join((examples / name / "site.toml").read_text() for name in ("acme-air", "acme-air-liveperson"))
        asked = set(re.findall(r"\$\{(ACME_\w+)", sites)) - {"ACME_RBM_TOKEN_URL"}
        played = {name.split("_")[1] for name in stage.variables}
        assert set(stage.variables) == {name for name in asked if name.split("_")[1] in played}
    finally:
        await stage.sandbox.stop()
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "acme-service-account.json": 0o600,
        "acme-webhook-token": 0o600,
        "acme-credentials.json": 0o600,
        "variables.sh": 0o600,
    }


def test_a_shell_reads_the_variables_as_they_are(tmp_path: Path) -> None:
    async def set_and_end() -> Stage:
        stage = await set_stage(tmp_path / "a folder's", host="127.0.0.1", port=0)
        await stage.sandbox.stop()
        return stage

    stage = asyncio.run(set_and_end())
    read = subprocess.run(
        ["bash", "-c", '. "$1" && env', "bash", str(stage.variables_file)],
        env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = dict(line.split("=", 1) for line in read.stdout.splitlines())
    assert stage.variables and {name: found.get(name) for name in stage.variables} == stage.variables


async def test_a_second_start_has_the_same_credentials(tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        stage = await set_stage(tmp_path, host="127.0.0.1", port=0)
        seen.append([played.known.credentials for played in stage.cast])
        await stage.sandbox.stop()
    assert seen[0] == seen[1]


async def test_events_go_where_they_are_wanted(tmp_path: Path) -> None:
    stage = await set_stage(tmp_path, host="127.0.0.1", port=0, webhook=lambda role: f"http://127.0.0.1:9/{role.id}")
    world = stage.sandbox.world
    try:
        found = {sender.id: sender.webhook for sender in world.senders.values()}
        assert found["acme-air"] == "http://127.0.0.1:9/acme-air"
        stage.speak_to(SERVER)
        found = {sender.id: sender.webhook for sender in world.senders.values()}
        assert found["acme-air"] == f"{SERVER}/callbacks/rcs/google-rbm/25508804/acme-rcs"
        assert found["acme-care"] == f"{SERVER}/callbacks/rcs/google-rbm/25508805/care-rcs"
        assert found.get("acme", "") == ""  # the SMS centre's: told over its line
        desks = {(desk.desk, desk.webhook) for desk in world.accounts_at_desks.values()}
        assert desks == {(role.desk, role.callback(SERVER)) for role in DESKS if role.desk in plugs.desk_twins()}
    finally:
        await stage.sandbox.stop()


async def test_one_provider_may_play_alone(tmp_path: Path) -> None:
    stage = await set_stage(tmp_path, host="127.0.0.1", port=0, providers=["google-rbm"])
    assert {played.role.provider for played in stage.cast} == set(stage.sandbox.world.twins) == {"google-rbm"}
    assert not stage.desks and not stage.sandbox.world.desk_twins
    await stage.sandbox.stop()
    with pytest.raises(SetupError, match="pigeon"):
        await set_stage(tmp_path, host="127.0.0.1", port=0, providers=["pigeon"])


async def test_a_file_of_credentials_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "acme-credentials.json").write_text("{")
    with pytest.raises(SetupError, match=r"acme-credentials\.json"):
        await set_stage(tmp_path, host="127.0.0.1", port=0)


def test_webhooks_are_told_for_all_or_for_one() -> None:
    assert webhooks([], SERVER)(RBM) == f"{SERVER}/callbacks/rcs/google-rbm/25508804/acme-rcs"
    assert webhooks(["http://127.0.0.1:9/in?a=b"], SERVER)(RBM) == "http://127.0.0.1:9/in?a=b"
    mixed = webhooks(["http://127.0.0.1:9/all", "google-rbm=http://127.0.0.1:9/rbm"], SERVER)
    assert [mixed(role).rpartition("/")[2] for role in CAST] == ["rbm", "rbm", "all", "all", "all"]
    with pytest.raises(NotUnderstood, match="pigeon"):
        webhooks(["pigeon=http://127.0.0.1:9/"], SERVER)


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "ACME_"))}
    command = [PROGRAM, "sandbox", "--data", str(folder / "data"), "--sandbox-port", "0", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=plain, cwd=folder)


def test_the_command_tells_programs_who_plays_and_runs_the_scenario(tmp_path: Path) -> None:
    (tmp_path / "story.toml").write_text('seed = 5\n[[rule]]\ndo = "error"\n')
    words = ("--json", "--scenario", "story.toml", "--seed", "9", "--provider", "google-rbm")
    running = start(tmp_path, *words, "--webhook", "http://127.0.0.1:9/in")
    try:
        assert running.stdout is not None
        told = json.loads(running.stdout.readline())
        sender, care = told["senders"]
        assert (care["sender"], told["desks"]) == ("acme-care", [])
        assert (sender["provider"], sender["webhook"]) == ("google-rbm", "http://127.0.0.1:9/in")
        assert sender["base_url"] == told["sandbox_url"]
        assert {**sender["variables"], **care["variables"]} == told["variables"]
        with urlopen(f"{told['sandbox_url']}/sandbox/scenario", timeout=5) as answer:
            assert json.load(answer)["seed"] == 9
        with urlopen(f"{told['sandbox_url']}/sandbox/behaviour", timeout=5) as answer:
            assert [rule["do"] for rule in json.load(answer)["rules"]] == ["error"]
    finally:
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=20)
    assert (running.returncode, said) == (0, "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--scenario", "none.toml"), "none.toml cannot be read"),
        (("--scenario", "story.toml"), "story.toml"),
        (("--provider", "pigeon"), "does not play pigeon"),
        (("--webhook", "pigeon=http://127.0.0.1:9/"), "pigeon is not a provider"),
    ],
)
def test_what_the_command_cannot_do_it_says(tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    (tmp_path / "story.toml").write_text("[[rule]]\ndo = 'explode'\n")
    running = start(tmp_path, *words)
    _, said = running.communicate(timeout=20)
    assert running.returncode not in (0, None)
    assert says in said
