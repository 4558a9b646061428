"""Google RBM's side of the wire for the sandbox: the REST API v1 as Google documents it, its errors included.

Not from our adapter: from Google's pages. Where they are silent, the comment on the line says what was chosen. This
file holds the routes and the credentials; the `google_rbm_twin_*` files beside it hold the rest.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from heliograph.channels.rcs.google_rbm_twin_answers import Refused, error, stopped
from heliograph.channels.rcs.google_rbm_twin_files import FILE_BYTES, file_by_url, upload, user_file
from heliograph.channels.rcs.google_rbm_twin_messages import create, event, revoke
from heliograph.channels.rcs.google_rbm_twin_shown import content
from heliograph.channels.rcs.google_rbm_twin_tell import USER_FILES, challenge, keyword, tell
from heliograph.channels.rcs.google_rbm_twin_token import SCOPE, token
from heliograph.channels.rcs.google_rbm_twin_users import NUMBER, batch, capabilities, known_agent, tester
from heliograph.core.ports import Call
from heliograph.core.twin import TwinAnswer, World

__all__ = ["CHANNEL", "NAME", "PREFIXES", "answer", "body_limit", "challenge", "content", "keyword", "tell"]

NAME = "google-rbm"
CHANNEL = "rcs"
PREFIXES = ("/token", "/v1/phones/", "/v1/users:batchGet", "/v1/files", "/upload/v1/files", USER_FILES)


def body_limit(path: str) -> int:
    """Bytes. A message may have 250 KB; a little more is read, so that the refusal is Google's."""
    return FILE_BYTES + 1 if path.startswith("/upload/") else 1_048_576


def answer(call: Call, world: World) -> TwinAnswer:
    address = urlsplit(call.url)
    path = unquote(address.path) if "%" in address.path else address.path
    try:
        if path == "/token":
            return _token(call, world)
        if path.startswith(USER_FILES) and call.method == "GET":
            return user_file(path[len(USER_FILES) :], world)
        _authorised(call, world)
        return _route(path, dict(parse_qsl(address.query)), call, world)
    except Refused as refused:
        world.note("refused", detail=f"{call.method} {refused.status}: {refused.message}")
        return error(refused.status, refused.message, refused.headers)


def _route(path: str, query: dict[str, str], call: Call, world: World) -> TwinAnswer:
    agent = query.get("agentId", "").removesuffix("@rbm.goog")
    if path.startswith("/v1/phones/"):
        number, _, rest = path[len("/v1/phones/") :].partition("/")
        if not NUMBER.fullmatch(number):
            raise Refused(400, f"Invalid phone number {number[:20]!r}: it must be E.164, with the plus sign.")
        match call.method, rest.split("/"):
            case "POST", ["agentMessages"]:
                return create(number, known_agent(agent, world), query.get("messageId", ""), call.body, world)
            case "DELETE", ["agentMessages", message]:
                return revoke(number, known_agent(agent, world), message, world)
            case "GET", ["capabilities"]:
                return capabilities(number, known_agent(agent, world), query.get("requestId", ""), world)
            case "POST", ["agentEvents"]:
                return event(number, known_agent(agent, world), query.get("eventId", ""), call.body, world)
            case "POST", ["testers"]:
                return tester(number, known_agent(agent, world), call.body, world)
    match call.method, path:
        case "POST", "/v1/users:batchGet":
            return batch(agent, call.body, world)
        case "POST", "/v1/files":
            return file_by_url(known_agent(agent, world), call.body, world)
        case "POST", "/upload/v1/files":
            return upload(known_agent(agent, world), call, world)
    raise Refused(404, "Method not found.")


def _token(call: Call, world: World) -> TwinAnswer:
    if call.method != "POST":
        raise Refused(404, "Not found.")
    delay = stopped(world.misbehaviour("token", "", "", provider=NAME))
    answered = token(call, world)
    return msgspec.structs.replace(answered, delay=delay) if delay else answered


def _authorised(call: Call, world: World) -> None:
    scheme, _, bearer = call.headers.get("authorization", "").partition(" ")
    granted = world.granted(bearer.strip()) if scheme.lower() == "bearer" else None
    if granted is None or granted[1] <= world.now():
        raise Refused(
            401,
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential.",
            {"www-authenticate": 'Bearer realm="https://accounts.google.com/", error="invalid_token"'},
        )
    if SCOPE not in granted[0].split():
        raise Refused(403, "Request had insufficient authentication scopes.")
