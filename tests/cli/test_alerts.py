"""`heliograph alerts`: the record told from top to bottom, numbers masked, nothing of it changed on the way."""

from __future__ import annotations

import asyncio
import io
import json

import msgspec
import pytest
from rich.console import Console

import heliograph.store
from heliograph.cli.story import decision_lines, story
from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.content import Card, CardBody, Media, Reply, Text
from heliograph.core.event import Entry
from heliograph.core.fallback import Need
from heliograph.core.plan import Considered, Decision, Step
from heliograph.core.ports import Acceptance, Exchange, Outcome, Record
from heliograph.core.record import decision_record, detail
from heliograph.core.site import Site
from heliograph.core.states import AttemptState
from heliograph.store import open as open_store

NUMBER = "+15005550006"
INFO = b'{"big": 12345678901234567890123, "price": 1.10, "phone": "15005550006"}'


def alert(**fields) -> Alert:
    base = {
        "id": "01a20000-0000-7000-8000-000000001000", "site": "1", "created": 1_795_404_162_225,
        "expires": 1_795_490_562_225, "recipient": NUMBER, "template": "t", "template_version": "2", "language": "en",
        "language_asked": "english", "variables": {}, "skill": "service", "version_tag": "1",
        "alert_info": msgspec.Raw(INFO), "first_name": "\x1b[31mMatt", "last_name": "Fanning",
    }  # fmt: skip
    return Alert(**{**base, **fields})


async def keep(url: str, one: Alert) -> None:
    attempt = Attempt(
        id=attempt_id(one.id, 1), alert=one.id, site="1", number=1, channel="rcs", provider="p",
        sender="s", recipient=one.recipient, created=one.created, expires=one.expires,
        content=Card(card=CardBody(title="Tap", media=Media(url="https://a.example/b.png"),
                                   suggestions=(Reply(text="See Menu"),))),
    )  # fmt: skip
    decision = Decision(
        considered=(
            Considered(channel="wa", sender="w", chosen=False, why="opted_out"),
            Considered(channel="rcs", sender="s", chosen=True, why="chosen"),
        )
    )
    store = await heliograph.store.open(url, migrate=True)
    try:
        await store.put_site(Site(id="1"))
        await store.accept(
            Acceptance(
                alert=one,
                attempt=attempt,
                decision=decision_record(decision, one),
                entries=(Entry(at=one.created, kind="accepted", by="api"),),
            )
        )
        exchange = Exchange(
            method="POST", url="https://p.example/***0006", status=200, milliseconds=12.3, response='{"a":1}'
        )
        await store.outcome(
            Outcome(
                site="1",
                alert=one.id,
                attempt=attempt.id,
                state=AttemptState.SENT,
                tries=1,
                references=(f"phones/{NUMBER}/1",),
                raw=f'{{"name": "phones/{NUMBER}/1"}}'.encode(),
                entries=(
                    Entry(at=one.created + 12, kind="sent", attempt=attempt.id, detail=detail(exchanges=(exchange,))),
                ),
            )
        )
    finally:
        await store.close()


@pytest.fixture
def kept(heliograph, tmp_path):
    def keep_one(**fields):
        one = alert(**fields)
        asyncio.run(keep(f"sqlite:///{tmp_path}/a.db", one))
        return one.id

    return keep_one


def test_the_story_goes_from_who_to_what_the_provider_said(heliograph, kept):
    ran = heliograph("alerts", "show", kept())
    assert ran.code == 0
    parts = [
        "Fanning", 't, version 2 (the call said "1")', 'en (the call said "english")', "The message", "Tap", "See Menu",
        "The decision", "the recipient opted out", "✓ chosen", "What happened", "accepted", "sent",
        "What the provider said", "POST https://p.example/***0006", "200 in 12 ms",
    ]  # fmt: skip
    place = 0
    for part in parts:
        place = ran.out.find(part, place)
        assert place >= 0, part


def test_a_channel_that_was_left_says_why_and_what_was_looked_at() -> None:
    one = alert()
    attempt = Attempt(
        id=attempt_id(one.id, 1), alert=one.id, site="1", number=1, channel="rcs", provider="p", sender="s",
        recipient=one.recipient, created=one.created, expires=one.expires, content=Text(text="Late"),
    )  # fmt: skip
    looked_at = (
        Considered(channel="rcs", sender="s", chosen=False, why="passed"),
        Considered(channel="sms", sender="t", chosen=True, why="chosen"),
    )
    told = detail(why="not_in_time", need="delivered", exception="revoke_refused", next="sms", considered=looked_at)
    left = Entry(at=one.created, kind="left", attempt=attempt.id, detail=told)
    stays = Entry(at=one.created, kind="stays", detail=detail(why="quiet_hours", until=one.expires))
    steps = (Step(channel="rcs", sender="s", provider="p", need=Need.DELIVERED, within=120),)
    decided = decision_record(Decision(considered=looked_at, steps=steps), one)
    shown = Console(width=300, record=True, file=io.StringIO())
    shown.print(story(Record(alert=one, attempts=(attempt,), entries=(left, stays), decision=decided), one.created))
    said = shown.export_text()
    assert "exception revoke_refused, next sms, looked at rcs: it was left before; sms: chosen" in said
    assert "why quiet_hours, until 2026-11-24 " in said
    assert "rcs has 120 s to be delivered." in said


