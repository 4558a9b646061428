"""An alert's life on both engines: accepted, its outcome, its record."""

from __future__ import annotations

import msgspec
import pytest

from heliograph.core.content import Card, CardBody, Media
from heliograph.core.event import Entry
from heliograph.core.ports import Accepted, Barred, Outcome, Taker
from heliograph.core.site import Site
from heliograph.core.states import AlertState, AttemptState

DAY = 86_400_000


async def test_a_record_is_what_was_accepted(opened, made, clock):
    info = b'{"z":1,"a":123456789012345678901234567890,  "note":"caf\xc3\xa9","f":1.10}'
    alert = made.alert(
        alert_info=msgspec.Raw(info), external_alert_id="x-1", variables={"@": "", "Ort": "Zürich"}, unknown=("other",)
    )
    content = Card(
        card=CardBody(title="Late", media=Media(upload="ab" * 32)), native={"google-rbm": msgspec.Raw(b"{}")}
    )
    attempt = made.attempt(alert, content=content)
    accepted = made.acceptance(alert=alert, attempt=attempt)
    assert await opened.accept(accepted) == Accepted()
    record = await opened.record(alert.id)
    assert bytes(record.alert.alert_info) == info
    assert msgspec.json.encode(record.alert) == msgspec.json.encode(alert)
    assert msgspec.json.encode(record.attempts) == msgspec.json.encode((attempt,))
    assert [(entry.kind, entry.by) for entry in record.entries] == [("accepted", "api")]
    assert record.decision == b'{"chosen":"rcs"}'
    assert msgspec.json.encode(await opened.attempt(attempt.id)) == msgspec.json.encode(attempt)


async def test_what_is_not_there(opened):
    assert await opened.record("none") is None
    assert await opened.attempt("none") is None
    await opened.outcome(Outcome(site="s", alert="none", state=None))
    await opened.outcome(Outcome(site="s", alert="none", attempt="none", state=AttemptState.SENT))
    assert await opened.record("none") is None


async def test_an_alert_without_info_or_attempt(opened, made):
    alert = made.alert(state=AlertState.REFUSED, reason="opted_out")
    accepted = msgspec.structs.replace(
        made.acceptance(alert=alert), attempt=None, entries=(Entry(at=1, kind="refused", detail=msgspec.Raw(b"")),)
    )
    await opened.accept(accepted)
    record = await opened.record(alert.id)
    assert bytes(record.alert.alert_info) == b""
    assert (record.alert.state, record.alert.reason, record.attempts) == (AlertState.REFUSED, "opted_out", ())
    assert bytes(record.entries[0].detail) == b"{}"


async def test_an_acceptance_again_changes_nothing(opened, made):
    """A commit whose answer was lost may be repeated by its owner."""
    alert = made.alert()
    accepted = made.acceptance(made.claim(alert), alert=alert)
    assert await opened.accept(accepted) == Accepted()
    await opened.outcome(made.outcome(accepted))
    assert await opened.accept(msgspec.structs.replace(accepted, due=())) == Accepted()
    record = await opened.record(alert.id)
    assert (record.alert.state, len(record.entries), len(record.attempts)) == (AlertState.SENT, 2, 1)


async def test_an_outcome_is_in_the_record(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(
        made.outcome(
            accepted, tries=2, references=("a", "b"), raw=b'{"name":"x"}', decision=b'{"new":1}', revoke_asked=7
        )
    )
    record = await opened.record(accepted.alert.id)
    attempt = record.attempts[0]
    assert record.alert.state is AlertState.SENT
    assert (attempt.state, attempt.tries, attempt.references) == (AttemptState.SENT, 2, ("a", "b"))
    assert (attempt.raw, attempt.revoke_asked, record.decision) == (b'{"name":"x"}', 7, b'{"new":1}')
    assert [entry.kind for entry in record.entries] == ["accepted", "sent"]


async def test_the_next_channel(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    second = made.attempt(accepted.alert, number=2, channel="sms", sender="acme-sms")
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, reason="not_rcs", next=second, raw=b"no"))
    record = await opened.record(accepted.alert.id)
    assert record.alert.state is AlertState.SENDING
    assert [(one.id, one.state, one.reason, one.raw) for one in record.attempts] == [
        (accepted.attempt.id, AttemptState.FAILED, "not_rcs", b"no"),
        (second.id, AttemptState.SENDING, "", b""),
    ]
    assert (await opened.alerts(site=made.site))[0].channel == "sms"
    done = Outcome(site=made.site, alert=accepted.alert.id, attempt=second.id, state=AttemptState.SENT, raw=b"yes")
    await opened.outcome(done)
    assert [one.raw for one in (await opened.record(accepted.alert.id)).attempts] == [b"no", b"yes"]


