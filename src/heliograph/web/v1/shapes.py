"""The JSON of the native API as types: what it answers is encoded from them, the OpenAPI document is made from them.

Times are RFC 3339 in UTC, money is a decimal number as a string. Fields may be added; readers ignore what they do not
know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from heliograph.core.content import Content

State = Literal[
    "accepted", "scheduled", "sending", "sent", "delivered", "read", "failed", "expired", "cancelled", "refused"
]


def says(about: str, *examples: object) -> Meta:
    return Meta(description=about, examples=list(examples) or None)


class NewAlert(msgspec.Struct, kw_only=True):
    """One alert to one recipient."""

    recipient: Annotated[
        str,
        says("The recipient's number with its country code; without one, country_code must be there.", "+12025550123"),
    ]
    template: Annotated[str, says("Name of the template.", "flightdelay")]
    variables: Annotated[
        dict[str, str | int | float | bool | None],
        says(
            "Values for the template's variables, named with or without @.",
            {"Time": "7:35 pm", "City": "Kansas City", "Gate": "C35"},
        ),
    ] = {}
    language: Annotated[str | None, says("A word, a BCP 47 tag or a locale. Without: the site's default.", "en")] = None
    skill: Annotated[
        str | None, says("The skill whose agents get the reply. Without: the site's default.", "service")
    ] = None
    country_code: Annotated[str | None, says("Country calling code, where recipient does not bring it.")] = None
    channel: Annotated[str | None, says("This channel alone, and no fallback: rcs, wa or sms.")] = None
    template_version: Annotated[
        str | None, says("A tag to classify by. A version of the template that carries it is used.")
    ] = None
    time_to_live: Annotated[
        int | None, says("Seconds after which nothing is sent. Without: the template's, or the site's.", 3600)
    ] = None
    external_alert_id: Annotated[
        str | None,
        says("Your id of the alert. The same call with the same id is one alert for 24 hours.", "delay-4711"),
    ] = None
    external_customer_id: Annotated[
        str | None, says("Your id of the customer. Needs external_customer_id_descriptor.")
    ] = None
    external_customer_id_descriptor: Annotated[str | None, says("What kind of id that is.")] = None
    first_name: Annotated[str | None, says("The recipient's first name.")] = None
    last_name: Annotated[str | None, says("The recipient's last name.")] = None
    alert_info: Annotated[
        dict[str, Any] | None, says("Anything the agent should see beside the conversation; kept as sent.")
    ] = None


class AlertState(msgspec.Struct, kw_only=True, omit_defaults=True):
    """An alert as it is now."""

    id: Annotated[str, says("Its id in the record.", "0198c2a4-7e1b-7c11-9d52-6f2e0a3b4c5d")]
    state: Annotated[State, says("How far it came, or the end it came to.", "sent")]
    reason: Annotated[str, says("The code of a bad end.", "cannot_reach")] = ""
    channel: Annotated[str, says("The channel of the newest attempt.", "rcs")] = ""
    send_at: Annotated[str, says("Where it is held: until when.")] = ""


class AlertLine(msgspec.Struct, kw_only=True):
    """An alert in a list."""

    id: str
    created: str
    recipient: str
    template: str
    language: str
    state: State
    reason: str
    channel: str
    external_alert_id: str
    test: Annotated[bool, says("A test key's: it went to the sandbox.")]


class AlertList(msgspec.Struct, kw_only=True):
    """The newest first. `next`: the cursor of the next page, null on the last one."""

    alerts: list[AlertLine]
    next: str | None


class AttemptShape(msgspec.Struct, kw_only=True):
    """One alert tried on one channel."""

    id: str
    number: int
    channel: str
    provider: str
    sender: str
    state: str
    reason: str
    created: str
    tries: Annotated[int, says("How often it was handed to the provider, or that was tried.")]
    content: Annotated[Content, says("What the recipient gets.")]
    references: Annotated[list[str], says("The provider's names for it.")]
    response: Annotated[Any, says("The provider's own answer, as JSON where it is JSON.")]


class Happening(msgspec.Struct, kw_only=True):
    """One line of the timeline. `by`: api, provider, heliograph or a user's name. `detail`: facts of this kind of line,
    exchanges with the provider without any credential."""

    at: str
    kind: str
    by: str
    attempt: str
    detail: Raw


class AlertRecord(msgspec.Struct, kw_only=True):
    """All that is known of one alert."""

    id: str
    state: State
    reason: str
    created: str
    expires: str
    send_at: str | None
    recipient: str
    template: str
    template_version: str
    version_tag: str
    language: str
    language_asked: str
    variables: dict[str, str]
    skill: str
    channel_forced: str
    external_alert_id: str
    external_customer_id: str
    external_customer_id_descriptor: str
    first_name: str
    last_name: str
    alert_info: Any
    key: Annotated[str, says("The key that sent it.")]
    test: Annotated[bool, says("A test key's: it went to the sandbox.")]
    former: Annotated[str | None, says("The alert that this one repeats after a refusal or a settled failure.")]
    notes: list[str]
    decision: Annotated[Any, says("The decision record: what was considered in which order, and why.")]
    attempts: list[AttemptShape]
    timeline: list[Happening]
    conversations: Annotated[list[str], says("Ids of the conversations that its replies opened or joined.")]


class MessageShape(msgspec.Struct, kw_only=True):
    """What one sender would send."""

    channel: str
    sender: str
    provider: str
    chosen: Annotated[bool, says("Whether it is among those that would be tried.")]
    why: Annotated[str, says("chosen, or the one word why not.", "chosen", "cannot_reach")]
    content: Annotated[Content, says("Rendered, and made to fit.")]
    rules: Annotated[list[str], says("How it was made to fit this provider.")]
    faults: Annotated[list[str], says("What the provider would refuse it for.")]
    parts: Annotated[int, says("What is billed and counted against a rate.")]
    encoding: Annotated[str, says("Of an SMS: GSM-7 or UCS-2; else empty.")]
    units: Annotated[int, says("Its length in that encoding's own count.")]
    forced_by: Annotated[str, says("The first character that forces the dearer encoding.")]
    cost: Annotated[str | None, says("Estimated from the site's price table; null where it has no price.", "0.0158")]


class ObstacleShape(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Something that would stop it, or hold it until a moment."""

    code: Annotated[str, says("One word.", "quiet_hours")]
    detail: str
    until: str = ""


