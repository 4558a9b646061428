"""What Twilio's webhooks say → events. Pure: no clock, no store, no answer but the returned one.

Two kinds of POST arrive at the one address, both as forms: what became of a message (`MessageStatus`), at the
StatusCallback that the message itself named with our attempt's id in the query, and what a person wrote, at the
number's or the Messaging Service's address. Signed are the URL as Twilio was given it and every field of the form.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from urllib.parse import unquote

import msgspec

from heliograph.channels import files, kit
from heliograph.channels.sms.twilio_answers import became
from heliograph.core.event import Attached, Inbound, OptOutHeard, Place, ProviderEvent, Receipt, UnknownEvent
from heliograph.core.ports import Answer, Call, Heard
from heliograph.errors import CallRefused

SIGNATURE = "x-twilio-signature"  # base64(HMAC-SHA1(auth token, URL + each field's name and value, sorted by name))
BODY_HASH = "bodySHA256"  # in the query of a JSON callback: the body's hash, so that the URL's signature covers it
OPT_OUTS = {"STOP": False, "START": True}  # OptOutType → does the recipient want messages; HELP is a question
KEYWORDS = frozenset({*OPT_OUTS, "HELP"})
SHORT = 9  # characters of an address: short codes have 3 to 8 digits
# What Twilio answers of itself (help.twilio.com, "Twilio support for opt-out keywords (SMS STOP filtering)").
DEFAULTS = {
    **dict.fromkeys(("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"), "stop"),
    **dict.fromkeys(("START", "UNSTOP"), "start"),
    **dict.fromkeys(("HELP", "INFO"), "help"),
    "YES": "yes",
}
FIELDS_MOST = 1000
MEDIA_MOST = 10
BASE64_LEAST = 60  # characters; what is shorter fits into one part and comes as it is

# An empty document tells Twilio to answer nothing; without a document it logs a warning for each message.
NOTHING_TO_SAY = Answer(
    body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', headers={"content-type": "text/xml; charset=utf-8"}
)
DONE = Answer(status=204)

Fields = dict[str, str]


def read(call: Call, *, sender: str, token: str, answers: bool = True) -> Heard:
    """The events of one callback of `sender`, whose account has the auth token `token`. `answers`: Twilio answers
    keywords to long codes by itself. Raises CallRefused."""
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
        return Heard(events=_inbound(fields, answers), answer=NOTHING_TO_SAY)
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


def _inbound(fields: Fields, answers: bool) -> tuple[ProviderEvent, ...]:
    """What a person sent: words, a tap, a place, files, all of one message in one event. What Twilio understood of it
    as an opt-out comes first. Without the sender's address nobody could be answered: it is kept as unknown."""
    sid, number, raw = fields["MessageSid"], _number(fields.get("From", "")), _raw(fields)
    if not number:
        return (UnknownEvent(event=sid, kind="message without From", raw=raw),)
    events: list[ProviderEvent] = []
    kind = fields.get("OptOutType", "").upper()
    if kind in OPT_OUTS:
        # What Advanced Opt-Out understood it answers itself.
        wanted = OPT_OUTS[kind]
        events.append(OptOutHeard(event=f"{sid}:{kind}", recipient=number, wanted=wanted, confirmed=True, raw=raw))
    attached, place = _attached(fields), _place(fields)
    text, postback = _plain_words(fields.get("Body", "")), ""
    what = "text"
    if "ButtonPayload" in fields or "ButtonText" in fields:
        what, text, postback = "tap", fields.get("ButtonText") or text, fields.get("ButtonPayload", "")
    elif "ListId" in fields:  # a row of a list (r)
        what, text, postback = "tap", fields.get("ListTitle") or text, fields["ListId"]
    elif place is not None:
        what, text = "location", kit.where(place)
    elif attached:
        what = "file"
    events.append(
        Inbound(
            event=sid,
            recipient=number,
            kind=what,
            text=text,
            postback=postback,
            in_reply_to=fields.get("OriginalRepliedMessageSid", ""),
            attached=attached,
            place=place,
            keyword=kind.lower() if kind in KEYWORDS else _answered(fields) if answers and what == "text" else "",
            raw=raw,
        )
    )
    return tuple(events)


def _answered(fields: Fields) -> str:
    """The keyword that Twilio's default handling has answered: to a long code or a toll-free number, one English word.
    Short codes are left to whoever has them."""
    to = fields.get("To", "")
    return DEFAULTS.get(fields.get("Body", "").strip().upper(), "") if len(to) > SHORT and to[0] == "+" else ""


def _attached(fields: Fields) -> tuple[Attached, ...]:
    """MediaUrl0, MediaContentType0 and so on. They want our credentials, so that they are references."""
    count = fields.get("NumMedia", "0")
    many = min(int(count), MEDIA_MOST) if count.isascii() and count.isdigit() else 0
    return tuple(
        Attached(
            reference=fields.get(f"MediaUrl{place}", ""),
            content_type=files.essence(fields.get(f"MediaContentType{place}", "")),
        )
        for place in range(many)
    )


def _place(fields: Fields) -> Place | None:
    try:
        latitude, longitude = float(fields["Latitude"]), float(fields["Longitude"])
    except (KeyError, ValueError):
        return None
    label = ", ".join(fields[name] for name in ("Label", "Address") if fields.get(name))
    return kit.place(latitude, longitude, label)


def _plain_words(body: str) -> str:
    """A text of several parts may come as an MMS whose body is base64 of it. Taken for that is what can be nothing
    else: 60 characters and more of that alphabet alone, which hold a text with spaces."""
    packed = "".join(body.split("\n")).replace("\r", "")
    if len(packed) < BASE64_LEAST or len(packed) % 4:
        return body
    try:
        words = b64decode(packed, validate=True).decode()
    except ValueError:  # UnicodeDecodeError is one
        return body
    return words if " " in words and all(letter.isprintable() or letter in "\r\n\t" for letter in words) else body


def _number(address: str) -> str:
    """The number of an address: "whatsapp:+17705550123" where the sender is on another of Twilio's channels."""
    return address.rpartition(":")[2]


def _raw(fields: Fields) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(fields))