async def test_an_end_is_kept_and_only_a_delivery_lifts_it(opened, made):
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, AttemptState.FAILED, end=AlertState.FAILED, reason="rejected"))
    await opened.outcome(Outcome(site=made.site, alert=accepted.alert.id, end=AlertState.EXPIRED, reason="late"))
    await opened.outcome(made.outcome(accepted, AttemptState.SENT))
    record = await opened.record(accepted.alert.id)
    assert (record.alert.state, record.alert.reason) == (AlertState.FAILED, "rejected")
    assert record.attempts[0].state is AttemptState.FAILED
    await opened.hear(made.site, "rcs", made.sender, (made.receipt(AttemptState.READ, attempt=accepted.attempt.id),), 1)
    record = await opened.record(accepted.alert.id)
    assert (record.alert.state, record.alert.reason) == (AlertState.READ, "")
    await opened.outcome(Outcome(site=made.site, alert=accepted.alert.id, end=AlertState.EXPIRED, reason="late"))
    assert (await opened.record(accepted.alert.id)).alert.state is AlertState.READ


async def test_a_held_alert(opened, made, clock):
    alert = made.alert(state=AlertState.SCHEDULED, send_at=clock.now + 1000)
    held = msgspec.structs.replace(made.acceptance(alert=alert), attempt=None, due=(made.due(alert.id, kind="alert"),))
    await opened.accept(held)
    assert (await opened.record(alert.id)).alert.send_at == clock.now + 1000
    later = Outcome(site=made.site, alert=alert.id, alert_state=AlertState.SCHEDULED, send_at=clock.now + 5000)
    await opened.outcome(later)
    assert (await opened.record(alert.id)).alert.send_at == clock.now + 5000
    attempt = made.attempt(alert)
    await opened.outcome(
        Outcome(
            site=made.site,
            alert=alert.id,
            alert_state=AlertState.SENDING,
            next=attempt,
            due=(made.due(attempt.id, at=clock.now + 9000),),
            done=(("alert", alert.id),),
        )
    )
    record = await opened.record(alert.id)
    assert (record.alert.state, record.alert.send_at) == (AlertState.SENDING, None)
    assert [one.id for one in record.attempts] == [attempt.id]
    assert await opened.next_due() == clock.now + 9000


@pytest.mark.parametrize("scope", ["rcs", "all"])
async def test_an_opt_out_bars_an_attempt(opened, made, scope, clock):
    alert = made.alert()
    event = made.opt_out(alert.recipient)
    await opened.hear(made.site, scope, made.sender, (event,), clock.now)
    nonce = made.claim(alert, "nonce", "n", value="1")
    assert await opened.accept(made.acceptance(nonce, alert=alert)) == Barred(scopes=frozenset({scope}))
    assert await opened.record(alert.id) is None
    assert await opened.spend((msgspec.structs.replace(nonce, owner="another"),)) is None, "the nonce was not spent"
    refused = msgspec.structs.replace(made.acceptance(alert=alert), attempt=None, due=())
    assert await opened.accept(refused) == Accepted()


async def test_an_opt_out_that_the_decision_knew_of_bars_nothing(opened, made, clock):
    await opened.hear(made.site, "sms", made.sender, (made.opt_out("+17703101414"),), clock.now)
    known = msgspec.structs.replace(made.acceptance(), opted_out=frozenset({"sms"}))
    assert await opened.accept(known) == Accepted()
    assert await opened.accept(made.acceptance()) == Barred(scopes=frozenset({"sms"}))


async def test_an_opt_out_bars_what_is_held_for_later(opened, made, clock):
    await opened.hear(made.site, "rcs", made.sender, (made.opt_out("+17703101414"),), clock.now)
    alert = made.alert()
    held = msgspec.structs.replace(made.acceptance(alert=alert), attempt=None, due=(made.due(alert.id, kind="alert"),))
    assert await opened.accept(held) == Barred(scopes=frozenset({"rcs"}))


async def test_a_failure_gives_way_to_a_yes_that_another_node_heard(opened, made):
    acceptance = made.acceptance()
    await opened.accept(acceptance)
    assert await opened.outcome(made.outcome(acceptance, AttemptState.SENT)) is True
    late = msgspec.structs.replace(
        made.outcome(acceptance, AttemptState.FAILED), end=AlertState.FAILED, release=True, gives_way=True
    )
    assert await opened.outcome(late) is False
    record = await opened.record(acceptance.alert.id)
    assert (record.alert.state, record.attempts[0].state) == (AlertState.SENT, AttemptState.SENT)
    assert [entry.kind for entry in record.entries][-1] == "failed", "it stays in the record as history"


