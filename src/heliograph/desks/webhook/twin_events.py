"""The events that a small desk takes, and how each call may go wrong."""

from __future__ import annotations

from typing import Any

import msgspec

from heliograph.core.desk_twin import DeskLine
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Misbehaviour, TwinAnswer, Verb, World
from heliograph.desks.webhook import twin_state as state
from heliograph.desks.webhook.twin_state import Kept

NAME = "webhook"
JSON = {"content-type": "application/json"}
VERBS: dict[str, Verb] = {
    "conversation.opened": "desk_open",
    "turn.said": "desk_say",
    "conversation.closed": "desk_close",
}
NOTES = {"desk_open": "desk_opened", "desk_say": "desk_said", "desk_close": "desk_closed"}


class Wrong(Exception):
    """An answer that is a no; `end`: none at all."""

    def __init__(self, status: int, sentence: str, *, headers: dict[str, str] | None = None, end: bool = False) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.headers = headers or {}
        self.end = end

    def answer(self) -> TwinAnswer:
        body = msgspec.json.encode({"error": self.sentence})
        return TwinAnswer(status=self.status, body=body, headers={**JSON, **self.headers})


class Event(msgspec.Struct, kw_only=True):
    type: str
    timestamp: str
    data: dict[str, Any]


def take(call: Call, desk: KnownDesk, world: World) -> TwinAnswer:
    """Each event once: one whose webhook-id was seen is answered as if it were new."""
    try:
        event = msgspec.json.decode(call.body, type=Event)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Wrong(400, f"The event cannot be read: {fault}") from fault
    id, named = call.headers["webhook-id"], event.data.get("conversation")
    opened = named if isinstance(named, dict) and {"id", "recipient", "skill"} <= named.keys() else {}
    kept = state.kept(desk, str(opened.get("id", named)), world)
    number = opened.get("recipient") or (kept.number if kept else "")
    verb = VERBS.get(event.type)
    wrong = _goes_wrong(verb, number, desk, world) if verb else None
    if event.type == "conversation.opened":
        if not opened:
            raise Wrong(400, "conversation.opened names no conversation with id, recipient and skill.")
        kept = _open(opened, event.data.get("context", {}), kept, desk, world)
    elif kept is None or (event.type == "turn.said" and not kept.open and id not in kept.seen):
        raise Wrong(410, "That conversation is closed here.")
    if id not in kept.seen:
        kept.seen.append(id)
        _happens(event, kept, world)
        state.keep(desk, kept, world)
        if verb:
            world.note(NOTES[verb], number=number, sender=desk.id, message=kept.id)
    return _ends(wrong, TwinAnswer(status=200, body=b'{"closed": false}', headers=JSON))


def _open(named: dict[str, Any], context: dict[str, Any], kept: Kept | None, desk: KnownDesk, world: World) -> Kept:
    """A new one, or one that was closed here and goes on."""
    if kept is None:
        order = sum(1 for _ in state.all_of(desk, world))
        kept = Kept(id=named["id"], customer="", number=named["recipient"], skill=named["skill"], order=order)
    kept.open = True
    kept.customer = named.get("name") or named["recipient"]
    kept.facts = facts(context)
    return kept


def _happens(event: Event, kept: Kept, world: World) -> None:
    match event.type:
        case "conversation.opened" if words := event.data.get("context", {}).get("words"):
            kept.lines.append(DeskLine(by="system", text=words, at=world.now()))
        case "turn.said":
            if about := event.data.get("context"):
                kept.facts = facts(about)
                kept.lines.append(DeskLine(by="system", text=about.get("words", ""), at=world.now()))
            turn = event.data["turn"]
            by = "recipient" if turn["by"] == "recipient" else "system"
            kept.lines.append(DeskLine(by=by, text=turn["words"], at=world.now()))
        case "conversation.closed":
            kept.open = False


def facts(context: dict[str, Any]) -> dict[str, str]:
    """What the desk shows beside a conversation: the alert's own fields, then every key of its info."""
    alert = context.get("alert", {})
    labels = ("first_name", "last_name", "external_customer_id", "external_customer_id_descriptor", "external_alert_id")
    known = {label: alert[label] for label in labels if label in alert}
    return {key: _text(value) for key, value in {**known, **alert.get("alert_info", {})}.items()}


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _goes_wrong(verb: Verb, number: str, desk: KnownDesk, world: World) -> Misbehaviour | None:
    """What goes wrong with the call. Raises Wrong where it comes to nothing."""
    wrong = world.misbehaviour(verb, number, desk.id, provider=NAME)
    if wrong is None or wrong.do in ("slow", "silent", "drop"):
        return wrong
    if wrong.do == "throttle":
        raise Wrong(wrong.status, "Too many events.", headers={"retry-after": f"{wrong.seconds:.0f}"})
    raise Wrong(wrong.status, "This call was to go wrong.", end=wrong.do == "drop_before")


def _ends(wrong: Misbehaviour | None, answer: TwinAnswer) -> TwinAnswer:
    """The answer as it reaches the caller, once all is done."""
    match wrong.do if wrong else "":
        case "slow":
            return msgspec.structs.replace(answer, delay=wrong.seconds if wrong else 0.0)
        case "silent":
            return TwinAnswer(end="hang")
        case "drop":
            return TwinAnswer(end="drop")
    return answer
