"""How a played Chatwoot says yes and no, and what may go wrong with a call."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from heliograph.core.twin import KnownDesk, Misbehaviour, TwinAnswer, Verb, World

NAME = "chatwoot"
JSON = {"content-type": "application/json; charset=utf-8"}
LONGEST, LARGEST = 1_500, 9_999_999_999  # of a custom attribute (JsonbAttributesLengthValidator)
T = TypeVar("T")


class Refused(Exception):
    """An answer that is a no."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self.headers = JSON if headers is None else headers
        self.end = False

    def answer(self) -> TwinAnswer:
        return (
            TwinAnswer(end="drop") if self.end else TwinAnswer(status=self.status, body=self.body, headers=self.headers)
        )


def given(body: object) -> TwinAnswer:
    return TwinAnswer(status=200, body=msgspec.json.encode(body), headers=JSON)


def invalid(message: str, field: str) -> Refused:
    return Refused(422, {"message": message, "attributes": [field]})


def check(attributes: dict[str, object]) -> None:
    for key, value in attributes.items():
        if isinstance(value, str) and len(value) > LONGEST:
            raise invalid(f"Custom attributes {key} length should be < {LONGEST}", "custom_attributes")
        if isinstance(value, int) and value > LARGEST:
            raise invalid(f"Custom attributes {key} value should be < {LARGEST}", "custom_attributes")


def read(body: bytes, wanted: type[T]) -> T:
    try:
        return msgspec.json.decode(body or b"{}", type=wanted, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Refused(400, {"error": f"There was a problem in the JSON you submitted: {fault}"}) from fault


def goes_wrong(verb: Verb, number: str, desk: KnownDesk, world: World) -> Misbehaviour | None:
    """What goes wrong with the call. Raises Refused where it comes to nothing."""
    wrong = world.misbehaviour(verb, number, desk.id, provider=NAME)
    if wrong is None or wrong.do in ("slow", "silent", "drop"):
        return wrong
    match wrong.do:
        case "throttle":  # rack-attack's words
            raise Refused(wrong.status, b"Retry later\n", {"retry-after": f"{wrong.seconds:.0f}"})
        case "drop_before":
            refused = Refused(500, b"")
            refused.end = True
            raise refused
        case "error":
            raise Refused(wrong.status, {"status": wrong.status, "error": "Internal Server Error"})
    raise Refused(wrong.status, {"error": "You are not authorized to do this action"})


def ends(wrong: Misbehaviour | None, answer: TwinAnswer) -> TwinAnswer:
    """The answer as it reaches the caller, once all is done."""
    match wrong.do if wrong else "":
        case "slow":
            return msgspec.structs.replace(answer, delay=wrong.seconds if wrong else 0.0)
        case "silent":
            return TwinAnswer(end="hang")
        case "drop":
            return TwinAnswer(end="drop")
    return answer
