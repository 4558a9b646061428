"""What real callers send that the page does not show, and one sentence for each thing that is wrong. Pure.

Accepted: numbers where strings are shown, null or "" for an optional field, [] for {}, variables with or without the
leading @, numbers and booleans as their values, unknown fields, a UTF-8 byte order mark. Refused by name: what is
missing, of a wrong type, too long, or sent twice.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from msgspec import Raw

from heliograph.core.alert import AlertRequest
from heliograph.web.livedeflect.badjson import read_object
from heliograph.web.livedeflect.fields import (
    FIELDS,
    LISTED,
    LONGEST,
    NAMES,
    SENDS,
    WHOLE,
    kind,
    misspelt,
    shown,
)
from heliograph.web.livedeflect.scan import keys
from heliograph.web.livedeflect.variables import read_variables

BOM = b"\xef\xbb\xbf"

_string = msgspec.json.Decoder(str).decode


def read_any(body: bytes, idempotency_key: str = "", key: str = "") -> tuple[AlertRequest, dict[str, str]]:
    """As wire.read, for every body."""
    notes: list[str] = []
    if body.startswith(BOM):
        body = body[len(BOM) :]
        notes.append("The body began with a byte order mark.")
    sent = read_object(body, "alertInfo")
    faults = {
        shown(name): f"{shown(name)} is sent {times} times. Send it once."
        for name, times in Counter(keys(body)).items()
        if times > 1
    }
    values: dict[str, Any] = {}
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
        variables, fault = read_variables(bytes(sent.get("proactiveVariables", b"")), sent, notes)
        if fault:
            faults["proactiveVariables"] = fault
    info = b""
    if "alertInfo" not in faults:
        info, fault = _info(bytes(sent.get("alertInfo", b"")))
        if fault:
            faults["alertInfo"] = fault
    unknown = tuple(sorted(shown(name) for name in sent if name not in _KNOWN)[:LISTED])
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


def _plain(name: str, raw: bytes, notes: list[str]) -> tuple[str, str]:
    """The text of a plain field ("" = absent) and what is wrong with it."""
    if not raw:
        return "", ""
    sort = kind(raw)
    if sort == "null":
        return "", ""
    if sort == "string":
        text = _string(raw)
    elif sort == "number":
        text = raw.decode()
        if name in WHOLE and not text.isdigit():
            return "", f"{name} must be written in digits, the call sends the number {text[:40]}. Send it as a string."
        notes.append(f"{name} came as a number.")
    else:
        return "", f"{name} must be a string or a number, the call sends {SENDS[sort]}."
    if len(text) > LONGEST:
        return "", f"{name} is {len(text):,} characters, at most {LONGEST} are taken."
    if "\0" in text:
        return "", f"{name} holds a NUL character (\\u0000). Send it without."
    return text, ""


def _missing(name: str, raw: bytes, example: str, sent: dict[str, Raw]) -> str:
    if raw:
        return f"{name} is {'null' if raw == b'null' else 'empty'}. Send it, for example {example}."
    return f"{name} is missing{misspelt(name, sent)}. Send it, for example {example}."


def _info(raw: bytes) -> tuple[bytes, str]:
    """alertInfo, the caller's own bytes; empty where it is absent, null, "" or []."""
    if not raw or raw in (b"null", b'""') or (raw[:1] == b"[" and not raw[1:-1].strip()):
        return b"", ""
    if raw[:1] != b"{":
        return b"", f"alertInfo must be an object, the call sends {SENDS[kind(raw)]}."
    return raw, ""