def test_only_the_first_of_those_that_may_carry_it_is_called_chosen():
    considered = [
        {"channel": "rcs", "sender": "r", "chosen": False, "why": "cannot_reach", "detail": ["cannot_reach"]},
        {"channel": "wa", "sender": "w", "chosen": True, "why": "chosen"},
        {"channel": "sms", "sender": "s1", "chosen": True, "why": "chosen", "rules": ["A rule."]},
        {"channel": "sms", "sender": "s2", "chosen": True, "why": "chosen", "rules": ["A rule."]},
    ]
    shown = Console(width=100)
    with shown.capture() as caught:
        shown.print(*decision_lines(json.dumps({"considered": considered}).encode()))
    told = caught.get()
    assert (told.count("✓ chosen"), told.count("· next"), told.count("Made to fit")) == (1, 2, 1)
    assert "cannot be reached on it" in told and "cannot_reach" not in told


def test_numbers_are_masked_everywhere_unless_asked(heliograph, kept):
    name = kept()
    for words in (("alerts", "list"), ("alerts", "show", name)):
        for form in ((), ("--json",)):
            assert NUMBER[1:] not in heliograph(*words, *form).out
            assert NUMBER in heliograph(*words, "--full", *form).out
    assert "0006" in heliograph("alerts", "list").out


def test_alert_info_is_the_callers_own_bytes(heliograph, kept):
    out = heliograph("alerts", "show", kept(), "--json").out
    assert "12345678901234567890123" in out
    assert "1.10" in out
    assert heliograph("alerts", "show", kept(), "--full", "--json").data["alert"]["alert_info"] == json.loads(INFO)


def test_a_record_without_alert_info(heliograph, kept):
    name = kept(alert_info=msgspec.Raw(b""))
    assert heliograph("alerts", "show", name).code == 0
    assert heliograph("alerts", "show", name, "--json").data["alert"]["alert_info"] is None


def test_json_holds_the_providers_body_and_the_decision_as_json(heliograph, kept):
    found = heliograph("alerts", "show", kept(), "--full", "--json").data
    assert found["attempts"][0]["raw"] == {"name": f"phones/{NUMBER}/1"}
    assert found["decision"]["considered"][1]["chosen"] is True
    assert [entry["kind"] for entry in found["entries"]] == ["accepted", "sent"]


def test_a_name_cannot_steer_the_terminal(heliograph, kept):
    assert "\x1b" not in heliograph("alerts", "show", kept()).out


def test_lists_are_filtered(heliograph, kept):
    kept()
    assert len(heliograph("alerts", "list", "--state", "sent", "--json").data) == 1
    assert heliograph("alerts", "list", "--state", "failed", "--json").data == []
    assert "No alerts here yet" in heliograph("alerts", "list", "--site", "2").out
    assert len(heliograph("alerts", "list", "--recipient", NUMBER, "--json").data) == 1


def test_what_is_in_doubt_is_found_and_settled_with_a_name(tmp_path, heliograph) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    one = alert()

    async def doubt() -> None:
        await keep(url, one)
        store = await open_store(url, migrate=True)
        attempt = (await store.record(one.id)).attempts[0]  # type: ignore[union-attr]
        second = alert(id="01a20000-0000-7000-8000-000000000002")
        other = msgspec.structs.replace(
            attempt, id=attempt_id(second.id, 1), alert=second.id, state=AttemptState.SENDING
        )
        await store.accept(Acceptance(alert=second, attempt=other, decision=b"{}"))
        await store.outcome(Outcome(site="1", alert=second.id, attempt=other.id, state=AttemptState.IN_DOUBT))
        await store.close()

    asyncio.run(doubt())
    (row,) = heliograph("alerts", "list", "--state", "in_doubt", "--json").data
    assert row["id"].endswith("2")
    assert "? in doubt" in heliograph("alerts", "list", "--state", "in_doubt").out
    ran = heliograph("alerts", "settle", row["id"], "sent", "--by", "ann", "--why", "the provider's log has it")
    assert ran.code == 0 and "settled as sent by ann" in ran.out
    shown = heliograph("alerts", "show", row["id"]).out
    assert "settled" in shown and "ann" in shown and "the provider's log has it" in shown
    assert heliograph("alerts", "list", "--state", "in_doubt", "--json").data == []
    again = heliograph("alerts", "settle", row["id"], "failed", "--json")
    assert again.code == 1 and "not_in_doubt" in again.err
    assert heliograph("alerts", "settle", row["id"], "perhaps").code == 2
