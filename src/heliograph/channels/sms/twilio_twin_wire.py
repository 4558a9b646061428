"""A message as it was asked for, and as Twilio shows it: the JSON of the Messages resource.

Source: twilio.com/docs/messaging/api/message-resource.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import msgspec

from heliograph.channels.sms.twilio_twin_answers import RECEIPTS
from heliograph.channels.sms.twilio_twin_parts import segments
from heliograph.core.twin import Kept, KnownSender

VERSION = "2010-04-01"
# Codes that Twilio itself ends a message with; with all others of the 30xxx the network did (undelivered).
_TWILIOS_OWN = frozenset({"30001", "30002", "30036"})


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a create asked for. `source` is the number it goes out from, `service` the Messaging Service; `body` and
    `media` are what the phone gets, also where a Content was named."""

    sid: str
    account: str
    to: str
    source: str
    service: str = ""
    body: str = ""
    media: tuple[str, ...] = ()
    status_callback: str = ""


read_order = msgspec.json.Decoder(Order).decode


def service_of(sender: KnownSender) -> str:
    """The Messaging Service that the sender is, or is in; "" = none."""
    return sender.id if sender.id.startswith("MG") else sender.credentials.get("messaging_service_sid", "")


def numbers(sender: KnownSender) -> list[str]:
    """The numbers (short codes, names) that it sends from and is written to."""
    return [one for one in (sender.address, sender.id) if one and not one.startswith("MG")]


def resource(order: Order, at: int) -> dict[str, object]:
    """The message right after it was taken, `at` in ms. A Messaging Service has chosen no number by then."""
    uri = f"/{VERSION}/Accounts/{order.account}/Messages/{order.sid}"
    return {
        "account_sid": order.account,
        "api_version": VERSION,
        "body": order.body,
        "date_created": rfc2822(at),
        "date_sent": None,
        "date_updated": rfc2822(at),
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if order.service else order.source,
        "messaging_service_sid": order.service or None,
        "num_media": str(len(order.media)),
        "num_segments": "0" if order.service else str(segments(order.body)),
        "price": None,
        "price_unit": "USD",
        "sid": order.sid,
        "status": "accepted" if order.service else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": order.to,
        "uri": f"{uri}.json",
    }


def resource_now(kept: Kept) -> dict[str, object]:
    """The message as it stands."""
    order = read_order(kept.resource)
    shown = msgspec.json.decode(kept.answer, type=dict[str, object])
    if kept.state == "taken":
        return shown
    word, code = status(kept.state, kept.code)
    shown.update(
        {
            "from": order.source,
            "num_segments": str(segments(order.body)),
            "status": word,
            "date_updated": rfc2822(kept.at),
            "date_sent": rfc2822(kept.taken),
        }
    )
    if code:
        shown.update({"error_code": int(code), "error_message": RECEIPTS.get(code)})
    return shown


def status(state: str, code: str = "") -> tuple[str, str]:
    """(Twilio's word, ErrorCode) for what became of a message. An SMS that somebody read is still `delivered`; the
    phone that was off until the end is an unreachable handset."""
    match state:
        case "failed":
            code = code or "30008"
            return ("failed" if code in _TWILIOS_OWN or not code.startswith("30") else "undelivered"), code
        case "expired":
            return "undelivered", "30003"
        case "read":
            return "delivered", ""
        case "revoked":
            return "canceled", ""
        case _:
            return state, ""


def rfc2822(ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(ms // 1000, UTC))
