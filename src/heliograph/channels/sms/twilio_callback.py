"""What Twilio's webhooks say → events. Pure: no clock, no store, no answer but the returned one.

Two kinds of POST arrive at the one address, both as forms: what became of a message (`MessageStatus`), at the
StatusCallback that the message itself named with our attempt's id in the query, and what a person wrote, at the
number's or the Messaging Service's address. Signed are the URL as Twilio was given it and every field of the form.
"""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

import msgspec

from heliograph.channels import kit
from heliograph.channels.sms.twilio_answers import became
from heliograph.core.event import Inbound, OptOutHeard, ProviderEvent, Receipt, UnknownEvent
from heliograph.core.ports import Answer, Call, Heard
from heliograph.errors import CallRefused

SIGNATURE = "x-twilio-signature"  # base64(HMAC-SHA1(auth token, URL + each field's name and value, sorted by name))
BODY_HASH = "bodySHA256"  # in the query of a JSON callback: the body's hash, so that the URL's signature covers it
OPT_OUTS = {"STOP": False, "START": True}  # OptOutType → does the recipient want messages; HELP is a question
FIELDS_MOST = 1000

# An empty document tells Twilio to answer nothing; without a document it logs a warning for each message.
NOTHING_TO_SAY = Answer(
    body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', headers={"content-type": "text/xml; charset=utf-8"}
)
DONE = Answer(status=204)

Fields = dict[str, str]


def read(call: Call, *, sender: str, token: str) -> Heard:
    """The events of one callback of `sender`, whose account has the auth token `token`. Raises CallRefused."""
    if not token:
        raise CallRefused(
            f"Sender {sender} has no auth_token, so no callback can be told from a forged one. Put the account's auth "
            "token into the sender's settings and apply the site.",
            code="no_auth_token",
        )
    query = dict(_pairs(call.url.partition("?")[2].encode("utf-8", "surrogateescape"), sender))
    fields = _signed(call, query, sender, token)
    if "MessageStatus" in fields:
        return Heard(events=(_receipt(fields, query.get("attempt", "")),), answer=DONE)
    if fields.get("MessageSid") and ("Body" in fields or "NumMedia" in fields):
        return Heard(events=_inbound(fields), answer=NOTHING_TO_SAY)
    kind = fields.get("EventType") or fields.get("SmsStatus") or "unnamed"
    key = kit.fingerprint(call.url.encode("utf-8", "surrogateescape") + call.body)
    return Heard(events=(UnknownEvent(event=key, kind=kind, raw=_raw(fields)),), answer=NOTHING_TO_SAY)


def _signed(call: Call, query: Fields, sender: str, token: str) -> Fields:
    """The fields of a callback that its signature covers."""
    given = call.headers.get(SIGNATURE, "")
    if not given:
        raise CallRefused(
            f"The callback for sender {sender} has no X-Twilio-Signature. If Twilio sent it, a proxy drops the header.",
            code="unsigned",
        )
    hashed = query.get(BODY_HASH)
    in_url = hashed is not None or call.method == "GET"
    pairs = [] if in_url else _pairs(call.body, sender)
    # A field that came several times with one value counts once (as in Twilio's own libraries).
    signed = "".join([name + value for name, value in sorted(set(pairs))])
    url = call.url
    if not kit.same(given, _signature(token, url + signed)) and not kit.same(
        given, _signature(token, _otherwise(url) + signed)
    ):
        raise CallRefused(
            f"The X-Twilio-Signature of a callback for sender {sender} does not match its auth_token. The signature "
            "covers the address as Twilio has it: set HELIOGRAPH_PUBLIC_URL to that scheme and host. If the auth token "
            "was changed at Twilio, apply the site with the new one.",
            code="bad_signature",
        )
    if hashed is None:
        return query if in_url else dict(pairs)
    if not kit.same(hashlib.sha256(call.body).hexdigest(), hashed.lower()):
        raise CallRefused(
            f"The body of a callback for sender {sender} is not the one that was signed.", code="bad_signature"
        )
    return _json(call.body, sender)


