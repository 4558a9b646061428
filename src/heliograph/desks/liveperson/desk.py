"""A site's LivePerson account as its desk (core.ports.Desk).

Facts that shape this file: a consumer has one open conversation, so that opening one twice does no harm and words said
twice do; no call reads a conversation back in the consumer's name; whatever is said is said by the consumer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict

from heliograph.core.conversation import By, Conversation, Turn
from heliograph.core.desk import Context, Opened, words_of
from heliograph.core.ports import Call, DeskHeard, DeskWays, Exchange, Handed, Response
from heliograph.desks.liveperson import answers, callback, wire
from heliograph.desks.liveperson.account import Account
from heliograph.desks.liveperson.answers import Said
from heliograph.desks.liveperson.documents import Documents
from heliograph.desks.liveperson.line import SHORT, line
from heliograph.desks.liveperson.lost import Lost
from heliograph.desks.liveperson.said import Handing, Memory
from heliograph.desks.liveperson.settings import Settings
from heliograph.desks.liveperson.skills import Skills
from heliograph.errors import DeskGone, Fate, SendError

ECHO_SECONDS = 1.0  # that the echo of words in doubt is still waited for; flow asks some seconds after they were said
TYPING_SECONDS = 6.0  # then typing is told to have paused; LivePerson shows it until then
LINES = 10_000  # conversations whose first line is remembered

_log = logging.getLogger(__name__)


class LivePerson:
    """One account, opened."""

    def __init__(self, settings: Settings, ways: DeskWays) -> None:
        self.courtesies = settings.courtesies
        self._settings = settings
        self._account = Account(settings, ways.out)
        self._skills = Skills(self._account, settings)
        self._documents = Documents(self._account, settings) if "ccs" in settings.alert_info else None
        self._memory = Memory()
        self._lost = Lost(settings, self._account, self._memory)
        self._lines: OrderedDict[str, str] = OrderedDict()  # our conversation's id → what stands before the next words
        self._pauses: dict[str, asyncio.Task[None]] = {}

    async def open(self, conversation: Conversation, turn: Turn, context: Context, deadline: float) -> Opened:
        """Opens a conversation on the skill, or finds the one that the consumer has open. Nothing is said yet. A repeat
        does no harm, so that no answer is a retry."""
        skill = await self._skills.id(conversation.skill, deadline)
        body = wire.opening(self._settings, conversation, context, skill)
        try:
            response = await self._account.say("conversation", body, conversation.recipient, deadline)
        except SendError as lost:
            raise answers.harmless(lost) from None
        reference = _opened(response)
        if not reference:
            reference = await self._lost.conversation(response, conversation, context, deadline)
        if "line" in self._settings.alert_info:
            self._line(conversation, context)
        await self._put(reference, context, deadline)
        return Opened(reference=reference)

    async def say(self, conversation: Conversation, turn: Turn, about: Context | None, deadline: float) -> Handed:
        """Says a turn as the consumer, in as many messages as it needs. One of which only some were taken is in doubt,
        and goes on behind them."""
        if about is not None:
            self._line(conversation, about)
            await self._put(conversation.reference, about, deadline)
        words = words_of(turn) if turn.by is By.RECIPIENT else f"[{words_of(turn)}]"
        text = "\n".join(part for part in (self._lines.get(conversation.id, ""), words) if part)
        reference = conversation.reference
        handing = self._memory.begin((conversation.id, turn.number), reference, wire.parts(reference, text))
        exchange: Exchange | None = None
        while handing.taken < len(handing.parts):
            exchange = await self._say(handing, conversation, deadline)
        self._said(conversation, handing)
        return Handed(reference="" if handing.last is None else f"{reference}:{handing.last}", exchange=exchange)

    async def taken(self, conversation: Conversation, turn: Turn, deadline: float) -> bool | None:
        """Whether a turn in doubt is there: by the echo that LivePerson's webhook brought to this process, or by its
        history where a key may read that. None where neither shows it: that says nothing."""
        handing = self._memory.turn((conversation.id, turn.number), conversation.reference)
        if handing is None:
            return True if await self._lost.turn(conversation, turn, deadline) else None
        if handing.doubt:
            until = min(deadline, asyncio.get_running_loop().time() + ECHO_SECONDS)
            if not await self._memory.settled(handing, until) and not await self._lost.words(handing, deadline):
                return None
        if handing.taken < len(handing.parts):
            return False  # `say` goes on with the rest
        self._said(conversation, handing)
        return True

    async def close(self, conversation: Conversation, deadline: float) -> None:
        """Ends the conversation there. One that is closed already is fine."""
        try:
            await self._tell(wire.closing(conversation.reference), conversation, deadline)
        except DeskGone:
            return
        except SendError as lost:
            raise answers.harmless(lost) from None

    async def typing(self, conversation: Conversation, deadline: float) -> None:
        await self._courtesy(wire.typing(conversation.reference, True), conversation, deadline)
        if (before := self._pauses.pop(conversation.id, None)) is not None:
            before.cancel()
        task = asyncio.create_task(self._pause(conversation))
        self._pauses[conversation.id] = task
        task.add_done_callback(lambda done: self._paused(conversation.id, done))

    async def mark(self, conversation: Conversation, turn: Turn, read: bool, deadline: float) -> None:
        """An agent's turn has the id that callback.py gave it: the dialog's and its number there."""
        dialog, _, number = turn.event.rpartition(":")
        if dialog and number.isdecimal():
            await self._courtesy(wire.accepted(dialog, [int(number)], read), conversation, deadline)

    def read(self, call: Call) -> DeskHeard:
        """What a webhook tells. Nothing is written; of an echo this process remembers that it was there."""
        return DeskHeard(events=callback.read(call, self._settings, self._skills, self._memory))

    async def shut(self) -> None:
        for task in self._pauses.values():
            task.cancel()
        if self._documents is not None:
            await self._documents.shut()
        await self._skills.shut()
        await self._account.shut()

    # ── saying ──────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _say(self, handing: Handing, conversation: Conversation, deadline: float) -> Exchange:
        """The next part. Raises SendError, DeskGone."""
        begun = handing.taken > 0
        handing.began, handing.since = time.monotonic(), time.time_ns() // 1_000_000
        try:
            response, said = await self._tell(
                wire.words(handing.reference, handing.parts[handing.taken]), conversation, deadline
            )
        except SendError as failed:
            handing.doubt = failed.fate is Fate.UNKNOWN
            if begun and not handing.doubt:
                failed.fate = Fate.UNKNOWN  # never said whole again
                failed.sentence = (
                    f"Of a long turn {handing.taken} of {len(handing.parts)} parts were taken. {failed.sentence}"
                )
            raise
        self._memory.answered(handing, said.body.sequence)
        return response.exchange

    async def _tell(self, body: bytes, conversation: Conversation, deadline: float) -> tuple[Response, Said]:
        """One request and its OK. Raises SendError, and DeskGone where the conversation is closed."""
        response = await self._account.say("conversation/send", body, conversation.recipient, deadline)
        said = answers.one(response)
        if said is not None and said.fine and response.status // 100 == 2:
            return response, said
        if said is not None and answers.closed(said):
            self._memory.closed(conversation.reference)
            raise DeskGone("LivePerson has closed that conversation. Nothing was taken.", exchange=response.exchange)
        raise answers.refused(response, said)

    async def _courtesy(self, body: bytes, conversation: Conversation, deadline: float) -> None:
        try:
            await self._tell(body, conversation, deadline)
        except (SendError, DeskGone) as failed:
            _log.debug("A courtesy to LivePerson was not taken: %s", failed.code)

    def _said(self, conversation: Conversation, handing: Handing) -> None:
        self._memory.end(handing)
        self._lines.pop(conversation.id, None)

    # ── beside it ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, conversation: Conversation, context: Context) -> None:
        """What stands before the next words. Of another alert it is said in any case which one they answer."""
        info = "line" in self._settings.alert_info
        self._lines[conversation.id] = line(context, info=info, longest=self._settings.line_length if info else SHORT)
        while len(self._lines) > LINES:
            self._lines.popitem(last=False)

    async def _put(self, reference: str, context: Context, deadline: float) -> None:
        """The context is a help to bots and routing: the recipient's words do not wait for it."""
        if self._documents is None:
            return
        try:
            await self._documents.put(reference, context, deadline)
        except SendError as failed:
            _log.warning("LivePerson's context service did not take a context.", exc_info=failed)

    async def _pause(self, conversation: Conversation) -> None:
        await asyncio.sleep(TYPING_SECONDS)
        deadline = asyncio.get_running_loop().time() + TYPING_SECONDS
        await self._courtesy(wire.typing(conversation.reference, False), conversation, deadline)

    def _paused(self, id: str, task: asyncio.Task[None]) -> None:
        if self._pauses.get(id) is task:
            del self._pauses[id]


def _opened(response: Response) -> str:
    """The new conversation's id; empty where the answer is another."""
    if response.status // 100 != 2:
        return ""
    return next(
        (one.body.conversation_id for one in answers.many(response) if one.fine and one.body.conversation_id), ""
    )
