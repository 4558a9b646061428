"""What Chatwoot posts: an inbox's webhook, its signature, and the events in it.

`X-Chatwoot-Signature: sha256=<hex>` is the HMAC-SHA256 of `{X-Chatwoot-Timestamp}.{body}` with the inbox's secret, over
the bytes as they are (lib/webhooks/trigger.rb; for inboxes since 4.13). Every event of the inbox is posted, the
recipient's own words and private notes among them. An answer other than a yes within 5 seconds marks an agent's message
as failed, and it is not posted again.
"""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from heliograph.core.desk import AgentSaid, AgentTyping, DeskClosed, DeskEvent, DeskMoved, DeskUnknown
from heliograph.core.event import Attached
from heliograph.core.ports import Call, DeskHeard
from heliograph.desks import kit
from heliograph.desks.chatwoot import wire
from heliograph.desks.chatwoot.settings import Settings
from heliograph.errors import CallRefused

SIGNATURE, TIMESTAMP = "x-chatwoot-signature", "x-chatwoot-timestamp"
TOLERANCE = 300  # seconds that the timestamp may be off; every delivery is signed anew
_MESSAGE = "message:"
_BREAK = re.compile(r"\\\r?\n")
_BOLD = re.compile(r"\*\*(\S(?:[^*\n]*\S)?)\*\*")
# Events that say nothing to the recipient or to us.
_PASSED = frozenset(
    {
        "message_updated",
        "conversation_created",
        "conversation_typing_off",
        "webwidget_triggered",
        "contact_created",
        "contact_updated",
        "inbox_created",
        "inbox_updated",
    }
)


class _Named(msgspec.Struct):
    id: int | None = None
    name: str | None = None


class _Person(msgspec.Struct):
    """An agent (type user), a bot (agent_bot) or the contact (none, or contact)."""

    name: str | None = None
    type: str | None = None


class _File(msgspec.Struct):
    file_type: str | None = None
    data_url: str | None = None
    file_size: int | None = None
    fallback_title: str | None = None
    coordinates_lat: float | None = None
    coordinates_long: float | None = None


class _Meta(msgspec.Struct):
    assignee: _Named | None = None
    team: _Named | None = None


class _Conversation(msgspec.Struct):
    id: int
    inbox_id: int = 0


class _Event(msgspec.Struct):
    """A webhook's body: of a message, or (id, status, meta …) of a conversation."""

    event: str
    id: int = 0
    account: _Named | None = None
    inbox: _Named | None = None
    inbox_id: int = 0
    conversation: _Conversation | None = None
    content: str | None = None
    message_type: str | int | None = None
    private: bool | None = None
    is_private: bool | None = None
    source_id: str | None = None
    sender: _Person | None = None
    user: _Person | None = None
    attachments: tuple[_File, ...] = ()
    created_at: str | int | float | None = None
    timestamp: str | int | float | None = None
    status: str | None = None
    meta: _Meta | None = None
    custom_attributes: dict[str, object] | None = None
    changed_attributes: tuple[dict[str, msgspec.Raw], ...] | None = None


_read = msgspec.json.Decoder(_Event).decode


def read(call: Call, settings: Settings, clock: Callable[[], float] = time.time) -> DeskHeard:
    """The events of one webhook. Raises CallRefused for one that is not this Chatwoot's."""
    _believed(call, settings, clock)
    try:
        event = _read(call.body)
    except kit.UNREADABLE:
        return DeskHeard(events=(DeskUnknown(event=kit.fingerprint(call.body), kind="unreadable"),))
    if event.account is not None and event.account.id != settings.account_id:
        return DeskHeard(events=())
    inbox = event.conversation.inbox_id if event.conversation else event.inbox_id
    inbox = event.inbox.id or inbox if event.inbox is not None else inbox
    if inbox and inbox not in settings.all_inboxes:
        return DeskHeard(events=())  # a webhook of the whole account tells of other inboxes too
    return DeskHeard(events=_events(event, call.body, settings))


def message_in(event: str) -> int | None:
    """The number of the message in an event's id of ours."""
    number = event.removeprefix(_MESSAGE)
    return int(number) if event.startswith(_MESSAGE) and number.isascii() and number.isdigit() else None