def _pairs(form: bytes, sender: str) -> list[tuple[str, str]]:
    """The fields of a form or a query, in order. urllib's parse_qsl does the same in three times the time."""
    try:
        pieces = [piece for piece in form.decode().split("&") if piece]
        if len(pieces) > FIELDS_MOST:
            raise _no_callback(sender)
        return [(_plain(name), _plain(value)) for name, _, value in [piece.partition("=") for piece in pieces]]
    except UnicodeDecodeError:
        raise _no_callback(sender) from None


def _plain(text: str) -> str:
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, errors="strict") if "%" in text else text


def _json(body: bytes, sender: str) -> Fields:
    try:
        told = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        return {name: _text(value) for name, value in told.items()}
    except kit.UNREADABLE:
        raise _no_callback(sender) from None


def _no_callback(sender: str) -> CallRefused:
    return CallRefused(
        f"This is the webhook of Twilio sender {sender}; the body is neither a form nor JSON of Twilio's.",
        code="not_a_callback",
    )


def _text(raw: msgspec.Raw) -> str:
    value = msgspec.json.decode(raw)
    return value if isinstance(value, str) else bytes(raw).decode()


def _signature(token: str, text: str) -> str:
    return kit.hmac_base64(token, text.encode("utf-8", "surrogateescape"), "sha1")


def _otherwise(url: str) -> str:
    """The same address without its port, or with the usual one where it has none: what Twilio signs of a port has
    changed over the years, and its own libraries take both."""
    found = re.fullmatch(r"(https?)://([^/?#]*?)(:\d+)?([/?#].*|)", url, re.DOTALL)
    if found is None:
        return url
    scheme, host, port, rest = found.groups()
    usual = "" if port else ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host}{usual}{rest}"


def _receipt(fields: Fields, attempt: str) -> ProviderEvent:
    word = fields["MessageStatus"]
    sid = fields.get("MessageSid") or fields.get("SmsSid", "")
    found = became(word, fields.get("ErrorCode", ""))
    if found is None or not (sid or attempt):
        return UnknownEvent(event=f"{sid or attempt}:{word}", kind=word, raw=_raw(fields))
    state, reason = found
    return Receipt(
        event=f"{sid or attempt}:{word}",
        state=state,
        attempt=attempt,
        reference=sid,
        sender_of_event=_number(fields.get("To", "")),
        reason=reason,
        raw=_raw(fields),
    )


def _inbound(fields: Fields) -> tuple[ProviderEvent, ...]:
    """A person's words, tap, place or files. What the provider understood of it as an opt-out comes first."""
    sid, number, raw = fields["MessageSid"], _number(fields.get("From", "")), _raw(fields)
    events: list[ProviderEvent] = []
    kind = fields.get("OptOutType", "").upper()
    if kind in OPT_OUTS and number:
        events.append(OptOutHeard(event=f"{sid}:{kind}", recipient=number, wanted=OPT_OUTS[kind], raw=raw))
    quoted = fields.get("OriginalRepliedMessageSid", "")
    said: list[tuple[str, str, str]] = []  # kind, text, postback
    if "ButtonPayload" in fields or "ButtonText" in fields:
        said.append(("tap", fields.get("ButtonText") or fields.get("Body", ""), fields.get("ButtonPayload", "")))
    elif "Latitude" in fields and "Longitude" in fields:
        said.append(("location", f"{fields['Latitude']}, {fields['Longitude']}", ""))
    elif fields.get("Body"):
        said.append(("text", fields["Body"], ""))
    count = fields.get("NumMedia", "0")
    for place in range(min(int(count), 10) if count.isascii() and count.isdigit() else 0):
        said.append(("file", fields.get(f"MediaUrl{place}", ""), ""))
    for place, (what, text, postback) in enumerate(said or [("text", "", "")]):
        events.append(
            Inbound(
                event=sid if place == 0 else f"{sid}:{place}",
                recipient=number,
                kind=what,
                text=text,
                postback=postback,
                in_reply_to=quoted,
                raw=raw,
            )
        )
    return tuple(events)


def _number(address: str) -> str:
    """The number of an address: "whatsapp:+17705550123" where the sender is on another of Twilio's channels."""
    return address.rpartition(":")[2]


def _raw(fields: Fields) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(fields))
