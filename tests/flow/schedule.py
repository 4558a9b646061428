"""One schedule: an alert in a bad world, from its call to the end of everything, and what must be true of it then."""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path
from typing import Any

import msgspec

from flow.chaos import KINDS, RECIPIENT, SITE, Node, World
from flow.still import StillLoop
from heliograph.core.alert import AlertRequest, Attempt
from heliograph.core.ports import Record
from heliograph.core.states import ENDS, AlertState, AttemptState

ARRIVED = (AlertState.DELIVERED, AlertState.READ)


class Verdict(msgspec.Struct):
    """What became of one schedule. `exceptions`: those that the records name."""

    seed: int
    faults: list[str]
    log: list[str]
    delivered: int
    exceptions: list[str]
    states: list[str]
    attempts: int


def play(seed: int, migrated: Path, folder: Path) -> Verdict:
    """Plays the schedule of this seed. The same seed gives the same one."""
    path = folder / "schedule.db"
    for one in folder.glob("schedule.db*"):
        one.unlink()
    shutil.copy(migrated, path)
    random.seed(seed)
    loop = StillLoop()
    try:
        return loop.run_until_complete(_play(seed, path, loop))
    finally:
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


async def _play(seed: int, path: Path, loop: asyncio.AbstractEventLoop) -> Verdict:
    world = World(str(path), seed, loop)
    rng = world.rng
    await world.store.put_site(world.site)
    for sender in world.senders:
        await world.store.put_sender(sender)
    await world.store.put_template(world.template)
    nodes = 2 if world.twist == "stalls" else rng.choice([1, 1, 1, 2])
    keepers = [asyncio.ensure_future(_keep(world, f"n{n}")) for n in range(nodes)]
    life = rng.choice([20, 90, 400, 1800, 7200])
    if world.chance(0.2):
        world.behind(world.opt_out(rng.choice(world.site.channels)))
    try:
        await _call(world, life)
        await asyncio.sleep(life + 200)
        for _ in range(100):
            if not world.tasks and not _rows(world):
                break
            await asyncio.sleep(300)
        else:
            world.fault(f"something is still due after all: {_rows(world)}")
        return _judged(seed, world)
    finally:
        for task in (*keepers, *world.tasks):
            task.cancel()
        for node in world.nodes:
            node.bury()
        await world.store.close()


async def _keep(world: World, name: str) -> None:
    """Keeps a node alive: where it dies another takes its place, up to four times."""
    rng = world.rng
    for life in range(5):
        breaths = rng.choice([None, rng.randint(1, 12), rng.randint(1, 80)]) if life < 4 and world.bad > 0.3 else None
        stalls = rng.choice([0.05, 0.15]) if world.twist == "stalls" else rng.choice([0.0, 0.0, 0.0, 0.03])
        world.stalls = world.stalls or stalls > 0
        node = Node(world, f"{name}.{life}", breaths, stalls)
        world.nodes.append(node)
        run = node.task(node.run())
        await asyncio.wait({run, node.died}, return_when=asyncio.FIRST_COMPLETED)
        if run.done() and not node.dead and run.exception() is not None:
            world.say(f"{node.name} breaks: {run.exception()!r}")
        node.bury()
        world.nodes.remove(node)
        await asyncio.sleep(rng.choice([0.1, 2.0, 30.0, 90.0]))
        if len(world.nodes) == 0 and rng.random() < 0.5:
            await world.store.break_leases()


async def _call(world: World, life: int) -> None:
    """A caller that repeats its call until it has an answer, and sometimes once more."""
    request = AlertRequest(
        site=SITE,
        template="delay",
        language="english",
        country_code="1",
        phone=RECIPIENT[2:],
        skill="service",
        variables={"Time": "7:35 pm"},
        external_alert_id="one",
        key="consumer",
        time_to_live=life,
    )
    again = world.chance(0.2)
    for _ in range(20):
        answered = await world.on_a_node(lambda node: node.call(request))
        if answered and not again:
            return
        again = again and not answered
        await asyncio.sleep(world.rng.choice([0.5, 5.0, 40.0]))


