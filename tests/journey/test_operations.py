"""What operators do and what befalls them, from outside: changes by another process, stops, health, backups, a
database that is locked, a disk that is full. Whatever happens, an answer is true and nobody gets a message twice."""

from __future__ import annotations

import http.client
import json
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journey.caller import PATH, Caller, Said, speak
from journey.house import House, until
from journey.outside import PROGRAM, ROOT, Outside, free_port
from journey.sites import site

BUSY = 5.0  # seconds that the server waits for another process's write (store/engine_sqlite.py)
DEADLINE = 3.0
AWAY = "The database does not answer. Nothing was sent so far; call again soon, the same call is one alert."


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("operations")
    made = House(directory, {"HELIOGRAPH_CALL_DEADLINE": f"{DEADLINE:g}", "HELIOGRAPH_FAILED_CREDENTIALS": "10000"})
    site(directory / "sites", "fresh")
    try:
        made.open(directory / "sites", "fresh")
        yield made
    finally:
        made.close()


class Flow:
    """Calls that go on, one after the other in each of a few threads, each to a number of its own."""

    def __init__(self, caller: Caller, start: int, threads: int = 3) -> None:
        self.caller = caller
        self.said: list[tuple[float, str, Said]] = []  # when it was begun, to whom, the answer
        self.broken: list[tuple[float, str, Exception]] = []
        self.over = threading.Event()
        self._numbers = iter(range(start, start + 100_000))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._go) for _ in range(threads)]

    def _go(self) -> None:
        while not self.over.is_set():
            with self._lock:
                number = f"404{next(self._numbers)}"
            begun = time.monotonic()
            try:
                said = self.caller.to(number)
            except (OSError, http.client.HTTPException) as error:
                self.broken.append((begun, number, error))
                time.sleep(0.02)
            else:
                self.said.append((begun, number, said))

    def __enter__(self) -> Flow:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()


# ── changes made by another process ─────────────────────────────────────────────────────────────────────────────────


def test_a_key_that_is_disabled_while_calls_flow_is_refused_within_a_second(house: House) -> None:
    key = house.acme.key["consumer_key"]
    with Flow(house.acme, 2_000_000) as flow:
        until(lambda: len(flow.said) > 20)
        house.outside.run("keys", "disable", key)
        off = time.monotonic()
        time.sleep(1.6)
        house.outside.run("keys", "enable", key)
        on = time.monotonic()
        time.sleep(1.4)
    assert flow.broken == []
    late = {said.status for begun, _, said in flow.said if off + 1.0 < begun < off + 1.6}
    assert late == {401}
    refused = next(said for _, _, said in flow.said if said.status == 401)
    assert set(refused.json) == {"error"} and "disabled" in refused.json["error"]
    assert refused.headers["www-authenticate"].startswith("OAuth realm=")
    assert {said.status for begun, _, said in flow.said if begun > on + 1.0} == {200}
    assert {said.status for _, _, said in flow.said} == {200, 401}


def test_a_template_that_another_process_applies_is_used_within_a_second(house: House, tmp_path: Path) -> None:
    folder = tmp_path / "acme-air"
    shutil.copytree(ROOT / "examples" / "acme-air", folder)
    template = folder / "templates" / "flightdelay.toml"
    template.write_text(template.read_text().replace("Your flight to @City is delayed.", "@City waits for you."))
    with Flow(house.acme, 2_100_000) as flow:
        until(lambda: len(flow.said) > 20)
        assert "changed" in house.outside.run("apply", str(folder)).stdout
        applied = time.monotonic()
        time.sleep(1.3)
    assert flow.broken == [] and {said.status for _, _, said in flow.said} == {200}

    def text(said: Said) -> str:
        return str(said.json["response"]["contentMessage"]["richCard"]["standaloneCard"]["cardContent"]["description"])

    late = [text(said) for begun, _, said in flow.said if begun > applied + 1.0]
    assert late and all(one.startswith("Kansas City waits for you.") for one in late)
    assert "5 unchanged." in house.outside.run("apply", str(folder)).stdout
    house.outside.run("apply", str(ROOT / "examples" / "acme-air"))
    until(lambda: text(house.acme.to("4042199999", externalAlertId=...)).startswith("Your flight"), 2)


