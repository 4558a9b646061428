"""POST /v1/capabilities: who can be reached on which channel, and how old each answer is."""

from __future__ import annotations

import msgspec

from heliograph.core import phone
from heliograph.core.channel import SYNONYMS
from heliograph.core.site import Kind, Scope
from heliograph.flow.capabilities import Found, Told, capabilities
from heliograph.web import json_type
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect.answers import rfc3339
from heliograph.web.problem import problem, shown
from heliograph.web.route import Docs, Said
from heliograph.web.v1 import said, shapes
from heliograph.web.v1.caller import caller, done, first
from heliograph.web.v1.request import field_problem

SCOPE = Scope.CAPABILITIES_READ
MOST = 10_000  # recipients in a call: some 160 KB of JSON
FAULTS = 20  # wrong recipients that are named
_body = msgspec.json.Decoder(shapes.WhoCanBeReached).decode


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    if wrong := json_type.wrong(call):
        return problem(415, wrong)
    found = await caller(call, doors, doors.means.clock.new_id(), SCOPE)
    if isinstance(found, WebAnswer):
        return found
    try:
        asked = _body(call.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # Its words name types and places, never what was sent.
        sentence = f"The body cannot be taken: {error}." if isinstance(error, msgspec.ValidationError) else _NO_JSON
        return await done(problem(400, sentence, code="invalid_fields"), found, call, doors)
    means, faults = doors.means, dict[str, str]()
    recipients = _recipients(asked.recipients, faults)
    channels = _channels(asked.channels, found.site.channels, means.channels, faults)
    if faults:
        return await done(field_problem(faults), found, call, doors)
    once = await first(found, call, doors)  # before a provider is asked
    if isinstance(once, WebAnswer):
        return once
    told = await capabilities(
        found.site,
        recipients,
        means,
        channels=channels,
        deadline=means.clock.loop_time() + means.limits.call_deadline,
        test=found.key.kind is Kind.TEST,
    )
    body = msgspec.json.encode(_shape(recipients, told, means.clock.now()))
    return WebAnswer(status=200, body=body, headers=JSON)


_NO_JSON = "The body is not JSON in UTF-8. Send an object with recipients, a list of numbers."


def _recipients(given: list[str], faults: dict[str, str]) -> list[str]:
    if not 1 <= len(given) <= MOST:
        faults["recipients"] = f"recipients has {len(given)} numbers; 1 to {MOST:,} are taken."
        return []
    read: dict[str, None] = {}
    for place, number in enumerate(given):
        one = phone.international(number)
        if not isinstance(one, phone.PhoneFault):
            read[one] = None
        elif len(faults) < FAULTS:
            faults[f"recipients[{place}]"] = one.sentence
    return list(read)


def _channels(
    given: list[str] | None, usual: tuple[str, ...], installed: frozenset[str], faults: dict[str, str]
) -> tuple[str, ...]:
    read: dict[str, None] = {}
    for place, word in enumerate(given or usual):
        name = SYNONYMS.get(word.strip().casefold(), word.strip().casefold())
        if name in installed:
            read[name] = None
        elif given:
            label = shown(word.encode("utf-8", "replace"), 40)
            known = ", ".join(sorted(installed))
            faults[f"channels[{place}]"] = f"There is no channel {label}; there is {known}."
    return tuple(read)


def _shape(recipients: list[str], found: Found, now: int) -> shapes.CapabilityList:
    by: dict[str, list[shapes.CapabilityShape]] = {recipient: [] for recipient in recipients}
    for told in found.told:
        by[told.recipient].append(_one(told, now))
    return shapes.CapabilityList(
        recipients=[shapes.RecipientCapabilities(recipient=one, channels=its) for one, its in by.items()],
        estimates=[
            shapes.EstimateShape(channel=e.channel, sender=e.sender, sampled=e.sampled, reachable=e.reachable)
            for e in found.estimates
        ],
    )


def _one(told: Told, now: int) -> shapes.CapabilityShape:
    known = told.capability
    return shapes.CapabilityShape(
        channel=told.channel,
        sender=told.sender,
        reach=known.reach.value,
        reason=known.reason,
        asked=rfc3339(known.asked),
        age=max(0, now - known.asked) // 1000,
        cached=told.cached,
        features=list(known.features),
    )


DOCS = Docs(
    about=(
        "Tells of each recipient on each channel whether he can be reached, and how old that answer is. What is known "
        "is not asked again; up to 20 others are asked about one by one, more of them many at once where the provider "
        "can answer so. Nothing is sent. Needs capabilities:read."
    ),
    takes=shapes.WhoCanBeReached,
    says=(Said(200, "An answer for each recipient", shapes.CapabilityList), *said.WITH_BODY, *said.ALL),
)
