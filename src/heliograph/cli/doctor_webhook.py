"""What `heliograph doctor` can tell of a site's webhook without posting to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from heliograph.cli import say
from heliograph.cli.doctor_finding import Finding

if TYPE_CHECKING:
    from heliograph.core.webhook import Waiting, Webhook


def webhook_findings(webhooks: Sequence[Webhook], told: Sequence[Waiting], now: int) -> Iterator[Finding]:
    from heliograph.core.webhook import LATE

    counts = {one.site: one for one in told}
    for webhook in webhooks:
        check, waits = f"webhook of {webhook.site}", counts[webhook.site]
        if webhook.disabled:
            yield Finding(
                state="warning", check=check, found=f"disabled: {webhook.disabled}; waiting: {waits.waiting:,}",
                step=f"Mend the endpoint, then `heliograph webhooks enable {webhook.site}`.",
            )  # fmt: skip
        elif waits.oldest is not None and now - waits.oldest > LATE:
            since = say.ago(waits.oldest, now).removesuffix(" ago")
            yield Finding(
                state="warning", check=check, found=f"events that wait: {waits.waiting:,}, the oldest for {since}",
                step="Is a server running, and the endpoint well? `heliograph webhooks failed --waiting` tells more.",
            )  # fmt: skip
        elif waits.failed:
            yield Finding(
                state="warning", check=check, found=f"events given up within eight days: {waits.failed:,}",
                step="`heliograph webhooks failed` shows them, `heliograph webhooks replay` posts them again.",
            )  # fmt: skip
        else:
            yield Finding(state="ok", check=check, found=f"events that wait: {waits.waiting:,}; none was given up")
