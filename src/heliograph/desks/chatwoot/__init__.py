"""Chatwoot: an inbox of the kind API.

The desk itself is imported when a site opens it, so that the sandbox's twin, which lies beside it, comes without it."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from heliograph.core.desk import SiteDesk
from heliograph.core.ports import Desk, DeskWays
from heliograph.desks.chatwoot.settings import Settings
from heliograph.errors import SetupError

NAME = "chatwoot"
KEEPS = False
ONE_PER_RECIPIENT = False
SECRETS = frozenset({"api_access_token", "webhook_secret", "webhook_token"})

__all__ = ["KEEPS", "NAME", "ONE_PER_RECIPIENT", "SECRETS", "Settings", "framed", "hosts", "lacks", "open"]


def open(desk: SiteDesk, settings: msgspec.Struct, ways: DeskWays) -> Desk:
    """The site's inbox, ready. Raises SetupError where it has no token."""
    from heliograph.desks.chatwoot.desk import Chatwoot

    known = _known(settings)
    if not known.api_access_token:
        raise SetupError(
            f"The Chatwoot desk of {desk.site} has no token. Set api_access_token in the site's file and apply it.",
            code="no_key",
        )
    return Chatwoot(known, ways)


def hosts(settings: msgspec.Struct) -> tuple[str, ...]:
    return (_known(settings).base,)


def framed(settings: msgspec.Struct) -> tuple[str, ...]:
    """Its pages may show ours in a frame: a Chatwoot dashboard app."""
    known = _known(settings)
    address = urlsplit(known.dashboard_url or known.base)
    return (f"{address.scheme}://{address.netloc}",)


def lacks(settings: msgspec.Struct, public: bool) -> tuple[str, ...]:
    """What never arrives as this is set, one sentence each."""
    known = _known(settings)
    told = []
    if not (known.webhook_secret or known.webhook_token):
        told.append("Neither webhook_secret nor webhook_token is set: no word of an agent is believed.")
    if not public:
        told.append("This server's public address is not set: Chatwoot cannot be told where to post.")
    return tuple(told)


def _known(settings: msgspec.Struct) -> Settings:
    return settings if isinstance(settings, Settings) else msgspec.convert(msgspec.to_builtins(settings), Settings)
