"""`heliograph send` to the native API: its paths, its body made from that of the documented one, what its answers mean.
Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heliograph.cli import say
from heliograph.cli.answer import Meaning

PATH = "/v1/alerts"
EXPLAIN = "/v1/alerts/explain"

# Field of the documented API → of the native one.
_NATIVE = {
    "skill": "skill",
    "customerCountryCode": "country_code",
    "customerPhoneNumber": "recipient",
    "externalCustomerId": "external_customer_id",
    "externalCustomerIdDescriptor": "external_customer_id_descriptor",
    "externalAlertId": "external_alert_id",
    "alertInfo": "alert_info",
    "firstName": "first_name",
    "lastName": "last_name",
    "proactiveChannel": "channel",
    "proactiveLanguage": "language",
    "proactiveTemplate": "template",
    "proactiveTemplateVersion": "template_version",
    "proactiveVariables": "variables",
}
_TEXT = set(_NATIVE.values()) - {"alert_info", "variables"}


def body_of(body: bytes) -> bytes:
    """The native body for a documented one; whatever has no documented field is given back as it is. `siteId` falls
    away (the key says it), numbers become the texts that they stand for."""
    try:
        sent = msgspec.json.decode(body, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError:
        return body  # the server says what is wrong with it
    if not any(name == "siteId" or name.startswith(("proactive", "customer")) for name in sent):
        return body
    native: dict[str, Any] = {}
    for name, value in sent.items():
        ours = _NATIVE.get(name)
        if ours in _TEXT and bytes(value)[:1] not in b'"n':
            native[ours] = bytes(value).decode()
        elif ours == "variables" and not bytes(value).strip(b"[] \n"):
            native[ours] = {}  # what PHP writes for an empty object
        elif ours:
            native[ours] = value
    return msgspec.json.encode(native)


def meaning(status: int | None, headers: Mapping[str, str], body: bytes) -> Meaning:
    """`status` None: the connection broke after the call may have been read. Header names in lower case."""
    if status is None:
        return Meaning(
            outcome="in_doubt",
            exit=4,
            sentence="The connection broke before the answer came, so the alert may have been taken. Look first: "
            "`heliograph alerts list`. With --external-alert-id the same call again is the same alert.",
        )
    said = _object(body)
    alert = str(said.get("id") or headers.get("heliograph-alert", ""))
    follow = f" Follow it: `heliograph alerts show {alert}`." if alert else ""
    if status in (200, 202) and isinstance(said.get("state"), str):
        return _begun(said, headers, follow)
    if 400 <= status < 500 and isinstance(said.get("detail"), str):
        return Meaning(outcome="refused", exit=3, sentence=f"{_refused(said)}{follow}")
    if status >= 500:
        wait = f" after {headers['retry-after']} s" if "retry-after" in headers else ""
        return Meaning(
            outcome="not_sent",
            exit=1,
            sentence=f"The server could not take the call. Nothing was handed to a provider; repeat it{wait}.",
        )
    return Meaning(
        outcome="in_doubt",
        exit=4,
        sentence=f"{status} is no answer of this API. Is the address right? The path is {PATH}.",
    )


def _begun(said: Mapping[str, Any], headers: Mapping[str, str], follow: str) -> Meaning:
    state, channel = said["state"], said.get("channel")
    by = f" on {channel}" if channel else ""
    if headers.get("idempotent-replayed") == "true":
        return Meaning(
            outcome="begun", exit=0, sentence=f"This call was taken before; its alert is {state} now.{follow}"
        )
    match state:
        case "sent" | "delivered" | "read":
            return Meaning(outcome="taken", exit=0, sentence=f"The provider took the message{by}.{follow}")
        case "scheduled":
            return Meaning(outcome="scheduled", exit=0, sentence=f"It is held until {said.get('send_at')}.{follow}")
        case "accepted" | "sending":
            return Meaning(outcome="begun", exit=0, sentence=f"The alert is on disk and on its way{by}.{follow}")
        case _:
            reason = said.get("reason") or "no reason given"
            return Meaning(outcome="not_sent", exit=1, sentence=f"It ended as {state} ({reason}).{follow}")


def _refused(said: Mapping[str, Any]) -> str:
    errors = [one for one in said.get("errors") or [] if isinstance(one, dict)]
    if errors:
        lines = "".join(f"\n  {one.get('field')}: {one.get('detail')}" for one in errors)
        return f"The call was refused; nothing was sent:{lines}"
    return f"The call was refused; nothing was sent: {said['detail']}"


def explained(status: int | None, headers: Mapping[str, str], body: bytes) -> Meaning:
    """The same for an explanation: 0 it would be sent or held, 1 it would be refused."""
    said = _object(body)
    would = said.get("would")
    if status != 200 or would not in ("send", "hold", "refuse"):
        if status is None:
            return Meaning(
                outcome="unknown", exit=1, sentence="The connection broke before the answer came. Call again."
            )
        return meaning(status, headers, body)
    channels = ", then ".join(said.get("channels") or [])
    sentence = {
        "send": f"It would be sent on {channels}." if channels else "It would be sent.",
        "hold": f"It would be held until {said.get('hold_until')}.",
        "refuse": "It would be refused; nothing would be sent.",
    }[would]
    return Meaning(outcome=would, exit=1 if would == "refuse" else 0, sentence=f"{sentence} This was a dry run.")


def prefer(wait: int | None, native: bool) -> dict[str, str]:
    """The header that asks to wait. Raises NotUnderstood where the API always waits."""
    if wait is None:
        return {}
    if not native:
        raise say.NotUnderstood(
            "--wait is for /v1 alone: the documented API always waits. Give --bearer, or /v1/alerts."
        )
    return {"Prefer": f"wait={wait}"}


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}
