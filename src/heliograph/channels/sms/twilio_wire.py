"""Content → the form of Twilio's Messages resource, and what one message may be.

Source: twilio.com/docs/messaging/api/message-resource and Twilio's OpenAPI description (api_v2010).
"""

from __future__ import annotations

import msgspec

from heliograph.channels import kit
from heliograph.core import sms
from heliograph.core.channel import Size
from heliograph.core.content import Content, File, Named, Text

NATIVE = "twilio"  # the key in `content.native`: an object whose fields replace or join the form's
BODY = 1600  # characters
MEDIA = 10
VALIDITY_LEAST, VALIDITY_MOST = 1, 36_000  # seconds that Twilio may hold a message before it leaves
CONTENT_SID = "HX"

# Fields that are not the content's to say: they carry the recipient, our attempt's id and the alert's end.
OURS = frozenset({"To", "StatusCallback", "ValidityPeriod", "SendAt", "ScheduleType"})

Extras = dict[str, str | bool | int | float | list[str]]


def form(content: Content, *, sender: tuple[str, str], to: str, status_callback: str, now: int, expires: int) -> bytes:
    """The body of a create. `sender`: ("From", number) or ("MessagingServiceSid", sid); `now` and `expires` in ms."""
    fields: dict[str, str | list[str]] = {
        "To": to,
        sender[0]: sender[1],
        **_said(content),
        "StatusCallback": status_callback,
        "ValidityPeriod": str(max(VALIDITY_LEAST, min((expires - now) // 1000, VALIDITY_MOST))),
    }
    if content.native and NATIVE in content.native:
        for name, value in msgspec.json.decode(content.native[NATIVE], type=Extras).items():
            if name not in OURS:
                fields[name] = value if isinstance(value, str | list) else msgspec.json.encode(value).decode()
    return kit.form(
        [(name, one) for name, value in fields.items() for one in ((value,) if isinstance(value, str) else value)]
    )


def _said(content: Content) -> dict[str, str | list[str]]:
    match content:
        case Text(text=text):
            return {"Body": text}
        case Named():
            said: dict[str, str | list[str]] = {"ContentSid": content.name}
            if values := variables(content):
                said["ContentVariables"] = msgspec.json.encode(values).decode()
            return said
        case File(media=media):
            return {"MediaUrl": media.url or ""}
        case _:
            raise TypeError(f"SMS carries no {type(content).__name__}")


def variables(content: Named) -> dict[str, str]:
    """A Content's variables are one flat map. A parameter counts under its name, else under the next number from 1:
    first those of the header, then the body's, then the buttons' values."""
    values: dict[str, str] = {}
    place = 0
    for parameter in (*content.header, *content.body):
        if not parameter.name:
            place += 1
        text = (parameter.media.url or "") if parameter.media else parameter.text
        values[parameter.name or str(place)] = text
    for button in content.buttons:
        place += 1
        values[str(place)] = button.value
    return values


def measure(content: Content) -> Size:
    """Parts and encoding of the text that the recipient reads; a message with media is one message."""
    match content:
        case Text(text=text):
            return sms.measure(text)
        case Named(shown=shown):
            return sms.measure(shown)
        case _:
            return Size()


def check(content: Content) -> list[str]:
    """One sentence per fault; empty for a message that Twilio's documented limits allow."""
    faults: list[str] = []
    match content:
        case Text(text=text):
            if not text:
                faults.append("text is empty; an SMS needs at least one character.")
            elif len(text) > BODY:
                faults.append(f"text is {len(text)} characters, Twilio allows {BODY}.")
        case Named(name=name):
            if not name.startswith(CONTENT_SID):
                faults.append(f"the message {name!r} is not kept at Twilio; a Content's name there begins with HX.")
        case File(media=media):
            if media.url is None:
                faults.append("file is an upload; Twilio fetches media itself and needs a URL.")
            elif not media.url.startswith(("https://", "http://", "@")):
                faults.append("file URL does not begin with https://.")
        case _:
            faults.append(f"SMS carries text, not a {type(content).__name__.lower()}.")
    if content.native and NATIVE in content.native:
        faults += _extras(content.native[NATIVE])
    return faults


def _extras(raw: msgspec.Raw) -> list[str]:
    try:
        extras = msgspec.json.decode(raw, type=Extras)
    except msgspec.DecodeError:
        return [f'native "{NATIVE}" is not a JSON object of texts, numbers and lists of texts: fields of a message.']
    faults = [f'native "{NATIVE}" sets {name}, which heliograph sets itself.' for name in sorted(OURS & set(extras))]
    media = extras.get("MediaUrl")
    if isinstance(media, list) and len(media) > MEDIA:
        faults.append(f'native "{NATIVE}" has {len(media)} media, Twilio allows {MEDIA}.')
    return faults
