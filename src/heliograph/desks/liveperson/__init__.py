"""LivePerson, by its Connector API: a conversation on the skill, the recipient as its consumer, webhooks back.

The desk itself is loaded when a site opens it, so that the sandbox's twin beside it is imported without it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import DeskWays
from heliograph.desks.liveperson.settings import SECRETS, Settings

if TYPE_CHECKING:
    from heliograph.desks.liveperson.desk import LivePerson

__all__ = ["KEEPS", "NAME", "ONE_PER_RECIPIENT", "SECRETS", "Settings", "framed", "hosts", "open"]

NAME = "liveperson"
KEEPS = False
ONE_PER_RECIPIENT = True  # "User … already has open conversation. Can't open another one."


def open(desk: SiteDesk, settings: msgspec.Struct, ways: DeskWays) -> LivePerson:
    """The site's account, ready to take conversations."""
    from heliograph.desks.liveperson.desk import LivePerson

    if not isinstance(settings, Settings):
        settings = msgspec.convert(msgspec.to_builtins(settings), Settings)
    return LivePerson(settings, ways)


def hosts(settings: Settings) -> tuple[str, ...]:
    """The sandbox's, or the host that names all others of the account."""
    return (settings.base_url or settings.origin,)


def framed(settings: Settings) -> tuple[str, ...]:
    """The origins of the agent workspace that may show our context page; none where the page is not wanted."""
    return settings.frame_origins if "frame" in settings.alert_info else ()