def _believed(call: Call, settings: Settings, clock: Callable[[], float]) -> None:
    if settings.webhook_secret:
        given, stamp = call.headers.get(SIGNATURE, ""), call.headers.get(TIMESTAMP, "")
        if not (given and stamp):
            raise CallRefused(
                "The webhook has no X-Chatwoot-Signature. A Chatwoot before 4.13 does not sign for an inbox: leave "
                "webhook_secret out and set webhook_token.",
                code="unsigned",
            )
        signed = stamp.encode("utf-8", "replace") + b"." + call.body
        fits = [kit.same(given, f"sha256={kit.hmac_hex(key, signed)}") for key in settings.webhook_secret.split()]
        if not any(fits):
            raise CallRefused(
                "The X-Chatwoot-Signature does not match webhook_secret. Copy the inbox's secret (Settings, Inboxes, "
                "Configuration) and apply the site.",
                code="bad_signature",
            )
        if not (stamp.isascii() and stamp.isdigit()) or abs(clock() - int(stamp[:12])) > TOLERANCE:
            raise CallRefused(
                f"The webhook's X-Chatwoot-Timestamp is not within {TOLERANCE} seconds of this server's clock. Set the "
                "clocks of both.",
                code="stale_signature",
            )
        return
    if not settings.webhook_token:
        raise CallRefused(
            "The Chatwoot desk has neither webhook_secret nor webhook_token, so that no webhook can be told from a "
            "forged one. Put one into the site's file and apply it.",
            code="no_webhook_secret",
        )
    tokens = parse_qs(urlsplit(call.url).query).get("token", [])
    if len(tokens) != 1 or not kit.same(tokens[0], settings.webhook_token):
        raise CallRefused(
            "The webhook's address has not the word that is set as webhook_token. It ends in ?token=… in Chatwoot.",
            code="bad_signature",
        )


def _events(event: _Event, body: bytes, settings: Settings) -> tuple[DeskEvent, ...]:
    match event.event:
        case "message_created":
            return _message(event)
        case "conversation_status_changed":
            if event.status != "resolved":
                return ()
            return (
                DeskClosed(
                    event=kit.fingerprint(body), conversation=str(event.id), at=kit.milliseconds(event.timestamp)
                ),
            )
        case "conversation_updated":
            return _moved(event, body, settings)
        case "conversation_typing_on":
            ours = event.user is None or event.user.type not in ("user", "agent_bot")
            if ours or event.is_private or event.conversation is None:
                return ()
            return (AgentTyping(conversation=str(event.conversation.id)),)
        case passed if passed in _PASSED:
            return ()
        case other:
            return (DeskUnknown(event=kit.fingerprint(body), kind=other[:80]),)


def _message(event: _Event) -> tuple[DeskEvent, ...]:
    """An agent's words. The recipient's own, notes, what heliograph wrote and Chatwoot's forms (greetings, surveys) are
    passed over."""
    ours = (event.source_id or "").startswith(wire.OURS)
    if event.message_type not in ("outgoing", 1) or event.private or ours or event.conversation is None:
        return ()
    attached = tuple(_file(one) for one in event.attachments if one.data_url)
    places = [_place(one) for one in event.attachments if one.file_type == "location"]
    text = "\n".join(part for part in (_plain(event.content or ""), *places) if part)
    if not text and not attached:
        return ()
    return (
        AgentSaid(
            event=f"{_MESSAGE}{event.id}",
            conversation=str(event.conversation.id),
            text=text,
            author=(event.sender.name if event.sender else None) or "",
            attached=attached,
            at=kit.milliseconds(event.created_at),
        ),
    )


def _plain(content: str) -> str:
    """An agent's words as they were typed. The editor writes Markdown: a backslash before a line break (which Chatwoot
    4.9 to 4.12 posts as it is, issues 13458 and 13938), two stars around what is bold."""
    return _BOLD.sub(r"\1", _BREAK.sub("\n", content)).rstrip("\r\n")


def _file(one: _File) -> Attached:
    url = one.data_url or ""
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    guessed = mimetypes.guess_type(name)[0]
    return Attached(url=url, content_type=guessed or "", name=name, size=max(one.file_size or 0, 0))


def _place(one: _File) -> str:
    label = f"{one.fallback_title}: " if one.fallback_title else ""
    return f"{label}https://maps.google.com/?q={one.coordinates_lat or 0.0},{one.coordinates_long or 0.0}"


def _moved(event: _Event, body: bytes, settings: Settings) -> tuple[DeskEvent, ...]:
    """Another team, or another agent; the skill in the words of the site where they are known."""
    changed = {name for one in event.changed_attributes or () for name in one}
    team = event.meta.team if event.meta and "team_id" in changed else None
    agent = event.meta.assignee if event.meta and "assignee_id" in changed else None
    skill = _skill(team, event.custom_attributes or {}, settings) if team else ""
    author = (agent.name or "") if agent else ""
    if not skill and not author:
        return ()
    at = kit.milliseconds(event.timestamp)
    return (DeskMoved(event=kit.fingerprint(body), conversation=str(event.id), skill=skill, author=author, at=at),)


def _skill(team: _Named, attributes: dict[str, object], settings: Settings) -> str:
    for skill, number in settings.teams.items():
        if number == team.id:
            return skill
    opened = attributes.get(wire.SKILL)
    name = team.name or ""
    # Chatwoot keeps names of teams in lower case; the conversation knows how its skill is written.
    return opened if isinstance(opened, str) and opened.lower() == name.lower() else name
