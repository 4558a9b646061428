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
from heliograph.web.livedeflect.fields import DEEPEST, LONGEST
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


def _strings(sent: Clean, variables: int, info: bool) -> int:
    """How many strings a clean body has outside of alertInfo: a name and a value for each field, five of them needed
    (proactiveVariables is a name alone), and two for each variable."""
    given = (
        (sent.skill is not None)
        + (sent.proactiveLanguage is not None)
        + (sent.externalCustomerId is not None)
        + (sent.externalCustomerIdDescriptor is not None)
        + (sent.externalAlertId is not None)
        + (sent.firstName is not None)
        + (sent.lastName is not None)
        + (sent.proactiveChannel is not None)
        + (sent.proactiveTemplateVersion is not None)
    )
    return 9 + 2 * given + 2 * variables + info


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
    info = bytes(sent.alertInfo)
    if info and info[0] != 0x7B:  # not an object: null, "" and [] mean absent, the rest is a fault
        return None
    variables = {name.removeprefix("@"): value for name, value in sent.proactiveVariables.items()}
    if len(variables) != len(sent.proactiveVariables) or "" in variables:
        return None
    # msgspec keeps the last of two equal keys and does not say so. The strings of the body are counted by their quotes:
    # where there are more than were read, a key came twice, is null, or a quote is escaped: tolerance.py looks closer.
    if body.count(b'"') - info.count(b'"') != 2 * _strings(sent, len(variables), bool(info)):
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
