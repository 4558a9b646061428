"""How Meta answers: its error bodies and words, and what a misbehaviour turns an answer into.

Source: developers.facebook.com …/whatsapp/support/error-codes (codes, titles, statuses); (r) = recalled.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from heliograph.core.twin import Misbehaviour, TwinAnswer

JSON = {"content-type": "application/json; charset=UTF-8", "facebook-api-version": "v23.0"}

# code → (HTTP status, title)
CODES: dict[int, tuple[int, str]] = {
    1: (400, "API Unknown"),
    2: (503, "API Service"),
    3: (500, "API Method"),
    4: (400, "API Too Many Calls"),
    10: (403, "Permission Denied"),
    33: (400, "Parameter value is not valid"),
    100: (400, "Invalid parameter"),
    190: (401, "Access token has expired"),
    368: (403, "Temporarily blocked for policies violations"),
    80007: (400, "Rate limit issues"),
    130429: (429, "Rate limit hit"),
    130472: (400, "User's number is part of an experiment"),
    130497: (403, "Business account is restricted from messaging users in this country."),
    131000: (500, "Something went wrong"),
    131005: (403, "Access denied"),
    131008: (400, "Required parameter is missing"),
    131009: (400, "Parameter value is not valid"),
    131016: (503, "Service unavailable"),
    131021: (400, "Recipient cannot be sender"),
    131026: (400, "Message undeliverable"),
    131030: (400, "Recipient phone number not in allowed list"),
    131031: (403, "Account has been locked"),
    131037: (400, "WhatsApp provided number needs display name approval before message can be sent."),
    131042: (400, "Business eligibility payment issue"),
    131045: (500, "Incorrect certificate"),
    131047: (400, "Re-engagement message"),
    131048: (400, "Spam rate limit hit"),
    131049: (400, "This message was not delivered to maintain healthy ecosystem engagement."),
    131050: (400, "User has stopped marketing messages"),
    131051: (501, "Unsupported message type"),
    131052: (400, "Media download error"),
    131053: (400, "Media upload error"),
    131056: (400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: (500, "Account in maintenance mode"),
    132000: (400, "Number of parameters does not match the expected number of params"),
    132001: (404, "Template name does not exist in the translation"),
    132005: (400, "Template Hydrated Text Too Long"),
    132007: (400, "Template Format Character Policy Violated"),
    132012: (400, "Parameter format does not match format in the created template"),
    132015: (400, "Template is Paused"),
    132016: (400, "Template is Disabled"),
    132018: (400, "There's an issue with the parameters in your template"),
    133004: (503, "Server Temporarily Unavailable"),
    133010: (400, "Phone number Not Registered"),
    135000: (400, "Generic user error"),
}
DETAILS = {
    131026: "Message Undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131049: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered.",
    131050: "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp "
    "from your business.",
    131056: "Message failed to send because there were too many messages sent from this phone number to the same phone "
    "number in a short period of time.",
    130429: "Message failed to send because there were too many messages sent from this phone number in a short period "
    "of time",
}
# What a refusal or a fault of this status is where a rule names no code.
_USUAL = {400: 100, 401: 190, 403: 131005, 429: 130429, 500: 131000, 503: 131016}


class Refused(Exception):
    """Status 0: the connection is closed without a word."""

    def __init__(self, code: int, details: str = "", *, message: str = "", status: int = 0, subcode: int = 0) -> None:
        super().__init__(message or details)
        known = CODES.get(code, (400, "An unknown error has occurred."))
        self.code = code
        self.details = details
        self.message = message or f"(#{code}) {known[1]}"
        self.status = status or known[0]
        self.subcode = subcode


class Dropped(Exception):
    """The connection is closed before anything was done."""


def stopped(rule: Misbehaviour | None) -> float:
    """What goes wrong before a call has an effect; else the seconds by which its answer is late."""
    if rule is None:
        return 0.0
    code = int(rule.code) if rule.code.isdecimal() else 0
    match rule.do:
        case "throttle" | "refuse" | "error":
            code = code or _USUAL.get(rule.status, 130429 if rule.do == "throttle" else 135000)
            raise Refused(code, DETAILS.get(code, ""), status=rule.status)
        case "slow":
            return rule.seconds
        case "drop_before":
            raise Dropped
    return 0.0


def given(told: Any, rule: Misbehaviour | None = None, delay: float = 0.0) -> TwinAnswer:
    if rule and rule.do == "silent":
        return TwinAnswer(end="hang")
    if rule and rule.do == "drop":
        return TwinAnswer(end="drop")
    body = told if isinstance(told, bytes) else msgspec.json.encode(told)
    return TwinAnswer(body=body, headers=JSON, delay=delay)


def refusal(refused: Refused) -> TwinAnswer:
    error: dict[str, Any] = {
        "message": refused.message,
        "type": "GraphMethodException" if refused.subcode else "OAuthException",
        "code": refused.code,
    }
    if refused.details:
        error["error_data"] = {"messaging_product": "whatsapp", "details": refused.details}
    if refused.subcode:
        error["error_subcode"] = refused.subcode
    error["fbtrace_id"] = "A" + hashlib.sha256(repr(error).encode()).hexdigest()[:22]
    return TwinAnswer(status=refused.status, body=msgspec.json.encode({"error": error}), headers=JSON)


def in_webhook(code: int) -> dict[str, Any]:
    """The same as a status's error."""
    title = CODES.get(code, (400, "An unknown error has occurred."))[1]
    return {
        "code": code,
        "title": title,
        "message": title,
        "error_data": {"details": DETAILS.get(code, title)},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }
