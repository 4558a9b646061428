"""What Google's webhook says → events. Pure: no clock, no store, no answer but the returned one.

Two kinds of POST arrive: once the verification ({"clientToken", "secret"}, answered with the bare secret), then events
in the envelope of a Pub/Sub push, signed over the decoded data. Google counts only a 200 and repeats for 7 days.
"""

from __future__ import annotations

from base64 import b64decode

import msgspec

from heliograph.channels import files, kit
from heliograph.core.event import Attached, Inbound, OptOutHeard, ProviderEvent, Receipt, UnknownEvent
from heliograph.core.ports import Answer, Call, Heard
from heliograph.core.states import AttemptState
from heliograph.errors import CallRefused

SIGNATURE = "x-goog-signature"  # base64(HMAC-SHA512(clientToken, decoded message.data))
KIND = "x-goog-webhook-type"  # "verification" on newer verification calls; older ones have no header

# eventType → (state of the attempt, our reason). A revoke by time to live that failed is inconclusive: it says that
# Google has had the message, not what became of it; a DELIVERED may still follow and wins.
RECEIPTS = {
    "DELIVERED": (AttemptState.DELIVERED, ""),
    "READ": (AttemptState.READ, ""),
    "TTL_EXPIRATION_REVOKED": (AttemptState.EXPIRED, "time_to_live_ended"),
    "TTL_EXPIRATION_REVOKE_FAILED": (AttemptState.SENT, "revoke_failed"),
}
OPT_OUTS = {"UNSUBSCRIBE": False, "SUBSCRIBE": True}  # eventType → does the recipient want messages


class _Message(msgspec.Struct):
    data: str = ""
    attributes: dict[str, str] = {}
    message_id: str = msgspec.field(default="", name="messageId")


class _Push(msgspec.Struct):
    message: _Message | None = None
    client_token: str | None = msgspec.field(default=None, name="clientToken")
    secret: str | None = None


class _Tap(msgspec.Struct):
    text: str = ""
    postback: str = msgspec.field(default="", name="postbackData")
    type: str = ""  # REPLY | ACTION


class _Place(msgspec.Struct):
    latitude: float = 0.0
    longitude: float = 0.0


class _FileInfo(msgspec.Struct, rename="camel"):
    mime_type: str = ""
    file_size_bytes: int = 0
    file_name: str = ""
    file_uri: str = ""


class _UserFile(msgspec.Struct):
    payload: _FileInfo = msgspec.field(default_factory=_FileInfo)
    thumbnail: _FileInfo = msgspec.field(default_factory=_FileInfo)


class _Event(msgspec.Struct, rename="camel"):
    """All payloads in one: Google sends no tag. Time-to-live events say phoneNumber, all others senderPhoneNumber."""

    sender_phone_number: str = ""
    phone_number: str = ""
    event_type: str = ""
    event_id: str = ""
    message_id: str = ""
    send_time: str = ""
    agent_id: str = ""
    text: str | None = None
    suggestion_response: _Tap | None = None
    location: _Place | None = None
    user_file: _UserFile | None = None


_read_push = msgspec.json.Decoder(_Push).decode
# Not strict: JSON of Google's writes whole numbers of 64 bits as texts, and fileSizeBytes is one.
_read_event = msgspec.json.Decoder(_Event, strict=False).decode


def bare(agent: str) -> str:
    """An agent's id without its domain and without the path of its resource."""
    return agent.rpartition("/")[2].removesuffix("@rbm.goog")


def read(call: Call, *, agent: str, token: str) -> Heard:
    """The events of one callback of `agent`, whose webhook has the client token `token`. Raises CallRefused."""
    try:
        push = _read_push(call.body)
    except kit.UNREADABLE:
        raise CallRefused(
            f"This is the webhook of a Google RBM agent; the {call.method} did not carry Google's JSON. Set this URL "
            "as the agent's webhook, nothing else.",
            code="not_a_callback",
        ) from None
    if not token:
        raise CallRefused(
            f"Agent {agent} has no webhook_token, so no callback can be told from a forged one. Put the client token "
            "of the agent's webhook into the sender's settings and apply the site.",
            code="no_webhook_token",
        )
    if push.message is None:
        return _verification(push, call, agent, token)
    return _event(push.message, call, agent, token)


