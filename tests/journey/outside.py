"""The program as it is installed, in processes of its own: a sandbox that stays, a server that may be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = str(Path(sys.executable).with_name("heliograph"))


_VARIABLES = {"rcs": "ACME_RBM_", "wa": "ACME_WA_", "sms": "ACME_TWILIO_", "smpp": "ACME_SMPP_"}


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


class Outside:
    """A sandbox that stays up, and a server on one database that may be killed and started again. `channels`: those
    on which the example has a sender."""

    def __init__(
        self,
        directory: Path,
        environ: Mapping[str, str] = {},
        *,
        receipts: bool = True,
        channels: tuple[str, ...] = ("rcs",),
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log = directory / "server.log"
        words = [PROGRAM, "sandbox", "--json", "--data", str(directory / "sandbox"), "--sandbox-port", "0"]
        words += ["--port", str(self.port)] + ([] if receipts else ["--no-receipts"])
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "ACME_"))}
        self.sandbox = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=plain)
        assert self.sandbox.stdout is not None
        told = json.loads(self.sandbox.stdout.readline())
        self.sandbox_url: str = told["sandbox_url"]
        self.environ = {
            **plain,
            "HELIOGRAPH_DATABASE_URL": f"sqlite:///{directory}/journey.db",
            "HELIOGRAPH_PORT": str(self.port),
            "HELIOGRAPH_ALLOW_PRIVATE_ADDRESSES": "true",
            "HELIOGRAPH_SECRET_KEY": "journey-" * 6,
            **{
                name: value
                for name, value in told["variables"].items()
                if name.startswith(tuple(_VARIABLES[one] for one in channels))
            },
            **environ,
        }
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *words], env=self.environ, capture_output=True, text=True, check=check, cwd=self.directory
        )

    def apply(self) -> dict[str, str]:
        """Applies the example site; the four parts of a new key."""
        self.run("apply", str(ROOT / "examples" / "acme-air"))
        key: dict[str, str] = json.loads(self.run("keys", "create", "25508804", "--json").stdout)
        return key

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.server = subprocess.Popen([PROGRAM, "serve"], env=self.environ, stderr=log, cwd=self.directory)
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return
            except OSError:
                assert self.server.poll() is None, self.log.read_text()[-2000:]
                assert time.monotonic() < end, "the server does not answer"
                time.sleep(0.02)

    def kill(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.wait()

    def stop(self) -> int:
        assert self.server is not None
        self.server.send_signal(signal.SIGTERM)
        return self.server.wait(40)

    def close(self) -> None:
        for process in (self.server, self.sandbox):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        if self.sandbox.stdout is not None:
            self.sandbox.stdout.close()
