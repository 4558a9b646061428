"""PostgreSQL when it fails: connections cut, transactions that block each other, waiters that go away."""

from __future__ import annotations

import asyncio

import asyncpg
import msgspec
import pytest

from heliograph import store
from heliograph.core.optout import OptOut
from heliograph.core.ports import Accepted
from heliograph.core.states import AlertState, AttemptState
from heliograph.errors import StoreAway
from heliograph.store.facts import FIRST


@pytest.fixture
def engine():
    return "postgresql"


@pytest.fixture
async def beside(address):
    """A connection of somebody else's."""
    connection = await asyncpg.connect(address)
    yield connection
    await connection.close()


async def test_cut_connections_are_away_once_and_made_anew(opened, made, beside):
    await asyncio.gather(*(opened.accept(made.acceptance()) for _ in range(20)))
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> $1"
    await beside.fetch(cut, beside.get_server_pid())
    accepted = [made.acceptance() for _ in range(30)]
    answers = await asyncio.gather(*map(opened.accept, accepted), return_exceptions=True)
    assert {type(answer) for answer in answers} <= {Accepted, StoreAway}
    for one, answer in zip(accepted, answers, strict=True):
        assert (await opened.record(one.alert.id) is not None) == (answer == Accepted())
    assert await opened.accept(made.acceptance()) == Accepted()


