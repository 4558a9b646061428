"""What is configured of a LivePerson account."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

SECRETS = frozenset({"client_secret", "api_secret", "api_token", "api_token_secret", "bearer", "ccs_password"})

DOMAIN = "api.liveperson.net"  # the Domain API's host: it names the host of every service of an account
RESERVED = frozenset({"consumer", "operational", "conversation", "faas", "custom", "sde"})  # the context service's own
MOST_TTL = 13 * 30 * 86_400  # seconds; "13 months"
_NAMESPACE = re.compile(r"[A-Za-z0-9_]+")
_ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?")
_HOST = re.compile(r"(?:https?://)?[A-Za-z0-9.-]+(?::[0-9]{1,5})?")

Way = Literal["line", "ccs", "frame"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site's LivePerson account.

    `account`: its number. `client_id`, `client_secret` (secret): of the connector app that is installed there; the
    secret signs webhooks too. `domain`: the Domain API's host. `base_url`: all services are there and nothing is asked
    of the Domain API (the sandbox).

    `skills`: a skill's name → its id at LivePerson. Other names are looked up by the Skills API, with `api_key`,
    `api_secret`, `api_token`, `api_token_secret` (an API key of four parts that may read skills; the last three are
    secret) or `bearer` (secret). The same key, where it may read the messaging history, settles what lost its answer.
    `campaign_id`, `engagement_id`: for LivePerson's reports; then conversations are routed by the campaign.
    `urgency`: NORMAL | URGENT | PRIORITIZED | CUSTOM.

    `alert_id_as`: the attribute that holds the external alert id: socialId | imei, empty = none. `descriptor_as_type`:
    the external customer id's descriptor is the customer type.

    `alert_info`: how agents see what the brand passed along: `line` (before the first words, `line_length` characters
    at most), `ccs` (the Conversation Context Service: `ccs_zone`, `ccs_user`, `ccs_password` (secret),
    `ccs_namespace`, `ccs_ttl` in seconds), `frame` (our page within the agent workspace, for `frame_origins`).
    `courtesies`: typing and receipts are passed on.
    """

    account: str
    client_id: str
    client_secret: str
    domain: str = DOMAIN
    base_url: str = ""
    skills: dict[str, str] = {}
    api_key: str = ""
    api_secret: str = ""
    api_token: str = ""
    api_token_secret: str = ""
    bearer: str = ""
    campaign_id: str = ""
    engagement_id: str = ""
    urgency: Literal["NORMAL", "URGENT", "PRIORITIZED", "CUSTOM"] = "NORMAL"
    alert_id_as: Literal["socialId", "imei", ""] = "socialId"
    descriptor_as_type: bool = True
    alert_info: tuple[Way, ...] = ("line",)
    line_length: int = 600
    ccs_zone: Literal["z1", "z2", "z3"] = "z1"
    ccs_user: str = ""
    ccs_password: str = ""
    ccs_namespace: str = "heliograph"
    ccs_ttl: int = 30 * 86_400
    frame_origins: tuple[str, ...] = ()
    courtesies: bool = True

    def __post_init__(self) -> None:
        for name in ("account", "client_id", "client_secret"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} is empty")
        if not re.fullmatch(r"[A-Za-z0-9_-]+", self.account):
            raise ValueError("account is the account's number, without spaces or slashes")
        for name in ("domain", "base_url"):
            if getattr(self, name) and not _HOST.fullmatch(getattr(self, name).rstrip("/")):
                raise ValueError(f"{name} is a host, or https:// and a host")
        if self.base_url and "://" not in self.base_url:
            raise ValueError("base_url begins with https:// (http:// for the sandbox)")
        parts = (self.api_key, self.api_secret, self.api_token, self.api_token_secret)
        if any(parts) and not all(parts):
            raise ValueError("api_key, api_secret, api_token and api_token_secret belong together; give all or none")
        if bool(self.campaign_id) != bool(self.engagement_id):
            raise ValueError("campaign_id and engagement_id belong together; give both or none")
        for name, id in self.skills.items():
            if not re.fullmatch(r"-1|[0-9]+", id):
                raise ValueError(f"the id of skill {name!r} is a number as LivePerson shows it")
        if not 100 <= self.line_length <= 2_000:
            raise ValueError("line_length is 100 to 2000 characters")
        self._ways()

    def _ways(self) -> None:
        if "ccs" in self.alert_info:
            if not (self.ccs_user and self.ccs_password):
                raise ValueError("alert_info names ccs; give ccs_user and ccs_password (the API Authorization page)")
            if not _NAMESPACE.fullmatch(self.ccs_namespace) or self.ccs_namespace in RESERVED:
                raise ValueError("ccs_namespace has letters, digits and _, and is none of LivePerson's own")
            if not 60 <= self.ccs_ttl <= MOST_TTL:
                raise ValueError(f"ccs_ttl is 60 to {MOST_TTL} seconds")
        if "frame" in self.alert_info and not self.frame_origins:
            raise ValueError("alert_info names frame; give frame_origins, the addresses of the agent workspace")
        for origin in self.frame_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} in frame_origins is no origin: https://, a host and nothing behind it")

    @property
    def origin(self) -> str:
        """The Domain API's address."""
        return (self.domain if "://" in self.domain else f"https://{self.domain}").rstrip("/")

    @property
    def reads(self) -> bool:
        """There is a key for the APIs of agents: skills, history."""
        return bool(self.api_key or self.bearer)
