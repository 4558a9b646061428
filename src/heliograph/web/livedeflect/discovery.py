"""Service discovery: which host serves an account. Anybody may ask; the answer is this server for any account."""

from __future__ import annotations

import re

from heliograph.web import address
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.livedeflect.shapes import BaseUri, BaseUris, Refused
from heliograph.web.problem import encode, refused
from heliograph.web.route import Docs, Said

SERVICES = ("proactiveAlert",)

_account = re.compile(r"[A-Za-z0-9._~-]{1,64}").fullmatch


async def service(call: WebCall, doors: Doors) -> WebAnswer:
    """One service's host; 404 for a service that is not here. Its name is matched as the path is, without case."""
    asked = call.params["serviceName"]
    name = next((name for name in SERVICES if name.lower() == asked.lower()), None)
    if name is None:
        return refused(404, f"No such service here. This server has {', '.join(SERVICES)}.")
    if not _account(call.params["siteId"]):
        return _no_account()
    return WebAnswer(status=200, body=encode(_entry(call, doors, name)), headers=JSON)


async def services(call: WebCall, doors: Doors) -> WebAnswer:
    """All of them."""
    if not _account(call.params["siteId"]):
        return _no_account()
    body = BaseUris(baseURIs=[_entry(call, doors, name) for name in SERVICES])
    return WebAnswer(status=200, body=encode(body), headers=JSON)


def _entry(call: WebCall, doors: Doors, name: str) -> BaseUri:
    seen = address.url(doors.plate, call.scope)
    return BaseUri(service=name, account=call.params["siteId"], baseURI=seen.partition("://")[2].partition("/")[0])


def _no_account() -> WebAnswer:
    return refused(404, "That is no account's id. Send the site's id, for example 25508804.")


_SAYS = (Said(404, "No such service", Refused),)
_PARAMS = {"siteId": "The account", "serviceName": "proactiveAlert"}
SERVICE_DOCS = Docs(
    about="Says which host serves an account, so that callers need no host in their settings. No credentials.",
    says=(Said(200, "The host", BaseUri), *_SAYS),
    params=_PARAMS,
)
SERVICES_DOCS = Docs(
    about="As above, for every service of this server.", says=(Said(200, "The hosts", BaseUris), *_SAYS), params=_PARAMS
)
