"""`heliograph webhooks`: what stands in the tables, what is done, and the receiver on a port of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import heliograph.store
from heliograph import cli
from heliograph.core.optout import OptOut
from heliograph.core.site import Site
from heliograph.core.standard_webhooks import new_secret, sign
from heliograph.core.webhook import Webhook
from journey.caller import speak

SITE = "25508804"
URL = "https://crm.acme.example/h?key=hush"


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A site with a webhook, and three events: one that waits, two that were given up."""
    path = tmp_path / "told.db"
    monkeypatch.setenv("HELIOGRAPH_DATABASE_URL", f"sqlite:///{path}")

    async def fill() -> None:
        store = await heliograph.store.open(f"sqlite:///{path}", migrate=True)
        await store.put_site(Site(id=SITE))
        await store.put_webhook(Webhook(site=SITE, url=URL, secrets=("sealed:x",)))
        now = time.time_ns() // 1_000_000
        await store.put_opt_outs(tuple(OptOut(site=SITE, recipient=f"+1202555010{n}", at=1) for n in range(3)))
        for event in (await store.events(SITE, state="waiting"))[:2]:
            await store.event_failed(event, "it answered 500", now)
            await store.event_given_up(event, "it answered 500", now)
        await store.close()

    asyncio.run(fill())
    return path


Run = Callable[..., Any]


@pytest.fixture
def run(database: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def made(*words: str, code: int = 0) -> Any:
        assert cli.run(["webhooks", *words, "--json"]) == code
        told = capsys.readouterr()
        return json.loads(told.out or told.err)

    return made


def test_lists_without_secrets_and_tokens(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    [one] = run("list")
    assert (one["site"], one["state"], one["waiting"], one["failed"]) == (SITE, "running", 1, 2)
    assert one["url"] == "https://crm.acme.example/h?…"
    assert cli.run(["webhooks", "list"]) == 0
    shown = capsys.readouterr().out
    assert "hush" not in shown and "sealed" not in shown and "running" in shown


def test_what_was_given_up_is_shown_and_posted_again(run: Run) -> None:
    failed = run("failed")
    assert [(one["type"], one["why"], one["tries"]) for one in failed] == [("opt_out.added", "it answered 500", 1)] * 2
    assert not any("202555" in json.dumps(one) for one in failed), "no number in what is printed"
    assert run("replay", SITE, failed[0]["id"]) == {"site": SITE, "again": 1}
    assert run("replay", SITE, "--since", "24") == {"site": SITE, "again": 1}
    assert run("failed") == [] and len(run("failed", "--waiting")) == 3
    assert run("replay", SITE, code=2)["code"] == "usage"
    assert run("replay", "99", "msg_x_1", code=1)["code"] == "no_webhook"


def test_enabled_by_an_operator(run: Run, database: Path) -> None:
    async def disable() -> None:
        store = await heliograph.store.open(f"sqlite:///{database}", migrate=False)
        await store.switch_webhook(SITE, URL, "it answered 410")
        await store.close()

    asyncio.run(disable())
    assert run("list")[0]["state"] == "disabled"
    assert run("enable", SITE)["changed"] is True
    assert run("enable", SITE)["changed"] is False
    assert run("list")[0]["state"] == "running"


def test_the_doctor_names_what_is_late(
    run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def found() -> Any:
        cli.run(["doctor", "--json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        return next(one for one in findings if one["check"] == f"webhook of {SITE}")

    assert "given up within eight days: 2" in found()["found"]
    later = time.time_ns() // 1_000_000 + 3_600_000
    monkeypatch.setattr("heliograph.cli.given.now", lambda: later)
    assert found()["state"] == "warning" and "events that wait: 1, the oldest for" in found()["found"]


def test_the_receiver_verifies_and_prints(tmp_path: Path) -> None:
    secret = new_secret(os.urandom(24))
    words = [str(Path(sys.executable).with_name("heliograph")), "webhooks", "listen", "--port", "0", "--json"]
    program = subprocess.Popen(
        [*words, "--secret", secret, "--answer", "503"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        assert program.stdout is not None
        url = json.loads(program.stdout.readline())["url"]
        body = msgspec.json.encode({"type": "alert.sent", "data": {"alertId": "a"}})
        good = sign("msg_a_1", int(time.time()), body, (secret,))
        old = sign("msg_a_2", int(time.time()) - 3600, body, (secret,))
        assert speak(url, "POST", "/", body, good).status == 503
        assert speak(url, "POST", "/", body + b" ", good).status == 401
        assert speak(url, "POST", "/", body, old).status == 401
        told = [json.loads(program.stdout.readline()) for _ in range(3)]
        assert [(one["id"], bool(one["fault"])) for one in told] == [
            ("msg_a_1", False),
            ("msg_a_1", True),
            ("msg_a_2", True),
        ]
        program.send_signal(signal.SIGINT)
        assert program.wait(10) == 130
    finally:
        program.kill()
        program.wait()
