"""/callbacks/<channel>/<provider>/<site>/<sender>: what providers tell us.

The provider's own file reads it, flow writes it down, and the answer leaves within milliseconds; nobody is called from
here."""

from __future__ import annotations

from heliograph.core.ports import Call
from heliograph.errors import CallRefused
from heliograph.flow.receive import receive
from heliograph.web import address
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said


async def answer(call: WebCall, doors: Doors) -> WebAnswer:
    """404 for an address that is nobody's, 401 for a callback that its provider did not sign, 503 while the store is
    away (all providers deliver again), else what the provider wants to hear."""
    params = call.params
    opened = doors.means.registry.sender(params["site"], params["sender"])
    if (
        opened is None
        or opened.provider is None
        or opened.sender.channel != params["channel"]
        or opened.sender.provider != params["provider"]
    ):
        doors.meters.callback("none", 404)
        return problem(
            404, "No sender has this callback address. It is /callbacks/<channel>/<provider>/<site>/<sender>."
        )
    name = opened.sender.provider
    try:
        heard = opened.provider.read(
            Call(
                method=call.method,
                url=address.url(doors.plate, call.scope),
                headers={key.decode("latin-1"): value.decode("latin-1") for key, value in call.headers.items()},
                body=call.body,
            )
        )
    except CallRefused as error:
        # Its sentence may name what came; the log gets the code, and the caller (who may be anybody) nothing.
        doors.meters.callback(name, 401)
        doors.log("warning", "A callback was refused.", action="callback.refused", provider=name, code=error.code)
        return problem(401, "The callback's signature does not match this sender's secret.")
    await receive(opened, heard, doors.means)
    said = heard.answer
    doors.meters.callback(name, said.status)
    return WebAnswer(
        status=said.status,
        body=said.body,
        headers=tuple((key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in said.headers.items()),
    )


DOCS = Docs(
    about="Called by a provider and signed in the provider's own way. The address of a sender is shown by "
    "`heliograph senders`; register it with the provider.",
    says=(
        Said(200, "Written down; the body is what the provider wants"),
        Said(401, "Not signed as the provider signs"),
        Said(404, "No such sender"),
        Said(503, "The database is away: deliver again"),
    ),
    params={"channel": "rcs, wa, sms …", "provider": "google-rbm …", "site": "The site's id", "sender": "Its name"},
)