def _rows(world: World) -> list[Any]:
    cursor = world.engine.session._cursor
    return cursor.execute("SELECT kind, ref FROM due").fetchall()


def _judged(seed: int, world: World) -> Verdict:
    records = world.records()
    exceptions: list[str] = []
    for record in records:
        named = _exceptions(record)
        exceptions += [word for words in named.values() for word in words]
        _judge(world, record, named)
    return Verdict(
        seed=seed,
        faults=world.faults,
        log=world.log,
        delivered=sum(told.delivered_at is not None for told in world.told.values()),
        exceptions=exceptions,
        states=[record.alert.state.value for record in records],
        attempts=sum(len(record.attempts) for record in records),
    )


def _exceptions(record: Record) -> dict[str, set[str]]:
    """What the timeline names, by attempt."""
    named: dict[str, set[str]] = {}
    for entry in record.entries:
        word = msgspec.json.decode(entry.detail).get("exception")
        if word:
            named.setdefault(entry.attempt, set()).add(word)
    return named


def _judge(world: World, record: Record, named: dict[str, set[str]]) -> None:
    alert = record.alert
    if alert.state not in ENDS and alert.state not in ARRIVED:
        world.fault(f"the alert is {alert.state} when all is over")
    reached = [one for one in record.attempts if _arrived(world, one)]
    for one in reached[:-1]:
        if not named.get(one.id) and not _could_not_be_known(world, one):
            world.fault(f"attempt {one.number} ({one.channel}) was delivered, and so was a later one, unexplained")
    for one in record.attempts:
        _explained(world, record, one, named.get(one.id, set()))
        if _heard(world, one) and one.state not in (AttemptState.DELIVERED, AttemptState.READ):
            world.fault(f"attempt {one.number} was heard to be delivered and is {one.state}")
        if _heard(world, one) and alert.state not in ARRIVED:
            world.fault(f"a delivery was heard and the alert is {alert.state}")
        told = world.told.get(one.id)
        gone = told is not None and told.state in ("failed", "expired") and one.id in world.revokes
        if one.state in (AttemptState.DELIVERED, AttemptState.READ) and not reached and not gone:
            world.fault(f"attempt {one.number} is {one.state} and no phone has it")
    if reached and any(told in ((alert.id, "failed"), (alert.id, "not_sent")) for told in world.answers):
        world.fault("the caller was told that it failed, and it was delivered")


def _arrived(world: World, attempt: Attempt) -> bool:
    told = world.told.get(attempt.id)
    return told is not None and told.delivered_at is not None


def _heard(world: World, attempt: Attempt) -> bool:
    """Whether a receipt of its delivery could be joined to it: by our own id, or by a name that the answer told us."""
    return attempt.id in world.heard_delivered and (KINDS[attempt.channel].named or bool(attempt.references))


def _could_not_be_known(world: World, attempt: Attempt) -> bool:
    """The provider said that the message was gone, a phone had fetched it, and the receipt was lost: the record holds
    the revoke and its answer, and nobody can know more."""
    return "gone" in world.revokes.get(attempt.id, ()) and not _heard(world, attempt)


def _explained(world: World, record: Record, attempt: Attempt, words: set[str]) -> None:
    """An exception is named only where it is one."""
    answers = world.revokes.get(attempt.id, [])
    told = world.told.get(attempt.id)
    wrong = {
        "overlap": not attempt.overlap,
        "read_asked": attempt.need != "read",
        "late_delivered": attempt.revoke_asked is None or told is None or told.delivered_at is None,
        "revoke_unknown": attempt.revoke_asked is None,
        "revoke_refused": attempt.revoke_asked is None or "refused" not in answers,
        "revoke_unanswered": attempt.revoke_asked is None,
    }
    for word in words:
        if wrong.get(word):
            world.fault(f"attempt {attempt.number} names {word} without a cause")