def test_a_new_key_is_taken_within_a_second_and_a_rotated_pair_both_work(house: House) -> None:
    made = json.loads(house.outside.run("keys", "create", "25508804", "--json").stdout)
    new = Caller(house.base_url, made, house.acme.request)
    until(lambda: new.to("4042200001").status == 200, 1.0)
    rotated = json.loads(house.outside.run("keys", "rotate", made["consumer_key"], "--json").stdout)
    newer = Caller(house.base_url, rotated, house.acme.request)
    until(lambda: newer.to("4042200002").status == 200, 1.0)
    assert new.to("4042200003").status == 200


# ── starting and stopping ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_stop_under_load_loses_no_answer(house: House) -> None:
    house.phones.behave("slow", seconds=0.4, share=0.5)
    with Flow(house.acme, 2_300_000, threads=12) as flow:
        until(lambda: len(flow.said) > 60)
        asked = time.monotonic()
        code = house.outside.stop()
        took = time.monotonic() - asked
        flow.over.set()
    house.phones.delete("/sandbox/behaviour")
    assert code == 0 and took < 10
    assert {said.status for _, _, said in flow.said} == {200}
    assert all(said.json["success"] is True for _, _, said in flow.said)
    # Nobody who called before the stop was left without an answer, and whoever found the door shut got no message.
    assert [error for begun, _, error in flow.broken if begun < asked - 0.05] == []
    for _, number, error in flow.broken:
        assert house.phones.messages(number) == [], error
    lines = [json.loads(line) for line in house.log().splitlines()]
    assert [line for line in lines if line["level"] in ("error", "critical")] == []
    assert "stopping" in {line["action"] for line in lines}
    house.outside.start()
    again = [house.acme.to(number) for _, number, _ in flow.said[-5:]]
    assert [said.alert for said in again] == [said.alert for _, _, said in flow.said[-5:]]


def test_a_nonce_is_remembered_over_a_crash(house: House) -> None:
    body = house.acme.body(externalAlertId="crash", customerPhoneNumber="4042400001")
    headers = house.acme.sign(body=body)
    assert speak(house.base_url, "POST", PATH, body, headers).status == 200
    wrong = house.acme.body(proactiveTemplate="no such")
    spent = house.acme.sign()  # no body hash: it would serve for any body
    assert speak(house.base_url, "POST", PATH, wrong, spent).status == 400
    house.outside.kill()
    house.outside.start()
    for header in (headers, spent):
        said = speak(house.base_url, "POST", PATH, body, header)
        assert (said.status, said.json) == (401, {"error": "Invalid Nonce - Nonce has been previously used"})
    assert len(house.phones.messages("4042400001")) == 1


