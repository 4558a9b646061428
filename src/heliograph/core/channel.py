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


class Reached(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a provider answered about many recipients at once: `answers` by recipient.

    `sampled` and `reachable`: an estimate that some give besides. Of `sampled` recipients drawn at random so many have
    the channel at all, whether or not this sender may write to them. 0 and 0 where there is none.
    """

    answers: dict[str, Capability]
    sampled: int = 0
    reachable: int = 0


class Carries(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a provider's messages can be. Content that is more than this is made to fit by core.fit, visibly.

    `suggestions`: the tags of core.content's suggestions that are shown as such (reply, open_url …), at most `most` of
    them; `alone`: tags that are shown where nothing is beside them (a WhatsApp message has replies, or one link).
    Others become text. Without carousels a card has no row of its own: all suggestions are one row. `window`: for how
    many seconds after the recipient's last message to this sender free content may be sent (WhatsApp: 86,400); outside
    it only a `named` message goes. 0 = always.
    """

    cards: bool = False
    carousels: bool = False
    files: bool = False
    named: bool = False
    suggestions: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    most: int = 0
    window: int = 0


class Size(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much a message is at its provider. `parts`: what is billed and counted against a rate. `encoding`: GSM-7,
    UCS-2 … or empty; `units`: characters in that encoding's own count; `forced_by`: the first character that does not
    fit into the cheaper encoding."""

    parts: int = 1
    encoding: str = ""
    units: int = 0
    forced_by: str = ""
