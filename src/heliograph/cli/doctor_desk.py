"""What `heliograph doctor` can tell of a site's desk without asking it: is it installed, do its settings serve, what
will never arrive as it is set, and what waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from heliograph.cli.doctor_finding import Finding
from heliograph.cli.doctor_sender import unsealed
from heliograph.errors import HeliographError

if TYPE_CHECKING:
    from heliograph.core.desk import SiteDesk
    from heliograph.core.ports import DeskPlug, DeskWaits
    from heliograph.flow.manage import Seals


def desk_findings(
    desks: Sequence[SiteDesk],
    plugs: Mapping[str, DeskPlug],
    seals: Seals | None,
    waits: Sequence[DeskWaits],
    *,
    public: bool,
) -> Iterator[Finding]:
    """`seals`: None where there is no secret key; `public`: whether our own address is set. Not of the console."""
    waiting = {one.site: one for one in waits if one.waiting}
    for desk in desks:
        plug = plugs.get(desk.desk)
        if plug is None or not plug.KEEPS:
            yield _finding(desk, plug, seals, waiting.get(desk.site), public)


def _finding(
    desk: SiteDesk, plug: DeskPlug | None, seals: Seals | None, waits: DeskWaits | None, public: bool
) -> Finding:
    check = f"desk of {desk.site}"
    if plug is None:
        return Finding(
            state="failed", check=check, found=f"{desk.desk} is not installed",
            step="Install its package, or name another kind under [desk] in site.toml and apply it.",
        )  # fmt: skip
    try:
        settings = msgspec.convert(unsealed(desk.settings, plug.SECRETS, seals), plug.Settings)
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
    if waits is not None:
        return Finding(
            state="warning", check=check, found=f"{waits.waiting:,} conversations wait for it: {waits.why}",
            step="Mend what is named; what waits goes there by itself.",
        )  # fmt: skip
    lacks = getattr(plug, "lacks", None)
    if lacks is not None and (told := tuple(lacks(settings, public))):
        return Finding(
            state="warning", check=check, found=" ".join(told),
            step="Set what is named (a desk's own in site.toml, then apply it).",
        )  # fmt: skip
    return Finding(state="ok", check=check, found=desk.desk)
