"""What else is asked of LivePerson: where its services are, skills, the record of conversations, context documents.

Sources: developers.liveperson.com: Domain API; Skills API; Messaging Interactions API; Conversation Context Service v2.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.liveperson.twin_answers import NAME, Refused, asked, given
from heliograph.desks.liveperson.twin_kept import Conversation, every, find, open_of
from heliograph.desks.liveperson.twin_tokens import check_agent

SERVICES = (
    "sentinel",
    "idp",
    "asyncMessagingEnt",
    "accountConfigReadOnly",
    "accountConfigReadWrite",
    "msgHist",
    "swift",
)
RESERVED = frozenset({"consumer", "operational", "conversation", "faas", "custom", "sde"})
_NAMESPACE = re.compile(r"[A-Za-z0-9_]+")
MOST_TTL = 13 * 31 * 86_400  # seconds; "13 months"

Json = dict[str, Any]


def domains(call: Call, desk: KnownDesk, service: str = "") -> TwinAnswer:
    """All services are where the sandbox is."""
    host = urlsplit(call.url).netloc
    found = [{"service": name, "account": desk.id, "baseURI": host} for name in SERVICES]
    if not service:
        return given({"baseURIs": found})
    one = next((one for one in found if one["service"] == service), None)
    if one is None:
        raise Refused(404, {"message": "Not Found"}, f"no service {service[:40]}")
    return given(one)


def skills(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    check_agent(call, desk, world)
    return given([{"id": int(id), "deleted": False, "name": name} for name, id in desk.skills.items()])


def history(call: Call, by: str, desk: KnownDesk, world: World) -> TwinAnswer:
    """By conversation or by consumer. Misbehaves as the question it is ("ask")."""
    check_agent(call, desk, world)
    rule = asked(world, "ask", desk)
    try:
        wanted = msgspec.json.decode(call.body, type=Json)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(400, {"message": "Bad Request"}, "no JSON") from fault
    found: list[Conversation] = []
    if by == "conversation":
        one = find(world, desk, str(wanted.get("conversationId", "")))
        found = [one] if one else []
    else:
        consumer = str(wanted.get("consumer", ""))
        states = wanted.get("status", ["OPEN", "CLOSE"])
        if "OPEN" in states and (one := open_of(world, desk, consumer)):
            found.append(one)
        if "CLOSE" in states:
            found += [one for one in every(world, desk) if one.consumer == consumer and one.ended]
    records = "messageRecords" in wanted.get("contentToRetrieve", [])
    told = [_record(one, records) for one in found]
    return given({"_metadata": {"count": len(told)}, "conversationHistoryRecords": told}, rule)


def _record(there: Conversation, messages: bool) -> Json:
    told: Json = {
        "info": {
            "conversationId": there.id,
            "brandId": there.account,
            "status": "CLOSE" if there.ended else "OPEN",
            "startTimeL": there.began,
            "latestSkillId": int(there.skill),
        }
    }
    if messages:
        told["messageRecords"] = [
            {
                "type": "TEXT_PLAIN",
                "messageData": {"msg": {"text": line.text}},
                "messageId": f"ms::dialog:{there.id}::msg:{line.number}",
                "seq": line.number,
                "dialogId": there.id,
                "participantId": there.consumer if line.by == "recipient" else there.agent_id,
                "timeL": line.at,
                "sentBy": "Consumer" if line.by == "recipient" else "Agent",
            }
            for line in there.lines
            if line.number >= 0
        ]
    return told


# ── Context documents ───────────────────────────────────────────────────────────────────────────────────────────────


def put_context(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    """Properties that are there already are written over, others stay."""
    rule = asked(world, "event", desk)
    order = msgspec.json.decode(call.body, type=Json)
    space, session = str(order.get("nameSpace", "")), str(order.get("sessionId", ""))
    ttl, payload = order.get("ttlSeconds"), order.get("payload")
    if not _NAMESPACE.fullmatch(space) or space in RESERVED:
        raise Refused(400, {"success": False, "message": "nameSpace is not valid"}, "nameSpace")
    if not isinstance(ttl, int) or not 0 < ttl <= MOST_TTL or not isinstance(payload, dict):
        raise Refused(400, {"success": False, "message": "ttlSeconds or payload is not valid"}, "ttlSeconds or payload")
    shelf, place = world.shelf(NAME), f"context/{desk.id}/{space}/{session}"
    held = msgspec.json.decode(shelf[place])["payload"] if place in shelf else {}
    document = {"payload": {**held, **payload}, "until": world.now() + ttl * 1000}
    shelf[place] = msgspec.json.encode(document)
    key = f"{desk.id}:{space}:{session}"
    return given({"documentKey": key, "tenantId": desk.id, "success": True}, rule, 201)


def get_context(desk: KnownDesk, space: str, session: str, world: World) -> TwinAnswer:
    held = world.shelf(NAME).get(f"context/{desk.id}/{space}/{session}")
    document = msgspec.json.decode(held) if held else None
    if document is None or document["until"] <= world.now():
        raise Refused(404, {"message": "Document not found"}, "no document")
    until = datetime.fromtimestamp(document["until"] / 1000, UTC).isoformat(timespec="milliseconds")
    told = {
        "accountId": desk.id,
        "documentKey": f"{desk.id}:{space}:{session}",
        "documentType": "CONTEXT",
        "nameSpace": space,
        "payload": document["payload"],
        "tenantId": desk.id,
        "ttl": until.replace("+00:00", "Z"),
    }
    return given(told | ({"sessionId": session} if session else {}))
