"""What Google posts to an agent's webhook: events and users' messages, shaped as a Pub/Sub push and signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import msgspec

from heliograph.channels.rcs.google_rbm_twin_time import timestamp
from heliograph.core.content import Reply
from heliograph.core.ports import Call
from heliograph.core.twin import (
    Delivered,
    Expired,
    Filed,
    Happening,
    KnownSender,
    Located,
    Read,
    Said,
    Subscribed,
    Tapped,
    Typing,
    World,
)

# The word that the phone's menu item sends in the user's name, by the number's country: (unsubscribe, resubscribe).
# Google names no resubscribe word for India's languages other than English.
KEYWORDS = {
    "+1": ("STOP", "START"),
    "+91": ("STOP", "START"),
    "+44": ("STOP", "START"),
    "+49": ("STOP", "START"),
    "+33": ("STOP", "Démarrer"),
    "+34": ("BAJA", "ALTA"),
    "+52": ("BAJA", "ALTA"),
    "+55": ("parar", "começar"),
}


USER_FILES = "/rcs-copper/"  # files of users lie on a host of their own, which asks for no credentials


def keyword(number: str, wanted: bool) -> str:
    for prefix, words in KEYWORDS.items():
        if number.startswith(prefix):
            return words[wanted]
    return "START" if wanted else "STOP"


def challenge(sender: KnownSender, secret: str) -> tuple[Call, bytes]:
    """The request that checks a webhook when it is registered: the answer must be 200 with the bare secret."""
    body = msgspec.json.encode({"clientToken": sender.secret, "secret": secret})
    headers = {"content-type": "application/json", "x-goog-webhook-type": "verification"}
    return Call(method="POST", url=sender.webhook, headers=headers, body=body), secret.encode()


def tell(happening: Happening, sender: KnownSender, world: World) -> Call | None:
    """One callback. It is repeated with the same bytes until it gets its 200."""
    payload = _payload(happening, sender, world)
    if payload is None or not sender.webhook:
        return None
    data = msgspec.json.encode(payload)
    published = timestamp(world.now())
    envelope = world.new_id()
    body = {
        "message": {
            "attributes": {"product": "RBM", "type": "message"},
            "data": base64.b64encode(data).decode(),
            "messageId": envelope,
            "message_id": envelope,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": "projects/sandbox/subscriptions/rbm-agent",
    }
    signature = hmac.digest(sender.secret.encode(), data, hashlib.sha512)
    headers = {
        "content-type": "application/json",
        "x-goog-signature": base64.b64encode(signature).decode(),
        "x-goog-webhook-type": "message_callback",
    }
    return Call(method="POST", url=sender.webhook, headers=headers, body=msgspec.json.encode(body))


def _payload(happening: Happening, sender: KnownSender, world: World) -> dict[str, Any] | None:
    user = {"senderPhoneNumber": happening.number}
    ours = {"agentId": f"{sender.id}@rbm.goog", "sendTime": timestamp(happening.at)}
    event = {"eventId": happening.event, **ours}
    message = {"messageId": happening.event, **ours}
    match happening:
        case Delivered(message=about):
            return {**user, "eventType": "DELIVERED", "messageId": about, **event}
        case Read(message=about):
            return {**user, "eventType": "READ", "messageId": about, **event}
        case Expired(message=about, revoked=revoked):
            # The one kind that names the number otherwise.
            kind = "TTL_EXPIRATION_REVOKED" if revoked else "TTL_EXPIRATION_REVOKE_FAILED"
            return {"phoneNumber": happening.number, "eventType": kind, "messageId": about, **event}
        case Typing():
            return {**user, "eventType": "IS_TYPING", **event}
        case Subscribed(wanted=wanted):
            return {**user, "eventType": "SUBSCRIBE" if wanted else "UNSUBSCRIBE", **event}
        case Said(text=text):
            return {**user, **message, "text": text}
        case Tapped(suggestion=suggestion):
            kind = "REPLY" if isinstance(suggestion, Reply) else "ACTION"
            tap = {"postbackData": suggestion.postback, "text": suggestion.text, "type": kind}
            # Taps on actions come with an event's id and no message id.
            return {**user, **(message if kind == "REPLY" else event), "suggestionResponse": tap}
        case Located(latitude=latitude, longitude=longitude):
            return {**user, **message, "location": {"latitude": latitude, "longitude": longitude}}
        case Filed():
            return {**user, **message, "userFile": _user_file(happening, world)}
        case _:
            return None  # that a message was sent, or failed, Google tells nobody


def _user_file(filed: Filed, world: World) -> dict[str, Any]:
    """Pictures and films come with a thumbnail; the twin's is the file itself."""
    address = f"{world.address()}{USER_FILES}{filed.medium}" if filed.medium else filed.url
    payload = {
        "mimeType": filed.content_type,
        "fileSizeBytes": filed.size,
        "fileName": filed.name,
        "fileUri": address,
    }
    told: dict[str, Any] = {"payload": payload}
    if filed.content_type.startswith(("image/", "video/")):
        told["thumbnail"] = {"mimeType": filed.content_type, "fileSizeBytes": filed.size, "fileUri": address}
    return told
