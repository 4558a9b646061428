"""/v1/alerts: begin an alert, list alerts, read one. The door only: what becomes of an alert is decided in flow/."""

from __future__ import annotations

import re
from functools import partial

import msgspec

from heliograph.core import phone
from heliograph.core.ports import Record
from heliograph.core.site import Key, Kind, Scope
from heliograph.core.states import AlertState
from heliograph.errors import CallRefused
from heliograph.flow.begin import ON_ITS_WAY, begin, outcome
from heliograph.flow.means import Means
from heliograph.flow.once import answered
from heliograph.flow.result import Result
from heliograph.web.call import JSON, Doors, Headers, WebAnswer, WebCall
from heliograph.web.problem import problem, shown
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said, shapes, told
from heliograph.web.v1.caller import caller, done
from heliograph.web.v1.query import filters, page_of
from heliograph.web.v1.request import asked, field_problem, refusal

SENDS, READS = Scope.ALERTS_SEND, Scope.ALERTS_READ
MOST, USUAL = 200, 50  # alerts on a page
_wait = re.compile(r"(?:^|[,;])\s*wait\s*=\s*\"?(\d{1,6})\"?\s*(?=$|[,;])", re.IGNORECASE).search
_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch


async def new(call: WebCall, doors: Doors) -> WebAnswer:
    request_id = doors.means.clock.new_id()
    found = await asked(call, doors, request_id, SENDS, sends=True)
    if isinstance(found, WebAnswer):
        return found
    means = doors.means
    try:
        begun = await begin(found.request, found.caller.claims, means, request_id=request_id)
    except CallRefused as error:
        return refusal(error, call, found.request)
    seconds = _seconds(call.header(b"prefer"), means.limits.call_deadline)
    if seconds is None and not begun.replayed:
        now, known = told.begun(begun), False  # nothing else can be true yet: a look would cost three queries
    else:
        record = await outcome(begun.alert, means, seconds or 0)
        now = told.state(record) if record else told.begun(begun)
        known = seconds is not None and record is not None and record.alert.state not in _OPEN
    doors.log("debug", "The alert was begun.", action="alert.begun", alert=begun.alert, replayed=begun.replayed)
    headers: Headers = (
        *JSON,
        (b"location", f"/v1/alerts/{begun.alert}".encode()),
        (b"heliograph-alert", begun.alert.encode()),
    )
    if seconds is not None:
        headers = (*headers, (b"preference-applied", f"wait={seconds}".encode()))
    if begun.replayed:
        headers = (*headers, (b"idempotent-replayed", b"true"))
    return WebAnswer(
        status=200 if known else 202,
        body=msgspec.json.encode(now),
        headers=headers,
        after=partial(_after, begun, means),
    )


_OPEN = ON_ITS_WAY | {AlertState.SCHEDULED}


async def _after(begun: Result, means: Means, written: bool) -> None:
    await answered(begun, written, means)


def _seconds(prefer: str, most: float) -> int | None:
    """What `Prefer: wait=N` (RFC 7240) asks for, at most as long as a call may take; None where it does not ask."""
    found = _wait(prefer)
    return min(int(found[1]), int(most)) if found else None


async def list_(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), READS)
    if isinstance(found, WebAnswer):
        return found
    query, limit, faults = _query(call.query)
    if faults:
        return await done(field_problem(faults, code="invalid_query"), found, call, doors)
    rows = await doors.means.store.alerts(
        site=found.site.id,
        state=query.get("state", ""),
        recipient=query.get("recipient", ""),
        external=query.get("external_alert_id", ""),
        before=query.get("cursor", ""),
        test=found.key.kind is Kind.TEST,  # who tests sees no live recipient
        limit=limit + 1,
    )
    page = rows[:limit]
    body = shapes.AlertList(
        alerts=[told.line(row) for row in page], next=page[-1].id if len(rows) > limit and page else None
    )
    return await done(WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON), found, call, doors)


