"""The store's verbs of conversations. Turns of recipients are written by `hear`, in the commit of their event."""

from __future__ import annotations

from typing import Protocol

import msgspec

from heliograph.core.conversation import Closer, Conversation, State, Turn
from heliograph.core.desk import DeskEvent
from heliograph.core.states import AttemptState


class Inbox(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Which conversations a list shows, the last touched first (open ones) or the last closed first. `skills` empty =
    all; of one `recipient` the last opened first; `agent`: those of one agent, "-" = of nobody; `before`: (touched, id)
    of the last one of the page before."""

    site: str
    state: State = State.OPEN
    skills: tuple[str, ...] = ()
    agent: str = ""
    recipient: str = ""
    before: tuple[int, str] | None = None
    limit: int = 50


class Queue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How many conversations of a skill are open, and of them how many are claimed by nobody; both count to 100 at
    most, so that no count grows with the data."""

    skill: str
    open: int
    unclaimed: int


class Said(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a turn that was to be written. `turn` None: not written, since the conversation is closed, gone,
    or another agent's (`conversation` shows how it stands)."""

    conversation: Conversation | None
    turn: Turn | None = None


class TurnOutcome(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of a turn that leaves, moved only as core.states.moved allows. `note`: what the desk is told of it,
    as a turn of heliograph's own (kind undelivered), where it came to nothing."""

    site: str
    conversation: str
    number: int
    state: AttemptState
    reason: str = ""
    tries: int = 0
    references: tuple[str, ...] = ()
    sender: str = ""
    note: str = ""


class DeskTaken(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far a desk has come with a conversation: the turns up to `handed` are there, under the desk's `reference`
    (empty: it must be opened there anew). `was`: the reference under which the desk was asked, None where that is not
    known; where the conversation has another by now, the desk's word is of one that is over. `trouble`: why it goes
    on no further, "" where all is well. `doubt`: the turn of which nobody knows. `closed`: it knows that the
    conversation is closed."""

    site: str
    conversation: str
    handed: int
    reference: str
    was: str | None = None
    trouble: str = ""
    doubt: int = 0
    closed: bool = False


class DeskJoined(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What became of one event of a desk. `conversation` None: none of ours. `turn`: an agent's words, written and due
    to leave; `number` of it."""

    conversation: Conversation | None = None
    turn: Turn | None = None
    duplicate: bool = False


class DeskWaits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Of one site: how many conversations (10,000 at most) have turns that their desk did not take when it was asked,
    and what it said of one of them."""

    site: str
    waiting: int
    why: str


class ConversationStore(Protocol):
    """Conversations and turns. Lists walk one index; none grows with the data."""

    async def conversation(self, site: str, id: str) -> Conversation | None: ...
    async def conversations(self, inbox: Inbox) -> list[Conversation]: ...
    async def queues(self, site: str, skills: tuple[str, ...]) -> list[Queue]: ...
    # of one recipient, the newest first
    async def conversations_of(self, site: str, recipient: str, limit: int = 20) -> list[Conversation]: ...
    async def conversation_at(self, site: str, desk: str, reference: str) -> Conversation | None: ...
    # of one alert, the newest first
    async def conversations_about(self, site: str, alert: str) -> list[Conversation]: ...
    # turns after a number, in order; `newest`: the last ones, in order all the same
    async def turns(
        self, site: str, conversation: str, *, after: int = 0, newest: bool = False, limit: int = 200
    ) -> list[Turn]: ...
    async def desks_waiting(self) -> list[DeskWaits]: ...
    # those touched since, so that a node sees what others did; at most 500
    async def touched(self, since: int) -> list[Conversation]: ...

    # A turn of an agent's or heliograph's own, written together with the due row that lets it leave (kind "answer").
    # `agent`: who must have claimed it, "" = anybody may speak; one that nobody claimed becomes that agent's.
    async def say(self, turn: Turn, *, agent: str = "", now: int) -> Said: ...
    # `expects`: who must have it now ("" = nobody), None = whoever; `agent` "" gives it back to its queue
    async def assign(
        self, site: str, id: str, *, agent: str, by: str, expects: str | None, skill: str = "", now: int
    ) -> Said: ...
    async def close_conversation(self, site: str, id: str, closer: Closer, by: str, now: int) -> Said: ...
    # a turn is about to be handed over: `sending`; None where it is not the next one that leaves, or (`tries`: as the
    # caller saw it) where another has begun to hand it over meanwhile
    async def leaving(
        self, site: str, conversation: str, number: int, now: int, *, tries: int | None = None
    ) -> Turn | None: ...
    async def turn_outcome(self, outcome: TurnOutcome, now: int) -> Turn | None: ...

    # what the desk has taken; None where the conversation is gone
    async def handed(self, taken: DeskTaken, now: int) -> Conversation | None: ...
    # what a desk tells; one commit for all events of a callback
    async def hear_desk(self, site: str, desk: str, events: tuple[DeskEvent, ...], now: int) -> list[DeskJoined]: ...
