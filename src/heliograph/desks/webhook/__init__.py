"""Any desk, by signed HTTP in both directions.

The desk itself is imported when a site opens it, so that the sandbox's twin, which lies beside it, comes without it."""

from __future__ import annotations

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Desk, DeskWays
from heliograph.desks.webhook.settings import Settings
from heliograph.errors import SetupError

NAME = "webhook"
KEEPS = False
ONE_PER_RECIPIENT = False
SECRETS = frozenset({"secret", "callback_secret"})

__all__ = ["KEEPS", "NAME", "ONE_PER_RECIPIENT", "SECRETS", "Settings", "framed", "hosts", "lacks", "open"]


def open(desk: SiteDesk, settings: msgspec.Struct, ways: DeskWays) -> Desk:
    """The site's desk, ready. Raises SetupError where a secret is missing; one that is none is no setting."""
    from heliograph.desks.webhook.desk import Webhook

    known = _known(settings)
    if not known.secrets:
        raise SetupError(
            f"The webhook desk of {desk.site} has no secret. Set secret in the site's file and apply it.", code="no_key"
        )
    return Webhook(known, ways)


def hosts(settings: msgspec.Struct) -> tuple[str, ...]:
    return (_known(settings).url,)


def framed(settings: msgspec.Struct) -> tuple[str, ...]:
    return _known(settings).framed


def lacks(settings: msgspec.Struct, public: bool) -> tuple[str, ...]:
    """What never arrives as this is set, one sentence each."""
    return () if public else ("This server's public address is not set: the desk cannot be told where to answer.",)


def _known(settings: msgspec.Struct) -> Settings:
    return settings if isinstance(settings, Settings) else msgspec.convert(msgspec.to_builtins(settings), Settings)
