"""What operators see and write: opt-outs, doubts, unmatched receipts, nodes' reports. The same on both engines."""

from __future__ import annotations

import msgspec

from heliograph.core.alert import attempt_id
from heliograph.core.event import Entry
from heliograph.core.optout import OptOut
from heliograph.core.ports import Acceptance, Accepted, Barred, LooseEnds, Outcome, Store, Written
from heliograph.core.site import SenderReport, Site
from heliograph.core.states import AlertState, AttemptState
from store.conftest import Clock, Made

WHO = "+12025550100"


def no(made: Made, scope: str = "all", *, at: int = 1000, **more: object) -> OptOut:
    return msgspec.convert(
        {"site": made.site, "recipient": WHO, "scope": scope, "at": at, "how": "cli", "by": "ann", **more}, OptOut
    )


# ── opt-outs ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_first_no_is_the_proof_and_a_repeat_changes_nothing(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    rows = (no(made), no(made, "wa"), no(made, at=2000, by="bob"))
    assert await opened.put_opt_outs(rows) == [Written.CHANGED, Written.CHANGED, Written.UNCHANGED]
    assert await opened.put_opt_outs(rows) == [Written.UNCHANGED] * 3
    assert await opened.opt_outs() == [no(made), no(made, "wa")]


async def test_an_older_no_does_not_bring_back_what_was_withdrawn(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    await opened.put_opt_outs((no(made),))
    assert await opened.put_opt_outs((no(made, at=5000, wanted=True),)) == [Written.CHANGED]
    assert await opened.opt_outs() == []
    assert await opened.put_opt_outs((no(made, at=4000),)) == [Written.NEWER]
    assert await opened.opted_out(made.site, WHO, "service") == frozenset()
    assert await opened.put_opt_outs((no(made, at=6000),)) == [Written.CHANGED]


async def test_to_withdraw_what_nobody_said_changes_nothing_and_is_remembered(opened: Store, made: Made) -> None:
    assert await opened.put_opt_outs((no(made, at=5000, wanted=True),)) == [Written.UNCHANGED]
    assert await opened.put_opt_outs((no(made, at=4000),)) == [Written.NEWER]


async def test_what_was_said_last_decides_and_the_first_no_stays_the_proof(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    await opened.put_opt_outs((no(made, at=1000), no(made, at=3000, by="bob")))
    assert await opened.put_opt_outs((no(made, at=2000, wanted=True),)) == [Written.NEWER]  # older than the second no
    assert await opened.opt_outs() == [no(made, at=1000)]


async def test_a_providers_event_says_how_it_came(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    await opened.hear(made.site, "rcs", "acme", (made.opt_out(WHO, at=7000),), made.now)
    assert await opened.opt_outs() == [no(made, "rcs", at=7000, how="provider", by="acme")]


async def test_lists_go_on_where_the_page_before_ended(opened: Store, made: Made) -> None:
    for site in ("1", "2"):
        await opened.put_site(Site(id=site))
    rows = [
        OptOut(site=site, recipient=f"+1202555010{n}", scope=scope, at=1)
        for site in ("1", "2")
        for n in range(4)
        for scope in ("all", "rcs")
    ]
    await opened.put_opt_outs(tuple(rows))
    found: list[OptOut] = []
    after = ("", "", "")
    while page := await opened.opt_outs(after=after, limit=3):
        found += page
        after = (page[-1].site, page[-1].recipient, page[-1].scope)
    assert found == rows
    assert await opened.opt_outs(site="2", scope="rcs", limit=9) == [
        row for row in rows if row.site == "2" and row.scope == "rcs"
    ]
    assert len(await opened.opt_outs(recipient="+12025550102", limit=9)) == 4


async def test_a_no_to_the_alerts_skill_bars_it_and_one_to_another_does_not(opened: Store, made: Made) -> None:
    await opened.put_opt_outs((no(made, "skill:marketing"),))
    service, marketing = made.alert(recipient=WHO), made.alert(recipient=WHO, skill="marketing")
    assert isinstance(await opened.accept(made.acceptance(alert=service)), Accepted)
    barred = await opened.accept(made.acceptance(alert=marketing))
    assert barred == Barred(scopes=frozenset({"all", "skill:marketing"}))
    again = made.acceptance(alert=marketing, opted_out=barred.scopes)  # a decision that knew of it
    assert isinstance(await opened.accept(again), Accepted)
    assert await opened.opted_out(made.site, WHO, "service") == frozenset()


async def test_a_no_to_the_skill_that_came_between_keeps_a_further_attempt_from_beginning(
    opened: Store, made: Made
) -> None:
    acceptance = made.acceptance()
    await opened.accept(acceptance)
    further = made.attempt(acceptance.alert, number=2, id=attempt_id(acceptance.alert.id, 2))
    outcome = made.outcome(acceptance, AttemptState.FAILED, next=further)
    await opened.put_opt_outs((no(made, "skill:service", recipient=acceptance.alert.recipient),))
    assert not await opened.outcome(outcome)
    await opened.put_opt_outs((no(made, "skill:service", recipient=acceptance.alert.recipient, at=2000, wanted=True),))
    await opened.put_opt_outs((no(made, "skill:marketing", recipient=acceptance.alert.recipient),))
    assert await opened.outcome(outcome)


# ── doubts, settling ────────────────────────────────────────────────────────────────────────────────────────────────


async def in_doubt(opened: Store, made: Made) -> Acceptance:
    acceptance = made.acceptance()
    await opened.accept(acceptance)
    assert acceptance.attempt
    due = (made.due(acceptance.attempt.id, at=made.now + 60_000),)
    await opened.outcome(made.outcome(acceptance, AttemptState.IN_DOUBT, due=due))
    return acceptance


async def test_what_is_in_doubt_is_listed_and_counted_until_it_is_settled(opened: Store, made: Made) -> None:
    await opened.put_site(Site(id=made.site))
    first, second = await in_doubt(opened, made), await in_doubt(opened, made)
    await opened.accept(made.acceptance())  # another one, just under way
    assert [row.id for row in await opened.alerts(state="in_doubt")] == [second.alert.id, first.alert.id]
    assert [row.id for row in await opened.alerts(state="in_doubt", before=second.alert.id)] == [first.alert.id]
    assert await opened.loose_ends(0) == [LooseEnds(site=made.site, sender="acme", in_doubt=2)]
    assert first.attempt and second.attempt
    await opened.hear(
        made.site, "rcs", "acme", (made.receipt(AttemptState.DELIVERED, attempt=first.attempt.id),), made.now
    )
    await opened.outcome(made.outcome(second, AttemptState.SENT))
    assert await opened.alerts(state="in_doubt") == []
    assert await opened.loose_ends(0) == []


async def test_what_nobody_can_settle_any_more_is_listed_no_longer(opened: Store, made: Made, clock: Clock) -> None:
    """An alert that got through by another attempt leaves its first in doubt for ever."""
    await opened.put_site(Site(id=made.site))
    await in_doubt(opened, made)
    clock.now += 16 * 86_400_000
    await opened.purge(clock.now)
    assert await opened.loose_ends(0) == [LooseEnds(site=made.site, sender="acme", in_doubt=1)]
    await opened.purge(clock.now + 1)
    assert await opened.alerts(state="in_doubt") == []
    assert await opened.loose_ends(0) == []


async def test_settling_waits_for_nobody_and_undoes_nothing(opened: Store, made: Made, clock: Clock) -> None:
    acceptance = await in_doubt(opened, made)
    assert acceptance.attempt

    def settled(state: AttemptState) -> Outcome:
        entry = Entry(
            at=clock.now, kind="settled", by="ann", attempt=acceptance.attempt.id if acceptance.attempt else ""
        )
        settled = made.outcome(acceptance, state, expects=AttemptState.IN_DOUBT)
        return msgspec.structs.replace(settled, entries=(entry,))

    clock.now += 61_000
    (row,) = await opened.claim_due(clock.now, clock.now + 60_000, "node", 5)
    assert not await opened.outcome(settled(AttemptState.FAILED))  # a node is just asking the provider
    await opened.push_due(msgspec.structs.replace(row, lease=0))
    assert await opened.outcome(settled(AttemptState.SENT))
    assert not await opened.outcome(settled(AttemptState.FAILED))  # it is in doubt no more
    record = await opened.record(acceptance.alert.id)
    assert record and record.alert.state is AlertState.SENT
    assert [(entry.kind, entry.by) for entry in record.entries][-1] == ("settled", "ann")


# ── unmatched receipts, reports ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_receipt_of_nobodys_is_unmatched_after_its_time(opened: Store, made: Made, clock: Clock) -> None:
    await opened.hear(made.site, "sms", "short", (made.receipt(AttemptState.FAILED, reference="SM1"),), made.now)
    assert await opened.unmatched(made.now - 1, 9) == [] == await opened.loose_ends(made.now - 1)
    (one,) = await opened.unmatched(made.now, 9)
    assert (one.sender, one.channel, one.reference, one.receipt.state) == ("short", "sms", "SM1", AttemptState.FAILED)
    assert await opened.loose_ends(made.now) == [LooseEnds(site=made.site, sender="short", unmatched=1)]


async def test_reports_of_nodes_stand_side_by_side_and_the_newest_counts(opened: Store, made: Made) -> None:
    def report(node: str, at: int, state: str) -> SenderReport:
        return SenderReport(site=made.site, sender="acme", node=node, at=at, state=state)

    await opened.report_senders((report("a", 10, "closed"), report("b", 10, "open")))
    await opened.report_senders((report("a", 20, "half_open"),))
    assert await opened.sender_reports(10) == [report("a", 20, "half_open"), report("b", 10, "open")]
    assert await opened.sender_reports(11) == [report("a", 20, "half_open")]
