"""Who can be reached: capabilities, the bulk question, testers."""

from __future__ import annotations

import re

import msgspec

from heliograph.channels.rcs.google_rbm_twin_answers import UNREACHABLE, Refused, decoded, given, stopped
from heliograph.core.twin import KnownSender, TwinAnswer, World

PROVIDER = "google-rbm"
FEATURES = (
    "RICHCARD_STANDALONE",
    "RICHCARD_CAROUSEL",
    "ACTION_CREATE_CALENDAR_EVENT",
    "ACTION_DIAL",
    "ACTION_OPEN_URL",
    "ACTION_SHARE_LOCATION",
    "ACTION_VIEW_LOCATION",
    "ACTION_OPEN_URL_IN_WEBVIEW",
    "PDF_IN_RICH_CARDS",
)
USERS = 10_000
SAMPLE_FROM = 500  # fewer asked: no random sample in the answer
SAMPLE = 0.75
NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


def known_agent(agent_id: str, world: World) -> KnownSender:
    if not agent_id:
        raise Refused(400, "agent_id must be set.")
    agent = world.sender(PROVIDER, agent_id)
    if agent is None:
        raise Refused(
            403,
            f"The caller does not have permission for agent {agent_id[:80]!r}. (The sandbox does not know it: register "
            "it with POST /sandbox/agents.)",
        )
    return agent


def capabilities(number: str, agent: KnownSender, request_id: str, world: World) -> TwinAnswer:
    if not request_id:
        raise Refused(400, "request_id must be set: a UUID as in RFC 9562.")
    rule = world.misbehaviour("capabilities", number, agent.id, provider=agent.provider)
    delay = stopped(rule)
    reachable(number, agent, world)
    world.note("capabilities", number=number, sender=agent.id)
    return given(msgspec.json.encode({"features": FEATURES}), rule, delay)


class _Invitation(msgspec.Struct, rename="camel"):
    invite_status: str = "PENDING"


_INVITATION = msgspec.json.Decoder(_Invitation)


def tester(number: str, agent: KnownSender, body: bytes, world: World) -> TwinAnswer:
    """The invitation stands at PENDING until it is accepted on the phone."""
    decoded(_INVITATION, body or b"{}")
    status = agent.testers.setdefault(number, "PENDING")
    world.note("tester", number=number, sender=agent.id, detail=status)
    return given(msgspec.json.encode({"name": f"phones/{number}/testers/{agent.id}", "inviteStatus": status}))


class _Users(msgspec.Struct, rename="camel"):
    users: list[str] = []
    agent_id: str = ""


_USERS = msgspec.json.Decoder(_Users)


def batch(agent_id: str, body: bytes, world: World) -> TwinAnswer:
    asked = decoded(_USERS, body)
    # The guide has the agent in the query, older pages in the body.
    agent = known_agent(agent_id or asked.agent_id.removesuffix("@rbm.goog"), world)
    users = list(dict.fromkeys(asked.users))
    if not 1 <= len(users) <= USERS:
        raise Refused(400, f"{len(users)} unique users; 1 to 10,000 are allowed.")
    for user in users:
        if not NUMBER.fullmatch(user):
            raise Refused(400, f"Invalid phone number {user[:20]!r}: it must be E.164, with the plus sign.")
    reached = [user for user in users if reaches(user, agent, world)]
    sample = world.sample(users, SAMPLE) if len(users) >= SAMPLE_FROM else []
    answered = {
        "reachableUsers": reached,
        "totalRandomSampleUserCount": len(sample),
        "reachableRandomSampleUserCount": len(set(sample).intersection(reached)),
    }
    world.note("batch", sender=agent.id, detail=f"{len(reached)} of {len(users)} reachable")
    return given(msgspec.json.encode(answered))


def reaches(number: str, agent: KnownSender, world: World) -> bool:
    launched = agent.launched or agent.testers.get(number) == "ACCEPTED"
    return launched and world.reach(number).has_rcs


def reachable(number: str, agent: KnownSender, world: World) -> None:
    if not world.reach(number).has_rcs:
        raise Refused(404, UNREACHABLE)
    if not reaches(number, agent, world):
        if agent.refusal == 403:
            raise Refused(403, "The agent is not launched on the network of the specified phone number.")
        raise Refused(404, UNREACHABLE)
