"""Desks: the accounts that agents work in, what agents do there, and what the desk posts to the server under test."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

import msgspec

from heliograph.core.desk_twin import Deed, DeskCase, DeskTwin
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, Posting
from heliograph.errors import PlugError
from heliograph.sandbox.callbacks import Waiting
from heliograph.sandbox.wrong import NotPossible, Wrong

if TYPE_CHECKING:
    from heliograph.sandbox.world import World

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")  # it stands in the address of a page


class DeskBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account to register. `skills`: queue's name → the desk's id of it. Without `credentials` those of before are
    kept, or new ones are made; the answer to this call tells them."""

    desk: str
    id: str
    name: str = ""
    webhook: str = ""
    credentials: dict[str, str] = {}
    skills: dict[str, str] = {}


class AgentDeed(Deed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent does. Without a conversation: in the open one that was spoken in last."""

    conversation: str = ""


def twin(module: DeskTwin | ModuleType) -> DeskTwin:
    """Raises PlugError for a module that lacks what core.desk_twin.DeskTwin asks for."""
    lacks = [name for name in _TWIN if not hasattr(module, name)]
    if lacks:
        raise PlugError(f"{module} is not a desk's twin: it does not export {', '.join(lacks)}.", code="plug_broken")
    return cast(DeskTwin, module)


_TWIN = ("NAME", "PREFIXES", "body_limit", "answer", "act", "shown", "credentials")


def register(body: DeskBody, world: World) -> dict[str, Any]:
    """Registers an account or changes it; what waits for its webhook is posted at once."""
    playing = _playing(body.desk, world)
    if not _ID.fullmatch(body.id):
        raise Wrong(400, f"id is {body.id[:40]!r}; it must be letters, digits and . _ - (80 at most).")
    former = world.accounts_at_desks.get((body.desk, body.id))
    credentials = body.credentials or (former.credentials if former else dict(playing.credentials(world.secret)))
    world.add_desk(
        KnownDesk(
            id=body.id,
            desk=body.desk,
            name=body.name or (former.name if former else body.id),
            webhook=body.webhook,
            credentials=credentials,
            skills=body.skills or (former.skills if former else {}),
        )
    )
    known = account(body.desk, body.id, world)
    return {**told(known), "credentials": credentials}


def account(desk: str, id: str, world: World) -> KnownDesk:
    """Raises Wrong where nobody registered it."""
    known = world.accounts_at_desks.get((desk, id))
    if known is None:
        raise Wrong(404, f"No account {id[:80]!r} is registered at {desk[:40]!r}; POST /sandbox/desks registers one.")
    return known


def told(known: KnownDesk) -> dict[str, Any]:
    """An account as JSON; what is secret of it is not told again."""
    return {
        "desk": known.desk,
        "id": known.id,
        "name": known.name,
        "webhook": known.webhook,
        "skills": known.skills,
    }


def shown(known: KnownDesk, world: World) -> dict[str, Any]:
    """An account and its conversations as its agents see them, the one that was spoken in last first."""
    return {**told(known), "conversations": [_case(one) for one in _cases(known, world)]}


def do(deed: AgentDeed, known: KnownDesk, world: World, *, about: str = "") -> dict[str, Any]:
    """An agent's deed; what the desk tells of it is on its way to our callback afterwards. `about`: the conversation
    that is meant where the deed names none and this is one. Raises Wrong."""
    playing = _playing(known.desk, world)
    if deed.do == "say" and not deed.text.strip():
        raise Wrong(400, "say needs a text.")
    if deed.do == "transfer" and deed.to not in (known.skills or (deed.to,)):
        raise Wrong(400, f"to is {deed.to[:40]!r}; the account's skills are: {', '.join(known.skills)}.")
    case = _meant(deed.conversation, about, _cases(known, world))
    try:
        calls = playing.act(msgspec.structs.replace(deed, conversation=case.id), known, world)
    except ValueError as fault:
        raise NotPossible(str(fault)) from fault
    world.note("agent", sender=known.id, message=case.id, detail=deed.do)
    post(known, calls, world, conversation=case.id, kind=deed.do)
    world.desk_changed(known.desk)
    return shown(known, world)


def post(known: KnownDesk, calls: Sequence[Call], world: World, *, conversation: str, kind: str) -> None:
    """Posts to our callback in order, repeated as the desk repeats. A desk without a webhook tells nobody."""
    posting = getattr(world.desk_twins[known.desk], "POSTING", Posting())
    for call in calls:
        if call.url:
            world.callbacks.put(
                Waiting(
                    call=call,
                    posting=posting,
                    born=world.now(),
                    sender=known.id,
                    number="",
                    message=conversation,
                    kind=kind,
                    again=_readdressed(call, known, world),
                )
            )


def _readdressed(call: Call, known: KnownDesk, world: World) -> Callable[[], Call]:
    """The same bytes for the webhook of now: no desk signs the address."""
    return lambda: msgspec.structs.replace(call, url=account(known.desk, known.id, world).webhook)


def _playing(desk: str, world: World) -> DeskTwin:
    found = world.desk_twins.get(desk)
    if found is None:
        raise Wrong(400, f"desk {desk[:40]!r} has no twin here; there are: {', '.join(world.desk_twins) or 'none'}.")
    return found


def _cases(known: KnownDesk, world: World) -> list[DeskCase]:
    return sorted(_playing(known.desk, world).shown(known, world), key=_touched, reverse=True)


def _touched(case: DeskCase) -> int:
    return case.lines[-1].at if case.lines else 0


def _meant(named: str, about: str, cases: Sequence[DeskCase]) -> DeskCase:
    """Raises Wrong where no such conversation is open."""
    case = next((one for one in cases if one.id == (named or about)), None)
    if case is None and named:
        raise Wrong(404, f"No conversation {named[:80]!r} is at this desk.")
    if case is None:
        case = next((one for one in cases if one.open), None)
    if case is None:
        raise NotPossible("No conversation is open at this desk; one opens when a recipient answers an alert.")
    if not case.open:
        raise NotPossible(f"Conversation {case.id[:80]!r} is closed.")
    return case


def _case(case: DeskCase) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(case)
    return document
