"""Messages to a phone: what is refused at once, and what is taken and told as failed later.

As at Meta, whether the recipient is on WhatsApp (131026), has written within 24 hours (131047) or wants marketing
(131050) is told by a webhook, after a yes.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

from heliograph.channels.wa import whatsapp_cloud_twin_templates as templates
from heliograph.channels.wa import whatsapp_cloud_twin_wire as wire
from heliograph.channels.wa.whatsapp_cloud_twin_answers import Refused, given, stopped
from heliograph.core.twin import Arrival, KnownSender, TwinAnswer, World

WINDOW = 86_400_000  # ms
TYPING_SHOWS = 25.0  # seconds
_NUMBER = re.compile(r"\+?[1-9][0-9]{6,14}")
_SEPARATORS = re.compile(r"[\s().-]")


def account_of(sender: KnownSender) -> str:
    """The WhatsApp Business Account of a number; one that names none has one of its own."""
    return sender.credentials.get("waba_id") or f"1{sender.id}"[:15]


def wamid(number: str, name: str) -> str:
    """A message's id: base64 that says nothing to anybody. The same for the same event."""
    return "wamid." + b64encode(f"\x1c\x18{number[-4:]}\x15{name}".encode()).decode()


def event_of(name: str) -> str:
    """The event that a message's id was made of; empty for an id that is none of ours."""
    try:
        return b64decode(name.removeprefix("wamid.")).decode().partition("\x15")[2]
    except ValueError:  # UnicodeDecodeError is one
        return ""


def send(sender: KnownSender, body: bytes, world: World) -> TwinAnswer:
    message = wire.read(body)
    if message.status:
        return _mark(sender, message, world)
    number = _recipient(message, sender)
    name = wamid(number, world.new_id())
    ours = message.biz_opaque_callback_data
    world.received(sender.id, ours or name)
    rule = world.misbehaviour("create", number, sender.id, ours or name, provider=sender.provider)
    delay = stopped(rule)
    wire.check(message)
    for kind, medium in wire.media_of(message):
        _medium(kind, medium, world)
    declared = None
    if message.template is not None and message.type == "template":
        declared = templates.check(message.template, account_of(sender), world)
    answered = given(
        {
            "messaging_product": "whatsapp",
            "contacts": [{"input": message.to or message.recipient, "wa_id": number.removeprefix("+")}],
            "messages": [{"id": name, "message_status": "accepted"}],
        }
    )
    fails = _fails(message, declared, number, sender, world)
    if rule is not None and rule.do == "unreachable":
        fails = rule.code or "131026"
    life = declared.message_send_ttl_seconds if declared else None
    world.take(
        Arrival(
            id=name,
            ours=ours,
            sender=sender.id,
            provider=sender.provider,
            number=number,
            resource=body,
            answer=answered.body,
            fails=fails,
            expires=world.now() + life * 1000 if life else None,
        )
    )
    return given(answered.body, rule, delay)


def _recipient(message: wire.Message, sender: KnownSender) -> str:
    if not message.to:
        # A business-scoped user id is known from webhooks; the twin's own hold the number.
        country, _, digits = message.recipient.partition(".")
        if country and _NUMBER.fullmatch(digits):
            return f"+{digits}"
        raise Refused(131008, "The parameter to is required.")
    number = _SEPARATORS.sub("", message.to)
    if not _NUMBER.fullmatch(number):
        raise Refused(131009, "Recipient phone number is not valid.")
    number = f"+{number.removeprefix('+')}"
    if sender.address and number.removeprefix("+") == sender.address.removeprefix("+"):
        raise Refused(131021, "Sender and recipient phone number is the same.")
    return number


def _medium(kind: str, medium: wire.Media, world: World) -> None:
    if bool(medium.id) == bool(medium.link):
        raise Refused(131009, f"{kind} needs either an id or a link, and only one of them.")
    if medium.id and world.medium(medium.id) is None:
        raise Refused(
            100,
            message=f"(#100) Param {kind}['id'] is not a valid whatsapp business account media attachment ID",
        )
    if medium.link and not medium.link.lower().startswith(("https://", "http://")):
        raise Refused(131009, f"{kind}: link must be an http or https URL.")


def _fails(
    message: wire.Message, declared: templates.Declared | None, number: str, sender: KnownSender, world: World
) -> str:
    """The code with which it is told as failed later; empty for a message that reaches its phone."""
    if not world.reach(number).has_wa:
        return "131026"
    if message.type != "template":
        said = world.last_said(number, sender.provider, sender.id)
        return "131047" if said is None or world.now() - said > WINDOW else ""
    # An undeclared template may be marketing, and whoever stopped that is to be seen.
    marketing = declared is None or declared.category.upper() == "MARKETING"
    return "131050" if marketing and world.opted_out(number, sender.provider, sender.id) else ""


def _mark(sender: KnownSender, message: wire.Message, world: World) -> TwinAnswer:
    """A message of the recipient's is marked as read, perhaps with a sign that somebody types."""
    if message.status != "read" or not message.message_id:
        raise Refused(131009, "status must be read, with the message_id of a message that was received.")
    delay = stopped(world.misbehaviour("event", "", sender.id, provider=sender.provider))
    number = world.saw(sender.provider, sender.id, event_of(message.message_id), earlier=True)
    if not number:
        raise Refused(131009, "message_id is not the id of a message that this number received.")
    if message.typing_indicator is not None:
        world.writes(number, sender.provider, sender.id, TYPING_SHOWS)
    return given({"success": True}, None, delay)
