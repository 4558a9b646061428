"""Every row of the outcome table that RCS can produce, by real processes: what the caller is told, what the handset
shows, and what the record says must be one truth.

One server serves all of it, with a deadline of four seconds; each site has one property of its own.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from journey.caller import Said
from journey.house import House, until
from journey.outside import free_port
from journey.sites import site
from journey.stub import Stub, stub

DEADLINE = 4.0
RECIPIENT_ZONE = ZoneInfo("America/New_York")  # where +1 404 rings
SITES = ("status", "held", "reject", "cap", "paused", "gone", "late", "brief", "odd")
NO = {"success": False, "error": "Failed Compatibility Check"}


def hours(start: datetime, end: datetime, rule: str) -> str:
    return f'[site.quiet_hours]\nstart = "{start:%H:%M}"\nend = "{end:%H:%M}"\nrule = "{rule}"\n'


@pytest.fixture(scope="module")
def provider() -> Iterator[Stub]:
    with stub() as made:
        yield made


@pytest.fixture(scope="module")
def quiet_end() -> datetime:
    """A full minute, twelve seconds away at least: a held alert leaves then."""
    soon = datetime.now(RECIPIENT_ZONE) + timedelta(seconds=12)
    return (soon + timedelta(minutes=1)).replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, provider: Stub, quiet_end: datetime) -> Iterator[House]:
    directory = tmp_path_factory.mktemp("outcomes")
    made = House(directory, {"HELIOGRAPH_CALL_DEADLINE": f"{DEADLINE:g}"})
    folder = directory / "sites"
    around = quiet_end + timedelta(hours=3)
    site(folder, "status", 'failures = "status"')
    site(folder, "held", hours(quiet_end - timedelta(hours=3), quiet_end, "delay"))
    site(folder, "reject", hours(around - timedelta(hours=8), around, "reject"))
    site(folder, "cap", "[site.cap]\ncount = 2\nwithin = 3600\n")
    site(folder, "paused")
    site(folder, "gone", base_url=f"http://127.0.0.1:{free_port()}")
    site(folder, "late")
    site(folder, "brief", 'time_to_live = "8s"', agent="brief-air")
    site(folder, "odd", base_url=provider.url)
    try:
        made.phones.post(
            "/sandbox/agents",
            agent="brief-air",
            webhook=f"{made.base_url}/callbacks/rcs/google-rbm/brief/brief-rcs",
            client_token=made.outside.environ["ACME_RBM_WEBHOOK_TOKEN"],
            verify=False,
        )
        made.open(folder, *SITES)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def held(house: House) -> Said:
    """Sent at the start; its time comes while the other tests run."""
    return house.callers["held"].to("4045550160")


@pytest.fixture(scope="module")
def brief(house: House) -> Said:
    """In doubt, and stays so to its end: taken, and never a word of it. It ends while other tests run."""
    for do in ("lose_receipts", "silent"):
        house.phones.behave(do, match={"number": "+14045550172"})
    said = house.callers["brief"].to("4045550172")
    house.phones.delete("/sandbox/behaviour")
    return said


@pytest.fixture(autouse=True)
def begun(held: Said, brief: Said) -> None:
    """The slow stories begin before all others."""


# ── taken ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_documented_call_gets_the_documented_answer(house: House) -> None:
    said = house.acme.alert()
    assert said.status == 200 and said.headers["content-type"] == "application/json"
    assert said.json.keys() == {"success", "response"} and said.json["success"] is True
    response = said.json["response"]
    message = house.phones.messages("7703101414")[0]["id"]
    assert response["name"] == f"phones/+17703101414/agentMessages/{message}"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", response["sendTime"])
    card = response["contentMessage"]["richCard"]["standaloneCard"]
    assert card["cardOrientation"] == "VERTICAL" and card["thumbnailImageAlignment"] == "RIGHT"
    content = card["cardContent"]
    assert content["title"] == "Tap to Select Desired Action"
    assert content["description"] == "Your flight to Kansas City is delayed. It now leaves at 7:35 pm from gate C35."
    assert content["media"]["height"] == "TALL" and re.fullmatch(r"files/\S{10,}", content["media"]["fileName"])
    assert content["suggestions"] == [
        {"reply": {"text": "See Menu of Functions", "postbackData": "postback_data_Menu"}},
        {"reply": {"text": "Learn More", "postbackData": "postback_data_LearnMore"}},
    ]
    assert said.headers["heliograph-channel"] == "rcs" and "idempotent-replayed" not in said.headers
    assert house.record(said.alert)["alert"]["external_alert_id"] == "1265168451"


def test_the_providers_bytes_are_not_touched(house: House, provider: Stub) -> None:
    odd = (
        b'{ "name" : "phones/+1/x",\n\t"sendTime":"2018", "big":12345678901234567890.50, "\\u00e9":"\xc3\xa9", "a":1 }'
    )
    provider.says = (200, "application/json", odd)
    said = house.callers["odd"].to("4045550111")
    assert said.raw == b'{"success":true,"response":' + odd + b"}"


STRANGE = [
    *(b"", b"<html>fine</html>", b"\xff\xfe", b"[1]", b"{", b'"x"', b"[" * 50_000, b'{"x":' + b"[" * 50_000),
    *(b'{"name": "\xff"}', b'{"error": {"message": "\xff"}}', b'{"name": 1}', b'{"name": "\\ud800"}'),
]


@pytest.mark.parametrize("body", STRANGE, ids=lambda body: repr(body[:20]))
def test_a_success_with_a_strange_body_is_a_success_in_json(house: House, provider: Stub, body: bytes) -> None:
    provider.says = (200, "text/html", body)
    said = house.callers["odd"].to("4045550112", externalAlertId=f"odd-{body[:30]!r}")
    assert said.status == 200 and said.json["success"] is True


@pytest.mark.parametrize(("body"), STRANGE, ids=lambda body: repr(body[:20]))
def test_a_failure_with_a_strange_body_is_a_failure_in_json(house: House, provider: Stub, body: bytes) -> None:
    provider.says = (400, "text/html", body)
    said = house.callers["odd"].to("4045550113", externalAlertId=f"bad-{body[:30]!r}")
    assert said.status == 200 and said.failure["code"] == "invalid_message"
    assert "provider" in said.failure


# ── held on purpose ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_quiet_hours_hold_an_alert_and_say_until_when(house: House, held: Said, quiet_end: datetime) -> None:
    assert held.status == 200
    send_at = quiet_end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert held.json == {"success": True, "response": {"state": "scheduled", "sendAt": send_at}}
    again = house.callers["held"].to("4045550160")
    assert again.json == held.json and again.alert == held.alert
    assert again.headers["idempotent-replayed"] == "true"


def test_quiet_hours_that_reject_are_a_400(house: House) -> None:
    said = house.callers["reject"].to("4045550161")
    assert said.status == 400 and said.json["success"] is False and "quiet hours" in said.json["error"]
    assert house.state(said.alert) == "refused"
    assert house.phones.messages("4045550161") == []


def test_three_recipients_refused_in_a_row_pause_the_sender_and_the_fourth_alert_waits(house: House) -> None:
    caller = house.callers["paused"]
    for area in ("404", "405", "406"):
        assert caller.to(f"{area}5550186").failure["code"] == "sender_not_allowed"
    listed = until(lambda: json.loads(house.outside.run("senders", "--site", "paused", "--json").stdout))
    assert listed[0]["paused"].startswith("config")
    time.sleep(1)  # the server sees it within a second; an alert that is taken meanwhile would resume the sender
    said = caller.to("4045550162")
    assert said.status == 200 and said.json["success"] is True
    assert said.json["response"]["state"] == "scheduled"
    wait = datetime.fromisoformat(said.json["response"]["sendAt"]) - datetime.now(UTC)
    assert timedelta(0) < wait < timedelta(seconds=61)
    assert house.state(said.alert) == "scheduled" and house.phones.messages("4045550162") == []


# ── the provider said no, or could not be reached ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("number", "code", "retryable", "status"),
    [
        pytest.param("4045550187", "invalid_message", False, 400, id="400"),
        pytest.param("4045550186", "sender_not_allowed", False, 403, id="403"),
        pytest.param("4045550196", "cannot_reach", False, 404, id="404-at-create"),
        pytest.param("4045550184", "provider_fault", True, 500, id="500-always"),
        pytest.param("4045550182", "throttled", True, 429, id="429-always"),
    ],
)
def test_a_refusal_is_the_documented_failure(
    house: House, number: str, code: str, retryable: bool, status: int
) -> None:
    said = house.acme.to(number)
    assert said.status == 200 and said.json.keys() == {"success", "message"}
    failure = said.failure
    assert failure.keys() == {"code", "detail", "channel", "retryable", "alertId", "provider"}
    assert (failure["code"], failure["retryable"], failure["channel"]) == (code, retryable, "rcs")
    assert failure["alertId"] == said.alert and failure["provider"]["error"]["code"] == status
    assert failure["detail"] and number not in failure["detail"]
    record = house.record(said.alert)
    assert record["alert"]["state"] == "failed" and record["attempts"][0]["state"] == "failed"
    assert house.phones.messages(number) == []


def test_a_repeat_of_a_failed_call_is_a_new_alert_that_names_the_former(house: House) -> None:
    first, second = house.acme.to("4055550187"), house.acme.to("4055550187")
    assert second.failure["alertId"] != first.failure["alertId"]
    assert "idempotent-replayed" not in second.headers
    assert house.record(second.alert)["alert"]["former"] == first.alert


@pytest.mark.parametrize("number", ["4045550187", "4045550184"])
def test_a_site_may_have_failures_as_502(house: House, number: str) -> None:
    said = house.callers["status"].to(number)
    assert said.status == 502 and said.json["success"] is False and said.json["error"]
    assert json.loads(said.json["message"])["alertId"] == said.alert
    assert house.state(said.alert) == "failed"


def test_a_provider_that_refuses_connections_is_a_failure_that_may_be_repeated(house: House) -> None:
    said = house.callers["gone"].to("4045550163")
    assert said.failure["retryable"] is True
    assert house.state(said.alert) == "failed"


def test_nothing_handed_over_in_time_is_not_sent_and_never_will_be(house: House) -> None:
    house.phones.behave("slow", match={"call": "token"}, seconds=6, times=1)
    said = house.callers["late"].to("4045550164")
    failure = said.failure
    assert (failure["code"], failure["retryable"], failure["alertId"]) == ("not_sent", True, said.alert)
    record = house.record(said.alert)
    assert record["alert"]["state"] == "failed" and record["attempts"][0]["reason"] == "not_sent"
    # The token comes at last: were anything left to be sent, it would go now.
    after = house.callers["late"].to("4045550165")
    assert after.json["success"] is True
    assert house.phones.messages("4045550164") == []
    assert len(house.phones.messages("4045550165")) == 1


@pytest.mark.parametrize("number", ["4045550183", "4045550185", "4045550189", "4045550199"])
def test_a_fault_that_passes_is_a_success_and_one_message(house: House, number: str) -> None:
    """429, 500, 503 once, and an answer that was lost after the message was taken."""
    said = house.acme.to(number)
    assert said.json["success"] is True
    assert [message["id"] for message in house.phones.messages(number)] == [said.json["response"]["name"][-36:]]


def test_a_capability_question_that_fails_is_not_a_no(house: House) -> None:
    assert house.acme.to("4045550197").json["success"] is True
    assert len(house.phones.messages("4045550197")) == 1


# ── handed over, and no word ──────────────────────────────────────────────────────────────────────────────────────────


def test_no_word_in_time_is_in_doubt_and_is_settled_by_a_repeat_with_the_same_id(house: House) -> None:
    # Neither answer nor receipt, for the calls of the first seconds.
    house.phones.behave("lose_receipts", match={"number": "+14045550166"})
    house.phones.behave("silent", match={"number": "+14045550166"}, per_message=1)
    said = house.acme.to("4045550166")
    assert said.status == 200
    assert (said.failure["code"], said.failure["retryable"]) == ("in_doubt", False)
    again = house.acme.to("4045550166")
    assert again.alert == said.alert and again.headers["idempotent-replayed"] == "true"
    record = house.until_state(said.alert, "sent", 25)
    house.phones.delete("/sandbox/behaviour")
    attempt = record["attempts"][0]
    assert len(record["attempts"]) == 1 and attempt["tries"] >= 2
    assert [message["id"] for message in house.phones.messages("4045550166")] == [attempt["id"]]
    settled = house.acme.to("4045550166")
    assert settled.json["success"] is True and settled.alert == said.alert
    assert settled.json["response"]["name"].endswith(attempt["id"])


def test_in_doubt_is_settled_by_its_receipt(house: House) -> None:
    said = house.acme.to("4045550188")
    assert said.failure["code"] == "in_doubt"
    record = house.until_state(said.alert, "read")
    assert len(record["attempts"]) == 1 and len(house.phones.messages("4045550188")) == 1


def test_in_doubt_is_never_a_502(house: House) -> None:
    said = house.callers["status"].to("4045550195")
    assert said.status == 200 and said.json["success"] is False
    assert json.loads(said.json["message"])["code"] == "in_doubt"


# ── refused before anything was sent ──────────────────────────────────────────────────────────────────────────────────


def test_no_rcs_is_the_documented_compatibility_failure(house: House) -> None:
    said = house.acme.to("4045550180")
    assert (said.status, said.json) == (400, NO)
    assert house.state(said.alert) == "refused"


@pytest.mark.parametrize("channel", ["wa", "sms", "whatsapp", "text", "WA"])
def test_a_forced_channel_without_a_sender_is_the_same(house: House, channel: str) -> None:
    said = house.acme.to("4045550167", proactiveChannel=channel)
    assert (said.status, said.json) == (400, NO)
    assert house.phones.messages("4045550167") == []


def test_forced_rcs_is_sent_and_an_unknown_channel_is_named(house: House) -> None:
    assert house.acme.to("4045550168", proactiveChannel="rcs").json["success"] is True
    said = house.acme.to("4045550168", proactiveChannel="pigeon")
    assert said.status == 400 and set(said.json["fields"]) == {"proactiveChannel"}


def test_whoever_unsubscribes_gets_nothing_until_they_subscribe(house: House) -> None:
    number = "4045550169"
    assert house.acme.to(number).json["success"] is True
    house.phones.does(number, "unsubscribe")
    until(lambda: house.acme.to(number, externalAlertId=...).status == 400, 5)
    before = len(cards(house, number))
    said = house.acme.to(number, externalAlertId="after-stop")
    assert said.status == 400 and said.json["success"] is False and "opted out" in said.json["error"]
    assert house.record(said.alert)["alert"]["reason"] == "opted_out"
    assert len(cards(house, number)) == before
    house.phones.does(number, "subscribe")
    until(lambda: house.acme.to(number, externalAlertId=...).status == 200, 5)
    assert len(cards(house, number)) == before + 1


def cards(house: House, number: str) -> list[object]:
    """The alerts on a phone; what is answered to a wish is text."""
    return [message for message in house.phones.messages(number) if "text" not in message["content"]]


def test_the_cap_is_a_400_and_counts_per_recipient(house: House) -> None:
    caller = house.callers["cap"]
    assert [caller.to("4045550170", externalAlertId=f"cap-{n}").status for n in range(3)] == [200, 200, 400]
    said = caller.to("4045550170", externalAlertId="cap-3")
    assert said.status == 400 and said.json["success"] is False and "alerts" in said.json["error"]
    assert len(house.phones.messages("4045550170")) == 2
    assert caller.to("4045550171").status == 200


# ── the slow stories' ends ────────────────────────────────────────────────────────────────────────────────────────────


def test_an_alert_that_stayed_in_doubt_to_its_end_is_given_back_as_such_and_never_sent_again(
    house: House, brief: Said
) -> None:
    assert brief.failure["code"] == "in_doubt"
    record = house.until_state(brief.alert, "expired", 30)
    assert record["attempts"][0]["reason"] == "never_settled"
    # Nobody knows whether it arrived (here it did), so the repeat must not send: in_doubt is given back for a day.
    again = house.callers["brief"].to("4045550172", timeout=10)
    assert again.status == 200 and again.failure["code"] == "in_doubt"
    assert again.alert == brief.alert and again.headers["idempotent-replayed"] == "true"
    assert len(house.phones.messages("4045550172")) == 1


def test_a_held_alert_leaves_when_its_time_comes_and_not_before(house: House, held: Said, quiet_end: datetime) -> None:
    end = quiet_end.timestamp()
    left = end - datetime.now(UTC).timestamp()
    if left > 1:
        assert house.phones.messages("4045550160") == []
    message = until(lambda: house.phones.messages("4045550160"), max(left, 0) + 10)[0]
    assert message["at"] / 1000 >= end
    record = house.until_state(held.alert, "sent")
    assert [entry["kind"] for entry in record["entries"]][:3] == ["accepted", "scheduled", "released"]
    again = house.callers["held"].to("4045550160")
    assert again.alert == held.alert and again.json["response"]["name"].endswith(message["id"])
