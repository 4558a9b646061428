"""/v1/conversations: what recipients answered, and answering them. A key sees its own site's, a test key those of test
alerts alone."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import msgspec

from heliograph.core import phone
from heliograph.core.conversation import Closer, Conversation, State, Turn
from heliograph.core.ports import Inbox
from heliograph.core.site import Key, Kind, Scope
from heliograph.flow import converse
from heliograph.web import json_type
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect.answers import rfc3339
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said
from heliograph.web.v1.caller import Caller, caller, done, first
from heliograph.web.v1.conversation_shapes import (
    ConversationList,
    ConversationRecord,
    ConversationShape,
    NewTurn,
    TurnShape,
)
from heliograph.web.v1.query import filters, page_of
from heliograph.web.v1.request import field_problem

READS, WRITES = Scope.CONVERSATIONS_READ, Scope.CONVERSATIONS_WRITE
MOST, USUAL = 200, 50  # on a page
SHOWN = 200  # newest turns of a record
FILTERS = ("state", "skill", "recipient", "alert", "cursor", "limit")
_body = msgspec.json.Decoder(NewTurn).decode
_place = msgspec.json.Decoder(tuple[int, str]).decode


async def list_(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), READS)
    if isinstance(found, WebAnswer):
        return found
    query, faults = filters(call.query, FILTERS)
    limit = page_of(query, USUAL, MOST, faults)
    if query.get("state", "open") not in (State.OPEN, State.CLOSED):
        faults["state"] = "state must be open or closed."
    if "recipient" in query and isinstance(number := phone.international(query["recipient"]), phone.PhoneFault):
        faults["recipient"] = number.sentence
    before = _before(query.get("cursor", ""), faults)
    if faults:
        return await done(field_problem(faults, code="invalid_query"), found, call, doors)
    if "alert" in query:
        rows = await doors.means.store.conversations_about(found.site.id, query["alert"])
        rows = [one for one in rows if _shows(found.key, one) and (before is None or one.id < before[1])]
        return await _page(rows, limit, found, call, doors)
    inbox = Inbox(
        site=found.site.id,
        state=State(query.get("state", "open")),
        skills=(query["skill"],) if "skill" in query else (),
        recipient=str(number) if "recipient" in query else "",
        before=before,
        limit=limit + 1,
    )
    rows = await doors.means.store.conversations(inbox)
    return await _page(rows, limit, found, call, doors)


async def _page(rows: list[Conversation], limit: int, found: Caller, call: WebCall, doors: Doors) -> WebAnswer:
    page = rows[:limit]
    place = (page[-1].touched, page[-1].id) if len(rows) > limit and page else None
    body = ConversationList(
        conversations=[shape(one) for one in page if _shows(found.key, one)],
        next=urlsafe_b64encode(msgspec.json.encode(place)).decode() if place else None,
    )
    return await done(WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON), found, call, doors)


def _before(cursor: str, faults: dict[str, str]) -> tuple[int, str] | None:
    if not cursor:
        return None
    try:
        return _place(urlsafe_b64decode(cursor))
    except (ValueError, msgspec.DecodeError):
        faults["cursor"] = "cursor is not one of ours. Send `next` of the page before as it came."
        return None


async def one(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), READS)
    if isinstance(found, WebAnswer):
        return found
    there = await there_of(call, found, doors)
    if there is None:
        return await done(unknown(), found, call, doors)
    turns = await doors.means.store.turns(found.site.id, there.id, newest=True, limit=SHOWN)
    body = ConversationRecord(conversation=shape(there), turns=[turn_shape(one) for one in turns])
    return await done(WebAnswer(status=200, body=msgspec.json.encode(body), headers=JSON), found, call, doors)


async def say(call: WebCall, doors: Doors) -> WebAnswer:
    if wrong := json_type.wrong(call):
        return problem(415, wrong)
    found = await caller(call, doors, doors.means.clock.new_id(), WRITES)
    if isinstance(found, WebAnswer):
        return found
    there = await there_of(call, found, doors)
    if there is None:
        return await done(unknown(), found, call, doors)
    try:
        asked = _body(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Its words name types and places, never what was sent.
        why = f"The body cannot be taken: {error}." if isinstance(error, msgspec.ValidationError) else _NO_JSON
        return await done(problem(400, why, code="invalid_fields"), found, call, doors)
    once = await first(found, call, doors)
    if isinstance(once, WebAnswer):
        return once
    words = converse.Words(text=asked.text, template=asked.template, variables=asked.variables)
    author = asked.author or found.key.consumer_key
    turn = await converse.answer(found.site.id, there.id, words, agent="", author=author, means=doors.means)
    if isinstance(turn, converse.Refused):
        return _refused(turn)
    return WebAnswer(status=202, body=msgspec.json.encode(turn_shape(turn)), headers=JSON)


_NO_JSON = "The body is not JSON in UTF-8. Send an object with text, or with template and variables."


async def close(call: WebCall, doors: Doors) -> WebAnswer:
    found = await caller(call, doors, doors.means.clock.new_id(), WRITES)
    if isinstance(found, WebAnswer):
        return found
    there = await there_of(call, found, doors)
    if there is None:
        return await done(unknown(), found, call, doors)
    once = await first(found, call, doors)
    if isinstance(once, WebAnswer):
        return once
    by = found.key.consumer_key
    closed = await converse.close(found.site.id, there.id, closer=Closer.OPERATOR, by=by, means=doors.means)
    if isinstance(closed, converse.Refused) and closed.code != "closed":
        return _refused(closed)
    now = closed.conversation or there if isinstance(closed, converse.Refused) else closed
    return WebAnswer(status=200, body=msgspec.json.encode(shape(now)), headers=JSON)


async def there_of(call: WebCall, found: Caller, doors: Doors) -> Conversation | None:
    there = await doors.means.store.conversation(found.site.id, call.params["id"].lower())
    return there if there is not None and _shows(found.key, there) else None


def _shows(key: Key, there: Conversation) -> bool:
    """A test key sees what came of test keys' alerts, and no live recipient."""
    return key.kind is not Kind.TEST or there.test


