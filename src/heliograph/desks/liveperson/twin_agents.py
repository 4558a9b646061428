"""The agents' side of LivePerson: what they do, and what their workspace shows them."""

from __future__ import annotations

from typing import Any
from uuid import NAMESPACE_URL, uuid5

from heliograph.core.desk_twin import Deed, DeskCase, DeskLine
from heliograph.core.ports import Call
from heliograph.core.twin import KnownDesk, World
from heliograph.desks.liveperson import twin_tell
from heliograph.desks.liveperson.twin_kept import Conversation, Line, every, find, profile, put

# The Consumer Info widget's words for what SetUserProfile set.
_INFO = {
    "customerId": "Customer ID",
    "ctype": "Customer type",
    "cstatus": "Customer status",
    "socialId": "Social ID",
    "imei": "IMEI",
    "userName": "User name",
    "companyBranch": "Company branch",
    "accountName": "Account name",
    "role": "Role",
}
_PERSONAL = {"firstname": "First name", "lastname": "Last name", "language": "Language", "gender": "Gender"}


def act(deed: Deed, desk: KnownDesk, world: World) -> list[Call]:
    """The webhooks that follow. Raises ValueError for what cannot be done here."""
    there = find(world, desk, deed.conversation)
    if there is None:
        raise ValueError(f"Account {desk.id} has no conversation {deed.conversation!r}.")
    if there.ended:
        raise ValueError(f"Conversation {deed.conversation!r} is closed.")
    now = world.now()
    there.changed = max(now, there.changed + 1)  # two changes of one millisecond are two
    match deed.do:
        case "take":
            told = _take(deed.agent, there, desk)
        case "transfer":
            told = _transfer(deed.to, there, desk)
        case "close":
            there.ended, there.closed_by = there.changed, "AGENT"
            there.lines.append(Line(by="system", text="closed by agent", at=now, author=deed.agent))
            told = twin_tell.changed(desk, there)
        case "say" | "type" | "read":
            told = _take(deed.agent, there, desk) if there.agent != deed.agent else []
            told += _event(deed, there, desk, now)
    put(world, there)
    return told


def _take(agent: str, there: Conversation, desk: KnownDesk) -> list[Call]:
    there.agent, there.agent_id = agent, str(uuid5(NAMESPACE_URL, f"{desk.id}/{agent}"))
    return twin_tell.changed(desk, there)


def _transfer(skill: str, there: Conversation, desk: KnownDesk) -> list[Call]:
    """The agent leaves, and the skill is another."""
    if skill not in desk.skills:
        known = ", ".join(sorted(desk.skills)) or "none"
        raise ValueError(f"Account {desk.id} has no skill {skill!r}; it has: {known}.")
    there.skill, there.agent, there.agent_id = desk.skills[skill], "", ""
    there.lines.append(Line(by="system", text=f"transferred to {skill}", at=there.changed))
    return twin_tell.changed(desk, there)


def _event(deed: Deed, there: Conversation, desk: KnownDesk, now: int) -> list[Call]:
    if deed.do == "type":
        event: dict[str, Any] = {"type": "ChatStateEvent", "chatState": "COMPOSING"}
        return twin_tell.event(desk, there, "ASSIGNED_AGENT", event, now)
    number = there.next
    there.next += 1
    if deed.do == "say":
        event = {"type": "ContentEvent", "message": deed.text, "contentType": "text/plain"}
        there.lines.append(Line(by="agent", text=deed.text, at=now, number=number, author=deed.agent))
    else:
        said = [line.number for line in there.lines if line.by == "recipient"]
        event = {"type": "AcceptStatusEvent", "status": "READ", "sequenceList": said[-20:]}
    return twin_tell.event(desk, there, "ASSIGNED_AGENT", event, now, number=number)


def shown(desk: KnownDesk, world: World) -> list[DeskCase]:
    """The account's conversations, the newest first."""
    names = {id: name for name, id in desk.skills.items()}
    return [_case(there, names, profile(world, desk, there.consumer)) for there in every(world, desk)]


def _case(there: Conversation, skills: dict[str, str], known: dict[str, Any]) -> DeskCase:
    facts = _facts(known)
    name = " ".join(part for part in (known.get("firstName", ""), known.get("lastName", "")) if part)
    if there.campaign:
        facts |= {f"Campaign {key}": str(value) for key, value in there.campaign.items()}
    return DeskCase(
        id=there.id,
        customer=name or there.name,
        skill=skills.get(there.skill, "" if there.skill == "-1" else there.skill),
        open=not there.ended,
        agent=there.agent,
        facts=facts,
        lines=tuple(DeskLine(by=one.by, text=one.text, at=one.at, author=one.author) for one in there.lines),
    )


def _facts(known: dict[str, Any]) -> dict[str, str]:
    """Only the SDEs ctmrinfo and personal are taken from a connector; without authenticatedData "there will be no
    consumer information for the Agent to see"."""
    facts: dict[str, str] = {}
    for sde in known.get("authenticatedData", {}).get("lp_sdes", []):
        if sde.get("type") == "ctmrinfo":
            facts |= {_INFO.get(key, key): str(value) for key, value in sde.get("info", {}).items()}
        elif sde.get("type") == "personal":
            personal = sde.get("personal", {})
            facts |= {label: str(personal[key]) for key, label in _PERSONAL.items() if personal.get(key)}
            for contact in personal.get("contacts", []):
                facts |= {
                    label: str(contact[key])
                    for key, label in (("phone", "Phone"), ("email", "Email"))
                    if key in contact
                }
    return facts
