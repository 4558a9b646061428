"""The record of one alert, told from top to bottom: who, what, when, state; the message; the decision; the timeline;
the provider's exchange."""

from __future__ import annotations

import re
from urllib.parse import unquote

from heliograph.core.hide import hidden
from heliograph.core.ports import Record
from heliograph.core.user import Role
from heliograph.web.call import WebAnswer
from heliograph.web.console import inbox, story
from heliograph.web.console.files import GUARDS
from heliograph.web.console.visit import Visit

NONE = "There is no alert of this id that you see. Ids stand in the answer's header Heliograph-Alert and in the list."
_id = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}").fullmatch
_upload = re.compile(r"[0-9a-f]{64}").fullmatch
# Pictures that browsers show and that cannot run anything.
SHOWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


async def page(visit: Visit) -> WebAnswer:
    record = await _found(visit)
    return visit.trouble(404, NONE) if record is None else await _page(visit, hidden(record), whole=False)


async def show_number(visit: Visit) -> WebAnswer:
    """The same page with the recipient's number, once it is written down that it was asked for."""
    record = await _found(visit)
    if record is None:
        return visit.trouble(404, NONE)
    await visit.means.store.audit(visit.audited("number.shown", on=record.alert.id, site=record.alert.site))
    return await _page(visit, record, whole=True)


async def _found(visit: Visit) -> Record | None:
    """Of a site that the user does not see there is nothing, as of one that does not exist."""
    id = visit.params["id"]
    record = await visit.means.store.record(id) if _id(id) else None
    return record if record is not None and visit.sees(record.alert.site) else None


async def _page(visit: Visit, record: Record, *, whole: bool) -> WebAnswer:
    alert = record.alert
    lines, said = story.decision(record)
    sent = record.attempts[-1] if record.attempts else None
    spoken = await visit.means.store.conversations_about(alert.site, alert.id)
    customer = alert.external_customer_id
    if alert.external_customer_id_descriptor:
        customer = f"{customer} ({alert.external_customer_id_descriptor})".strip()
    return visit.page(
        "alert.html",
        record=record,
        alert=alert,
        whole=whole,
        may_show=visit.may(Role.AGENT) and bool(alert.recipient),
        name=" ".join(part for part in (alert.first_name, alert.last_name) if part),
        customer=customer,
        info=story.pairs(bytes(alert.alert_info)),
        sent=sent,
        lines=lines,
        said=said,
        timeline=story.timeline(record),
        exchanges=story.exchanges(record),
        conversations=[one for one in spoken if inbox.sees(visit, one)],
        may_open=visit.may(Role.AGENT) and "/console/inbox/{site}/{id}" in {route.path for route in visit.doors.routes},
    )


async def medium(visit: Visit) -> WebAnswer:
    """A picture that a template brought along. Nothing but pictures is served from here."""
    site, upload = unquote(visit.params["site"]), visit.params["upload"]
    found = await visit.means.store.media(site, upload) if visit.sees(site) and _upload(upload) else None
    if found is None or found[0].partition(";")[0].strip().lower() not in SHOWN:
        return WebAnswer(status=404, headers=GUARDS)
    cache = (b"cache-control", b"private, max-age=86400")
    return WebAnswer(status=200, body=found[1], headers=((b"content-type", found[0].encode()), cache, *GUARDS))
