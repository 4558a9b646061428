"""/healthz, /readyz and /metrics: for load balancers, orchestrators and Prometheus."""

from __future__ import annotations

import asyncio

from heliograph import __version__
from heliograph.core.site import Sender
from heliograph.errors import HeliographError
from heliograph.flow.health import State
from heliograph.flow.means import Means
from heliograph.web.call import JSON, Doors, WebAnswer, WebCall
from heliograph.web.problem import encode
from heliograph.web.route import Docs, Said

PATIENCE = 2.0  # seconds that the store may take; probes give up after 1 to 10
NO_STORE = (b"cache-control", b"no-store")


async def alive(call: WebCall, doors: Doors) -> WebAnswer:
    """200 as long as the process answers at all: nothing else is looked at, so that a database that is away does not
    get the process killed."""
    return WebAnswer(status=200, body=b'{"status":"alive"}', headers=(*JSON, NO_STORE))


async def ready(call: WebCall, doors: Doors) -> WebAnswer:
    """200 where calls can be served, else 503. Why, and the version, are told on the private side alone."""
    fault = ""
    try:
        async with asyncio.timeout(PATIENCE):
            await doors.means.store.ready()
    except HeliographError as error:
        fault = error.sentence
    except TimeoutError:
        fault = f"The database did not answer within {PATIENCE:g} s."
    body: dict[str, object] = {"status": "unavailable" if fault else "ready"}
    if call.private:
        registry = doors.means.registry
        senders = list(registry.all_senders())
        body |= {
            "version": __version__,
            "store": fault or "ok",
            "registry_revision": registry.revision,
            "senders": len(senders),
            "senders_not_open": sum(opened.provider is None for opened in senders),
            "senders_paused": sum(bool(opened.sender.paused) for opened in senders),
            "senders_left_alone": sum(_left_alone(opened.sender, doors.means) for opened in senders),
        }
    return WebAnswer(status=503 if fault else 200, body=encode(body), headers=(*JSON, NO_STORE))


def _left_alone(sender: Sender, means: Means) -> bool:
    return means.healths.of(sender.site, sender.name).state(means.clock.now()) is not State.CLOSED


async def metrics(call: WebCall, doors: Doors) -> WebAnswer:
    """The Prometheus text format, version 0.0.4."""
    body, kind = doors.meters.exposition()
    return WebAnswer(status=200, body=body, headers=((b"content-type", kind.encode()), NO_STORE))


ALIVE_DOCS = Docs(about="Looks at nothing but itself.", says=(Said(200, "Alive"),))
READY_DOCS = Docs(
    about="Asks the database. Details on the private listener alone.",
    says=(Said(200, "Ready"), Said(503, "The database is away")),
)
METRICS_DOCS = Docs(
    about="On the private listener; without one, to this machine alone.", says=(Said(200, "Prometheus text format"),)
)
