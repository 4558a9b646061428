"""When a channel is left for the next one, rule by rule: by a receipt, by time, by a revoke's answer; and when not."""

from __future__ import annotations

import pytest

from flow.stage import Stage, still
from flow.world import refusal
from heliograph.core.channel import Carries
from heliograph.core.event import Inbound, Receipt
from heliograph.core.fallback import Doubt, Fallback, Need, Rule
from heliograph.core.site import Hours, QuietHours
from heliograph.core.states import AttemptState
from heliograph.errors import AlertRefused, Fate

MINUTE = {"need": "delivered", "within": 60}
DELIVERED, READ, FAILED, EXPIRED = (
    AttemptState.DELIVERED,
    AttemptState.READ,
    AttemptState.FAILED,
    AttemptState.EXPIRED,
)


# ── on a no ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_a_negative_receipt_leads_to_the_next_channel_at_once(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    assert (await stage.send()).channel == "rcs"
    await stage.passes(1)
    await stage.tell("rcs", EXPIRED)
    await stage.passes(1)
    assert await stage.path() == "rcs:expired sms:sent | sent"
    assert stage.provider("rcs").revoked == []
    [(_, left)] = await stage.lines("left")
    assert (left["why"], left["next"]) == ("expired", "sms")
    assert [line["why"] for line in left["considered"]] == ["passed", "chosen"]


