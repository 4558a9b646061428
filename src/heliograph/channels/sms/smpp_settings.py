"""A sender at an SMS centre: what can be set, and what its defaults are."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from heliograph.channels.sms import smpp_numbers as n
from heliograph.core.reason import REASONS

# How a message id may come back: `auto` expects every spelling; else the base in the answer, then in the receipt.
Base = Literal["auto", "same", "hex-decimal", "decimal-hex"]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One account at a centre; times in seconds. What each field means stands in the README of this folder.

    `address` is the source address: an international number with its plus sign, a short code, or up to 11 letters.
    `ca`: certificates (PEM) that sign the centre's own, where it is none of the world's; `ca_file` in a site's file.
    `window`: submits without an answer at once, per bind. `throughput`: parts per second over all binds, 0 = no limit.
    `errors`: the centre's own `err` words → our reason codes.
    """

    host: str
    system_id: str
    port: int = 2775
    password: str = ""
    system_type: str = ""
    tls: bool = False
    tls_name: str = ""
    ca: str = ""
    binds: int = 1
    address: str = ""
    address_ton: int = -1
    address_npi: int = -1
    recipient_ton: int = n.TON_INTERNATIONAL
    recipient_npi: int = n.NPI_ISDN
    recipient_plus: bool = False
    address_range: str = ""
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    window: int = 10
    throughput: float = 0.0
    long: Literal["udh", "sar", "payload"] = "udh"
    latin1: bool = False
    alphabet: Literal["gsm", "latin1", "ascii"] = "gsm"
    registered_delivery: int = 1
    validity: Literal["relative", "absolute", "none"] = "relative"
    reference: bool = True
    message_id_base: Base = "auto"
    errors: dict[str, str] = {}
    zone: str = "UTC"
    query: bool = False
    cancel: bool = False
    enquire_link: float = 30.0
    response_timeout: float = 30.0
    inactivity_timeout: float = 300.0
    bind_timeout: float = 10.0
    reconnect_least: float = 1.0
    reconnect_most: float = 60.0
    join_within: float = 120.0

    def __post_init__(self) -> None:
        for name, most in (("system_id", 15), ("password", 8), ("system_type", 12), ("address_range", 40)):
            value = getattr(self, name)
            if not _plain(value) or len(value) > most:
                raise ValueError(f"{name} has at most {most} plain characters in SMPP 3.4")
        if not self.host or not self.system_id:
            raise ValueError("give host and system_id")
        if not 0 < self.port < 65536:
            raise ValueError(f"port {self.port} does not exist; ports are 1 to 65535")
        digits = self.address.removeprefix("+")
        if self.address and not _plain(self.address):
            raise ValueError("address has letters beyond ASCII; SMPP has none of those in addresses")
        if not digits.isdigit() and len(self.address) > 11:
            raise ValueError(f"address {self.address!r} has {len(self.address)} characters; a name has 11 at most")
        if len(digits) > 20:
            raise ValueError("address has more than 20 digits")
        for name, least, most in (
            ("binds", 1, 16),
            ("window", 1, 10_000),
            ("address_ton", -1, 6),
            ("address_npi", -1, 18),
            ("recipient_ton", 0, 6),
            ("recipient_npi", 0, 18),
            ("protocol_id", 0, 255),
            ("priority", 0, 3),
            ("registered_delivery", 0, 255),
        ):
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} {getattr(self, name)} is not {least} to {most}")
        for name in ("enquire_link", "response_timeout", "inactivity_timeout", "bind_timeout", "reconnect_least"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than 0 seconds")
        if self.reconnect_most < self.reconnect_least:
            raise ValueError("reconnect_most is less than reconnect_least")
        if self.throughput < 0 or self.join_within <= 0:
            raise ValueError("throughput and join_within are not below 0")
        for word, reason in self.errors.items():
            if reason not in REASONS:
                raise ValueError(f"errors: {word!r} is mapped to {reason!r}, which is no reason that heliograph knows")
        try:
            ZoneInfo(self.zone)
        except (ValueError, OSError, KeyError) as fault:
            raise ValueError(f"zone {self.zone!r} is not a time zone; write it as Europe/Berlin") from fault

    @property
    def ton(self) -> int:
        """The type of number of the source address, from its looks where it is not set."""
        if self.address_ton >= 0:
            return self.address_ton
        if not self.address:
            return n.TON_UNKNOWN
        if self.address.startswith("+"):
            return n.TON_INTERNATIONAL
        if not self.address.isdigit():
            return n.TON_ALPHANUMERIC
        return n.TON_NETWORK if len(self.address) <= 8 else n.TON_INTERNATIONAL  # a short code, or a number

    @property
    def npi(self) -> int:
        if self.address_npi >= 0:
            return self.address_npi
        return n.NPI_ISDN if self.ton == n.TON_INTERNATIONAL else n.NPI_UNKNOWN

    @property
    def shown(self) -> str:
        """The centre as notes name it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'smpps' if self.tls else 'smpp'}://{host}:{self.port}"


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable()
