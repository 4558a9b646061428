"""Conversations at a Chatwoot: an inbox of the kind API, in which the recipient is a contact.

Facts that shape this file: no call is idempotent, so that what may have been taken is looked for by the id of ours that
it carries; a message of the recipient's opens a resolved conversation anew, so that its status is asked before; the
webhook that tells of an agent's words is posted once, within 5 seconds.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import quote

from heliograph.core.conversation import Conversation, Turn
from heliograph.core.desk import Context, Opened
from heliograph.core.ports import Call, DeskHeard, DeskWays, Handed, Response
from heliograph.desks import kit
from heliograph.desks.chatwoot import callback, wire
from heliograph.desks.chatwoot.api import Api, answered
from heliograph.desks.chatwoot.settings import Settings
from heliograph.errors import DeskGone, Fate, SendError

TEAMS_LAST = 600.0  # seconds that the list of teams is used
PAGE = 20  # messages that a list of them tells at once, the newest
PAGES = 5  # that are looked through for one of ours


class Chatwoot:
    """One account, opened (core.ports.Desk)."""

    courtesies = True

    def __init__(self, settings: Settings, ways: DeskWays) -> None:
        self._settings = settings
        self._api = Api(settings, ways.out)
        self._teams: dict[str, int] = {}
        self._teams_until = 0.0

    async def open(self, conversation: Conversation, turn: Turn, context: Context, deadline: float) -> Opened:
        """The contact, the conversation with the context as custom attributes, and the context as a private note. One
        that an earlier call made, whose answer was lost, is found and finished. Raises SendError."""
        contact = await self._contact(conversation, context, deadline)
        known = await self._made(conversation, contact, deadline)
        seen: set[str] = set()
        if known is None:
            known = await self._make(conversation, context, contact, deadline)
        else:
            seen = await self._sources(str(known.id), deadline)
        reference = str(known.id)
        source = wire.context_source(conversation, turn.number)
        if (text := kit.text(context, wire.LONGEST_NOTE)) and source not in seen:
            await self._post(reference, wire.note(text, source), deadline)
        return Opened(reference=reference, said=wire.source_of(conversation, turn) in seen)

    async def say(self, conversation: Conversation, turn: Turn, about: Context | None, deadline: float) -> Handed:
        """Raises SendError, and DeskGone where an agent resolved the conversation or it was deleted."""
        reference = conversation.reference
        await self._still_open(reference, deadline)
        if about is not None and (text := kit.text(about, wire.LONGEST_NOTE)):
            source = wire.context_source(conversation, turn.number)
            if source not in await self._sources(reference, deadline):
                await self._post(reference, wire.note(text, source), deadline)
        body = wire.message(turn, wire.source_of(conversation, turn))
        response = await self._post(reference, body, deadline)
        made = answered(response, wire.Message, Fate.UNKNOWN)
        return Handed(reference=str(made.id), exchange=response.exchange)

    async def taken(self, conversation: Conversation, turn: Turn, deadline: float) -> bool | None:
        """Whether the conversation has the turn's message. None where that cannot be told now."""
        try:
            reference = conversation.reference or await self._reference(conversation, deadline)
            if not reference:
                return False
            return wire.source_of(conversation, turn) in await self._sources(reference, deadline)
        except SendError:
            return None
        except DeskGone:
            return False

    async def close(self, conversation: Conversation, deadline: float) -> None:
        """Resolves it. One that is gone already is closed enough. Raises SendError; a repeat does no harm."""
        path = f"conversations/{_quoted(conversation.reference)}/toggle_status"
        try:
            await self._api.tell("POST", path, {"status": "resolved"}, deadline)
        except SendError as error:
            if error.fate is Fate.UNKNOWN:
                error.fate = Fate.RETRY
            raise

    async def typing(self, conversation: Conversation, deadline: float) -> None:
        """The agents see it for some seconds. It needs `inbox_identifier`."""
        inbox = self._settings.inbox_identifier
        if not inbox or not conversation.reference:
            return
        who, which = quote(conversation.recipient, safe=""), _quoted(conversation.reference)
        path = f"inboxes/{quote(inbox, safe='')}/contacts/{who}/conversations/{which}/toggle_typing"
        with suppress(SendError):  # a courtesy that fails is none
            await self._api.tell_as_contact(path, {"typing_status": "on"}, deadline)

    async def mark(self, conversation: Conversation, turn: Turn, read: bool, deadline: float) -> None:
        """Shows an agent's message as delivered or read; Chatwoot lets that be set in an inbox of the kind API."""
        message = callback.message_in(turn.event)
        if message is None or not conversation.reference:
            return
        path = f"conversations/{_quoted(conversation.reference)}/messages/{message}"
        with suppress(SendError):
            await self._api.tell("PATCH", path, {"status": "read" if read else "delivered"}, deadline)

    def read(self, call: Call) -> DeskHeard:
        """Events of one webhook. Raises CallRefused for one that is not this Chatwoot's."""
        return callback.read(call, self._settings)

    async def shut(self) -> None:
        """Nothing is held open."""

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────────

    async def _contact(self, conversation: Conversation, context: Context, deadline: float) -> int:
        recipient = conversation.recipient
        known = await self._find(recipient, deadline)
        if known is None:
            body = wire.contact(recipient, context, self._inbox(conversation.skill))
            try:
                response = await self._api.tell("POST", "contacts", body, deadline)
            except SendError as error:
                # Somebody may have made it meanwhile (422); a doubt is settled by looking.
                if error.fate not in (Fate.PERMANENT, Fate.UNKNOWN):
                    raise
                known = await self._find(recipient, deadline)
                if known is None:
                    error.fate = Fate.RETRY if error.fate is Fate.UNKNOWN else error.fate
                    raise
            else:
                return answered(response, wire.Made, Fate.RETRY).payload.contact.id
        if news := wire.contact_news(known, recipient, context):
            try:
                await self._api.tell("PUT", f"contacts/{known.id}", news, deadline)
            except SendError as error:
                if error.fate is Fate.UNKNOWN:
                    error.fate = Fate.RETRY
                if error.fate is not Fate.PERMANENT:  # a refused attribute does not keep the person from an agent
                    raise
        return known.id

    async def _find(self, recipient: str, deadline: float) -> wire.Contact | None:
        found = answered(
            await self._api.ask(f"contacts/search?q={quote(recipient, safe='')}", deadline), wire.Contacts, Fate.RETRY
        )
        # The search finds whoever has the text within a name too.
        return next((one for one in found.payload if recipient in (one.phone_number, one.identifier)), None)

    async def _made(self, conversation: Conversation, contact: int, deadline: float) -> wire.Known | None:
        """The one that an earlier call made of this conversation, unless an agent has resolved it since."""
        response = await self._api.ask(f"contacts/{contact}/conversations", deadline)
        found = answered(response, wire.Conversations, Fate.RETRY)
        for one in found.payload:
            if (one.custom_attributes or {}).get(wire.CONVERSATION) == conversation.id and one.status != "resolved":
                return one
        return None

    async def _make(self, conversation: Conversation, context: Context, contact: int, deadline: float) -> wire.Known:
        team = await self._team(conversation.skill, deadline)
        body = wire.conversation(
            conversation, context, contact=contact, inbox=self._inbox(conversation.skill), team=team
        )
        response = await self._api.tell("POST", "conversations", body, deadline)
        known = answered(response, wire.Known, Fate.UNKNOWN)
        if (known.custom_attributes or {}).get(wire.CONVERSATION) == conversation.id:
            return known
        # The inbox is locked to a single conversation: Chatwoot gives the person's last one, whatever was asked for.
        path = f"conversations/{known.id}"
        news = {"custom_attributes": body["custom_attributes"], "merge": True}
        await self._api.tell("POST", f"{path}/custom_attributes", news, deadline)
        if known.status == "resolved":
            await self._api.tell("POST", f"{path}/toggle_status", {"status": "open"}, deadline)
        return known

    async def _team(self, skill: str, deadline: float) -> int | None:
        """By the setting, else by its name; Chatwoot keeps names of teams in lower case."""
        if skill in self._settings.teams:
            return self._settings.teams[skill]
        now = asyncio.get_running_loop().time()
        if now >= self._teams_until:
            teams = answered(await self._api.ask("teams", deadline), tuple[wire.Team, ...], Fate.RETRY)
            self._teams = {team.name.lower(): team.id for team in teams}
            self._teams_until = now + TEAMS_LAST
        return self._teams.get(skill.lower())

    def _inbox(self, skill: str) -> int:
        return self._settings.inboxes.get(skill, self._settings.inbox_id)

    async def _reference(self, conversation: Conversation, deadline: float) -> str:
        contact = await self._find(conversation.recipient, deadline)
        known = await self._made(conversation, contact.id, deadline) if contact else None
        return str(known.id) if known else ""

    async def _still_open(self, reference: str, deadline: float) -> None:
        response = await self._api.ask(f"conversations/{_quoted(reference)}", deadline)
        if response.status == 404:
            raise _gone(reference, response)
        if answered(response, wire.Known, Fate.RETRY).status == "resolved":
            raise _gone(reference, response)

    async def _sources(self, reference: str, deadline: float) -> set[str]:
        """The source_ids of the conversation's newest messages. Raises SendError, DeskGone."""
        path = f"conversations/{_quoted(reference)}/messages"
        found: set[str] = set()
        before: int | None = None
        for _ in range(PAGES):
            response = await self._api.ask(path if before is None else f"{path}?before={before}", deadline)
            if response.status == 404:
                raise _gone(reference, response)
            page = answered(response, wire.Messages, Fate.RETRY).payload
            found.update(one.source_id for one in page if one.source_id)
            if len(page) < PAGE:
                break
            before = min(one.id for one in page)
        return found

    async def _post(self, reference: str, body: dict[str, object], deadline: float) -> Response:
        response = await self._api.tell("POST", f"conversations/{_quoted(reference)}/messages", body, deadline)
        if response.status == 404:
            raise _gone(reference, response)
        return response


def _gone(reference: str, response: Response) -> DeskGone:
    why = "is not there any more" if response.status == 404 else "was resolved there"
    return DeskGone(
        f"Chatwoot's conversation {reference} {why}; the next turn opens another.", exchange=response.exchange
    )


def _quoted(reference: str) -> str:
    return quote(reference, safe="")
