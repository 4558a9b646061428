"""Channels, and whether a recipient can be reached on one."""

from __future__ import annotations

from enum import StrEnum

import msgspec

# What a caller may write in `proactiveChannel` → our name. Only these; the channels themselves are the folders in
# channels/ (a folder may add names of its own).
SYNONYMS = {"rcs": "rcs", "wa": "wa", "whatsapp": "wa", "sms": "sms", "text": "sms"}


class Reach(StrEnum):
    """`unknown`: not asked, not askable, or the question failed; an unknown is tried."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Capability(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer whether a recipient can be reached on a channel by a sender, and when it was given (ms).

    `features` are the provider's words (RICHCARD_STANDALONE …). `reason`: our code where the answer is no or unknown.
    `mark`: the answer says more about the sender than about the recipient (Google's 403).
    """

    reach: Reach
    asked: int
    features: tuple[str, ...] = ()
    reason: str = ""
    mark: bool = False
