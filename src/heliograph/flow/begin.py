"""An alert whose caller does not wait: told of as soon as it is on disk, sent behind the answer, looked at later."""

from __future__ import annotations

import asyncio

from heliograph.core.alert import AlertRequest
from heliograph.core.ports import Claim, Record
from heliograph.core.states import AlertState
from heliograph.flow import send
from heliograph.flow.means import Means
from heliograph.flow.result import Result

LOOK_EVERY = 0.1  # seconds, where another node sends it
ON_ITS_WAY = frozenset({AlertState.ACCEPTED, AlertState.SENDING})


async def begin(request: AlertRequest, claims: tuple[Claim, ...], means: Means, *, request_id: str) -> Result:
    """Begins one alert; the Result names it (`begun`, `scheduled`). Raises what flow.send does: a rule that forbids the
    alert is told at once."""
    told: asyncio.Future[Result] = asyncio.get_running_loop().create_future()

    def tell(result: Result) -> None:
        if not told.done():
            told.set_result(result)

    async def work() -> None:
        try:
            tell(await send.send(request, claims, means, request_id=request_id, accepted=tell))
        except Exception as error:
            if told.done():
                raise  # the caller has its answer: the log is told (Means.behind)
            told.set_exception(error)
        finally:
            told.cancel()  # the server stops: whoever still waits must not wait for ever

    means.behind(work())
    return await told


async def outcome(alert: str, means: Means, seconds: float) -> Record | None:
    """The alert's record once it is no longer on its way to a provider, or as it is after `seconds`."""
    ends = means.clock.loop_time() + seconds
    work = means.under_way.get(alert)
    if work is not None and seconds > 0:
        await asyncio.wait([work], timeout=seconds)
    while True:
        record = await means.store.record(alert)
        left = ends - means.clock.loop_time()
        if record is None or record.alert.state not in ON_ITS_WAY or left <= 0:
            return record
        await means.clock.sleep(min(LOOK_EVERY, left))
