"""The demo's stage and story: sandbox, server and example sites in one process, and the documented call from outside.

Everything is made afresh under one folder: database, API keys, service account, secret key (0600), a user of the
console. The calls go over a real HTTP connection with a real OAuth signature; what it checks it asks of the sandbox,
the store and the console's pages, not of itself.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from heliograph import demo_card, plugs, rehearsal, sitefiles, telemetry
from heliograph.app import House
from heliograph.cast import DeskRole
from heliograph.clock import SystemClock
from heliograph.core.user import Role, Way
from heliograph.errors import SetupError
from heliograph.flow import keys, manage, users
from heliograph.lock import FileLock
from heliograph.rehearsal import Scene
from heliograph.seal import Sealer, new_secret_key
from heliograph.settings import Settings
from heliograph.stage import CARE, SITE, Stage, set_stage, write_private

HOST = "127.0.0.1"
NUMBER = "+17703101414"
CARE_NUMBER = "+17705550110"  # whose agents work in LivePerson
OWNERS = {NUMBER: "Matt", CARE_NUMBER: "Jane"}
DEMO_USER = "demo"
MARK = ".heliograph-demo"  # a folder that holds its lock file is the demo's own and may be emptied
DATABASE = "heliograph.db"
ADDRESS_TAKEN = ("cannot_listen", "sandbox_address_taken")

T = TypeVar("T")


def example(name: str = "acme-air") -> Path:
    """An example site's folder: in the checkout, or inside the installed package."""
    here = Path(__file__).parent
    for place in (here.parents[1] / "examples" / name, here / "examples" / name):
        if (place / "site.toml").is_file():
            return place
    raise SetupError(f"The example site {name} is not installed. Install heliograph again.", code="no_example")


class Demo:
    """`start`, then talk to `base_url`, then `stop`."""

    stage: Stage
    house: House
    parts: keys.FourParts
    care: keys.FourParts  # of the site whose agents work in LivePerson
    password: str  # the demo user's

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

    @property
    def care_handset_url(self) -> str:
        return f"{self.sandbox_url}/handsets/{quote(CARE_NUMBER, safe='')}"

    @property
    def inbox_url(self) -> str:
        return f"{self.base_url}/console/inbox"

    @property
    def desk_url(self) -> str:
        """The page of the account at LivePerson."""
        return f"{self.sandbox_url}/desks/{self._desk.desk}/{self._desk.id}"

    @property
    def _desk(self) -> DeskRole:
        return self.stage.desks[0].role

    def care_request(self) -> bytes:
        """The documented call again, for the other site and another recipient."""
        call: dict[str, Any] = json.loads((example() / "request.json").read_bytes())
        call |= {"siteId": CARE, "customerPhoneNumber": CARE_NUMBER[2:], "externalAlertId": "1265168452"}
        call |= {"firstName": "Jane", "lastName": "Doe"}
        return json.dumps(call).encode()

    async def start(self) -> None:
        """Empties the folder, then sandbox, server, sites, keys and user. Raises SetupError; then nothing is left
        running."""
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
        """Applies the example sites, makes a key for each and a user, as `heliograph apply`, `heliograph keys create`
        and `heliograph users add` do."""
        means, seals = self.house.means, Sealer([secret_key])
        found = {
            (channel.name, name): plug
            for channel in plugs.channels().values()
            for name, plug in channel.providers.items()
        }
        clock = SystemClock()
        for name in ("acme-air", "acme-air-liveperson"):
            # The stage's variables alone: what this shell points the example at stays out of it.
            wanted = sitefiles.read(example(name), self.stage.variables, found, plugs.desks())
            await manage.apply(wanted, means.store, seals)
        self.parts = await keys.create(means.store, seals, SITE, now=clock.now(), note="demo")
        self.care = await keys.create(means.store, seals, CARE, now=clock.now(), note="demo")
        for file, site, parts in (("key.json", SITE, self.parts), ("care-key.json", CARE, self.care)):
            write_private(self.data / file, msgspec.json.encode({"site": site, **told(parts)}).decode() + "\n")
        self.password = users.new_password()
        await users.create(
            means.store, DEMO_USER, Role.ADMIN, self.password, clock=clock, by="heliograph demo", way=Way.CLI
        )
        await means.registry.refresh(means.store)
        for number, owner in OWNERS.items():
            self.stage.sandbox.world.handset(number).name = owner

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

    async def play(self, status: int | None, answer: Any) -> AsyncIterator[Scene]:
        """Plays the story on from the documented call's answer and tells of each scene whether it is right. What would
        fail for the same reason as one before is left out."""
        scenes = await demo_card.scenes(
            status, answer, number=NUMBER, sandbox_url=self.sandbox_url, states=self._states
        )
        for scene in scenes:
            yield scene
        if any(scene.fault for scene in scenes):
            return
        story = rehearsal.in_console(
            self.base_url,
            self.sandbox_url,
            site=SITE,
            number=NUMBER,
            who=OWNERS[NUMBER],
            user=DEMO_USER,
            password=self.password,
        )
        elsewhere = rehearsal.at_desk(
            self.sandbox_url,
            desk="LivePerson",
            account=f"{self._desk.desk}/{self._desk.id}",
            number=CARE_NUMBER,
            who=OWNERS[CARE_NUMBER],
        )
        for scenes_of in (story, elsewhere):
            async for scene in _away(scenes_of):
                yield scene

    async def _states(self) -> list[str]:
        return [alert.state.value for alert in await self.house.means.store.alerts(site=SITE, limit=2)]


def told(parts: keys.FourParts) -> dict[str, str]:
    return {
        "consumer_key": parts.consumer_key,
        "consumer_secret": parts.consumer_secret,
        "token": parts.token,
        "token_secret": parts.token_secret,
    }


async def _away(scenes: Iterator[Scene]) -> AsyncIterator[Scene]:
    """The scenes, each played in a thread: the server that they speak with runs in this one."""
    while (scene := await asyncio.to_thread(next, scenes, None)) is not None:
        yield scene


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
