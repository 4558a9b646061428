"""What the desk is told, as JSON: an envelope of type, timestamp and data (Standard Webhooks), field by field.

Times are RFC 3339 in UTC. A field that says nothing is left out. `alert_info` is the caller's JSON as it came.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from heliograph.core.alert import Alert
from heliograph.core.conversation import Conversation, Turn
from heliograph.core.desk import Context, Earlier, Step, words_of


def envelope(type: str, at: int, data: dict[str, Any]) -> bytes:
    """The bytes that are signed and posted. `at`: ms."""
    return msgspec.json.encode({"type": type, "timestamp": rfc3339(at), "data": data})


def conversation(one: Conversation) -> dict[str, Any]:
    return _told(
        {
            "id": one.id,
            "site": one.site,
            "skill": one.skill,
            "recipient": one.recipient,
            "name": one.name,
            "channel": one.channel,
            "opened": rfc3339(one.opened),
            "former": one.former,
            "flags": list(one.flags),
            "test": one.test,
        }
    )


def turn(one: Turn) -> dict[str, Any]:
    """`words`: the turn as text, whatever its kind."""
    return _told(
        {
            "number": one.number,
            "at": rfc3339(one.at),
            "by": one.by.value,
            "kind": one.kind,
            "text": one.text,
            "words": words_of(one),
            "postback": one.postback,
            "attached": [_told(msgspec.to_builtins(file)) for file in one.attached],
            "place": msgspec.to_builtins(one.place) if one.place else None,
            "alert": one.alert,
            "rule": one.rule,
            "channel": one.channel,
            "flags": list(one.flags),
        }
    )


def context(one: Context) -> dict[str, Any]:
    return _told(
        {
            "alert": _alert(one.alert) if one.alert else None,
            "words": one.words,
            "content": msgspec.to_builtins(one.content) if one.content is not None else None,
            "channel": one.channel,
            "path": [_step(step) for step in one.path],
            "earlier": [_earlier(alert) for alert in one.earlier],
            "conversations": [_former(former) for former in one.conversations],
        }
    )


def rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _alert(one: Alert) -> dict[str, Any]:
    info = bytes(one.alert_info)
    return _told(
        {
            "id": one.id,
            "created": rfc3339(one.created),
            "template": one.template,
            "template_version": one.template_version,
            "language": one.language,
            "variables": one.variables,
            "state": one.state.value,
            "skill": one.skill,
            "external_alert_id": one.external_alert_id,
            "external_customer_id": one.external_customer_id,
            "external_customer_id_descriptor": one.external_customer_id_descriptor,
            "first_name": one.first_name,
            "last_name": one.last_name,
            "alert_info": msgspec.Raw(info) if info and info != b"null" else None,
        }
    )


def _step(one: Step) -> dict[str, Any]:
    times = {name: rfc3339(at) for name in ("sent", "delivered", "read") if (at := getattr(one, name)) is not None}
    told = {"channel": one.channel, "provider": one.provider, "sender": one.sender, "state": one.state}
    return _told({**told, "reason": one.reason, **times})


def _earlier(one: Earlier) -> dict[str, Any]:
    told = {"id": one.id, "at": rfc3339(one.at), "template": one.template, "state": one.state}
    return _told({**told, "channel": one.channel})


def _former(one: Conversation) -> dict[str, Any]:
    closed = rfc3339(one.closed) if one.closed is not None else None
    return _told({"id": one.id, "skill": one.skill, "opened": rfc3339(one.opened), "closed": closed})


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: empty texts and lists, False, what is not known."""
    return {name: value for name, value in fields.items() if value or (value == 0 and value is not False)}
