"""proactiveVariables: names with or without their @, values as text exactly as they were written. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import msgspec
from msgspec import Raw

from heliograph.web.livedeflect.fields import LONGEST, SENDS, kind, misspelt, shown
from heliograph.web.livedeflect.scan import keys

_object = msgspec.json.Decoder(dict[str, Raw]).decode
_string = msgspec.json.Decoder(str).decode


def read_variables(raw: bytes, sent: Iterable[str], notes: list[str]) -> tuple[dict[str, str], str]:
    """The variables without their @, values as text exactly as sent, and what is wrong with them."""
    name = "proactiveVariables"
    if not raw:
        return {}, f"{name} is missing{misspelt(name, sent)}. Send {{}} where the template has no variables."
    sort = kind(raw)
    if sort == "null" or raw == b'""':
        said = "null" if sort == "null" else "empty"
        return {}, f"{name} is {said}. Send {{}} where the template has no variables."
    if sort == "array" and not raw[1:-1].strip():
        notes.append(f"{name} came as an empty array.")
        return {}, ""
    if sort != "object":
        return {}, f"{name} must be an object, the call sends {SENDS[sort]}."
    faults = []
    written = [key.removeprefix("@") for key in keys(raw)]
    for key, times in Counter(written).items():
        if times > 1:
            faults.append(f"{name} names @{shown(key)} {times} times. Send it once.")
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
    name = shown(variable)
    if not variable:
        return None, "proactiveVariables has a variable without a name."
    if len(variable) > LONGEST or "\0" in variable:
        return None, f"@{name}… is no name of a variable: at most {LONGEST} characters, none of them NUL."
    sort = kind(raw)
    if sort == "null":
        return None, ""
    if sort in ("object", "array"):
        return None, f"@{name} must be a string, a number or a boolean, the call sends {SENDS[sort]}."
    text = _string(raw) if sort == "string" else raw.decode()
    if "\0" in text:
        return None, f"@{name} holds a NUL character (\\u0000). Send it without."
    return text, ""
