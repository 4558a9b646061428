"""The Messages resource: create, read back, list, cancel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urldefrag, urlsplit

import msgspec

from heliograph.channels.sms.twilio_twin_answers import Refused, given, stopped
from heliograph.channels.sms.twilio_twin_content import filled
from heliograph.channels.sms.twilio_twin_parts import segments
from heliograph.channels.sms.twilio_twin_wire import Order, numbers, read_order, resource, resource_now, service_of
from heliograph.core.twin import Arrival, Kept, KnownSender, TwinAnswer, World

NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
BODY = 1600  # characters
MEDIA = 10
VALIDITY = (1, 36_000, 36_000)  # seconds: least, most, what is taken where none is said
INDEX = "twilio/messages"  # the shelf with SID → sender, so that a message is found by its SID alone
PAGE = 50

# Inputs that Twilio documents for its test credentials; the sandbox knows them under any.
FROM = {"+15005550001": 21212, "+15005550007": 21606, "+15005550008": 21611}
TO = {
    "+15005550001": 21211,
    "+15005550002": 21612,
    "+15005550003": 21408,
    "+15005550004": 21610,
    "+15005550009": 21614,
}
VALID_FROM = "+15005550006"  # "passes all validation": answered, and no phone and no callback follows

Form = Mapping[str, list[str]]


def create(form: Form, account: str, senders: Sequence[KnownSender], world: World) -> TwinAnswer:
    sender = _sender(form, senders)
    order = _order(form, account, sender, world)
    if sender is None:
        return given(msgspec.json.encode(resource(order, world.now())), status=201)
    ours = _ours(order.status_callback)
    known_as = ours or order.sid
    world.received(sender.id, known_as)
    rule = world.misbehaviour("create", order.to, sender.id, known_as, provider=sender.provider)
    delay = stopped(rule, order.to)
    _checked(order, form, world)
    if world.opted_out(order.to, sender.provider, sender.id):
        raise Refused(21610)
    now = world.now()
    shown = msgspec.json.encode(resource(order, now))
    world.shelf(INDEX)[order.sid] = sender.id.encode()
    world.take(
        Arrival(
            id=order.sid,
            ours=ours,
            sender=sender.id,
            provider=sender.provider,
            number=order.to,
            source=order.source,
            resource=msgspec.json.encode(order),
            answer=shown,
            expires=now + _validity(form) * 1000,
            # To a landline Twilio tries in the US, Canada and the UK, and hears it from the network.
            fails="" if world.reach(order.to).has_sms else "30006",
            parts=segments(order.body),
        )
    )
    return given(shown, rule, delay, 201)


def fetch(sid: str, path: str, senders: Sequence[KnownSender], world: World) -> TwinAnswer:
    sender, kept = _kept(sid, path, senders, world)
    rule = world.misbehaviour("ask", kept.number, sender.id, kept.ours or kept.id, provider=sender.provider)
    delay = stopped(rule, kept.number)
    return given(msgspec.json.encode(resource_now(kept)), rule, delay)


def listed(query: list[tuple[str, str]], path: str, senders: Sequence[KnownSender], world: World) -> TwinAnswer:
    """The newest 50, or `PageSize` of them, that `To`, `From` and `DateSent` (a day, GMT) fit. There is one page."""
    asked = dict(query)
    size = int(asked["PageSize"]) if asked.get("PageSize", "").isdigit() else PAGE
    ids = {sender.id for sender in senders}
    found: list[dict[str, object]] = []
    for sid, sender_id in reversed(list(world.shelf(INDEX).items())):
        kept = world.kept(sender_id.decode(), sid) if sender_id.decode() in ids else None
        if kept is None:
            continue
        shown, source = resource_now(kept), read_order(kept.resource).source
        if asked.get("To", kept.number) == kept.number and asked.get("From", source) == source and _on(asked, kept):
            found.append(shown)
        if len(found) == min(max(size, 1), 1000):
            break
    page = {
        "end": max(len(found) - 1, 0),
        "first_page_uri": f"{path}?PageSize={size}&Page=0",
        "messages": found,
        "next_page_uri": None,
        "page": 0,
        "page_size": size,
        "previous_page_uri": None,
        "start": 0,
        "uri": f"{path}?PageSize={size}&Page=0",
    }
    return given(msgspec.json.encode(page))


def cancel(form: Form, sid: str, path: str, senders: Sequence[KnownSender], world: World) -> TwinAnswer:
    """Only what is scheduled can be cancelled, and the sandbox schedules nothing."""
    _kept(sid, path, senders, world)
    if _one(form, "Status") == "canceled":
        raise Refused(30409)
    raise Refused(20001, "The sandbox keeps bodies as they were sent; only Status=canceled is understood.")


def _sender(form: Form, senders: Sequence[KnownSender]) -> KnownSender | None:
    """Who sends; None for the documented test number."""
    number, service = _one(form, "From"), _one(form, "MessagingServiceSid")
    if not number and not service:
        raise Refused(21603)
    if number in FROM:
        raise Refused(FROM[number], what=number)
    if number == VALID_FROM and not service:
        return None
    if service:
        for sender in senders:
            if service_of(sender) == service and number in ("", *numbers(sender)):
                if not numbers(sender):
                    raise Refused(21704)
                return sender
        raise Refused(21701)
    for sender in senders:
        if number in numbers(sender):
            return sender
    raise Refused(21606, what=number)


def _order(form: Form, account: str, sender: KnownSender | None, world: World) -> Order:
    body, media = _one(form, "Body"), tuple(form.get("MediaUrl", ()))
    if content_sid := _one(form, "ContentSid"):  # it stands in the place of a body
        body, more = filled(content_sid, _one(form, "ContentVariables"), world)
        media += more
    number = _one(form, "From")
    return Order(
        sid=("MM" if media else "SM") + world.new_id().replace("-", ""),
        account=account,
        to=_one(form, "To"),
        source=number or (numbers(sender)[0] if sender else ""),
        service=_one(form, "MessagingServiceSid"),
        body=body,
        media=media,
        status_callback=_one(form, "StatusCallback"),
    )


def _checked(order: Order, form: Form, world: World) -> None:
    if not order.to:
        raise Refused(21604)
    if order.to in TO:
        raise Refused(TO[order.to], what=order.to)
    if not NUMBER.fullmatch(order.to):
        raise Refused(21211, what=order.to)
    if not (order.body or order.media):
        raise Refused(21602)
    if len(order.body) > BODY:
        raise Refused(21617)
    if len(order.media) > MEDIA:
        raise Refused(21623)
    if not all(_host(url) for url in order.media):
        raise Refused(21620)
    host = _host(order.status_callback)
    if order.status_callback and (not host or "_" in host):  # Twilio takes no underscore in a host's name
        raise Refused(21609, what=order.status_callback)
    if not VALIDITY[0] <= _validity(form) <= VALIDITY[1]:
        raise Refused(21624)
    if form.keys() & {"SendAt", "ScheduleType"}:
        raise Refused(20001, "The sandbox schedules no messages.")


def _host(url: str) -> str:
    """The host of a web address; "" for anything else."""
    try:
        address = urlsplit(url)
    except ValueError:  # brackets that hold no IPv6 address
        return ""
    return (address.hostname or "") if address.scheme in ("http", "https") else ""


def _ours(status_callback: str) -> str:
    """The caller's own id of a message, where the address for its status carries one: the value of the query's only
    field. The sandbox counts by it."""
    query = parse_qsl(urldefrag(status_callback).url.partition("?")[2]) if _host(status_callback) else []
    return query[0][1] if len(query) == 1 else ""


def _validity(form: Form) -> int:
    said = _one(form, "ValidityPeriod")
    return (int(said) if re.fullmatch("[0-9]{1,9}", said) else 0) if said else VALIDITY[2]


def _kept(sid: str, path: str, senders: Sequence[KnownSender], world: World) -> tuple[KnownSender, Kept]:
    owner = world.shelf(INDEX).get(sid, b"").decode()
    for sender in senders:
        kept = world.kept(sender.id, sid) if sender.id == owner else None
        if kept is not None:
            return sender, kept
    raise Refused.not_found(path)


def _on(asked: Mapping[str, str], kept: Kept) -> bool:
    """Whether a message was sent on the days that are asked for: `DateSent`, `DateSent<` and `DateSent>` (both with
    the day itself)."""
    day = _day(kept.taken)
    return (
        asked.get("DateSent", day)[:10] == day
        and asked.get("DateSent>", day)[:10] <= day
        and day <= asked.get("DateSent<", day)[:10]
    )


def _day(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).date().isoformat()


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0]
