"""The Media subresource: a file that a phone sent. Its address wants the account's credentials and answers with a
redirect to where the bytes are; that address proves itself, and refuses whoever proves anything besides.

Source: twilio.com/docs/messaging/api/media-resource (28 September 2026); the redirect (r).
"""

from __future__ import annotations

import hashlib

from heliograph.channels.sms.twilio_twin_answers import Refused
from heliograph.core.ports import Call
from heliograph.core.twin import Filed, KnownSender, TwinAnswer, World

KEPT = "/mms.twiliocdn.com/"  # at Twilio a host of its own
INDEX = "twilio/media"  # the shelf with a medium's SID → its bytes' id


def address(filed: Filed, sender: KnownSender, world: World) -> str:
    """The address of the file, made known here."""
    sid = f"ME{hashlib.md5(filed.medium.encode(), usedforsecurity=False).hexdigest()}"
    world.shelf(INDEX)[sid] = filed.medium.encode()
    account, message = sender.credentials.get("account_sid", ""), f"MM{filed.event.replace('-', '')}"
    return f"{world.address()}/2010-04-01/Accounts/{account}/Messages/{message}/Media/{sid}"


def moved(sid: str, path: str, world: World) -> TwinAnswer:
    known = world.shelf(INDEX).get(sid)
    if known is None:
        raise Refused.not_found(path)
    return TwinAnswer(status=307, headers={"location": f"{world.address()}{KEPT}{known.decode()}"})


def kept(path: str, call: Call, world: World) -> TwinAnswer:
    if "authorization" in call.headers:
        words = b"<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"
        return TwinAnswer(status=400, body=words, headers={"content-type": "application/xml"})
    medium = world.medium(path[len(KEPT) :])
    if call.method != "GET" or medium is None or not medium.data:
        return TwinAnswer(status=404, headers={"content-type": "application/xml"})
    return TwinAnswer(body=medium.data, headers={"content-type": medium.content_type})
