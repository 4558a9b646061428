"""The store's verbs of conversations. One line each; the work is in the modules named."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.core.conversation import Closer, Conversation, Turn
from heliograph.core.desk import DeskEvent
from heliograph.core.ports import DeskJoined, DeskTaken, DeskWaits, Inbox, Queue, Said, TurnOutcome
from heliograph.store import conversations, desks, receipts, turns
from heliograph.store.hidden import Hide
from heliograph.store.verb import Engine


class Conversations:
    """core.ports.ConversationStore on an engine."""

    _engine: Engine
    _hide: Hide
    _now: Callable[[], int]

    async def conversation(self, site: str, id: str) -> Conversation | None:
        return await self._engine.read(conversations.read, site, id)

    async def conversations(self, inbox: Inbox) -> list[Conversation]:
        return await self._engine.look(conversations.inbox, inbox)

    async def queues(self, site: str, skills: tuple[str, ...]) -> list[Queue]:
        return await self._engine.look(conversations.queues, site, skills)

    async def conversations_of(self, site: str, recipient: str, limit: int = 20) -> list[Conversation]:
        return await self._engine.look(conversations.of, site, recipient, limit)

    async def conversation_at(self, site: str, desk: str, reference: str) -> Conversation | None:
        return await self._engine.read(conversations.at, site, desk, reference)

    async def conversations_about(self, site: str, alert: str) -> list[Conversation]:
        return await self._engine.look(conversations.about, site, alert)

    async def turns(
        self, site: str, conversation: str, *, after: int = 0, newest: bool = False, limit: int = 200
    ) -> list[Turn]:
        return await self._engine.read(conversations.turns, site, conversation, after, newest, limit)

    async def desks_waiting(self) -> list[DeskWaits]:
        return await self._engine.look(desks.waiting)

    async def touched(self, since: int) -> list[Conversation]:
        return await self._engine.look(conversations.touched, since)

    async def say(self, turn: Turn, *, agent: str = "", now: int) -> Said:
        return await self._engine.write(turns.say, turn, agent, now)

    async def assign(
        self, site: str, id: str, *, agent: str, by: str, expects: str | None, skill: str = "", now: int
    ) -> Said:
        return await self._engine.write(turns.assign, site, id, agent, by, expects, skill, now)

    async def close_conversation(self, site: str, id: str, closer: Closer, by: str, now: int) -> Said:
        return await self._engine.write(turns.close, site, id, closer, by, now)

    async def leaving(
        self, site: str, conversation: str, number: int, now: int, *, tries: int | None = None
    ) -> Turn | None:
        return await self._engine.write(turns.leaving, site, conversation, number, now, tries)

    async def turn_outcome(self, outcome: TurnOutcome, now: int) -> Turn | None:
        return await self._engine.write(receipts.turn_outcome, outcome, now, self._hide)

    async def handed(self, taken: DeskTaken, now: int) -> Conversation | None:
        return await self._engine.write(desks.handed, taken, now)

    async def hear_desk(self, site: str, desk: str, events: tuple[DeskEvent, ...], now: int) -> list[DeskJoined]:
        return await self._engine.write(desks.hear, site, desk, events, now)