@still
async def test_without_a_rule_no_channel_is_left_by_time(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.send(time_to_live=3600)
    await stage.passes(3500)
    assert await stage.path() == "rcs:sent | sent"
    await stage.passes(200)
    assert await stage.path() == "rcs:expired | expired"
    assert stage.provider("rcs").revoked == stage.provider("sms").seen == []
    assert await stage.due() == []


@still
async def test_after_the_last_channel_said_no_the_alert_has_ended(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.send()
    await stage.tell("rcs", FAILED)
    await stage.passes(1)
    await stage.tell("sms", FAILED)
    await stage.passes(1)
    assert await stage.path() == "rcs:failed sms:failed | failed"
    assert await stage.due() == []


@still
async def test_a_step_that_needs_sent_is_not_left_once_it_was_sent(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback={"need": "sent", "within": 30})
    await stage.send()
    await stage.passes(100)
    await stage.tell("rcs", FAILED)
    await stage.passes(10)
    assert await stage.path() == "rcs:failed | failed"
    assert stage.provider("sms").seen == []


@still
async def test_a_channel_that_the_recipient_opted_out_of_meanwhile_is_not_the_next(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.send()
    await stage.opt_out("sms")
    await stage.tell("rcs", FAILED)
    await stage.passes(5)
    assert await stage.path() == "rcs:failed | failed"
    [(_, end)] = [line for line in await stage.lines("failed") if "considered" in line[1]]
    assert [line["why"] for line in end["considered"]] == ["passed", "opted_out"]


@still
async def test_nothing_follows_after_the_alerts_end(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.send(time_to_live=30)
    await stage.passes(30)
    await stage.tell("rcs", EXPIRED)
    await stage.passes(100)
    assert await stage.path() == "rcs:expired | expired"


@still
async def test_quiet_hours_hold_the_next_channel_back(stage: Stage) -> None:
    """Time begins at 2030-03-17 17:46:40 UTC; the recipient's zone is Eastern, four hours behind."""
    await stage.set_up("rcs", "sms")
    await stage.send(time_to_live=20_000)
    hours = QuietHours(start="13:47", end="14:46", rule=Hours.DELAY, zone="America/New_York")
    await stage.set_up("rcs", "sms", quiet_hours=hours)
    await stage.passes(60)
    await stage.tell("rcs", FAILED)
    await stage.passes(3000)
    assert await stage.path() == "rcs:failed | sent"
    [(_, stays)] = await stage.lines("stays")
    assert stays["why"] == "quiet_hours"
    await stage.passes(600)
    assert await stage.path() == "rcs:failed sms:sent | sent"


# ── by time, where the message can be taken back ────────────────────────────────────────────────────────────────────


@still
async def test_what_does_not_arrive_in_time_is_taken_back_and_then_the_next_channel_is_tried(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send()
    await stage.passes(59)
    assert stage.provider("rcs").revoked == []
    await stage.passes(3)
    assert await stage.path() == "rcs:revoked | sent"
    assert stage.provider("sms").seen == []  # a late delivery is waited for
    await stage.passes(6)
    assert await stage.path() == "rcs:revoked sms:sent | sent"
    assert await stage.exceptions() == []
    assert [kind for kind, _ in await stage.lines()] == ["accepted", "sent", "revoke", "revoked", "left", "sent"]


@still
async def test_a_delivery_in_time_ends_the_matter(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send()
    await stage.passes(50)
    await stage.tell("rcs", DELIVERED)
    await stage.passes(600)
    assert await stage.path() == "rcs:delivered | delivered"
    assert stage.provider("rcs").revoked == []
    assert await stage.due() == []


@still
async def test_a_late_delivery_after_the_revoke_keeps_the_next_channel_away(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send()
    await stage.passes(62)
    await stage.tell("rcs", DELIVERED)
    await stage.passes(60)
    assert await stage.path() == "rcs:delivered | delivered"
    assert stage.provider("sms").seen == []


@still
async def test_a_delivery_that_comes_too_late_is_named(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send()
    await stage.passes(70)
    await stage.tell("rcs", DELIVERED)
    assert await stage.path() == "rcs:delivered sms:sent | delivered"
    assert await stage.exceptions() == ["late_delivered"]


@still
async def test_not_there_means_delivered_where_the_provider_had_taken_it(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").revokes = [False]
    await stage.send()
    await stage.passes(120)
    assert await stage.path() == "rcs:delivered | delivered"
    assert (await stage.lines("delivered"))[0][1]["answer"] == "not_there"
    assert await stage.due() == []


@still
async def test_not_there_is_unknown_where_the_provider_never_answered(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").script = [refusal(Fate.UNKNOWN)] * 100
    stage.provider("rcs").revokes = [False, False]
    assert (await stage.send()).kind == "in_doubt"
    await stage.passes(80)
    assert await stage.path() == "rcs:in_doubt sms:sent | sent"
    assert await stage.exceptions() == ["revoke_unknown"] * 3
    assert len(stage.provider("rcs").revoked) == 2


@still
async def test_a_receipt_settles_an_unknown_revoke(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").script = [refusal(Fate.UNKNOWN)] * 100
    stage.provider("rcs").revokes = [False]
    await stage.send()
    await stage.passes(42)
    await stage.tell("rcs", DELIVERED)
    await stage.passes(100)
    assert await stage.path() == "rcs:delivered | delivered"
    assert stage.provider("sms").seen == []


@still
async def test_a_refused_revoke_is_unknown_and_named(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").revokes = [refusal(Fate.CONFIG, "credentials_refused")] * 2
    await stage.send()
    await stage.passes(80)
    assert await stage.path() == "rcs:sent sms:sent | sent"
    assert set(await stage.exceptions()) == {"revoke_refused"}
    assert (await stage.lines("revoke_answer"))[0][1]["code"] == "credentials_refused"


@still
async def test_a_revoke_without_an_answer_is_asked_once_more_and_then_gone_proves_it(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").revokes = [refusal(Fate.UNKNOWN), True]
    await stage.send()
    await stage.passes(80)
    assert await stage.path() == "rcs:revoked sms:sent | sent"
    assert await stage.exceptions() == ["revoke_unanswered"]


@still
async def test_not_there_at_the_second_question_proves_nothing(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").revokes = [refusal(Fate.UNKNOWN), False]
    await stage.send()
    await stage.passes(80)
    assert await stage.path() == "rcs:sent sms:sent | sent"
    assert await stage.exceptions() == ["revoke_unanswered", "revoke_unknown", "revoke_unknown"]


@still
async def test_a_message_id_is_never_repeated_after_a_revoke_was_asked(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback={"need": "delivered", "within": 30})
    stage.provider("rcs").script = [refusal(Fate.UNKNOWN)] * 100
    stage.provider("rcs").revokes = [refusal(Fate.UNKNOWN)] * 3
    await stage.send()
    await stage.passes(31)
    tries = len(stage.provider("rcs").seen)
    await stage.passes(900)
    assert len(stage.provider("rcs").seen) == tries
    assert (await stage.attempts())[0].revoke_asked is not None


@still
async def test_a_message_stays_where_it_is_while_there_is_nowhere_to_go(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send(time_to_live=600)
    await stage.opt_out("sms")
    await stage.passes(300)
    assert await stage.path() == "rcs:sent | sent"
    assert stage.provider("rcs").revoked == []
    assert [line["why"] for _, line in await stage.lines("stays")] == ["no_channel_left"]


# ── by time, where it cannot ────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_a_channel_that_cannot_take_back_is_not_left_by_time(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback=MINUTE)
    await stage.send()
    await stage.passes(600)
    assert await stage.path() == "wa:sent | sent"
    assert [line["why"] for _, line in await stage.lines("stays")] == ["cannot_take_back"]
    await stage.tell("wa", FAILED)
    await stage.passes(1)
    assert await stage.path() == "wa:failed sms:sent | sent"


@still
async def test_overlap_leaves_it_and_is_named(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback={**MINUTE, "overlap": "allow"})
    await stage.send()
    await stage.passes(62)
    assert await stage.path() == "wa:sent sms:sent | sent"
    assert await stage.exceptions() == ["overlap"]
    await stage.tell("wa", DELIVERED)
    assert await stage.path() == "wa:delivered sms:sent | delivered"


@still
async def test_a_delivery_of_an_earlier_channel_keeps_the_third_away(stage: Stage) -> None:
    await stage.set_up("wa", "rcs", "sms", fallback={**MINUTE, "overlap": "allow"})
    await stage.send()
    await stage.passes(62)
    assert await stage.path() == "wa:sent rcs:sent | sent"
    await stage.tell("wa", DELIVERED)
    await stage.tell("rcs", FAILED)
    await stage.passes(600)
    assert await stage.path() == "wa:delivered rcs:failed | delivered"
    assert stage.provider("sms").seen == []
    assert await stage.due() == []


@still
async def test_a_delivery_while_the_second_is_handed_over_keeps_the_third_away(stage: Stage) -> None:
    await stage.set_up("wa", "rcs", "sms", fallback={**MINUTE, "overlap": "allow"})
    stage.provider("rcs").script = [refusal(Fate.RETRY, "not_connected"), refusal(Fate.PERMANENT)]
    await stage.send()
    while len(stage.provider("rcs").seen) < 1:
        await stage.passes(0.05)
    await stage.tell("wa", DELIVERED)
    await stage.passes(100)
    assert stage.provider("sms").seen == []
    assert (await stage.record()).alert.state == "delivered"


@still
async def test_an_alert_stays_open_while_an_earlier_attempt_may_arrive(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback={**MINUTE, "overlap": "allow"})
    await stage.send(time_to_live=900)
    await stage.passes(62)
    await stage.tell("sms", FAILED)
    await stage.passes(10)
    assert await stage.path() == "wa:sent sms:failed | sent"
    await stage.passes(1000)
    assert await stage.path() == "wa:expired sms:failed | expired"
    assert await stage.due() == []


# ── a step that asks for read ───────────────────────────────────────────────────────────────────────────────────────


@still
async def test_what_is_delivered_and_not_read_is_left_without_a_revoke(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback={"need": "read", "within": 60})
    await stage.send()
    await stage.tell("rcs", DELIVERED)
    await stage.passes(62)
    assert await stage.path() == "rcs:delivered sms:sent | delivered"
    assert await stage.exceptions() == ["read_asked"]
    assert stage.provider("rcs").revoked == []


@still
async def test_what_is_read_in_time_is_not_left(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback={"need": "read", "within": 60})
    await stage.send()
    await stage.tell("rcs", DELIVERED)
    await stage.tell("rcs", READ)
    await stage.passes(600)
    assert await stage.path() == "rcs:read | read"
    assert await stage.due() == []


@still
async def test_what_is_not_even_delivered_is_taken_back_where_read_is_asked_for(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback={"need": "read", "within": 60})
    await stage.send()
    await stage.passes(70)
    assert await stage.path() == "rcs:revoked sms:sent | sent"


# ── who says it ─────────────────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_the_template_stands_above_the_site_and_a_channel_above_all_channels(stage: Stage) -> None:
    says = Fallback(need=Need.DELIVERED, channels={"rcs": Rule(within=10)})
    await stage.set_up("rcs", "wa", "sms", says=says, fallback={"need": "sent", "within": 300, "overlap": "allow"})
    await stage.send()
    rcs = (await stage.attempts())[0]
    assert (rcs.need, rcs.leave_at, rcs.overlap) == (Need.DELIVERED, rcs.created + 10_000, True)
    await stage.tell("rcs", FAILED)
    await stage.passes(1)
    wa = (await stage.attempts())[1]
    assert (wa.need, wa.leave_at) == (Need.DELIVERED, wa.created + 300_000)
    await stage.tell("wa", FAILED)
    await stage.passes(1)
    sms = (await stage.attempts())[2]
    assert (sms.need, sms.leave_at, sms.overlap) == (Need.SENT, None, False)  # the last one


@still
async def test_a_forced_channel_is_left_for_nothing(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    await stage.send(channel="rcs")
    await stage.passes(300)
    assert await stage.path() == "rcs:sent | sent"
    await stage.tell("rcs", FAILED)
    await stage.passes(5)
    assert await stage.path() == "rcs:failed | failed"


# ── what is in doubt ────────────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_a_provider_that_can_be_asked_settles_a_doubt(stage: Stage) -> None:
    await stage.set_up("sms", "wa")
    sms = stage.provider("sms")
    sms.can_ask, sms.script = True, [refusal(Fate.UNKNOWN)]
    sms.knows = [None, refusal(Fate.RETRY), Receipt(event="", state=AttemptState.SENT)]
    await stage.send()
    await stage.passes(100)
    assert await stage.path() == "sms:sent | sent"
    assert len(sms.seen) == 1


@still
async def test_a_doubt_that_is_asked_away_leads_to_the_next_channel(stage: Stage) -> None:
    await stage.set_up("sms", "wa")
    sms = stage.provider("sms")
    sms.can_ask, sms.script = True, [refusal(Fate.UNKNOWN)]
    sms.knows = [Receipt(event="", state=FAILED, reason="rejected")]
    await stage.send()
    await stage.passes(20)
    assert await stage.path() == "sms:failed wa:sent | sent"


@still
async def test_a_doubt_passes_for_sent_after_its_time(stage: Stage) -> None:
    await stage.set_up("sms")
    stage.provider("sms").script = [refusal(Fate.UNKNOWN)]
    await stage.send(time_to_live=900)
    await stage.passes(100)
    assert await stage.path() == "sms:in_doubt | sending"
    await stage.passes(30)
    assert await stage.path() == "sms:sent | sent"
    assert (await stage.attempts())[0].reason == "assumed_sent"
    assert (await stage.send(time_to_live=900)).kind == "in_doubt"  # its caller is told no more than is known
    await stage.passes(900)
    assert await stage.path() == "sms:expired | expired"
    assert (await stage.attempts())[0].reason == "never_settled"


@still
async def test_a_doubt_is_sent_anew_once_where_the_site_says_so(stage: Stage) -> None:
    await stage.set_up("sms", fallback={"in_doubt": Doubt.RESEND})
    stage.provider("sms").script = [refusal(Fate.UNKNOWN)] * 2
    await stage.send()
    await stage.passes(125)
    assert await stage.path() == "sms:in_doubt sms:in_doubt | sending"
    assert await stage.exceptions() == ["resent"]
    await stage.passes(300)
    assert await stage.path() == "sms:in_doubt sms:sent | sent"
    assert len(stage.provider("sms").seen) == 2


@still
async def test_a_doubt_of_a_channel_that_can_take_back_is_taken_back_in_time(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    stage.provider("rcs").script = [refusal(Fate.UNKNOWN)] * 100
    await stage.send()
    await stage.passes(80)
    assert await stage.path() == "rcs:revoked sms:sent | sent"


# ── several senders of one channel ──────────────────────────────────────────────────────────────────────────────────


@still
async def test_another_sender_of_the_channel_is_tried_where_the_first_is_at_fault(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.another_sender("rcs", "b-rcs")
    stage.provider("rcs").script = [refusal(Fate.CONFIG, "credentials_refused")]
    assert (await stage.send()).channel == "rcs"
    attempts = await stage.attempts()
    assert [one.state for one in attempts] == ["failed", "sent"]
    assert {one.sender for one in attempts} == {"a-rcs", "b-rcs"}  # which is first is drawn for each recipient


@still
async def test_no_other_sender_of_the_channel_is_tried_where_the_recipient_cannot_be_reached(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.another_sender("rcs", "b-rcs")
    stage.provider("rcs").script = [refusal(Fate.NEXT_CHANNEL, "cannot_reach")]
    assert (await stage.send()).channel == "sms"


# ── crashes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_another_node_goes_on_to_the_channels_that_were_left(stage: Stage) -> None:
    """The first node dies while it hands over; the one that follows it up goes on to the next channel."""
    await stage.set_up("rcs", "sms")
    stage.provider("rcs").script = [3600.0, refusal(Fate.PERMANENT)]
    await stage.dies_while_sending()
    await stage.passes(60)
    assert await stage.path() == "rcs:failed sms:sent | sent"


@still
async def test_an_overlapping_outage_does_not_strand_the_alert(stage: Stage) -> None:
    """The second channel cannot be connected to; it is tried again until it can, though the alert shows `sent`."""
    await stage.set_up("rcs", "sms")
    stage.provider("sms").script = [refusal(Fate.RETRY, "not_connected")] * 8
    await stage.send()
    await stage.tell("rcs", FAILED)
    await stage.passes(120)
    assert await stage.path() == "rcs:failed sms:failed sms:failed sms:sent | sent"


# ── the recipient's window ──────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_free_content_goes_while_the_recipients_window_is_open(stage: Stage) -> None:
    await stage.set_up("wa")
    stage.house.plug.CARRIES = Carries(window=3600)
    with pytest.raises(AlertRefused) as refused:
        await stage.send()
    assert refused.value.code == "cannot_reach"
    await stage.hear("wa", Inbound(event="hello", recipient="+17703101414", kind="text", text="hello"))
    assert (await stage.send(external_alert_id="two")).kind == "taken"
    [message] = stage.provider("wa").delivered.values()
    assert message.window
    await stage.passes(3601)
    with pytest.raises(AlertRefused):
        await stage.send(external_alert_id="three")


@still
async def test_a_window_that_closes_while_the_alert_waits_rules_the_channel_out(stage: Stage) -> None:
    await stage.set_up("sms", "wa")
    stage.house.plug.CARRIES = Carries(window=60)
    for channel in ("sms", "wa"):
        await stage.hear(channel, Inbound(event=channel, recipient="+17703101414", kind="text", text="hello"))
    await stage.send()
    await stage.passes(70)
    await stage.tell("sms", FAILED)
    await stage.passes(5)
    assert await stage.path() == "sms:failed | failed"
    [(_, end)] = [line for line in await stage.lines("failed") if "considered" in line[1]]
    assert [line["why"] for line in end["considered"]] == ["passed", "outside_window"]


# ── what was held ───────────────────────────────────────────────────────────────────────────────────────────────────


@still
async def test_a_held_alert_is_not_stopped_by_the_cap_that_it_counts_in(stage: Stage) -> None:
    hours = QuietHours(start="13:00", end="14:00", rule=Hours.DELAY, zone="America/New_York")
    await stage.set_up("sms", quiet_hours=hours, cap={"count": 1})
    assert (await stage.send()).kind == "scheduled"
    await stage.passes(900)
    assert await stage.path() == "sms:sent | sent"


@still
async def test_a_refused_call_whose_next_channel_is_only_paused_is_held_and_goes_on(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.pause("sms", "config")
    stage.provider("rcs").script = [refusal(Fate.PERMANENT)]
    result = await stage.send()
    assert result.kind == "scheduled" and result.send_at is not None
    assert await stage.path() == "rcs:failed | scheduled"
    assert (await stage.send()).send_at == result.send_at  # the same call is told the same
    await stage.passes(125)
    assert await stage.path() == "rcs:failed sms:sent | sent"
    assert len(stage.provider("rcs").seen) == 1
    assert await stage.due() == ["attempt"]


@still
async def test_a_refused_call_whose_next_channel_stays_paused_ends(stage: Stage) -> None:
    await stage.set_up("rcs", "sms")
    await stage.pause("sms", "config")
    stage.provider("rcs").script = [refusal(Fate.PERMANENT)]
    stage.provider("sms").script = [refusal(Fate.CONFIG)] * 100
    await stage.send(time_to_live=300)
    await stage.passes(500)
    assert (await stage.record()).alert.state in ("failed", "expired")
    assert len(stage.provider("rcs").seen) == 1
    assert await stage.due() == []


@still
async def test_a_doubt_is_settled_though_its_channel_cannot_be_left_in_time(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback=MINUTE)
    stage.provider("wa").script = [refusal(Fate.UNKNOWN)]
    await stage.send(time_to_live=900)
    await stage.passes(100)
    assert await stage.path() == "wa:in_doubt | sending"
    await stage.passes(30)
    assert await stage.path() == "wa:sent | sent"
    assert (await stage.attempts())[0].reason == "assumed_sent"
    assert [line["why"] for _, line in await stage.lines("stays")] == ["cannot_take_back"]
    await stage.passes(900)
    assert await stage.path() == "wa:expired | expired"


@still
async def test_a_doubt_is_asked_about_though_there_is_nowhere_to_go(stage: Stage) -> None:
    await stage.set_up("sms", "wa", fallback=MINUTE)
    sms = stage.provider("sms")
    sms.can_ask, sms.script = True, [refusal(Fate.UNKNOWN)]
    await stage.send()
    await stage.opt_out("wa")
    await stage.passes(70)
    sms.knows = [Receipt(event="", state=DELIVERED)]
    await stage.passes(45)
    assert await stage.path() == "sms:delivered | delivered"


@still
async def test_the_same_call_is_given_its_first_answer_whatever_came_after_it(stage: Stage) -> None:
    await stage.set_up("rcs", "sms", fallback=MINUTE)
    first = await stage.send()
    await stage.passes(80)
    assert await stage.path() == "rcs:revoked sms:sent | sent"
    again = await stage.send()
    assert (again.alert, again.channel, again.raw, again.replayed) == (first.alert, "rcs", first.raw, True)


@still
async def test_the_list_shows_the_channel_that_really_carried_it(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback={**MINUTE, "overlap": "allow"})
    await stage.send()
    await stage.passes(65)
    [row] = await stage.store.alerts()
    assert row.channel == "sms"
    await stage.tell("wa", DELIVERED)
    [row] = await stage.store.alerts()
    assert (row.channel, row.state) == ("wa", "delivered")


@still
async def test_a_provider_that_can_be_asked_is_asked_before_its_channel_is_left(stage: Stage) -> None:
    await stage.set_up("sms", "wa", fallback={**MINUTE, "overlap": "allow"})
    sms = stage.provider("sms")
    sms.can_ask, sms.knows = True, [Receipt(event="", state=DELIVERED)]
    await stage.send()
    await stage.passes(100)
    assert await stage.path() == "sms:delivered | delivered"
    assert stage.provider("wa").seen == []
    assert await stage.due() == []


@still
async def test_a_provider_that_can_be_asked_is_asked_before_the_alert_is_called_expired(stage: Stage) -> None:
    await stage.set_up("sms")
    sms = stage.provider("sms")
    sms.can_ask, sms.knows = True, [Receipt(event="", state=DELIVERED)]
    await stage.send(time_to_live=60)
    await stage.passes(130)
    assert await stage.path() == "sms:delivered | delivered"


@still
async def test_who_has_answered_is_not_written_to_on_another_channel(stage: Stage) -> None:
    await stage.set_up("wa", "sms", fallback={**MINUTE, "overlap": "allow"})
    await stage.send()
    said = Inbound(event="yes", recipient="+17703101414", kind="text", text="yes", in_reply_to=await stage.newest())
    await stage.hear("wa", said)
    await stage.passes(300)
    assert await stage.path() == "wa:sent | sent"
    assert [line["why"] for _, line in await stage.lines("stays")] == ["replied"]