def test_a_second_server_on_the_database_is_refused_with_a_sentence(house: House) -> None:
    environ = {**house.outside.environ, "HELIOGRAPH_PORT": "0"}
    second = subprocess.run([PROGRAM, "serve"], env=environ, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode not in (0, -9)
    assert "Another heliograph serves this database" in second.stderr and "Traceback" not in second.stderr
    assert house.acme.to("4042400002").status == 200


def test_a_port_in_use_is_named(house: House, tmp_path: Path) -> None:
    environ = {**house.outside.environ, "HELIOGRAPH_DATABASE_URL": f"sqlite:///{tmp_path}/other.db"}
    second = subprocess.run([PROGRAM, "serve"], env=environ, capture_output=True, text=True, timeout=20, check=False)
    assert second.returncode not in (0, -9)
    assert f":{house.outside.port}" in second.stderr and "Traceback" not in second.stderr


# ── health, metrics, logs ───────────────────────────────────────────────────────────────────────────────────────────


def test_health_and_readiness(house: House) -> None:
    assert house.get("/healthz").json == {"status": "alive"}
    ready = house.get("/readyz")
    assert ready.status == 200 and ready.json["status"] == "ready" and ready.json["store"] == "ok"
    assert (ready.json["senders"], ready.json["senders_not_open"], ready.json["senders_paused"]) == (2, 0, 0)
    assert speak(house.base_url, "HEAD", "/healthz").status == 200


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
def test_a_call_that_a_proxy_handed_on_sees_nothing_private(house: House, header: str) -> None:
    assert house.get("/metrics", {header: "127.0.0.1"}).status == 404
    assert house.get("/readyz", {header: "for=127.0.0.1"}).json == {"status": "ready"}


def test_metrics_count_calls_and_alerts(house: House) -> None:
    def counted(line: str) -> float:
        text = house.get("/metrics").raw.decode()
        return next((float(row.split()[-1]) for row in text.splitlines() if row.startswith(line)), 0.0)

    taken = 'heliograph_alerts_total{channel="rcs",outcome="taken"}'
    refused = 'heliograph_calls_total{route="/api/proactiveAlert",status="401"}'
    before = counted(taken), counted(refused)
    assert house.acme.to("4042500001").status == 200
    assert speak(house.base_url, "POST", PATH, b"{}", {"Content-Type": "application/json"}).status == 401
    assert (counted(taken), counted(refused)) == (before[0] + 1, before[1] + 1)


def test_the_log_is_json_and_names_the_alert(house: House) -> None:
    said = house.acme.to("4045550187")
    lines = until(
        lambda: [line for line in map(json.loads, house.log().splitlines()) if line.get("alert") == said.alert]
    )
    assert {"at", "level", "message", "action", "alert", "outcome", "code"} <= lines[0].keys()
    assert (lines[0]["outcome"], lines[0]["code"]) == ("failed", "invalid_message")


def test_a_private_port_keeps_private_pages_to_itself(tmp_path: Path) -> None:
    port = free_port()
    outside = Outside(tmp_path, {"HELIOGRAPH_PRIVATE_PORT": str(port)})
    try:
        outside.start()
        private = f"http://127.0.0.1:{port}"
        assert speak(outside.base_url, "GET", "/metrics").status == 404
        assert speak(outside.base_url, "GET", "/readyz").json == {"status": "ready"}
        assert speak(private, "GET", "/metrics").status == 200
        assert "version" in speak(private, "GET", "/readyz").json
        assert speak(private, "POST", PATH, b"{}").status == 404
        assert outside.stop() == 0
    finally:
        outside.close()


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the system has no such policy")
def test_the_servers_threads_do_not_interrupt_each_other(house: House) -> None:
    assert house.outside.server is not None
    threads = [int(path.name) for path in Path(f"/proc/{house.outside.server.pid}/task").iterdir()]
    assert len(threads) > 1
    assert {os.sched_getscheduler(thread) for thread in threads} == {os.SCHED_BATCH}


# ── the database ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_while_calls_flow_opens_and_holds_every_alert_answered_before(house: House, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with Flow(house.acme, 2_600_000) as flow:
        until(lambda: len(flow.said) > 50)
        before = {said.alert for _, _, said in list(flow.said)}
        told = json.loads(house.outside.run("db", "backup", str(copy), "--json").stdout)
        until(lambda: len(flow.said) > len(before) + 20)
    assert flow.broken == [] and {said.status for _, _, said in flow.said} == {200}
    assert told["bytes"] == copy.stat().st_size
    url = f"sqlite:///{copy}"
    assert sqlite3.connect(copy).execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert before <= set(_all_alerts(house, url))
    one = house.outside.run("alerts", "show", min(before), "--json", "--database-url", url)
    assert json.loads(one.stdout)["alert"]["id"] == min(before)
    over = house.outside.run("db", "backup", str(copy), check=False)
    assert over.returncode != 0 and "overwrites nothing" in over.stderr


def _all_alerts(house: House, url: str) -> Iterator[str]:
    """Every alert's id, page by page, as a person would read on."""
    page, before = [""], ""
    while page:
        asked = ("alerts", "list", "--limit", "1000", "--json", "--database-url", url, "--before", before)
        page = [row["id"] for row in json.loads(house.outside.run(*asked).stdout)]
        yield from page
        before = page[-1] if page else ""


@contextmanager
def locked(house: House) -> Iterator[Callable[[], None]]:
    """Another process's write that does not end; call what is given to end it."""
    other = sqlite3.connect(house.outside.directory / "journey.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def free() -> None:
        if other.in_transaction:
            other.execute("ROLLBACK")

    try:
        yield free
    finally:
        free()
        other.close()


def test_a_database_that_is_away_is_a_503_and_nothing_is_sent_and_then_it_recovers(house: House) -> None:
    body = house.acme.body(externalAlertId="locked", customerPhoneNumber="4042700001")
    headers = house.acme.sign(body=body)
    with locked(house) as free, ThreadPoolExecutor(4) as pool:
        calls = [
            pool.submit(speak, house.base_url, "POST", PATH, body, headers),
            pool.submit(house.acme.to, "4042700002"),
            pool.submit(house.acme.to, "4042700003", proactiveTemplate="no such"),  # a refusal spends a nonce, too
        ]
        time.sleep(1)
        assert house.get("/healthz").status == 200
        for call in calls:
            said = call.result()
            assert (said.status, said.json) == (503, {"success": False, "error": AWAY})
            assert int(said.headers["retry-after"]) > 0
        assert house.phones.messages("4042700001") == house.phones.messages("4042700002") == []
        free()
    # The nonce is unspent, so the very same call may come again.
    assert speak(house.base_url, "POST", PATH, body, headers).status == 200
    assert speak(house.base_url, "POST", PATH, body, headers).status == 401
    assert house.acme.to("4042700003", proactiveTemplate="no such").status == 400
    assert len(house.phones.messages("4042700001")) == 1
    assert house.phones.messages("4042700002") == []


def test_what_was_taken_while_the_database_is_away_is_told_and_settled(house: House) -> None:
    """Accepted, then the outcome and the receipts cannot be written: the answer is the truth, the record follows."""
    number = "4042710001"
    house.phones.behave("slow", match={"number": f"+1{number}"}, seconds=1.0)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(house.acme.to, number)
        until(lambda: house.phones.messages(number))
        with locked(house):
            said = call.result()
    house.phones.delete("/sandbox/behaviour")
    assert said.json["success"] is True
    record = house.until_state(said.alert, "read", 20)
    assert len(record["attempts"]) == 1 and len(house.phones.messages(number)) == 1
    assert house.acme.to(number).alert == said.alert


def test_a_database_that_goes_away_between_acceptance_and_hand_over(house: House) -> None:
    """The alert is on disk, its medium is on its way to the provider, and the database stops: after a 5xx nothing may
    be sent unless the caller repeats."""
    number, caller = "4042720001", house.callers["fresh"]
    house.phones.behave("slow", match={"call": "files"}, seconds=1.0, times=1)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.to, number)
        time.sleep(0.5)  # accepted long since; the answer to the upload comes in half a second
        with locked(house):
            said = call.result()
    house.phones.delete("/sandbox/behaviour")
    time.sleep(DEADLINE + BUSY + 2)  # whoever holds the attempt's lease is called dead by now
    messages = house.phones.messages(number)
    if said.status >= 500:
        assert messages == [], "told that nothing was sent, and it was sent later"
    else:
        assert len(messages) <= 1
        assert (said.json["success"] is True) == (len(messages) == 1) or said.failure["code"] == "in_doubt"
    assert caller.to(number).status == 200
    assert len(house.phones.messages(number)) == 1


def test_a_full_disk_is_a_503_and_then_it_recovers(house: House) -> None:
    """No file of the server may grow any more, as on a full disk."""
    assert house.outside.server is not None
    pid = house.outside.server.pid
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (house.outside.log.stat().st_size + 4096, hard))
    try:
        said = [house.acme.to(f"40428{n:05d}") for n in range(3)]
        assert {one.status for one in said} == {503}
        assert all(int(one.headers["retry-after"]) > 0 and one.json["error"] == AWAY for one in said)
        assert house.get("/healthz").status == 200
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    assert [house.phones.messages(f"40428{n:05d}") for n in range(3)] == [[], [], []]
    after: list[Any] = [house.acme.to(f"40428{n:05d}") for n in range(3)]
    assert {one.status for one in after} == {200}
    assert [len(house.phones.messages(f"40428{n:05d}")) for n in range(3)] == [1, 1, 1]


def test_after_all_this_the_server_stops_well_and_its_database_is_sound(house: House) -> None:
    assert house.acme.to("4042900001").status == 200
    assert house.outside.stop() == 0
    found = sqlite3.connect(house.outside.directory / "journey.db").execute("PRAGMA integrity_check").fetchone()
    assert found == ("ok",)
    house.outside.start()
