"""What the store costs alone: `accept` and `outcome` of one alert on SQLite, CPU with commits and checkpoints.

    .venv/bin/python benchmarks/store.py --alerts 20000 --groups 4 16 64

Every recipient, external id, call and nonce has a random key, as from strangers. A group is what one commit holds: so
many acceptances, and as many outcomes of the group before. Printed for each size: the least and the median of the
passes (2,000 alerts each), and how much log a pair writes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import msgspec

import heliograph.store
from heliograph.clock import SystemClock
from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.content import Card, CardBody, Height, Media, Reply
from heliograph.core.event import Entry
from heliograph.core.ports import Acceptance, Accepted, Claim, Due, Outcome
from heliograph.core.states import AlertState, AttemptState
from heliograph.store import alerts, hidden
from heliograph.store.commit import settle
from heliograph.store.engine_sqlite import Session

PASS = 2_000
DAY = 86_400_000
SITE = "25508804"
CLOCK = SystemClock()
CARD = Card(
    card=CardBody(
        title="Tap to Select Desired Action",
        description="Your flight to Kansas City now leaves at 7:35 pm from gate C35.",
        media=Media(upload="a" * 64, height=Height.TALL),
        suggestions=(
            Reply(text="See Menu of Functions", postback="postback_data_Menu"),
            Reply(text="Learn More", postback="postback_data_LearnMore"),
        ),
    )
)
DECISION = (
    b'{"template":"flightdelay","version":"1","considered":[%b]}' % (b'{"channel":"rcs","why":"chosen"},' * 9)[:-1]
)
RAW = b'{"name":"phones/+17705550100/agentMessages/x","contentMessage":{"text":"%b"}}' % (b"x" * 480)
SENT = msgspec.Raw(b'{"tries":1,"exchanges":[{"method":"POST","url":"https://rbm.example/***0100","status":200}]}')


def pair(chance: random.Random) -> tuple[Acceptance, Outcome]:
    """An alert accepted with its first attempt, and what the provider said."""
    now, id = CLOCK.now(), CLOCK.new_id()
    attempt = attempt_id(id, 1)
    alert = Alert(
        id=id,
        site=SITE,
        created=now,
        expires=now + DAY,
        recipient=f"+1{chance.randrange(10**10):010d}",
        template="flightdelay",
        template_version="1",
        language="en",
        language_asked="english",
        variables={"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
        skill="service",
        state=AlertState.SENDING,
        external_alert_id=f"{chance.getrandbits(60):x}",
        external_customer_id="123",
        external_customer_id_descriptor="VIP",
        alert_info=msgspec.Raw(b'{"Sky Miles":1234567890,"T-Shirt Size":"Large"}'),
    )
    begun = Attempt(
        id=attempt,
        alert=id,
        site=SITE,
        number=1,
        channel="rcs",
        provider="google-rbm",
        sender="main",
        recipient=alert.recipient,
        content=CARD,
        expires=alert.expires,
        created=now,
        state=AttemptState.SENDING,
    )
    nonce = Claim(
        site=SITE,
        scope="nonce",
        key=f"{chance.getrandbits(160):x}",
        until=now + 661_000,
        owner=id,
        value=str(now // 1000),
    )
    call = Claim(site=SITE, scope="call", key=f"{chance.getrandbits(128):x}", until=now + DAY, owner=id)
    accepted = Acceptance(
        alert=alert,
        decision=DECISION,
        attempt=begun,
        claims=(nonce, call),
        due=(Due(site=SITE, kind="attempt", ref=attempt, at=now, lease=now + 25_000),),
        entries=(Entry(at=now, kind="accepted", by="api", attempt=attempt),),
    )
    taken = Outcome(
        site=SITE,
        alert=id,
        attempt=attempt,
        begun=begun,
        state=AttemptState.SENT,
        tries=1,
        references=(f"phones/{alert.recipient}/agentMessages/{attempt}",),
        raw=RAW,
        due=(Due(site=SITE, kind="attempt", ref=attempt, at=alert.expires + 60_000),),
        entries=(Entry(at=now, kind="sent", attempt=attempt, detail=SENT),),
    )
    return accepted, taken


def passes(session: Session, group: int, count: int, chance: random.Random) -> Iterator[float]:
    """CPU microseconds per alert, pass by pass; making the verbs' arguments is not counted."""
    waiting: list[Outcome] = []
    for _ in range(count):
        spent, done = 0.0, 0
        while done < PASS:
            made = [pair(chance) for _ in range(group)]
            began = time.process_time()
            verbs = [(alerts.accept, (one, hidden.nobody)) for one, _ in made]
            verbs += [(alerts.outcome, (one, CLOCK.now, hidden.nobody)) for one in waiting]
            results = settle(session, verbs)
            spent += time.process_time() - began
            assert all(isinstance(value, Accepted) or value is True for value, _ in results)
            waiting = [outcome for _, outcome in made]
            done += group
        yield spent / done * 1e6


def log_bytes(session: Session, path: Path, group: int, chance: random.Random) -> float:
    """What a pair adds to the write-ahead log, with nothing copied meanwhile."""
    log = path.with_name(path.name + "-wal")
    assert session._connection is not None
    session._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    session._connection.execute("PRAGMA wal_autocheckpoint = 0")
    next(passes(session, group, 1, chance))
    return log.stat().st_size / PASS


def main() -> None:
    read = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    read.add_argument("--alerts", type=int, default=20_000, help="alerts for each size of group")
    read.add_argument("--groups", type=int, nargs="+", default=[4, 16, 64])
    given = read.parse_args()
    for group in given.groups:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.db"
            asyncio.run(heliograph.store.migrate(f"sqlite:///{path}"))
            session = Session(str(path), "BEGIN IMMEDIATE")
            chance = random.Random(group)
            found = list(passes(session, group, max(1, given.alerts // PASS), chance))
            log = log_bytes(session, path, group, chance)
            session.close()
        print(
            f"groups of {group:3}: least {min(found):4.0f}, median {median(found):4.0f} us CPU per alert, "
            f"{log / 1024:3.0f} KiB of log"
        )


if __name__ == "__main__":
    main()
