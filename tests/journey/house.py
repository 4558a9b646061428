"""A running server with sites of many kinds, the keys to call it with, and its records, all from outside."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from journey.caller import Caller, Phones, Said, speak
from journey.outside import ROOT, Outside
from journey.sites import keys

T = TypeVar("T")
EXAMPLE: dict[str, Any] = json.loads((ROOT / "examples" / "acme-air" / "request.json").read_text())


def until(look: Callable[[], T | None], seconds: float = 10.0, *, every: float = 0.05) -> T:
    """What `look` finds, as soon as it is true."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < end, f"nothing within {seconds:g} s; the last look found {found!r}"
        time.sleep(every)


class House:
    """`sites` maps an id to a folder written by journey.sites; the example's own site is always there."""

    def __init__(
        self, directory: Path, environ: Mapping[str, str] = {}, *, channels: tuple[str, ...] = ("rcs",)
    ) -> None:
        self.outside = Outside(directory, environ, channels=channels)
        self.base_url = self.outside.base_url
        self.phones = Phones(self.outside.sandbox_url)
        self.callers: dict[str, Caller] = {}

    def open(self, folder: Path | None, *ids: str) -> None:
        """Applies the example and `folder`, makes a key for each site, and starts the server."""
        acme = {**self.outside.apply(), "site": "25508804"}
        if folder is not None:
            applied = self.outside.run("apply", str(folder), check=False)
            assert applied.returncode == 0, applied.stderr
        made = {"25508804": acme, **keys(self.outside, *ids)}
        self.callers = {id: Caller(self.base_url, key, EXAMPLE) for id, key in made.items()}
        self.outside.start()

    @property
    def acme(self) -> Caller:
        return self.callers["25508804"]

    def get(self, target: str, headers: Mapping[str, str] = {}) -> Said:
        return speak(self.base_url, "GET", target, headers=headers)

    def record(self, alert: str) -> Any:
        return json.loads(self.outside.run("alerts", "show", alert, "--full", "--json").stdout)

    def state(self, alert: str) -> str:
        return str(self.record(alert)["alert"]["state"])

    def until_state(self, alert: str, state: str, seconds: float = 10.0) -> Any:
        """The record once the alert is in `state`."""

        def look() -> Any:
            record = self.record(alert)
            return record if record["alert"]["state"] == state else None

        return until(look, seconds, every=0.2)

    def log(self) -> str:
        return self.outside.log.read_text()

    def close(self) -> None:
        self.outside.close()
