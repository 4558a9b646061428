"""How LivePerson answers: its envelopes, its errors, and what a misbehaviour turns an answer into.

Source: developers.liveperson.com, Connector API: "Conversation", "Send", "Authorization Error Responses". Where they
are silent, the comment on the line says what was chosen.
"""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.twin import KnownDesk, Misbehaviour, TwinAnswer, Verb, World

NAME = "liveperson"
JSON = {"content-type": "application/json;charset=UTF-8"}

# errorCode → (status, title, details)
ERRORS = {
    40001: (400, "Missing parameter", "Brand Id is missing"),
    40102: (401, "Invalid AppJWT", "AppJWT has expired or is invalid"),
    40103: (401, "Invalid ConsumerJWS", "ConsumerJWS is invalid"),
    40104: (401, "ConsumerJWS is missing", "X_ON_BEHALF_HEADER is not present"),
    40105: (401, "AppJWT is missing", "AUTHORIZATION header is not present"),
}


class Refused(Exception):
    """The answer is an error; `body` as it is sent."""

    def __init__(self, status: int, body: Any, why: str = "") -> None:
        super().__init__(why)
        self.status = status
        self.body = body
        self.why = why


class Dropped(Exception):
    """The connection is closed before anything was done."""


def unauthorised(code: int) -> Refused:
    status, title, details = ERRORS[code]
    body = {"title": title, "details": details, "errorCode": code}
    return Refused(status, {"kind": "resp", "code": status, "body": body, "type": ".ReqBody$ErrorResp"}, title)


def bad_request(words: str, request: str = "") -> dict[str, Any]:
    return {"code": "BAD_REQUEST", "body": {"msg": words}, **({"reqId": request} if request else {})}


def fine(body: dict[str, Any], request: str) -> dict[str, Any]:
    return {"reqId": request, "code": "OK", "body": body}


def asked(world: World, verb: Verb, desk: KnownDesk, number: str = "") -> Misbehaviour | None:
    """What goes wrong with this call, where it does. Raises Refused or Dropped for what has no effect."""
    rule = world.misbehaviour(verb, number, desk.id, provider=NAME)
    if rule is None:
        return None
    match rule.do:
        case "throttle":
            raise Refused(rule.status, {"message": "API rate limit exceeded"}, "throttled")
        case "refuse" | "error" | "unreachable":
            # Chosen: the envelope of its errors with the rule's status.
            body = {"title": "Internal Server Error" if rule.status >= 500 else "Bad Request", "details": rule.code}
            raise Refused(rule.status, {"kind": "resp", "code": rule.status, "body": body}, rule.do)
        case "drop_before":
            raise Dropped
    return rule


def given(told: Any, rule: Misbehaviour | None = None, status: int = 200) -> TwinAnswer:
    if rule is not None and rule.do == "silent":
        return TwinAnswer(end="hang")
    if rule is not None and rule.do == "drop":
        return TwinAnswer(end="drop")
    delay = rule.seconds if rule is not None and rule.do == "slow" else 0.0
    return TwinAnswer(status=status, body=msgspec.json.encode(told), headers=JSON, delay=delay)
