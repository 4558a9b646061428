"""The documented shapes as types: what the OpenAPI document and the page of the API are made from.

Nothing is decoded with them; wire.py and tolerance.py read calls, answers.py writes answers, and a test holds the
field names together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Text = str | int


def says(about: str, *examples: object) -> Meta:
    return Meta(description=about, examples=list(examples) or None)


class ProactiveAlert(msgspec.Struct, kw_only=True):
    """One alert to one recipient. The fields stand in the order of the API's page."""

    siteId: Annotated[Text, says("The account that the key belongs to.", "25508804")]
    skill: Annotated[
        Text, says("The skill whose agents get the reply. May be empty where the site names a default.", "service")
    ]
    customerCountryCode: Annotated[Text, says("Country calling code, with or without + or 00.", "1")]
    customerPhoneNumber: Annotated[
        Text,
        says(
            "National number. Spaces, brackets, dashes, a trunk zero and a repeated code are understood.", "7703101414"
        ),
    ]
    externalCustomerId: Annotated[
        Text | None, says("The brand's id of the customer. Needs externalCustomerIdDescriptor.", "123")
    ] = None
    externalCustomerIdDescriptor: Annotated[Text | None, says("What kind of id that is.", "VIP")] = None
    externalAlertId: Annotated[
        Text | None,
        says("The brand's id of the alert. The same call with the same id is one alert for 24 hours.", "1265168451"),
    ] = None
    alertInfo: Annotated[
        dict[str, Any] | None,
        says(
            "Anything the agent should see beside the conversation; kept as sent.",
            {"Sky Miles": 1234567890, "T-Shirt Size": "Large"},
        ),
    ] = None
    firstName: Annotated[Text | None, says("The recipient's first name.", "Matt")] = None
    lastName: Annotated[Text | None, says("The recipient's last name.", "Fanning")] = None
    proactiveChannel: Annotated[
        Text | None,
        says("Forces a channel and turns fallback off: rcs, wa (whatsapp), sms (text). Empty: the site's order.", ""),
    ] = None
    proactiveLanguage: Annotated[
        Text, says("A word, a BCP 47 tag or a locale. May be empty where the site names a default.", "english")
    ]
    proactiveTemplate: Annotated[Text, says("Name of the template.", "flightdelay")]
    proactiveVariables: Annotated[
        dict[str, str | int | float | bool | None],
        says(
            "Values for the template's variables, named with or without @. {} where it has none.",
            {"@Time": "7:35 pm", "@City": "Kansas City", "@Gate": "C35"},
        ),
    ]
    proactiveTemplateVersion: Annotated[
        Text | None, says("A tag to classify by. A version of the template that carries it is used.", "1")
    ] = None


class Success(msgspec.Struct, kw_only=True):
    """A provider took the alert, or it is scheduled."""

    success: Literal[True]
    response: Annotated[
        Any,
        says("The provider's own answer, unchanged (for RCS an AgentMessage), or the state scheduled with sendAt."),
    ]


class Failure(msgspec.Struct, kw_only=True):
    """The alert was not taken. `success` is the string "false"."""

    success: Literal["false"]
    message: Annotated[
        str,
        says(
            "A JSON object as a string: code, detail, channel, retryable, alertId, provider.",
            '{"code":"not_sent","detail":"…","channel":"rcs","retryable":true,"alertId":"…","provider":null}',
        ),
    ]


class Refused(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The call cannot be taken as it is."""

    success: Literal[False]
    error: Annotated[str, says("What happened, to what, and what to do next.", "Failed Compatibility Check")]
    fields: Annotated[dict[str, str], says("What is wrong, field by field.")] = {}


class ReportEvent(msgspec.Struct, kw_only=True):
    """One thing that happened to an alert. Every value is a string."""

    alertId: str
    siteId: str
    externalAlertId: str
    skill: str
    channel: str
    template: str
    templateVersion: Annotated[str, says("What the call sent; the version that was used where it sent none.")]
    language: Annotated[str, says("As the call sent it.", "english")]
    customerCountryCode: str
    customerPhoneNumber: str
    externalCustomerId: str
    conversationId: Annotated[str | None, says("Null until a conversation exists.")]
    alertInfo: Annotated[str, says("The call's JSON as a string.")]
    eventType: Annotated[str, says("A state that the alert came to, replied, or conversationid.", "delivered")]
    eventInfo: Annotated[str, says("Why, of a bad end; the conversation's id; else Y.", "Y")]
    eventTime: Annotated[str, says("Milliseconds since the epoch.", "1764028800000")]


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Events by alert, both in the order of time."""

    success: Literal["true"]
    data: dict[str, list[ReportEvent]]
    nextCursor: Annotated[str | None, says("Where `limit` was sent and there may be more.")] = None


class NoCredentials(msgspec.Struct, kw_only=True):
    """The credentials are missing or not right."""

    error: Annotated[
        str, says("What to mend.", "No Authorization Header", "Invalid Nonce - Nonce has been previously used")
    ]


class BaseUri(msgspec.Struct, kw_only=True):
    """Where a service of this account is."""

    service: str
    account: str
    baseURI: Annotated[str, says("Host, with its port where it is not the usual one.", "alerts.acme.example")]


class BaseUris(msgspec.Struct, kw_only=True):
    baseURIs: list[BaseUri]
