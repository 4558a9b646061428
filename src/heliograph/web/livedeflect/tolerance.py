"""What real callers send that the page does not show, and one sentence for each thing that is wrong. Pure.

Accepted: numbers where strings are shown, null or "" for an optional field, [] for {}, variables with or without the
leading @, numbers and booleans as their values, unknown fields, a UTF-8 byte order mark. Refused by name: what is
missing, of a wrong type, too long, or sent twice.
"""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import Raw

from heliograph.core.alert import AlertRequest
from heliograph.errors import CallRefused
from heliograph.web.livedeflect.badjson import why_not_json, why_not_utf8
from heliograph.web.livedeflect.scan import depth, keys

LONGEST = 512  # characters of one plain field. PostgreSQL's index rows end at 2,704 bytes, and UTF-8 may need 4 each
DEEPEST = 100  # levels of nesting. Readers of the record meet alertInfo again, deeper in their own stack
LISTED = 50  # unknown fields kept in the record, each cut at 64 characters

BOM = b"\xef\xbb\xbf"

# Documented name → (ours, required here, the page's example). skill and proactiveLanguage are required too, but a site
# may name a default for them: core/intake.py says when they are missing.
FIELDS = {
    "siteId": ("site", True, '"25508804"'),
    "skill": ("skill", False, '"sales"'),
    "customerCountryCode": ("country_code", True, '"1"'),
    "customerPhoneNumber": ("phone", True, '"4043438646"'),
    "externalCustomerId": ("external_customer_id", False, ""),
    "externalCustomerIdDescriptor": ("external_customer_id_descriptor", False, ""),
    "externalAlertId": ("external_alert_id", False, ""),
    "firstName": ("first_name", False, ""),
    "lastName": ("last_name", False, ""),
    "proactiveChannel": ("channel", False, ""),
    "proactiveLanguage": ("language", False, '"english"'),
    "proactiveTemplate": ("template", True, '"flightdelay"'),
    "proactiveTemplateVersion": ("version_tag", False, ""),
}
NAMES = (*FIELDS, "alertInfo", "proactiveVariables")
DOCUMENTED = {ours: name for name, (ours, _, _) in FIELDS.items()} | {
    "variables": "proactiveVariables",
    "version": "proactiveTemplateVersion",
}
WHOLE = frozenset({"siteId", "customerCountryCode", "customerPhoneNumber"})  # 7.7e9 is not how a number is dialled

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_string = msgspec.json.Decoder(str).decode
_KINDS = {0x22: "string", 0x7B: "object", 0x5B: "array", 0x74: "boolean", 0x66: "boolean", 0x6E: "null"}
_SENDS = {
    "string": "a string",
    "object": "an object",
    "array": "an array",
    "boolean": "a boolean",
    "number": "a number",
    "null": "null",
}


def read_any(body: bytes, idempotency_key: str = "", key: str = "") -> tuple[AlertRequest, dict[str, str]]:
    """As wire.read, for every body."""
    notes: list[str] = []
    if body.startswith(BOM):
        body = body[len(BOM) :]
        notes.append("The body began with a byte order mark.")
    sent = _parsed(body)
    faults = {
        _shown(name): f"{_shown(name)} is sent {times} times. Send it once."
        for name, times in Counter(keys(body)).items()
        if times > 1
    }
    values: dict[str, str] = {}
    for name, (ours, required, example) in FIELDS.items():
        if name in faults:
            continue
        raw = bytes(sent[name]) if name in sent else b""
        text, fault = _plain(name, raw, notes)
        if not fault and required and not text:
            fault = _missing(name, raw, example, sent)
        if fault:
            faults[name] = fault
        else:
            values[ours] = text
    variables: dict[str, str] = {}
    if "proactiveVariables" not in faults:
        variables, fault = _variables(bytes(sent.get("proactiveVariables", b"")), sent, notes)
        if fault:
            faults["proactiveVariables"] = fault
    info = b""
    if "alertInfo" not in faults:
        info, fault = _info(bytes(sent.get("alertInfo", b"")))
        if fault:
            faults["alertInfo"] = fault
    unknown = tuple(sorted(_shown(name) for name in sent if name not in _KNOWN)[:LISTED])
    for ours in _REQUIRED_OURS:
        values.setdefault(ours, "")
    request = AlertRequest(
        **values,
        variables=variables,
        alert_info=Raw(info),
        unknown=unknown,
        notes=tuple(notes),
        idempotency_key=idempotency_key,
        key=key,
    )
    return request, faults


_KNOWN = frozenset(NAMES)
_REQUIRED_OURS = ("site", "template", "language", "country_code", "phone")


