"""What LivePerson's webhooks post to the connector app: signed, for everything that happens in the account.

Source: developers.liveperson.com, Connector API: "Webhooks Examples", "Notification Protocol".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, World
from heliograph.desks.liveperson.twin_kept import Conversation

Json = dict[str, Any]


def event(
    desk: KnownDesk, there: Conversation, role: str, event: Json, at: int, *, number: int | None = None
) -> list[Call]:
    """A message, typing, or a receipt. Typing has no number."""
    who = there.consumer if role == "CONSUMER" else there.agent_id
    change: Json = {
        "originatorId": who,
        "originatorMetadata": {"id": who, "role": role},
        "event": event,
        "conversationId": there.id,
        "dialogId": there.id,
    }
    if number is not None:
        change |= {"sequence": number, "serverTimestamp": at}
    if event["type"] in ("ContentEvent", "RichContentEvent"):
        change["messageAudience"] = "ALL"
    return _posted(desk, "ms.MessagingEventNotification", change)


def changed(desk: KnownDesk, there: Conversation) -> list[Call]:
    """How the conversation stands."""
    state = "CLOSE" if there.ended else "OPEN"
    people = [{"id": there.consumer, "role": "CONSUMER"}]
    if there.agent_id:
        people.append({"id": there.agent_id, "role": "ASSIGNED_AGENT"})
    dialog: Json = {
        "dialogId": there.id,
        "participantsDetails": people,
        "dialogType": "MAIN",
        "channelType": "MESSAGING",
        "state": state,
        "creationTs": there.began,
        "metaDataLastUpdateTs": there.changed,
    }
    details: Json = {
        "skillId": there.skill,
        "participants": people,
        "dialogs": [dialog],
        "brandId": there.account,
        "state": state,
        "stage": state,
        "startTs": there.began,
        "metaDataLastUpdateTs": there.changed,
        "ttr": {"ttrType": there.ttr, "value": 3600},
    }
    if there.ended:
        dialog |= {"endTs": there.ended, "closedBy": there.closed_by}
        details |= {"endTs": there.ended, "closeReason": there.closed_by}
    if there.campaign:
        details["campaignInfo"] = there.campaign
    result = {"convId": there.id, "effectiveTTR": -1, "conversationDetails": details}
    return _posted(desk, "cqm.ExConversationChangeNotification", {"type": "UPSERT", "result": result})


def _posted(desk: KnownDesk, kind: str, change: Json) -> list[Call]:
    """None where the app has no endpoint."""
    if not desk.webhook:
        return []
    return [signed(msgspec.json.encode({"kind": "notification", "body": {"changes": [change]}, "type": kind}), desk)]


def signed(body: bytes, desk: KnownDesk, world: World | None = None) -> Call:
    """A webhook with these bytes. SHA-256 instead of SHA-1 is LivePerson's on request."""
    secret = desk.credentials.get("client_secret", "").encode()
    name = desk.credentials.get("signature", "sha1")
    proof = hmac.new(secret, body, hashlib.sha256 if name == "sha256" else hashlib.sha1).digest()
    headers = {
        "content-type": "application/json",
        "x-liveperson-account-id": desk.id,
        "x-liveperson-client-id": desk.credentials.get("client_id", ""),
        "x-liveperson-signature": f"{name}={base64.b64encode(proof).decode()}",
    }
    return Call(method="POST", url=desk.webhook, headers=headers, body=body)
