"""Both engines for every contract test: SQLite in a file, PostgreSQL from the wheel, started once and left as found.

The wheel's own helper adds a system user when it runs as root; its programs do not need one, so they are run directly,
under the unprivileged id 65534 (nobody) where the tests run as root.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from heliograph import store
from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.content import Reply, Text
from heliograph.core.event import Entry, OptOutHeard, Receipt
from heliograph.core.ports import Acceptance, Claim, Due, Outcome, Store
from heliograph.core.states import AlertState, AttemptState

DAY = 86_400_000
SharedStore = tuple[Store, "Made", Callable[[Any], Any]]


class Clock:
    """A hand-set clock, ms."""

    def __init__(self) -> None:
        self.now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def shared_stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], SharedStore]]:
    """One store for all of hypothesis' examples, with the event loop it lives in."""
    loop = asyncio.new_event_loop()
    opened: dict[str, SharedStore] = {}

    def of(engine: str) -> SharedStore:
        if engine not in opened:
            clock = Clock()
            address = f"sqlite:///{tmp_path}/shared.db"
            if engine == "postgresql":
                folder = request.getfixturevalue("postgresql_server")
                address = f"postgresql://postgres@/postgres?host={folder}"
            database = loop.run_until_complete(store.open(address, migrate=True, now=clock))
            opened[engine] = (database, Made(clock, start=os.urandom(4).hex()), loop.run_until_complete)
        return opened[engine]

    yield of
    for database, _, run in opened.values():
        run(database.close())
    loop.close()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """An up-to-date, empty database of an engine, to be copied: a file, or the name of a database."""
    made: dict[str, str] = {}

    def of(engine: str) -> str:
        if engine not in made:
            if engine == "sqlite":
                made[engine] = str(tmp_path_factory.mktemp("store") / "migrated.db")
                asyncio.run(store.migrate(f"sqlite:///{made[engine]}"))
            else:
                folder = request.getfixturevalue("postgresql_server")
                asyncio.run(_statement(folder, "CREATE DATABASE migrated"))
                asyncio.run(store.migrate(f"postgresql://postgres@/migrated?host={folder}"))
                made[engine] = "migrated"
        return made[engine]

    return of


async def _statement(folder: str, statement: str) -> None:
    admin = await asyncpg.connect(host=folder, user="postgres", database="postgres")
    await admin.execute(statement)
    await admin.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with nothing in it."""
    if engine == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    folder, name = request.getfixturevalue("postgresql_server"), f"t{uuid4().hex}"
    asyncio.run(_statement(folder, f"CREATE DATABASE {name}"))
    yield f"postgresql://postgres@/{name}?host={folder}"
    asyncio.run(_statement(folder, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def address(
    engine: str, request: pytest.FixtureRequest, migrated: Callable[[str], str], tmp_path: Path
) -> Iterator[str]:
    """The address of a database with an up-to-date schema."""
    first = migrated(engine)
    if engine == "sqlite":
        shutil.copy(first, tmp_path / "heliograph.db")
        yield f"sqlite:///{tmp_path}/heliograph.db"
        return
    folder, name = request.getfixturevalue("postgresql_server"), f"t{uuid4().hex}"
    asyncio.run(_statement(folder, f"CREATE DATABASE {name} TEMPLATE {first}"))
    yield f"postgresql://postgres@/{name}?host={folder}"
    asyncio.run(_statement(folder, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def opened(address: str, clock: Clock) -> AsyncIterator[Store]:
    """An open store."""
    database = await store.open(address, migrate=False, now=clock)
    yield database
    await database.close()


class Made:
    """Makes what the verbs take, with fresh ids in the order of time."""

    site = "25508804"
    sender = "acme"

    def __init__(self, clock: Clock, start: str = "00000000") -> None:
        self._clock = clock
        self._count = 0
        self._start = start

    @property
    def now(self) -> int:
        return self._clock.now

    def plain(self, text: str) -> Text:
        return Text(text=text)

    def id(self) -> str:
        self._count += 1
        return str(UUID(hex=f"{self._clock.now:012x}7{self._count:011x}{self._start[:5]}000"))

    def alert(self, **fields: Any) -> Alert:
        values: dict[str, Any] = {
            "id": self.id(),
            "site": self.site,
            "created": self._clock.now,
            "expires": self._clock.now + DAY,
            "recipient": "+17703101414",
            "template": "flightdelay",
            "template_version": "1",
            "language": "en",
            "language_asked": "english",
            "variables": {"Time": "10:30"},
            "skill": "service",
            "state": AlertState.SENDING,
        }
        return Alert(**{**values, **fields})

    def attempt(self, alert: Alert, **fields: Any) -> Attempt:
        values: dict[str, Any] = {
            "id": attempt_id(alert.id, fields.get("number", 1)),
            "alert": alert.id,
            "site": alert.site,
            "number": 1,
            "channel": "rcs",
            "provider": "google-rbm",
            "sender": self.sender,
            "recipient": alert.recipient,
            "content": Text(text="Your flight is late.", suggestions=(Reply(text="Rebook", postback="rebook"),)),
            "expires": alert.expires,
            "created": alert.created,
            "state": AttemptState.SENDING,
        }
        return Attempt(**{**values, **fields})

    def claim(self, alert: Alert, scope: str = "call", key: str = "k", **fields: Any) -> Claim:
        until = fields.pop("until", alert.created + DAY)
        return Claim(site=alert.site, scope=scope, key=key, owner=fields.pop("owner", alert.id), until=until, **fields)

    def acceptance(self, *claims: Claim, alert: Alert | None = None, **fields: Any) -> Acceptance:
        """An alert under way, with an attempt that is leased for 25 s."""
        alert = alert or self.alert()
        attempt = fields.pop("attempt", None) or self.attempt(alert)
        values: dict[str, Any] = {
            "alert": alert,
            "attempt": attempt,
            "decision": b'{"chosen":"rcs"}',
            "claims": claims,
            "due": (self.due(attempt.id, lease=self._clock.now + 25_000),),
            "entries": (Entry(at=self._clock.now, kind="accepted", by="api", attempt=attempt.id),),
        }
        return Acceptance(**{**values, **fields})

    def due(self, ref: str, *, at: int | None = None, lease: int = 0, kind: str = "attempt") -> Due:
        return Due(site=self.site, kind=kind, ref=ref, at=self._clock.now if at is None else at, lease=lease)

    def outcome(self, acceptance: Acceptance, state: AttemptState = AttemptState.SENT, **fields: Any) -> Outcome:
        assert acceptance.attempt is not None
        return Outcome(
            site=acceptance.alert.site,
            alert=acceptance.alert.id,
            attempt=acceptance.attempt.id,
            state=state,
            entries=(Entry(at=self._clock.now, kind=state.value, attempt=acceptance.attempt.id),),
            **fields,
        )

    def receipt(self, state: AttemptState, **fields: Any) -> Receipt:
        return Receipt(event=fields.pop("event", None) or self.id(), state=state, **fields)

    def opt_out(self, recipient: str, *, wanted: bool = False, at: int | None = None) -> OptOutHeard:
        return OptOutHeard(event=self.id(), recipient=recipient, wanted=wanted, at=at)


@pytest.fixture
def made(clock: Clock) -> Made:
    return Made(clock)
