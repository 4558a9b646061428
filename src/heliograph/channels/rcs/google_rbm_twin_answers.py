"""How Google answers: its error bodies and words, and what a misbehaviour turns an answer into."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from heliograph.core.twin import Misbehaviour, TwinAnswer

STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}
UNREACHABLE = "The specified phone number cannot be reached by RBM at this time."
THROTTLED = "You have reached the allowed traffic limit for this agent on the user"
JSON = {"content-type": "application/json; charset=UTF-8"}


class Refused(Exception):
    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.headers = headers or {}


def decoded(decoder: msgspec.json.Decoder[Any], body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as fault:
        raise Refused(400, google_says(str(fault))) from fault
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(400, f"Invalid JSON payload received. {fault}") from fault


def stopped(rule: Misbehaviour | None) -> float:
    """What goes wrong before a call has an effect; else the seconds by which its answer is late."""
    if rule is None:
        return 0.0
    match rule.do:
        case "throttle":
            raise Refused(429, THROTTLED, {"retry-after": f"{rule.seconds:g}"})
        case "refuse" | "error":
            raise Refused(rule.status, _SAID.get(rule.status, "The call was refused."))
        case "unreachable":
            raise Refused(404, UNREACHABLE)
        case "slow":
            return rule.seconds
        case "drop_before":
            raise Refused(0, "connection closed")
    return 0.0


_SAID = {
    400: "Request contains an invalid argument.",
    403: "The caller does not have permission",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
}


def given(body: bytes, rule: Misbehaviour | None = None, delay: float = 0.0) -> TwinAnswer:
    if rule and rule.do == "silent":
        return TwinAnswer(end="hang")
    if rule and rule.do == "drop":
        return TwinAnswer(end="drop")
    return TwinAnswer(body=body, headers=JSON, delay=delay)


def error(status: int, message: str, headers: dict[str, str] | None = None) -> TwinAnswer:
    if status == 0:
        return TwinAnswer(end="drop")
    error = {"code": status, "message": message, "status": STATUS.get(status, "UNKNOWN")}
    body = msgspec.json.format(msgspec.json.encode({"error": error}), indent=2)
    return TwinAnswer(status=status, body=body, headers={**JSON, **(headers or {})})


_UNKNOWN_NAME = re.compile(r"Object contains unknown field `(?P<name>[^`]*)`(?: - at `\$(?P<path>[^`]*)`)?")
_WRONG_TYPE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?", re.DOTALL)


def google_says(fault: str, root: str = "agent_message") -> str:
    """msgspec's sentence about a field in Google's words and names (snake case, from the message down)."""

    def place(path: str | None) -> str:
        return root + re.sub(r"[A-Z]", lambda letter: "_" + letter[0].lower(), path or "")

    if match := _UNKNOWN_NAME.fullmatch(fault):
        where = place(match["path"])
        return f"Invalid JSON payload received. Unknown name \"{match['name']}\" at '{where}': Cannot find field."
    match = _WRONG_TYPE.fullmatch(fault)
    what, path = (match["what"], match["path"]) if match else (fault, None)
    return f"Invalid value at '{place(path)}' ({what})"
