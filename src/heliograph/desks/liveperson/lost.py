"""Where an answer of LivePerson's was lost: which conversation a consumer has open, and whether words are there.

By what webhooks brought to this process, by the history where a key may read it, by what earlier conversations of ours
knew. Nobody else may say so: what is not shown may be there all the same.
"""

from __future__ import annotations

import logging

from heliograph.core.conversation import Conversation, Turn
from heliograph.core.desk import Context, words_of
from heliograph.core.ports import Response
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.liveperson import answers, history
from heliograph.desks.liveperson.account import Account
from heliograph.desks.liveperson.said import Handing, Memory
from heliograph.desks.liveperson.settings import Settings
from heliograph.errors import Fate, SendError

NAME = "liveperson"
SKEW = 2_000  # ms that LivePerson's clock may be behind ours
TELLING = 20  # characters from which on equal words are the same words
PART = 2_000  # characters that are one message for certain, a line before them included

_UNKNOWN = Row(
    "open_elsewhere",
    Fate.RETRY,
    "the recipient has an open conversation there whose id is not known here. A webhook about it, an API key that may "
    "read the history, or its end there settles it.",
)
_log = logging.getLogger(__name__)


class Lost:
    """Of one account."""

    def __init__(self, settings: Settings, account: Account, memory: Memory) -> None:
        self._settings = settings
        self._account = account
        self._memory = memory

    async def conversation(
        self, response: Response, conversation: Conversation, context: Context, deadline: float
    ) -> str:
        """The conversation that the consumer has open, where the answer says that there is one. Raises SendError for
        any other answer, and where nobody knows it."""
        said = answers.many(response)
        if not any(answers.open_already(one) for one in said):
            failed = next((one for one in said if not one.fine), None)
            raise answers.not_opened(response, failed)
        consumer = await self._account.consumer(conversation.recipient, deadline)
        known = self._memory.open_of(consumer.id) or await self._shown_open(consumer.id, deadline)
        earlier = [one.reference for one in context.conversations if one.desk == NAME and one.reference]
        for reference in (known, *earlier):
            if reference and not self._memory.is_closed(reference):
                return reference
        raise kit.error(_UNKNOWN, response, who=answers.WHO)

    async def turn(self, conversation: Conversation, turn: Turn, deadline: float) -> bool:
        """Whether the history shows a turn of which this process knows nothing (another said it, or it itself before it
        was started anew): the same words since the recipient said them, with or without a line before them. Words as
        short as "yes" may be another turn's, and a long text's parts are not known: of those nothing is said."""
        words = words_of(turn)
        if not (self._settings.reads and TELLING <= len(words) <= PART):
            return False
        shown = await self._shown(conversation.reference, deadline)
        return any((one.text == words or one.text.endswith(f"\n{words}")) and one.at >= turn.at - SKEW for one in shown)

    async def words(self, handing: Handing, deadline: float) -> bool:
        """Whether the history shows the part in doubt: the same words, said since, under a number behind those that
        messages of ours are known to have."""
        shown = await self._shown(handing.reference, deadline)
        text = handing.parts[handing.taken]
        newest = max(self._memory.known(handing.reference), default=-1)
        for one in shown:
            if one.text == text and one.sequence > newest and one.at >= handing.since - SKEW:
                self._memory.answered(handing, one.sequence)
                return True
        return False

    async def _shown(self, reference: str, deadline: float) -> list[history.Message]:
        if not self._settings.reads:
            return []
        try:
            return await history.said(self._account, self._settings, reference, deadline)
        except SendError as failed:
            _log.warning("LivePerson's history could not be asked for words in doubt.", exc_info=failed)
            return []

    async def _shown_open(self, consumer: str, deadline: float) -> str:
        if not (self._settings.reads and consumer):
            return ""
        try:
            return await history.open_of(self._account, self._settings, consumer, deadline)
        except SendError as failed:
            _log.warning("LivePerson's history could not be asked for an open conversation.", exc_info=failed)
            return ""
