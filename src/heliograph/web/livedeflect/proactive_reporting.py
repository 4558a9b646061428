"""GET or POST /api/proactiveReporting: what became of a site's alerts, event by event.

The page of the original was never finished: the answer has the form of its sibling getLiveDeflectData. `success` is a
string, every scalar of an event is one, and `conversationId` is null until a conversation exists. Parameters come in a
JSON body or in the query, for GET too. Alerts are those that began in the time that is asked for, with all that has
happened to them since.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from heliograph.core.event import Entry
from heliograph.core.phone import calling_code
from heliograph.core.ports import Reported
from heliograph.core.site import Kind, Scope
from heliograph.core.states import AlertState
from heliograph.errors import StoreAway
from heliograph.flow.means import Means
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect import answers, shapes
from heliograph.web.problem import encode, refused, store_away
from heliograph.web.route import Docs, Said
from heliograph.web.signed import Signed, signed, spent

LONGEST = 31 * 86_400_000  # ms between startTime and endTime
PAGE = 100  # alerts that are read at once
MOST = 10_000  # alerts in one answer that asks for so many
_STATES = frozenset(state.value for state in AlertState)
_NAMES = {"siteid": "siteId", "starttime": "startTime", "endtime": "endTime", "limit": "limit", "cursor": "cursor"}


class Asked(msgspec.Struct, frozen=True, gc=False):
    """What a report is asked for; times in ms. `limit` 0 = all of it."""

    since: int
    until: int
    limit: int
    cursor: str


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    caller = await signed(call, doors, doors.means.clock.new_id())
    if isinstance(caller, WebAnswer):
        return caller
    return await spent(await _report(call, doors, caller), caller.claim, call, doors)


async def _report(call: WebCall, doors: Doors, caller: Signed) -> WebAnswer:
    if not caller.key.key.may(Scope.ALERTS_READ):
        sentence = f"This key may not read alerts: it lacks the scope {Scope.ALERTS_READ.value}. Use one that has it."
        return refused(403, sentence)
    given = _given(call)
    if given is None:
        return refused(400, "The body is not a JSON object in UTF-8. Send siteId, startTime and endTime, or a query.")
    faults: dict[str, str] = {}
    asked = _asked(given, faults)
    site = given.get("siteId", "")
    if not site:
        faults["siteId"] = "siteId is missing."
    if faults or asked is None:
        return answers.faults(faults)
    if site != caller.site.id:
        sentence = f"The call names siteId {site}, the key belongs to site {caller.site.id}. Sign with its own key."
        return refused(403, sentence)
    test = caller.key.key.kind is Kind.TEST
    try:
        first = await _page(asked, asked.cursor, caller.site.id, test, doors.means)
    except StoreAway:
        return store_away(call.raw_path)
    return WebAnswer(status=200, headers=JSON, stream=_written(first, asked, caller.site.id, test, doors.means))


async def _written(page: list[Reported], asked: Asked, site: str, test: bool, means: Means) -> AsyncGenerator[bytes]:
    """The answer, a page of alerts at a time: no report is held in memory whole. A store that goes away in the middle
    ends it without its last brace, so that nobody takes a part for the whole."""
    yield b'{"success":"true","data":{'
    walked, comma = 0, b""
    while page:
        for one in page:
            if one.told:
                yield comma + encode(one.record.alert.id) + b":" + encode(events(one))
                comma = b","
        last, whole = page[-1].record.alert.id, len(page) == _size(asked, walked)
        walked += len(page)
        if asked.limit and walked >= asked.limit:
            yield b'},"nextCursor":' + encode(last) + b"}"
            return
        page = await _page(asked, last, site, test, means, walked) if whole else []
    yield b"}}"


def _size(asked: Asked, walked: int) -> int:
    return min(PAGE, asked.limit - walked) if asked.limit else PAGE


async def _page(asked: Asked, after: str, site: str, test: bool, means: Means, walked: int = 0) -> list[Reported]:
    limit = _size(asked, walked)
    return await means.store.begun(site, asked.since, asked.until, after=after, test=test, limit=limit)


def events(one: Reported) -> list[dict[str, Any]]:
    """An alert's events in their order: each state that it came to, and its replies. Every scalar is a string."""
    alert = one.record.alert
    code = calling_code(alert.recipient)
    channels = {attempt.id: attempt.channel for attempt in one.record.attempts}
    same = {
        "alertId": alert.id,
        "siteId": alert.site,
        "externalAlertId": alert.external_alert_id,
        "skill": alert.skill,
        "channel": "",
        "template": alert.template,
        "templateVersion": alert.version_tag or alert.template_version,
        "language": alert.language_asked,
        "customerCountryCode": code,
        "customerPhoneNumber": alert.recipient.removeprefix(f"+{code}"),
        "externalCustomerId": alert.external_customer_id,
        "conversationId": one.conversation or None,
        "alertInfo": bytes(alert.alert_info).decode("utf-8", "replace"),
    }
    told = [
        {
            **same,
            "channel": channels.get(entry.attempt, ""),
            "eventType": entry.kind,
            "eventInfo": _info(entry),
            "eventTime": str(entry.at),
        }
        for entry in one.record.entries
        if entry.kind in _STATES or entry.kind == "replied"
    ]
    if one.conversation:
        at = next((entry.at for entry in one.record.entries if entry.kind == "replied"), alert.created)
        told.append({**same, "eventType": "conversationid", "eventInfo": one.conversation, "eventTime": str(at)})
    return told


