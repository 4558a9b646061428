"""The demo's stage and story: sandbox, server and example site in one process, and the documented call from outside.

Everything is made afresh under one folder: database, API key, service account, secret key (0600). The call goes over a
real HTTP connection with a real OAuth signature; what it checks it asks of the sandbox and the store, not of itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

import msgspec

from heliograph import plugs, sitefile, telemetry
from heliograph.app import House
from heliograph.clock import SystemClock
from heliograph.errors import SetupError
from heliograph.flow import keys, manage
from heliograph.lock import FileLock
from heliograph.seal import Sealer, new_secret_key
from heliograph.settings import Settings
from heliograph.stage import SITE, Stage, set_stage, write_private

NUMBER = "+17703101414"
MARK = ".heliograph-demo"  # a folder that holds it is the demo's own and may be emptied
DATABASE = "heliograph.db"
PATIENCE = 10.0  # seconds until the handset shows the card and the record says delivered
TITLE = "Tap to Select Desired Action"
REPLIES = [("See Menu of Functions", "postback_data_Menu"), ("Learn More", "postback_data_LearnMore")]
SAYS = ("7:35 pm", "Kansas City", "C35")


def example() -> Path:
    """examples/acme-air: in the checkout, or inside the installed package."""
    here = Path(__file__).parent
    for place in (here.parents[1] / "examples" / "acme-air", here / "examples" / "acme-air"):
        if (place / "site.toml").is_file():
            return place
    raise SetupError("The example site acme-air is not installed. Install heliograph again.", code="no_example")


class Demo:
    """`start`, then talk to `base_url`, then `stop`."""

    stage: Stage
    house: House
    parts: keys.FourParts

    def __init__(self, data: Path, *, port: int | None, sandbox_port: int | None) -> None:
        self.data = data.absolute()
        self._port = port
        self._sandbox_port = sandbox_port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.house.port}"

    @property
    def sandbox_url(self) -> str:
        return self.stage.sandbox.url

    @property
    def handset_url(self) -> str:
        return f"{self.sandbox_url}/handsets/{quote(NUMBER, safe='')}"

    async def start(self) -> None:
        await self._empty()
        self.stage = await set_stage(
            self.data, host="127.0.0.1", port=_or_free(self._sandbox_port, Settings().sandbox_port)
        )
        secret_key = new_secret_key()
        write_private(self.data / "secret-key", secret_key)
        settings = Settings(
            database_url=f"sqlite:///{self.data / DATABASE}",
            port=_or_free(self._port, Settings().port),
            secret_key=secret_key,
            allow_private_addresses=True,
        )
        log = open(self.data / "heliograph.log", "ab", buffering=0)  # noqa: SIM115  lives as long as the process
        self.house = House(settings, log=telemetry.logger("info", "json", log))
        try:
            await self.house.start()
            self.stage.speak_to(self.base_url)
            await self._apply(secret_key)
        except BaseException:
            await self.stop()
            raise

    async def _apply(self, secret_key: str) -> None:
        """Applies the example site and makes a key, as `heliograph apply` and `heliograph keys create` do."""
        means, seals = self.house.means, Sealer([secret_key])
        found = {
            (channel.name, name): plug
            for channel in plugs.channels().values()
            for name, plug in channel.providers.items()
        }
        wanted = sitefile.read(example(), {**os.environ, **self.stage.variables}, found)
        await manage.apply(wanted, means.store, seals)
        self.parts = await keys.create(means.store, seals, SITE, now=SystemClock().now(), note="demo")
        write_private(self.data / "key.json", msgspec.json.encode({"site": SITE, **told(self.parts)}).decode() + "\n")
        await means.registry.refresh(means.store)

    async def stop(self) -> None:
        if hasattr(self, "house"):
            await self.house.stop()
        if hasattr(self, "stage"):
            await self.stage.sandbox.stop()

    async def _empty(self) -> None:
        """Removes what an earlier demo left. A folder with anything else in it is left alone."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        there = list(self.data.iterdir())
        if there and not (self.data / MARK).exists():
            raise SetupError(
                f"{self.data} has files that are not the demo's. Name another folder with --data.", code="demo_data"
            )
        (self.data / MARK).touch()
        lock = FileLock(f"sqlite:///{self.data / DATABASE}")
        lock.take()
        try:
            for path in there:
                if path.is_file() and path.name not in (MARK, f"{DATABASE}.lock"):
                    path.unlink()
        finally:
            await lock.free()

    async def check(self, status: int | None, answer: Any) -> dict[str, str]:
        """What is not as it should be, by name; empty when the whole story is right."""
        faults: dict[str, str] = {}
        card = _dig(answer, "response", "contentMessage", "richCard", "standaloneCard")
        body = _dig(card, "cardContent")
        replies = [
            (_dig(s, "reply", "text"), _dig(s, "reply", "postbackData")) for s in _dig(body, "suggestions") or []
        ]
        if status != 200 or _dig(answer, "success") is not True:
            faults["answer"] = f"status {status}, success {_dig(answer, 'success')!r}; 200 and true are right"
        elif (
            not str(_dig(answer, "response", "name")).startswith(f"phones/{NUMBER}/agentMessages/")
            or (_dig(card, "cardOrientation"), _dig(card, "thumbnailImageAlignment")) != ("VERTICAL", "RIGHT")
            or (_dig(body, "title"), _dig(body, "media", "height")) != (TITLE, "TALL")
            or not str(_dig(body, "media", "fileName")).startswith("files/")
            or replies != REPLIES
        ):
            faults["answer"] = "response is not the documented card"
        loop = asyncio.get_running_loop()
        end = loop.time() + PATIENCE
        while (late := await self._late()) and loop.time() < end:
            await asyncio.sleep(0.1)
        return faults | late

    async def _late(self) -> dict[str, str]:
        """What has not come yet: the card on the handset, the receipt in the record."""
        phone = await asyncio.to_thread(_get, f"{self.sandbox_url}/sandbox/handsets/{quote(NUMBER, safe='')}")
        messages = phone.get("messages", [])
        faults = {}
        card = _dig(messages[0], "content", "card") if messages else None
        replies = [(_dig(s, "text"), _dig(s, "postback")) for s in _dig(card, "suggestions") or []]
        if len(messages) != 1:
            faults["handset"] = f"{len(messages)} messages; one is right"
        elif (
            _dig(card, "title") != TITLE
            or replies != REPLIES
            or not all(word in str(_dig(card, "description")) for word in SAYS)
        ):
            faults["handset"] = "the card is not the one that was sent"
        alerts = await self.house.means.store.alerts(site=SITE, limit=2)
        if [alert.state.value for alert in alerts] not in (["delivered"], ["read"]):
            states = ", ".join(alert.state.value for alert in alerts) or "nothing"
            faults["record"] = f"the record says {states}; one alert, delivered, is right"
        return faults


def told(parts: keys.FourParts) -> dict[str, str]:
    return {
        "consumer_key": parts.consumer_key,
        "consumer_secret": parts.consumer_secret,
        "token": parts.token,
        "token_secret": parts.token_secret,
    }


def _or_free(port: int | None, usual: int) -> int:
    """The port that was asked for; else the usual one, or any free one where that is taken."""
    if port is not None:
        return port
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", usual))
        except OSError:
            return 0
    return usual


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
