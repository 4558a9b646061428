"""What is said to LivePerson, as JSON: a consumer's profile, a conversation, words in it, its end.

Sources: developers.liveperson.com, Connector API: "Conversation" and "Send"; engagement attributes (fields of SDEs).
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.conversation import Conversation
from heliograph.core.desk import Context
from heliograph.desks.liveperson.settings import Settings

LONGEST = 5_000  # characters of a request's JSON; bytes are counted, since no page says how they count an emoji
PROFILE, REQUEST = "profile", "conversation"  # ids of the two requests of a batch: their answers name them

Json = dict[str, Any]


def opening(settings: Settings, conversation: Conversation, context: Context, skill: str) -> bytes:
    """The two requests that open a conversation; the order matters, and the profile is mandatory."""
    asked: Json = {
        "ttrDefName": settings.urgency,
        "channelType": "MESSAGING",
        "brandId": settings.account,
        "skillId": skill,
    }
    if settings.campaign_id:
        asked["campaignInfo"] = {"campaignId": settings.campaign_id, "engagementId": settings.engagement_id}
    batch = [
        {
            "kind": "req",
            "id": PROFILE,
            "type": "userprofile.SetUserProfile",
            "body": profile(settings, conversation, context),
        },
        {"kind": "req", "id": REQUEST, "type": "cm.ConsumerRequestConversation", "body": asked},
    ]
    return msgspec.json.encode(batch)


def profile(settings: Settings, conversation: Conversation, context: Context) -> Json:
    """Who the consumer is. Agents see `lp_sdes` in the Consumer Info widget; ctmrinfo and personal are the only kinds
    that are taken here. The mapping is ours: the brand's customer id, its descriptor as the type of customer, the
    external alert id in a slot that nothing else uses."""
    alert = context.alert
    number = conversation.recipient
    info: Json = {"userName": number}
    personal: Json = {"contacts": [{"phone": number, "phoneType": "MOBILE"}]}
    if alert is not None:
        info["customerId"] = alert.external_customer_id
        info["ctype"] = alert.external_customer_id_descriptor if settings.descriptor_as_type else ""
        if settings.alert_id_as:
            info[settings.alert_id_as] = alert.external_alert_id
        personal |= {"firstname": alert.first_name, "lastname": alert.last_name, "language": alert.language}
    elif conversation.name:
        personal["firstname"] = conversation.name
    told: Json = {
        "firstName": personal.get("firstname", ""),
        "lastName": personal.get("lastname", ""),
        "privateData": {"mobileNum": number},
        "authenticatedData": {
            "lp_sdes": [
                {"type": "ctmrinfo", "info": _given(info)},
                {"type": "personal", "personal": _given(personal)},
            ]
        },
    }
    return _given(told)


def words(conversation: str, text: str) -> bytes:
    """A consumer's words. The main dialog has the conversation's id."""
    return _event(conversation, {"type": "ContentEvent", "contentType": "text/plain", "message": text})


def typing(conversation: str, on: bool) -> bytes:
    """Typing goes on being shown until another state is told."""
    return _event(conversation, {"type": "ChatStateEvent", "chatState": "COMPOSING" if on else "PAUSE"})


def accepted(conversation: str, sequences: list[int], read: bool) -> bytes:
    """Messages of an agent have arrived, or were read."""
    status = "READ" if read else "ACCEPT"
    return _event(conversation, {"type": "AcceptStatusEvent", "status": status, "sequenceList": sequences})


def closing(conversation: str) -> bytes:
    field = {"field": "ConversationStateField", "conversationState": "CLOSE"}
    body = {"conversationId": conversation, "conversationField": field}
    return msgspec.json.encode({"kind": "req", "id": "1", "type": "cm.UpdateConversationField", "body": body})


def parts(conversation: str, text: str) -> tuple[str, ...]:
    """A text as pieces that fit into one request each, cut at spaces where there are some."""
    room = LONGEST - len(words(conversation, ""))
    found: list[str] = []
    rest = text
    while _size(rest) > room:
        end = _fitting(rest, room)
        space = max(rest.rfind(" ", 0, end), rest.rfind("\n", 0, end))
        if space > end // 2:
            end = space
        found.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return tuple(part for part in (*found, rest) if part)


def _event(conversation: str, event: Json) -> bytes:
    body = {"dialogId": conversation, "conversationId": conversation, "event": event}
    return msgspec.json.encode({"kind": "req", "id": "1", "type": "ms.PublishEvent", "body": body})


def _size(text: str) -> int:
    """Bytes of a text within JSON."""
    return len(msgspec.json.encode(text)) - 2


def _fitting(text: str, room: int) -> int:
    """How many characters from the start fit."""
    low, high = 1, min(len(text), room)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if _size(text[:middle]) <= room else (low, middle - 1)
    return low


def _given(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value not in ("", None)}