class _Detail(msgspec.Struct):
    reason: str = ""


_detail = msgspec.json.Decoder(_Detail).decode


def _info(entry: Entry) -> str:
    """The reason of a bad end; else Y, as the sibling has it."""
    try:
        return _detail(entry.detail).reason or "Y"
    except msgspec.DecodeError:
        return "Y"


def _given(call: WebCall) -> dict[str, str] | None:
    """The parameters as text, by their documented names; None for a body that is no JSON object."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(call.query.decode("latin-1"), keep_blank_values=True):
        if known := _NAMES.get(name.lower()):
            found[known] = value
    if not call.body.strip():
        return found
    try:
        body = msgspec.json.decode(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    for name, value in body.items():
        if (known := _NAMES.get(name.lower())) and isinstance(value, str | int) and not isinstance(value, bool):
            found[known] = str(value)
    return found


def _asked(given: dict[str, str], faults: dict[str, str]) -> Asked | None:
    times: dict[str, int] = {}
    for name in ("startTime", "endTime"):
        value = given.get(name, "").strip()
        if not value:
            faults[name] = f"{name} is missing; send milliseconds since the epoch."
        elif not (value.isascii() and value.isdigit() and len(value) <= 15):
            faults[name] = f"{name} must be milliseconds since the epoch, as in 1764028800000."
        else:
            times[name] = int(value)
    if len(times) == 2:
        length = times["endTime"] - times["startTime"]
        if length <= 0:
            faults["endTime"] = "endTime must come after startTime."
        elif length > LONGEST:
            faults["endTime"] = f"startTime and endTime are {length // 86_400_000} days apart, 31 are allowed."
    limit = given.get("limit", "").strip()
    if limit and not (limit.isascii() and limit.isdigit() and len(limit) <= 5 and 1 <= int(limit) <= MOST):
        faults["limit"] = f"limit must be 1 to {MOST}."
    cursor = given.get("cursor", "").strip()
    if cursor and not (len(cursor) == 36 and set(cursor) <= set("0123456789abcdef-")):
        faults["cursor"] = "cursor is not one of ours. Send nextCursor of the answer before as it came."
    if faults:
        return None
    return Asked(times["startTime"], times["endTime"], int(limit or 0), cursor)


DOCS = Docs(
    about=(
        "What became of the alerts that began from startTime (included) to endTime (not included), at most 31 days: by "
        "alert, each event with its time. Parameters come in a JSON body or in the query, times in milliseconds since "
        "the epoch. `limit` and `cursor` part a large answer; without them it is streamed whole."
    ),
    says=(
        Said(200, "Events by alert", shapes.Report),
        Said(400, "A parameter is missing or wrong", shapes.Refused),
        Said(401, "No credentials, a nonce used again, or credentials that are not right", shapes.NoCredentials),
        Said(403, "The key belongs to another site, or lacks alerts:read", shapes.Refused),
        Said(503, "The database is away: call again", shapes.Refused),
    ),
    query={
        "siteId": "The site's id.",
        "startTime": "Milliseconds since the epoch, included.",
        "endTime": "Milliseconds since the epoch, not included.",
        "limit": f"Alerts in the answer, 1 to {MOST}; without it all of them.",
        "cursor": "`nextCursor` of the answer before.",
    },
)
