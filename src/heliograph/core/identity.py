"""Whether two calls are the same call: one fingerprint over all that the documented fields mean.

Two calls are the same if site, `externalAlertId`, recipient and all documented fields are equal after reading
(livedeflect.md, "The same call again is one alert"). After reading means: the number in E.164, the language as a tag
(`english` is `en`), the channel by our name (`whatsapp` is `wa`), variables without their @ and in no order, a skill
or language that was left out as the site's default. `alertInfo` counts by its JSON values: space and the order of keys
do not matter (a client may write them anew for its repeat), a number's digits do. Unknown fields, notes and OAuth
values do not count.

The fingerprint is kept in the store and compared between nodes of different releases: it is taken over MessagePack
with sorted keys, whose form does not change with the Python or Unicode version.
"""

from __future__ import annotations

import json
from hashlib import blake2b

import msgspec

from heliograph.core import language
from heliograph.core.alert import Alert, AlertRequest

_FORM = 1  # raise it when a field is added: old and new fingerprints then never meet by accident
_ENCODER = msgspec.msgpack.Encoder(order="deterministic")


def same_call(alert: Alert, request: AlertRequest) -> str:
    """32 hex digits, equal for equal calls. `alert` is what core.intake made of `request`.

    A call with an `Idempotency-Key` has that key in it: the caller says itself which calls are the same. A call
    with neither that key nor an `externalAlertId` is the same only for the consumer key that signed it.
    """
    named = alert.external_alert_id or request.idempotency_key
    asked = alert.language_asked
    return _digest(
        (
            _FORM,
            alert.site,
            alert.external_alert_id,
            alert.recipient,
            alert.skill,
            alert.template,
            alert.version_tag,
            (language.read(asked) or asked) if asked else alert.language,
            alert.variables,
            alert.channel_forced,
            alert.external_customer_id,
            alert.external_customer_id_descriptor,
            alert.first_name,
            alert.last_name,
            request.time_to_live,
            request.idempotency_key,
            "" if named else alert.key,
            *(("test",) if alert.test else ()),  # what a test key sent is never the answer to a live call
        ),
        bytes(alert.alert_info),
    )


def _digest(fields: tuple[object, ...], info: bytes) -> str:
    try:
        told = _ENCODER.encode((*fields, _values(info)))
    except (ValueError, OverflowError, RecursionError):
        # JSON that has no such form (an integer beyond 64 bits, a lone surrogate, nesting without end): its bytes
        # count as they came.
        told = _ENCODER.encode(([_plain(field) for field in fields], info))
    return blake2b(told, digest_size=16).hexdigest()


def _values(info: bytes) -> object:
    # Nothing, null, {} and [] are all "no alertInfo" (PHP writes an empty dictionary as []).
    return (_decode(info.decode()) or None) if info else None


def _exact(digits: str) -> tuple[str, str]:
    """A number that is not an integer, by its digits: two that differ beyond a float's precision are two."""
    return "number", digits


_decode = json.JSONDecoder(parse_float=_exact, parse_constant=_exact).decode


def _plain(field: object) -> object:
    """A text with a lone surrogate has no UTF-8; its escaped form has."""
    if isinstance(field, str):
        return field.encode("utf-8", "backslashreplace")
    if isinstance(field, dict):
        return sorted((_plain(key), _plain(value)) for key, value in field.items())
    return field