class ExplanationShape(msgspec.Struct, kw_only=True):
    """What would become of an alert that is sent now. Nothing was sent, asked or kept."""

    would: Annotated[Literal["send", "hold", "refuse"], says("What a call to POST /v1/alerts would do.")]
    recipient: str
    template: str
    template_version: str
    language: str
    expires: str
    channels: Annotated[list[str], says("The channels that would be tried, in this order.")]
    hold_until: str | None
    obstacles: list[ObstacleShape]
    messages: list[MessageShape]
    currency: str
    notes: list[str]
    decision: Annotated[Any, says("The decision record, byte for byte as a send would keep it.")]


class NewOptOut(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A recipient's no."""

    recipient: Annotated[str, says("The recipient's number with its country code.", "+12025550123")]
    scope: Annotated[
        str, says("What is not wanted: all, a channel (rcs, wa, sms), or skill:NAME.", "all", "skill:marketing")
    ] = "all"
    at: Annotated[
        str | None, says("When it was said, where that was before now; an older one undoes no later word.")
    ] = None


class OptOutShape(msgspec.Struct, kw_only=True):
    """An opt-out as it stands in the record."""

    recipient: str
    scope: str
    at: Annotated[str, says("Since when.")]
    how: Annotated[str, says("How it came.", "provider", "api", "cli", "file")]
    by: Annotated[str, says("Who wrote it down: a sender, a key, an operator.")]


class OptOutChange(msgspec.Struct, kw_only=True):
    """What became of the wish. `in_force`: whether the recipient is sent nothing of this scope now."""

    recipient: str
    scope: str
    in_force: bool
    changed: Annotated[bool, says("false: it was so already, or the recipient said otherwise later.")]


class Erased(msgspec.Struct, kw_only=True):
    """How much was removed."""

    alerts: int
    conversations: int
    replies: int
    capabilities: int
    receipts: Annotated[int, says("Receipts that had no attempt.")]
    opt_outs: Annotated[int, says("Not removed: kept as a keyed hash of the number.")]


class OptOutList(msgspec.Struct, kw_only=True):
    """In the order of the numbers. `next`: the cursor of the next page, null on the last one."""

    opt_outs: list[OptOutShape]
    next: str | None


class WhoCanBeReached(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Recipients to ask about."""

    recipients: Annotated[
        list[str], says("Numbers with their country code, at most 10,000.", ["+12025550123", "+12025550124"])
    ]
    channels: Annotated[list[str] | None, says("These channels alone. Without: the site's, in its order.")] = None


class CapabilityShape(msgspec.Struct, kw_only=True):
    """Whether a recipient can be reached on a channel, by the sender that would write to him."""

    channel: str
    sender: str
    reach: Annotated[Literal["yes", "no", "unknown"], says("An alert is tried where it is unknown.")]
    reason: Annotated[
        str, says("Why it is no or unknown; empty for a yes.", "cannot_reach", "not_askable", "wrong_region")
    ]
    asked: Annotated[str, says("When the provider said so.")]
    age: Annotated[int, says("Seconds since then.")]
    cached: Annotated[bool, says("true: it was known, and nobody was asked now.")]
    features: Annotated[list[str], says("The provider's words for what the phone shows; empty where many were asked.")]


class RecipientCapabilities(msgspec.Struct, kw_only=True):
    """One recipient. A channel without a sender is left out."""

    recipient: str
    channels: list[CapabilityShape]


class EstimateShape(msgspec.Struct, kw_only=True):
    """Of `sampled` recipients that the provider drew at random, `reachable` have the channel, whether or not the sender
    may write to them yet."""

    channel: str
    sender: str
    sampled: int
    reachable: int


class CapabilityList(msgspec.Struct, kw_only=True):
    """In the order of the call; a number that is there twice is answered once."""

    recipients: list[RecipientCapabilities]
    estimates: list[EstimateShape]
