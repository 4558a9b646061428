"""`[webhook]` of a site's file: where the brand is told what happens.

[webhook]
url = "https://crm.acme.example/heliograph"
secret = "${ACME_WEBHOOK_SECRET}"       # or a list while they are rotated, the newest first
events = ["alert.*", "reply.received"]  # all if not given
"""

from __future__ import annotations

import msgspec

from heliograph.core.standard_webhooks import BadSecret, key_of
from heliograph.core.webhook import TYPES, Webhook, url_fault
from heliograph.settings import close
from heliograph.sitefiles.toml import Faults, Section


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The section as it is written. `events` may name a whole group, as in "alert.*"."""

    url: str
    secret: str | list[str]
    events: list[str] = []
    allow_private: bool = False


def read(section: Section, site: str, notes: Faults) -> Webhook | None:
    """The webhook, its secrets in clear; None where it is left out (`when` is empty) or has faults, which are noted."""
    if "when" in section.table and not section.text("when"):
        section.fault("The webhook is left out, since `when` is empty.", "when", into=notes)
        return None
    if any(keys[: len(section.keys)] == section.keys for keys in section.document.unfilled):
        return None  # what is noted already would be told once more as an empty value
    table = section.struct(Table, "A webhook", own=("when",))
    if table is None:
        return None
    sound = True
    if fault := url_fault(table.url):
        section.fault(fault, "url")
        sound = False
    elif table.url.startswith("http://") and not table.allow_private:
        section.fault(
            "url begins with http://, which is for private addresses alone; those need allow_private = true.", "url",
            into=notes,
        )  # fmt: skip
    secrets = [one for one in ([table.secret] if isinstance(table.secret, str) else table.secret) if one]
    if not secrets:
        section.fault("secret is empty; `heliograph webhooks listen` makes one.", "secret")
        sound = False
    for one in secrets:
        try:
            key_of(one)
        except BadSecret as wrong:
            section.fault(f"secret: {wrong}", "secret")
            sound = False
    events: list[str] = []
    for name in table.events:
        found = sorted(one for one in TYPES if one == name or (name.endswith(".*") and one.startswith(name[:-1])))
        if not found:
            section.fault(f'events names "{name}", which is no type.{close(name, sorted(TYPES))}', "events")
            sound = False
        events += [one for one in found if one not in events]
    if not sound:
        return None
    return Webhook(
        site=site,
        url=table.url,
        secrets=tuple(dict.fromkeys(secrets)),
        events=tuple(events),
        allow_private=table.allow_private,
    )
