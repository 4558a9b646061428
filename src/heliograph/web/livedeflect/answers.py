"""The documented answers of POST /api/proactiveAlert, a row of the outcome table each. Pure.

A provider's success body is spliced in as the bytes it came in. Additions go into headers, never into these bodies.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from msgspec import Raw

from heliograph.core.site import Failures
from heliograph.errors import AlertRefused, CallRefused, FieldFaults
from heliograph.flow.result import Result
from heliograph.web.call import JSON, Headers, WebAnswer
from heliograph.web.livedeflect.fields import DOCUMENTED
from heliograph.web.problem import encode, refused

CANNOT_REACH = "Failed Compatibility Check"
REALM = "heliograph"
RETRY_PROVIDER = 30  # seconds; what heliograph itself tried again within the call did not mend it

_json = msgspec.json.Decoder(Raw).decode


def outcome(result: Result, failures: Failures) -> WebAnswer:
    """What became of an alert."""
    match result.kind:
        case "taken":
            body = b'{"success":true,"response":%b}' % (_valid(result.raw) or b"{}")
            return WebAnswer(status=200, body=body, headers=_headers(result))
        case "scheduled":
            held = {"success": True, "response": {"state": "scheduled", "sendAt": rfc3339(result.send_at or 0)}}
            return WebAnswer(status=200, body=encode(held), headers=_headers(result))
        case _:
            return _failed(result, failures)


def _failed(result: Result, failures: Failures) -> WebAnswer:
    message = encode(
        {
            "code": result.code,
            "detail": result.detail,
            "channel": result.channel,
            "retryable": result.retryable,
            "alertId": result.alert,
            "provider": Raw(_valid(result.provider_raw) or b"null"),
        }
    ).decode()
    if failures is Failures.PAGE:
        return WebAnswer(status=200, body=encode({"success": "false", "message": message}), headers=_headers(result))
    # A 5xx invites a repeat, which is safe only where nothing was handed over: never while in doubt.
    status = 200 if result.kind == "in_doubt" else 502
    body = encode({"success": False, "error": result.detail or result.code, "message": message})
    headers = _headers(result)
    if status == 502 and result.retryable:
        headers = (*headers, (b"retry-after", str(RETRY_PROVIDER).encode()))
    return WebAnswer(status=status, body=body, headers=headers)


def refusal(error: CallRefused) -> WebAnswer:
    """A call that was understood and is not taken: 400."""
    if isinstance(error, FieldFaults):
        return faults({DOCUMENTED.get(name, name): sentence for name, sentence in error.fields.items()})
    if isinstance(error, AlertRefused):
        sentence = CANNOT_REACH if error.code == "cannot_reach" else error.sentence
        return refused(400, sentence, headers=((b"heliograph-alert", error.alert.encode()),))
    return refused(400, error.sentence)


def faults(fields: dict[str, str]) -> WebAnswer:
    """All that is wrong with a call's fields, by documented name: 400."""
    return refused(400, " ".join(fields.values()), fields=fields)


def unauthorized(sentence: str) -> WebAnswer:
    """401: `error` stands alone, as on the page."""
    challenge = (b"www-authenticate", b'OAuth realm="%b"' % REALM.encode())
    return WebAnswer(status=401, body=encode({"error": sentence}), headers=(*JSON, challenge))


def rfc3339(milliseconds: int) -> str:
    """UTC, to the millisecond."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def _valid(raw: bytes) -> bytes:
    """JSON as it came; what is not JSON (a proxy's HTML page, say) as a JSON string; empty stays empty."""
    if not raw.strip():
        return b""
    try:
        _json(raw)
        if not raw.isascii():
            raw.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return encode(raw.decode("utf-8", "replace"))
    return raw


def _headers(result: Result) -> Headers:
    headers = [*JSON, (b"heliograph-alert", result.alert.encode())]
    if result.channel:
        headers.append((b"heliograph-channel", result.channel.encode()))
    if result.replayed:
        headers.append((b"idempotent-replayed", b"true"))
    return tuple(headers)