def _verification(push: _Push, call: Call, agent: str, token: str) -> Heard:
    if push.client_token is None or push.secret is None:
        raise CallRefused(
            f"This is the webhook of Google RBM agent {agent}; the body is neither a verification nor an event.",
            code="not_a_callback",
        )
    if not kit.same(push.client_token, token):
        raise CallRefused(
            f"The clientToken of the verification is not agent {agent}'s webhook_token. Copy the client token from the "
            "agent's webhook settings, apply the site, and verify again.",
            code="bad_signature",
        )
    return Heard(events=(), answer=Answer(body=push.secret.encode(), headers={"content-type": "text/plain"}))


def _event(message: _Message, call: Call, agent: str, token: str) -> Heard:
    given = call.headers.get(SIGNATURE, "")
    if not given:
        raise CallRefused(
            f"The event for agent {agent} has no X-Goog-Signature. A Pub/Sub push subscription looks like this: set "
            "the agent's webhook to this URL instead. If it is the webhook, a proxy drops the header.",
            code="unsigned",
        )
    try:
        data = b64decode(message.data, validate=True)
    except ValueError:  # binascii.Error is one; letters beyond ASCII are another
        raise CallRefused(f"The data of an event for agent {agent} is not base64.", code="not_a_callback") from None
    if not kit.same(given, kit.hmac_base64(token, data, "sha512")):
        raise CallRefused(
            f"The X-Goog-Signature of an event for agent {agent} does not match its webhook_token. If the client token "
            "was changed at Google, apply the site with the new one; Google repeats the event for 7 days.",
            code="bad_signature",
        )
    return Heard(events=(_understood(data, message, agent),))


def _understood(data: bytes, message: _Message, agent: str) -> ProviderEvent:
    fallback = message.message_id or kit.fingerprint(data)
    try:
        event = _read_event(data)
    except kit.UNREADABLE:
        return UnknownEvent(event=fallback, kind="unreadable", raw=_raw(data))
    if event.agent_id and bare(event.agent_id) != agent:
        raise CallRefused(
            f"The event is for agent {bare(event.agent_id)}, but this is the callback address of agent {agent}. Give "
            "each agent its own webhook, or change the sender's agent.",
            code="wrong_agent",
        )
    raw, at = msgspec.Raw(data), kit.milliseconds(event.send_time)
    number = event.sender_phone_number or event.phone_number
    # Taps on actions come with an eventId and no messageId; what a person writes has a messageId of its own.
    key = event.event_id or event.message_id or fallback
    kind = event.event_type
    if kind in RECEIPTS and event.message_id:
        state, reason = RECEIPTS[kind]
        return Receipt(
            event=event.event_id or f"{event.message_id}:{kind}",
            state=state,
            attempt=event.message_id,
            sender_of_event=number,
            at=at,
            reason=reason,
            raw=raw,
        )
    if kind in OPT_OUTS and number:
        return OptOutHeard(event=key, recipient=number, wanted=OPT_OUTS[kind], at=at, raw=raw)
    if number and kind in ("", "IS_TYPING"):
        said = _said(event, key, number)
        if said is not None:
            return msgspec.structs.replace(said, at=at, raw=raw)
    return UnknownEvent(event=key, kind=kind or message.attributes.get("type", "") or "unnamed", raw=raw)


def _said(event: _Event, key: str, number: str) -> Inbound | None:
    """What a person did; None where this version does not know it. Google quotes nothing: a tap carries the postback
    data of its suggestion, and no id of the message that offered it."""
    if event.event_type == "IS_TYPING":
        return Inbound(event=key, recipient=number, kind="typing")
    if event.text is not None:
        return Inbound(event=key, recipient=number, kind="text", text=event.text)
    if event.suggestion_response is not None:
        tap = event.suggestion_response
        return Inbound(event=key, recipient=number, kind="tap", text=tap.text, postback=tap.postback)
    if event.location is not None:
        place = kit.place(event.location.latitude, event.location.longitude)
        if place is None:
            return None
        return Inbound(event=key, recipient=number, kind="location", text=kit.where(place), place=place)
    if event.user_file is not None:
        return Inbound(event=key, recipient=number, kind="file", attached=(_attached(event.user_file),))
    return None


def _attached(file: _UserFile) -> Attached:
    payload = file.payload
    return Attached(
        url=payload.file_uri,
        thumbnail=file.thumbnail.file_uri,
        content_type=files.essence(payload.mime_type),
        name=payload.file_name,
        size=max(0, payload.file_size_bytes),
    )


def _raw(data: bytes) -> msgspec.Raw:
    """Data that is not the JSON it should be, kept as JSON: itself if it parses, else a string."""
    try:
        msgspec.json.decode(data)
    except kit.UNREADABLE:
        return msgspec.Raw(msgspec.json.encode(data.decode("utf-8", "replace")))
    return msgspec.Raw(data)
