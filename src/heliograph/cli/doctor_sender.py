"""What `heliograph doctor` can tell of a sender without asking its provider: is it installed, do its settings serve, is
it paused, and what will never arrive as it is set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.cli.doctor_finding import Finding
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.core.ports import Plug
    from heliograph.core.site import Sender
    from heliograph.flow.manage import Seals


def sender_finding(sender: Sender, plug: Plug | None, seals: Seals | None, *, public: bool) -> Finding:
    """`seals`: None where there is no secret key; `public`: whether our own address is set."""
    check = f"sender {sender.name}"
    if plug is None:
        return Finding(
            state="failed", check=check, found=f"{sender.provider} on {sender.channel} is not installed",
            step="Install its package, or remove the sender from site.toml and apply with --prune.",
        )  # fmt: skip
    if sender.paused:
        return Finding(
            state="warning", check=check, found=f"paused: {sender.paused}",
            step=f"Mend what is named, then `heliograph senders resume {sender.site} {sender.name}`.",
        )  # fmt: skip
    try:
        settings = msgspec.convert(unsealed(sender.settings, plug.SECRETS, seals), plug.Settings)
    except msgspec.ValidationError as error:
        return Finding(
            state="failed", check=check, found=f"its settings do not serve: {error}",
            step="Mend them in site.toml and apply it again.",
        )  # fmt: skip
    except HeliographError:
        return Finding(
            state="warning", check=check, found="its secrets stay shut, so it cannot be looked at",
            step="See the secret key above.",
        )  # fmt: skip
    if lacks := tuple(getattr(plug, "lacks", _nothing)(settings, public)):
        return Finding(
            state="warning", check=check, found=" ".join(lacks),
            step="Set what is named (a sender's own in site.toml, then apply it), or leave it where you need none.",
        )  # fmt: skip
    return Finding(state="ok", check=check, found=f"{sender.provider} on {sender.channel}")


def unsealed(settings: Mapping[str, object], secrets: frozenset[str], seals: Seals | None) -> dict[str, Any]:
    """The settings as a provider or a desk is given them: what holds for a password does not hold for its sealed form.
    Raises HeliographError for a secret that stays shut."""
    return {
        name: _open(value, seals) if name in secrets and isinstance(value, str) and value else value
        for name, value in settings.items()
    }


def _open(sealed: str, seals: Seals | None) -> str:
    if seals is None:
        raise HeliographError("There is no secret key.", code="no_secret_key")
    return seals.open(sealed)


def _nothing(settings: msgspec.Struct, public: bool) -> tuple[str, ...]:
    return ()
