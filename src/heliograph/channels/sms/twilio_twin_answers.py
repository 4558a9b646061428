"""How Twilio answers: its codes with their HTTP status and words, and what a misbehaviour turns an answer into.

Sources: twilio.com/docs/api/errors/<code>; the words are Twilio's own where its pages give them, else (r).
"""

from __future__ import annotations

import msgspec

from heliograph.core.twin import Misbehaviour, TwinAnswer

JSON = {"content-type": "application/json;charset=utf-8"}

# code → (HTTP status, words). A word in braces is filled in.
CODES: dict[int, tuple[int, str]] = {
    20001: (400, "Bad request"),
    20003: (401, "Authenticate"),
    20403: (403, "Forbidden"),
    20404: (404, "The requested resource {what} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "Internal Server Error"),
    20503: (503, "Service Unavailable"),
    21211: (400, "Invalid 'To' Phone Number: {what}"),
    21212: (400, "Invalid 'From' Number: {what}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {what}"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The 'From' phone number provided ({what}) is not a valid message-capable Twilio phone number."),
    21609: (400, "The 'StatusCallback' URL {what} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' phone number: {what}, is not currently reachable using the 'From' phone number"),
    21614: (400, "'To' number: {what}, is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21624: (400, "Invalid validity period value"),
    21655: (400, "The ContentSid is Invalid"),
    21656: (400, "The ContentVariables Parameter is invalid"),
    21701: (400, "The Messaging Service does not exist."),
    21704: (400, "The Messaging Service contains no phone numbers."),
    30409: (400, "This message cannot be canceled"),
}
# What a receipt says beside its code (`error_message` of a message that is read back).
RECEIPTS = {
    "30003": "Unreachable destination handset",
    "30004": "Message blocked",
    "30005": "Unknown destination handset",
    "30006": "Landline or unreachable carrier",
    "30007": "Message filtered",
    "30008": "Unknown error",
}
_USUAL = {400: 20001, 401: 20003, 403: 20403, 404: 20404, 429: 20429, 500: 20500, 503: 20503}


class Refused(Exception):
    def __init__(
        self, code: int, message: str = "", *, what: str = "", status: int = 0, headers: dict[str, str] | None = None
    ) -> None:
        usual, words = CODES.get(code, (400, "The call was refused."))
        self.code = code
        self.status = status or usual
        self.message = message or words.format(what=what[:200])
        self.headers = headers or {}
        super().__init__(self.message)

    @classmethod
    def not_found(cls, path: str) -> Refused:
        return cls(20404, what=path)


class Dropped(Refused):
    """The connection is closed without a byte."""

    def __init__(self) -> None:
        super().__init__(0, "connection closed")


def stopped(rule: Misbehaviour | None, number: str = "") -> float:
    """What goes wrong before a call has an effect; else the seconds by which its answer is late."""
    if rule is None:
        return 0.0
    code = int(rule.code) if rule.code.isascii() and rule.code.isdigit() else 0
    match rule.do:
        case "throttle":
            # That Twilio sends Retry-After is not documented; it does no harm, and a test wants to say how long.
            raise Refused(code or 20429, headers={"retry-after": f"{rule.seconds:g}"})
        case "refuse" | "error":
            if code in CODES:
                raise Refused(code, what=number)
            raise Refused(code or _USUAL.get(rule.status, 20001), what=number, status=rule.status)
        case "unreachable":
            raise Refused(code or 21612, what=number)
        case "drop_before":
            raise Dropped
        case "slow":
            return rule.seconds
    return 0.0


def given(body: bytes, rule: Misbehaviour | None = None, delay: float = 0.0, status: int = 200) -> TwinAnswer:
    if rule and rule.do == "silent":
        return TwinAnswer(end="hang")
    if rule and rule.do == "drop":
        return TwinAnswer(end="drop")
    return TwinAnswer(status=status, body=body, headers=JSON, delay=delay)


def error(refused: Refused) -> TwinAnswer:
    if isinstance(refused, Dropped):
        return TwinAnswer(end="drop")
    body = {
        "code": refused.code,
        "message": refused.message,
        "more_info": f"https://www.twilio.com/docs/errors/{refused.code}",
        "status": refused.status,
    }
    return TwinAnswer(status=refused.status, body=msgspec.json.encode(body), headers={**JSON, **refused.headers})
