"""A file that a recipient sent, for whoever may read their conversation. It is fetched from its provider when somebody
looks, and kept nowhere: what providers delete is gone here too, and an erased person leaves no picture behind."""

from __future__ import annotations

import msgspec

from heliograph.core.conversation import By, Conversation
from heliograph.core.ports import Fetched
from heliograph.errors import Fate, SendError
from heliograph.flow.means import Means

PATIENCE = 20.0  # seconds


class NoFile(msgspec.Struct, frozen=True, gc=False):
    """`later`: another try may bring it."""

    code: str
    sentence: str
    later: bool = False


async def file_of(there: Conversation, number: int, place: int, means: Means) -> Fetched | NoFile:
    """The file at `place` (from 0) of the recipient's turn `number`."""
    turns = await means.store.turns(there.site, there.id, after=number - 1, limit=1)
    turn = next((one for one in turns if one.number == number and one.by is By.RECIPIENT), None)
    if turn is None or not 0 <= place < len(turn.attached):
        return NoFile("no_file", "There is no such file in this conversation.")
    opened = means.registry.sender(there.site, turn.sender)
    provider = opened.provider if opened is not None and (opened.sandbox or not there.test) else None
    if provider is None:
        return NoFile("no_sender", f"Sender {turn.sender}, to which the file was sent, is not open here.", later=True)
    if not hasattr(provider, "fetch"):
        return NoFile("no_file", f"The provider of sender {turn.sender} has no files of recipients.")
    try:
        got: Fetched = await provider.fetch(turn.attached[place], means.clock.loop_time() + PATIENCE)
    except SendError as error:
        means.meters.event(turn.channel, "fetch_failed")
        return NoFile(error.code, error.sentence, later=error.fate in (Fate.RETRY, Fate.UNKNOWN))
    return got
