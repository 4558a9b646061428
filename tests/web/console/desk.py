"""A recipient and his phone for the tests of the inbox: alerts go out by the documented API, replies come in by the
callback, answers leave by the due work."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from heliograph.core.conversation import Conversation, Turn
from heliograph.core.event import Inbound, Receipt
from heliograph.core.ports import Heard
from heliograph.core.ports.writing import LANES
from heliograph.core.states import AttemptState
from heliograph.flow import due
from web.conftest import SITE, Caller

CALLBACK = f"/callbacks/rcs/line/{SITE}/acme"
MATT = "+17703101414"


class Phone:
    def __init__(self, caller: Caller, number: str = MATT) -> None:
        self.caller, self.number, self.count = caller, number, 0

    async def gets(self, example: dict[str, Any], **changes: Any) -> str:
        """An alert; its id."""
        # What leaves this phone's number out would be the example's own call once more: one alert.
        body = {**example, "customerPhoneNumber": self.number[2:], **changes}
        said = await self.caller.alert(body)
        assert said.status == 200, said.body
        return said.headers["heliograph-alert"]

    async def says(self, text: str, kind: str = "text", **more: Any) -> Conversation:
        """Words or a tap; the conversation as it is then."""
        self.count += 1
        event = f"{self.number}-{self.count}"
        await self.tells(Inbound(event=event, recipient=self.number, kind=kind, text=text, **more))
        return (await self.caller.store.conversations_of(SITE, self.number, 1))[0]

    async def shows(self, turn: Turn, state: AttemptState) -> None:
        """A receipt of an answer."""
        self.count += 1
        await self.tells(Receipt(event=f"r-{self.number}-{self.count}", state=state, attempt=turn.id))

    async def tells(self, event: Any) -> None:
        self.caller.line.heard = Heard(events=(event,))
        assert (await self.caller.call("POST", CALLBACK, b"{}")).status == 200


async def done(caller: Caller, until: Any) -> None:
    """Does what is due until it is as it is waited for."""
    means = caller.doors.means
    tasks = [asyncio.ensure_future(due.work(means, lane, grace=0.1)) for lane in (0, *LANES.values())]
    try:
        async with asyncio.timeout(5):
            while not await until():
                await asyncio.sleep(0.01)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def place(there: Conversation) -> str:
    return f"/console/inbox/{there.site}/{there.id}"


def plain(html: str) -> str:
    """What is read, in one line."""
    from html import unescape

    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())
