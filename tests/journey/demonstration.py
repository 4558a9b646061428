"""`heliograph demo` as somebody else's process: started with --json, told what it tells, ended with a signal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from journey.outside import PROGRAM

# What this shell points the server or the example at must not reach the demo.
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("HELIOGRAPH_", "ACME_"))}
PATIENCE = 60  # seconds; a start takes about one


def told_at_once(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A demo that ends by itself."""
    command = [PROGRAM, "demo", *_any_ports(words)]
    return subprocess.run(
        command, cwd=directory, env=PLAIN, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def _any_ports(words: tuple[str, ...]) -> list[str]:
    """The words, with any free port where they name none: the usual ones may be somebody else's here."""
    missing = [port for port in ("--port", "--sandbox-port") if port not in words]
    return [*words, *(word for port in missing for word in (port, "0"))]


class Demonstration:
    """A demo that stays. `told` is its first line, `call` its second."""

    def __init__(self, directory: Path, *words: str) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [PROGRAM, "demo", "--json", *_any_ports(words)],
            cwd=directory, env=PLAIN, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self.told: dict[str, str] = self._line()
        self.call: dict[str, Any] = self._line()
        self.base_url = self.told["base_url"]
        self.sandbox_url = self.told["sandbox_url"]

    def _line(self) -> Any:
        assert self.process.stdout is not None and self.process.stderr is not None
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def run(self, *words: str) -> Any:
        """A command of the program on the demo's own database, as JSON."""
        environ = {**PLAIN, "HELIOGRAPH_DATABASE_URL": "sqlite:///heliograph-demo/heliograph.db"}
        done = subprocess.run(
            [PROGRAM, *words, "--json"], cwd=self.directory, env=environ, capture_output=True, text=True, check=True
        )
        return json.loads(done.stdout)

    def end(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Exit code, and what standard error said."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors
