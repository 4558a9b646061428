"""The Send API: a consumer's profile, its one open conversation, what it says there, its end.

Source: developers.liveperson.com, Connector API: "Conversation" (a batch whose order matters, SetUserProfile
mandatory), "Send" (one request). The words of refusals are those of LivePerson's own guide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, TwinAnswer, World
from heliograph.desks.liveperson import twin_tell
from heliograph.desks.liveperson.twin_answers import Refused, asked, bad_request, fine, given
from heliograph.desks.liveperson.twin_kept import Conversation, Line, find, open_of, put, put_profile
from heliograph.desks.liveperson.twin_tokens import Consumer, check_app, check_consumer

LONGEST = 5_000  # characters of a request object
LINES = 500  # of one conversation that are kept
STATES = frozenset({"ACTIVE", "INACTIVE", "GONE", "COMPOSING", "PAUSE"})
STATUSES = frozenset({"ACCEPT", "READ", "ACCESS", "NACK", "ACTION"})
TTRS = ("NORMAL", "URGENT", "PRIORITIZED", "CUSTOM")

Json = dict[str, Any]


class _Request(msgspec.Struct):
    type: str = ""
    kind: str = ""
    id: str | int = ""
    body: Json = {}


def converse(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    """POST …/messaging/consumer/conversation: the profile, then the conversation."""
    check_app(call, desk, world)
    consumer = check_consumer(call, desk)
    batch = _read(call.body, list[_Request])
    rule = asked(world, "desk_open", desk, consumer.name)
    if not batch or batch[0].type != "userprofile.SetUserProfile":
        raise _bad("userprofile.SetUserProfile must be the first request")
    told = []
    for request in batch:
        id = str(request.id)
        match request.type:
            case "userprofile.SetUserProfile":
                put_profile(world, desk, consumer.id, request.body)
                told.append(fine({"msg": "OK User Profile set successfully"}, id))
            case "cm.ConsumerRequestConversation":
                told.append(_open(request, consumer, desk, world))
            case _:
                told.append(bad_request("Bad Request", id))
    return given(told, rule)


def send(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    """POST …/messaging/consumer/conversation/send: one request."""
    check_app(call, desk, world)
    consumer = check_consumer(call, desk)
    request = _read(call.body, _Request)
    if len(call.body.decode("utf-8", "replace")) > LONGEST:
        raise _bad("Bad Request")
    there = find(world, desk, str(request.body.get("conversationId") or request.body.get("dialogId") or ""))
    if there is None or there.consumer != consumer.id:
        raise _bad("Bad Request, Conversation not found")  # chosen
    id = str(request.id)
    match request.type:
        case "ms.PublishEvent":
            return _publish(request.body.get("event"), id, there, desk, world)
        case "cm.UpdateConversationField":
            rule = asked(world, "desk_close", desk, consumer.name)
            field = request.body.get("conversationField")
            closes = {"field": "ConversationStateField", "conversationState": "CLOSE"}
            if field != closes:
                raise _bad("Bad Request")
            if there.ended:
                raise _bad("Bad Request, Conversation is close")
            end(there, "CONSUMER", desk, world)
            world.note("desk_closed", number=there.name, sender=desk.id, message=there.id)
            return given(fine({"msg": "OK Conversation resolved successfully"}, id), rule)
    raise _bad("Bad Request")


def post(world: World, desk: KnownDesk, calls: Sequence[Call], conversation: str) -> None:
    if calls:
        world.desk_tells(desk, calls, conversation)


def end(there: Conversation, by: str, desk: KnownDesk, world: World) -> None:
    there.ended = there.changed = world.now()
    there.closed_by = by
    there.lines.append(Line(by="system", text=f"closed by {by.lower()}", at=there.ended))
    put(world, there)
    post(world, desk, twin_tell.changed(desk, there), there.id)


def _open(request: _Request, consumer: Consumer, desk: KnownDesk, world: World) -> Json:
    id, order = str(request.id), request.body
    if str(order.get("brandId", "")) != desk.id or order.get("channelType", "MESSAGING") != "MESSAGING":
        return bad_request("Consumer request conversation failed: Bad Request", id)
    skill = str(order.get("skillId", "-1"))
    if skill != "-1" and skill not in desk.skills.values():
        return bad_request(f"Consumer request conversation failed: skill {skill} does not exist", id)  # chosen
    if (order.get("ttrDefName") or "NORMAL") not in TTRS:
        return bad_request("Consumer request conversation failed: Bad Request", id)
    if open_of(world, desk, consumer.id) is not None:
        words = f"User {consumer.id} already has open conversation. Can't open another one."
        return bad_request(f"Consumer request conversation failed: {words}", id)
    now = world.now()
    there = Conversation(
        id=world.new_id(),
        account=desk.id,
        consumer=consumer.id,
        name=consumer.name,
        skill=skill,
        began=now,
        changed=now,
        ttr=order.get("ttrDefName") or "NORMAL",
        campaign=order.get("campaignInfo") or {},
    )
    put(world, there)
    world.note("desk_opened", number=consumer.name, sender=desk.id, message=there.id)
    post(world, desk, twin_tell.changed(desk, there), there.id)
    return fine({"conversationId": there.id}, id)


def _publish(event: Any, id: str, there: Conversation, desk: KnownDesk, world: World) -> TwinAnswer:
    event = event if isinstance(event, dict) else {}
    says = event.get("type") == "ContentEvent"
    # What is no message goes wrong only where a rule is about this very call.
    rule = asked(world, "desk_say" if says else "event", desk, there.name)
    if there.ended:
        raise _bad("Bad Request, Conversation is close")
    now = world.now()
    if says:
        if event.get("contentType") != "text/plain" or not isinstance(event.get("message"), str):
            raise _bad("Bad Request")
        number = there.next
        there.lines.append(Line(by="recipient", text=event["message"], at=now, number=number, author=there.name))
        del there.lines[:-LINES]
        there.typing = False
    elif event.get("type") == "ChatStateEvent" and event.get("chatState") in STATES:
        there.typing = event["chatState"] == "COMPOSING"
        put(world, there)
        post(world, desk, twin_tell.event(desk, there, "CONSUMER", event, now), there.id)
        return given(fine({}, id), rule)
    elif event.get("type") == "AcceptStatusEvent" and event.get("status") in STATUSES and event.get("sequenceList"):
        number = there.next
        if event["status"] == "READ":
            there.read = max(there.read, *event["sequenceList"])
    else:
        raise _bad("Bad Request")
    there.next += 1
    there.changed = now
    put(world, there)
    if says:
        world.note("desk_said", number=there.name, sender=desk.id, message=there.id)
    post(world, desk, twin_tell.event(desk, there, "CONSUMER", event, now, number=number), there.id)
    return given(fine({"sequence": number}, id), rule)


def _bad(words: str) -> Refused:
    return Refused(400, bad_request(words), words)


def _read(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise _bad("Bad Request") from fault
