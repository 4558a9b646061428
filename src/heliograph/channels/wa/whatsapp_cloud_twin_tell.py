"""What Meta posts to an app's webhook: statuses, messages and preferences, in its envelope, signed over the bytes.

Source: developers.facebook.com …/whatsapp/webhooks/reference (May to August 2026).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any
from urllib.parse import urlencode

from heliograph.channels.wa import whatsapp_cloud_twin_wire as wire
from heliograph.channels.wa.whatsapp_cloud_twin_answers import in_webhook
from heliograph.channels.wa.whatsapp_cloud_twin_media import ATTACHMENTS
from heliograph.channels.wa.whatsapp_cloud_twin_messages import account_of, wamid
from heliograph.channels.wa.whatsapp_cloud_twin_templates import known
from heliograph.core import phone
from heliograph.core.content import Reply
from heliograph.core.ports import Call
from heliograph.core.twin import (
    About,
    Delivered,
    Failed,
    Filed,
    Happening,
    KnownSender,
    Located,
    Medium,
    Read,
    Said,
    Sent,
    Subscribed,
    Tapped,
    World,
)

_STATUS: dict[type[About], str] = {Sent: "sent", Delivered: "delivered", Read: "read", Failed: "failed"}
_KINDS = {"image/webp": "sticker", "image": "image", "video": "video", "audio": "audio"}


def keyword(number: str, wanted: bool) -> str:
    """Who stops marketing messages taps a switch; no word is sent in their name."""
    return ""


def challenge(sender: KnownSender, secret: str) -> tuple[Call, bytes]:
    """The GET that checks a webhook when it is registered: the answer must be 200 with the bare challenge."""
    asked = str(int(secret, 16))[:10]
    query = urlencode(
        {
            "hub.mode": "subscribe",
            "hub.challenge": asked,
            "hub.verify_token": sender.credentials.get("verify_token", ""),
        }
    )
    join = "&" if "?" in sender.webhook else "?"
    return Call(method="GET", url=f"{sender.webhook}{join}{query}", headers={}, body=b""), asked.encode()


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    """One callback. It is repeated with the same bytes until it gets its 200."""
    if isinstance(happening, Subscribed):
        world.opt_out(happening.number, sender.provider, sender.id, not happening.wanted)
    told = _value(happening, sender, world)
    if told is None or not sender.webhook:
        return None
    field, value = told
    metadata = {
        "display_phone_number": (sender.address or sender.id).removeprefix("+"),
        "phone_number_id": sender.id,
    }
    change = {"value": {"messaging_product": "whatsapp", "metadata": metadata, **value}, "field": field}
    envelope = {"object": "whatsapp_business_account", "entry": [{"id": account_of(sender), "changes": [change]}]}
    # As Meta writes it: letters beyond ASCII and slashes escaped. The signature is over these bytes.
    body = json.dumps(envelope, separators=(",", ":")).replace("/", "\\/").encode()
    secret = (sender.credentials.get("app_secret") or sender.secret).encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "facebookexternalua",
        "x-hub-signature": f"sha1={hmac.digest(secret, body, hashlib.sha1).hex()}",
        "x-hub-signature-256": f"sha256={hmac.digest(secret, body, hashlib.sha256).hex()}",
    }
    return Call(method="POST", url=sender.webhook, headers=headers, body=body)


def _value(happening: Happening, sender: KnownSender, world: World) -> tuple[str, dict[str, Any]] | None:
    """(field, the part of the value that is its own); None for what WhatsApp tells nobody."""
    if isinstance(happening, About) and (status := _STATUS.get(type(happening))):
        return "messages", {"statuses": [_status(happening, status, sender, world)]}
    person = {
        "profile": {"name": f"Phone {happening.number[-4:]}"},
        "wa_id": happening.number.removeprefix("+"),
        "user_id": _user_id(happening.number),
    }
    if isinstance(happening, Subscribed):
        word = "resume" if happening.wanted else "stop"
        preference = {
            "wa_id": person["wa_id"],
            "user_id": person["user_id"],
            "detail": f"User requested to {word} marketing messages",
            "category": "marketing_messages",
            "value": word,
            "timestamp": happening.at // 1000,
        }
        return "user_preferences", {"contacts": [person], "user_preferences": [preference]}
    said = _said(happening, world)
    if said is None:
        return None  # that somebody types, opened a link, or that a message's life ended
    context: dict[str, Any] = {}
    quoted = happening.message if isinstance(happening, Tapped) else getattr(happening, "in_reply_to", "")
    if quoted:
        context = {"context": {"from": (sender.address or sender.id).removeprefix("+"), "id": quoted}}
    message = {
        **context,
        "from": person["wa_id"],
        "from_user_id": person["user_id"],
        "id": wamid(happening.number, happening.event),
        "timestamp": str(happening.at // 1000),
        **said,
    }
    return "messages", {"contacts": [person], "messages": [message]}


def _status(happening: About, status: str, sender: KnownSender, world: World) -> dict[str, Any]:
    sent = wire.read(happening.resource)
    told: dict[str, Any] = {
        "id": happening.message,
        "status": status,
        "timestamp": str(happening.at // 1000),
        "recipient_id": happening.number.removeprefix("+"),
        "recipient_user_id": _user_id(happening.number),
    }
    if sent.biz_opaque_callback_data:
        told["biz_opaque_callback_data"] = sent.biz_opaque_callback_data
    if isinstance(happening, Failed):
        told["errors"] = [in_webhook(int(happening.code) if happening.code.isdecimal() else 131026)]
    elif status != "read":
        told["pricing"] = _pricing(sent, sender, world)
    return told


def _pricing(sent: wire.Message, sender: KnownSender, world: World) -> dict[str, Any]:
    if sent.template is None:
        return {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
    declared = known(account_of(sender), sent.template.name, sent.template.language.code, world)
    category = declared.category.lower() if declared else "utility"
    return {"billable": True, "pricing_model": "PMP", "type": "regular", "category": category}


def _said(happening: Happening, world: World) -> dict[str, Any] | None:
    match happening:
        case Said(text=text):
            return {"type": "text", "text": {"body": text}}
        case Tapped(suggestion=Reply(text=text, postback=postback), resource=resource):
            sent = wire.read(resource)
            if sent.type == "template":
                return {"type": "button", "button": {"payload": postback, "text": text}}
            word = "list_reply" if sent.interactive and sent.interactive.type == "list" else "button_reply"
            return {"type": "interactive", "interactive": {"type": word, word: {"id": postback, "title": text}}}
        case Located(latitude=latitude, longitude=longitude, label=label):
            named = {"name": label} if label else {}
            return {"type": "location", "location": {"latitude": latitude, "longitude": longitude, **named}}
        case Filed():
            return _file(happening, world)
        case _:
            return None


def _file(filed: Filed, world: World) -> dict[str, Any]:
    content_type = filed.content_type.partition(";")[0].strip().lower()
    kind = _KINDS.get(content_type) or _KINDS.get(content_type.partition("/")[0], "document")
    name = filed.medium or world.keep(Medium(content_type=content_type, url=filed.url))
    kept = world.medium(name)
    medium: dict[str, Any] = {
        "id": name,
        "mime_type": content_type,
        "sha256": base64.b64encode(hashlib.sha256(kept.data if kept else b"").digest()).decode(),
        "url": f"{world.address()}{ATTACHMENTS}?mid={name}" if filed.medium else filed.url,
    }
    if kind == "document" and filed.name:
        medium["filename"] = filed.name
    elif filed.name and kind in ("image", "video"):
        medium["caption"] = filed.name
    return {"type": kind, kind: medium}


def _user_id(number: str) -> str:
    """A business-scoped user id. Meta's hold nothing; the twin's hold the number, so that it can be written to."""
    return f"{phone.region(number) or 'US'}.{number.removeprefix('+')}"
