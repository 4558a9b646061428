"""One figure: what a receipt costs, from a provider's signed callback to the commit and the answer.

    .venv/bin/python benchmarks/receipts.py --alerts 4000 --rounds 3

Alerts are sent first. Then Google's DELIVERED and READ of each come in, one event in a callback, signed as Google
signs them, over 64 connections: first by themselves, then while alerts flow. The server stands on core 0, load and
provider on core 1. CPU time of the server's process per receipt is what counts; an answer leaves only when its receipt
is on disk.
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from heliograph.core.alert import attempt_id
from sync_alert import HERE, cpu_seconds, end, heliograph, load, measured, pinned, requests_for

TOKEN = b"bench-webhook-token"
PATH = "/callbacks/rcs/google-rbm/25508804/acme-rcs"
EVENTS = ("DELIVERED", "READ")


def callback(port: int, attempt: str, number: str, kind: str, event: str) -> tuple[str, str]:
    """One push of Google's: a head and a body."""
    data = json.dumps(
        {
            "senderPhoneNumber": number,
            "eventType": kind,
            "eventId": event,
            "messageId": attempt,
            "sendTime": "2026-11-25T14:00:00.000Z",
            "agentId": "bench@rbm.goog",
        }
    ).encode()
    attributes = {"message_type": "EVENT", "event_type": kind, "business_id": "bench@rbm.goog"}
    body = json.dumps(
        {
            "message": {"attributes": attributes, "data": base64.b64encode(data).decode(), "messageId": event},
            "subscription": "projects/rbm/subscriptions/bench",
        }
    )
    signature = base64.b64encode(hmac.digest(TOKEN, data, "sha512")).decode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Goog-Signature: {signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head, body


def sent(directory: str) -> list[tuple[str, str]]:
    """Id of the first attempt and recipient of every alert that was sent and not heard of."""
    file = sqlite3.connect(f"file:{directory}/bench.db?mode=ro", uri=True)
    rows = file.execute("SELECT id, recipient FROM alerts WHERE state = 'sent'").fetchall()
    file.close()
    return [(attempt_id(alert, 1), number) for alert, number in rows]


def receipts(port: int, of: list[tuple[str, str]], mark: str) -> list[tuple[str, str]]:
    """Each attempt's events in their order, the attempts shuffled: receipts do not come as messages left."""
    random.Random(mark).shuffle(of)
    return [
        callback(port, attempt, number, kind, f"{mark}-{n}-{kind}")
        for start in range(0, len(of), 500)
        for kind in EVENTS
        for n, (attempt, number) in enumerate(of[start : start + 500], start)
    ]


def while_alerts_flow(
    server: subprocess.Popen[str], port: int, posted: Any, calls: Any, connections: int, directory: str
) -> dict[str, Any]:
    """Receipts beside alerts, each from a load of its own on core 1."""
    path = Path(directory) / "alerts.json"
    path.write_text(json.dumps(calls))
    words = [sys.executable, str(HERE / "load.py"), str(port), str(path), "8"]
    before = cpu_seconds(server.pid)
    beside = pinned(1, words, stdout=subprocess.PIPE)
    found = load(port, posted, connections, directory)
    out, _ = beside.communicate()
    found["alerts"] = json.loads(out)
    found["cpu_seconds"] = cpu_seconds(server.pid) - before
    return found


def told(name: str, found: list[dict[str, Any]]) -> str:
    rate, p50, p99 = (median(one[what] for one in found) for what in ("per_second", "p50_ms", "p99_ms"))
    statuses, lost = found[-1]["statuses"], found[-1]["lost"]
    return f"{name:<18} {rate:6.0f}/s, p50 {p50:5.1f} ms, p99 {p99:5.1f} ms, statuses {statuses}, lost {lost}"


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--alerts", type=int, default=4000, help="alerts in a round; each has two receipts")
    read.add_argument("--rounds", type=int, default=3)
    read.add_argument("--connections", type=int, default=64)
    given = read.parse_args()
    base = json.loads((HERE.parent / "examples" / "acme-air" / "request.json").read_text())
    alone: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as directory:
        stub = pinned(1, [sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE)
        assert stub.stdout is not None
        server, port, key = heliograph(directory, int(stub.stdout.readline()))
        try:
            for n in range(given.rounds):
                calls = requests_for(port, given.alerts, key, base, f"alone-{n}")
                load(port, calls, given.connections, directory)
                posted = receipts(port, sent(directory), f"alone-{n}")
                alone.append(measured(server, port, posted, given.connections, directory))
                calls = requests_for(port, given.alerts, key, base, f"before-{n}")
                load(port, calls, given.connections, directory)
                posted = receipts(port, sent(directory), f"beside-{n}")
                flowing = requests_for(port, given.alerts // 4, key, base, f"beside-{n}")
                beside.append(while_alerts_flow(server, port, posted, flowing, given.connections, directory))
                print(f"round {n + 1}: {alone[-1]['cpu_us']:.0f} us a receipt", file=sys.stderr)
            left = sent(directory)
        finally:
            end(server)
            stub.kill()
    cpu = median(one["cpu_us"] for one in alone)
    print(f"CPU {cpu:.0f} us per receipt: {1e6 / cpu:.0f}/s on one core (rounds: "
          + ", ".join(f"{one['cpu_us']:.0f}" for one in alone) + ")")  # fmt: skip
    print(told("by themselves", alone))
    print(told("while alerts flow", beside))
    print("                   alerts beside: " + told("", [one["alerts"] for one in beside]).strip())
    print(f"alerts still `sent` at the end: {len(left)} (those that flowed beside the last round)")


if __name__ == "__main__":
    main()
