"""The section `fallback` of a site's or a template's TOML file → core Fallback.

[site.fallback]                  in a template's file [fallback]
need = "delivered"               sent | delivered | read
within = "2m"                    how long that may take; 0 = a channel is left on a no alone
overlap = "deny"                 deny | allow: leave by time what cannot be taken back
in_doubt = "assume_sent"         assume_sent | resend

[site.fallback.channels.rcs]     more exactly, for one channel: need, within, overlap
within = "1m"
"""

from __future__ import annotations

from collections.abc import Collection

from heliograph.core.fallback import Fallback, Rule
from heliograph.settings import close
from heliograph.sitefiles.toml import Section


def read(section: Section, channels: Collection[str] = ()) -> Fallback:
    """What the section says; its faults are noted in its document. `channels`: those that are installed (none: any name
    is taken)."""
    exact: dict[str, Rule] = {}
    within = section.section("channels")
    for channel in within.table:
        if channels and channel not in channels:
            known = ", ".join(sorted(channels))
            within.fault(f"{channel} is no channel.{close(channel, list(channels))} There is: {known}.", channel)
            continue
        rule = within.section(channel).struct(Rule, "A channel's rule")
        if rule is not None:
            exact[channel] = rule
    return section.struct(Fallback, "A fallback", given={"channels": exact}) or Fallback()
