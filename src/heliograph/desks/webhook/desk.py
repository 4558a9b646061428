"""A desk of the site's own: events are posted to its address, signed by Standard Webhooks.

Facts that shape this file: each event has a webhook-id that is the same in every repeat, so that a desk which keeps the
ids that it has seen drops what comes twice: a lost answer is repeated, nothing is ever in doubt. Our id of the
conversation is its only name, so that a desk that forgot everything can be told again.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import msgspec

from heliograph.core.conversation import Conversation, Turn
from heliograph.core.desk import Context, Opened
from heliograph.core.ports import Call, DeskHeard, DeskWays, Handed, Response
from heliograph.core.standard_webhooks import sign
from heliograph.desks import kit
from heliograph.desks.kit import Row
from heliograph.desks.webhook import callback, wire
from heliograph.desks.webhook.settings import Settings
from heliograph.errors import Blame, DeskGone, Fate, SendError

WHO = "The desk"
GONE = 410

_REFUSED = Row(
    "credentials_refused", Fate.CONFIG, "it does not believe our signature. Give both the same secret.", Blame.US
)
ROWS = {
    **kit.USUAL,
    401: _REFUSED,
    403: _REFUSED,
    408: Row("no_answer", Fate.RETRY, "it took too long."),
    GONE: Row("wrong_address", Fate.CONFIG, "it wants no events at that address any more. Check url.", Blame.US),
    500: Row("desk_fault", Fate.RETRY, "a fault on its side."),
}


class _Closed(msgspec.Struct):
    closed: bool = False


class Webhook:
    """One desk, opened (core.ports.Desk)."""

    def __init__(self, settings: Settings, ways: DeskWays) -> None:
        self.courtesies = settings.courtesies
        self._settings = settings
        self._ways = ways

    async def open(self, conversation: Conversation, turn: Turn, context: Context, deadline: float) -> Opened:
        """`conversation.opened`, with the whole context. Raises SendError."""
        data = {
            "conversation": wire.conversation(conversation),
            "context": wire.context(context),
            "callback": self._ways.callback(),
        }
        id = f"{conversation.id}.opened.{turn.number}"
        response = await self._post(id, "conversation.opened", turn.at, data, deadline)
        _taken(response)
        return Opened(reference=conversation.id)

    async def say(self, conversation: Conversation, turn: Turn, about: Context | None, deadline: float) -> Handed:
        """`turn.said`. Raises SendError, and DeskGone where the desk answers 410 or {"closed": true}."""
        data: dict[str, Any] = {
            "conversation": conversation.reference,
            "turn": wire.turn(turn),
            "callback": self._ways.callback(),
        }
        if about is not None:
            data["context"] = wire.context(about)
        id = f"{conversation.id}.turn.{turn.number}"
        response = await self._post(id, "turn.said", turn.at, data, deadline)
        if response.status == GONE or _says_closed(response):
            raise DeskGone(
                f"The desk has closed the conversation {conversation.reference}; the next turn opens it anew.",
                exchange=response.exchange,
            )
        _taken(response)
        return Handed(exchange=response.exchange)

    async def taken(self, conversation: Conversation, turn: Turn, deadline: float) -> bool | None:
        """It is not asked: a repeat is dropped there."""
        return None

    async def close(self, conversation: Conversation, deadline: float) -> None:
        """`conversation.closed`. Raises SendError."""
        data = {"conversation": conversation.reference, "closed_by": conversation.closed_by or "heliograph"}
        at = conversation.closed or conversation.touched
        response = await self._post(f"{conversation.id}.closed", "conversation.closed", at, data, deadline)
        if response.status != GONE:
            _taken(response)

    async def typing(self, conversation: Conversation, deadline: float) -> None:
        """`typing`: the recipient types. What becomes of it is not looked at."""
        now = round(time.time() * 1000)
        data = {"conversation": conversation.reference, "on": True}
        with suppress(SendError):  # a courtesy that fails is none
            await self._post(f"{conversation.id}.typing.{now}", "typing", now, data, deadline)

    async def mark(self, conversation: Conversation, turn: Turn, read: bool, deadline: float) -> None:
        """`turn.delivered` or `turn.read`: an agent's words arrived; `event` is the desk's own webhook-id of them."""
        what = "read" if read else "delivered"
        data = {"conversation": conversation.reference, "turn": turn.number, "event": turn.event}
        id = f"{conversation.id}.turn.{turn.number}.{what}"
        with suppress(SendError):
            await self._post(id, f"turn.{what}", round(time.time() * 1000), data, deadline)

    def read(self, call: Call) -> DeskHeard:
        """Events of one callback. Raises CallRefused for one that this desk did not sign."""
        return callback.read(call, self._settings)

    async def shut(self) -> None:
        """Nothing is held open."""

    async def _post(self, id: str, type: str, at: int, data: dict[str, Any], deadline: float) -> Response:
        body = wire.envelope(type, at, data)
        signature = sign(id, int(time.time()), body, self._settings.secrets)
        headers = {"content-type": "application/json", "user-agent": "heliograph", **signature}
        try:
            return await self._ways.out.request(
                "POST",
                self._settings.url,
                deadline=deadline,
                headers=headers,
                body=body,
                secrets=self._settings.secrets,
            )
        except SendError as error:
            if error.fate is Fate.UNKNOWN:
                error.fate = Fate.RETRY
            raise


def _taken(response: Response) -> None:
    """Raises SendError for an answer that is no yes. Only a 2xx is one, whatever its body."""
    if response.status // 100 != 2:
        raise kit.error_from(response, who=WHO, rows=ROWS)


def _says_closed(response: Response) -> bool:
    if b"closed" not in response.body:
        return False
    try:
        return msgspec.json.decode(response.body, type=_Closed).closed
    except kit.UNREADABLE:
        return False
