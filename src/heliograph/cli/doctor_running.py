"""What running nodes and providers left in the database for operators: `heliograph doctor` points to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from heliograph.cli.doctor_finding import Finding

if TYPE_CHECKING:
    from heliograph.core.ports import LooseEnds, Store
    from heliograph.core.site import SenderReport


async def running(store: Store, now: int) -> list[Finding]:
    """Senders that are left alone, attempts in doubt, receipts of nobody's; nothing where all is well."""
    from heliograph.flow.reports import FRESH, UNMATCHED

    found = list(_findings(await store.sender_reports(now - FRESH), await store.loose_ends(now - UNMATCHED)))
    for one in await store.desks_waiting():
        found.append(
            Finding(
                state="warning",
                check=f"desk of {one.site}",
                found=f"{one.waiting:,} conversations wait: {one.why}",
                step="What recipients said is kept and goes there in order. `heliograph desks` tells more.",
            )
        )
    return found


def _findings(reports: Sequence[SenderReport], loose: Sequence[LooseEnds]) -> Iterator[Finding]:
    for one in reports:
        if one.state in ("open", "half_open", "not_open"):
            yield Finding(
                state="warning", check=f"sender {one.sender}",
                found=f"{one.state.replace('_', ' ')} at node {one.node}: {one.why}",
                step="Is the provider reachable from there, and well? `heliograph senders` tells more.",
            )  # fmt: skip
        elif one.state == "closed" and one.why:
            yield Finding(
                state="warning", check=f"sender {one.sender}", found=f"at node {one.node}: {one.why}",
                step="Mend what is named; until then its alerts go to the next sender or channel, or wait.",
            )  # fmt: skip
    for word, count, step in (
        ("in doubt", sum(one.in_doubt for one in loose), "`heliograph alerts list --state in_doubt` shows them."),
        ("unmatched", sum(one.unmatched for one in loose), "`heliograph receipts unmatched` shows them."),
    ):
        if count:
            what = "attempts" if word == "in doubt" else "receipts"
            yield Finding(state="warning", check=f"{what} {word}", found=f"{count:,}", step=step)
