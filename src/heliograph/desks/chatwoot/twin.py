"""Chatwoot's side of the wire for the sandbox: the part of its application API that an inbox of the kind API needs.

Not from our adapter: from Chatwoot's API reference and its published source (4.x). Where both are silent the comment on
the line says what was chosen.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import msgspec

from heliograph.core.desk_twin import Deed, DeskCase, DeskLine
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Posting, TwinAnswer, World
from heliograph.desks.chatwoot import twin_api, twin_told
from heliograph.desks.chatwoot import twin_state as state
from heliograph.desks.chatwoot.twin_answers import NAME, Refused
from heliograph.desks.chatwoot.twin_conversations import resolve
from heliograph.desks.chatwoot.twin_told import signed

__all__ = ["NAME", "POSTING", "PREFIXES", "act", "answer", "body_limit", "credentials", "shown", "signed"]

PREFIXES = ("/api/v1/accounts/", "/public/api/v1/inboxes/")
POSTING = Posting(any_2xx=True, tries=1)  # Chatwoot posts a webhook of an inbox once


def body_limit(path: str) -> int:
    """Bytes. A message is at most 150,000 characters."""
    return 1 << 20


def credentials(secret: Callable[[int], str]) -> dict[str, str]:
    """Tokens look so: 24 letters and digits. The account has one inbox."""
    return {
        "api_access_token": secret(24),
        "webhook_secret": secret(24),
        "inbox_id": "1",
        "inbox_identifier": secret(24),
    }


def answer(call: Call, world: World) -> TwinAnswer:
    address = urlsplit(call.url)
    parts = [unquote(part) for part in address.path.split("/")[1:]]
    try:
        if parts[0] == "public":
            return twin_api.public(call.method, parts[4:], call.body, world)
        desk = _account(parts[3], call, world)
        query = {name: values[-1] for name, values in parse_qs(address.query, keep_blank_values=True).items()}
        return twin_api.route(call.method, parts[4:], query, call.body, desk, world)
    except Refused as refused:
        world.note("refused", detail=f"{call.method} {refused.status}: {refused.body.decode()[:200]}")
        return refused.answer()


def _account(number: str, call: Call, world: World) -> KnownDesk:
    """Whose token it is. A token may be used in its own account alone."""
    token = call.headers.get("api_access_token", "")
    owner = next((one for one in world.desks(NAME) if token and one.credentials.get("api_access_token") == token), None)
    if owner is None:
        raise Refused(401, {"error": "Invalid Access Token"})
    if owner.id != number:
        raise Refused(401, {"error": "You are not authorized to access this account"})
    return owner


def act(deed: Deed, desk: KnownDesk, world: World) -> list[Call]:
    """What an agent does in the dashboard, and the webhooks that follow from it. Raises ValueError."""
    kept = state.conversation(desk, deed.conversation, world)
    if kept is None:
        raise ValueError(f"Chatwoot has no conversation {deed.conversation[:40]!r}.")
    match deed.do:
        case "say":
            return _said(deed, kept, desk, world)
        case "type":
            return [twin_told.typing(deed.agent, kept, desk, world)]
        case "read":
            return []  # an agent's reading is not told by any webhook
        case "take":
            before, kept.assignee = (1 if kept.assignee else None), deed.agent
            state.keep(desk, kept, world)
            return [twin_told.conversation_event("conversation_updated", kept, desk, world, assignee_id=before)]
        case "transfer":
            if deed.to not in desk.skills:
                raise ValueError(f"Chatwoot has no team {deed.to[:40]!r} in this account.")
            before, kept.team = kept.team, int(desk.skills[deed.to])
            state.keep(desk, kept, world)
            return [twin_told.conversation_event("conversation_updated", kept, desk, world, team_id=before)]
        case "close":
            return resolve(kept, desk, world, "resolved")


def _said(deed: Deed, kept: state.Conversation, desk: KnownDesk, world: World) -> list[Call]:
    first = not any(one.agent and not one.private for one in kept.messages)
    message = state.add(desk, kept, world, content=deed.text, type=state.OUTGOING, by=deed.agent, agent=True)
    calls = [twin_told.message_created(message, kept, desk, world)]
    if first:  # the first reply changes the conversation, which is told as well
        event = "conversation_updated"
        calls.append(twin_told.conversation_event(event, kept, desk, world, first_reply_created_at=None))
    return calls


def shown(desk: KnownDesk, world: World) -> list[DeskCase]:
    return [_case(kept, desk, world) for kept in state.conversations(desk, world)]


def _case(kept: state.Conversation, desk: KnownDesk, world: World) -> DeskCase:
    person = state.contact(desk, kept.contact, world)
    return DeskCase(
        id=str(kept.id),
        customer=person.name if person else "",
        skill=next((name for name, number in desk.skills.items() if number == str(kept.team)), ""),
        open=kept.status != "resolved",
        agent=kept.assignee,
        facts={key: _text(value) for key, value in kept.custom_attributes.items()},
        lines=tuple(_line(one) for one in kept.messages),
    )


def _line(message: state.Message) -> DeskLine:
    by = "recipient" if message.type == state.INCOMING else "system"
    if message.type == state.OUTGOING and not message.private:
        by = "agent"
    return DeskLine(by=by, text=message.content, at=message.at, author=message.by)


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