async def test_a_cancelled_waiter_leaves_a_whole_transaction(opened, made, beside):
    accepted = made.acceptance()
    await opened.accept(accepted)
    held = beside.transaction()
    await held.start()
    await beside.execute("SELECT 1 FROM alerts FOR UPDATE")
    waiting = asyncio.ensure_future(opened.outcome(made.outcome(accepted)))
    await asyncio.sleep(0.1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await held.rollback()
    for _ in range(100):
        record = await opened.record(accepted.alert.id)
        if record.alert.state is AlertState.SENT:
            break
        await asyncio.sleep(0.01)
    assert (record.alert.state, record.attempts[0].state, len(record.entries)) == (
        AlertState.SENT,
        AttemptState.SENT,
        2,
    )


async def test_callbacks_that_lock_the_same_alerts_crosswise_all_succeed(opened, made):
    accepted = [made.acceptance() for _ in range(4)]
    await asyncio.gather(*map(opened.accept, accepted))

    def receipts(order):
        return tuple(made.receipt(AttemptState.SENT, attempt=one.attempt.id) for one in order)

    work = [receipts(accepted if number % 2 else reversed(accepted)) for number in range(12)]
    await asyncio.gather(*(opened.hear(made.site, "rcs", made.sender, events, made.now) for events in work))
    for one in accepted:
        assert len((await opened.record(one.alert.id)).entries) == 13


async def test_a_no_and_a_yes_at_the_same_time_leave_what_was_said_last(opened, made, beside):
    """Another node writes a yes between this one's look at the row and its write: the newer no must stand."""
    no = OptOut(site=made.site, recipient="+17705550123", at=5)
    await opened.put_opt_outs((no,))
    held = beside.transaction()
    await held.start()
    await beside.execute("UPDATE opt_outs SET wanted = 1, at = 8")
    waiting = asyncio.ensure_future(opened.put_opt_outs((msgspec.structs.replace(no, at=10),)))
    await asyncio.sleep(0.2)
    assert not waiting.done()
    await held.commit()
    await waiting
    assert await opened.opted_out(made.site, no.recipient, "service") == {"all"}


async def test_a_failure_that_waited_past_its_lease_is_not_written(opened, made, beside, clock):
    """It was in time when it was asked for; the database kept it waiting until another node may have the attempt."""
    accepted = made.acceptance()
    await opened.accept(accepted)
    held = beside.transaction()
    await held.start()
    await beside.execute("SELECT 1 FROM alerts FOR UPDATE")
    late = made.outcome(accepted, AttemptState.FAILED, end=AlertState.FAILED, until=made.now + 1000)
    waiting = asyncio.ensure_future(opened.outcome(late))
    await asyncio.sleep(0.2)
    clock.now += 2000
    await held.rollback()
    assert await waiting is False
    assert (await opened.record(accepted.alert.id)).alert.state is AlertState.SENDING


async def test_lists_are_the_same_in_a_database_that_sorts_by_a_language(made, postgresql_server):
    """Most databases are not made with the collation C, and there `~` stands before every digit. The wheel's server
    may know no languages: then the letter alone is looked at."""
    assert FIRST.isalpha() and FIRST > "f"
    admin = await asyncpg.connect(host=postgresql_server, user="postgres", database="postgres")
    icu = "LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C' TEMPLATE template0"
    try:
        await admin.execute(f"CREATE DATABASE language {icu}")
    except asyncpg.FeatureNotSupportedError:
        await admin.close()
        return
    opened = await store.open(f"postgresql://postgres@/language?host={postgresql_server}", migrate=True)
    accepted = made.acceptance(alert=made.alert(external_alert_id="x-1"))
    await opened.accept(accepted)
    other = made.acceptance()
    await opened.accept(other)
    await opened.outcome(made.outcome(other, AttemptState.FAILED, end=AlertState.FAILED))
    newest, oldest = other.alert.id, accepted.alert.id
    for asked, found in (
        ({}, [newest, oldest]),
        ({"state": "sending"}, [oldest]),
        ({"state": "failed"}, [newest]),
        ({"external": "x-1"}, [oldest]),
        ({"recipient": accepted.alert.recipient}, [newest, oldest]),
        ({"before": newest}, [oldest]),
    ):
        assert [row.id for row in await opened.alerts(site=made.site, **asked)] == found, asked
    await opened.close()
    await admin.execute("DROP DATABASE language WITH (FORCE)")
    await admin.close()


async def test_a_value_that_is_refused_is_the_callers_alone(opened, made):
    bad = made.acceptance(alert=made.alert(template="nul \x00"))
    good = [made.acceptance() for _ in range(5)]
    answers = await asyncio.gather(*map(opened.accept, [bad, *good]), return_exceptions=True)
    assert isinstance(answers[0], ValueError)
    assert answers[1:] == [Accepted()] * 5


async def test_lists_leave_connections_to_the_alerts(opened, beside):
    held = beside.transaction()
    await held.start()
    await beside.execute("LOCK TABLE opt_outs IN ACCESS EXCLUSIVE MODE")
    walking = [asyncio.ensure_future(opened.opt_outs(site="s")) for _ in range(20)]
    await asyncio.sleep(0.1)
    assert await asyncio.wait_for(opened.capability("s", "acme", "+17705550123"), 2) is None
    await held.rollback()
    assert await asyncio.gather(*walking) == [[]] * 20


async def test_a_bug_in_a_verb_is_raised_as_it_is(opened):
    def broken():
        yield "ready", ()
        raise LookupError

    with pytest.raises(LookupError) as caught:
        await opened._engine.write(broken)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "sql",
    [
        "RAISE invalid_password",
        "RAISE invalid_catalog_name",
        "RAISE invalid_authorization_specification",
        "RAISE lock_not_available",
        "RAISE idle_in_transaction_session_timeout",
        "RAISE io_error",
    ],
)
async def test_what_the_server_says_of_itself_is_away(opened, sql):
    opened._engine._statements = {"broken": f"DO $$BEGIN {sql}; END$$"}

    def broken():
        yield "broken", ()

    with pytest.raises(StoreAway, match="Nothing was written"):
        await opened._engine.write(broken)


async def test_a_missing_table_is_no_absence(opened):
    opened._engine._statements = {"broken": "SELECT 1 FROM nothing"}

    def broken():
        yield "broken", ()

    with pytest.raises(ValueError, match="broken"):
        await opened._engine.write(broken)


async def test_whatever_refuses_a_new_connection_is_away(opened, address, beside):
    engine = opened._engine
    while engine._idle:
        await engine._idle.pop().close()
    for name in ("nothing_of_this_name", "postgres"):
        dsn = address.replace(await beside.fetchval("SELECT current_database()"), name)
        user = "nobody_here" if name == "postgres" else "postgres"
        engine._address = msgspec.structs.replace(engine._address, dsn=dsn.replace("postgres@", f"{user}@"))
        with pytest.raises(StoreAway):
            await opened.ready()


async def test_a_commit_without_an_answer_does_not_say_that_nothing_was_written(opened, made, beside):
    """The server commits and dies before it says so: a deferred trigger ends the connection at COMMIT."""
    await beside.execute(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';"
        "CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON alerts DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION cut()"
    )
    with pytest.raises(StoreAway, match="Whether it was written is not known"):
        await opened.accept(made.acceptance())
