"""LivePerson's side of the wire for the sandbox: the Connector API as LivePerson documents it, its errors included.

Not from our desk: from LivePerson's pages. Where they are silent, the comment on the line says what was chosen. This
file holds the routes and the credentials; the `twin_*` files beside it hold the rest.

An account's credentials: client_id and client_secret (the connector app's; the secret signs webhooks), api_key,
api_secret, api_token, api_token_secret (an agent's key), ccs_user and ccs_password (the context service's). `signature`
is "sha256" where the app asked for that. `bearer` is the token of an agent's login, where there is one.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from urllib.parse import unquote, urlsplit

import msgspec

from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Posting, TwinAnswer, World
from heliograph.desks.liveperson import twin_conversations, twin_reading, twin_tokens
from heliograph.desks.liveperson.twin_agents import act, shown
from heliograph.desks.liveperson.twin_answers import NAME, Dropped, Refused, given
from heliograph.desks.liveperson.twin_tell import signed

__all__ = ["NAME", "POSTING", "PREFIXES", "act", "answer", "body_limit", "credentials", "shown", "signed"]

PREFIXES = ("/api/account/", "/sentinel/", "/messaging_history/", "/v2/authenticate/", "/v2/context/")
# 200 and 201 count; repeated for as long as the app asked for, three days at most.
POSTING = Posting(any_2xx=True, kept_for=259_200_000)


def body_limit(path: str) -> int:
    """Bytes. What is too long for a message is refused by the call itself."""
    return 262_144


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    """As LivePerson's look: a UUID and 26 letters and digits for the app, hex digits for the key's parts."""
    id = secret(32)
    return {
        "client_id": "-".join((id[:8], id[8:12], id[12:16], id[16:20], id[20:])),
        "client_secret": secret(26),
        "api_key": secret(32),
        "api_secret": secret(16),
        "api_token": secret(32),
        "api_token_secret": secret(16),
        "ccs_user": f"ccs-{secret(8)}",
        "ccs_password": secret(24),
    }


def answer(call: Call, world: World) -> TwinAnswer:
    path = urlsplit(call.url).path
    try:
        return _route(call, [unquote(part) for part in path.split("/")[1:]], world)
    except Refused as refused:
        world.note("refused", detail=f"{call.method} {refused.status}: {refused.why}")
        return given(refused.body, status=refused.status)
    except Dropped:
        return TwinAnswer(end="drop")


def _route(call: Call, parts: list[str], world: World) -> TwinAnswer:
    match call.method, parts:
        case "GET", ["api", "account", id, "service", "baseURI.json"]:
            return twin_reading.domains(call, _account(id, world))
        case "GET", ["api", "account", id, "service", service, "baseURI.json"]:
            return twin_reading.domains(call, _account(id, world), service)
        case "POST", ["sentinel", "api", "account", id, "app", "token"]:
            return twin_tokens.app_token(call, _account(id, world), world)
        case "POST", ["api", "account", id, "consumer"]:
            return twin_tokens.consumer_token(call, _account(id, world), world)
        case "POST", ["api", "account", id, "messaging", "consumer", "conversation"]:
            return twin_conversations.converse(call, _account(id, world), world)
        case "POST", ["api", "account", id, "messaging", "consumer", "conversation", "send"]:
            return twin_conversations.send(call, _account(id, world), world)
        case "GET", ["api", "account", id, "configuration", "le-users", "skills"]:
            return twin_reading.skills(call, _account(id, world), world)
        case "POST", [
            "messaging_history",
            "api",
            "account",
            id,
            "conversations",
            "conversation" | "consumer" as by,
            "search",
        ]:
            return twin_reading.history(call, by, _account(id, world), world)
        case "POST", ["v2", "authenticate", "login"]:
            return twin_tokens.log_in(call, _logging_in(call, world), world)
        case "POST", ["v2", "context", "document", "create"]:
            desk = _account(_account_id(call.body), world)
            twin_tokens.check_context(call, desk, world)
            return twin_reading.put_context(call, desk, world)
        case "GET", ["v2", "context", "document", id, space, *session] if len(session) < 2:
            desk = _account(id, world)
            twin_tokens.check_context(call, desk, world)
            return twin_reading.get_context(desk, space, session[0] if session else "", world)
    raise Refused(404, {"message": "Not Found"}, f"nothing at {'/'.join(parts)[:80]}")


def _account(id: str, world: World) -> KnownDesk:
    for desk in world.desks(NAME):
        if desk.id == id:
            return desk
    # Chosen: the pages name 400 and 401 for an account that is not known, without a body.
    raise Refused(400, {"message": "Bad Request"}, f"no account {id[:40]}")


def _account_id(body: bytes) -> str:
    try:
        told = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(400, {"success": False, "message": "Bad Request"}, "no JSON") from fault
    return str(told.get("accountId", ""))


def _logging_in(call: Call, world: World) -> KnownDesk:
    user, password = twin_tokens.basic(call)
    for desk in world.desks(NAME):
        right = desk.credentials.get("ccs_password", "")
        known = bool(user and right) and desk.credentials.get("ccs_user") == user
        if known and hmac.compare_digest(password.encode(), right.encode()):
            return desk
    raise Refused(401, {"message": "Unauthorized"}, "user or password is wrong")