def _parsed(body: bytes) -> dict[str, Raw]:
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise CallRefused(why_not_utf8(body, error), code="not_utf8") from None
    if depth(body, DEEPEST) > DEEPEST:
        raise CallRefused(
            f"The body is nested more than {DEEPEST} levels deep. Flatten alertInfo.", code="nested_too_deep"
        ) from None
    try:
        return _object(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise CallRefused(why_not_json(body, str(error)), code="not_json") from None


def _kind(raw: bytes) -> str:
    return _KINDS.get(raw[0], "number")


def _shown(name: str) -> str:
    """A caller's own field name, fit for a sentence and the record."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:64])


def _plain(name: str, raw: bytes, notes: list[str]) -> tuple[str, str]:
    """The text of a plain field ("" = absent) and what is wrong with it."""
    if not raw:
        return "", ""
    kind = _kind(raw)
    if kind == "null":
        return "", ""
    if kind == "string":
        text = _string(raw)
    elif kind == "number":
        text = raw.decode()
        if name in WHOLE and not text.isdigit():
            return "", f"{name} must be written in digits, the call sends the number {text[:40]}. Send it as a string."
        notes.append(f"{name} came as a number.")
    else:
        return "", f"{name} must be a string or a number, the call sends {_SENDS[kind]}."
    if len(text) > LONGEST:
        return "", f"{name} is {len(text):,} characters, at most {LONGEST} are taken."
    if "\0" in text:
        return "", f"{name} holds a NUL character (\\u0000). Send it without."
    return text, ""


def _missing(name: str, raw: bytes, example: str, sent: dict[str, Raw]) -> str:
    if raw:
        return f"{name} is {'null' if raw == b'null' else 'empty'}. Send it, for example {example}."
    return f"{name} is missing{_misspelt(name, sent)}. Send it, for example {example}."


def _misspelt(name: str, sent: dict[str, Raw]) -> str:
    """Names the field that was probably meant: field names are matched with their case."""
    other = next((key for key in sent if key.lower() == name.lower()), "")
    return f" (the call sends {_shown(other)}; field names are matched with their case)" if other else ""


def _variables(raw: bytes, sent: dict[str, Raw], notes: list[str]) -> tuple[dict[str, str], str]:
    """The variables without their @, values as text exactly as sent, and what is wrong with them."""
    name = "proactiveVariables"
    if not raw:
        return {}, f"{name} is missing{_misspelt(name, sent)}. Send {{}} where the template has no variables."
    kind = _kind(raw)
    if kind == "null" or raw == b'""':
        said = "null" if kind == "null" else "empty"
        return {}, f"{name} is {said}. Send {{}} where the template has no variables."
    if kind == "array" and not raw[1:-1].strip():
        notes.append(f"{name} came as an empty array.")
        return {}, ""
    if kind != "object":
        return {}, f"{name} must be an object, the call sends {_SENDS[kind]}."
    faults = []
    written = [key.removeprefix("@") for key in keys(raw)]
    for key, times in Counter(written).items():
        if times > 1:
            faults.append(f"{name} names @{_shown(key)} {times} times. Send it once.")
    variables: dict[str, str] = {}
    for key, value in _object(raw).items():
        variable = key.removeprefix("@")
        text, fault = _value(variable, bytes(value))
        if fault:
            faults.append(fault)
        elif text is not None:
            variables[variable] = text
    return ({}, " ".join(faults)) if faults else (variables, "")


def _value(variable: str, raw: bytes) -> tuple[str | None, str]:
    """A variable's text; None where it is null, which is the same as not sending it."""
    shown = _shown(variable)
    if not variable:
        return None, "proactiveVariables has a variable without a name."
    if len(variable) > LONGEST or "\0" in variable:
        return None, f"@{shown}… is no name of a variable: at most {LONGEST} characters, none of them NUL."
    kind = _kind(raw)
    if kind == "null":
        return None, ""
    if kind in ("object", "array"):
        return None, f"@{shown} must be a string, a number or a boolean, the call sends {_SENDS[kind]}."
    text = _string(raw) if kind == "string" else raw.decode()
    if "\0" in text:
        return None, f"@{shown} holds a NUL character (\\u0000). Send it without."
    return text, ""


def _info(raw: bytes) -> tuple[bytes, str]:
    """alertInfo, the caller's own bytes; empty where it is absent, null, "" or []."""
    if not raw or raw in (b"null", b'""') or (raw[:1] == b"[" and not raw[1:-1].strip()):
        return b"", ""
    if raw[:1] != b"{":
        return b"", f"alertInfo must be an object, the call sends {_SENDS[_kind(raw)]}."
    return raw, ""
