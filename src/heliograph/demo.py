"""The demo's stage and story: sandbox, server and example site in one process, and the documented call from outside.

Everything is made afresh under one folder: database, API key, service account, secret key (0600). The call goes over a
real HTTP connection with a real OAuth signature; what it checks it asks of the sandbox and the store, not of itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
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

HOST = "127.0.0.1"
NUMBER = "+17703101414"
MARK = ".heliograph-demo"  # a folder that holds its lock file is the demo's own and may be emptied
DATABASE = "heliograph.db"
ADDRESS_TAKEN = ("cannot_listen", "sandbox_address_taken")
PATIENCE = 10.0  # seconds until the handset shows the card and the record says delivered
TITLE = "Tap to Select Desired Action"
REPLIES = [("See Menu of Functions", "postback_data_Menu"), ("Learn More", "postback_data_LearnMore")]
SAYS = ("7:35 pm", "Kansas City", "C35")


T = TypeVar("T")


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
        # Held from before the folder is emptied to the end: two demos never share one.
        self._lock = FileLock(f"sqlite:///{quote(str(self.data / MARK))}")

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.house.port}"

    @property
    def sandbox_url(self) -> str:
        return self.stage.sandbox.url

    @property
    def handset_url(self) -> str:
        return f"{self.sandbox_url}/handsets/{quote(NUMBER, safe='')}"

    async def start(self) -> None:
        """Empties the folder, then sandbox, server, site and key. Raises SetupError; then nothing is left running."""
        try:
            self._empty()
            secret_key = new_secret_key()
            write_private(self.data / f"{DATABASE}.secret-key", secret_key)  # where every command looks for it
            log = open(self.data / "heliograph.log", "ab", buffering=0)  # noqa: SIM115  lives as long as the process
            self.stage = await _usual_or_free(
                self._sandbox_port, Settings().sandbox_port, lambda port: set_stage(self.data, host=HOST, port=port)
            )
            self.house = await _usual_or_free(
                self._port, Settings().port, lambda port: self._serve(port, secret_key, telemetry.logger(file=log))
            )
            self.stage.speak_to(self.base_url)
            await self._apply(secret_key)
        except OSError as error:
            await self.stop()
            raise SetupError(
                f"{error.filename or self.data} cannot be used: {error.strerror}. Name another folder with --data.",
                code="demo_data",
            ) from None
        except BaseException:
            await self.stop()
            raise

    async def _serve(self, port: int, secret_key: str, log: telemetry.Log) -> House:
        settings = Settings(
            database_url=f"sqlite:///{quote(str(self.data / DATABASE))}",
            host=HOST,
            port=port,
            secret_key=secret_key,
            allow_private_addresses=True,
        )
        house = House(settings, log=log)
        await house.start()
        return house

    async def _apply(self, secret_key: str) -> None:
        """Applies the example site and makes a key, as `heliograph apply` and `heliograph keys create` do."""
        means, seals = self.house.means, Sealer([secret_key])
        found = {
            (channel.name, name): plug
            for channel in plugs.channels().values()
            for name, plug in channel.providers.items()
        }
        # The stage's variables alone: what this shell points the example at stays out of it.
        wanted = sitefile.read(example(), self.stage.variables, found, plugs.desks())
        await manage.apply(wanted, means.store, seals)
        self.parts = await keys.create(means.store, seals, SITE, now=SystemClock().now(), note="demo")
        write_private(self.data / "key.json", msgspec.json.encode({"site": SITE, **told(self.parts)}).decode() + "\n")
        await means.registry.refresh(means.store)

    async def stop(self) -> None:
        if hasattr(self, "house"):
            await self.house.stop()
        if hasattr(self, "stage"):
            await self.stage.sandbox.stop()
        await self._lock.free()

    def _empty(self) -> None:
        """Removes what an earlier demo left. A folder with anything else in it is left alone."""
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        mark = self.data / f"{MARK}.lock"
        there = [path for path in self.data.iterdir() if path != mark]
        if there and not mark.exists():
            raise SetupError(
                f"{self.data} has files that are not the demo's. Name another folder with --data.", code="demo_data"
            )
        try:
            self._lock.take()
        except SetupError:
            raise SetupError(
                f"Another demo runs in {self.data}. Stop it, or name another folder with --data.", code="demo_data"
            ) from None
        for path in there:
            if path.is_file() or path.is_symlink():
                path.unlink()

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
        end = loop.time() + (0 if faults else PATIENCE)
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


async def _usual_or_free(port: int | None, usual: int, start: Callable[[int], Awaitable[T]]) -> T:
    """Starts on the port that was asked for; else on the usual one, or on any free one where that is taken."""
    if port is not None:
        return await start(port)
    try:
        return await start(usual)
    except SetupError as error:
        if error.code not in ADDRESS_TAKEN:
            raise
        return await start(0)


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def _dig(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
