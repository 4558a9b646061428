"""What this process remembers of messages whose receipts need more than a reference: those under way or in doubt, and
those of several parts. All else is found by the store. What is forgotten (by a restart, or for want of room), and what
another node sent, is joined part by part.
"""

from __future__ import annotations

import msgspec

from heliograph.channels.sms.smpp_sending import Sending
from heliograph.core.states import SAID_NO, AttemptState

KEPT = 50_000  # names of parts, and messages in doubt


class Message(msgspec.Struct, gc=False):
    """`delivered`: numbers of the parts that arrived."""

    id: str
    recipient: str
    total: int
    delivered: set[int]
    failed: bool = False


class Followed:
    def __init__(self) -> None:
        self._names: dict[str, tuple[Message, int]] = {}
        self._messages: dict[str, Message] = {}
        self._open: dict[tuple[int, str], Sending] = {}

    def follow(self, sending: Sending, number: int, names: tuple[str, ...]) -> None:
        """A part of `sending` is called so."""
        message = self._message(sending)
        for name in names:
            _bound(self._names)
            self._names[name] = (message, number)

    def begin(self, sending: Sending) -> None:
        """Its answer may be lost, or come after its receipt: that may name an id that nobody was told yet."""
        _bound(self._open)
        self._open[(sending.reference, sending.recipient)] = sending

    def answered(self, sending: Sending) -> None:
        """Its ids are known, or it was not taken. Without this it stays open: it is in doubt."""
        key = (sending.reference, sending.recipient)
        if self._open.get(key) is sending:
            del self._open[key]

    def find(self, name: str) -> tuple[Message, int] | None:
        return self._names.get(name)

    def guess(self, reference: int, recipient: str) -> Message | None:
        """The message of one part to this recipient, under way or in doubt, whose user_message_reference came back: 16
        bits, so it is a guess."""
        sending = self._open.get((reference, recipient))
        return self._message(sending) if sending is not None and len(sending.parts) == 1 else None

    def _message(self, sending: Sending) -> Message:
        message = self._messages.get(sending.id)
        if message is None:
            _bound(self._messages)
            message = Message(sending.id, sending.recipient, len(sending.parts), set())
            self._messages[sending.id] = message
        return message


def heard(message: Message, number: int, state: AttemptState, reason: str) -> tuple[AttemptState, str]:
    """What a part's receipt says of the whole: delivered when the last part is, failed with the first that is lost."""
    if state in SAID_NO:
        message.failed = True
        return state, "part_lost" if message.delivered - {number} else reason
    if state in (AttemptState.DELIVERED, AttemptState.READ):
        message.delivered.add(number)
        if message.failed or len(message.delivered) < message.total:
            return AttemptState.SENT, ""
    return state, reason


def unheard(message: Message, number: int, state: AttemptState) -> None:
    """That receipt is not on disk and will come again."""
    if state in SAID_NO:
        message.failed = False
    message.delivered.discard(number)


def _bound(kept: dict) -> None:  # type: ignore[type-arg]
    while len(kept) >= KEPT:
        del kept[next(iter(kept))]
