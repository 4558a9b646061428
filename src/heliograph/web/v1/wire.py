"""The JSON of a new alert, read into an AlertRequest. Every fault of a call is told at once. Pure.

Unlike on the documented API an unknown field is a fault: a caller that writes `varibles` wants to hear of it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Raw

from heliograph.core import phone
from heliograph.core.alert import AlertRequest
from heliograph.core.site import Key
from heliograph.settings import close
from heliograph.web.livedeflect.badjson import read_object
from heliograph.web.livedeflect.fields import LONGEST, SENDS, kind, shown
from heliograph.web.livedeflect.scan import keys
from heliograph.web.v1.shapes import NewAlert

# Field of the body → ours, where a plain text is meant.
TEXTS = {
    "template": "template",
    "language": "language",
    "skill": "skill",
    "country_code": "country_code",
    "recipient": "phone",
    "channel": "channel",
    "template_version": "version_tag",
    "external_alert_id": "external_alert_id",
    "external_customer_id": "external_customer_id",
    "external_customer_id_descriptor": "external_customer_id_descriptor",
    "first_name": "first_name",
    "last_name": "last_name",
}
FIELD_OF = {ours: field for field, ours in TEXTS.items()}  # for the faults that only the site can tell
REQUIRED = ("recipient", "template")
_KNOWN = tuple(field.name for field in msgspec.structs.fields(NewAlert))

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_string = msgspec.json.Decoder(str).decode


def read(body: bytes, key: Key, idempotency_key: str = "") -> tuple[AlertRequest, dict[str, str]]:
    """What was asked, and the faults by field. A field at fault is empty in the request, so that the others can still
    be held against the site. Raises CallRefused where the body as a whole cannot be read."""
    sent = read_object(body, "alert_info")
    faults = _names(body, sent)
    values: dict[str, Any] = {"template": "", "language": "", "country_code": "", "phone": ""}
    for field, ours in TEXTS.items():
        text, fault = _text(field, bytes(sent.get(field, b"null")))
        if not fault and field in REQUIRED and not text:
            fault = f"{field} is missing. Send it." if field not in sent else f"{field} is empty. Send it."
        if fault:
            faults.setdefault(field, fault)
        else:
            values[ours] = text
    if not values["country_code"] and "country_code" not in faults and "recipient" not in faults:
        values["country_code"] = phone.calling_code(values["phone"])
        if not values["country_code"]:
            faults["recipient"] = (
                "recipient does not begin with its country code. Write it with a plus, as in +12025550123, or send "
                "country_code beside it."
            )
    variables = _variables(bytes(sent.get("variables", b"null")), faults)
    request = AlertRequest(
        **values,
        site=key.site,
        variables=variables,
        alert_info=Raw(_info(bytes(sent.get("alert_info", b"null")), faults)),
        time_to_live=_seconds(bytes(sent.get("time_to_live", b"null")), faults),
        idempotency_key=idempotency_key,
        key=key.consumer_key,
        kind=key.kind,
    )
    return request, faults


def _names(body: bytes, sent: dict[str, Raw]) -> dict[str, str]:
    """Fields that are sent twice, and those that are none."""
    faults = {
        shown(name): f"{shown(name)} is sent {times} times. Send it once."
        for name, times in Counter(keys(body)).items()
        if times > 1
    }
    for name in sent:
        if name not in _KNOWN:
            faults[shown(name)] = f"There is no field {shown(name)}.{close(name[:64], _KNOWN) or ' Leave it out.'}"
    return faults


def _text(field: str, raw: bytes) -> tuple[str, str]:
    """The text of a field ("" = absent) and what is wrong with it."""
    sort = kind(raw)
    if sort == "null":
        return "", ""
    if sort != "string":
        return "", f"{field} must be a string, the call sends {SENDS[sort]}."
    text = _string(raw)
    if len(text) > LONGEST:
        return "", f"{field} is {len(text):,} characters, at most {LONGEST} are taken."
    if "\0" in text:
        return "", f"{field} holds a NUL character (\\u0000). Send it without."
    return text, ""


def _variables(raw: bytes, faults: dict[str, str]) -> dict[str, str]:
    """By their names without @, values as text exactly as sent. A null is the same as not sending it."""
    sort = kind(raw)
    if sort == "null" or "variables" in faults:
        return {}
    if sort != "object":
        faults["variables"] = f"variables must be an object, the call sends {SENDS[sort]}."
        return {}
    wrong: list[str] = []
    variables: dict[str, str] = {}
    for key, value in _object(raw).items():
        name, sort = key.removeprefix("@"), kind(bytes(value))
        text = _string(value) if sort == "string" else bytes(value).decode()
        if not name or len(name) > LONGEST or "\0" in name:
            wrong.append(f"@{shown(name)} is no name of a variable.")
        elif sort in ("object", "array"):
            wrong.append(f"@{shown(name)} must be a string, a number or a boolean, the call sends {SENDS[sort]}.")
        elif "\0" in text:
            wrong.append(f"@{shown(name)} holds a NUL character (\\u0000). Send it without.")
        elif name in variables:
            wrong.append(f"@{shown(name)} is sent twice. Send it once.")
        elif sort != "null":
            variables[name] = text
    if wrong:
        faults["variables"] = " ".join(wrong)
    return variables


def _info(raw: bytes, faults: dict[str, str]) -> bytes:
    sort = kind(raw)
    if sort not in ("null", "object"):
        faults.setdefault("alert_info", f"alert_info must be an object, the call sends {SENDS[sort]}.")
    return raw if sort == "object" else b""


def _seconds(raw: bytes, faults: dict[str, str]) -> int | None:
    if kind(raw) == "null":
        return None
    try:
        return msgspec.json.decode(raw, type=int)
    except msgspec.DecodeError:
        faults.setdefault("time_to_live", "time_to_live must be a whole number of seconds.")
        return None