async def test_what_is_guessed_to_be_delivered_gives_way_to_a_no_that_was_heard(opened, made, clock):
    """A message that failed is not there either: a revoke's "not there" must not make a delivery of it."""
    accepted = made.acceptance()
    await opened.accept(accepted)
    await opened.outcome(made.outcome(accepted, due=(made.due(accepted.attempt.id, at=made.now + DAY),)))
    no = made.receipt(AttemptState.FAILED, attempt=accepted.attempt.id, reason="cannot_reach")
    await opened.hear(made.site, "rcs", made.sender, (no,), made.now)
    guess = made.outcome(accepted, AttemptState.DELIVERED, done=(("attempt", accepted.attempt.id),))
    await opened.outcome(guess)
    attempt = await opened.attempt(accepted.attempt.id)
    assert (attempt.state, attempt.reason) == (AttemptState.FAILED, "cannot_reach")
    assert [row.ref for row in await opened.claim_due(made.now, made.now + 1, "n", 9)] == [accepted.attempt.id]
    yes = made.receipt(AttemptState.DELIVERED, attempt=accepted.attempt.id)
    await opened.hear(made.site, "rcs", made.sender, (yes,), made.now)
    assert (await opened.attempt(accepted.attempt.id)).state is AttemptState.DELIVERED


async def test_a_held_alert_is_released_once(opened, made):
    alert = made.alert(state=AlertState.SCHEDULED)
    held = msgspec.structs.replace(made.acceptance(alert=alert), attempt=None, due=(made.due(alert.id, kind="alert"),))
    await opened.accept(held)
    for expected in (True, False):
        release = Outcome(site=made.site, alert=alert.id, alert_state=AlertState.SENDING, next=made.attempt(alert))
        assert await opened.outcome(release) is expected
    assert len((await opened.record(alert.id)).attempts) == 1


async def test_a_claim_that_is_released_from_the_start_asks_and_holds_nothing(opened, made):
    first, second, third = made.alert(), made.alert(), made.alert()
    asking = msgspec.structs.replace(made.claim(first, "call", "k"), released=True)
    assert await opened.accept(made.acceptance(asking, alert=first)) == Accepted()
    assert await opened.accept(made.acceptance(made.claim(second, "call", "k"), alert=second)) == Accepted(
        former=first.id
    )
    late = msgspec.structs.replace(made.claim(third, "call", "k"), released=True)
    assert isinstance(await opened.accept(made.acceptance(late, alert=third)), Taker)


async def test_what_no_index_takes_is_kept_all_the_same(opened, made):
    """A caller's own id may be 100,000 characters long, or hold a NUL."""
    await opened.put_site(Site(id=made.site))
    for odd in ("x" * 100_000, "a\x00b", "\U0001f600" * 150):
        alert = made.alert(external_alert_id=odd)
        claim = made.claim(alert, "key", f"ck/{odd}", value="hash")
        assert await opened.accept(made.acceptance(claim, alert=alert)) == Accepted()
        assert (await opened.record(alert.id)).alert.external_alert_id == odd
        assert [row.id for row in await opened.alerts(external=odd)] == [alert.id]
        twin = made.alert()
        taken = await opened.accept(made.acceptance(made.claim(twin, "key", f"ck/{odd}"), alert=twin))
        assert taken == Taker(scope="key", owner=alert.id, value="hash")
        await opened.keep(made.site, alert.id, 0)
        assert await opened.accept(made.acceptance(made.claim(twin, "key", f"ck/{odd}"), alert=twin)) == Accepted()


async def test_a_taken_attempt_is_written_without_a_look_and_never_over_what_came_first(opened, made):
    """Both ways of writing an outcome come to the same record, whether or not a receipt was there first."""
    for early in ((), (AttemptState.DELIVERED,), (AttemptState.FAILED,)):
        told = []
        for quick in (True, False):
            accepted = made.acceptance()
            await opened.accept(accepted)
            for state in early:
                receipt = made.receipt(state, attempt=accepted.attempt.id)
                await opened.hear(made.site, "rcs", made.sender, (receipt,), made.now)
            taken = {"tries": 1, "raw": b"{}", "references": ("their-name",)}
            begun = accepted.attempt if quick else None
            assert await opened.outcome(made.outcome(accepted, begun=begun, **taken))
            record = await opened.record(accepted.alert.id)
            attempt = record.attempts[0]
            kinds = [entry.kind for entry in record.entries]
            told.append((record.alert.state, attempt.state, attempt.tries, attempt.raw, attempt.references, kinds))
        assert told[0] == told[1]
        assert told[0][1] is (early[0] if early else AttemptState.SENT)
