"""The documented fields in one table, the limits of their values, and the words that faults are told with. Pure."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 512  # characters of one plain field. PostgreSQL's index rows end at 2,704 bytes, and UTF-8 may need 4 each
DEEPEST = 100  # levels of nesting. Readers of the record meet alertInfo again, deeper in their own stack
LISTED = 50  # unknown fields kept in the record, each cut at 64 characters

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

KINDS = {0x22: "string", 0x7B: "object", 0x5B: "array", 0x74: "boolean", 0x66: "boolean", 0x6E: "null"}
SENDS = {
    "string": "a string",
    "object": "an object",
    "array": "an array",
    "boolean": "a boolean",
    "number": "a number",
    "null": "null",
}


def kind(raw: bytes) -> str:
    """What a value is, from its first byte."""
    return KINDS.get(raw[0], "number")


def shown(name: str) -> str:
    """A caller's own field name, fit for a sentence and the record."""
    return "".join(letter if letter.isprintable() else "?" for letter in name[:64])


def misspelt(name: str, sent: Iterable[str]) -> str:
    """Names the field that was probably meant: field names are matched with their case."""
    other = next((key for key in sent if key.lower() == name.lower()), "")
    return f" (the call sends {shown(other)}; field names are matched with their case)" if other else ""
