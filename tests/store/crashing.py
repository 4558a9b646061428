"""Run by test_crash.py: accepts alerts as fast as it can and says on standard output which are on disk."""

from __future__ import annotations

import asyncio
import os
import sys

from heliograph import store
from heliograph.clock import SystemClock
from heliograph.core.alert import Alert, Attempt, attempt_id
from heliograph.core.content import Text
from heliograph.core.event import Entry
from heliograph.core.ports import Acceptance, Claim, Due, Outcome
from heliograph.core.states import AlertState, AttemptState

clock = SystemClock()


def acceptance(number: int) -> Acceptance:
    now, id = clock.now(), clock.new_id()
    attempt = attempt_id(id, 1)
    common = {"site": "s", "recipient": "+15550000000", "created": now, "expires": now + 1000}
    return Acceptance(
        alert=Alert(
            id=id,
            template="t",
            template_version="1",
            language="en",
            language_asked="en",
            variables={},
            skill="",
            state=AlertState.SENDING,
            **common,
        ),
        attempt=Attempt(
            id=attempt,
            alert=id,
            number=1,
            channel="rcs",
            provider="p",
            sender="a",
            content=Text(text="x" * 300),
            state=AttemptState.SENDING,
            **common,
        ),
        decision=b"{}",
        claims=(Claim(site="s", scope="call", key=f"{id}-{number}", until=now + 86_400_000, owner=id),),
        due=(Due(site="s", kind="attempt", ref=attempt, at=now, lease=now + 1000),),
        entries=(Entry(at=now, kind="accepted"),),
    )


async def main() -> None:
    opened = await store.open(sys.argv[1], migrate=True)

    async def caller(number: int) -> None:
        while True:
            accepted = acceptance(number)
            await opened.accept(accepted)
            os.write(1, f"accepted {accepted.alert.id}\n".encode())
            outcome = Outcome(site="s", alert=accepted.alert.id, attempt=accepted.attempt.id, state=AttemptState.SENT)
            await opened.outcome(outcome)
            os.write(1, f"sent {accepted.alert.id}\n".encode())

    await asyncio.gather(*(caller(number) for number in range(32)))


asyncio.run(main())
