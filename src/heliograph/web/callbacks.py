"""/callbacks/<channel>/<provider>/<site>/<sender>: what providers tell us.

The provider's own file reads it, flow writes it down, and the answer leaves within milliseconds; nobody is called from
here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from heliograph.core.ports import Answer, Call
from heliograph.errors import CallRefused
from heliograph.flow.receive import receive
from heliograph.web import address
from heliograph.web.call import Doors, WebAnswer, WebCall
from heliograph.web.problem import problem
from heliograph.web.route import Docs, Said

T = TypeVar("T")


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
    heard = read(opened.provider.read, call, doors, name, "sender")
    if isinstance(heard, WebAnswer):
        return heard
    await receive(opened, heard, doors.means)
    return said(heard.answer, doors, name)


def read(reads: Callable[[Call], T], call: WebCall, doors: Doors, name: str, whose: str) -> T | WebAnswer:
    """What a callback says, by its own file; or the answer to one that was not signed as it should be. `name`: of the
    provider or the desk; `whose` secret it is: a sender's, a desk's."""
    try:
        return reads(
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
        return problem(401, f"The callback's signature does not match this {whose}'s secret.")


def said(answer: Answer, doors: Doors, name: str) -> WebAnswer:
    """What the provider or the desk wants to hear."""
    doors.meters.callback(name, answer.status)
    headers = answer.headers.items()
    return WebAnswer(
        status=answer.status,
        body=answer.body,
        headers=tuple((key.lower().encode("latin-1"), value.encode("latin-1")) for key, value in headers),
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
