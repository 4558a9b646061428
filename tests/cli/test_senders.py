"""`heliograph senders`: what nodes reported, pauses with a name, and what waits for an operator."""

from __future__ import annotations

import asyncio
import os
import time

import heliograph.store
from cli.conftest import EXAMPLE
from heliograph.cli.senders import seen
from heliograph.core.event import Receipt
from heliograph.core.site import Sender, SenderReport
from heliograph.core.states import AttemptState

SITE, NAME = "25508804", "acme-rcs"


def now() -> int:
    return time.time_ns() // 1_000_000


def report(state: str, **more) -> SenderReport:
    base = {"site": SITE, "sender": NAME, "node": "a", "at": now(), "state": state}
    return SenderReport(**{**base, **more})


async def write(*reports: SenderReport, receipts: tuple[Receipt, ...] = (), at: int = 0) -> None:
    store = await heliograph.store.open(os.environ["HELIOGRAPH_DATABASE_URL"], migrate=False)
    try:
        await store.report_senders(reports)
        if receipts:
            await store.hear(SITE, "rcs", NAME, receipts, at)
    finally:
        await store.close()


def test_without_a_server_nothing_is_claimed(applied) -> None:
    (one,) = applied("senders", "--json").data
    assert (one["state"], one["share"]) == ("unknown", None)
    assert one["callback"].endswith(f"/callbacks/rcs/google-rbm/{SITE}/{NAME}")
    ran = applied("senders")
    assert "No server has told of its senders" in ran.err and one["callback"] in ran.out


def test_the_worst_of_the_nodes_is_shown_and_their_counts_together(applied) -> None:
    until = now() + 60_000
    asyncio.run(
        write(
            report("closed", good=90),
            report("open", node="b", bad=10, why="10 of 10 hand-overs failed", since=now(), next_try=until),
            report("not_open", node="c", at=now() - 90_000),  # too old to say anything
        )
    )
    (one,) = applied("senders", "--json").data
    assert (one["state"], one["share"], one["next_try"]) == ("open", 0.9, until)
    assert len(one["nodes"]) == 2
    shown = applied("senders").out
    assert "acme-rcs is open for 0 s: 10 of 10 hand-overs failed. It is tried again in" in shown
    assert "90 % of 100" in shown


def test_a_line_that_is_down_is_told_though_no_hand_over_failed(applied) -> None:
    asyncio.run(write(report("closed", why="no bind is up. It is connecting.")))
    shown = applied("senders").out
    assert "! line down" in shown and "acme-rcs: no bind is up. It is connecting." in shown
    told = [one["found"] for one in applied("doctor", "--json").data["findings"] if one["check"] == "sender acme-rcs"]
    assert told == ["at node a: no bind is up. It is connecting."]


def test_a_provider_that_posts_no_callbacks_has_no_address_for_them(heliograph, monkeypatch) -> None:
    monkeypatch.setenv("ACME_SMPP_HOST", "127.0.0.1")
    monkeypatch.setenv("ACME_SMPP_SYSTEM_ID", "acme")
    heliograph("apply", EXAMPLE)
    ran = heliograph("senders")
    assert "callbacks of acme-rcs" in ran.out and "callbacks of acme-smpp" not in ran.out
    assert "HELIOGRAPH_PUBLIC_URL is not set" in ran.err
    assert "PUBLIC_URL" not in heliograph("senders", "--public-url", "https://alerts.acme.example").err


def test_pause_and_resume(applied) -> None:
    asyncio.run(write(report("closed", good=1)))
    assert applied("senders", "pause", SITE, NAME, "--why", "review", "--by", "ann").code == 0
    (one,) = applied("senders", "--json").data
    assert (one["state"], one["why"], one["paused_by"]) == ("paused", "review (by ann)", "ann")
    assert applied("senders", "resume", SITE, NAME, "--by", "bob", "--json").data["by"] == "bob"
    (one,) = applied("senders", "--json").data
    assert (one["state"], one["paused"], one["paused_by"]) == ("running", "", "bob")


def test_an_unknown_sender(applied) -> None:
    ran = applied("senders", "pause", SITE, "nobody")
    assert ran.code == 1 and "There is no sender nobody" in ran.err


def test_a_report_from_before_a_resumption_does_not_make_it_paused() -> None:
    sender = Sender(site=SITE, name=NAME, channel="rcs", provider="google-rbm")
    assert seen(sender, (report("paused", why="review"),), None).state == "running"


def test_unmatched_receipts_are_listed_without_numbers_and_counted(applied) -> None:
    early = Receipt(event="e", state=AttemptState.FAILED, reference="phones/+12025550100/x", reason="unknown")
    asyncio.run(write(receipts=(early,), at=now() - 2 * 3_600_000))
    (one,) = applied("receipts", "unmatched", "--json").data
    assert (one["sender"], one["state"], one["reference"]) == (NAME, "failed", "phones/+1••••••0100/x")
    assert applied("receipts", "unmatched", "--older", "180", "--json").data == []
    assert applied("senders", "--json").data[0]["unmatched"] == 1
    assert "2025550100" not in applied("receipts", "unmatched").out


def test_doctor_points_to_what_waits_for_an_operator(applied) -> None:
    assert not any(one["found"].startswith("open at") for one in applied("doctor", "--json").data["findings"])
    early = Receipt(event="e", state=AttemptState.FAILED, reference="x", reason="unknown")
    asyncio.run(write(report("open", why="5 hand-overs in a row failed"), receipts=(early,), at=now() - 2 * 3_600_000))
    found = {one["check"]: one for one in applied("doctor", "--json").data["findings"] if one["state"] == "warning"}
    assert found[f"sender {NAME}"]["found"] == "open at node a: 5 hand-overs in a row failed"
    assert "heliograph receipts unmatched" in found["receipts unmatched"]["step"]