IN_DOUBT = "in_doubt"  # no state of an alert: one that has an attempt whose answer was lost
FILTERS = ("state", "recipient", "external_alert_id", "cursor", "limit")


def _query(raw: bytes) -> tuple[dict[str, str], int, dict[str, str]]:
    """The filters, each checked; how many are asked for; and the faults by name."""
    found, faults = filters(raw, FILTERS)
    states = [*(state.value for state in AlertState), IN_DOUBT]
    if found.get("state", "sent") not in states:
        faults["state"] = (
            f"The state {shown(found['state'].encode(), 40)} is not known; send one of {', '.join(states)}."
        )
    if "recipient" in found:
        number = phone.international(found["recipient"])
        if isinstance(number, phone.PhoneFault):
            faults["recipient"] = number.sentence
        else:
            found["recipient"] = number
    if "cursor" in found and not _id(found["cursor"]):
        faults["cursor"] = "cursor is not one of ours. Send `next` of the page before as it came."
    if "\0" in found.get("external_alert_id", ""):
        faults["external_alert_id"] = "external_alert_id holds a NUL character, which no alert has."
    return found, page_of(found, USUAL, MOST, faults), faults


async def one(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), READS)
    if isinstance(found, WebAnswer):
        return found
    id = call.params["id"].lower()
    record = await doors.means.store.record(id) if _id(id) else None
    if record is None or record.alert.site != found.site.id or not _shows(found.key, record):
        # The same words for one of another site: whether it exists is nobody else's business.
        sentence = "This site has no such alert. GET /v1/alerts lists what it has."
        return await done(problem(404, sentence, code="unknown_alert"), found, call, doors)
    spoken = await doors.means.store.conversations_about(found.site.id, id)
    body = msgspec.json.encode(told.record(record, spoken))
    return await done(WebAnswer(status=200, body=body, headers=JSON), found, call, doors)


def _shows(key: Key, record: Record) -> bool:
    """A test key sees what test keys sent, and no live recipient."""
    return key.kind is not Kind.TEST or record.alert.test


NEW_DOCS = Docs(
    about=(
        "Begins one alert to one recipient and answers as soon as it is on disk; it is sent behind the answer, and "
        "what fails for a while is tried again until its time ends. `Prefer: wait=N` waits up to N seconds for the "
        "outcome. What a rule forbids (opted out, quiet hours, cap, no channel) is told at once, with 422 and its "
        "record's id. The same call with the same Idempotency-Key, or the same external_alert_id, is one alert."
    ),
    takes=shapes.NewAlert,
    says=(
        Said(202, "On disk and on its way, or held until send_at", shapes.AlertState, {"Location": "Its record."}),
        Said(200, "With Prefer: wait, the outcome: a provider took it, or it failed", shapes.AlertState),
        said.refused(422, "A rule forbids it, or the Idempotency-Key was used with another body"),
        *said.WITH_BODY,
        *said.ALL,
    ),
    params={
        "Idempotency-Key": "Names the call: with the same body it is the same alert, with another it is refused.",
        "Prefer": "wait=N: wait for the outcome, N seconds at most.",
    },
)
LIST_DOCS = Docs(
    about="The site's alerts, the newest first. Follow `next` for older ones.",
    says=(Said(200, "A page of alerts", shapes.AlertList), said.refused(400, "A filter is wrong"), *said.ALL),
    query={
        "state": "Alerts in this state only; in_doubt: those with an attempt whose answer was lost.",
        "recipient": "Alerts to this number, with its country code.",
        "external_alert_id": "Alerts with this id of yours.",
        "cursor": "`next` of the page before.",
        "limit": f"Alerts on a page, 1 to {MOST}; {USUAL} without.",
    },
)
ONE_DOCS = Docs(
    about="The whole record of one alert: what was asked, decided, tried, and what happened when.",
    says=(Said(200, "The record", shapes.AlertRecord), said.refused(404, "The site has no such alert"), *said.ALL),
    params={"id": "The alert's id."},
)