def unknown() -> WebAnswer:
    sentence = "This site has no such conversation. GET /v1/conversations lists what it has."
    return problem(404, sentence, code="unknown_conversation")


def _refused(refused: converse.Refused) -> WebAnswer:
    status = 404 if refused.code == "gone" else 409 if refused.code in ("closed", "anothers") else 422
    return problem(status, refused.sentence, code=refused.code)


def shape(there: Conversation) -> ConversationShape:
    return ConversationShape(
        id=there.id,
        recipient=there.recipient,
        skill=there.skill,
        state=there.state.value,
        closed_by=there.closed_by.value if there.closed_by else "",
        desk=there.desk,
        desk_reference=there.reference,
        alert=there.alert,
        alerts=list(there.alerts),
        channel=there.channel,
        agent=there.agent,
        opened=rfc3339(there.opened),
        closed=rfc3339(there.closed) if there.closed is not None else None,
        touched=rfc3339(there.touched),
        waiting_since=rfc3339(there.waiting) if there.waiting is not None else None,
        former=there.former,
        turns=there.turns,
        trouble=there.trouble,
        flags=list(there.flags),
        test=there.test,
    )


def turn_shape(turn: Turn) -> TurnShape:
    return TurnShape(
        number=turn.number,
        id=turn.id,
        at=rfc3339(turn.at),
        by=turn.by.value,
        author=turn.author,
        kind=turn.kind,
        text=turn.text,
        postback=turn.postback,
        attached=list(turn.attached),
        place=turn.place,
        alert=turn.alert,
        rule=turn.rule,
        channel=turn.channel,
        state=turn.state.value if turn.state else "",
        reason=turn.reason,
        flags=list(turn.flags),
    )


GONE = said.refused(404, "The site has no such conversation")
LIST_DOCS = Docs(
    about="The site's conversations, the last touched first. Follow `next` for the rest. Needs conversations:read.",
    says=(Said(200, "A page of conversations", ConversationList), said.refused(400, "A filter is wrong"), *said.ALL),
    query={
        "state": "open (without) or closed.",
        "skill": "Of this skill.",
        "recipient": "With this number, with its country code.",
        "alert": "That speak of this alert, open or closed.",
        "cursor": "`next` of the page before.",
        "limit": f"Conversations on a page, 1 to {MOST}; {USUAL} without.",
    },
)
ONE_DOCS = Docs(
    about="One conversation with its turns. Needs conversations:read.",
    says=(Said(200, "The conversation", ConversationRecord), GONE, *said.ALL),
    params={"id": "The conversation's id."},
)
SAY_DOCS = Docs(
    about=(
        "Answers the recipient on the channel of their last words. The answer is on disk when this is answered, and "
        "leaves behind it; its state is in the conversation's turns. Needs conversations:write."
    ),
    takes=NewTurn,
    says=(
        Said(202, "On disk and due to leave", TurnShape),
        said.refused(422, "It may not go: window_closed, opted_out, too_long, no_sender, missing_variables …"),
        said.refused(409, "The conversation is closed"),
        GONE,
        *said.WITH_BODY,
        *said.ALL,
    ),
    params={"id": "The conversation's id."},
)
CLOSE_DOCS = Docs(
    about="Closes a conversation; its desk hears of it. One that is closed stays so. Needs conversations:write.",
    says=(Said(200, "How it stands now", ConversationShape), GONE, *said.ALL),
    params={"id": "The conversation's id."},
)
