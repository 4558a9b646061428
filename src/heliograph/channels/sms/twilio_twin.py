"""Twilio's side of the wire for the sandbox: the Messages resource of the REST API 2010-04-01, and Content by name.

Not from our adapter: from Twilio's pages. Where they are silent, the comment on the line says what was chosen. This
file holds the routes and the credentials; the `twilio_twin_*` files beside it hold the rest.

A sender is a number (`id` in E.164) or a Messaging Service (`id` "MG…", its number in `address`). Its credentials:
account_sid, auth_token; where given api_key and api_secret, messaging_service_sid (the service that a number is in) and
status_callback (the service's own, for messages that name none). Services have Advanced Opt-Out.
"""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

from heliograph.channels.sms import twilio_twin_media as media
from heliograph.channels.sms.twilio_twin_answers import Refused, error
from heliograph.channels.sms.twilio_twin_content import content, create_content, fetch_content
from heliograph.channels.sms.twilio_twin_messages import cancel, create, fetch, listed
from heliograph.channels.sms.twilio_twin_tell import keyword, tell
from heliograph.core.ports import Call
from heliograph.core.twin import KnownSender, Posting, TwinAnswer, World

__all__ = [
    "CHANNEL",
    "NAME",
    "POSTING",
    "PREFIXES",
    "SENDS",
    "answer",
    "body_limit",
    "challenge",
    "content",
    "credentials",
    "keyword",
    "tell",
]

NAME = "twilio"
CHANNEL = "sms"
ACCOUNTS = "/2010-04-01/Accounts/"
CONTENT = "/v1/Content"
PREFIXES = (ACCOUNTS, CONTENT, media.KEPT)
SENDS = frozenset({"file"})  # an MMS has no place
# Twilio gives a callback 15 s altogether. How often it repeats is said in the address (#rc=…, at most 5); by default
# once and only where no connection was made. The sandbox has one way for all: as often as may be asked for.
POSTING = Posting(any_2xx=True, tries=6, kept_for=15_000)


def body_limit(path: str) -> int:
    """Bytes. A message of 1,600 characters is 20 KB at most as a form."""
    return 65_536


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    """A new sender's."""
    return {"account_sid": f"AC{secret(32)}", "auth_token": secret(32), "messaging_service_sid": f"MG{secret(32)}"}


def challenge(sender: KnownSender, secret: str) -> tuple[Call, bytes] | None:
    return None  # Twilio checks no webhook


def answer(call: Call, world: World) -> TwinAnswer:
    address = urlsplit(call.url)
    query = parse_qsl(address.query, keep_blank_values=True)
    try:
        if address.path.startswith(media.KEPT):
            return media.kept(address.path, call, world)
        if address.path.startswith(CONTENT):
            return _content(call, address.path, world)
        return _messages(call, address.path, query, world)
    except Refused as refused:
        world.note("refused", detail=f"{call.method} {refused.status}/{refused.code}: {refused.message}")
        return error(refused)


def _messages(call: Call, path: str, query: list[tuple[str, str]], world: World) -> TwinAnswer:
    account, _, rest = path[len(ACCOUNTS) :].partition("/")
    senders = _authorised(call, world, account)
    match call.method, rest.removesuffix(".json").split("/"), rest.endswith(".json"):
        case "POST", ["Messages"], True:
            return create(_form(call), account, senders, world)
        case "GET", ["Messages"], True:
            return listed(query, path, senders, world)
        case "GET", ["Messages", sid], True:
            return fetch(sid, path, senders, world)
        case "GET", ["Messages", _, "Media", sid], False:
            return media.moved(sid, path, world)
        case "POST", ["Messages", sid], True:
            return cancel(_form(call), sid, path, senders, world)
    raise Refused.not_found(path)


def _content(call: Call, path: str, world: World) -> TwinAnswer:
    senders = _authorised(call, world)
    account = senders[0].credentials["account_sid"]
    match call.method, path[len(CONTENT) :].strip("/"):
        case "POST", "":
            return create_content(call.body, account, world)
        case "GET", sid if sid:
            return fetch_content(sid, path, world)
    raise Refused.not_found(path)


def _form(call: Call) -> dict[str, list[str]]:
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return fields


def _authorised(call: Call, world: World, account: str = "") -> list[KnownSender]:
    """The senders of the account that is named, or of the caller's. Twilio does not tell an account that it does not
    know from a wrong token."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        user = password = ""
    found = [
        sender
        for sender in world.known(NAME)
        if account in ("", sender.credentials.get("account_sid")) and _proves(sender.credentials, user, password)
    ]
    if scheme.lower() != "basic" or not found:
        raise Refused(20003, "Authenticate", headers={"www-authenticate": 'Basic realm="Twilio API"'})
    return found


def _proves(known: dict[str, str], user: str, password: str) -> bool:
    for name, secret in (("account_sid", "auth_token"), ("api_key", "api_secret")):
        right = known.get(secret, "")
        if known.get(name) == user and user and right and hmac.compare_digest(right.encode(), password.encode()):
            return True
    return False
