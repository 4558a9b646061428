"""What Twilio posts: the status of a message to the address that the message named, a person's words to the sender's
webhook; both as signed forms.

Sources: twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks (a message's first status is in
the answer alone), …/usage/security (the signature), help.twilio.com "SMS STOP filtering" (the keywords).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from urllib.parse import urldefrag, urlencode

from heliograph.channels.sms import twilio_twin_media as media
from heliograph.channels.sms.twilio_twin_parts import segments
from heliograph.channels.sms.twilio_twin_wire import VERSION, numbers, read_order, service_of, status
from heliograph.core.ports import Call
from heliograph.core.twin import About, Delivered, Expired, Failed, Filed, Happening, KnownSender, Said, Sent, World

# A message that is one of these words, in any case, and nothing else.
KEYWORDS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "STOP"),
    **dict.fromkeys(("START", "YES", "UNSTOP"), "START"),
    **dict.fromkeys(("HELP", "INFO"), "HELP"),
}

Fields = dict[str, str]


def keyword(number: str, wanted: bool) -> str:
    return "START" if wanted else "STOP"


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    """One callback, or None. A keyword also takes effect here: from then on Twilio refuses the number, or takes it
    again."""
    if isinstance(happening, About):
        return _status(happening, sender)
    match happening:
        case Said(text=text):
            kind = KEYWORDS.get(text.strip().upper(), "")
            if kind in ("STOP", "START"):
                world.opt_out(happening.number, sender.provider, sender.id, kind == "STOP")
            told = {"Body": text, "NumMedia": "0", "NumSegments": str(segments(text))}
            # Only a Messaging Service with Advanced Opt-Out says what it understood.
            if kind and service_of(sender):
                told["OptOutType"] = kind
            return _posted(sender.webhook, _inbound("SM", happening, sender, told), sender, happening.event)
        case Filed(content_type=content_type):
            told = {
                "Body": "",
                "NumMedia": "1",
                "NumSegments": "1",
                "MediaUrl0": media.address(happening, sender, world) if happening.medium else happening.url,
                "MediaContentType0": content_type,
            }
            return _posted(sender.webhook, _inbound("MM", happening, sender, told), sender, happening.event)
    return None  # typing, places, taps: an SMS has none of them


def _status(happening: About, sender: KnownSender) -> Call | None:
    match happening:
        case Sent():
            word, code = "sent", ""
        case Delivered():
            word, code = "delivered", ""
        case Failed(code=code):
            word, code = status("failed", code)
        case Expired():
            word, code = status("expired")
        case _:
            return None  # nobody knows that an SMS was read
    order = read_order(happening.resource)
    fields = {
        "AccountSid": order.account,
        "ApiVersion": VERSION,
        "From": order.source,
        "MessageSid": order.sid,
        "MessageStatus": word,
        "SmsSid": order.sid,
        "SmsStatus": word,
        "To": order.to,
    }
    if order.service:
        fields["MessagingServiceSid"] = order.service
    if code:
        fields["ErrorCode"] = code
    if word in ("delivered", "undelivered"):
        fields["RawDlrDoneDate"] = datetime.fromtimestamp(happening.at // 1000, UTC).strftime("%y%m%d%H%M")
    url = order.status_callback or sender.credentials.get("status_callback", "")
    return _posted(url, fields, sender, happening.event)


def _inbound(kind: str, happening: Happening, sender: KnownSender, told: Fields) -> Fields:
    sid = kind + happening.event.replace("-", "")
    to = happening.to or next(iter(numbers(sender)), sender.id)
    place = {
        f"{end}{part}": "US" if part == "Country" and number.startswith("+1") else ""
        for end, number in (("From", happening.number), ("To", to))
        for part in ("City", "Country", "State", "Zip")
    }
    fields = {
        "AccountSid": sender.credentials.get("account_sid", ""),
        "ApiVersion": VERSION,
        "From": happening.number,
        "MessageSid": sid,
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": to,
        **place,
        **told,
    }
    if service := service_of(sender):
        fields["MessagingServiceSid"] = service
    return fields


def _posted(url: str, fields: Fields, sender: KnownSender, event: str) -> Call | None:
    """What follows # says how Twilio is to connect; it is neither sent nor signed."""
    url = urldefrag(url).url
    if not url:
        return None
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    proof = hmac.new(sender.credentials.get("auth_token", "").encode(), signed.encode(), hashlib.sha1).digest()
    headers = {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "i-twilio-idempotency-token": event,
        "user-agent": "TwilioProxy/1.1",
        "x-twilio-signature": base64.b64encode(proof).decode(),
    }
    return Call(method="POST", url=url, headers=headers, body=urlencode(fields).encode())
