"""One figure: what a synchronous alert costs, both commits on disk, against a floor that only forwards the request.

    make bench            (or: .venv/bin/python benchmarks/sync_alert.py --calls 8000 --rounds 3)

The floor receives the same requests with the same server and forwards their bodies with the same client. Both stand on
core 0 in turn, load and provider on core 1. CPU time of the server's process per call is what counts: it hardly moves
with a neighbour's load, requests per second do. Capabilities are in the cache, as they are for anybody who was alerted
within a day.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from oauthlib.oauth1 import Client

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "acme-air"
PEOPLE = 200  # different recipients
TICKS = os.sysconf("SC_CLK_TCK")


def pinned(core: int, words: list[str], **more: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(["taskset", "-c", str(core), *words], text=True, **more)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and its threads so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def answers(port: int, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def requests_for(port: int, count: int, key: dict[str, str], base: dict[str, Any], mark: str) -> list[tuple[str, str]]:
    """Signed calls, each an alert of its own (another externalAlertId), as heads and bodies."""
    client = Client(key["consumer_key"], key["consumer_secret"], key["token"], key["token_secret"])
    url = f"http://127.0.0.1:{port}/api/proactiveAlert"
    made = []
    for n in range(count):
        number = f"770310{1000 + n % PEOPLE}"
        body = json.dumps({**base, "externalAlertId": f"{mark}-{n}", "customerPhoneNumber": number})
        _, headers, _ = client.sign(url, "POST")
        head = (
            f"POST /api/proactiveAlert HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
            f"Content-Type: application/json\r\nAuthorization: {headers['Authorization']}\r\n"
            f"Content-Length: {len(body.encode())}\r\n\r\n"
        )
        made.append((head, body))
    return made


def load(port: int, made: list[tuple[str, str]], connections: int, directory: str) -> dict[str, Any]:
    path = Path(directory) / "requests.json"
    path.write_text(json.dumps(made))
    done = pinned(
        1, [sys.executable, str(HERE / "load.py"), str(port), str(path), str(connections)], stdout=subprocess.PIPE
    )
    out, _ = done.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


def service_account(path: Path, token_uri: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    path.write_text(
        json.dumps(
            {
                "type": "service_account",
                "client_email": "b@bench",
                "private_key": pem,
                "private_key_id": "b",
                "token_uri": token_uri,
            }
        )
    )


def heliograph(
    directory: str, provider: int, more: Mapping[str, str] = {}, site: Path = EXAMPLE
) -> tuple[subprocess.Popen[str], int, dict[str, str]]:
    """A server on core 0 with examples/acme-air pointed at the stub, and a key for it. `more`: variables besides;
    `site`: a folder that is like the example."""
    account = Path(directory) / "account.json"
    service_account(account, f"http://127.0.0.1:{provider}/token")
    port = free_port()
    environ = os.environ | {
        "HELIOGRAPH_DATABASE_URL": f"sqlite:///{directory}/bench.db",
        "HELIOGRAPH_PORT": str(port),
        "HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES": "true",
        "HELIOGRAPH_SECRET_KEY": "bench-" * 8,
        "HELIOGRAPH_LOG_LEVEL": "warning",
        "ACME_RBM_BASE_URL": f"http://127.0.0.1:{provider}",
        "ACME_RBM_KEY_FILE": str(account),
        "ACME_RBM_AGENT": "bench",
        "ACME_RBM_WEBHOOK_TOKEN": "bench-webhook-token",
        **more,
    }
    program = str(Path(sys.executable).with_name("heliograph"))
    subprocess.run(
        [program, "apply", str(site)],
        env=environ,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    made = subprocess.run(
        [program, "keys", "create", "25508804", "--json"], env=environ, check=True, capture_output=True, text=True
    )
    server = pinned(0, [program, "serve"], env=environ)
    answers(port)
    return server, port, json.loads(made.stdout)


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def measured(server: subprocess.Popen[str], port: int, made: Any, connections: int, directory: str) -> dict[str, Any]:
    before = cpu_seconds(server.pid)
    found = load(port, made, connections, directory)
    found["cpu_us"] = (cpu_seconds(server.pid) - before) / max(1, found["answers"]) * 1e6
    return found


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--calls", type=int, default=6000, help="calls in a round")
    read.add_argument("--rounds", type=int, default=3, help="rounds of each, in turn")
    read.add_argument("--connections", type=int, default=64)
    given = read.parse_args()
    base = json.loads((EXAMPLE / "request.json").read_text())
    stand_in = dict.fromkeys(("consumer_key", "consumer_secret", "token", "token_secret"), "floor")
    rounds: dict[str, list[dict[str, Any]]] = {"alert": [], "house": [], "bare": []}
    with tempfile.TemporaryDirectory() as directory:
        stub = pinned(1, [sys.executable, str(HERE / "stub.py")], stdout=subprocess.PIPE)
        assert stub.stdout is not None
        provider = int(stub.stdout.readline())
        server, port, key = heliograph(directory, provider)
        servers = {"alert": (server, port)}
        try:
            for kind in ("house", "bare"):
                floor = pinned(0, [sys.executable, str(HERE / "floor.py"), str(provider), kind], stdout=subprocess.PIPE)
                assert floor.stdout is not None
                servers[kind] = (floor, int(floor.stdout.readline()))
            print("signing ...", file=sys.stderr)
            for name, (process, at) in servers.items():  # connections, token, upload, capabilities
                parts = key if name == "alert" else stand_in
                measured(process, at, requests_for(at, PEOPLE * 3, parts, base, "warm"), given.connections, directory)
            for n in range(given.rounds):
                for name, (process, at) in servers.items():
                    parts = key if name == "alert" else stand_in
                    made = requests_for(at, given.calls, parts, base, f"round-{n}")
                    rounds[name].append(measured(process, at, made, given.connections, directory))
                took = ", ".join(f"{name} {found[-1]['cpu_us']:.0f} us" for name, found in rounds.items())
                print(f"round {n + 1}: {took}", file=sys.stderr)
        finally:
            for process, _ in servers.values():
                end(process)
            stub.kill()
    for name, found in rounds.items():
        print(
            f"{name:<6} CPU {median(r['cpu_us'] for r in found):4.0f} us/call, "
            f"{median(r['per_second'] for r in found):6.0f}/s, p50 {median(r['p50_ms'] for r in found):5.1f} ms, "
            f"p99 {median(r['p99_ms'] for r in found):5.1f} ms, statuses {found[-1]['statuses']}, "
            f"failures {sum(r['failures'] for r in found)}, lost {sum(r['lost'] for r in found)}"
        )
        for sample in found[-1]["samples"]:
            print("  ", sample)
    for floor_name, what in (("house", "the same server and client"), ("bare", "uvicorn and pyreqwest as they come")):
        ratios = [f["cpu_us"] / a["cpu_us"] for f, a in zip(rounds[floor_name], rounds["alert"], strict=True)]
        each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
        print(f"floor / alert by CPU time per call, {what}: {median(ratios):.3f} ({each})")


if __name__ == "__main__":
    main()
