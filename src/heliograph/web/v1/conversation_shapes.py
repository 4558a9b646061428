"""The JSON of conversations as types. What an agent sees beside one is told as the alert's record, by its id."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from heliograph.core.event import Attached, Place
from heliograph.web.v1.shapes import says

State = Literal["open", "closed"]


class ConversationShape(msgspec.Struct, kw_only=True):
    """A conversation. Times are RFC 3339 in UTC."""

    id: str
    recipient: str
    skill: str
    state: State
    closed_by: Annotated[str, says("recipient, agent, desk, operator; empty while it is open.")]
    desk: Annotated[str, says("Where its agents are; empty for an exchange of keywords that no agent sees.")]
    desk_reference: Annotated[str, says("The desk's own id of it.")]
    alert: Annotated[str, says("The alert whose answer opened it.")]
    alerts: Annotated[list[str], says("All alerts that its turns answer, the newest last, ten at most.")]
    channel: Annotated[str, says("Of the recipient's last words; answers go there.")]
    agent: Annotated[str, says("Who claimed it.")]
    opened: str
    closed: str | None
    touched: Annotated[str, says("Its last change.")]
    waiting_since: Annotated[str | None, says("Since when the recipient waits for an answer.")]
    former: Annotated[str, says("The conversation before it.")]
    turns: Annotated[int, says("How many turns it has.")]
    trouble: Annotated[str, says("Why its desk has not taken the last turns yet.")]
    flags: Annotated[list[str], says("opt_out_wish: words that may mean that nothing more is wanted.")]
    test: bool


class ConversationList(msgspec.Struct, kw_only=True):
    """The last touched first. `next`: the cursor of the next page, null on the last one."""

    conversations: list[ConversationShape]
    next: str | None


class TurnShape(msgspec.Struct, kw_only=True):
    """One turn."""

    number: int
    id: Annotated[str, says("Of a turn that leaves: as its provider knows it.")]
    at: str
    by: Literal["recipient", "agent", "heliograph"]
    author: str
    kind: Annotated[str, says("Of words: text, tap, location, file, template, other; else what happened.", "text")]
    text: str
    postback: str
    attached: list[Attached]
    place: Place | None
    alert: Annotated[str, says("The alert that it answers.")]
    rule: Annotated[str, says("How that was found: quoted, offered, option, newest, none.")]
    channel: str
    state: Annotated[str, says("Of a turn that leaves: intended, sending, sent, delivered, read, failed, in_doubt.")]
    reason: str
    flags: list[str]


class ConversationRecord(msgspec.Struct, kw_only=True):
    """A conversation with its turns in their order, the last 200."""

    conversation: ConversationShape
    turns: list[TurnShape]


class NewTurn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An answer: text, or a template with its variables where free words may not go."""

    text: str = ""
    template: Annotated[str, says("Name of a template that the provider keeps.")] = ""
    variables: dict[str, str] = {}
    author: Annotated[str, says("The agent's name, for the record.")] = ""
