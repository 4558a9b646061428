"""What is shown to a recipient while an agent looks and writes, and the files that the agent looks at."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flow.test_converse import alerted, says
from flow.world import SITE, refusal
from heliograph.core.event import Attached
from heliograph.core.ports import Fetched
from heliograph.errors import Fate
from heliograph.flow import courtesies
from heliograph.flow.files import NoFile, file_of

BAG = Attached(reference="27", content_type="image/jpeg", name="bag.jpg")


class Shown:
    """What a courteous provider was asked to show: (what, recipient, message)."""

    def __init__(self, provider: Any, fails: Exception | None = None) -> None:
        self.calls: list[tuple[str, str, str]] = []

        async def typing(recipient: str, in_reply_to: str, deadline: float) -> bool:
            assert isinstance(deadline, float)
            self.calls.append(("typing", recipient, in_reply_to))
            if fails:
                raise fails
            return True

        async def seen(recipient: str, event_id: str, deadline: float) -> bool:
            assert isinstance(deadline, float)
            self.calls.append(("seen", recipient, event_id))
            if fails:
                raise fails
            return True

        provider.typing, provider.seen = typing, seen
        provider.can_type = provider.can_mark_read = True


async def test_the_last_words_are_named_and_those_that_were_read(house: Any) -> None:
    await alerted(house)
    first = await says(house, "Late?")
    there = await says(house, "How late?")
    turns = await house.store.turns(SITE, there.id)
    shown = Shown(house.providers["rcs"])
    await courtesies.typing(there, house.means)
    await courtesies.seen(there, 1, house.means)
    await courtesies.seen(there, 9, house.means)
    assert first.id == there.id
    assert shown.calls == [
        ("typing", there.recipient, turns[1].event),
        ("seen", there.recipient, turns[0].event),
        ("seen", there.recipient, turns[1].event),
    ]


async def test_a_courtesy_that_fails_is_counted_and_harms_nobody(house: Any) -> None:
    await alerted(house)
    there = await says(house, "Late?")
    shown = Shown(house.providers["rcs"], refusal(Fate.RETRY))
    await courtesies.typing(there, house.means)
    await courtesies.seen(there, 1, house.means)
    assert [call[0] for call in shown.calls] == ["typing", "seen"]
    assert house.meters.lines[-2:] == [("event", "rcs", "typing_failed"), ("event", "rcs", "seen_failed")]


async def test_a_provider_that_has_none_is_asked_for_none(house: Any) -> None:
    await alerted(house)
    there = await says(house, "Late?")
    shown = Shown(house.providers["rcs"])
    house.providers["rcs"].can_type = house.providers["rcs"].can_mark_read = False
    await courtesies.typing(there, house.means)
    await courtesies.seen(there, 1, house.means)
    assert shown.calls == []


async def test_a_file_is_got_from_the_sender_that_it_came_to(house: Any) -> None:
    await alerted(house)
    there = await says(house, "My bag", attached=(BAG,))
    none = await file_of(there, 1, 0, house.means)
    assert isinstance(none, NoFile) and (none.code, none.later) == ("no_file", False)
    asked: list[Attached] = []
    gives: list[Any] = [Fetched(content_type="image/jpeg", data=b"JPEG"), refusal(Fate.RETRY), refusal(Fate.PERMANENT)]

    async def fetch(attached: Attached, deadline: float) -> Fetched:
        asked.append(attached)
        got = gives.pop(0)
        if isinstance(got, Exception):
            raise got
        return got

    house.providers["rcs"].fetch = fetch
    assert await file_of(there, 1, 0, house.means) == Fetched(content_type="image/jpeg", data=b"JPEG")
    house.meters.lines.clear()
    later, never = await file_of(there, 1, 0, house.means), await file_of(there, 1, 0, house.means)
    assert isinstance(later, NoFile) and later.later
    assert isinstance(never, NoFile) and not never.later
    assert house.meters.lines == [("event", "rcs", "fetch_failed")] * 2
    assert asked == [BAG] * 3
    for number, place in ((1, 1), (1, -1), (2, 0), (0, 0)):
        assert isinstance(await file_of(there, number, place, house.means), NoFile)
    assert len(asked) == 3


@pytest.mark.parametrize("sandbox", [True, False])
async def test_a_test_alerts_file_is_asked_of_the_sandbox_alone(house: Any, sandbox: bool) -> None:
    await alerted(house)
    there = msgspec.structs.replace(await says(house, "My bag", attached=(BAG,)), test=True)
    registry = house.means.registry
    opened = registry.sender(SITE, "a-rcs")
    registry._senders[SITE, "a-rcs"] = msgspec.structs.replace(opened, sandbox=sandbox)

    async def fetch(attached: Attached, deadline: float) -> Fetched:
        return Fetched(content_type="image/jpeg", data=b"JPEG")

    house.providers["rcs"].fetch = fetch
    got = await file_of(there, 1, 0, house.means)
    assert isinstance(got, Fetched) is sandbox
    if isinstance(got, NoFile):
        assert (got.code, got.later) == ("no_sender", True)
