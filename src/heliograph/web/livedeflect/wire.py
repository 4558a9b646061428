"""The documented JSON of POST /api/proactiveAlert, read into an AlertRequest. Pure.

A clean body (strings where the page shows strings, no unknown field) takes one pass of msgspec, about 6 µs. Whatever
is not clean goes to tolerance.py, which accepts what real callers send and says what is wrong with the rest. Both
read a clean body alike (a property test holds them together).
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec
from msgspec import Meta, Raw

from heliograph.core.alert import AlertRequest
from heliograph.web.livedeflect.fields import DEEPEST, LONGEST, NAMES
from heliograph.web.livedeflect.tolerance import read_any

Required = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
Optional = Annotated[str, Meta(max_length=LONGEST)] | None


class Clean(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The body as the page shows it. `skill` and `proactiveLanguage` may be empty here: a site can name a default."""

    siteId: Required
    customerCountryCode: Required
    customerPhoneNumber: Required
    proactiveTemplate: Required
    proactiveVariables: dict[Required, str]
    skill: Optional = None
    proactiveLanguage: Optional = None
    externalCustomerId: Optional = None
    externalCustomerIdDescriptor: Optional = None
    externalAlertId: Optional = None
    alertInfo: Raw = Raw(b"")
    firstName: Optional = None
    lastName: Optional = None
    proactiveChannel: Optional = None
    proactiveTemplateVersion: Optional = None


_clean = msgspec.json.Decoder(Clean).decode
_names = re.compile(b'"(?:' + b"|".join(name.encode() for name in NAMES) + b')"').findall
# An escape that could spell a letter of a field's name or a control character: legal, and never seen from a client.
_odd_escape = re.compile(rb"\\u00[0-7]").search


def read(body: bytes, idempotency_key: str = "", key: str = "") -> tuple[AlertRequest, dict[str, str]]:
    """Reads a body. `key` is the consumer key that signed the call.

    Returns what was asked and the faults by documented field name; a field at fault is empty in the request, so that
    the others can still be held against the site and all faults be told at once. Raises CallRefused (with a sentence
    for the caller) where the body as a whole cannot be read: not UTF-8, not JSON, not an object.
    """
    request = _read_clean(body, idempotency_key, key)
    if request is not None:
        return request, {}
    return read_any(body, idempotency_key, key)


def _read_clean(body: bytes, idempotency_key: str, key: str) -> AlertRequest | None:
    """The request, or None where the body is not clean for whatever reason."""
    if b"\\" in body and _odd_escape(body):
        return None
    if body.count(b"{") + body.count(b"[") > DEEPEST:
        return None
    try:
        if not body.isascii():
            body.decode()  # what stays raw (alertInfo) has to be UTF-8 too
        sent = _clean(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    # msgspec keeps the last of two equal keys and does not say so. A name that stands in the body more than once may
    # also be a value, or a key of alertInfo: tolerance.py looks closer.
    names = _names(body)
    if len(set(names)) != len(names):
        return None
    variables = {}
    for name, value in sent.proactiveVariables.items():
        if not name.isascii() or body.count(b'"%b"' % name.encode()) != 1:
            return None
        variables[name.removeprefix("@")] = value
    if len(variables) != len(sent.proactiveVariables) or "" in variables:
        return None
    info = bytes(sent.alertInfo)
    if info and info[0] != 0x7B:  # not an object: null, "" and [] mean absent, the rest is a fault
        return None
    return AlertRequest(
        site=sent.siteId,
        template=sent.proactiveTemplate,
        language=sent.proactiveLanguage or "",
        country_code=sent.customerCountryCode,
        phone=sent.customerPhoneNumber,
        skill=sent.skill or "",
        variables=variables,
        channel=sent.proactiveChannel or "",
        version_tag=sent.proactiveTemplateVersion or "",
        external_alert_id=sent.externalAlertId or "",
        external_customer_id=sent.externalCustomerId or "",
        external_customer_id_descriptor=sent.externalCustomerIdDescriptor or "",
        first_name=sent.firstName or "",
        last_name=sent.lastName or "",
        alert_info=Raw(info),
        idempotency_key=idempotency_key,
        key=key,
    )
