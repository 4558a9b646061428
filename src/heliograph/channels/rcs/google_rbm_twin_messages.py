"""Messages and events to a phone: create, revoke, agent events."""

from __future__ import annotations

import msgspec

from heliograph.channels.rcs import google_rbm_twin_rules as rules
from heliograph.channels.rcs import google_rbm_twin_wire as wire
from heliograph.channels.rcs.google_rbm_twin_answers import Refused, decoded, given, google_says, stopped
from heliograph.channels.rcs.google_rbm_twin_time import duration_ms, timestamp, timestamp_ms
from heliograph.channels.rcs.google_rbm_twin_users import reachable
from heliograph.core.twin import Arrival, KnownSender, TwinAnswer, World

TYPING_SHOWS = 20.0  # seconds (r): Google names no time
LONGEST_TTL = 15 * 86_400_000  # ms
_MESSAGE = msgspec.json.Decoder(wire.AgentMessage)


def create(number: str, agent: KnownSender, message_id: str, body: bytes, world: World) -> TwinAnswer:
    if not message_id:
        raise Refused(400, "message_id must be set: a UUID as in RFC 9562.")
    world.received(agent.id, message_id)
    # Google ignores an id that was used before, by a message or an event; its answer to that is not documented. The
    # resource of the first time is given, so that a caller whose answer was lost can repeat.
    earlier = world.earlier(agent.id, message_id)
    rule = world.misbehaviour("create", number, agent.id, message_id, provider=agent.provider)
    delay = stopped(rule)
    sent = decoded(_MESSAGE, body)
    if len(body) > rules.MESSAGE_BYTES:
        raise Refused(400, f"The message has {len(body)} bytes; at most 250 KB are allowed.")
    _checked(sent, world)
    if earlier:
        world.note("repeated", number=number, sender=agent.id, message=message_id)
        return given(earlier, None, delay)  # silent and drop are about the call that took it
    now = world.now()
    expires = _expiry(sent, now)
    reachable(number, agent, world)
    resource = msgspec.json.encode(
        wire.Resource(
            name=f"phones/{number}/agentMessages/{message_id}",
            send_time=timestamp(now),
            content_message=sent.content_message,
            expire_time=timestamp(expires) if expires is not None else None,
            message_traffic_type=sent.message_traffic_type,
        )
    )
    if earlier is None:
        world.take(
            Arrival(
                id=message_id,
                sender=agent.id,
                provider=agent.provider,
                number=number,
                resource=resource,
                expires=expires,
            )
        )
    return given(resource, rule, delay)


def revoke(number: str, agent: KnownSender, message_id: str, world: World) -> TwinAnswer:
    rule = world.misbehaviour("revoke", number, agent.id, message_id, provider=agent.provider)
    delay = stopped(rule)
    if not world.withdraw(agent.id, number, message_id):
        raise Refused(404, "The message was not found: it was delivered already, or never sent.")
    return given(b"{}", rule, delay)


class _Event(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    event_type: str = ""
    message_id: str = ""
    name: str = ""
    send_time: str = ""


_EVENT = msgspec.json.Decoder(_Event)


def event(number: str, agent: KnownSender, event_id: str, body: bytes, world: World) -> TwinAnswer:
    if not event_id:
        raise Refused(400, "event_id must be set: a UUID as in RFC 9562.")
    event = decoded(_EVENT, body)
    if event.event_type not in ("IS_TYPING", "READ"):
        raise Refused(400, f"event_type {event.event_type[:40]!r}: an agent sends IS_TYPING or READ.")
    if event.event_type == "READ" and not event.message_id:
        raise Refused(400, "agent_event.message_id must be set for READ.")
    rule = world.misbehaviour("event", number, agent.id, event_id, provider=agent.provider)
    delay = stopped(rule)
    reachable(number, agent, world)
    world.spend_id(agent.id, event_id)
    if event.event_type == "READ":
        world.saw(agent.provider, agent.id, event.message_id)
    else:
        world.writes(number, agent.provider, agent.id, TYPING_SHOWS)
    world.note("agent_event", number=number, sender=agent.id, message=event.message_id, detail=event.event_type)
    shown = {
        "name": f"phones/{number}/agentEvents/{event_id}",
        "eventType": event.event_type,
        "sendTime": timestamp(world.now()),
    }
    if event.message_id:
        shown["messageId"] = event.message_id
    return given(msgspec.json.encode(shown), rule, delay)


def _checked(sent: wire.AgentMessage, world: World) -> None:
    try:
        message = wire.content_message(sent.content_message)
    except msgspec.ValidationError as fault:
        raise Refused(400, google_says(str(fault), "agent_message.content_message")) from fault
    if said := rules.fault(message):
        raise Refused(400, said)
    for name in wire.files(message):
        if world.medium(name.removeprefix("files/")) is None:
            raise Refused(400, f"{name} was not found; uploaded files are kept for 60 days.")


def _expiry(sent: wire.AgentMessage, now: int) -> int | None:
    if sent.ttl and sent.expire_time:
        raise Refused(400, "agent_message: at most one of ttl and expire_time.")
    if sent.ttl:
        length = duration_ms(sent.ttl)
        if length is None:
            raise Refused(400, f"Invalid value at 'agent_message.ttl' (Duration), {sent.ttl[:40]!r}")
        expires = now + length
    elif sent.expire_time:
        moment = timestamp_ms(sent.expire_time)
        if moment is None:
            raise Refused(400, f"Invalid value at 'agent_message.expire_time' (Timestamp), {sent.expire_time[:40]!r}")
        expires = moment
    else:
        return None
    if not 0 < expires - now <= LONGEST_TTL:
        raise Refused(400, "agent_message: the message must expire in the future and within 15 days.")
    return expires
