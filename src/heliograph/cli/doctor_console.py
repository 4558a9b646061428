"""What `heliograph doctor` says of the console: who may log in, and whether the way to it is safe."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from heliograph.cli.doctor_finding import Finding
from heliograph.core.user import Role

if TYPE_CHECKING:
    from heliograph.core.user import User
    from heliograph.settings import Settings


def console_findings(users: Sequence[User], settings: Settings) -> list[Finding]:
    """Nothing where there is no console."""
    if not settings.console:
        return []
    active = [user for user in users if user.disabled is None]
    admins = sum(user.role is Role.ADMIN for user in active)
    if not active:
        step = "Run `heliograph users add NAME --role admin`, or set HELIOGRAPH_CONSOLE=false if you need no console."
        return [Finding(state="warning", check="console", found="nobody may log in", step=step)]
    found = f"{len(active)} user{'' if len(active) == 1 else 's'}, {admins} of them admin"
    if settings.public_url.startswith("http:") and not _here(settings.public_url):
        step = "Serve it over TLS and set HELIOGRAPH_PUBLIC_URL to the https address: passwords travel in clear."
        return [Finding(state="warning", check="console", found=f"{found}, without TLS", step=step)]
    return [Finding(state="ok", check="console", found=found)]


def _here(url: str) -> bool:
    """Whether the address is this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
